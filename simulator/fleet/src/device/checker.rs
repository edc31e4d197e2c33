//! A checker: a device that the fleet adds at the end of a run, to see what is retained.
//!
//! It subscribes once to the filter of one `retained` expectation. The broker sends what is
//! retained at once (§3.3.1.3), some of it perhaps before SUBACK (§3.8.4); [`QUIET`] after SUBACK and
//! the last message that came, the checker has it all. A broker that goes on sending does not hold up
//! the run: the fleet ends the phase (`phases`).

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::{Instant, ReasonCode, packet::SubscriptionOptions};
use squall_scenario::SubscribeTimes;

use super::subscribing::Subscriptions;
use super::turn::Turn;
use super::{Device, Identity, Presence, Profile};
use crate::observation::{About, Fact, RetainedFact, Unchecked, Wanted};

/// After this long without a message the checker takes what it has for complete.
const QUIET: Duration = Duration::from_secs(1);

/// What a checker is doing.
#[derive(Debug)]
pub(super) struct Check {
    expectation: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// SUBACK has not come.
    Asking,
    /// SUBACK has come; the last message, or SUBACK itself, came at this moment.
    HeardAt(Instant),
    /// The result was told.
    Concluded,
}

impl Check {
    /// The `[[expect]]` that it belongs to, counted from 0 in file order.
    pub(super) fn expectation(&self) -> usize {
        self.expectation
    }

    /// A retained message came.
    pub(super) fn note_found(&mut self, now: Instant) {
        match self.state {
            State::HeardAt(_) => self.state = State::HeardAt(now),
            // What it has does not stand in for SUBACK.
            State::Asking | State::Concluded => {}
        }
    }

    /// When the checker has waited long enough.
    pub(super) fn next_due(&self) -> Option<Instant> {
        match self.state {
            State::HeardAt(at) => Some(at + QUIET),
            State::Asking | State::Concluded => None,
        }
    }
}

impl Device {
    /// A checker of `filter` for the `[[expect]]` number `expectation`.
    pub(crate) fn new_checker(
        identity: Identity,
        profile: Rc<Profile>,
        expectation: usize,
        filter: &str,
    ) -> Self {
        let draws = identity.draws;
        let mut device = Self::new(identity, profile);
        device.subscriptions = Subscriptions::new(
            vec![(
                Wanted {
                    filter: filter.to_owned(),
                    options: SubscriptionOptions::default(),
                    identifier: None,
                },
                SubscribeTimes::default(),
            )],
            draws,
        );
        device.check = Some(Check {
            expectation,
            state: State::Asking,
        });
        device
    }

    /// SUBACK came: what is retained follows, unless the filter was refused.
    pub(super) fn note_subscribed(&mut self, turn: &mut Turn<'_>, reasons: &[ReasonCode]) {
        let is_refused = reasons.iter().any(|reason| reason.is_error());
        let Some(check) = &mut self.check else {
            return;
        };
        if is_refused {
            self.give_check_up(turn, Unchecked::Refused);
        } else if check.state == State::Asking {
            check.state = State::HeardAt(turn.now);
        }
    }

    /// Tells the result once there is one, or that there will be none.
    pub(super) fn conclude_check(&mut self, turn: &mut Turn<'_>) {
        let is_gone = matches!(self.presence, Presence::Gone | Presence::Leaving);
        let Some(check) = &mut self.check else {
            return;
        };
        let is_due = check.next_due().is_some_and(|at| at <= turn.now);
        if is_due {
            let expectation = check.expectation;
            check.state = State::Concluded;
            turn.shared.census.checked += 1;
            tell(turn, RetainedFact::Complete { expectation });
        } else if is_gone {
            self.give_check_up(turn, Unchecked::Gone);
        }
    }

    /// Tells that there will be no result; nothing happens if there is one, or if it is not a checker.
    pub(crate) fn give_check_up(&mut self, turn: &mut Turn<'_>, why: Unchecked) {
        let Some(check) = &mut self.check else {
            return;
        };
        if check.state == State::Concluded {
            return;
        }
        check.state = State::Concluded;
        let expectation = check.expectation;
        turn.shared.census.checked += 1;
        tell(turn, RetainedFact::Unknown { expectation, why });
    }
}

/// Tells what a checker found. The fact is about the run: a checker is not a device of a group.
pub(super) fn tell(turn: &mut Turn<'_>, found: RetainedFact<'_>) {
    turn.observe(About::Run, Fact::Retained(found));
}
