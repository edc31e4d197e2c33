//! What squall's own link does to connections when it is out: the broker hears nothing for longer than
//! Keep Alive allows and must close [MQTT-3.1.2-22], or the device has no answer in time and gives up.
//!
//! The same answer decides whether an end was unexpected, whether a CONNECT was refused, whether a device
//! that never got in is held against the broker, and whether the time away was asked for.

use std::time::Duration;

use squall_fleet::EndCause;
use squall_protocol::ReasonCode;
use squall_scenario::{Group, Scenario};

/// The share of outages that are no longer than [`Outages::longest`]: no run has a thousand million. Of a
/// uniform distribution that is its greatest value, of an exponential one 20.7 times its mean.
const NEARLY_ALL: f64 = 1.0 - 1e-9;

/// The outages of a group's links, and what a connection bears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outages {
    /// The longest that a run sees.
    longest: Duration,
    /// How long the link may hold what a device sends until the broker must close: it sends something
    /// each Keep Alive, and the broker waits for one and a half. `None` without Keep Alive.
    silence_max: Option<Duration>,
    /// How long a device waits for an answer.
    answer_max: Duration,
}

/// How far the CONNECT of a connection had come when the connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// The device's link held it.
    OnLink,
    /// The broker had it and had not answered, as far as the device knows.
    AtBroker,
    /// CONNACK with success came.
    Connected,
}

impl Outages {
    /// Those of the links of `group`; `None` if they are never out.
    pub(crate) fn of(scenario: &Scenario, group: &Group) -> Option<Self> {
        let network = scenario.network(group.network?);
        let outages = network.outages.as_ref()?;
        Some(Self {
            longest: outages.lasts.quantile(NEARLY_ALL),
            silence_max: group.keep_alive_limit().map(|limit| limit / 3),
            answer_max: scenario.run.connect_timeout,
        })
    }

    /// The longest that a run sees.
    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// Whether the device may have missed an answer: what it sent and the answer may each meet an outage.
    pub(crate) fn may_hold_an_answer(&self) -> bool {
        2 * self.longest >= self.answer_max
    }

    fn may_silence_a_device(&self) -> bool {
        self.silence_max.is_some_and(|max| self.longest >= max)
    }
}

/// Whether an end is what the link, which has `outages` or none, brings about with a broker that does
/// nothing wrong.
pub(crate) fn is_of_the_link(
    cause: EndCause,
    progress: Progress,
    outages: Option<&Outages>,
) -> bool {
    let is_closed = match cause {
        EndCause::PeerClosed(_) => true,
        EndCause::ServerDisconnect(reason) => reason == ReasonCode::KeepAliveTimeout,
        EndCause::TimedOut => false,
        EndCause::Dropped { .. }
        | EndCause::Disconnected { .. }
        | EndCause::Qos2Cut { .. }
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::RunEnded => return false,
    };
    match progress {
        // A broker need not keep a transport on which no CONNECT comes (§3.1.4).
        Progress::OnLink => true,
        Progress::AtBroker if is_closed => false,
        Progress::Connected if is_closed => outages.is_some_and(Outages::may_silence_a_device),
        Progress::AtBroker | Progress::Connected => {
            outages.is_some_and(Outages::may_hold_an_answer)
        }
    }
}
