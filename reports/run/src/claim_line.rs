//! What was claimed and what was found, a line for each thing.

use crate::{
    CheckOutcome, ClaimOutcome, ClaimResult, Comparison, Run, ThresholdOutcome, Value, count_text,
    share_text,
};

/// Figures of one check that are named one by one, at most; more are counted.
const NAMED_MAX: usize = 4;

/// One line about claims: of a check with one result, or of a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimLine {
    /// What became of it.
    pub result: ClaimResult,
    /// What it is about: `delivery, QoS 1`, `e2e_latency p99`.
    pub about: String,
    /// What was found: `lost 0, reordered 0`, `2.63 s`.
    pub found: String,
    /// The limit of a threshold: `< 4.00 s`.
    pub limit: Option<String>,
    /// How much of an upper limit was used up, as a share of it: above 1 if it is broken. `None` without such a limit.
    pub used: Option<f64>,
}

impl ClaimLine {
    /// How near to the limit it came, in words: `66 % of the limit`, `390 times the limit`.
    pub fn headroom(&self) -> Option<String> {
        let used = self.used?;
        Some(match used < 2.0 {
            true => format!("{} of the limit", share_text(used)),
            false => format!("{} times the limit", count_text(used.round() as u64)),
        })
    }
}

impl Run {
    /// A line for each check and threshold: what is broken first, then what could not be judged, then what held.
    pub fn claim_lines(&self) -> Vec<ClaimLine> {
        let checks = self.measured.checks.iter().flat_map(of_check);
        let thresholds = self
            .measured
            .thresholds
            .iter()
            .map(ThresholdOutcome::claim_line);
        let mut lines: Vec<ClaimLine> = checks.chain(thresholds).collect();
        lines.sort_by_key(|line| match line.result {
            ClaimResult::Broken => 0,
            ClaimResult::NotJudged => 1,
            ClaimResult::Held => 2,
        });
        lines
    }
}

/// A line for each result that claims of the check came to.
fn of_check(check: &CheckOutcome) -> Vec<ClaimLine> {
    let results = [
        ClaimResult::Broken,
        ClaimResult::NotJudged,
        ClaimResult::Held,
    ];
    let lines = results.into_iter().filter_map(|result| {
        let claims = check.claims.iter();
        let claims: Vec<&ClaimOutcome> = claims.filter(|claim| claim.result() == result).collect();
        (!claims.is_empty()).then(|| ClaimLine {
            result,
            about: about(check),
            found: found(&claims, check.claims.len(), result),
            limit: None,
            used: None,
        })
    });
    lines.collect()
}

fn about(check: &CheckOutcome) -> String {
    let parts = check.selected();
    match parts.is_empty() {
        true => check.check.clone(),
        false => format!("{}, {}", check.check, parts.join(", ")),
    }
}

impl CheckOutcome {
    /// What it was narrowed to, in words: `QoS 1`, `group sensors`. Nothing if it is about everything.
    pub(crate) fn selected(&self) -> Vec<String> {
        let selection = self.selection.iter();
        let parts = selection.map(|(key, value)| match key.as_str() {
            "qos" => format!("QoS {value}"),
            _ => format!("{key} {value}"),
        });
        parts.collect()
    }
}

fn found(claims: &[&ClaimOutcome], of: usize, result: ClaimResult) -> String {
    if claims.len() > NAMED_MAX && result == ClaimResult::Held {
        return format!("{} of {of} figures as claimed", claims.len());
    }
    let named = claims.iter().take(NAMED_MAX).map(|claim| figure(claim));
    let mut text = named.collect::<Vec<String>>().join(", ");
    let more = claims.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// `lost 0`, `within.rst 533 us of 1.00 s`, `lost 7, claimed 0`, `lost not judged`
fn figure(claim: &ClaimOutcome) -> String {
    let Some(actual) = &claim.actual else {
        return format!("{} {}", claim.key, ClaimResult::NotJudged.word());
    };
    let is_at_zero = claim.limit == Value::Count(0);
    let is_held = claim.result() == ClaimResult::Held;
    if claim.limit == *actual || is_at_zero && is_held {
        return format!("{} {actual}", claim.key);
    }
    let of = if is_held { " of" } else { ", claimed" };
    format!("{} {actual}{of} {}", claim.key, claim.limit)
}

impl ThresholdOutcome {
    /// Itself in a line.
    pub fn claim_line(&self) -> ClaimLine {
        let found = match &self.actual {
            Some(actual) => actual.to_string(),
            None => "nothing to judge by".to_owned(),
        };
        ClaimLine {
            result: self.claim_result(),
            about: format!("{} {}", self.selector(), self.aggregate),
            found,
            limit: Some(format!("{} {}", self.comparison.symbol(), self.limit)),
            used: self.used(),
        }
    }

    /// How much of an upper limit was used up, as a share of it. `None` for other limits, and where nothing was measured.
    pub fn used(&self) -> Option<f64> {
        let is_upper = match self.comparison {
            Comparison::Less | Comparison::LessOrEqual => true,
            Comparison::Greater
            | Comparison::GreaterOrEqual
            | Comparison::Equal
            | Comparison::NotEqual => false,
        };
        let actual = self.actual.as_ref()?.number()?;
        let limit = self.limit.number()?;
        (is_upper && limit > 0.0).then(|| actual / limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What is broken stands first, with what was found and how far that is from the limit.
    #[test]
    fn what_is_broken_stands_first() {
        let lines = sample::failing().claim_lines();

        let results: Vec<ClaimResult> = lines.iter().map(|line| line.result).collect();
        let broken = results
            .iter()
            .take_while(|&&result| result == ClaimResult::Broken);
        assert_eq!(broken.count(), 3, "{lines:?}");
        assert!(!results[3..].contains(&ClaimResult::Broken));
    }

    /// A threshold tells how much of its limit was used up.
    #[test]
    fn a_threshold_tells_its_headroom() {
        let run = sample::passing();
        let threshold = &run.measured.thresholds[0];

        let line = threshold.claim_line();

        assert_eq!(line.limit.as_deref(), Some("< 1.00 s"));
        assert_eq!(line.headroom().as_deref(), Some("41.2 % of the limit"));
    }

    /// Every claim is in some line.
    #[test]
    fn no_claim_is_left_out() {
        let run = sample::failing();
        let lines = run.claim_lines();

        for check in &run.measured.checks {
            let about = about(check);
            assert!(lines.iter().any(|line| line.about == about), "{about}");
        }
        assert!(lines.len() >= run.measured.checks.len() + run.measured.thresholds.len());
    }
}
