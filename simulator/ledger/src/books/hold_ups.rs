//! When the generator was held up, and what that can bring about.
//!
//! What the protocol forbids stays forbidden, however late the generator was: no lag makes a broker send
//! a message twice, change it, or send it to a device that did not ask for it. But a generator that is held up
//! reads late, so answers and messages seem to be late or missing; it does not read, so a broker may give up
//! what waits for it; and it sends no PINGREQ, so a broker must end its connections and publish their wills.
//! And what fell due meanwhile it sends at once when it goes on: a load that the scenario did not ask for, of which
//! a broker's queue may have no room for all.
//! It explains only what was under way at the time, or sent while the generator and the broker caught up: a hold-up has
//! nothing to do with a message that was sent long after it, or with one that was missed before.

use std::collections::BTreeSet;
use std::time::Duration;

use squall_protocol::Instant;
use squall_run::AnomalyKind;

/// A generator that does not read for this long may be what a message is missing by: a broker gives up
/// what waits for a client that does not read.
pub(crate) const MISSING_FROM: Duration = Duration::from_secs(1);

/// What falls due in a hold-up of this length, and is sent at once after it, may be more than a broker's queue has room
/// for. A generator that is late by less is as good as punctual: the limit on the p99 of its schedule lag is the same.
pub(crate) const CROWDING_FROM: Duration = Duration::from_millis(100);

