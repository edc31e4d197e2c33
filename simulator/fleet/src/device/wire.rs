//! The way of bytes between the client role and the drive: over the device's link, if it has one.
//!
//! What has crossed the link is released by `carry`, in both directions. Without a link
//! everything passes at once.

use std::time::Duration;

use squall_protocol::ReasonCode;

use super::Device;
use super::connection::{Down, Lanes, Reading, Role, Up, Voice};
use super::passing::tell_sent;
use super::queued::Queued;
use super::turn::{Shared, Turn};
use crate::link::{Arrived, Direction, Link, LinkReport, Way};
use crate::observation::{ConnectionFact, Departure, Fact, SilenceFact};

impl Device {
    /// Something other than bytes came out of the drive: over the link, or at once.
    pub(super) fn arrive(&mut self, turn: &mut Turn<'_>, place: usize, what: Down) {
        let entry = turn.entry();
        if let Down::Closed(_) = what {
            self.tell_silence_over(turn, place, None);
        }
        let Some(shaping) = self.shaping(turn.shared, place) else {
            self.handle_arrival(turn, place, what);
            return;
        };
        let (link, direction) = shaping.down();
        link.send_control(entry, direction, what);
        match what {
            Down::Opened => {}
            Down::Closed(how) => {
                if let Some(lanes) = self.connections[place].lanes.as_deref_mut() {
                    lanes.has_close = true;
                }
                self.tell_link_at_end(turn, place);
                let socket = self.connections[place].socket;
                self.tell_connection(turn, socket, ConnectionFact::CloseArrived(how));
            }
        }
    }

    /// Tells that the broker closed a connection on which a fault had silenced the device, and the reason if it was told one.
    pub(super) fn tell_silence_over(
        &self,
        turn: &mut Turn<'_>,
        place: usize,
        told: Option<ReasonCode>,
    ) {
        let connection = &self.connections[place];
        if connection.voice == Voice::Silenced {
            let last_at = connection.said_at;
            let lanes = connection.lanes.as_deref();
            let heard_at = lanes.map_or(last_at, Lanes::heard_at);
            let fact = SilenceFact::Closed {
                heard_at,
                last_at,
                told,
            };
            self.tell(turn, connection.socket, Fact::Silence(fact));
        }
    }

    /// Tells what the link of the connection at `place` has let pass of it, if it has one.
    pub(super) fn tell_link_at_end(&self, turn: &mut Turn<'_>, place: usize) {
        let connection = &self.connections[place];
        if let Some(link) = connection.link_at_end(turn.now) {
            let fact = ConnectionFact::LinkAtEnd(link);
            self.tell_connection(turn, connection.socket, fact);
        }
    }

    pub(super) fn arrive_bytes(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let entry = turn.entry();
        if let Some(shaping) = self.shaping(turn.shared, place) {
            let (link, direction) = shaping.down();
            link.send(entry, direction, bytes);
            self.limit_reading(turn, place);
        } else {
            self.handle_bytes(turn, place, bytes);
        }
    }

    /// Has the drive read the transport at `place` only while its link takes more.
    fn limit_reading(&mut self, turn: &mut Turn<'_>, place: usize) {
        let connection = &mut self.connections[place];
        let is_stalled = connection.is_stalled();
        let lanes = connection.lanes.as_deref_mut();
        match lanes.and_then(Lanes::take_reading_change) {
            // The transport is not read anyhow.
            Some(_) if is_stalled => {}
            Some(Reading::Paused) => turn.actions.pause(connection.socket),
            Some(Reading::On) => turn.actions.resume(connection.socket),
            None => {}
        }
    }

    fn handle_arrival(&mut self, turn: &mut Turn<'_>, place: usize, what: Down) {
        match what {
            Down::Opened => match self.connections[place].take_handshake() {
                Some(flight) => self.send_control(turn, place, flight),
                None => self.handle_opened(turn, place),
            },
            Down::Closed(how) => self.handle_closed(turn, place, how),
        }
    }

    /// Releases what has crossed the link, in both directions.
    pub(super) fn carry(&mut self, turn: &mut Turn<'_>) {
        for place in 0..self.connections.len() {
            self.carry_up(turn, place);
            self.carry_down(turn, place);
        }
    }

