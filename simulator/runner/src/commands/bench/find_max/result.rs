//! What searches found: of each target every repeat, with all its steps and what is to be said of it.

use serde::Serialize;
use squall_run::bench::About;
use squall_run::{FigureSpread, duration_text, worst_exit_code};

use super::search::Found;
use super::step::{Step, per_second};
use crate::bound::Bound;
use crate::commands::bench::IsPinned;
use crate::commands::bench::about;
use crate::commands::bench::plan::BenchPlan;
use crate::commands::bench::result::BROKEN;
use crate::exit::Failure;

/// The exit code of a broker that holds the bound at no rate.
const NONE_HOLDS: u8 = 99;
/// The exit code where nothing follows about the broker.
const NOT_JUDGED: u8 = 4;
/// A latency at a higher rate that is below this share of one at a lower rate is so by more than chance.
const FASTER: f64 = 0.8;

/// All of a search.
#[derive(Debug, Serialize)]
pub struct FindMaxResult {
    /// What was done, and where; its rate is the first that was tried.
    #[serde(flatten)]
    pub about: About,
    /// The bound.
    pub find_max: Bound,
    /// When it began, as UTC in ISO 8601.
    pub started_at: String,
    /// The version of squall.
    pub squall: &'static str,
    /// In the order of the command line.
    pub targets: Vec<SearchedTarget>,
    /// What a reader must know of the figures, a sentence each.
    pub warnings: Vec<String>,
    /// That of the command.
    pub exit_code: u8,
}

/// What was found of one target.
#[derive(Debug, Serialize)]
pub struct SearchedTarget {
    /// As on the command line.
    pub name: String,
    /// Product and version, as far as it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was changed for it, a sentence each.
    pub changes: Vec<String>,
    /// The highest rates that held, of the repeats in which one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_per_s: Option<FigureSpread>,
    /// One for each search.
    pub repeats: Vec<Searched>,
}

/// One search.
#[derive(Debug, Serialize)]
pub struct Searched {
    /// The highest rate that held, messages a second of all publishers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_per_s: Option<f64>,
    /// The lowest that did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_per_s: Option<f64>,
    /// Whether the broker may carry more than `held_per_s`: what ended the search was not the broker.
    pub is_at_least: bool,
    /// Why there is no rate, or what the broker did that it may not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// 0, or what the error stands for.
    pub exit_code: u8,
    /// All steps, in the order in which they were made.
    pub steps: Vec<Step>,
    #[serde(skip)]
    warning: Option<String>,
}

impl Searched {
    /// Of a search that came to its end.
    pub fn new(found: Found, steps: Vec<Step>, bound: &Bound) -> Self {
        let (held, failed) = match found {
            Found::Between { held, failed } => (Some(held), Some(failed)),
            Found::AllHeld { held } => (Some(held), None),
            Found::NoneHeld { failed } => (None, Some(failed)),
            Found::OutOfSteps { held, failed } => (held, failed),
        };
        let last = failed.and_then(|rate| last_at(&steps, rate));
        let is_limited = last.is_some_and(|step| step.generator_is_the_limit);
        let broken = steps.iter().find(|step| !step.broken.is_empty());
        let (error, exit_code) = match (broken, held, last) {
            (Some(step), _, _) => (Some(broken_text(step)), BROKEN),
            (None, Some(_), _) => (None, 0),
            (None, None, Some(step)) if is_limited => (
                Some(format!(
                    "at no rate down to {} messages/s did `{}` hold, and {}: nothing follows about the broker; begin lower with -R",
                    per_second(step.rate),
                    bound.text(),
                    step.limit_text()
                )),
                NOT_JUDGED,
            ),
            (None, None, last) => (Some(none_held_text(last, bound)), NONE_HOLDS),
        };
        let limit = last.filter(|_| is_limited).map(Step::limit_text);
        let warning = held.and_then(|held| {
            let why = match found {
                Found::AllHeld { .. } => {
                    "every rate held, up to the highest that is tried".to_owned()
                }
                Found::OutOfSteps { .. } => format!(
                    "the search ended after {} steps, before it was within 5 %",
                    steps.len()
                ),
                Found::Between { failed, .. } => match limit {
                    Some(limit) => format!("at {}, {limit}", per_second(failed)),
                    None => faster_above_text(last?, &steps, bound)?,
                },
                Found::NoneHeld { .. } => return None,
            };
            Some(format!("at least {} messages/s: {why}", per_second(held)))
        });
        Self {
            held_per_s: held,
            failed_per_s: failed,
            is_at_least: warning.is_some(),
            error,
            exit_code,
            warning,
            steps,
        }
    }

