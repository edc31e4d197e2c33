//! How many SUBSCRIBE packets for one Topic Filter may have brought what is retained.

use squall_protocol::Instant;

/// The last SUBACKs whose moments are remembered.
const ANSWERS_KEPT: u32 = 4;

/// SUBSCRIBE packets for one Topic Filter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    /// On their way, on the connection of the last.
    open: u32,
    /// When the last SUBACKs came, the newest first.
    answered_at: [Option<Instant>; ANSWERS_KEPT as usize],
}

impl Requests {
    /// SUBSCRIBE was sent, on another connection than before or on the same.
    ///
    /// One of a connection before that has no SUBACK may have brought what is retained until `now`: the broker had it
    /// before the new connection displaced that one.
    pub(crate) fn send(&mut self, on: Connection, now: Instant) {
        if on == Connection::Other {
            for _ in 0..self.open.min(ANSWERS_KEPT) {
                self.answer(now);
            }
            self.open = 0;
        }
        self.open += 1;
    }

    /// SUBACK came.
    pub(crate) fn answer(&mut self, now: Instant) {
        self.open = self.open.saturating_sub(1);
        self.answered_at.rotate_right(1);
        self.answered_at[0] = Some(now);
    }

    /// How many were not answered before `at`; all that can be if they are too many to know.
    pub(super) fn since(&self, at: Instant) -> u32 {
        let answered = self.answered_at.iter().filter(|known| **known >= Some(at));
        match answered.count() {
            count if count == self.answered_at.len() => u32::MAX,
            count => self.open + u32::try_from(count).expect("there are few"),
        }
    }
}

/// Whether a packet is sent on the same connection as the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Connection {
    /// It is sent on the same one.
    Same,
    /// It is sent on another.
    Other,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A SUBSCRIBE whose SUBACK was lost with its connection may have brought what was retained by then.
    #[test]
    fn a_lost_request_counts_until_the_next_connection() {
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let mut requests = Requests::default();
        requests.send(Connection::Other, at(1));
        requests.send(Connection::Other, at(3));
        requests.answer(at(4));

        assert_eq!(requests.since(at(2)), 2);
        assert_eq!(requests.since(at(4)), 1);
    }
}
