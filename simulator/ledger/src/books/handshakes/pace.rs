//! How long the broker takes to go on with exchanges, and what of the time that passes is its own.
//!
//! Its time begins when what it is to answer has left the device's link, and ends when the answer is at the device's machine.
//! While a fault has it away or paused, and while the device does not read, it does not pass.

use std::collections::HashMap;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{DeviceId, GroupId};

use crate::books::broker_times::BrokerTimes;
use crate::books::event::Event;
use crate::books::patience;
use crate::books::roster::Roster;
use crate::books::standstill::Standstill;

/// What is known of the broker's pace.
#[derive(Debug)]
pub(super) struct Pace {
    /// By group: whether its devices have links.
    on_links: Vec<bool>,
    /// By group: how long the broker took at most where nothing but the broker can have held it up.
    slowest: Vec<Option<Duration>>,
    /// How long is waited where it has answered nothing.
    without_any: Duration,
    pub(super) broker_times: BrokerTimes,
    /// While the generator does nothing, what came lies unread.
    pub(super) standstill: Standstill,
    /// How each device reads that has not always.
    reading: HashMap<DeviceId, Reading>,
}

/// When a device did not read what came.
#[derive(Debug, Default)]
struct Reading {
    /// Since when it does not; `None` while it reads.
    stopped_at: Option<Instant>,
    /// The last time that is over.
    last: Standstill,
}

impl Reading {
    /// The device reads on.
    fn read_on(&mut self, now: Instant) {
        if let Some(stopped_at) = self.stopped_at.take() {
            self.last.note(stopped_at, now);
        }
    }

    /// Since when what is read at `now` may have lain there; `None` if it came just now. A device that stops again before it has
    /// read what came while it did not has been behind all the time.
    fn lay_since(&self, now: Instant) -> Option<Instant> {
        self.stopped_at.map_or_else(
            || self.last.lay_since(now),
            |at| Some(self.last.lay_since(at).unwrap_or(at)),
        )
    }

    /// Since when it did not read, and when it had read what came meanwhile; that is `None` while it does not read.
    fn last_time(&self) -> Option<(Instant, Option<Instant>)> {
        match self.stopped_at {
            Some(at) => Some((self.lay_since(at).unwrap_or(at), None)),
            None => self
                .last
                .last_time()
                .map(|[since, read_by]| (since, Some(read_by))),
        }
    }
}

impl Pace {
    /// Nothing was answered yet.
    pub(super) fn new(roster: &Roster) -> Self {
        Self {
            on_links: roster.on_links().to_vec(),
            slowest: vec![None; roster.groups()],
            without_any: roster.connect_timeout(),
            broker_times: BrokerTimes::default(),
            standstill: Standstill::default(),
            reading: HashMap::new(),
        }
    }

    /// Whether the devices of a group have links.
    pub(super) fn is_on_link(&self, group: GroupId) -> bool {
        self.on_links[usize::from(group.0)]
    }

    /// Since when the broker can answer what a device sends now; `None` while the device's link holds it.
    pub(super) fn asked_at(&self, event: &Event) -> Option<Instant> {
        (!self.is_on_link(event.group)).then_some(event.now)
    }

    /// The device stops reading.
    pub(super) fn stop_reading(&mut self, event: &Event) {
        let reading = self.reading.entry(event.device).or_default();
        reading.stopped_at.get_or_insert(event.now);
    }

    /// The device reads on.
    pub(super) fn read_on(&mut self, event: &Event) {
        if let Some(reading) = self.reading.get_mut(&event.device) {
            reading.read_on(event.now);
        }
    }

    /// The device is connected anew, and reads.
    pub(super) fn forget_reading(&mut self, device: DeviceId) {
        self.reading.remove(&device);
    }

    /// The broker has answered what it could answer since `since`: how long it took, unless something else may have held the
    /// answer.
    pub(super) fn note(&mut self, event: &Event, since: Option<Instant>) {
        let Some(since) = since else {
            return;
        };
        let reading = self.reading.get(&event.device);
        let lay_unread = reading.is_some_and(|reading| reading.lay_since(event.now).is_some());
        let is_undisturbed = !lay_unread
            && self.standstill.lay_since(event.now).is_none()
            && !self.broker_times.touches(since, event.arrived);
        if is_undisturbed {
            let slowest = &mut self.slowest[usize::from(event.group.0)];
            *slowest = (*slowest).max(Some(event.arrived.saturating_since(since)));
        }
    }

    /// How long something must have waited for the broker to be taken for given up.
    pub(super) fn needed(&self, group: GroupId) -> Duration {
        patience::needed(self.slowest_of(group), self.without_any)
    }

    /// Whether what a device of the group has waited for so long has taken long, if not long enough to tell.
    pub(super) fn is_long(&self, group: GroupId, waited: Duration) -> bool {
        patience::is_long(waited, self.slowest_of(group))
    }

    /// The same by the answers to the group alone, and of what a link may have held by whether it may be long enough to tell: however
    /// slow the broker is to other groups, the group may have a quick answer yet.
    pub(super) fn may_be_long(&self, group: GroupId, waited: Duration) -> bool {
        let slowest = self.slowest[usize::from(group.0)];
        match self.is_on_link(group) {
            true => waited >= patience::needed(slowest, Duration::ZERO),
            false => patience::is_long(waited, slowest),
        }
    }

    /// How long the broker had from `since` to `until` to answer the device.
    pub(super) fn waited(&self, device: DeviceId, since: Instant, until: Instant) -> Duration {
        let last_time = self.reading.get(&device).and_then(Reading::last_time);
        let Some((stopped_at, read_by)) = last_time else {
            return self.own_time(since, until);
        };
        // What was due before would have been read, and what came later is.
        let before = self.own_time(since, until.min(stopped_at));
        let after = read_by.map(|read_by| self.own_time(since.max(read_by), until));
        before.max(after.unwrap_or_default())
    }

    /// When what the device had by `now` was there at the latest.
    pub(super) fn read_until(&self, now: Instant) -> Instant {
        self.standstill.lay_since(now).unwrap_or(now).min(now)
    }

    fn own_time(&self, since: Instant, until: Instant) -> Duration {
        if until <= since {
            return Duration::ZERO;
        }
        let away = self.broker_times.away_between(since, until);
        until.saturating_since(since).saturating_sub(away)
    }

    /// The slowest answer to a group, or where it had none to any.
    fn slowest_of(&self, group: GroupId) -> Option<Duration> {
        let of_any = || self.slowest.iter().copied().flatten().max();
        self.slowest[usize::from(group.0)].or_else(of_any)
    }
}