    /// Of a search that failed after `steps`.
    pub fn failed(failure: &Failure, steps: Vec<Step>) -> Self {
        Self {
            held_per_s: None,
            failed_per_s: None,
            is_at_least: false,
            error: Some(match failure {
                Failure::Internal(error) => format!("{error:#}"),
                Failure::Usage(_)
                | Failure::Scenario(_)
                | Failure::Config(_)
                | Failure::Unreachable(_)
                | Failure::Skipped { .. }
                | Failure::Stopped(_) => failure.to_string(),
            }),
            exit_code: failure.code(),
            warning: None,
            steps,
        }
    }

    /// The step of the highest rate that held.
    pub fn at_held(&self) -> Option<&Step> {
        last_at(&self.steps, self.held_per_s?)
    }

    /// The last step of the lowest rate that did not.
    pub fn at_failed(&self) -> Option<&Step> {
        last_at(&self.steps, self.failed_per_s?)
    }
}

fn last_at(steps: &[Step], rate: f64) -> Option<&Step> {
    steps.iter().rev().find(|step| step.rate == rate)
}

fn broken_text(step: &Step) -> String {
    format!(
        "at {} messages/s the broker's deliveries are broken: of {} messages {}",
        per_second(step.rate),
        squall_run::count_text(step.figures.account.published),
        step.broken.join(", ")
    )
}

fn none_held_text(last: Option<&Step>, bound: &Bound) -> String {
    let (rate, why) = match last {
        Some(step) => (per_second(step.rate), step.why.join("; ")),
        None => ("the lowest".to_owned(), "no step was made".to_owned()),
    };
    format!(
        "at no rate down to {rate} messages/s does `{}` hold; there {why}. Take a wider bound, or begin lower with -R",
        bound.text()
    )
}

/// Where a broker carries a higher rate with less latency than a lower one, as one does that holds back small packets, more rates
/// may hold above those that failed.
fn faster_above_text(failed: &Step, steps: &[Step], bound: &Bound) -> Option<String> {
    let failed_us = failed.bound_us.filter(|_| failed.is_late_only)? as f64;
    let above = steps.iter().filter(|step| {
        // The first step of two may have been disturbed.
        let is_last = last_at(steps, step.rate).is_some_and(|last| last.attempt == step.attempt);
        step.rate > failed.rate && step.is_late_only && is_last
    });
    let fastest = above.min_by_key(|step| step.bound_us)?;
    let fastest_us = fastest.bound_us? as f64;
    (fastest_us < failed_us * FASTER).then(|| {
        format!(
            "the latency does not grow with the rate here: {} is {} at {}, and {} at {}, where all was sent and came too; what is \
             above, -R {} would find",
            bound.of.name(),
            duration_text(failed_us / 1e6),
            per_second(failed.rate),
            duration_text(fastest_us / 1e6),
            per_second(fastest.rate),
            (fastest.rate * 2.0).round()
        )
    })
}

impl SearchedTarget {
    /// Of a target that was not searched yet.
    pub fn new(name: String) -> Self {
        Self {
            name,
            software: None,
            changes: Vec::new(),
            held_per_s: None,
            repeats: Vec::new(),
        }
    }

    /// Notes what a search found.
    pub fn add(&mut self, searched: Searched) {
        self.repeats.push(searched);
        let held = self.repeats.iter().filter_map(|one| one.held_per_s);
        self.held_per_s = FigureSpread::of(held);
    }

    /// What is wrong, a sentence each.
    pub fn errors(&self) -> Vec<String> {
        let repeats = (1..).zip(&self.repeats);
        let errors = repeats.filter_map(|(number, one)| Some((number, one.error.as_ref()?)));
        errors
            .map(|(number, error): (u32, _)| format!("{}, repeat {number}: {error}", self.name))
            .collect()
    }

    fn warnings(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (number, one) in (1_u32..).zip(&self.repeats) {
            if let Some(warning) = &one.warning {
                told.push(format!(
                    "warning: {}, repeat {number}: {warning}",
                    self.name
                ));
            }
        }
        let is_unknown = |step: &Step| step.figures.broker_cores.is_none();
        if self
            .repeats
            .iter()
            .flat_map(|one| &one.steps)
            .any(is_unknown)
        {
            told.push(format!(
                "warning: {}: squall did not start this broker, so what it used is not known: --target-pid N names its process",
                self.name
            ));
        }
        let changes = self.changes.iter();
        told.extend(
            changes.map(|change| format!("note: {}: changed for the target: {change}", self.name)),
        );
        told
    }
}

