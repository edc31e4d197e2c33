//! The end of a connection with a will, as a row of wills keeps it: what each recipient saw of it.

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{BrokerHistory, ClientKey, DeviceId};

use super::sightings::{Seen, Sightings};
use super::taken::{Taken, TakenFor};
use super::{Due, WillArrival, WillEnd};
use crate::books::delay::RESUME_SLACK;
use crate::books::event::Event;
use crate::books::topics::{FilterKey, Recipient};

/// A broker closes a connection that is taken over, and publishes its will, before it answers the newcomer
/// [MQTT-3.1.4-3]: a will that comes this long after the CONNACK is of a later end, if there is one.
const PAST_TAKEOVER: Duration = Duration::from_millis(250);

/// The end of a connection with a will.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) device: DeviceId,
    pub(super) client: ClientKey,
    pub(super) end: WillEnd,
    /// When its Session was connected again.
    pub(super) back_at: Option<Instant>,
    /// When a CONNECT with Clean Start was sent for its Session.
    pub(super) replaced_at: Option<Instant>,
    /// Whether the broker's process ended before it had surely noticed the end: it may have forgotten it.
    pub(super) is_doubtful: bool,
    /// Whether the broker has left the connection open that the device had done with.
    pub(super) is_left_open: bool,
    /// Shared subscriptions that certainly asked for the will when the connection ended.
    pub(super) shares: Vec<FilterKey>,
    /// What each recipient saw that saw anything.
    pub(super) seen: Sightings,
}

impl End {
    /// A will of this end came.
    pub(super) fn note_seen(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Taken {
        let recipient = arrival.recipient;
        let is_certain = arrival.watched_since.is_some_and(|since| since <= self.at);
        // The Session has had no other connection since the end.
        let is_unmoved =
            event.now >= self.at && arrival.alone_since.is_some_and(|since| since <= self.at);
        if let Recipient::Session(client) = recipient
            && is_certain
            && is_unmoved
            && arrival.copies == 1
            && !self.seen.contains(recipient)
        {
            self.seen.note_plain(client);
            return Taken::For(self.taken(1, 1));
        }
        let unseen = Seen {
            is_certain,
            count: 0,
            allowed: 1,
            socket: Some(event.socket),
        };
        let before = is_unmoved.then_some(event.socket);
        let seen = self.seen.whole_mut(recipient, before, unseen);
        // A message is sent again only on another connection, after a reconnect [MQTT-4.4.0-1]: on
        // the same one DUP does not make a second will the first.
        let is_on_another = seen.socket != Some(event.socket);
        seen.socket = Some(event.socket);
        if seen.count > 0 && arrival.is_marked_as_repeat && is_on_another {
            return Taken::Repeat;
        }
        seen.allowed = seen.allowed.max(u32::from(arrival.copies));
        if history.has_other_clients() && seen.count >= seen.allowed {
            return Taken::Unclear;
        }
        seen.count += 1;
        let (count, times) = (seen.count, seen.times());
        Taken::For(self.taken(count, times))
    }

    fn taken(&self, count: u32, times: u32) -> TakenFor {
        TakenFor {
            end: self.end,
            device: self.device,
            ended_at: self.at,
            back_at: self.back_at,
            replaced_at: self.replaced_at,
            is_doubtful: self.is_doubtful,
            count,
            times,
        }
    }

    /// When its will is due at the earliest: after its delay, or when a CONNECT with Clean Start ended the Session; `None`
    /// while its link holds it.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let due_at = self.end.due_at()?;
        Some(self.replaced_at.map_or(due_at, |at| due_at.min(at)))
    }

    /// What became due, by what came of it: a will of an end at the edge that anything saw was published, so all that
    /// watch must have it.
    pub(super) fn due_as_seen(&self) -> Due {
        match self.end.due {
            Due::AtEdge if self.seen.is_empty() => Due::Cancelled,
            Due::AtEdge => Due::Must,
            due @ (Due::Must | Due::May | Due::Cancelled | Due::MustNot) => due,
        }
    }

    /// Whether a will that comes at `arrived` is taken for its own rather than for one too many: the broker's process
    /// has not ended, and its Session was not resumed before it was due and long before that.
    pub(super) fn is_open_at(&self, arrived: Instant) -> bool {
        let resumed_at = self.end.resumed_in_time(self.back_at);
        !self.is_doubtful && resumed_at.is_none_or(|at| arrived <= at + RESUME_SLACK)
    }

    /// Whether a will that comes at `arrived` comes before this one's is due.
    pub(super) fn is_too_early(&self, arrived: Instant) -> bool {
        self.taken(0, 0).is_too_early(arrived)
    }

    /// Whether its Session had another connection before the end was known.
    pub(super) fn was_displaced(&self) -> bool {
        self.back_at.is_some_and(|back_at| back_at < self.at)
    }

    /// Whether a will may come for it.
    pub(super) fn is_expected(&self) -> bool {
        self.end.due.is_possible()
    }

    /// Whether a will that comes at `arrived` comes long after this one's was due: its Session was taken
    /// over since.
    pub(super) fn is_past(&self, arrived: Instant) -> bool {
        self.back_at
            .is_some_and(|back_at| arrived > back_at + PAST_TAKEOVER)
    }
}
