//! What became of claims and thresholds in the runs of one row.

use maud::{Markup, html};
use squall_run::{ClaimResult, Judgement, Row, Value};

use super::tone_of;

/// `12 of 12 held`; of runs that are INVALID, from which nothing follows, neither red nor green.
pub(super) fn counted(row: &Row<'_>) -> Markup {
    let judgements: Vec<&Judgement> = row.runs.iter().flat_map(|run| &run.judgements).collect();
    if judgements.is_empty() {
        return html! { span .faint { "–" } };
    }
    let of = |result| judgements.iter().filter(|one| one.result == result).count();
    let (held, broken) = (of(ClaimResult::Held), of(ClaimResult::Broken));
    let is_proof = row.valid().next().is_some();
    let tone = match (broken, held == judgements.len()) {
        (_, _) if !is_proof => "plain",
        (0, true) => tone_of(ClaimResult::Held),
        (0, false) => tone_of(ClaimResult::NotJudged),
        (_, _) => tone_of(ClaimResult::Broken),
    };
    html! { span .badge.(tone) { (held) " of " (judgements.len()) " held" } }
}

/// What became of one claim in the runs of a row: the worst of it, how often it held, and what was found.
pub(super) fn judged(judgements: &[&Judgement]) -> Markup {
    let of = |result| judgements.iter().find(|one| one.result == result);
    let worst = of(ClaimResult::Broken)
        .or_else(|| of(ClaimResult::NotJudged))
        .or_else(|| of(ClaimResult::Held));
    let Some(worst) = worst else {
        return html! { span .faint { "–" } };
    };
    let held = judgements
        .iter()
        .filter(|one| one.result == ClaimResult::Held);
    let held = held.count();
    let found = found(judgements);
    html! {
        span .badge.(tone_of(worst.result)) {
            @if held > 0 && held < judgements.len() { "held " (held) " of " (judgements.len()) }
            @else { (worst.result.word()) }
        }
        @if !found.is_empty() { " " (super::unbroken(&found)) }
    }
}

/// What was found, from the least to the greatest; words as they come, each once.
fn found(judgements: &[&Judgement]) -> String {
    let values: Vec<&Value> = judgements
        .iter()
        .filter_map(|one| one.actual.as_ref())
        .collect();
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.number()).collect();
    let ends = numbers
        .filter(|numbers| !numbers.is_empty())
        .map(|numbers| {
            let mut order: Vec<usize> = (0..numbers.len()).collect();
            order.sort_by(|&one, &other| numbers[one].total_cmp(&numbers[other]));
            vec![
                values[order[0]].to_string(),
                values[order[order.len() - 1]].to_string(),
            ]
        });
    let mut texts = ends.unwrap_or_else(|| values.iter().map(|value| value.to_string()).collect());
    texts.dedup();
    texts.join(" … ")
}
