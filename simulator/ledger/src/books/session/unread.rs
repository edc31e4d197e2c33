//! When a Session may have missed what came to it at QoS 0 because its device did not read.

use squall_fleet::SocketId;
use squall_protocol::Instant;

use crate::books::times::{Times, UNDER_WAY, touches};

/// The end of a time that goes on.
const GOES_ON: Instant = Instant::from_nanos(u64::MAX);

/// The times in which the device of a Session did not read, each with that in which the broker caught up with it.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    before: Times,
    /// The last one, which may go on.
    last: Option<UnreadTime>,
}

#[derive(Clone, Copy, Debug)]
struct UnreadTime {
    /// The connection that was not read.
    socket: SocketId,
    from: Instant,
    until: Instant,
}

impl Unread {
    /// The device stops reading a connection.
    pub(crate) fn stop_reading(&mut self, socket: SocketId, now: Instant) {
        let last = UnreadTime {
            socket,
            from: now,
            until: GOES_ON,
        };
        if let Some(before) = self.last.replace(last) {
            self.before.add(before.from, before.until);
        }
    }

    /// The device, which stopped reading at `since`, reads on: what the broker has for it may keep it busy for as long
    /// again.
    pub(crate) fn read_on(&mut self, since: Instant, now: Instant) {
        if let Some(last) = self.last.as_mut() {
            last.until = now + now.saturating_since(since);
        }
    }

    /// A connection ended, read or not.
    pub(crate) fn end(&mut self, socket: SocketId, now: Instant) {
        let last = self.last.as_mut();
        if let Some(last) = last.filter(|last| last.socket == socket) {
            last.until = last.until.min(now);
        }
    }

    /// When the last of them was over; the start of the run without any.
    pub(crate) fn last_until(&self) -> Instant {
        self.last.map_or(Instant::ZERO, |last| last.until)
    }

    /// Whether what was sent at QoS 0 at `sent_at` may have come in one of them.
    pub(crate) fn may_miss(&self, sent_at: Instant) -> bool {
        let sent = [sent_at; 2];
        let is_in = |last: UnreadTime| touches([last.from, last.until], sent, UNDER_WAY);
        self.last.is_some_and(is_in) || self.before.last_touched(sent, UNDER_WAY).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// What is sent while a device does not read, and for as long again, may be dropped at QoS 0; what is sent before or
    /// after may not.
    #[test]
    fn a_stall_excuses_itself_and_the_catching_up() {
        let mut unread = Unread::default();
        unread.stop_reading(SocketId(1), at(10));
        assert!(unread.may_miss(at(1_000)), "it goes on");

        unread.read_on(at(10), at(15));

        let missed: Vec<u64> = (0..30)
            .filter(|&second| unread.may_miss(at(second)))
            .collect();
        assert_eq!(missed, (9..=20).collect::<Vec<_>>());
    }

    /// With its connection a stall is over.
    #[test]
    fn a_stall_ends_with_its_connection() {
        let mut unread = Unread::default();
        unread.stop_reading(SocketId(1), at(10));

        unread.end(SocketId(1), at(12));

        assert!(!unread.may_miss(at(13)));
        assert_eq!(unread.last_until(), at(12));
    }

    /// One stall after another is remembered.
    #[test]
    fn earlier_stalls_are_remembered() {
        let mut unread = Unread::default();
        for second in [10, 30] {
            unread.stop_reading(SocketId(1), at(second));
            unread.read_on(at(second), at(second + 2));
        }

        assert_eq!(
            [12, 20, 32].map(|second| unread.may_miss(at(second))),
            [true, false, true]
        );
    }
}
