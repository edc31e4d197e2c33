//! A shared subscription: its members, and when one was lost (§4.8.2).

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::ClientKey;

use super::session::{Session, SubscriptionState};
use super::stream::OpenCursors;
use super::times::{Times, UNDER_WAY, touches};
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
    /// Losses of members that the broker may not know of yet.
    losses: Vec<Loss>,
    /// Those that it knows of.
    known: KnownLosses,
}

/// How a member was lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HowLost {
    /// When it was, at the earliest.
    pub(crate) at: Instant,
    /// When that was told.
    pub(crate) told_at: Instant,
    /// When the broker has surely noticed.
    pub(crate) noticed_by: Instant,
    pub(crate) notice: Notice,
}

/// A member ended or fell silent.
#[derive(Clone, Copy, Debug)]
struct Loss {
    member: ClientKey,
    notice: Notice,
    /// When it was lost.
    at: Instant,
    /// Until then the broker may take it for one that is there.
    chosen_until: Instant,
    /// When the broker has surely noticed.
    noticed_by: Instant,
}

/// Losses that the broker knows of.
#[derive(Debug, Default)]
struct KnownLosses {
    /// From when members were lost until others were chosen, where their ends were told.
    told: Times,
    /// The same, where they fell silent: what was sent to them at QoS 0 is gone.
    silent: Times,
    /// When the broker had surely noticed the last one; the start of the run without any.
    noticed_by: Instant,
    /// When Sessions of members lived without a connection that have one again.
    waited: Times,
    /// The latest end of all these times; the start of the run without any.
    last_until: Instant,
}

impl KnownLosses {
    fn add(&mut self, loss: &Loss) {
        self.noticed_by = self.noticed_by.max(loss.noticed_by);
        let times = match loss.notice {
            Notice::Told => &mut self.told,
            Notice::Silence => &mut self.silent,
        };
        times.add(loss.at, loss.chosen_until);
        self.last_until = self.last_until.max(loss.chosen_until);
    }
}

impl Share {
    /// A member was lost.
    pub(crate) fn lose(&mut self, member: ClientKey, how: HowLost) {
        let HowLost {
            at,
            told_at,
            noticed_by,
            notice,
        } = how;
        self.settle(|loss| loss.chosen_until.max(loss.noticed_by) <= told_at);
        let chosen_until = match notice {
            // Brokers notice within milliseconds: to wait for the longest that it may take would be to wait twice.
            Notice::Told => told_at + UNDER_WAY,
            Notice::Silence => noticed_by,
        };
        let mut losses = self.losses.iter_mut();
        let same = losses.find(|loss| loss.member == member && loss.notice == notice);
        if let Some(loss) = same {
            loss.at = at.min(loss.at);
            loss.chosen_until = chosen_until.max(loss.chosen_until);
            loss.noticed_by = noticed_by.max(loss.noticed_by);
        } else {
            self.losses.push(Loss {
                member,
                notice,
                at,
                chosen_until,
                noticed_by,
            });
        }
    }

    /// CONNACK came for the Session of a member: the broker knows that the connection before is gone
    /// [MQTT-3.1.4-3]. The Session had lived without one since `waited_since`.
    pub(crate) fn come_back(
        &mut self,
        member: ClientKey,
        waited_since: Option<Instant>,
        now: Instant,
    ) {
        for loss in self.losses.iter_mut().filter(|loss| loss.member == member) {
            loss.chosen_until = loss.chosen_until.min(now);
            loss.noticed_by = loss.noticed_by.min(now);
        }
        self.settle(|loss| loss.member == member);
        if let Some(since) = waited_since {
            self.known.waited.add(since, now);
            self.known.last_until = self.known.last_until.max(now);
        }
    }

    /// From here on these losses stay as they are.
    fn settle(&mut self, is_known: impl Fn(&Loss) -> bool) {
        for loss in self.losses.iter().filter(|loss| is_known(loss)) {
            self.known.add(loss);
        }
        self.losses.retain(|loss| !is_known(loss));
    }

    /// Until then messages may have been given to a member that was gone already; the start of the run if no member was lost.
    pub(crate) fn disturbed_until(&self) -> Instant {
        let noticed = self.losses.iter().map(|loss| loss.noticed_by);
        noticed.fold(self.known.noticed_by, Instant::max)
    }

    /// Whether no member was lost or away that may have been chosen for what was sent at `sent_at` or later.
    pub(crate) fn is_quiet_since(&self, sent_at: Instant) -> bool {
        let mut losses = self.losses.iter();
        sent_at > self.known.last_until.max(self.known.noticed_by)
            && losses.all(|loss| sent_at > loss.chosen_until.max(loss.noticed_by))
    }

    /// Whether a message that came to the broker between `sent` may have waited for a member whose Session lived without a
    /// connection, because the broker may choose that as well. Returns when it was connected again at the latest.
    pub(crate) fn waited_until(&self, sent: [Instant; 2]) -> Option<Instant> {
        self.known.waited.last_touched(sent, Duration::ZERO)
    }

    /// Whether a message that came to the broker between `sent` was on its way when a member was lost, if it is that for `under_way`
    /// at most. Returns from when on it is for another one at the latest: that may have been lost as well.
    pub(crate) fn had_until(&self, sent: [Instant; 2], under_way: Duration) -> Option<Instant> {
        let [first, last] = sent;
        let mut had = self.last_loss([first, last], under_way)?;
        while let Some(until) = self.last_loss([first, had.max(last)], under_way)
            && until > had
        {
            had = until;
        }
        Some(had)
    }

