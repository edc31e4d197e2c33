//! Claims for a scenario that makes none, from what its run saw.

use std::fmt::Write as _;

use crate::{LagShare, Measured, MetricName, Percentile, Tags, count_text, duration_text};

/// Limits that are proposed for a latency, in microseconds.
const LIMITS_US: [u64; 15] = [
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// `[[expect]]` blocks and thresholds to paste into the scenario that `measured` comes from.
///
/// Each claims something that the run had a chance to break: a delivery claim only where messages
/// were owed, a will claim only after faults that owed wills, a response claim only where
/// requests were answered. A latency's limit is the first round
/// one that is at least twice what was measured, so that noise does not break it.
pub fn proposed_claims(measured: &Measured) -> String {
    let mut text = String::new();
    if measured
        .accounting
        .deliveries
        .iter()
        .any(|entry| entry.expected > 0)
    {
        text.push_str(
            "[[expect]]\ncheck = \"delivery\"\nlost = 0\nreordered = 0\nmisrouted = 0\n# `lost` is of what is owed at QoS 1 and 2.\n\n",
        );
    }
    let faults = faults_with_wills(measured);
    if !faults.is_empty() {
        let names = faults.join(", ");
        write!(
            text,
            "[[expect]]\ncheck = \"will\"\nafter = [{names}]\nexactly = 1\n\n"
        )
        .expect("a string takes any text");
    }
    if measured
        .responses
        .as_ref()
        .is_some_and(|of| of.answered > 0)
    {
        text.push_str("[[expect]]\ncheck = \"response\"\nanswered = true\n\n");
    }
    text.push_str("[[expect]]\ncheck = \"connections\"\nrefused = 0\nunexpected_disconnects = 0\n");
    if let Some(threshold) = latency_threshold(measured) {
        write!(text, "\n[thresholds]\n{threshold}\n").expect("a string takes any text");
    }
    text
}

/// Names of the faults after which wills were due, each once, as TOML strings.
fn faults_with_wills(measured: &Measured) -> Vec<String> {
    let mut names: Vec<String> = measured
        .wills
        .iter()
        .filter(|will| will.expected > 0)
        .filter_map(|will| will.fault.as_ref())
        .map(|name| serde_json::to_string(name).expect("a text is always JSON"))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn latency_threshold(measured: &Measured) -> Option<String> {
    let latency = measured.metrics.all(MetricName::E2eLatency);
    let p99 = latency.percentile_us(Percentile::P99);
    let (aggregate, quantile, measured_us) = match p99 {
        Some(p99_us) => (Percentile::P99.to_string(), 0.99, p99_us),
        None => ("max".to_owned(), 1.0, latency.max_us()?),
    };
    // A limit made from squall's own lateness would break in the next run.
    let share = LagShare::of_quantile(
        &measured.metrics,
        MetricName::E2eLatency,
        &Tags::new(),
        quantile,
    );
    if share.is_some_and(|share| share.is_noted()) {
        return None;
    }
    let limit_us = LIMITS_US
        .into_iter()
        .find(|limit| *limit >= measured_us * 2)?;
    let limit = match limit_us / 1_000 {
        ms if ms < 1_000 => format!("{ms}ms"),
        ms => format!("{}s", ms / 1_000),
    };
    let seconds = measured_us as f64 / 1e6;
    Some(format!(
        "\"e2e_latency\" = [\"{aggregate} < {limit}\"]   # it was {}, n = {}",
        duration_text(seconds),
        count_text(latency.count())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What a run saw is what is proposed: deliveries, wills of the faults that owed some, latency.
    #[test]
    fn claims_are_about_what_happened() {
        let text = proposed_claims(&sample::passing().measured);

        assert!(text.contains("check = \"delivery\"\nlost = 0\n"), "{text}");
        let response = "check = \"response\"\nanswered = true\n";
        assert!(text.contains(response), "{text}");
        assert!(
            text.contains(
                "after = [\"power-cut\", \"socket-close\", \"socket-reset\"]\nexactly = 1\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("\"e2e_latency\" = [\"p99 < 1s\"]   # it was 365 ms"),
            "{text}"
        );
    }

    /// Nothing is proposed about what did not happen.
    #[test]
    fn an_empty_run_is_asked_for_connections_only() {
        let text = proposed_claims(&sample::empty().measured);

        assert_eq!(
            text,
            "[[expect]]\ncheck = \"connections\"\nrefused = 0\nunexpected_disconnects = 0\n"
        );
    }
}