impl FindMaxResult {
    /// Of what was found, with the sentences that belong to it.
    pub fn new(
        plan: &BenchPlan,
        bound: &Bound,
        targets: Vec<SearchedTarget>,
        is_pinned: IsPinned,
        started_at: String,
    ) -> Self {
        let codes = targets.iter().flat_map(|target| &target.repeats);
        Self {
            about: about::of(plan, is_pinned),
            find_max: bound.clone(),
            started_at,
            squall: env!("CARGO_PKG_VERSION"),
            exit_code: worst_exit_code(codes.map(|one| one.exit_code)),
            warnings: targets.iter().flat_map(SearchedTarget::warnings).collect(),
            targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::{figures, step};
    use super::*;

    fn bound() -> Bound {
        Bound::parse("p99 < 5ms").expect("it is one")
    }

    /// Steps at 1,000, which held, and at 1,040, which did not, with a generator and a broker that were so busy there.
    fn found(generator: f64, broker: f64) -> Searched {
        let mut failing = figures();
        (failing.generator_cores, failing.broker_cores) = (generator, Some(broker));
        let steps = vec![step(1000.0, 0, figures()), step(1040.0, 0, failing)];
        let found = Found::Between {
            held: 1000.0,
            failed: 1040.0,
        };
        Searched::new(found, steps, &bound())
    }

    /// A rate that the broker could not hold is its limit; one that the generator could not is none.
    #[test]
    fn the_generators_limit_is_not_the_brokers() {
        let of_broker = found(0.5, 0.99);
        let of_generator = found(0.99, 0.5);

        assert!(!of_broker.is_at_least && of_broker.warning.is_none());
        assert!(of_generator.is_at_least);
        let warning = of_generator.warning.as_deref().expect("there is one");
        assert!(
            warning.starts_with("at least 1,000 messages/s: at 1,040, the generator was the limit"),
            "{warning}"
        );
        assert_eq!((of_broker.exit_code, of_generator.exit_code), (0, 0));
        assert_eq!(of_broker.at_held().map(|step| step.rate), Some(1000.0));
        assert_eq!(of_broker.at_failed().map(|step| step.rate), Some(1040.0));
    }

    /// A latency that falls with the rate leaves open what holds above; one that grows does not.
    #[test]
    fn a_latency_that_falls_with_the_rate_is_told() {
        let searched = |above_us: u64| {
            let late = |rate: f64, us: u64| {
                let mut figures = figures();
                (figures.published_per_s, figures.messages_per_s) = (rate, rate);
                figures.latency.p99_us = Some(us);
                step(rate, 0, figures)
            };
            let steps = vec![
                late(1000.0, 2000),
                late(2000.0, above_us),
                late(1040.0, 40_000),
            ];
            let found = Found::Between {
                held: 1000.0,
                failed: 1040.0,
            };
            Searched::new(found, steps, &bound())
        };

        let falling = searched(20_000);
        let warning = falling.warning.as_deref().expect("there is one");
        assert!(falling.is_at_least);
        assert!(warning.contains("does not grow with the rate"), "{warning}");
        assert!(warning.contains("-R 4000 "), "{warning}");
        assert!(!searched(80_000).is_at_least);

        // What fell behind is not faster above by how it sends.
        let mut behind = searched(20_000).steps;
        behind[2].is_late_only = false;
        let found = Found::Between {
            held: 1000.0,
            failed: 1040.0,
        };
        assert!(!Searched::new(found, behind, &bound()).is_at_least);
    }

    /// Without a rate that held there is an exit code and a sentence; where the generator was the limit it is another one.
    #[test]
    fn no_rate_is_told() {
        let none = |generator: f64| {
            let mut failing = figures();
            failing.generator_cores = generator;
            let steps = vec![step(1040.0, 0, failing)];
            let found = Searched::new(Found::NoneHeld { failed: 1040.0 }, steps, &bound());
            (found.exit_code, found.error.expect("there is one"))
        };

        let (code, error) = none(0.5);
        assert_eq!(code, 99);
        assert!(error.contains("down to 1,040 messages/s"), "{error}");
        assert!(error.contains("Take a wider bound"), "{error}");
        let (code, error) = none(0.99);
        assert_eq!(code, 4, "{error}");
        assert!(
            error.contains("nothing follows about the broker"),
            "{error}"
        );
    }

    /// A broken promise is told though rates below it held.
    #[test]
    fn a_broken_promise_is_told_beside_the_rate() {
        let mut losing = figures();
        losing.account.lost = 3;
        let steps = vec![step(1000.0, 1, figures()), step(1040.0, 1, losing)];
        let found = Found::Between {
            held: 1000.0,
            failed: 1040.0,
        };
        let searched = Searched::new(found, steps, &bound());

        assert_eq!(
            (searched.exit_code, searched.held_per_s),
            (98, Some(1000.0))
        );
        let error = searched.error.expect("there is one");
        assert!(error.starts_with("at 1,040 messages/s"), "{error}");
        assert!(error.contains("3 lost"), "{error}");
    }

    /// Several searches have a middle and two ends.
    #[test]
    fn repeats_have_a_spread() {
        let mut target = SearchedTarget::new("broker".to_owned());
        for _ in 0..2 {
            target.add(found(0.5, 0.99));
        }
        target.add(Searched::failed(
            &Failure::Unreachable("it died".to_owned()),
            Vec::new(),
        ));

        let spread = target.held_per_s.expect("two have one");
        assert_eq!((spread.median, spread.count), (1000.0, 2));
        assert_eq!(target.errors(), ["broker, repeat 3: it died"]);
    }
}
