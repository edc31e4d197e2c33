//! What is wrong with a claim or a threshold, in a sentence.

use crate::{
    Aggregate, CheckOutcome, ClaimOutcome, Percentile, ThresholdOutcome, ThresholdResult,
    count_text,
};

/// Why most claims that cannot be judged cannot be.
const NOTHING_HAPPENED: &str =
    "nothing happened that it is about; let the scenario make it happen, or leave the claim out";

/// What is wrong with a claim that did not hold.
pub(super) fn of_claim(check: &CheckOutcome, claim: &ClaimOutcome) -> String {
    let name = name_of(check);
    let key = &claim.key;
    let Some(actual) = &claim.actual else {
        let why = claim.unjudged.as_deref().unwrap_or(NOTHING_HAPPENED);
        return format!("{name}: {key} could not be judged: {why}");
    };
    let allowed = claim
        .range
        .as_ref()
        .map_or(String::new(), |range| format!(", allowed is {range}"));
    format!(
        "{name}: {key} should be {}, was {actual}{allowed}",
        claim.limit
    )
}

/// `delivery (qos 1)`
fn name_of(check: &CheckOutcome) -> String {
    let selection: Vec<String> = check
        .selection
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    if selection.is_empty() {
        check.check.clone()
    } else {
        format!("{} ({})", check.check, selection.join(", "))
    }
}

/// What is wrong with a threshold that did not hold.
pub(crate) fn of_threshold(threshold: &ThresholdOutcome) -> String {
    let selector = threshold.selector();
    let expression = &threshold.expression;
    let what = match (&threshold.actual, threshold.result) {
        (_, ThresholdResult::TooFewSamples) => {
            format!("could not be judged: {}", samples_missing(threshold))
        }
        (Some(actual), ThresholdResult::ExplainedByLag) => {
            let less_lag = threshold
                .less_lag
                .as_ref()
                .map_or(String::new(), |less_lag| {
                    format!(", without its lag it would be {less_lag}")
                });
            format!("could not be judged: it was {actual} and the generator explains it{less_lag}")
        }
        (Some(actual), ThresholdResult::Held | ThresholdResult::Broken) => format!(
            "broken, it was {actual} ({} samples)",
            count_text(threshold.samples)
        ),
        (
            None,
            ThresholdResult::Held | ThresholdResult::Broken | ThresholdResult::ExplainedByLag,
        ) => "broken, nothing was measured".to_owned(),
    };
    format!("{selector}: {expression} {what}")
}

/// How many samples there are, how many it would take, and what would have to change.
fn samples_missing(threshold: &ThresholdOutcome) -> String {
    let samples = threshold.samples;
    let needed = match threshold.aggregate {
        Aggregate::Percentile(percentile) => percentile.samples_needed(),
        Aggregate::Min
        | Aggregate::Avg
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::Rate
        | Aggregate::Value => 1,
    };
    if samples == 0 {
        return "it was never measured; let the scenario make it happen while it measures, or leave the threshold out"
            .to_owned();
    }
    format!(
        "{} samples, it takes {}; run for {} times as long, use as many times more devices, or {}",
        count_text(samples),
        count_text(needed),
        count_text(needed.div_ceil(samples)),
        Percentile::advice(samples)
    )
}
