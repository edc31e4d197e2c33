//! The verdict in a sentence.

use squall_run::{Outcome, Run, proposed_claims};

/// What follows from `run`, in a sentence.
pub(crate) fn sentence(run: &Run) -> String {
    let checks = &run.measured.checks;
    let thresholds = &run.measured.thresholds;
    let claims: usize = checks.iter().map(|check| check.claims.len()).sum();
    let broken = checks
        .iter()
        .flat_map(|check| &check.claims)
        .filter(|claim| !claim.passed)
        .count();
    let missed = thresholds
        .iter()
        .filter(|threshold| !threshold.passed())
        .count();
    match run.verdict.outcome {
        Outcome::NoClaims => "The scenario claims nothing, so nothing was judged.".to_owned(),
        Outcome::Pass if thresholds.is_empty() => format!("{} held.", counted(claims, "invariant")),
        Outcome::Pass if claims == 0 => {
            format!("{} kept.", counted_were(thresholds.len(), "threshold"))
        }
        Outcome::Pass => format!(
            "{} held and {} kept.",
            counted(claims, "invariant"),
            counted_were(thresholds.len(), "threshold"),
        ),
        Outcome::Fail => {
            let broken = match broken {
                0 => format!("{} held", counted(claims, "invariant")),
                some => format!("{some} of {} broken", counted(claims, "invariant")),
            };
            let missed = match missed {
                0 => format!("{} kept", counted_were(thresholds.len(), "threshold")),
                some => format!(
                    "{some} of {} not kept",
                    counted(thresholds.len(), "threshold")
                ),
            };
            match (claims, thresholds.len()) {
                (0, _) => format!("{missed}."),
                (_, 0) => format!("{broken}."),
                _ => format!("{broken}, {missed}."),
            }
        }
        Outcome::Invalid => "Nothing follows about the broker from this run.".to_owned(),
    }
}

/// Claims to paste into the scenario, if it makes none.
pub(crate) fn proposal(run: &Run) -> Option<String> {
    match run.verdict.outcome {
        Outcome::NoClaims => Some(proposed_claims(&run.measured)),
        Outcome::Pass | Outcome::Fail | Outcome::Invalid => None,
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn counted_were(count: usize, what: &str) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{} {were}", counted(count, what))
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// The sentence counts what held and what did not.
    #[test]
    fn the_sentence_counts() {
        assert_eq!(
            sentence(&sample::passing()),
            "8 invariants held and 3 thresholds were kept."
        );
        assert_eq!(
            sentence(&sample::failing()),
            "2 of 8 invariants broken, 1 of 3 thresholds not kept."
        );
        let mut only_slow = sample::failing();
        only_slow.measured.checks = sample::passing().measured.checks;
        assert_eq!(
            sentence(&only_slow),
            "8 invariants held, 1 of 3 thresholds not kept."
        );
        let mut without_thresholds = sample::passing();
        without_thresholds.measured.thresholds.clear();
        assert_eq!(sentence(&without_thresholds), "8 invariants held.");
        assert_eq!(
            sentence(&sample::empty()),
            "The scenario claims nothing, so nothing was judged."
        );
    }
}
