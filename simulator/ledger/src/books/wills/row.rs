//! The wills of one Topic Name and payload: the ends of connections that asked for them, and what
//! each recipient saw.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{BrokerHistory, DeviceId};

use super::announcers::Announcers;
use super::early::Early;
use super::progress::Progress;
use super::sightings::{Seen, Sightings};
use super::taken::{Taken, TakenFor};
use super::{Due, KnownWill, WillArrival, WillEnd};
use crate::books::delay::Delay;
use crate::books::event::Event;
use crate::books::topics::{FilterKey, Recipient};

/// A broker closes a connection that is taken over, and publishes its will, before it answers the newcomer
/// [MQTT-3.1.4-3]: a will that comes this long after the CONNACK is of a later end, if there is one.
const PAST_TAKEOVER: Duration = Duration::from_millis(250);

/// How many ends further on a later one of the same device is looked for: more only where many devices
/// share one will.
const LOOK_AHEAD: usize = 64;

/// Up to so many ends that are kept it is looked up who has seen which; beyond, what each recipient has seen is
/// kept beside them: many devices that share one will are one row, devices with wills of their own have one each.
const LOOKED_UP_MAX: usize = 16;

/// The ends that one will may belong to, oldest first, counted from the start of the run.
#[derive(Debug)]
pub(super) struct Row {
    /// What all of them announced.
    pub(super) will: KnownWill,
    pub(super) ends: VecDeque<End>,
    /// Number of the first end that is kept.
    first: u64,
    /// What each recipient has seen that saw anything while more than [`LOOKED_UP_MAX`] ends were kept.
    progress: HashMap<Recipient, Progress>,
    /// Open connections that have this will.
    pub(super) armed: usize,
    /// Whose they were so far.
    pub(super) announcers: Announcers,
    /// Wills that came before an end was known that they may belong to.
    pub(super) early: Vec<Early>,
    /// Ends that are kept, and what their sightings take.
    weight: usize,
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
    /// When a CONNECT with Clean Start was sent for its Session.
    pub(super) replaced_at: Option<Instant>,
    /// Whether the broker's process ended before it had surely noticed the end: it may have forgotten it.
    pub(super) is_doubtful: bool,
    /// Shared subscriptions that certainly asked for the will when the connection ended.
    pub(super) shares: Vec<FilterKey>,
    /// What each recipient saw that saw anything.
    pub(super) seen: Sightings,
}

impl Row {
    /// Since when a will of it may have been published; `None` without any end.
    pub(super) fn published_since(&self) -> Option<Instant> {
        match self.first {
            0 => self.ends.iter().map(|end| end.at).min(),
            // Ends before are forgotten.
            _ => Some(Instant::ZERO),
        }
    }

