//! When a device's own link may have kept the broker from sending to it.
//!
//! A broker leaves only so many messages of QoS 1 and 2 to a client unacknowledged: its Receive Maximum
//! (§4.9), or fewer by the broker's own choice, which nothing tells. A link that holds messages or their answers
//! back fills that window, and what comes next waits in the broker: that time is the link's.
//!
//! How wide the window is cannot be seen: Mosquitto stops at 20 and sends 20 more for each of the first answers
//! after that. What can be seen is that the broker sent nothing while something was unacknowledged, and an
//! answer reached it then: up to that answer it may have had no room. Where it sent without one, it had room.
//! And it sends in the order in which it has them: what came behind a message that was published later was not
//! there before that one, so the time until then is the broker's whatever the link held.
//!
//! A message counts from its arrival at the device's machine until its last answer has left the link.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, PacketId};

use super::event::Event;

/// Times in which one window may have been full that are kept apart. Beyond that the shorter half of the
/// gaps between them is closed, in the broker's favour.
const BARRED_TIMES_MAX: usize = 256;

/// The windows of all open connections over a link.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    open: HashMap<SocketId, Window>,
}

/// What the broker has unacknowledged on one connection, as far as it can be seen.
#[derive(Debug, Default)]
struct Window {
    /// When the last message came.
    last_arrival: Instant,
    /// Messages that came and whose last answer has not left the link.
    unacknowledged: u32,
    /// QoS 2 exchanges that are counted and whose PUBCOMP is not written.
    exchanges: HashSet<PacketId>,
    /// Answers that left the link and are not counted, in order, with how many messages each ended: what came
    /// before some of them may not be told yet.
    left: VecDeque<(Instant, u32)>,
    /// When it may have been full, in order.
    barred: Vec<BarredTime>,
    /// When the message was published that was published last of those that came.
    newest: Instant,
}

#[derive(Clone, Copy, Debug)]
struct BarredTime {
    begin: Instant,
    end: Instant,
}

/// When the broker could send on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room<'a> {
    /// Since when the connection has been there.
    since: Instant,
    /// `None` without a link.
    window: Option<&'a Window>,
}

impl Windows {
    /// A connection over a link was asked for.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event) {
        self.open.insert(event.socket, Window::default());
    }

    /// A connection ended.
    pub(crate) fn handle_ended(&mut self, socket: SocketId) {
        self.open.remove(&socket);
    }

    /// A message of QoS 1 came. The messages of a connection are told in the order of their arrivals.
    pub(crate) fn handle_qos1(&mut self, event: &Event) {
        if let Some(window) = self.open.get_mut(&event.socket) {
            window.handle_arrived(event.arrived);
        }
    }

    /// A packet of a QoS 2 exchange came: the first one of this connection is a message to the window, a PUBREL
    /// that the broker repeats after a reconnect included.
    pub(crate) fn handle_qos2(&mut self, event: &Event, id: PacketId) {
        if let Some(window) = self.open.get_mut(&event.socket)
            && window.exchanges.insert(id)
        {
            window.handle_arrived(event.arrived);
        }
    }

    /// PUBCOMP was written: its Packet Identifier may be used again.
    pub(crate) fn handle_pubcomp(&mut self, socket: SocketId, id: PacketId) {
        if let Some(window) = self.open.get_mut(&socket) {
            window.exchanges.remove(&id);
        }
    }

    /// The last answers to so many messages left the link.
    pub(crate) fn handle_answers_left(&mut self, event: &Event, answers: u32) {
        if let Some(window) = self.open.get_mut(&event.socket) {
            window.left.push_back((event.now, answers));
        }
    }

    /// A message of QoS 1 or 2 came that was not published before `published`.
    pub(crate) fn note_published(&mut self, socket: SocketId, published: Instant) {
        if let Some(window) = self.open.get_mut(&socket) {
            window.newest = window.newest.max(published);
        }
    }

    /// Whether the link holds messages or answers that the broker waits for.
    pub(crate) fn has_unacknowledged(&self, socket: SocketId) -> bool {
        self.open.get(&socket).is_some_and(|window| {
            let left: u32 = window.left.iter().map(|&(_, answers)| answers).sum();
            window.unacknowledged > left
        })
    }

    /// When the broker could send what came by `event`, on a connection that has been there `since`.
    pub(crate) fn room(&mut self, event: &Event, since: Instant) -> Room<'_> {
        let window = self.open.get_mut(&event.socket).map(|window| {
            window.count_left(event.arrived);
            &*window
        });
        Room { since, window }
    }
}

impl Window {
    fn handle_arrived(&mut self, at: Instant) {
        self.count_left(at);
        self.unacknowledged += 1;
        self.last_arrival = self.last_arrival.max(at);
    }

    /// Counts the answers that left until `at`, up to which all arrivals are counted.
    fn count_left(&mut self, at: Instant) {
        while let Some(&(left_at, answers)) = self.left.front()
            && left_at <= at
        {
            self.left.pop_front();
            self.unacknowledged = self.unacknowledged.saturating_sub(answers);
            self.bar(left_at);
        }
    }

    /// An answer left at `until`, and nothing had come since the last arrival.
    fn bar(&mut self, until: Instant) {
        let begin = self.last_arrival;
        match self.barred.last_mut() {
            Some(last) if begin <= last.end => last.end = last.end.max(until),
            Some(_) | None => self.barred.push(BarredTime { begin, end: until }),
        }
        if self.barred.len() > BARRED_TIMES_MAX {
            self.close_gaps();
        }
    }

