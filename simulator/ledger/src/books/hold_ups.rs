//! When the generator was held up, and what that can bring about.
//!
//! What the protocol forbids stays forbidden, however late the generator was: no lag makes a broker send
//! a message twice, change it, or send it to a device that did not ask for it. But a generator that is held up
//! reads late, so answers and messages seem to be late or missing; it does not read, so a broker may give up
//! what waits for it; and it sends no PINGREQ, so a broker must end its connections and publish their wills.
//! It explains only what was under way at the time: a hold-up has nothing to do with a message that was sent
//! after it, or with one that was missed before.

use std::collections::BTreeSet;
use std::time::Duration;

use squall_protocol::Instant;
use squall_run::AnomalyKind;

/// A generator that does not read for this long may be what a message is missing by: a broker gives up
/// what waits for a client that does not read.
pub(crate) const MISSING_FROM: Duration = Duration::from_secs(1);

/// How long after a hold-up its consequences are noticed at most: what the broker did meanwhile has to pass a
/// link and to be read.
pub(crate) const NOTICED_AFTER: Duration = Duration::from_secs(5);

/// Hold-ups that are kept, the longest of all.
const HOLD_UPS_MAX: usize = 1_024;

/// Of those that end within the same time of this length the longest is kept.
const APART: Duration = Duration::from_millis(100);

/// How a generator that is held up may bring about what should not happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ByLag {
    /// Not at all.
    Never,
    /// It reads late.
    Late,
    /// It does not read, or not in time.
    Missing,
    /// It says nothing for longer than its Keep Alive allows.
    Silent,
}

impl ByLag {
    /// What a lag can do, for each kind of anomaly. Of a kind that has two sorts, those that no lag brings about
    /// are noted without a time in which they may have come about.
    pub(crate) const fn of(kind: AnomalyKind) -> Self {
        match kind {
            AnomalyKind::Duplicated
            | AnomalyKind::Reordered
            | AnomalyKind::Misrouted
            | AnomalyKind::Corrupted
            | AnomalyKind::Mislabelled
            | AnomalyKind::WillDoubled
            | AnomalyKind::DisplacedReason
            | AnomalyKind::SessionPresent
            | AnomalyKind::Qos2PublishAfterPubrel
            | AnomalyKind::ProtocolError => Self::Never,
            AnomalyKind::WillLate
            | AnomalyKind::TwoAlive
            | AnomalyKind::DisplacedNotClosed
            | AnomalyKind::NetworkOffProfile => Self::Late,
            AnomalyKind::Lost
            | AnomalyKind::WillMissing
            | AnomalyKind::Qos2Incomplete
            | AnomalyKind::Qos2DupUnanswered => Self::Missing,
            // A will of a connection whose end the device has not read is one that was not due, and may be
            // what is retained. A broker need not wait for the CONNECT of a client that is silent.
            AnomalyKind::WillUnexpected
            | AnomalyKind::RetainedWrong
            | AnomalyKind::ConnectionRefused
            | AnomalyKind::UnexpectedDisconnect => Self::Silent,
        }
    }
}

/// When something that should not have happened may have come about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) since: Instant,
    pub(crate) until: Instant,
    /// By how much a time was above its limit.
    pub(crate) excess: Duration,
}

/// When the generator was held up: it did nothing, it did something too late, or something waited for it to be
/// read.
#[derive(Clone, Debug, Default)]
pub(crate) struct HoldUps {
    /// How long, and until when.
    kept: BTreeSet<(Duration, Instant)>,
    /// The one that was noted last.
    last: Option<(Duration, Instant)>,
}

impl HoldUps {
    /// The generator was held up for `length`, until `until`: not earlier than those before.
    pub(crate) fn note(&mut self, length: Duration, until: Instant) {
        if length.is_zero() {
            return;
        }
        if let Some(last) = self
            .last
            .filter(|&(_, end)| until.saturating_since(end) < APART)
        {
            if last.0 >= length {
                return;
            }
            self.kept.remove(&last);
        }
        self.last = Some((length, until));
        self.kept.insert((length, until));
        if self.kept.len() > HOLD_UPS_MAX {
            self.kept.pop_first();
        }
    }

    /// The longest that may have brought about an anomaly of this kind, if any may: all of what is needed of it
    /// lies within `span`. Of a silence only the end must.
    pub(crate) fn cause_of(&self, kind: AnomalyKind, span: Span) -> Option<Duration> {
        let within = match ByLag::of(kind) {
            ByLag::Never => return None,
            ByLag::Late => span.excess,
            ByLag::Missing => MISSING_FROM,
            ByLag::Silent => Duration::ZERO,
        };
        let long_enough = self.kept.range((within, Instant::ZERO)..).rev();
        let mut lengths = long_enough.filter(|&&(length, until)| {
            let from = span.since.max(until - length);
            let part = until.min(span.until).saturating_since(from);
            !part.is_zero() && part >= within
        });
        lengths.next().map(|&(length, _)| length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// From 10 s to 12 s the generator was held up; the second of `since` and `until` is asked for.
    fn explains_lost(since: u64, until: u64) -> bool {
        let mut hold_ups = HoldUps::default();
        hold_ups.note(Duration::from_secs(2), at(12_000));
        let span = Span {
            since: at(since),
            until: at(until),
            excess: Duration::ZERO,
        };
        hold_ups.cause_of(AnomalyKind::Lost, span).is_some()
    }

    /// A message may be missing by a hold-up of which one second lies between its sending and the end.
    #[test]
    fn only_what_was_under_way_is_explained() {
        assert!(explains_lost(9_000, 20_000));
        assert!(explains_lost(11_000, 20_000));
        assert!(!explains_lost(11_001, 20_000));
        assert!(!explains_lost(12_000, 20_000));
        assert!(!explains_lost(2_000, 10_900));
    }

    /// A generator that is a little late all the time does not push out the one long hold-up.
    #[test]
    fn the_longest_are_kept() {
        let mut hold_ups = HoldUps::default();
        hold_ups.note(Duration::from_secs(2), at(12_000));
        for n in 0..5_000 {
            hold_ups.note(Duration::from_millis(5), at(13_000 + 200 * n));
        }

        let span = Span {
            since: at(9_000),
            until: at(2_000_000),
            excess: Duration::ZERO,
        };
        let cause = hold_ups.cause_of(AnomalyKind::Lost, span);
        assert_eq!(cause, Some(Duration::from_secs(2)));
        assert_eq!(hold_ups.kept.len(), HOLD_UPS_MAX);
    }
}
