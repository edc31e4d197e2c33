//! How long a will waits for its device to come back (§3.1.3.2.2).

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::Group;

/// How much sooner than its delay says a will may come: the specification counts in seconds.
pub(crate) const DELAY_SLACK: Duration = Duration::from_secs(1);

/// How long after its delay a will has surely been published: Mosquitto counts in whole seconds and takes up to a second,
/// and a broker and a network need time of their own.
pub(crate) const PUBLISHED_WITHIN: Duration = Duration::from_millis(1_500);

/// How long after the CONNACK of a connection that resumed its Session a will may come that the broker had published
/// before: the time of the broker and of a network.
pub(crate) const RESUME_SLACK: Duration = Duration::from_millis(250);

/// How long a will waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delay {
    /// Not at all.
    None,
    /// So long, unless a connection resumes the Session before: then there is no will [MQTT-3.1.3-9].
    UntilResumed(Duration),
    /// So long, or until a connection ends the Session before, by Clean Start.
    UntilReplaced(Duration),
}

impl Delay {
    /// That of the wills of a group.
    pub(crate) fn of(group: &Group) -> Self {
        match group.will_delay() {
            Duration::ZERO => Self::None,
            delay if group.clean_start => Self::UntilReplaced(delay),
            delay => Self::UntilResumed(delay),
        }
    }

    /// The longest that it waits.
    pub(crate) fn time(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::UntilResumed(time) | Self::UntilReplaced(time) => time,
        }
    }

    /// When a will has surely come of an end that the broker has noticed by `noticed_by`; `never` stays what it is.
    pub(crate) fn after(self, noticed_by: Instant, never: Instant) -> Instant {
        if noticed_by == never {
            never
        } else {
            noticed_by + self.time()
        }
    }

    /// Whether a Session that was connected again at `back_at` had surely no will of an end at `ended_at`.
    pub(crate) fn is_cancelled(self, ended_at: Instant, back_at: Instant) -> bool {
        match self {
            Self::None | Self::UntilReplaced(_) => false,
            Self::UntilResumed(time) => back_at + DELAY_SLACK < ended_at + time,
        }
    }
}
