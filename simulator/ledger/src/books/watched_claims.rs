//! Claims that cannot be judged from totals: the books compare them as things happen.

use squall_scenario::{Expectation, Scenario};

use super::deliveries::ExpiryLimit;
use super::provocations::ProvocationLimit;
use super::responses::ResponseLimit;
use super::silences::SilenceLimit;
use super::takeovers::TakeoverLimits;
use super::wills::WillLimit;

/// Claims that must be compared while a run goes on.
#[derive(Clone, Debug, Default)]
pub struct WatchedClaims {
    pub(crate) wills: Vec<WillLimit>,
    pub(crate) takeovers: Vec<TakeoverLimits>,
    pub(crate) responses: Vec<ResponseLimit>,
    pub(crate) silences: Vec<SilenceLimit>,
    pub(crate) expiries: Vec<ExpiryLimit>,
    pub(crate) provocations: Vec<ProvocationLimit>,
}

impl WatchedClaims {
    /// Those of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let mut watched = Self::default();
        for (expectation, claim) in scenario.expectations.iter().enumerate() {
            match claim {
                Expectation::Will(claim) => {
                    for &fault in &claim.after {
                        let Some(how) = scenario.fault(fault).drop_kind() else {
                            continue;
                        };
                        watched
                            .wills
                            .extend(claim.within.get(&how).map(|&limit| WillLimit {
                                expectation,
                                fault,
                                how,
                                limit,
                            }));
                    }
                }
                Expectation::Takeover(claim) => watched.takeovers.push(TakeoverLimits {
                    expectation,
                    alive: claim.alive_per_client_id,
                    closed_within: claim.displaced_closed_within,
                    reason: claim.reason,
                }),
                Expectation::KeepAlive(claim) => watched.silences.push(SilenceLimit {
                    expectation,
                    closed_within: claim.closed_within,
                }),
                Expectation::Response(claim) => {
                    let limit = claim.within.map(|within| ResponseLimit {
                        expectation,
                        within,
                    });
                    watched.responses.extend(limit);
                }
                Expectation::Malformed(claim) => watched.provocations.push(ProvocationLimit {
                    expectation,
                    closed_within: claim.closed_within,
                }),
                Expectation::Expiry(claim) => watched.expiries.push(ExpiryLimit {
                    expectation,
                    tolerance: claim.tolerance,
                }),
                Expectation::Session(_)
                | Expectation::Shared(_)
                | Expectation::Quota(_)
                | Expectation::Delivery(_)
                | Expectation::Retained(_)
                | Expectation::Qos2Handshake(_)
                | Expectation::Network(_)
                | Expectation::Connections(_) => {}
            }
        }
        watched
    }
}