    /// The same, also where it is forgotten when the members were lost.
    pub(crate) fn may_have_had(&self, sent: [Instant; 2], under_way: Duration) -> bool {
        let touches = |times: &Times| times.last_touched(sent, under_way).is_some();
        self.last_loss(sent, under_way).is_some()
            || touches(&self.known.told)
            || touches(&self.known.silent)
    }

    fn last_loss(&self, sent: [Instant; 2], under_way: Duration) -> Option<Instant> {
        let told = self.known.told.last_surely_touched(sent, under_way);
        let silent = self.known.silent.last_surely_touched(sent, under_way);
        let losses = self.losses.iter().filter_map(|loss| {
            let time = [loss.at, loss.chosen_until];
            touches(time, sent, under_way).then_some(loss.chosen_until)
        });
        losses.chain(told).chain(silent).max()
    }

    /// Whether what was sent at `sent_at` may have been sent to a member that had fallen silent, and that the broker took for one
    /// that is there.
    pub(crate) fn had_silent_member(&self, sent_at: Instant) -> bool {
        let sent = [sent_at; 2];
        let is_in = |loss: &Loss| touches([loss.at, loss.chosen_until], sent, UNDER_WAY);
        let mut losses = self.losses.iter();
        losses.any(|loss| loss.notice == Notice::Silence && is_in(loss))
            || self.known.silent.last_touched(sent, UNDER_WAY).is_some()
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

    /// Whether a member has a Session that no connection holds and that may have lived at `sent_at`: it does so for its expiry from
    /// when the broker had noticed the end of its connection.
    pub(crate) fn has_offline_member(
        &self,
        sessions: &[Option<Session>],
        filter: FilterKey,
        sent_at: Instant,
    ) -> bool {
        let noticed_by = self.disturbed_until();
        let mut offline = self.offline_members(sessions, filter);
        offline.any(|session| {
            let since = session.offline_since.unwrap_or(noticed_by);
            sent_at < since.max(noticed_by) + session.expiry
        })
    }

    /// Whether a member's Session may be over at `now` because no connection held it.
    pub(crate) fn has_expired_member(
        &self,
        sessions: &[Option<Session>],
        filter: FilterKey,
        now: Instant,
    ) -> bool {
        let mut offline = self.offline_members(sessions, filter);
        offline.any(|session| session.has_expired(now))
    }

    fn offline_members<'a>(
        &'a self,
        sessions: &'a [Option<Session>],
        filter: FilterKey,
    ) -> impl Iterator<Item = &'a Session> {
        let members = self.members.iter();
        let members = members.filter_map(|&member| sessions[member.0 as usize].as_ref());
        members.filter(move |session| {
            let row = session.subscription(filter);
            !session.is_online() && row.is_some_and(|row| row.state != SubscriptionState::Absent)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Instant = Instant::from_nanos(u64::MAX);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn lost(at: Instant, noticed_by: Instant, notice: Notice) -> HowLost {
        HowLost {
            at,
            told_at: at,
            noticed_by,
            notice,
        }
    }

    fn had(share: &Share) -> Vec<u64> {
        let is_had = |&second: &u64| share.had_until([at(second); 2], UNDER_WAY).is_some();
        (0..100).filter(is_had).collect()
    }

    /// A silent member may be chosen until the broker has noticed, or until its Session is connected again, and another one's
    /// connection says nothing of it.
    #[test]
    fn a_silent_member_is_chosen_until_it_is_back() {
        let mut share = Share::default();
        share.lose(ClientKey(1), lost(at(10), NEVER, Notice::Silence));
        share.lose(ClientKey(2), lost(at(20), at(25), Notice::Silence));
        share.come_back(ClientKey(2), None, at(22));

        assert_eq!(had(&share), (9..100).collect::<Vec<_>>());
        assert_eq!(share.disturbed_until(), NEVER);

        share.come_back(ClientKey(1), None, at(12));

        assert_eq!(had(&share), [9, 10, 11, 12, 19, 20, 21, 22]);
        assert_eq!(share.disturbed_until(), at(22));
        assert!(share.had_silent_member(at(21)) && !share.had_silent_member(at(15)));
    }

    /// What goes from one lost member to the next is for another one after the last of them, and not after one that is lost later.
    #[test]
    fn a_message_may_go_from_one_lost_member_to_the_next() {
        let mut share = Share::default();
        for (member, second) in [(1, 10), (2, 12), (3, 14), (4, 30)] {
            share.lose(
                ClientKey(member),
                lost(at(second), at(second + 5), Notice::Told),
            );
        }

        assert_eq!(share.had_until([at(10); 2], UNDER_WAY), Some(at(15)));
        assert_eq!(share.had_until([at(29); 2], UNDER_WAY), Some(at(31)));
    }

    /// An end that is told takes what was sent just before it, or before another member is chosen. Members that end again and
    /// again take no more memory than the times that are kept apart.
    #[test]
    fn losses_that_are_known_are_settled() {
        let mut share = Share::default();
        share.lose(ClientKey(1), lost(at(10), at(15), Notice::Told));

        assert_eq!(had(&share), [9, 10, 11]);
        assert_eq!(share.disturbed_until(), at(15));

        for second in (20..2_000).step_by(10) {
            share.lose(ClientKey(1), lost(at(second), at(second + 5), Notice::Told));
        }

        assert_eq!(share.losses.len(), 1);
        assert!(!share.had_silent_member(at(20)));
    }
}