    /// Takes times that are close to each other for one.
    fn close_gaps(&mut self) {
        let gap =
            |before: &BarredTime, after: &BarredTime| after.begin.saturating_since(before.end);
        let pairs = self.barred.windows(2);
        let mut gaps: Vec<Duration> = pairs.map(|pair| gap(&pair[0], &pair[1])).collect();
        let middle = gaps.len() / 2;
        let (_, &mut median, _) = gaps.select_nth_unstable(middle);
        self.barred.dedup_by(|after, before| {
            let is_short = gap(before, after) <= median;
            if is_short {
                before.end = after.end;
            }
            is_short
        });
    }

    /// For how long it may have been full from `since` to `until`.
    fn barred_within(&self, since: Instant, until: Instant) -> Duration {
        let parts = self.barred.iter().map(|&BarredTime { begin, end }| {
            let end = end.min(until);
            end.saturating_since(begin.max(since))
        });
        parts.sum()
    }
}

impl Room<'_> {
    /// From the start of the run, without a link.
    pub(crate) const ALWAYS: Self = Self {
        since: Instant::ZERO,
        window: None,
    };

    /// For how long the broker could have sent what was to be published at `since` at the earliest and came
    /// at `until`.
    pub(crate) fn within(&self, since: Instant, until: Instant) -> Duration {
        let newest = self.window.map_or(since, |window| window.newest.min(until));
        let unpublished = newest.saturating_since(since);
        let since = since.max(self.since).max(newest);
        let barred = self.window.map(|window| window.barred_within(since, until));
        let room = until.saturating_since(since);
        unpublished + room.saturating_sub(barred.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_scenario::{ClientKey, DeviceId, GroupId};

    const SOCKET: SocketId = SocketId(1);

    /// Something that reached the device at `millis`.
    fn at(millis: u64) -> Event {
        let now = moment(millis);
        Event {
            now,
            crossed: now,
            arrived: now,
            device: DeviceId(0),
            group: GroupId(0),
            client: ClientKey(0),
            socket: SOCKET,
        }
    }

    fn id() -> PacketId {
        PacketId::new(1).unwrap()
    }

    fn moment(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// Windows with one connection.
    fn windows() -> Windows {
        let mut windows = Windows::default();
        windows.handle_connect_sent(&at(0));
        windows
    }

    /// Milliseconds in which the broker could send, of those between two moments.
    fn room(windows: &mut Windows, since: u64, until: u64) -> u128 {
        let room = windows.room(&at(until), Instant::ZERO);
        room.within(moment(since), moment(until)).as_millis()
    }

    /// From the last message that came to the next answer that left its window may have been full (§4.9).
    #[test]
    fn a_broker_may_have_no_room_until_the_next_answer() {
        let mut windows = windows();
        windows.handle_qos1(&at(100));
        windows.handle_qos2(&at(200), id());
        windows.handle_answers_left(&at(1_200), 1);

        assert_eq!(room(&mut windows, 0, 1_500), 500);
        assert_eq!(room(&mut windows, 500, 1_500), 300);
    }

    /// A broker that sends although no answer has left has room.
    #[test]
    fn a_broker_that_sends_without_an_answer_has_room() {
        let mut windows = windows();
        windows.handle_qos1(&at(100));
        windows.handle_qos1(&at(1_000));
        windows.handle_answers_left(&at(1_300), 1);

        assert_eq!(room(&mut windows, 0, 1_200), 1_200);
    }

    /// What comes behind a message that was published at 900 ms was not published before.
    #[test]
    fn what_comes_behind_a_later_message_was_not_there() {
        let mut windows = windows();
        windows.handle_qos1(&at(100));
        windows.handle_answers_left(&at(1_000), 1);
        windows.handle_qos1(&at(1_000));
        windows.note_published(SOCKET, moment(900));

        assert_eq!(room(&mut windows, 0, 1_500), 1_400);
    }

    /// The packets of one QoS 2 exchange are one message; after its PUBCOMP the identifier stands for the
    /// next one.
    #[test]
    fn an_exchange_counts_once() {
        let mut windows = windows();
        windows.handle_qos2(&at(100), id());
        windows.handle_qos2(&at(200), id());
        windows.handle_pubcomp(SOCKET, id());
        assert!(windows.has_unacknowledged(SOCKET));

        windows.handle_answers_left(&at(300), 1);

        assert!(!windows.has_unacknowledged(SOCKET));
        assert_eq!(room(&mut windows, 0, 1_000), 800);
    }

    /// What is kept of a window that is full again and again is bounded, and never held against the broker.
    #[test]
    fn times_that_are_kept_are_bounded() {
        let mut windows = windows();
        let cycles = 10 * BARRED_TIMES_MAX as u64;
        for cycle in 0..cycles {
            windows.handle_qos1(&at(100 * cycle));
            windows.handle_answers_left(&at(100 * cycle + 99), 1);
        }

        let room = room(&mut windows, 0, 100 * cycles);
        assert!(windows.open[&SOCKET].barred.len() <= BARRED_TIMES_MAX);
        assert!(room <= u128::from(cycles), "{room}");
    }
}
