//! `session`: what the broker keeps of a client that is away, and whether it says so (§4.1, §3.2.2.1.1).

use squall_run::{AnomalyKind, count_text};
use squall_scenario::SessionClaim;

use super::Evidence;
use super::claim::{Claims, Word};
use super::takeover::judge_session_present;

/// Judges one claim.
pub(super) fn judge(claim: &SessionClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    if claim.present_correct {
        let judged = judge_session_present("present", evidence.ledger.takeovers.counts());
        claims.add(judged, &[AnomalyKind::SessionPresent]);
    }
    if claim.backlog_complete {
        let backlog = evidence.ledger.deliveries.backlog();
        let coming = (backlog.lost == 0 && backlog.coming > 0).then(|| {
            format!(
                "{} messages that had waited had not come when the run ended, and could come still: make `run.drain` longer",
                count_text(backlog.coming)
            )
        });
        let late = (backlog.lost == 0 && backlog.late > 0).then(|| {
            format!(
                "{} messages that had waited had not come long after their Session was back, when it unsubscribed or left: whether \
                 the broker had them still is not known; let subscriptions and Sessions stay for longer",
                count_text(backlog.late)
            )
        });
        let unjudged = coming.or(late);
        claims.add_word(
            Word {
                key: "backlog",
                word: "complete",
                wrong: backlog.lost,
                of: backlog.lost + backlog.came,
                unjudged,
            },
            &[AnomalyKind::Lost],
        );
    }
    claims
}
