//! A distribution as the lines of a percentile table, finer the nearer to its greatest value: what `.hgrm` files hold.

use super::Histogram;

/// Steps in each halving of what is left up to the maximum: 50 %, 75 %, 87.5 % and so on. HdrHistogram's own tools have 5.
const STEPS_PER_HALVING: u32 = 5;

/// One line of a percentile table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PercentileStep {
    /// The greatest value that counts as the one at this percentile, microseconds.
    pub value_us: u64,
    /// The share of the samples that the line stands for, from 0 to 1.
    pub quantile: f64,
    /// Samples up to `value_us`.
    pub count: u64,
}

/// What a percentile table ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableEnd {
    /// The mean, microseconds, to the resolution of three digits.
    pub mean_us: f64,
    /// The standard deviation, microseconds.
    pub deviation_us: f64,
    /// The greatest value that counts as the maximum, microseconds.
    pub max_us: u64,
    /// Samples.
    pub count: u64,
    /// Halvings of the range that have counters of their own.
    pub buckets: u8,
    /// Counters of the first of them.
    pub sub_buckets: u32,
}

impl Histogram {
    /// The lines of the percentile table, ascending; without the samples of the overflow. Empty without others.
    pub fn percentile_steps(&self) -> Vec<PercentileStep> {
        let Some(counts) = &self.counts else {
            return Vec::new();
        };
        let mut count = 0;
        let steps = counts.iter_quantiles(STEPS_PER_HALVING);
        let steps = steps.map(|step| {
            count += step.count_since_last_iteration();
            PercentileStep {
                value_us: counts.highest_equivalent(step.value_iterated_to()),
                quantile: step.quantile_iterated_to(),
                count,
            }
        });
        steps.collect()
    }

    /// What the percentile table ends with; `None` without samples within the range.
    pub fn table_end(&self) -> Option<TableEnd> {
        let counts = self.counts.as_ref().filter(|counts| !counts.is_empty())?;
        Some(TableEnd {
            mean_us: counts.mean(),
            deviation_us: counts.stdev(),
            max_us: counts.max(),
            count: counts.len(),
            buckets: counts.buckets(),
            // Twice 10 to the power of the digits, up to the next power of two.
            sub_buckets: (2 * 10_u32.pow(u32::from(super::SIGNIFICANT_DIGITS))).next_power_of_two(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines go up to the whole of the samples, and each value has as many samples below it as the line says.
    #[test]
    fn the_lines_are_those_of_the_samples() {
        let mut histogram = Histogram::new();
        for value_us in 1..=1_000 {
            histogram.record_us(value_us);
        }

        let steps = histogram.percentile_steps();

        assert_eq!((steps[0].value_us, steps[0].count), (1, 1));
        let last = steps.last().unwrap();
        assert_eq!(
            (last.value_us, last.quantile, last.count),
            (1_000, 1.0, 1_000)
        );
        for step in &steps {
            assert_eq!(
                step.count,
                histogram.count_at_or_below(step.value_us),
                "{step:?}"
            );
            assert!(
                step.count as f64 >= step.quantile * 1_000.0 - 1e-6,
                "{step:?}"
            );
        }
        let median = steps.iter().find(|step| step.quantile >= 0.5).unwrap();
        assert_eq!(median.value_us, 500);
        let end = histogram.table_end().unwrap();
        assert!((end.mean_us - 500.5).abs() < 1.0);
        assert!((end.deviation_us - 288.7).abs() < 1.0);
        assert_eq!(
            (end.max_us, end.count, end.sub_buckets),
            (1_000, 1_000, 2_048)
        );
    }

    /// A distribution without samples has no lines.
    #[test]
    fn no_samples_have_no_lines() {
        assert!(Histogram::new().percentile_steps().is_empty());
        assert!(Histogram::new().table_end().is_none());
    }
}
