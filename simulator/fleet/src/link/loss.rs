//! Which transmissions of one direction are lost.
//!
//! The two-state chain lives in time, as Gilbert's does: it steps once per slot of [`SLOT`], not
//! once per segment, so a sparse flow does not meet one burst for minutes and a retransmission
//! finds the channel where time has taken it. The share of lost segments is the same.
//!
//! Source: E. N. Gilbert, "Capacity of a Burst-Noise Channel", BSTJ 39, 1960.

use std::time::Duration;

use rand::RngExt;
use squall_protocol::Instant;
use squall_scenario::Loss;

use crate::random::Generator;

/// One step of the chain: about the time that a full frame takes at 1 Mbit/s.
const SLOT: Duration = Duration::from_millis(10);
/// Steps after which the chain has forgotten where it was, whatever its probabilities.
const STEPS_MAX: u64 = i32::MAX as u64;

/// Whether the channel carries or loses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Good,
    Bad,
}

/// The losses of one direction of one link.
#[derive(Debug)]
pub(super) struct LossProcess {
    state: State,
    slot: u64,
    rng: Generator,
}

impl LossProcess {
    /// Begins in the good state at the start of the run.
    pub(super) fn new(rng: Generator) -> Self {
        Self {
            state: State::Good,
            slot: 0,
            rng,
        }
    }

    /// Transmissions that are lost before one gets through, the first of them at `first`.
    ///
    /// `wait` gives the time from a lost transmission to the next, by the number of losses so
    /// far, which count from 1; `None` gives up losing. Calls must not go back in `first`.
    pub(super) fn losses(
        &mut self,
        loss: &Loss,
        first: Instant,
        mut wait: impl FnMut(u32) -> Option<Duration>,
    ) -> u32 {
        match *loss {
            Loss::Independent(probability) => {
                let mut losses = 0;
                while probability > 0.0 && self.rng.random::<f64>() < probability {
                    losses += 1;
                    if wait(losses).is_none() {
                        break;
                    }
                }
                losses
            }
            Loss::GilbertElliott {
                good_to_bad,
                bad_to_good,
            } => {
                let chain = Chain {
                    good_to_bad,
                    bad_to_good,
                };
                let slot = slot_of(first);
                self.state = chain.step(self.state, slot.saturating_sub(self.slot), &mut self.rng);
                self.slot = self.slot.max(slot);
                // Retransmissions look ahead on a copy: the next segment may come before them.
                let (mut state, mut at, mut losses) = (self.state, first, 0);
                while state == State::Bad {
                    losses += 1;
                    let Some(pause) = wait(losses) else { break };
                    let before = slot_of(at);
                    at += pause;
                    state = chain.step(state, slot_of(at) - before, &mut self.rng);
                }
                losses
            }
        }
    }
}

fn slot_of(at: Instant) -> u64 {
    at.as_nanos() / SLOT.as_nanos() as u64
}

/// Probabilities of the two-state chain.
struct Chain {
    good_to_bad: f64,
    bad_to_good: f64,
}

impl Chain {
    /// The state `steps` steps after `state`, drawn in one go: the probability to be bad decays
    /// to its long-run value by `1 - good_to_bad - bad_to_good` a step.
    fn step(&self, state: State, steps: u64, rng: &mut Generator) -> State {
        if steps == 0 {
            return state;
        }
        let sum = self.good_to_bad + self.bad_to_good;
        let in_the_long_run = self.good_to_bad / sum;
        let steps = i32::try_from(steps.min(STEPS_MAX)).unwrap_or(i32::MAX);
        let memory = (1.0 - sum).powi(steps);
        let now_bad = match state {
            State::Good => 0.0,
            State::Bad => 1.0,
        };
        let probability = in_the_long_run + (now_bad - in_the_long_run) * memory;
        if rng.random::<f64>() < probability {
            State::Bad
        } else {
            State::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Draws, Purpose};

    fn process(seed: u64) -> LossProcess {
        LossProcess::new(Draws::of_device(seed, "g", 0).generator(Purpose::Loss, 0))
    }

    fn at_ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// Share of `segments` segments, one each `gap_ms`, whose first transmission is lost.
    fn measured_share(loss: &Loss, gap_ms: u64, segments: u64) -> f64 {
        let mut process = process(3);
        let lost = (1..=segments)
            .filter(|n| process.losses(loss, at_ms(n * gap_ms), |_| None) > 0)
            .count();
        lost as f64 / segments as f64
    }

    /// The long-run share does not depend on how often the channel is used.
    #[test]
    fn the_share_of_losses_is_the_expected_one_at_any_rate() {
        let loss = Loss::GilbertElliott {
            good_to_bad: 0.02,
            bad_to_good: 0.25,
        };

        for gap_ms in [1, 10, 1000] {
            let measured = measured_share(&loss, gap_ms, 200_000);

            assert!(
                (measured / loss.expected() - 1.0).abs() < 0.1,
                "{measured} of {} at a gap of {gap_ms} ms",
                loss.expected()
            );
        }
    }

    /// Independent losses have no memory.
    #[test]
    fn independent_losses_have_their_probability() {
        let measured = measured_share(&Loss::Independent(0.05), 1, 200_000);

        assert!((measured / 0.05 - 1.0).abs() < 0.05, "{measured}");
    }

    /// Bursts are the point of the chain: 1 / bad_to_good slots on average.
    #[test]
    fn bad_slots_come_in_bursts_of_the_configured_mean_length() {
        let loss = Loss::GilbertElliott {
            good_to_bad: 0.01,
            bad_to_good: 0.2,
        };
        let mut process = process(4);
        let lost: Vec<bool> = (1..=500_000)
            .map(|n| process.losses(&loss, at_ms(10 * n), |_| None) > 0)
            .collect();

        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let slots = lost.iter().filter(|&&lost| lost).count();

        let mean = slots as f64 / bursts as f64;
        assert!((mean / 5.0 - 1.0).abs() < 0.1, "{mean} slots a burst");
    }

    /// A retransmission long after a burst meets a channel that has forgotten it.
    #[test]
    fn a_late_retransmission_is_lost_as_rarely_as_any() {
        let loss = Loss::GilbertElliott {
            good_to_bad: 0.01,
            bad_to_good: 0.2,
        };
        let mut process = process(5);
        let (mut once, mut again) = (0, 0);

        for n in 1..=200_000 {
            let losses = process.losses(&loss, at_ms(1_000 * n), |_| Some(Duration::from_secs(1)));
            once += u32::from(losses > 0);
            again += u32::from(losses > 1);
        }

        let share = f64::from(again) / f64::from(once);
        assert!((share - loss.expected()).abs() < 0.01, "{share}");
    }
}
