//! What one search found: the highest rate that held, the lowest that did not, its steps, and what is to be said of it.

use serde::Serialize;
use squall_run::bench::ROOM;
use squall_run::{duration_text, share_text, worst_exit_code};

use super::search::{Found, Search};
use super::step::{Step, per_second};
use crate::bound::Bound;
use crate::commands::bench::result::BROKEN;
use crate::exit::Failure;

/// The exit code of a broker that holds the bound at no rate.
const NONE_HOLDS: u8 = 99;
/// The exit code where nothing follows about the broker.
const NOT_JUDGED: u8 = 4;
/// A latency at a higher rate that is below this share of one at a lower rate is so by more than chance.
const FASTER: f64 = 0.8;

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
    /// What a reader must know of the rate.
    #[serde(skip)]
    pub warning: Option<String>,
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
                    None => faster_above_text(last?, &steps, bound).or_else(|| idle_text(last?))?,
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

    /// Of a search that a signal ended after `steps`.
    pub fn stopped(search: &Search, stopped: &Failure, steps: Vec<Step>) -> Self {
        let (held_per_s, failed_per_s) = search.ends();
        let found = match (held_per_s, failed_per_s) {
            (Some(held), Some(failed)) => format!(
                "the highest rate that holds is between {} and {} messages/s",
                per_second(held),
                per_second(failed)
            ),
            (Some(held), None) => format!("{} messages/s held", per_second(held)),
            (None, Some(failed)) => {
                format!(
                    "{} messages/s did not hold, nor did more",
                    per_second(failed)
                )
            }
            (None, None) => "no rate had held, nor failed twice".to_owned(),
        };
        let ended = format!("{stopped}; by then {found}");
        Self::cut_short((held_per_s, failed_per_s), ended, stopped.code(), steps)
    }

    /// Of a search that failed after `steps`.
    pub fn failed(search: &Search, failure: &Failure, steps: Vec<Step>) -> Self {
        let why = match failure {
            Failure::Internal(error) => format!("{error:#}"),
            Failure::Usage(_)
            | Failure::Scenario(_)
            | Failure::Config(_)
            | Failure::Unreachable(_)
            | Failure::Skipped { .. }
            | Failure::NothingFollows(_)
            | Failure::Stopped(_) => failure.to_string(),
        };
        Self::cut_short(search.ends(), why, failure.code(), steps)
    }

    /// Of one that did not come to its end; a promise that the broker broke before is told all the same.
    fn cut_short(
        (held_per_s, failed_per_s): (Option<f64>, Option<f64>),
        why: String,
        exit_code: u8,
        steps: Vec<Step>,
    ) -> Self {
        let broken = steps.iter().find(|step| !step.broken.is_empty());
        let broken = broken.map(broken_text);
        Self {
            held_per_s,
            failed_per_s,
            is_at_least: held_per_s.is_some(),
            exit_code: worst_exit_code(broken.iter().map(|_| BROKEN).chain([exit_code])),
            error: Some(
                broken
                    .into_iter()
                    .chain([why])
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
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
        None => (
            "the lowest".to_owned(),
            "the broker was not done with its messages in time".to_owned(),
        ),
    };
    format!(
        "at no rate down to {rate} messages/s does `{}` hold; there {why}. Take a wider bound, or begin lower with -R",
        bound.text()
    )
}

/// Where a broker is late that has little to do, it waits for something, and what holds at higher rates is open.
fn idle_text(failed: &Step) -> Option<String> {
    let cores = failed
        .figures
        .broker_cores
        .filter(|_| failed.is_late_only)?;
    (cores < ROOM).then(|| {
        format!(
            "at {} the broker was late though it was busy for {} of a core only: it waited for something, as one does that holds back small \
             packets, and higher rates may hold; -R {} would try",
            per_second(failed.rate),
            share_text(cores),
            (failed.rate * 8.0).round()
        )
    })
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

#[cfg(test)]
pub mod tests {
    use super::super::step::tests::{figures, step};
    use super::*;

    fn bound() -> Bound {
        Bound::parse("p99 < 5ms").expect("it is one")
    }

    /// Steps at 1,000, which held, and at 1,040, which did not, with a generator and a broker that were so busy there.
    pub fn found(generator: f64, broker: f64) -> Searched {
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

    /// A broker that is late with an idle processor may hold a higher rate.
    #[test]
    fn a_broker_that_is_late_and_idle_is_told() {
        let searched = |cores: f64| {
            let mut late = figures();
            (late.published_per_s, late.messages_per_s) = (1040.0, 1040.0);
            (late.latency.p99_us, late.broker_cores) = (Some(40_000), Some(cores));
            let steps = vec![step(1000.0, 0, figures()), step(1040.0, 0, late)];
            let found = Found::Between {
                held: 1000.0,
                failed: 1040.0,
            };
            Searched::new(found, steps, &bound())
        };

        assert!(!searched(0.9).is_at_least);
        let idle = searched(0.08);
        let warning = idle.warning.expect("there is one");
        assert!(
            idle.is_at_least && warning.contains("-R 8320 "),
            "{warning}"
        );
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

    /// A search that was stopped says how far it was.
    #[test]
    fn a_search_that_was_stopped_keeps_its_steps() {
        let mut search = Search::new(super::super::search::Range {
            first: 1000.0,
            floor: 100.0,
            cap: 1e6,
        });
        search.handle_step(super::super::search::Ended::Held);
        let stopped = Failure::Stopped("stopped by SIGINT".to_owned());

        let searched = Searched::stopped(&search, &stopped, vec![step(1000.0, 0, figures())]);

        assert_eq!((searched.held_per_s, searched.exit_code), (Some(1000.0), 4));
        assert_eq!(
            searched.error.as_deref(),
            Some("stopped by SIGINT; by then 1,000 messages/s held")
        );
        assert_eq!(searched.at_held().map(|step| step.rate), Some(1000.0));

        // A broken promise is not forgotten for a signal, nor for a broker that dies.
        let mut losing = figures();
        losing.account.lost = 3;
        let died = Failure::Unreachable("it died".to_owned());
        for failure in [&stopped, &died] {
            let steps = vec![step(1040.0, 1, losing.clone())];
            let searched = match failure.code() {
                4 => Searched::stopped(&search, failure, steps),
                _ => Searched::failed(&search, failure, steps),
            };
            assert_eq!(searched.held_per_s, Some(1000.0));
            let error = searched.error.expect("there is one");
            assert!(error.starts_with("at 1,040 messages/s"), "{error}");
            assert_eq!(searched.exit_code, worst_exit_code([98, failure.code()]));
        }
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
}
