//! Which rate is tried next, and when the highest one that holds is known.
//!
//! A `Search` is told how each step ended, and makes none itself: no clock, no broker. From the first rate it doubles until a
//! step fails, or halves until one holds; then it divides what is between the highest that held and the lowest that did not.
//!
//! Invariants: a rate that held is below every rate that failed, and no rate is tried that is not between them. A rate fails
//! by two steps in a row, or by one that broke a promise: a broker may be held up once by what else the machine does.

/// Steps of one search at most, those that are made again among them: 24 take a search from 1,000 messages a second to the cap.
const STEPS_MAX: u32 = 48;
/// How far the lowest rate that failed may be above the highest that held, as a ratio.
const WITHIN: f64 = 1.05;
/// By what a rate goes up or down while only one end is known.
const FACTOR: f64 = 2.0;

/// Rates between which is searched, messages a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The rate of the first step.
    pub first: f64,
    /// The lowest that is tried, at most `first`.
    pub floor: f64,
    /// The highest that is tried, at least `first`.
    pub cap: f64,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// All that a step must do held.
    Held,
    /// Something did not, which may have been chance.
    Failed,
    /// The broker broke a promise: no second step changes that.
    Broken,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// A step at so many messages a second.
    Step(f64),
    /// Nothing more.
    Found(Found),
}

/// What a search comes to. Rates in messages a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// The highest that held and the lowest that did not, 5 % apart at most.
    Between { held: f64, failed: f64 },
    /// Every rate held, up to this one, the highest that is tried.
    AllHeld { held: f64 },
    /// None held, down to this one, the lowest that is tried.
    NoneHeld { failed: f64 },
    /// The steps that a search may make came to their end before.
    OutOfSteps {
        held: Option<f64>,
        failed: Option<f64>,
    },
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    range: Range,
    held: Option<f64>,
    failed: Option<f64>,
    /// Steps that failed in a row at the rate that is tried.
    failures: u32,
    steps: u32,
}

impl Search {
    /// A search that has not begun.
    pub fn new(range: Range) -> Self {
        Self {
            range,
            held: None,
            failed: None,
            failures: 0,
            steps: 0,
        }
    }

    /// The highest rate that held and the lowest that failed, by now.
    pub fn ends(&self) -> (Option<f64>, Option<f64>) {
        (self.held, self.failed)
    }

    /// Whether the next step is a second one at the same rate.
    pub fn is_again(&self) -> bool {
        self.failures > 0
    }

    /// What is to be done next.
    pub fn next(&self) -> Next {
        let Range { first, floor, cap } = self.range;
        let found = match (self.held, self.failed) {
            (Some(held), None) if held >= cap => Found::AllHeld { held },
            (None, Some(failed)) if failed <= floor => Found::NoneHeld { failed },
            (Some(held), Some(failed)) if failed <= held * WITHIN => {
                Found::Between { held, failed }
            }
            (held, failed) if self.steps >= STEPS_MAX => Found::OutOfSteps { held, failed },
            (None, None) => return Next::Step(first),
            (Some(held), None) => return Next::Step((held * FACTOR).min(cap)),
            (None, Some(failed)) => return Next::Step((failed / FACTOR).max(floor)),
            (Some(held), Some(failed)) => return Next::Step(rounded((held * failed).sqrt())),
        };
        Next::Found(found)
    }

    /// Notes how the step ended that [`Self::next`] asked for.
    pub fn handle_step(&mut self, ended: Ended) {
        let Next::Step(rate) = self.next() else {
            return;
        };
        self.steps += 1;
        match ended {
            Ended::Held => self.held = Some(rate),
            Ended::Failed if self.failures == 0 => {
                self.failures = 1;
                return;
            }
            Ended::Failed | Ended::Broken => self.failed = Some(rate),
        }
        self.failures = 0;
    }
}

