//! Delays that the scenario itself makes: latencies include them, and the broker is not their cause.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Histogram, count_text, duration_text};

/// One kind of delay that the scenario makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioDelay {
    /// What makes it, as a noun phrase: `the link lte-poor up`, `delay_pubrel of group sensors`,
    /// `reconnecting after the fault power-cut`.
    pub cause: String,
    /// What it holds up, in the plural: `segments`, `QoS 2 exchanges`, `reconnects`.
    pub what: String,
    /// How long it was, each time.
    pub times: Histogram,
}

impl fmt::Display for ScenarioDelay {
    /// `the link lte-poor up (median 72.4 ms, at most 2.51 s, 649,827 segments)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, what, times } = self;
        let (Some(median_us), Some(max_us)) = (times.quantile_us(0.5), times.max_us()) else {
            return f.write_str(cause);
        };
        let text = |us: u64| duration_text(us as f64 / 1e6);
        write!(
            f,
            "{cause} (median {}, at most {}, {} {what})",
            text(median_us),
            text(max_us),
            count_text(times.count())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A delay is told with its size and how often it came.
    #[test]
    fn a_delay_is_told_with_its_size() {
        let mut times = Histogram::new();
        times.record_us_times(60_000, 1_999);
        times.record_us(2_500_000);
        let delay = ScenarioDelay {
            cause: "the link lte-poor up".to_owned(),
            what: "segments".to_owned(),
            times,
        };

        assert_eq!(
            delay.to_string(),
            "the link lte-poor up (median 60.0 ms, at most 2.50 s, 2,000 segments)"
        );
    }
}
