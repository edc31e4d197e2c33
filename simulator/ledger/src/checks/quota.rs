//! `quota`: the broker keeps to the Receive Maximum of each device (§4.9).

use squall_run::AnomalyKind;
use squall_scenario::{GroupId, QuotaClaim};

use super::Evidence;
use super::claim::{Claims, Word};
use crate::books::{Ledger, QuotaCounts, Scope};

/// Judges one claim.
pub(super) fn judge(claim: &QuotaClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    if let Some(group) = claim.group {
        claims.narrow(Scope {
            group: Some(group),
            ..Scope::default()
        });
    }
    let (mut came, mut exceeded) = (0, 0);
    for counts in counted(claim, evidence.ledger) {
        came += counts.came;
        exceeded += counts.exceeded;
    }
    if claim.receive_maximum_kept {
        claims.add_word(
            Word {
                key: "receive_maximum",
                word: "kept",
                wrong: exceeded,
                of: came.max(exceeded),
                unjudged: None,
            },
            &[AnomalyKind::QuotaExceeded],
        );
    }
    claims
}

/// The counts of the groups that the claim is about.
pub(super) fn counted(claim: &QuotaClaim, ledger: &Ledger) -> impl Iterator<Item = QuotaCounts> {
    let groups = (0..).map(GroupId).take(ledger.connections.groups().len());
    let chosen = groups.filter(|group| claim.group.is_none_or(|only| only == *group));
    chosen.map(|group| ledger.quotas.of(group))
}