    pub(super) fn new(will: KnownWill) -> Self {
        Self {
            will,
            ends: VecDeque::new(),
            first: 0,
            progress: HashMap::new(),
            armed: 0,
            announcers: Announcers::None,
            early: Vec::new(),
            weight: 0,
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
            seen: Sightings::default(),
            back_at: None,
            replaced_at: None,
            is_doubtful: false,
        });
        self.weight += 1;
        self.ends_so_far() - 1
    }

    /// The broker's process ends at `now`: whether it had noticed the last ends is not known.
    pub(super) fn note_forgetting(&mut self, now: Instant) {
        let recent = self.ends.iter_mut().rev();
        for end in recent.filter(|end| now <= end.end.noticed_by) {
            end.is_doubtful = true;
            end.end.due = Due::May;
        }
    }

    /// The end with this number has left the device's link.
    pub(super) fn handle_left(&mut self, number: u64, now: Instant, noticed_by: Instant) {
        if let Some(end) = self.end_mut(number) {
            end.end.left_at = Some(now);
            end.end.noticed_by = noticed_by;
        }
    }

    /// Whether the will of the end with this number must come, or may.
    pub(super) fn set_due(&mut self, number: u64, due: Due) {
        if let Some(end) = self.end_mut(number) {
            end.end.due = due;
        }
    }

    /// The Session of the end with this number was connected again.
    pub(super) fn note_back(&mut self, number: u64, at: Instant) {
        if let Some(end) = self.end_mut(number) {
            end.back_at = Some(at);
            let left_at = end.end.left_at;
            let is_cancelled = |left_at| end.end.delay.is_cancelled(left_at, at);
            if end.end.due.is_possible() && left_at.is_some_and(is_cancelled) {
                end.end.due = Due::Cancelled;
            }
        }
    }

    /// CONNECT was sent for the Session of the end with this number.
    pub(super) fn note_asked(&mut self, number: u64, at: Instant) {
        let Some(end) = self.end_mut(number) else {
            return;
        };
        match end.end.delay {
            Delay::None => {}
            // Whether the broker had published it by then is not known.
            Delay::UntilResumed(_) if end.end.due == Due::Must && at <= end.end.noticed_by => {
                end.end.due = Due::May;
            }
            Delay::UntilResumed(_) => {}
            Delay::UntilReplaced(_) => {
                end.replaced_at.get_or_insert(at);
            }
        }
    }

    /// The end with this number, if it is kept.
    fn end_mut(&mut self, number: u64) -> Option<&mut End> {
        let place = self.place_of(number)?;
        self.ends.get_mut(place)
    }

    /// Takes the oldest end out.
    pub(super) fn pop(&mut self) -> Option<End> {
        let end = self.ends.pop_front()?;
        self.first += 1;
        self.weight -= 1 + end.seen.weight();
        Some(end)
    }

    pub(super) fn may_be_stored(&self, may_be_sent: impl Fn(Instant) -> bool) -> bool {
        self.ends.is_empty() || self.ends.iter().any(|end| may_be_sent(end.at))
    }

    /// What it takes of the memory: ends, and words and whole records of who saw their wills.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Ends so far, those that are not kept included.
    pub(super) fn ends_so_far(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    /// Finds the end that a will belongs to: one that this recipient still waits for, else the last.
    pub(super) fn take(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Taken {
        match self.waiting_for(arrival.recipient, event.arrived) {
            Some(place) => self.take_for(place, event, arrival, history),
            None if self.has_given_up => Taken::Unknown,
            None if self.may_be_early(arrival) => Taken::Early,
            None => self.take_beyond(self.ends_so_far(), event, arrival, history),
        }
    }

    /// A will that no end asks for, `ends` having been known when it came: one too many of the last of
    /// them.
    pub(super) fn take_beyond(
        &mut self,
        ends: u64,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Taken {
        if let Some(place) = self.doubtful_for(arrival.recipient) {
            return self.take_for(place, event, arrival, history);
        }
        match ends.checked_sub(1) {
            Some(last) => match self.place_of(last) {
                Some(place) => self.take_for(place, event, arrival, history),
                None => Taken::Unknown,
            },
            None if history.has_other_clients() => Taken::Unclear,
            None => Taken::Unprovoked(self.announcers.only()),
        }
    }

    /// A will is that of the end at `place`.
    pub(super) fn take_for(
        &mut self,
        place: usize,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Taken {
        let end = &mut self.ends[place];
        if history.has_other_clients() && !end.end.due.is_possible() {
            return Taken::Unclear;
        }
        let before = end.seen.weight();
        let taken = end.note_seen(event, arrival, history);
        self.weight += end.seen.weight() - before;
        if let Taken::For(_) = taken {
            self.note_seen(arrival.recipient, place);
        }
        taken
    }

    /// A recipient has seen the will of the end at `place`.
    fn note_seen(&mut self, recipient: Recipient, place: usize) {
        if !self.progress.contains_key(&recipient) {
            if self.ends.len() > LOOKED_UP_MAX {
                let progress = self.looked_up(recipient);
                self.progress.insert(recipient, progress);
            }
            return;
        }
        let Self {
            ends,
            first,
            progress,
            ..
        } = self;
        let number = *first + place as u64;
        let is_expected = |number: u64| {
            let place = number.checked_sub(*first).map(|place| place as usize);
            let end = place.and_then(|place| ends.get(place));
            end.is_some_and(|end| end.end.due.is_possible())
        };
        let progress = progress.entry(recipient).or_default();
        progress.note_seen(number, *first, is_expected);
    }

    /// What the ends that are kept say of a recipient.
    fn looked_up(&self, recipient: Recipient) -> Progress {
        let has_seen = |end: &End| end.seen.contains(recipient);
        let Some(last) = self.ends.iter().rposition(has_seen) else {
            return Progress::default();
        };
        let before = self.ends.iter().take(last).zip(self.first..);
        let skipped = before.filter(|(end, _)| end.is_expected() && !has_seen(end));
        Progress::new(
            self.first + last as u64 + 1,
            skipped.map(|(_, number)| number),
        )
    }

    /// Place of the end whose will a recipient still waits for that fits one which reaches it at `arrived`: the
    /// oldest, unless its will was due long before, and a later end of its device is there.
    fn waiting_for(&self, recipient: Recipient, arrived: Instant) -> Option<usize> {
        let looked_up;
        let progress = match self.progress.get(&recipient) {
            Some(progress) => progress,
            None => {
                looked_up = self.looked_up(recipient);
                &looked_up
            }
        };
        let next = progress.next();
        let start = usize::try_from(next.saturating_sub(self.first)).ok()?;
        let is_awaited = |end: &End| end.is_expected() && !end.is_doubtful;
        let oldest = (start..self.ends.len()).find(|&place| is_awaited(&self.ends[place]));
        let Some(oldest) = oldest else {
            let mut skipped = progress.skipped();
            return skipped.find_map(|number| {
                let place = self.place_of(number)?;
                (!self.ends[place].is_doubtful).then_some(place)
            });
        };
        let mut place = oldest;
        while self.ends[place].is_past(arrived)
            && let Some(later) = self.later_of_device(place, arrived)
        {
            place = later;
        }
        Some(place)
    }

    /// Place of an end that the broker may have forgotten, and whose will a recipient has not seen.
    fn doubtful_for(&self, recipient: Recipient) -> Option<usize> {
        let mut ends = self.ends.iter();
        ends.position(|end| end.is_doubtful && !end.seen.contains(recipient))
    }

    /// Place of the next end of the same device that the broker knew of at `arrived`.
    fn later_of_device(&self, place: usize, arrived: Instant) -> Option<usize> {
        let device = self.ends[place].device;
        let last = self.ends.len().min(place + LOOK_AHEAD);
        (place + 1..last).find(|&later| {
            let end = &self.ends[later];
            let is_known = end.end.left_at.is_some_and(|left| left <= arrived);
            end.device == device && end.is_expected() && is_known
        })
    }

    /// Whether a will that no known end asks for may be that of a connection that the broker has ended, though
    /// its device's machine has not been told yet.
    fn may_be_early(&self, arrival: &WillArrival<'_>) -> bool {
        let is_too_many = self.ends.back().is_none_or(|last| {
            let recipient = arrival.recipient;
            !last.seen.contains(recipient)
                || last.seen.is_enough(recipient, u32::from(arrival.copies))
        });
        self.armed > 0 && is_too_many && !arrival.is_marked_as_repeat
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (place < self.ends.len()).then_some(place)
    }
}

impl End {
    /// A will of this end came.
    fn note_seen(
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
            replaced_at: self.replaced_at,
            is_doubtful: self.is_doubtful,
            count,
            times,
        }
    }

    /// Whether a will may come for it.
    fn is_expected(&self) -> bool {
        self.end.due.is_possible()
    }

    /// Whether a will that comes at `arrived` comes long after this one's was due: its Session was taken
    /// over since.
    fn is_past(&self, arrived: Instant) -> bool {
        self.back_at
            .is_some_and(|back_at| arrived > back_at + PAST_TAKEOVER)
    }
}
