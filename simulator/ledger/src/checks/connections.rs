//! `connections`: connections that should not have failed.

use squall_run::AnomalyKind;
use squall_scenario::ConnectionsClaim;

use super::Evidence;
use super::claim::Claims;
use crate::books::{GroupCounts, Ledger, Scope};

/// Judges one claim. Transports that limits of this machine refused do not count against the broker:
/// they make the run invalid instead.
pub(super) fn judge(claim: &ConnectionsClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    if let Some(group) = claim.group {
        claims.narrow(Scope {
            group: Some(group),
            ..Scope::default()
        });
    }
    let chosen: Vec<_> = chosen(claim, evidence.ledger).collect();
    let attempts: u64 = chosen.iter().map(|counts| counts.attempts).sum();
    let refused: u64 = chosen.iter().map(|counts| counts.refused_total()).sum();
    let unexpected: u64 = chosen.iter().map(|counts| counts.unexpected_total()).sum();
    let connected: u64 = chosen.iter().map(|counts| counts.connected).sum();
    claims.add_at_most(
        "refused",
        claim.refused,
        (attempts > 0).then_some(refused),
        &[AnomalyKind::ConnectionRefused],
    );
    claims.add_at_most(
        "unexpected_disconnects",
        claim.unexpected_disconnects,
        (connected > 0).then_some(unexpected),
        &[AnomalyKind::UnexpectedDisconnect],
    );
    claims
}

/// The counts of the groups that the claim is about.
pub(super) fn chosen<'a>(
    claim: &'a ConnectionsClaim,
    ledger: &'a Ledger,
) -> impl Iterator<Item = &'a GroupCounts> {
    let groups = ledger.connections.groups().iter().enumerate();
    let chosen = groups.filter(|(place, _)| {
        let group = claim.group;
        group.is_none_or(|group| usize::from(group.0) == *place)
    });
    chosen.map(|(_, counts)| counts)
}
