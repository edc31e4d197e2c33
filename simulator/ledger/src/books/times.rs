//! Times that excuse what was sent in them, as many as are kept apart.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::Instant;

/// A message may be under way to a device for so long when that stops reading, ends or falls silent; a broker notices an end
/// that is told, and chooses another, within this.
pub(crate) const UNDER_WAY: Duration = Duration::from_secs(1);

/// Times that are kept apart; of the older ones only the first and the last moment are kept.
const TIMES_MAX: usize = 64;

/// Times, each from a moment until another one, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Times {
    times: VecDeque<[Instant; 2]>,
    /// From the first to the last of those that are not kept apart any longer.
    forgotten: Option<[Instant; 2]>,
}

impl Times {
    /// Adds one more; two that touch are one.
    pub(crate) fn add(&mut self, from: Instant, until: Instant) {
        match self.times.back_mut() {
            Some([first, last]) if from <= *last && *first <= until => {
                *first = from.min(*first);
                *last = until.max(*last);
            }
            Some(_) | None => self.times.push_back([from, until]),
        }
        if self.times.len() > TIMES_MAX
            && let Some([from, until]) = self.times.pop_front()
        {
            let [first, last] = self.forgotten.unwrap_or([from, until]);
            self.forgotten = Some([from.min(first), until.max(last)]);
        }
    }

    /// Whether a message that was on its way to the broker between `sent`, and from then on for `under_way`, was or may have
    /// been so in one of them; returns the latest end of those.
    pub(crate) fn last_touched(&self, sent: [Instant; 2], under_way: Duration) -> Option<Instant> {
        last_of(self.times.iter().chain(&self.forgotten), sent, under_way)
    }

    /// The same of those in which it surely was: between those that are forgotten there may have been none.
    pub(crate) fn last_surely_touched(
        &self,
        sent: [Instant; 2],
        under_way: Duration,
    ) -> Option<Instant> {
        last_of(self.times.iter(), sent, under_way)
    }
}

fn last_of<'a>(
    times: impl Iterator<Item = &'a [Instant; 2]>,
    sent: [Instant; 2],
    under_way: Duration,
) -> Option<Instant> {
    let touched = times.filter(|&&time| touches(time, sent, under_way));
    touched.map(|&[_, until]| until).max()
}

/// Whether a message that came to the broker between `sent`, and was on its way from then on for `under_way`, was so in a time.
pub(crate) fn touches(
    [from, until]: [Instant; 2],
    sent: [Instant; 2],
    under_way: Duration,
) -> bool {
    let [first, last] = sent;
    first <= until && last + under_way >= from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn is_touched(times: &Times, second: u64) -> bool {
        times.last_touched([at(second); 2], UNDER_WAY).is_some()
    }

    /// A time takes what was sent in it or just before, not what was sent long before or after.
    #[test]
    fn what_was_sent_in_a_time_is_told() {
        let mut times = Times::default();
        times.add(at(10), at(15));
        times.add(at(12), at(18));
        times.add(at(30), at(32));

        let touched: Vec<u64> = (0..40)
            .filter(|&second| is_touched(&times, second))
            .collect();

        assert_eq!(touched, (9..=18).chain(29..=32).collect::<Vec<_>>());
        assert_eq!(times.last_touched([at(11); 2], UNDER_WAY), Some(at(18)));
        assert_eq!(times.last_touched([at(3), at(9)], UNDER_WAY), Some(at(18)));
    }

    /// However many there are, what is kept is bounded, and never held against the broker; nor does what is forgotten make
    /// anything certain.
    #[test]
    fn times_that_are_kept_are_bounded() {
        let mut times = Times::default();
        for second in (1..=10 * TIMES_MAX as u64).map(|time| 10 * time) {
            times.add(at(second), at(second + 1));
        }

        assert_eq!(times.times.len(), TIMES_MAX);
        let is_sure = |second: u64| {
            let touched = times.last_surely_touched([at(second); 2], UNDER_WAY);
            touched.is_some()
        };
        let [first, between, newest] = [11, 15, 10 * 10 * TIMES_MAX as u64];
        assert!(
            [first, between, newest]
                .iter()
                .all(|&second| is_touched(&times, second))
        );
        assert_eq!([first, between, newest].map(is_sure), [false, false, true]);
    }
}
