//! Wills that come before the end that asks for them is known.
//!
//! A broker that ends a connection publishes its will and closes the socket in one go, and the generator reads
//! the two from different sockets: the will may be read first. It waits for its end, and is one too many if
//! none comes.

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;

use super::Wills;
use super::arrival::WillArrival;
use super::seen::WillSeen;
use crate::books::event::Event;
use crate::books::topics::Recipient;
use crate::books::windows::Room;

/// How long before the broker's close is at the device's machine its will may come.
const EARLY_MAX: Duration = Duration::from_secs(1);

/// A will that came before an end that it may belong to.
#[derive(Debug)]
pub(super) struct Early {
    event: Event,
    topic: Rc<str>,
    recipient: Recipient,
    watched_since: Option<Instant>,
    alone_since: Option<Instant>,
    copies: u8,
    /// Ends of its row that were known when it came.
    ends: u64,
}

impl Early {
    fn arrival(&self) -> WillArrival<'_> {
        WillArrival {
            topic: &self.topic,
            payload: &[],
            is_from_store: false,
            is_marked_as_repeat: false,
            is_of_displaced: false,
            recipient: self.recipient,
            watched_since: self.watched_since,
            alone_since: self.alone_since,
            copies: self.copies,
            // It took no time.
            room: Room::ALWAYS,
        }
    }
}

impl Wills {
    /// Keeps a will of this row until its end is known.
    pub(super) fn keep_early(&mut self, row: usize, event: &Event, arrival: &WillArrival<'_>) {
        let row = &mut self.rows[row];
        row.early.push(Early {
            event: *event,
            topic: Rc::clone(&row.will.topic),
            recipient: arrival.recipient,
            watched_since: arrival.watched_since,
            alone_since: arrival.alone_since,
            copies: arrival.copies,
            ends: row.ends_so_far(),
        });
        self.kept += 1;
    }

    /// The broker has ended a connection at `now`, the last end of this row: wills that came shortly before may be
    /// those of this one. Returns who saw it.
    pub(super) fn match_early(&mut self, row: usize, now: Instant) -> Vec<WillSeen> {
        let mut early = std::mem::take(&mut self.rows[row].early);
        let Some(last) = self.rows[row].ends.len().checked_sub(1) else {
            return Vec::new();
        };
        let mut seen = Vec::new();
        let mut have = Vec::new();
        early.retain(|early| {
            // A close that the generator was too late to read was there before.
            let held_up = self.anomalies.held_up_within(early.event.arrived, now);
            let is_of_it = early.event.arrived + EARLY_MAX + held_up >= now
                && !have.contains(&early.recipient);
            if is_of_it {
                have.push(early.recipient);
                let arrival = early.arrival();
                let history = self.history;
                let taken = self.on_row(row, |row| {
                    row.take_for(last, &early.event, &arrival, history)
                });
                self.kept = self.kept.saturating_sub(1);
                seen.extend(self.account(row, taken, &early.event, &arrival));
            }
            !is_of_it
        });
        self.rows[row].early = early;
        seen
    }

    /// Wills that came before `until`, and whose end has not come, are wills too many.
    pub(super) fn give_up_early(&mut self, until: Instant) {
        for row in 0..self.rows.len() {
            if self.rows[row].early.is_empty() {
                continue;
            }
            let early = std::mem::take(&mut self.rows[row].early);
            let (over, waiting) = early.into_iter().partition(|early| early.event.now < until);
            self.rows[row].early = waiting;
            let over: Vec<Early> = over;
            for early in &over {
                let (event, arrival) = (&early.event, early.arrival());
                let history = self.history;
                let taken = self.on_row(row, |row| {
                    row.take_beyond(early.ends, event, &arrival, history)
                });
                self.kept = self.kept.saturating_sub(1);
                self.account(row, taken, event, &arrival);
            }
        }
    }

    /// The run was cut short at `now`: only of wills that came shortly before that the end may be
    /// missing.
    pub(crate) fn cut(&mut self, now: Instant) {
        self.give_up_early(now - EARLY_MAX);
    }
}