    fn carry_up(&mut self, turn: &mut Turn<'_>, place: usize) {
        let carrier = self.carrier();
        let connection = &self.connections[place];
        let socket = connection.socket;
        if matches!(connection.role, Role::Done) {
            return;
        }
        loop {
            let Some(Shaping { lanes, report, .. }) = self.shaping(turn.shared, place) else {
                return;
            };
            let mut arrival = None;
            turn.actions.send(socket, |out| {
                arrival = lanes.up.poll(turn.now, &mut report.up, out);
            });
            if let Some(arrival) = &arrival
                && let Arrived::Control(Up::Open | Up::ShakeHands) = arrival.what
            {
                lanes.note_shaken(arrival.on_link());
            }
            if let Some(arrival) = &arrival
                && arrival.what == Arrived::Bytes
            {
                lanes.note_heard(turn.now, arrival.entry.at);
                self.connections[place].said_at = turn.now;
            }
            let due = arrival.as_ref().map(|arrival| arrival.due);
            match arrival.map(|arrival| arrival.what) {
                Some(Arrived::Bytes) => {}
                Some(Arrived::Control(Up::Open)) => turn.actions.open(socket, carrier),
                Some(Arrived::Control(Up::ShakeHands)) => self.arrive(turn, place, Down::Opened),
                Some(Arrived::Control(Up::Close(how))) => {
                    turn.actions.close(socket, how);
                    let fact = ConnectionFact::LeftLink(Departure::End);
                    self.tell_connection(turn, socket, fact);
                }
                Some(Arrived::Control(Up::Mark(departure))) => {
                    turn.waited = match departure {
                        Departure::Messages(_) => due.map(|due| turn.now.saturating_since(due)),
                        Departure::Connect
                        | Departure::End
                        | Departure::BeforeMute
                        | Departure::Answers(_)
                        | Departure::Asking(_) => None,
                    };
                    let fact = ConnectionFact::LeftLink(departure);
                    self.tell_connection(turn, socket, fact);
                    turn.waited = None;
                }
                None => return,
            }
        }
    }

    fn carry_down(&mut self, turn: &mut Turn<'_>, place: usize) {
        let mut bytes = std::mem::take(&mut turn.shared.scratch);
        loop {
            bytes.clear();
            let Some(reads_since) = self.connections[place].attention.reads_since() else {
                break;
            };
            let Some(Shaping { lanes, report, .. }) = self.shaping(turn.shared, place) else {
                break;
            };
            let Some(arrival) = lanes.down.poll(turn.now, &mut report.down, &mut bytes) else {
                break;
            };
            turn.waited = arrival.waited(turn.now, reads_since);
            turn.on_link = arrival.on_link();
            if arrival.what == Arrived::Control(Down::Opened) {
                lanes.note_shaken(arrival.on_link());
            }
            match arrival.what {
                Arrived::Bytes => self.handle_bytes(turn, place, &bytes),
                Arrived::Control(what) => self.handle_arrival(turn, place, what),
            }
        }
        turn.waited = None;
        turn.on_link = Duration::ZERO;
        turn.shared.scratch = bytes;
        self.limit_reading(turn, place);
    }

    /// Sends bytes that are not of the client role over the connection at `place`.
    pub(super) fn send_foreign(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let going = turn.going(self.connections[place].socket);
        tell_sent(turn.sink, going, self.profile.version, bytes);
        self.send(turn, place, bytes);
    }

    fn send(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let entry = turn.entry();
        if let Some(shaping) = self.shaping(turn.shared, place) {
            let (link, direction) = shaping.up();
            link.send(entry, direction, bytes);
        } else {
            let connection = &mut self.connections[place];
            connection.said_at = turn.now;
            turn.actions
                .send(connection.socket, |out| out.extend_from_slice(bytes));
        }
    }

    /// Sends something other than bytes over the connection at `place`.
    pub(super) fn send_control(&mut self, turn: &mut Turn<'_>, place: usize, what: Up) {
        let socket = self.connections[place].socket;
        let entry = turn.entry();
        if let Some(shaping) = self.shaping(turn.shared, place) {
            let (link, direction) = shaping.up();
            link.send_control(entry, direction, what);
        } else {
            match what {
                Up::Open => turn.actions.open(socket, self.carrier()),
                Up::Close(how) => turn.actions.close(socket, how),
                // Without a link it left with what was sent before it, and that is not told; and the drive has done the
                // handshakes.
                Up::Mark(_) | Up::ShakeHands => {}
            }
        }
    }

