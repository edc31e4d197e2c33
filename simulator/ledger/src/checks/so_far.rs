//! What is broken for good while a run goes on: a claim that something happens at most so often, when it has happened more
//! often. What is missing could still come, so it is known at the end only.

use squall_run::count_text;
use squall_scenario::{ConnectionsClaim, DeliveryClaim, Expectation, Scenario};

use super::{connections, delivery, quota, selection};
use crate::books::{GroupCounts, Ledger};

/// One claim that something happens at most so often.
#[derive(Clone, Copy, Debug)]
struct AtMost {
    /// Its key.
    key: &'static str,
    /// What the file allows; `None` without the claim.
    limit: Option<u64>,
    /// How often it has happened.
    found: u64,
}

impl AtMost {
    fn is_broken(self) -> bool {
        self.limit.is_some_and(|limit| self.found > limit)
    }
}

/// What is known of a claim or a threshold before the run is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimSoFar {
    /// As [`squall_run::JudgedClaim::name`] where it is listed alone; of a check whose keys are found out at the end, the check with
    /// what it is narrowed to.
    pub name: String,
    /// What was found up to now: `0`, `2.63 s`. `None` where there is nothing yet, or where that is not known before the end.
    pub found: Option<String>,
    /// What is allowed: `at most 0`, `< 4.00 s`.
    pub limit: Option<String>,
    /// Where it stands.
    pub state: StateSoFar,
}

/// Where a claim or a threshold stands before the run is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StateSoFar {
    /// It is not broken.
    Held,
    /// A claim is broken for good; a threshold is broken by what was measured up to now.
    Broken,
    /// There is nothing to judge it by yet.
    Open,
    /// What is missing could still come: it is judged when the run is over.
    AtTheEnd,
}

/// The first claim in file order that is broken whatever comes, in words.
pub(crate) fn broken_claim(scenario: &Scenario, ledger: &Ledger) -> Option<String> {
    scenario
        .expectations
        .iter()
        .enumerate()
        .find_map(|(number, expectation)| {
            let broken = claims(number, expectation, ledger)
                .into_iter()
                .find(|claim| claim.is_broken())?;
            let (check, key, found) = (
                expectation.check_name(),
                broken.key,
                count_text(broken.found),
            );
            Some(format!("{check}: {key} is {found} already"))
        })
}

/// Every claim in file order, as far as it is known now.
pub(crate) fn claims_so_far(scenario: &Scenario, ledger: &Ledger) -> Vec<ClaimSoFar> {
    let expectations = scenario.expectations.iter().enumerate();
    let all = expectations.flat_map(|(number, expectation)| {
        let selection = selection::of(expectation, scenario).into_iter();
        let selection: String = selection
            .map(|(key, value)| format!(" {key}={value}"))
            .collect();
        let name = format!("{}{selection}", expectation.check_name());
        let made = claims(number, expectation, ledger).into_iter();
        let made = made.filter_map(|claim| Some((claim, claim.limit?)));
        let mut lines: Vec<ClaimSoFar> = made
            .map(|(claim, limit)| ClaimSoFar {
                name: format!("{name} {}", claim.key),
                found: Some(count_text(claim.found)),
                limit: Some(format!("at most {}", count_text(limit))),
                state: match claim.is_broken() {
                    true => StateSoFar::Broken,
                    false => StateSoFar::Held,
                },
            })
            .collect();
        lines.extend(at_the_end(expectation).into_iter().map(|key| ClaimSoFar {
            name: match key {
                Some(key) => format!("{name} {key}"),
                None => name.clone(),
            },
            found: None,
            limit: None,
            state: StateSoFar::AtTheEnd,
        }));
        lines
    });
    all.collect()
}

/// The keys of an expectation that are judged at the end only; `None` for one whose keys are found out then.
fn at_the_end(expectation: &Expectation) -> Vec<Option<&'static str>> {
    let made = |key, is_made: bool| is_made.then_some(Some(key));
    match expectation {
        Expectation::Delivery(claim) => made("lost", claim.lost.is_some()).into_iter().collect(),
        Expectation::Connections(_) | Expectation::Quota(_) => Vec::new(),
        Expectation::Expiry(claim) => {
            let made = made("remaining", claim.remaining_correct);
            made.into_iter().collect()
        }
        Expectation::Response(claim) => {
            let answered = made("answered", claim.answered).into_iter();
            let within = made("within", claim.within.is_some());
            answered.chain(within).collect()
        }
        Expectation::Will(_)
        | Expectation::Retained(_)
        | Expectation::Takeover(_)
        | Expectation::Qos2Handshake(_)
        | Expectation::Network(_)
        | Expectation::KeepAlive(_)
        | Expectation::Session(_)
        | Expectation::Shared(_)
        | Expectation::Malformed(_) => vec![None],
    }
}

fn claims(number: usize, expectation: &Expectation, ledger: &Ledger) -> Vec<AtMost> {
    match expectation {
        Expectation::Delivery(claim) => of_delivery(claim, ledger),
        Expectation::Connections(claim) => of_connections(claim, ledger),
        Expectation::Quota(claim) => {
            let found = quota::counted(claim, ledger).map(|counts| counts.exceeded);
            vec![AtMost {
                key: "receive_maximum",
                limit: claim.receive_maximum_kept.then_some(0),
                found: found.sum(),
            }]
        }
        Expectation::Expiry(claim) => vec![AtMost {
            key: "never_after",
            limit: claim.never_after.then_some(0),
            found: ledger.deliveries.expiry_counts(number).late,
        }],
        Expectation::Response(claim) => vec![AtMost {
            key: "misdirected",
            limit: claim.misdirected,
            found: ledger.responses.counts().misdirected,
        }],
        // They are about what must be, and by when: the books say that at the end.
        Expectation::Will(_)
        | Expectation::Retained(_)
        | Expectation::Takeover(_)
        | Expectation::Qos2Handshake(_)
        | Expectation::Network(_)
        | Expectation::KeepAlive(_)
        | Expectation::Session(_)
        | Expectation::Shared(_)
        | Expectation::Malformed(_) => Vec::new(),
    }
}

fn of_delivery(claim: &DeliveryClaim, ledger: &Ledger) -> Vec<AtMost> {
    let all = ledger.books().sum(|key| delivery::is_chosen(claim, key));
    [
        ("duplicated", claim.duplicated, all.forbidden),
        ("reordered", claim.reordered, all.reordered),
        ("misrouted", claim.misrouted, all.misrouted),
        ("corrupted", claim.corrupted, all.corrupted),
        ("mislabelled", claim.mislabelled, all.mislabelled),
        ("late", claim.late, all.late_unasked),
    ]
    .map(|(key, limit, found)| AtMost { key, limit, found })
    .into()
}

fn of_connections(claim: &ConnectionsClaim, ledger: &Ledger) -> Vec<AtMost> {
    let chosen = || connections::chosen(claim, ledger);
    let refused = chosen().map(GroupCounts::refused_total).sum();
    let unexpected = chosen().map(GroupCounts::unexpected_total).sum();
    [
        ("refused", claim.refused, refused),
        (
            "unexpected_disconnects",
            claim.unexpected_disconnects,
            unexpected,
        ),
    ]
    .map(|(key, limit, found)| AtMost { key, limit, found })
    .into()
}
