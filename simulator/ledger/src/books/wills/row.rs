//! The wills of one Topic Name and payload: the ends of connections that asked for them, and what
//! each recipient saw.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::BrokerHistory;

use super::announcers::Announcers;
use super::early::Early;
use super::ended::End;
use super::progress::Progress;
use super::sightings::Sightings;
use super::taken::Taken;
use super::{Due, KnownWill, WillArrival, WillEnd};
use crate::books::delay::Delay;
use crate::books::event::Event;
use crate::books::topics::{FilterKey, Recipient};

/// How many ends further on a later one of the same Session is looked for: more only where many devices
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
            client: event.client,
            end,
            shares,
            seen: Sightings::default(),
            back_at: None,
            replaced_at: None,
            is_doubtful: false,
            is_left_open: false,
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

    /// CONNECT was sent for the Session of the end with this number; `away` is how long the broker was away since it
    /// ended.
    pub(super) fn note_asked(&mut self, number: u64, at: Instant, away: Duration) {
        let Some(end) = self.end_mut(number) else {
            return;
        };
        match end.end.delay {
            Delay::None => {}
            Delay::UntilResumed(_) if end.end.due == Due::Must => {
                end.end.due = match end.end.published_by() {
                    // Another connection is there before the broker has heard of the end.
                    None => Due::May,
                    Some(by) if by + away < at => Due::Must,
                    // Whether the broker had published it by then is not known.
                    Some(_) => Due::AtEdge,
                };
            }
            Delay::UntilResumed(_) => {}
            Delay::UntilReplaced(_) => {
                end.replaced_at.get_or_insert(at);
            }
        }
    }

    /// The broker has not closed the connection of the end with this number.
    pub(super) fn note_left_open(&mut self, number: u64) {
        if let Some(end) = self.end_mut(number) {
            end.is_left_open = true;
        }
    }

    /// When the end with this number came about, if it is kept.
    pub(super) fn ended_at(&self, number: u64) -> Option<Instant> {
        let place = self.place_of(number)?;
        self.ends.get(place).map(|end| end.at)
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
        if arrival.is_of_displaced
            && let Some(taken) = self.take_of_displaced(event, arrival, history)
        {
            return taken;
        }
        match self.waiting_for(arrival.recipient, event.arrived) {
            Some(place) => self.take_for(place, event, arrival, history),
            None if self.has_given_up => Taken::Unknown,
            None if self.may_be_early(arrival) => Taken::Early,
            None => self.take_beyond(self.ends_so_far(), event, arrival, history),
        }
    }

    /// A will on a connection that is displaced is of an end that was there when it reached the device's machine: one that this
    /// recipient waits for, or one whose will has come again on the newer connection. `None` if there is neither.
    fn take_of_displaced(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
        history: BrokerHistory,
    ) -> Option<Taken> {
        let recipient = arrival.recipient;
        let known = self.ends.partition_point(|end| end.at <= event.arrived);
        let mut unseen = None;
        let mut has_seen = false;
        for place in known.saturating_sub(LOOK_AHEAD)..known {
            let end = &self.ends[place];
            if end.seen.contains(recipient) {
                has_seen = true;
            } else if end.is_expected() {
                unseen = Some(place);
            }
        }
        match unseen {
            Some(place) => Some(self.take_for(place, event, arrival, history)),
            None => has_seen.then_some(Taken::Repeat),
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
    /// oldest for which it is not too early, unless its will was due long before, and a later end of its Session is there.
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
        let is_awaited = |end: &End| end.is_expected() && end.is_open_at(arrived);
        let awaited = || (start..self.ends.len()).filter(|&place| is_awaited(&self.ends[place]));
        let skipped = || {
            let places = progress
                .skipped()
                .filter_map(|number| self.place_of(number));
            places.filter(|&place| self.ends[place].is_open_at(arrived))
        };
        let is_in_time = |&place: &usize| !self.ends[place].is_too_early(arrived);
        let Some(oldest) = awaited().take(LOOK_AHEAD).find(is_in_time) else {
            let late = skipped().take(LOOK_AHEAD).find(is_in_time);
            return late
                .or_else(|| awaited().next())
                .or_else(|| skipped().next());
        };
        let mut place = oldest;
        while self.ends[place].is_past(arrived)
            && let Some(later) = self.later_of_session(place, arrived)
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

    /// Place of the next end of the same Session that the broker knew of at `arrived`, apart from those of connections that
    /// were displaced before: their ends are older than they look.
    fn later_of_session(&self, place: usize, arrived: Instant) -> Option<usize> {
        let client = self.ends[place].client;
        let last = self.ends.len().min(place + LOOK_AHEAD);
        (place + 1..last).find(|&later| {
            let end = &self.ends[later];
            let is_known = end.end.left_at.is_some_and(|left| left <= arrived);
            end.client == client && end.is_expected() && is_known && !end.was_displaced()
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
