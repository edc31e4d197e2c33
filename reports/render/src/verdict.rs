//! The verdict in a sentence.

use squall_run::{
    ClaimOutcome, ClaimResult, ExitCode, Outcome, Reason, Run, ThresholdOutcome, proposed_claims,
};

/// What follows from `run`, in a sentence.
pub(crate) fn sentence(run: &Run) -> String {
    let claims = run.measured.checks.iter().flat_map(|check| &check.claims);
    let invariants = Counted::of(INVARIANT, claims.map(ClaimOutcome::result));
    let thresholds = run.measured.thresholds.iter();
    let thresholds = Counted::of("threshold", thresholds.map(ThresholdOutcome::claim_result));
    let both: Vec<Counted> = [invariants, thresholds]
        .into_iter()
        .filter(|counted| counted.all > 0)
        .collect();
    match run.verdict.outcome {
        Outcome::NoClaims => "The scenario claims nothing, so nothing was judged.".to_owned(),
        Outcome::Pass => {
            let all: Vec<String> = both.iter().map(Counted::all).collect();
            format!("{} held.", all.join(" and "))
        }
        Outcome::Fail => {
            let mut sentence = failure(run, &both);
            if let Some(stop) = run.times.stopped {
                sentence.push_str(&format!(" The run was {stop}."));
            }
            sentence
        }
        Outcome::Invalid if is_only_unjudged(run) => {
            let results: Vec<String> = both.iter().map(Counted::result).collect();
            format!(
                "{}: what could not be judged leaves the run without a verdict.",
                results.join(", ")
            )
        }
        Outcome::Invalid => "Nothing follows about the broker from this run.".to_owned(),
    }
}

/// Whether nothing speaks against the run but that a part of its claims has nothing to be judged by.
fn is_only_unjudged(run: &Run) -> bool {
    let mut reasons = run.verdict.reasons.iter();
    reasons.all(|reason| matches!(reason, Reason::Unjudged(_)))
}

/// What is broken, as counts; where the broker ended, that first.
fn failure(run: &Run, counted: &[Counted]) -> String {
    let results: Vec<String> = counted.iter().map(Counted::result).collect();
    let results = results.join(", ");
    if run.verdict.is_about_a_broker_that_ended() {
        return match counted {
            [] => "The broker ended during the run.".to_owned(),
            [..] => {
                format!("The broker ended during the run: {results}. What held did so until then.")
            }
        };
    }
    match run.verdict.reasons.first() {
        // What no scenario has to claim: devices that were never let in, for one.
        Some(reason) if counted.iter().all(|counted| counted.broken == 0) => {
            format!("No claim of the scenario is broken, but {}.", reason.text())
        }
        _ => format!("{results}{}.", beyond_claims(run, counted)),
    }
}

/// Counts what is broken without a claim about it: devices that were never let in, for one.
fn beyond_claims(run: &Run, counted: &[Counted]) -> String {
    let is_invariant =
        |reason: &&Reason| matches!(reason, Reason::Invariant(_) | Reason::Unanswered(_));
    let reasons = run.verdict.reasons.iter().filter(is_invariant).count();
    let broken = counted.iter().filter(|counted| counted.what == INVARIANT);
    match reasons.saturating_sub(broken.map(|counted| counted.broken).sum()) {
        0 => String::new(),
        1 => ", and 1 fault that no claim is about".to_owned(),
        more => format!(", and {more} faults that no claim is about"),
    }
}

const INVARIANT: &str = "invariant";

/// Invariants or thresholds, counted.
struct Counted {
    what: &'static str,
    all: usize,
    broken: usize,
    not_judged: usize,
}

impl Counted {
    fn of(what: &'static str, results: impl Iterator<Item = ClaimResult>) -> Self {
        let mut counted = Self {
            what,
            all: 0,
            broken: 0,
            not_judged: 0,
        };
        for result in results {
            counted.all += 1;
            match result {
                ClaimResult::Held => {}
                ClaimResult::Broken => counted.broken += 1,
                ClaimResult::NotJudged => counted.not_judged += 1,
            }
        }
        counted
    }

    /// `8 invariants`
    fn all(&self) -> String {
        let plural = if self.all == 1 { "" } else { "s" };
        format!("{} {}{plural}", self.all, self.what)
    }

    /// `8 invariants held`, `2 of 8 invariants broken`, `2 of 8 invariants broken and 1 not judged`
    fn result(&self) -> String {
        match (self.broken, self.not_judged) {
            (0, 0) => format!("{} held", self.all()),
            (broken, 0) => format!("{broken} of {} broken", self.all()),
            (0, not_judged) if not_judged == self.all => {
                format!("{not_judged} of {} not judged", self.all())
            }
            (0, not_judged) => format!(
                "{} of {} held and {not_judged} not judged",
                self.all - not_judged,
                self.all()
            ),
            (broken, not_judged) => {
                format!(
                    "{broken} of {} broken and {not_judged} not judged",
                    self.all()
                )
            }
        }
    }
}

/// `exit code 4: invalid run, nothing follows about the broker`
pub(crate) fn exit_code(run: &Run) -> String {
    let code = run.verdict.exit_code;
    let meant = match run.verdict.outcome {
        Outcome::Pass => Some("passed".to_owned()),
        Outcome::NoClaims => Some("the scenario claims nothing (NO CLAIMS)".to_owned()),
        Outcome::Fail => meaning_of_invariants(run),
        Outcome::Invalid => None,
    };
    if let Some(meant) = meant {
        return format!("exit code {code}: {meant}");
    }
    match ExitCode::of(code) {
        Some(known) => format!("exit code {code}: {}", known.meaning),
        // Of a run file that another version wrote.
        None => format!("exit code {code}"),
    }
}