/// Three digits, as far as 5 % need them.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.log10().floor() - 2.0);
    (rate / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Range = Range {
        first: 1000.0,
        floor: 40.0,
        cap: 10e6,
    };

    /// What a search comes to on a broker of which `step` tells how each step ends, and the rates that were tried.
    fn search(range: Range, mut step: impl FnMut(f64) -> Ended) -> (Found, Vec<f64>) {
        let mut search = Search::new(range);
        let mut rates = Vec::new();
        loop {
            match search.next() {
                Next::Step(rate) => {
                    rates.push(rate);
                    search.handle_step(step(rate));
                }
                Next::Found(found) => return (found, rates),
            }
        }
    }

    /// A broker that holds up to `knee`.
    fn up_to(knee: f64) -> impl FnMut(f64) -> Ended {
        move |rate| match rate <= knee {
            true => Ended::Held,
            false => Ended::Failed,
        }
    }

    /// Wherever the knee is, it is found within 5 %, and before the steps end.
    #[test]
    fn a_knee_is_found() {
        for knee in [
            41.0, 77.0, 500.0, 999.9, 1000.0, 1001.0, 1999.0, 2000.0, 123_456.0, 9.9e6,
        ] {
            let (found, rates) = search(RANGE, up_to(knee));

            let Found::Between { held, failed } = found else {
                panic!("{knee}: {found:?}");
            };
            assert!(held <= knee && knee < failed, "{knee}: {found:?}");
            assert!(failed <= held * 1.05, "{knee}: {found:?}");
            assert!(rates.len() < STEPS_MAX as usize, "{knee}: {rates:?}");
        }
    }

    /// The rates go up by doubling, and down by halving.
    #[test]
    fn both_ends_are_looked_for() {
        let (_, up) = search(RANGE, up_to(5000.0));
        let (_, down) = search(RANGE, up_to(300.0));

        assert_eq!(up[..4], [1000.0, 2000.0, 4000.0, 8000.0]);
        assert_eq!(down[..5], [1000.0, 1000.0, 500.0, 500.0, 250.0]);
    }

    /// What fails once and then holds has held: chance is not the broker's limit.
    #[test]
    fn a_step_that_fails_is_made_again() {
        let mut held = up_to(20_000.0);
        let mut noisy: Vec<f64> = Vec::new();
        let (found, rates) = search(RANGE, |rate| {
            // The first step at each rate is disturbed.
            match noisy.contains(&rate) {
                true => held(rate),
                false => {
                    noisy.push(rate);
                    Ended::Failed
                }
            }
        });

        let Found::Between { held, failed } = found else {
            panic!("{found:?}");
        };
        assert!(held <= 20_000.0 && 20_000.0 < failed, "{found:?}");
        assert_eq!(rates[..4], [1000.0, 1000.0, 2000.0, 2000.0]);
    }

    /// A broken promise is not chance.
    #[test]
    fn a_broken_promise_is_not_tried_again() {
        let (found, rates) = search(RANGE, |rate| match rate < 1500.0 {
            true => Ended::Held,
            false => Ended::Broken,
        });

        assert!(matches!(found, Found::Between { .. }), "{found:?}");
        for pair in rates.windows(2) {
            assert_ne!(pair[0], pair[1], "{rates:?}");
        }
    }

    /// Where none holds, the search goes down to the floor and ends.
    #[test]
    fn none_holds() {
        let (found, rates) = search(RANGE, |_| Ended::Failed);

        assert_eq!(found, Found::NoneHeld { failed: 40.0 });
        assert_eq!(rates.last(), Some(&40.0));
        assert!(rates.iter().all(|rate| *rate >= 40.0), "{rates:?}");
    }

    /// Where all hold, the search goes up to the cap and ends.
    #[test]
    fn all_hold_to_the_cap() {
        let (found, rates) = search(RANGE, |_| Ended::Held);

        assert_eq!(found, Found::AllHeld { held: 10e6 });
        assert!(rates.iter().all(|rate| *rate <= 10e6), "{rates:?}");
    }

    /// A search from far below its cap ends after so many steps, and says what it knew by then.
    #[test]
    fn the_number_of_steps_is_bounded() {
        let range = Range {
            first: 1e-12,
            floor: 1e-12,
            cap: 10e6,
        };
        let (found, rates) = search(range, |_| Ended::Held);

        assert_eq!(rates.len(), STEPS_MAX as usize);
        let held = rates.last().copied();
        assert_eq!(found, Found::OutOfSteps { held, failed: None });
    }

    /// Chance may contradict itself; what is known stays in order, and the search ends.
    #[test]
    fn ends_stay_in_order_whatever_the_steps_say() {
        for seed in 1..200_u64 {
            let mut state = seed;
            let (found, rates) = search(RANGE, |_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                match (state >> 33) % 3 {
                    0 => Ended::Failed,
                    1 => Ended::Held,
                    _ => Ended::Broken,
                }
            });

            assert!(rates.len() <= STEPS_MAX as usize, "{seed}: {rates:?}");
            if let Found::Between { held, failed } = found {
                assert!(held < failed, "{seed}: {found:?}");
            }
        }
    }
}
