//! A shared subscription: its members, and whether one was lost lately (§4.8.2).

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
    /// Until then the broker may have taken a member for one that is there, which had fallen silent: what it sent to it at
    /// QoS 0 is gone. The start of the run if none had.
    pub(crate) silent_until: Instant,
}

impl Share {
    /// A member was lost at `now`, which the broker has surely noticed by `until`.
    pub(crate) fn disturb(&mut self, now: Instant, until: Instant, notice: Notice) {
        self.disturbed_until = self.disturbed_until.max(until);
        let disturbed_at = match notice {
            // Brokers notice within milliseconds: to wait for the longest that it may take would be to wait twice.
            Notice::Told => now,
            Notice::Silence => {
                self.silent_until = self.silent_until.max(until);
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
