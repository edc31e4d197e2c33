//! A shared subscription: its members, and whether one was lost lately (§4.8.2).

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::ClientKey;

use super::session::{Session, SubscriptionState};
use super::stream::OpenCursors;
use super::topics::FilterKey;

/// By what a broker notices that a connection has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Notice {
    /// The transport or a DISCONNECT tells it, or it ended the connection itself.
    Told,
    /// No packet comes for one and a half times Keep Alive.
    Silence,
}

/// One shared subscription.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// Every Session that ever subscribed to it.
    pub(crate) members: Vec<ClientKey>,
    /// The cursors in which it may have open pledges.
    pub(crate) open: OpenCursors,
    /// Until then messages may have been given to a member that was gone already; the start of
    /// the run if no member was lost.
    pub(crate) disturbed_until: Instant,
    /// When a member was lost for the last time: when its end was told, or when its silence has surely been noticed. What is
    /// under way is given to another one from then on. The start of the run if no member was lost.
    pub(crate) disturbed_at: Instant,
    /// When the broker may have taken a member for one that is there, which had fallen silent: what it sent to it at QoS 0
    /// is gone.
    pub(crate) silent: MemberTimes,
    /// When members ended whose end was told: what was on its way to one then may be for no other.
    pub(crate) told: MemberTimes,
}

/// A message may be under way to a member for so long when that ends or falls silent; a broker notices an end that is told, and
/// chooses another, within this.
pub(crate) const UNDER_WAY: Duration = Duration::from_secs(1);

/// Times that are kept apart; beyond that the oldest two are taken for one.
const TIMES_MAX: usize = 64;

/// Times from a member's end or silence until the broker has noticed it, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct MemberTimes {
    times: Vec<[Instant; 2]>,
}

impl MemberTimes {
    /// A member ended or fell silent at `now`, which the broker has noticed by `until`.
    fn add(&mut self, now: Instant, until: Instant) {
        let from = now - UNDER_WAY;
        match self.times.last_mut() {
            Some([_, last]) if from <= *last => *last = until.max(*last),
            Some(_) | None => self.times.push([from, until]),
        }
        if self.times.len() > TIMES_MAX {
            let [first, _] = self.times.remove(0);
            self.times[0][0] = first;
        }
    }

    /// Whether what was sent at `sent_at` may have been sent to a member in one of them.
    pub(crate) fn may_take(&self, sent_at: Instant) -> bool {
        let mut times = self.times.iter();
        times.any(|[from, until]| (from..=until).contains(&&sent_at))
    }
}

impl Share {
    /// A member was lost at `now`, which the broker has surely noticed by `until`.
    pub(crate) fn disturb(&mut self, now: Instant, until: Instant, notice: Notice) {
        self.disturbed_until = self.disturbed_until.max(until);
        let disturbed_at = match notice {
            // Brokers notice within milliseconds: to wait for the longest that it may take would be to wait twice.
            Notice::Told => {
                self.told.add(now, now + UNDER_WAY);
                now
            }
            Notice::Silence => {
                self.silent.add(now, until);
                until
            }
        };
        self.disturbed_at = self.disturbed_at.max(disturbed_at);
    }

    /// The QoS that a message is owed at: that of the first member that is connected and
    /// certainly subscribed. `None` if there is none: then the broker may do what it likes.
    pub(crate) fn certain(&self, sessions: &[Option<Session>], filter: FilterKey) -> Option<QoS> {
        self.members.iter().find_map(|&member| {
            let session = sessions[member.0 as usize].as_ref()?;
            let subscription = session.subscription(filter)?;
            let asks = subscription.state == SubscriptionState::Active && session.is_online();
            asks.then_some(subscription.granted)
        })
    }

    /// Whether any member may still ask for messages.
    pub(crate) fn is_alive(&self, sessions: &[Option<Session>], filter: FilterKey) -> bool {
        self.members.iter().any(|&member| {
            sessions[member.0 as usize]
                .as_ref()
                .and_then(|session| session.subscription(filter))
                .is_some_and(|subscription| subscription.state != SubscriptionState::Absent)
        })
    }

    /// Whether any member is certainly subscribed, connected or not: what a member that is gone had on its way must go to
    /// it. One whose SUBSCRIBE is under way may come too late for that.
    pub(crate) fn has_subscriber(&self, sessions: &[Option<Session>], filter: FilterKey) -> bool {
        self.members.iter().any(|&member| {
            sessions[member.0 as usize]
                .as_ref()
                .and_then(|session| session.subscription(filter))
                .is_some_and(|subscription| subscription.state == SubscriptionState::Active)
        })
    }

    /// Since when any member is certainly subscribed, of those that are now.
    pub(crate) fn active_since(
        &self,
        sessions: &[Option<Session>],
        filter: FilterKey,
    ) -> Option<Instant> {
        let active = self.members.iter().filter_map(|&member| {
            let session = sessions[member.0 as usize].as_ref()?;
            let subscription = session.subscription(filter)?;
            (subscription.state == SubscriptionState::Active).then_some(subscription.active_since)
        });
        active.min()
    }

    /// Whether a link still held something on its way to a member at the end.
    pub(crate) fn has_member_on_link(&self, sessions: &[Option<Session>]) -> bool {
        self.members.iter().any(|&member| {
            let session = sessions[member.0 as usize].as_ref();
            session.is_some_and(|session| session.is_on_link)
        })
    }

    /// Whether a member's Session lives and no connection holds it.
    pub(crate) fn has_offline_member(
        &self,
        sessions: &[Option<Session>],
        filter: FilterKey,
    ) -> bool {
        self.members.iter().any(|&member| {
            sessions[member.0 as usize].as_ref().is_some_and(|session| {
                !session.is_online()
                    && session
                        .subscription(filter)
                        .is_some_and(|row| row.state != SubscriptionState::Absent)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// A member's silence takes what was sent while the broker did not know of it, not what was sent long before or after.
    #[test]
    fn a_silence_takes_what_was_sent_in_it() {
        let mut silent = MemberTimes::default();
        silent.add(at(10), at(15));
        silent.add(at(12), at(18));
        silent.add(at(30), at(32));

        let taken: Vec<u64> = (0..40)
            .filter(|&second| silent.may_take(at(second)))
            .collect();
        assert_eq!(taken, (9..=18).chain(29..=32).collect::<Vec<_>>());
    }

    /// What is kept of members that fall silent again and again is bounded, and never held against the broker.
    #[test]
    fn times_that_are_kept_are_bounded() {
        let mut silent = MemberTimes::default();
        for second in (1..=10 * TIMES_MAX as u64).map(|time| 10 * time) {
            silent.add(at(second), at(second + 1));
        }

        assert_eq!(silent.times.len(), TIMES_MAX);
        assert!(silent.may_take(at(11)));
    }
}