/// Which of the things that end with exit code 98 this run has; `None` with another code.
fn meaning_of_invariants(run: &Run) -> Option<String> {
    let reasons = &run.verdict.reasons;
    let has = |is_it: fn(&Reason) -> bool| reasons.iter().any(is_it);
    let parts = [
        (
            has(|reason| matches!(reason, Reason::BrokerEnded(_))),
            "the broker ended by itself",
        ),
        (
            has(|reason| matches!(reason, Reason::Invariant(_))),
            "an invariant is broken ([[expect]])",
        ),
        (
            has(|reason| matches!(reason, Reason::Unanswered(_))),
            "the broker left requests without an answer, or some devices were never let in",
        ),
    ];
    let meant = parts.iter().filter(|(is_there, _)| *is_there);
    let meant: Vec<&str> = meant.map(|&(_, part)| part).collect();
    (run.verdict.exit_code == 98 && !meant.is_empty()).then(|| meant.join("; "))
}

/// Claims to paste into the scenario, if it makes none.
pub(crate) fn proposal(run: &Run) -> Option<String> {
    match run.verdict.outcome {
        Outcome::NoClaims => Some(proposed_claims(&run.measured)),
        Outcome::Pass | Outcome::Fail | Outcome::Invalid => None,
    }
}

#[cfg(test)]
mod tests {
    use squall_run::{Extent, PhaseKind, Stop, Verdict, sample};

    use super::*;

    /// A broker that died is the news, not the claims that held until then.
    #[test]
    fn a_broker_that_ended_comes_first() {
        let mut run = sample::passing();
        let dead = Reason::BrokerEnded("the broker died".to_owned());
        let checks = &run.measured.checks;
        run.verdict = Verdict::judge(checks, &run.measured.thresholds, Extent::Whole, [dead]);

        assert_eq!(
            sentence(&run),
            "The broker ended during the run: 8 invariants held, 3 thresholds held. What held did so until then."
        );
    }

    /// What no claim is about is the news, not the claims that held.
    #[test]
    fn what_no_claim_is_about_comes_first() {
        let mut run = sample::passing();
        let dead =
            Reason::Unanswered("9 of 10 devices never got a CONNACK with success".to_owned());
        run.verdict = Verdict::judge(
            &run.measured.checks,
            &run.measured.thresholds,
            Extent::Whole,
            [dead],
        );

        assert_eq!(
            sentence(&run),
            "No claim of the scenario is broken, but 9 of 10 devices never got a CONNACK with success."
        );
    }

    /// The sentence counts what held and what did not.
    #[test]
    fn the_sentence_counts() {
        assert_eq!(
            sentence(&sample::passing()),
            "8 invariants and 3 thresholds held."
        );
        assert_eq!(
            sentence(&sample::failing()),
            "2 of 8 invariants broken, 1 of 3 thresholds broken."
        );
        let mut only_slow = sample::failing();
        only_slow.measured.checks = sample::passing().measured.checks;
        only_slow.verdict = Verdict::judge(
            &only_slow.measured.checks,
            &only_slow.measured.thresholds,
            Extent::Whole,
            [],
        );
        assert_eq!(
            sentence(&only_slow),
            "8 invariants held, 1 of 3 thresholds broken."
        );
        let mut without_thresholds = sample::passing();
        without_thresholds.measured.thresholds.clear();
        assert_eq!(sentence(&without_thresholds), "8 invariants held.");
        let mut unclaimed = without_thresholds;
        unclaimed.measured.checks.clear();
        unclaimed.verdict = Verdict::judge(&[], &[], Extent::Whole, []);
        assert_eq!(
            sentence(&unclaimed),
            "The scenario claims nothing, so nothing was judged."
        );
    }

    /// A fault that no claim is about is counted beside the claims that are broken.
    #[test]
    fn faults_beyond_the_claims_are_counted() {
        let mut run = sample::failing();
        let dead = Reason::Invariant("the broker was dead at the end of the run".to_owned());
        run.verdict.reasons.insert(0, dead);

        assert_eq!(
            sentence(&run),
            "2 of 8 invariants broken, 1 of 3 thresholds broken, and 1 fault that no claim is about."
        );
    }

    /// What could not be judged is not counted as broken.
    #[test]
    fn what_is_not_judged_is_not_broken() {
        let mut run = sample::failing();
        run.measured.checks[0].claims[1].actual = None;
        for threshold in &mut run.measured.thresholds {
            threshold.result = squall_run::ThresholdResult::TooFewSamples;
        }

        assert_eq!(
            sentence(&run),
            "2 of 8 invariants broken and 1 not judged, 3 of 3 thresholds not judged."
        );
    }

    /// A run that was stopped and broke something before says both.
    #[test]
    fn a_stopped_run_says_where() {
        let mut run = sample::failing();
        run.times.stopped = Some(Stop {
            by: squall_run::StopCause::Sigint,
            at_s: 36.0,
            phase: PhaseKind::Measure,
            after_s: 16.0,
            planned_s: Some(100.0),
        });

        assert_eq!(
            sentence(&run),
            "2 of 8 invariants broken, 1 of 3 thresholds broken. The run was stopped by SIGINT after 16.0 s of 100 s of measuring."
        );
    }
}
