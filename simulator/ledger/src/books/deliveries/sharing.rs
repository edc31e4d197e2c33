//! Copies of messages of shared subscriptions that came at QoS 1 though each way had brought its own already.
//!
//! A message of a shared subscription goes to one Session (§4.8.2). Another one may have it only if the connection of the
//! Session that had it ended before it answered. Squall may read the copy before it reads that end, so a copy is suspected
//! first, and counted when the books are closed, unless such an end was read meanwhile. At QoS 0 and 2 every further
//! copy is forbidden, and `copies` counts it at once.
//!
//! A member that has subscriptions of its own beside the shared one is sent a copy for each way: one more is suspected
//! too, whichever way it was for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use squall_protocol::{Instant, QoS, Version};
use squall_run::AnomalyKind;
use squall_scenario::ClientKey;

use super::case::{Case, Sent};
use super::lost_members::LostMember;
use super::sessions::Ending;
use super::{Deliveries, StreamId, TallyKey, session};
use crate::books::anomalies::{Anomaly, Noticed};
use crate::books::event::Event;
use crate::books::memory::{HOLDERS_MAX, MemoryLimit, SUSPECTS_MAX};
use crate::books::topics::Recipient;

/// How much earlier than the end of the connection that explains it a copy may be read.
const READ_BEFORE: Duration = Duration::from_secs(1);

/// Who had the messages of shared subscriptions.
#[derive(Debug, Default)]
pub(super) struct SharedCopies {
    /// By message, the Sessions that had it.
    holders: HashMap<(StreamId, u32), Vec<Holder>>,
    /// The messages in `holders`, the oldest first.
    order: VecDeque<(StreamId, u32)>,
    suspects: Vec<Suspect>,
}

/// A Session that had a message by a shared subscription, as far as can be seen.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) client: ClientKey,
    /// The place of that shared subscription.
    pub(super) share: usize,
    /// The other places that its copy may have been for as well: those that the Session had messages by just then, whatever
    /// became of its subscriptions since.
    pub(super) others: Vec<usize>,
    /// Whether its copy came with DUP and it had one by another of its ways: it may have been that again.
    pub(super) is_perhaps_repeat: bool,
}

/// A copy that no end of a connection explains so far.
#[derive(Debug)]
struct Suspect {
    /// The Sessions that had the message before.
    holders: Vec<ClientKey>,
    at: Instant,
    key: TallyKey,
    /// How many messages of shared subscriptions came twice for certain: 0 where the copy may be for a subscription of
    /// the Session's own, else 1.
    shared_twice: u64,
    noticed: Noticed,
    anomaly: Anomaly,
}

impl SharedCopies {
    fn note(&mut self, message: (StreamId, u32), holder: Holder) {
        let holders = self.holders.entry(message).or_insert_with(|| {
            self.order.push_back(message);
            Vec::new()
        });
        holders.push(holder);
        if self.order.len() > HOLDERS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.holders.remove(&oldest);
        }
    }

    fn holders(&self, message: (StreamId, u32)) -> &[Holder] {
        self.holders.get(&message).map_or(&[], Vec::as_slice)
    }

    /// The connection of a Session ended: what came after the broker may have noticed that is explained.
    pub(super) fn handle_ended(&mut self, client: ClientKey, ending: &Ending) {
        self.suspects.retain(|suspect| {
            let is_explained =
                suspect.holders.contains(&client) && ending.earliest <= suspect.at + READ_BEFORE;
            !is_explained
        });
    }
}

impl Deliveries {
    /// A copy came of a message that must go to one member once.
    pub(super) fn note_share_twice(&mut self, case: &Case<'_>) {
        self.share_counts.twice += u64::from(self.is_for_a_share(case));
    }

    /// A message came to a member of a shared subscription for the first time.
    pub(super) fn note_holder(&mut self, case: &Case<'_>) {
        let is_looked_for = case.published == QoS::AtLeastOnce || case.has_other_ways;
        if !is_looked_for || !self.is_for_a_share(case) {
            return;
        }
        let sent = Sent {
            sender: case.sender,
            at: case.sent_at_least(),
        };
        let ways = match case.has_other_ways {
            true => self.ways(case.event.client, case.topic, sent),
            false => Vec::new(),
        };
        let places = ways.into_iter().map(|way| way.place);
        let others: Vec<usize> = places.filter(|&place| place != case.place).collect();
        let stream = &self.streams[case.stream];
        let has_had = |&place: &usize| stream.has_come_to(place, case.sequence());
        let holder = Holder {
            client: case.event.client,
            share: case.place,
            is_perhaps_repeat: case.delivery.dup && others.iter().any(has_had),
            others,
        };
        let message = (case.stream, case.sequence());
        self.shared_copies.note(message, holder);
    }

    /// Whether another member had a copy by a shared subscription of this Session that may have been a repeat of one that it
    /// had by another way: then this is the one of the shared subscription. Uses it up.
    pub(super) fn take_for_a_repeat(&mut self, case: &Case<'_>) -> bool {
        let shares: Vec<usize> = self
            .member_places(case.event.client, case.topic, case.sent_at_least())
            .collect();
        let holders = self
            .shared_copies
            .holders
            .get_mut(&(case.stream, case.sequence()));
        let repeat = holders.into_iter().flatten().find(|holder| {
            holder.is_perhaps_repeat
                && holder.client != case.event.client
                && shares.contains(&holder.share)
        });
        repeat.is_some_and(|holder| std::mem::take(&mut holder.is_perhaps_repeat))
    }

