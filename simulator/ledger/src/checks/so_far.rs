//! What is broken for good while a run goes on: a claim that something happens at most so often, when it has happened more
//! often. What is missing could still come, so it is known at the end only.

use squall_run::count_text;
use squall_scenario::{ConnectionsClaim, DeliveryClaim, Expectation, Scenario};

use super::{connections, delivery, quota};
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

/// The first claim in file order that is broken whatever comes, in words.
pub(crate) fn broken_claim(scenario: &Scenario, ledger: &Ledger) -> Option<String> {
    scenario
        .expectations
        .iter()
        .enumerate()
        .find_map(|(number, expectation)| {
            let broken = claims(number, expectation, ledger)
                .into_iter()
                .find(|claim| claim.limit.is_some_and(|limit| claim.found > limit))?;
            let (check, key, found) = (
                expectation.check_name(),
                broken.key,
                count_text(broken.found),
            );
            Some(format!("{check}: {key} is {found} already"))
        })
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
