//! Percentiles that take more samples than the run can have.

use squall_run::{Aggregate, Percentile, count_text};
use squall_scenario::{Condition, Plan, Scenario, Threshold};

use super::unstamped;

/// One sentence for each condition on a percentile that the messages of the measured part cannot judge.
pub(super) fn out_of_reach(scenario: &Scenario) -> Vec<String> {
    let plan = Plan::of(scenario);
    let mut sentences = Vec::new();
    for Threshold {
        selector,
        conditions,
    } in &scenario.thresholds
    {
        // Told as such.
        if unstamped::is_of_unstamped(scenario, selector.metric, selector.tags) {
            continue;
        }
        let Some(samples) = plan.samples_max(scenario, selector) else {
            continue;
        };
        let percentiles = conditions.iter().filter_map(percentile);
        sentences.extend(
            percentiles
                .filter(|(percentile, _)| samples < percentile.samples_needed() as f64)
                .map(|(percentile, condition)| {
                    format!(
                        "threshold `{}`: `{}` takes {} samples, and the measured part brings about {} at most: it \
                         cannot be judged, and the run will be invalid; let the run be longer, or {}",
                        selector.text,
                        condition.text,
                        count_text(percentile.samples_needed()),
                        count_text(samples.round() as u64),
                        Percentile::advice(samples as u64)
                    )
                }),
        );
    }
    sentences
}

/// The percentile that a condition is about, if it is about one.
fn percentile(condition: &Condition) -> Option<(Percentile, &Condition)> {
    match condition.aggregate {
        Aggregate::Percentile(percentile) => Some((percentile, condition)),
        Aggregate::Min
        | Aggregate::Avg
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::Rate
        | Aggregate::Value => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(thresholds: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[run]\nwarmup = \"10s\"\nduration = \"100s\"\n\
             [[group]]\nname = \"meters\"\ncount = 10\n\
             [[group.publish]]\ntopic = \"a/t\"\nqos = 1\nrate = 10\n\
             [[group.publish]]\ntopic = \"a/u\"\nqos = 0\nrate = 10\n\
             [[group]]\nname = \"back\"\ncount = 1\n[[group.subscribe]]\nfilter = \"#\"\nqos = 1\n\
             [thresholds]\n{thresholds}\n"
        );
        let scenario =
            Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        out_of_reach(&scenario)
    }

    /// A percentile for which the measured part has too few messages is told before the run, by the number of
    /// messages that its metric and tags leave.
    #[test]
    fn a_percentile_without_enough_messages_is_told_before_the_run() {
        // 1,000 messages at each QoS are measured, and one device hears all.
        assert_eq!(
            advice_on("e2e_latency = [\"p99 < 1s\", \"max < 1s\"]"),
            [] as [&str; 0]
        );
        assert_eq!(
            advice_on("e2e_latency = [\"p99.9 < 1s\"]"),
            [
                "threshold `e2e_latency`: `p99.9 < 1s` takes 10,000 samples, and the measured part brings about 2,000 \
              at most: it cannot be judged, and the run will be invalid; let the run be longer, or limit `p99`, which takes 1,000, or `max`, \
              which takes one"
            ]
        );
        assert_eq!(
            advice_on("\"e2e_latency{qos=1}\" = [\"p99 < 1s\"]"),
            [] as [&str; 0]
        );
        assert_eq!(
            advice_on("\"e2e_latency{qos=1}\" = [\"p99.1 < 1s\"]").len(),
            1
        );
        // Those of the group that hears them, not of the one that says them.
        assert_eq!(
            advice_on("\"e2e_latency{group=meters}\" = [\"p50 < 1s\"]").len(),
            1
        );
        assert_eq!(
            advice_on("\"e2e_latency{group=back}\" = [\"p99 < 1s\"]"),
            [] as [&str; 0]
        );
        assert_eq!(advice_on("ack_latency = [\"p99 < 1s\"]"), [] as [&str; 0]);
        assert_eq!(advice_on("ack_latency = [\"p99.5 < 1s\"]").len(), 1);
        assert_eq!(advice_on("qos2_handshake = [\"p50 < 1s\"]").len(), 1);
        assert_eq!(
            advice_on("connect_latency = [\"p99.99 < 1s\"]"),
            [] as [&str; 0]
        );
    }
}