    /// Who had the message by a shared subscription, as far as is known.
    pub(super) fn holders(&self, case: &Case<'_>) -> Vec<Holder> {
        let message = (case.stream, case.sequence());
        self.shared_copies.holders(message).to_vec()
    }

    /// A copy came that no subscription allows: it is suspected if no connection ended that may explain it.
    pub(super) fn suspect_shared(&mut self, case: &Case<'_>) {
        let holders = self.shared_copies.holders((case.stream, case.sequence()));
        let holders: Vec<ClientKey> = holders.iter().map(|holder| holder.client).collect();
        if !self.has_one_copy_by_each_way(case, &holders) {
            return;
        }
        if holders.is_empty() {
            self.note_unknown_holder(case);
            return;
        }
        let is_suspect = holders
            .iter()
            .all(|&holder| self.has_had_one_connection(holder, case));
        if !is_suspect {
            return;
        }
        if self.shared_copies.suspects.len() >= SUSPECTS_MAX {
            self.given_up.add(MemoryLimit::SharedCopies, 1);
            return;
        }
        let explanation = format!(
            "message {} of {} came again: {}",
            case.sequence(),
            self.names.of(case.stamp.device),
            why_suspected(case, &holders)
        );
        self.shared_copies.suspects.push(Suspect {
            holders,
            at: case.event.now,
            key: case.key(),
            shared_twice: u64::from(!case.has_other_ways),
            noticed: case.noticed(),
            anomaly: case.anomaly(AnomalyKind::Duplicated, explanation),
        });
    }

    /// A copy came, and who had the message is remembered no longer. A member that was lost since may be why.
    fn note_unknown_holder(&mut self, case: &Case<'_>) {
        let Recipient::Share(filter) = self.topics.places(case.topic)[case.place].recipient else {
            return;
        };
        let is_looked_for = case.published == QoS::AtLeastOnce;
        let message = (
            self.streams[case.stream].record(case.sequence()),
            case.sent_at_least(),
        );
        let lost = self.lost_member_before(filter, message, case.event.now);
        if is_looked_for && lost == LostMember::HadNot {
            self.given_up.add(MemoryLimit::SharedCopies, 1);
        }
    }

    /// Whether the broker must give a message of a shared subscription to one Session only: it was published once, at
    /// QoS 1, and the Session it comes to had no other connection since.
    pub(super) fn is_given_once(&self, case: &Case<'_>) -> bool {
        self.is_for_a_share(case) && self.is_v5(case) && self.is_sent_once_by_each_way(case)
    }

    /// Whether a copy that no way allows is one too many: it is for a shared subscription, or each way of the Session has
    /// brought the message. In MQTT 3.1.1 a Session may be sent again, with DUP, what it has had (§4.4), not what another one
    /// has had.
    fn has_one_copy_by_each_way(&self, case: &Case<'_>, holders: &[ClientKey]) -> bool {
        let is_of_a_share = self.is_for_a_share(case) || case.has_other_ways;
        let has_had_it = holders.contains(&case.event.client);
        let is_anew = !case.delivery.dup && case.delivery.qos == QoS::AtLeastOnce;
        let is_no_repeat = !case.has_other_ways && (!has_had_it || is_anew);
        is_of_a_share && (self.is_v5(case) || is_no_repeat) && self.is_sent_once_by_each_way(case)
    }

    fn is_v5(&self, case: &Case<'_>) -> bool {
        session(&self.sessions, case.event.client)
            .is_some_and(|session| session.version == Version::V5)
    }

    /// Whether a message was published once, at QoS 1, and the Session it comes to had no other connection since.
    fn is_sent_once_by_each_way(&self, case: &Case<'_>) -> bool {
        case.published == QoS::AtLeastOnce
            && self.was_sent_once(case)
            && self.has_had_one_connection(case.event.client, case)
    }

    /// Whether a Session has had the same connection since before a message was sent.
    fn has_had_one_connection(&self, client: ClientKey, case: &Case<'_>) -> bool {
        session(&self.sessions, client).is_some_and(|session| {
            session.live.len() == 1 && session.connected_at < case.sent_at_least()
        })
    }

    fn is_for_a_share(&self, case: &Case<'_>) -> bool {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        matches!(recipient, Recipient::Share(_))
    }

    /// The connection of a Session ended.
    pub(super) fn clear_of_suspicion(&mut self, event: &Event, ending: &Ending) {
        self.shared_copies.handle_ended(event.client, ending);
    }

    /// The books are closed: what nothing has explained is forbidden.
    pub(super) fn close_suspects(&mut self) {
        for suspect in std::mem::take(&mut self.shared_copies.suspects) {
            self.books.tally_mut(suspect.key).forbidden += 1;
            self.share_counts.twice += suspect.shared_twice;
            self.anomalies
                .note(AnomalyKind::Duplicated, suspect.noticed, || suspect.anomaly);
        }
    }
}

/// What forbids a copy of a message that these Sessions had by shared subscriptions.
fn why_suspected(case: &Case<'_>, holders: &[ClientKey]) -> String {
    if case.has_other_ways {
        return "each subscription of this Session, its shared ones among them, had its copy or another member had \
                it, and none of them had another connection since it was sent [MQTT-4.4.0-1]"
            .to_owned();
    }
    let of_others = holders
        .iter()
        .filter(|&&holder| holder != case.event.client);
    format!(
        "{} other members of the shared subscription had it, and no connection of theirs ended (§4.8.2)",
        of_others.count()
    )
}