/// For so many times its length the generator and the broker may be busy with what waited for the end of a hold-up: a
/// broker that carries a quarter more than it is offered has worked off the rest by then.
const CATCHING_UP: u32 = 4;

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
    /// It does not read, or it sends much at once, and the broker has no room for it.
    Crowded,
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
            | AnomalyKind::ResponseMisdirected
            | AnomalyKind::QuotaExceeded
            | AnomalyKind::MalformedReason
            | AnomalyKind::ProtocolError => Self::Never,
            AnomalyKind::MalformedTolerated
            | AnomalyKind::WillLate
            | AnomalyKind::ResponseLate
            | AnomalyKind::TwoAlive
            | AnomalyKind::DisplacedNotClosed
            | AnomalyKind::ClosedLate
            | AnomalyKind::Expired
            | AnomalyKind::ExpiryWrong
            | AnomalyKind::NetworkOffProfile => Self::Late,
            // Both wait in the queue of their recipient.
            AnomalyKind::Lost
            | AnomalyKind::RetainedAbsent
            | AnomalyKind::WillMissing
            | AnomalyKind::ResponseMissing => Self::Crowded,
            AnomalyKind::Qos2Incomplete | AnomalyKind::Qos2DupUnanswered => Self::Missing,
            // A broker that has had nothing for one and a half times Keep Alive closes, and what a generator said too late
            // after that may be on its way to it.
            AnomalyKind::ClosedEarly
            // A will of a connection whose end the device has not read is one that was not due, and may be
            // what is retained. A broker need not wait for the CONNECT of a client that is silent.
            | AnomalyKind::WillUnexpected
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
    /// lies within `span`. Of a silence only the end must. What a queue had no room for came to it during the
    /// hold-up, so long before it at most as it lasted, or while the generator and the broker caught up.
    pub(crate) fn cause_of(&self, kind: AnomalyKind, span: Span) -> Option<Duration> {
        match ByLag::of(kind) {
            ByLag::Never => None,
            ByLag::Late => self.longest_within(span, span.excess),
            ByLag::Missing => self.longest_within(span, MISSING_FROM),
            ByLag::Crowded => {
                let crowding = self.longest_crowding(span);
                crowding.max(self.longest_within(span, MISSING_FROM))
            }
            ByLag::Silent => self.longest_within(span, Duration::ZERO),
        }
    }

    /// For how much of the time from `since` to `until` the generator was held up, as far as hold-ups are kept.
    pub(crate) fn time_within(&self, since: Instant, until: Instant) -> Duration {
        let mut parts: Vec<[Instant; 2]> = self
            .kept
            .iter()
            .map(|&(length, end)| [since.max(end - length), end.min(until)])
            .filter(|[from, to]| from < to)
            .collect();
        parts.sort_unstable();
        let mut held = Duration::ZERO;
        let mut counted = since;
        for [from, to] in parts {
            held += to.saturating_since(from.max(counted));
            counted = counted.max(to);
        }
        held
    }

    /// The longest of which `needed` lies within `span`.
    pub(crate) fn longest_within(&self, span: Span, needed: Duration) -> Option<Duration> {
        self.longest(needed, |length, until| {
            let from = span.since.max(until - length);
            let part = until.min(span.until).saturating_since(from);
            !part.is_zero() && part >= needed
        })
    }

    /// The longest that may have filled the queue that something was to wait in from the beginning of `span` on.
    fn longest_crowding(&self, span: Span) -> Option<Duration> {
        self.longest(CROWDING_FROM, |length, until| {
            let from = until - length;
            let is_queued_by = from < span.until && from <= span.since + length;
            is_queued_by && span.since <= until + length * CATCHING_UP
        })
    }

    /// The longest of at least `least` that `explains`, which is asked for a length and an end.
    fn longest(
        &self,
        least: Duration,
        explains: impl Fn(Duration, Instant) -> bool,
    ) -> Option<Duration> {
        let long_enough = self.kept.range((least, Instant::ZERO)..).rev();
        let mut lengths = long_enough.filter(|&&(length, until)| explains(length, until));
        lengths.next().map(|&(length, _)| length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// From `from` to 12 s the generator was held up: whether that explains what is missing of a kind, due between two
    /// moments.
    fn explains(kind: AnomalyKind, from: u64, since: u64, until: u64) -> bool {
        let mut hold_ups = HoldUps::default();
        hold_ups.note(at(12_000).saturating_since(at(from)), at(12_000));
        let span = Span {
            since: at(since),
            until: at(until),
            excess: Duration::ZERO,
        };
        hold_ups.cause_of(kind, span).is_some()
    }

    /// An exchange may be incomplete by a hold-up of which one second lies between its beginning and the end.
    #[test]
    fn only_what_was_under_way_is_explained() {
        let explains = |since, until| explains(AnomalyKind::Qos2Incomplete, 10_000, since, until);

        assert!(explains(9_000, 20_000));
        assert!(explains(11_000, 20_000));
        assert!(!explains(11_001, 20_000));
        assert!(!explains(12_000, 20_000));
        assert!(!explains(2_000, 10_900));
    }

    /// A message may be lost by what a generator that was held up for 2 s sent at once after it, though it was sent
    /// after the end of that; not if it was sent long after, or missed before.
    #[test]
    fn the_burst_after_a_hold_up_explains_what_is_lost_in_it() {
        let explains = |since, until| explains(AnomalyKind::Lost, 10_000, since, until);

        assert!(
            explains(11_500, 12_100),
            "due in the hold-up, sent after it"
        );
        assert!(
            explains(12_000, 12_300),
            "sent while the rest was caught up with"
        );
        assert!(
            explains(20_000, 20_300),
            "the last that may be caught up with"
        );
        assert!(!explains(20_001, 30_000), "sent long after");
        assert!(!explains(9_900, 10_000), "missed before");
    }

    /// What waited when a short hold-up began may be pushed out by what follows it; a message that was sent long
    /// before, or after the catching up, is lost by something else. A hold-up below 100 ms crowds nothing out.
    #[test]
    fn a_short_hold_up_explains_what_is_lost_around_it() {
        let explains_within = |since| explains(AnomalyKind::Lost, 11_800, since, 30_000);

        assert!(explains_within(11_600));
        assert!(!explains_within(11_599));
        assert!(explains_within(12_800));
        assert!(!explains_within(12_801));
        assert!(!explains(AnomalyKind::Lost, 11_901, 12_000, 30_000));
    }

    /// Time that lies in several hold-ups is counted once, and only what lies within.
    #[test]
    fn time_in_hold_ups_is_counted_once() {
        let mut hold_ups = HoldUps::default();
        hold_ups.note(Duration::from_secs(2), at(12_000));
        hold_ups.note(Duration::from_millis(1_500), at(12_500));
        hold_ups.note(Duration::from_secs(1), at(20_000));

        let held = |since, until| hold_ups.time_within(at(since), at(until)).as_millis();

        assert_eq!(held(0, 30_000), 2_500 + 1_000);
        assert_eq!(held(11_000, 12_200), 1_200);
        assert_eq!(held(13_000, 19_000), 0);
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
