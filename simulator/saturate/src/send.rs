//! What is sent when: by window or by schedule, and how a loop goes on whose messages were lost.

use std::io;
use std::time::Duration;

use crate::alarm::Alarm;
use crate::client::Clients;
use crate::clock::{Clock, nanos};
use crate::limits::{STALL, STALL_CHECK, WAIT_MAX};
use crate::load::Pace;
use crate::receive::{Latency, World};

/// Decides what is sent.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) clock: Clock,
    pub(crate) alarm: Alarm,
    pub(crate) schedule: Schedule,
    pub(crate) stalls: Stalls,
}

/// Which message of an open loop is next.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) begun_at: Option<u64>,
    pub(crate) issued: u64,
    pub(crate) next_publisher: u32,
    pub(crate) backlog_max: u64,
    /// Messages up to this one waited for the broker: how late they are is not the generator's doing.
    held_up_to: u64,
    /// From when a message was due to when its connection was given it.
    pub(crate) lag: Latency,
}

/// When deliveries were last seen.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    pub(crate) delivered: u64,
    pub(crate) moved_at: u64,
    pub(crate) checked_at: u64,
    pub(crate) count: u64,
}

impl Schedule {
    /// Ends it: the next one begins when the load goes on.
    pub(crate) fn end(&mut self) {
        (self.begun_at, self.issued, self.held_up_to) = (None, 0, 0);
    }
}

impl Sender {
    /// Gives publishers what they may send; how long until there is more.
    pub(crate) fn send(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
    ) -> io::Result<Duration> {
        match world.load.pace {
            Pace::Window(_) => Ok(self.send_by_window(world, clients)),
            Pace::Rate(rate) => self.send_by_schedule(rate, world, clients),
        }
    }

    fn send_by_window(&self, world: &mut World, clients: &mut Clients) -> Duration {
        let pace = world.load.pace;
        let mut listed = std::mem::take(&mut world.may_send);
        let mut at = None;
        for place in listed.drain(..) {
            let publisher = &mut world.publishers[place as usize];
            publisher.is_listed = false;
            let side = &mut clients.connections[place as usize].side;
            let credit = publisher.credit(pace);
            if credit == 0 || side.is_full() {
                continue;
            }
            let at = *at.get_or_insert_with(|| self.clock.now());
            let sent = publisher.append(credit, at, &mut side.out);
            // Cut short by the room for bytes, not by the window: more with the next turn.
            if sent < credit {
                world.list(place);
            }
            clients.list(place);
        }
        if world.may_send.is_empty() {
            world.may_send = listed;
            return WAIT_MAX;
        }
        Duration::ZERO
    }

    fn send_by_schedule(
        &mut self,
        rate: f64,
        world: &mut World,
        clients: &mut Clients,
    ) -> io::Result<Duration> {
        let begun_at = self.schedule.begun_at.unwrap_or_default();
        let due_at = |message: u64| begun_at + (message as f64 * 1e9 / rate) as u64;
        let now = self.clock.now();
        let due = ((now - begun_at) as f64 * rate / 1e9) as u64;
        let backlog = due.saturating_sub(self.schedule.issued);
        self.schedule.backlog_max = self.schedule.backlog_max.max(backlog);
        if self.schedule.issued < self.schedule.held_up_to {
            // What fell due since the last turn waited behind those.
            self.schedule.held_up_to = due;
        }
        let publishers = world.publishers.len() as u32;
        let mut passed_over = 0;
        // A publisher that is held up is passed over; the message keeps its time.
        while self.schedule.issued < due && passed_over < publishers {
            let place = self.schedule.next_publisher;
            self.schedule.next_publisher = (place + 1) % publishers;
            let publisher = &mut world.publishers[place as usize];
            let side = &mut clients.connections[place as usize].side;
            let credit = publisher.credit(world.load.pace).min(1);
            let at = due_at(self.schedule.issued + 1);
            if side.is_full() || publisher.append(credit, at, &mut side.out) == 0 {
                passed_over += 1;
                continue;
            }
            self.schedule.issued += 1;
            if self.schedule.issued > self.schedule.held_up_to {
                self.schedule.lag.add(now.saturating_sub(at));
            }
            passed_over = 0;
            clients.list(place);
        }
        for place in world.may_send.drain(..) {
            world.publishers[place as usize].is_listed = false;
        }
        if self.schedule.issued < due {
            self.schedule.held_up_to = due;
            return Ok(WAIT_MAX);
        }
        let next = due_at(self.schedule.issued + 1);
        let until_next = Duration::from_nanos(next.saturating_sub(self.clock.now()));
        if until_next < WAIT_MAX {
            self.alarm.set(until_next)?;
        }
        Ok(until_next)
    }

    /// A publisher of a closed loop whose messages were lost would stand still: they are given up, and the account tells of them.
    /// Not before a long time, nor while others have not been served over and over: a broker whose messages wait is then sent more
    /// than the window.
    pub(crate) fn look_for_stalls(&mut self, world: &mut World) {
        let now = self.clock.now();
        let Pace::Window(window) = world.load.pace else {
            return;
        };
        if now - self.stalls.checked_at < nanos(STALL_CHECK) {
            return;
        }
        self.stalls.checked_at = now;
        let delivered = world.books.delivered();
        if delivered != self.stalls.delivered {
            (self.stalls.delivered, self.stalls.moved_at) = (delivered, now);
        }
        let all_stand_still = now - self.stalls.moved_at > nanos(STALL);
        let publishers = world.publishers.len() as u64;
        // All that was under way when it was last heard of, twice over.
        let passed = 2 * u64::from(window) * u64::from(world.load.copies()) * publishers;
        let mut stalled = Vec::new();
        for (place, publisher) in (0..).zip(&mut world.publishers) {
            let is_left_behind = all_stand_still || publisher.is_passed_over(delivered, passed);
            if is_left_behind && publisher.stands_still(now, nanos(STALL)) {
                publisher.give_up();
                stalled.push(place);
            }
        }
        if !stalled.is_empty() {
            self.stalls.count += 1;
            self.stalls.moved_at = now;
        }
        for place in stalled {
            world.list(place);
        }
    }
}
