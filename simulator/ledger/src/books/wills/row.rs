//! The wills of one Topic Name and payload: the ends of connections that asked for them, and what
//! each recipient saw.

use std::collections::{HashMap, VecDeque};

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::{BrokerHistory, DeviceId};

use super::{Due, KnownWill, WillArrival, WillEnd};
use crate::books::event::Event;
use crate::books::topics::{FilterKey, Recipient};

/// The ends that one will may belong to, oldest first, counted from the start of the run.
#[derive(Debug)]
pub(super) struct Row {
    /// What all of them announced.
    pub(super) will: KnownWill,
    pub(super) ends: VecDeque<End>,
    /// Number of the first end that is kept.
    first: u64,
    /// For each recipient, the number of the first end whose will it has not seen.
    next: HashMap<Recipient, u64>,
    /// Whether an end was given up before all its watchers had seen its will.
    pub(super) has_given_up: bool,
}

/// The end of a connection with a will.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: Instant,
    pub(super) device: DeviceId,
    pub(super) end: WillEnd,
    /// When its Session was connected again.
    pub(super) back_at: Option<Instant>,
    /// Shared subscriptions that certainly asked for the will when the connection ended.
    pub(super) shares: Vec<FilterKey>,
    /// What each recipient saw that saw anything.
    pub(super) seen: HashMap<Recipient, Seen>,
}

/// How often one recipient saw the will of one end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Whether it certainly asked for the will when the connection ended.
    pub(super) is_certain: bool,
    /// Copies that came.
    count: u32,
    /// Copies that one will may bring, by overlapping subscriptions.
    allowed: u32,
    /// The connection that the last one came on.
    socket: SocketId,
}

/// What a will that came was taken for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken {
    /// The will of this end.
    For(TakenFor),
    /// The same copy again, on another connection (§4.4).
    Repeat,
    /// It may belong to an end that was given up.
    Unknown,
    /// No connection had ended.
    Unprovoked,
    /// No end asks for another, and another client may have sent it.
    Unclear,
}

/// The end that a will was taken for.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenFor {
    pub(super) end: WillEnd,
    pub(super) device: DeviceId,
    pub(super) ended_at: Instant,
    /// Copies that this recipient has had of it.
    pub(super) count: u32,
    /// Wills that they stand for, allowed copies taken for one.
    pub(super) times: u32,
}

impl Row {
    pub(super) fn new(will: KnownWill) -> Self {
        Self {
            will,
            ends: VecDeque::new(),
            first: 0,
            next: HashMap::new(),
            has_given_up: false,
        }
    }

    /// Adds an end; gives its number.
    pub(super) fn push(&mut self, event: &Event, end: WillEnd, shares: Vec<FilterKey>) -> u64 {
        self.ends.push_back(End {
            at: event.now,
            device: event.device,
            end,
            shares,
            seen: HashMap::new(),
            back_at: None,
        });
        self.first + self.ends.len() as u64 - 1
    }

    /// The end with this number has left the device's link.
    pub(super) fn handle_left(&mut self, number: u64, now: Instant, noticed_by: Instant) {
        if let Some(end) = self.end_mut(number) {
            end.end.left_at = Some(now);
            end.end.noticed_by = noticed_by;
        }
    }

    /// The Session of the end with this number was connected again.
    pub(super) fn note_back(&mut self, number: u64, at: Instant) {
        if let Some(end) = self.end_mut(number) {
            end.back_at = Some(at);
        }
    }

    /// The end with this number, if it is kept.
    fn end_mut(&mut self, number: u64) -> Option<&mut End> {
        let place = number.checked_sub(self.first)?;
        self.ends.get_mut(usize::try_from(place).ok()?)
    }

    /// Takes the oldest end out.
    pub(super) fn pop(&mut self) -> Option<End> {
        let end = self.ends.pop_front()?;
        self.first += 1;
        Some(end)
    }

    pub(super) fn may_be_stored(&self, may_be_sent: impl Fn(Instant) -> bool) -> bool {
        self.ends.is_empty() || self.ends.iter().any(|end| may_be_sent(end.at))
    }

    /// Finds the end that a will belongs to: the oldest that this recipient still waits for, else
    /// the last.
    pub(super) fn take(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Taken {
        let may_be_of_others = history.has_other_clients();
        let place = match self.waiting_for(arrival.recipient) {
            Some(place) => place,
            None if self.has_given_up => return Taken::Unknown,
            None => match self.ends.len().checked_sub(1) {
                Some(last) => last,
                None if may_be_of_others => return Taken::Unclear,
                None => return Taken::Unprovoked,
            },
        };
        let end = &mut self.ends[place];
        if may_be_of_others && end.end.due == Due::MustNot {
            return Taken::Unclear;
        }
        let is_certain = arrival.watched_since.is_some_and(|since| since <= end.at);
        let seen = end.seen.entry(arrival.recipient).or_insert(Seen {
            is_certain,
            count: 0,
            allowed: 1,
            socket: event.socket,
        });
        // A message is sent again only on another connection, after a reconnect [MQTT-4.4.0-1]: on
        // the same one DUP does not make a second will the first.
        let is_on_another = seen.socket != event.socket;
        seen.socket = event.socket;
        if seen.count > 0 && arrival.is_marked_as_repeat && is_on_another {
            return Taken::Repeat;
        }
        seen.allowed = seen.allowed.max(u32::from(arrival.copies));
        if may_be_of_others && seen.count >= seen.allowed {
            return Taken::Unclear;
        }
        seen.count += 1;
        let taken = TakenFor {
            end: end.end,
            device: end.device,
            ended_at: end.at,
            count: seen.count,
            times: seen.times(),
        };
        self.next
            .insert(arrival.recipient, self.first + place as u64 + 1);
        Taken::For(taken)
    }

    /// Place of the oldest end whose will a recipient still waits for.
    fn waiting_for(&self, recipient: Recipient) -> Option<usize> {
        let next = self.next.get(&recipient).copied().unwrap_or(0);
        let start = usize::try_from(next.saturating_sub(self.first)).ok()?;
        let later = self.ends.iter().enumerate().skip(start);
        later
            .filter(|(_, end)| end.end.due != Due::MustNot)
            .map(|(place, _)| place)
            .next()
    }
}

impl Seen {
    /// How often the will was seen, allowed copies of one will taken for one.
    pub(super) fn times(&self) -> u32 {
        1 + self.count.saturating_sub(self.allowed)
    }
}
