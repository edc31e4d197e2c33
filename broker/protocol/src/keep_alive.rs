//! Keep Alive as the server counts it (§3.1.2.10).
//!
//! A packet that comes only stores its time. The owner of the timers asks for the deadline again when
//! the earlier one has passed: most timers are then never moved.
//!
//! A large packet on a slow link takes longer than the Keep Alive, and nothing else fits inside it:
//! its client is not absent and owes no PINGREQ [MQTT-3.1.2-20]. So the bytes of a packet in progress
//! count, each as a share of a second. A peer that sends one byte a second still runs out of time.

use std::time::Duration;

use crate::Instant;

/// Bytes of a packet in progress that count as one second of activity. A link that is slower all the
/// time loses its large packets; GPRS, the slowest in use for MQTT over TCP, has ten times as much.
pub const PROGRESS_BYTES_PER_SECOND: u64 = 256;

/// How long a connection may be silent, and when it last was not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeepAlive {
    last_seen: Instant,
    /// Milliseconds of allowed silence; 0 means without limit.
    allowance_ms: u32,
}

impl KeepAlive {
    /// One and a half times `keep_alive_secs` from `now` [MQTT-3.1.2-22]; 0 turns it off.
    pub fn new(now: Instant, keep_alive_secs: u16) -> Self {
        Self {
            last_seen: now,
            allowance_ms: u32::from(keep_alive_secs) * 1500,
        }
    }

    /// Something must come within `allowance`, to the millisecond and at most 49 days.
    pub fn within(now: Instant, allowance: Duration) -> Self {
        let millis = allowance.as_millis().clamp(1, u32::MAX.into());
        Self {
            last_seen: now,
            allowance_ms: u32::try_from(millis).unwrap_or(u32::MAX),
        }
    }

    /// Records that a packet came.
    pub fn seen(&mut self, now: Instant) {
        self.last_seen = now;
    }

    /// Records that `bytes` bytes of a packet came that is not whole.
    pub fn progressed(&mut self, now: Instant, bytes: usize) {
        let nanos = (bytes as u64).saturating_mul(1_000_000_000 / PROGRESS_BYTES_PER_SECOND);
        self.last_seen = now.min(self.last_seen + Duration::from_nanos(nanos));
    }

    /// When the silence is too long; `None` for never.
    pub fn deadline(&self) -> Option<Instant> {
        let allowance = Duration::from_millis(self.allowance_ms.into());
        (self.allowance_ms > 0).then(|| self.last_seen + allowance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: f64) -> Instant {
        Instant::ZERO + Duration::from_secs_f64(value)
    }

    /// The server waits one and a half times the Keep Alive [MQTT-3.1.2-22].
    #[test]
    fn the_deadline_is_one_and_a_half_keep_alives_after_the_last_packet() {
        let mut keep_alive = KeepAlive::new(seconds(1.0), 5);
        assert_eq!(keep_alive.deadline(), Some(seconds(8.5)));

        keep_alive.seen(seconds(4.0));

        assert_eq!(keep_alive.deadline(), Some(seconds(11.5)));
    }

    /// A packet in progress extends the time by its bytes, and never beyond what a whole packet
    /// that comes now would.
    #[test]
    fn bytes_in_progress_count_as_time() {
        let mut keep_alive = KeepAlive::new(seconds(0.0), 2);

        keep_alive.progressed(seconds(1.0), PROGRESS_BYTES_PER_SECOND as usize / 2);
        assert_eq!(keep_alive.deadline(), Some(seconds(3.5)));
        keep_alive.progressed(seconds(2.0), usize::MAX);

        assert_eq!(keep_alive.deadline(), Some(seconds(5.0)));
    }

    /// Keep Alive 0 turns the mechanism off (§3.1.2.10).
    #[test]
    fn keep_alive_0_never_ends() {
        let keep_alive = KeepAlive::new(seconds(1.0), 0);

        assert_eq!(keep_alive.deadline(), None);
    }

    /// The longest Keep Alive is 18 hours 12 minutes and 15 seconds (§3.1.2.10).
    #[test]
    fn the_longest_keep_alive_does_not_overflow() {
        let keep_alive = KeepAlive::new(Instant::ZERO, u16::MAX);

        assert_eq!(keep_alive.deadline(), Some(seconds(98_302.5)));
    }
}
