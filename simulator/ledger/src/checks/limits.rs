//! Claims that the ledger must compare while things happen.

use squall_scenario::{Expectation, FaultAction, Scenario};

use crate::books::{Limits, TakeoverLimits, WillLimit};

/// The limits of a scenario's claims that cannot be judged from totals.
pub(crate) fn limits_of(scenario: &Scenario) -> Limits {
    let mut limits = Limits::default();
    for (expectation, claim) in scenario.expectations.iter().enumerate() {
        match claim {
            Expectation::Will(claim) => {
                for &fault in &claim.after {
                    let FaultAction::Drop(how) = scenario.fault(fault).action else {
                        continue;
                    };
                    limits
                        .wills
                        .extend(claim.within.get(&how).map(|&limit| WillLimit {
                            expectation,
                            fault,
                            how,
                            limit,
                        }));
                }
            }
            Expectation::Takeover(claim) => limits.takeovers.push(TakeoverLimits {
                expectation,
                alive: claim.alive_per_client_id,
                closed_within: claim.displaced_closed_within,
                reason: claim.reason,
            }),
            Expectation::Delivery(_)
            | Expectation::Retained(_)
            | Expectation::Qos2Handshake(_)
            | Expectation::Network(_)
            | Expectation::Connections(_) => {}
        }
    }
    limits
}