    /// Tells once what was sent before over the connection at `place` has left its link; nothing without
    /// one.
    pub(super) fn mark(&mut self, turn: &mut Turn<'_>, place: usize, departure: Departure) {
        if let Some(Shaping { lanes, .. }) = self.shaping(turn.shared, place) {
            lanes.up.push_mark(turn.now, Up::Mark(departure));
        }
    }

    /// The link under the connection at `place`; `None` if the device has none.
    fn shaping<'a>(&'a mut self, shared: &'a mut Shared, place: usize) -> Option<Shaping<'a>> {
        let link = self.link.as_deref_mut()?;
        let report = &mut shared.links[usize::from(link.network().0)];
        let lanes = self.connections[place].lanes.as_deref_mut()?;
        Some(Shaping {
            link,
            lanes,
            report,
        })
    }

    /// Sends what the client role queued, unless the device is muted.
    pub(super) fn flush(&mut self, turn: &mut Turn<'_>) {
        if !self.client.has_transmit() {
            return;
        }
        let Some(place) = self.active_place() else {
            return;
        };
        if self.connections[place].is_muted() {
            return;
        }
        if self.link.is_none() {
            let connection = &mut self.connections[place];
            connection.said_at = turn.now;
            let socket = connection.socket;
            let mut queued = Queued::default();
            turn.actions.send(socket, |out| {
                queued = self.client.poll_transmit(out);
            });
            let going = turn.going(socket);
            queued.tell(turn.sink, going, self.client.version());
            return;
        }
        let mut bytes = std::mem::take(&mut turn.shared.scratch);
        let queued = self.client.poll_transmit(&mut bytes);
        let going = turn.going(self.connections[place].socket);
        queued.tell(turn.sink, going, self.client.version());
        self.send(turn, place, &bytes);
        bytes.clear();
        turn.shared.scratch = bytes;
        self.mark_answers(turn, place);
        self.mark_messages(turn, place);
        let asking = std::mem::take(&mut turn.asking);
        if asking > 0 {
            self.mark(turn, place, Departure::Asking(asking));
        }
    }

    /// A message is written for the first time, and leaves with the next flush.
    pub(super) fn note_published(&mut self) {
        let place = self.active_place();
        let connection = place.map(|place| &mut self.connections[place]);
        if let Some(lanes) = connection.and_then(|connection| connection.lanes.as_deref_mut()) {
            lanes.messages += 1;
        }
    }

    /// Tells once the messages that were sent over the connection at `place` have left its link.
    fn mark_messages(&mut self, turn: &mut Turn<'_>, place: usize) {
        let lanes = self.connections[place].lanes.as_deref_mut();
        let messages = lanes.map_or(0, |lanes| std::mem::take(&mut lanes.messages));
        if messages > 0 {
            self.mark(turn, place, Departure::Messages(messages));
        }
    }

    /// The last answer to a message is written, and leaves with the next flush.
    pub(super) fn note_answered(&mut self) {
        let place = self.active_place();
        let connection = place.map(|place| &mut self.connections[place]);
        if let Some(lanes) = connection.and_then(|connection| connection.lanes.as_deref_mut()) {
            lanes.answers += 1;
        }
    }

    /// Tells once the last answers that were sent over the connection at `place` have left its link.
    fn mark_answers(&mut self, turn: &mut Turn<'_>, place: usize) {
        let lanes = self.connections[place].lanes.as_deref_mut();
        let answers = lanes.map_or(0, |lanes| std::mem::take(&mut lanes.answers));
        if answers > 0 {
            self.mark(turn, place, Departure::Answers(answers));
        }
    }
}

/// What a byte meets on its way over a link.
struct Shaping<'a> {
    link: &'a mut Link,
    lanes: &'a mut Lanes,
    report: &'a mut LinkReport,
}

impl<'a> Shaping<'a> {
    fn up(self) -> (&'a mut Link, Direction<'a, Up>) {
        let direction = Direction {
            way: Way::Up,
            lane: &mut self.lanes.up,
            report: &mut self.report.up,
        };
        (self.link, direction)
    }

    fn down(self) -> (&'a mut Link, Direction<'a, Down>) {
        let direction = Direction {
            way: Way::Down,
            lane: &mut self.lanes.down,
            report: &mut self.report.down,
        };
        (self.link, direction)
    }
}
