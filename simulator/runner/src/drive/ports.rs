//! The local ports of one address: which one a connection takes next.
//!
//! A port comes back as late as it can: the system keeps it for a while after its connection. One that
//! is in use here is not offered at all, and one that could not be had is not offered again until what
//! holds it may have gone: the walk must not meet the same thousands of ports for each connection.
//!
//! Invariant: a port is free, held back or handed out, and at one of these places only.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use squall_protocol::Instant;

/// Ports at the end of the range that are left to the system: for squall's own probes, and for other
/// programs. The system does not give them a port that was bound by name less than a minute ago.
const LEFT_TO_THE_SYSTEM: u16 = 64;

/// How long a port that could not be had is not tried again: Linux keeps one for so long after its
/// connection (`TCP_TIMEWAIT_LEN`).
const HELD_BACK_FOR: Duration = Duration::from_secs(60);

/// Which local port comes next.
#[derive(Debug, Default)]
pub(super) struct LocalPorts {
    /// The one that was used longest ago is first.
    free: VecDeque<u16>,
    /// With the moment until which they are held back, the earliest first.
    held_back: VecDeque<(Instant, u16)>,
}

/// The ports of the system's range that connections take by name; `None` if it is too small for any.
pub fn for_connections(all: &RangeInclusive<u16>) -> Option<RangeInclusive<u16>> {
    let last = all.end().checked_sub(LEFT_TO_THE_SYSTEM)?;
    (*all.start() <= last).then(|| *all.start()..=last)
}

impl LocalPorts {
    /// The ports of `range`, from the one that is `offset` after its begin on; those behind the end come
    /// last.
    pub(super) fn new(range: &RangeInclusive<u16>, offset: usize) -> Self {
        let mut free: VecDeque<u16> = range.clone().collect();
        if !free.is_empty() {
            let offset = offset % free.len();
            free.rotate_left(offset);
        }
        Self {
            free,
            held_back: VecDeque::new(),
        }
    }

    /// Hands out a port; `None` if each is in use or held back.
    pub(super) fn take(&mut self, now: Instant) -> Option<u16> {
        while let Some(&(until, port)) = self.held_back.front()
            && until <= now
        {
            self.held_back.pop_front();
            self.free.push_back(port);
        }
        self.free.pop_front()
    }

    /// Takes a port back that could not be had at `now`.
    pub(super) fn hold_back(&mut self, port: u16, now: Instant) {
        self.held_back.push_back((now + HELD_BACK_FOR, port));
    }

    /// Takes a port back whose connection has ended.
    pub(super) fn hand_back(&mut self, port: u16) {
        self.free.push_back(port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::ZERO;

    fn three_ports() -> LocalPorts {
        LocalPorts::new(&(40_000..=40_002), 2)
    }

    fn take_all(ports: &mut LocalPorts, now: Instant) -> Vec<u16> {
        std::iter::from_fn(|| ports.take(now)).collect()
    }

    /// Each port is handed out once, and comes again behind all others once it was handed back.
    #[test]
    fn the_walk_goes_round_the_range() {
        let mut ports = three_ports();

        let first = ports.take(START).expect("none was taken");
        ports.hand_back(first);

        assert_eq!(first, 40_002);
        assert_eq!(take_all(&mut ports, START), [40_000, 40_001, 40_002]);
        assert_eq!(ports.take(START), None);
    }

    /// A port that something else holds is met once a minute, however many connections are made.
    #[test]
    fn a_port_that_could_not_be_had_is_held_back() {
        let mut ports = three_ports();
        let taken = ports.take(START).expect("none was taken");
        ports.hold_back(taken, START);
        let just_before = START + HELD_BACK_FOR - Duration::from_nanos(1);

        assert_eq!(take_all(&mut ports, just_before), [40_000, 40_001]);
        assert_eq!(take_all(&mut ports, START + HELD_BACK_FOR), [taken]);
    }

    /// The end of a range is the system's, and all of one that is too small for both.
    #[test]
    fn the_end_of_a_range_is_left_to_the_system() {
        assert_eq!(for_connections(&(40_000..=40_063)), None);
        assert_eq!(for_connections(&(40_000..=40_064)), Some(40_000..=40_000));
        assert_eq!(for_connections(&(0..=10)), None);
    }
}
