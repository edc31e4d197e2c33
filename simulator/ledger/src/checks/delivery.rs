//! `delivery`: every acknowledged message reaches the Sessions that it is owed to.
//!
//! With `qos`, only messages published at that level count. Without it, QoS 0 is left out of
//! `lost`: at most once is not a promise to deliver (§4.3.1). With `qos = 0` a message is lost if
//! every connection on its way was up to the end and it did not come all the same. What nothing overtook, and was under way
//! for a short time when the run ended, could come still: then it is not judged (`books::deliveries::tail`).
//!
//! `misrouted` counts messages that no subscription asked for, `corrupted` those with another payload, Content Type or
//! User Properties than was published, `mislabelled` those at another QoS or with a wrong flag. A corrupted message was
//! not delivered: who claims `lost` or `misrouted` claims `corrupted = 0` too, unless the file says otherwise, and
//! who claims `misrouted` claims `mislabelled = 0`.
//!
//! What bears no stamp of this run says nothing about the run: a claim without any other delivery is
//! not judged.
//!
//! `duplicated` counts repeats that are forbidden: by the QoS, or, at QoS 1, because the publisher sent the message once, and
//! it had come on the same connection before (in MQTT 5.0 [MQTT-4.4.0-1]), the copy has no DUP [MQTT-3.3.1-1], or the Session
//! is over that had it [MQTT-3.1.2-4]. Where every message that
//! came was allowed to come again there is nothing to judge it by.

use squall_protocol::QoS;
use squall_run::{AnomalyKind, Value, count_text, duration_text};
use squall_scenario::DeliveryClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::{Excuse, Scope, Tally, TallyKey};

/// What tells each message apart.
pub(crate) const APART: &str = "`stamp = \"payload\"` or \"property\" lets each be told apart";

/// Claims that are about messages with a stamp only.
pub(crate) const TOLD_BY_STAMPS: [&str; 5] =
    ["reordered", "misrouted", "corrupted", "mislabelled", "late"];

/// Judges one claim.
pub(super) fn judge(claim: &DeliveryClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    claims.narrow(Scope {
        group: claim.group,
        qos: claim.qos,
        ..Scope::default()
    });
    let books = evidence.ledger.books();
    let is_chosen = |key: TallyKey| is_chosen(claim, key);
    let all = books.sum(is_chosen);
    let owed =
        books.sum(|key| is_chosen(key) && (claim.qos.is_some() || key.owed > QoS::AtMostOnce));
    let may_break = books.sum(|key| {
        is_chosen(key) && key.published != QoS::AtLeastOnce && key.owed != QoS::AtLeastOnce
    });
    let if_received = |count: u64| (all.of_this_run() > 0).then_some(count);
    add_lost(&mut claims, claim, &owed);
    let has_judged =
        may_break.of_this_run() + all.unrepeatable + all.forbidden + all.counted_once > 0;
    add_duplicated(
        &mut claims,
        claim,
        &all,
        has_judged.then_some(all.forbidden),
    );
    add_reordered(&mut claims, claim, &all);
    add_wrong(&mut claims, claim, &all);
    // What is late waited for a connection that had ended: of those that the scenario ended it is not the
    // broker's.
    claims.add_at_most(
        "late",
        claim.late,
        if_received(all.late_unasked),
        &[AnomalyKind::UnexpectedDisconnect],
    );
    if all.unstamped > 0 {
        explain_unstamped(&mut claims, &all);
    }
    claims
}

/// Says what is judged of messages with a stamp only, where others came.
fn explain_unstamped(claims: &mut Claims, all: &Tally) {
    claims.each_judged_of(&TOLD_BY_STAMPS, "with a stamp");
    claims.explain_unjudged(&format!(
        "the {} messages that came bear no stamp: their order, contents and delays are not known; `stamp = \"payload\"` lets each \
         be told apart",
        count_text(all.unstamped)
    ));
}

/// Whether the claim is about what `key` counts.
pub(super) fn is_chosen(claim: &DeliveryClaim, key: TallyKey) -> bool {
    claim.qos.is_none_or(|qos| qos == key.published)
        && claim.group.is_none_or(|group| group == key.group)
}

/// What was retained and did not come may have been cleared by another client, or lost by the broker, and what was under
/// way for a short time when the run ended may come still: where it may be either, nothing was found to be right.
fn add_lost(claims: &mut Claims, claim: &DeliveryClaim, owed: &Tally) {
    let Some(limit) = claim.lost else {
        return;
    };
    let holds = owed.lost <= limit;
    let unasked = owed.excused[Excuse::EndedUnasked as usize];
    let ended = (holds && unasked > 0).then(|| {
        format!(
            "{} messages were owed to Sessions that ended with connections which nothing asked the broker to close: whether they \
             would have come is not known; claim `unexpected_disconnects = 0` in a `connections` check, or let the Sessions \
             outlive their connections (`clean_start = false`, `session_expiry`)",
            count_text(unasked)
        )
    });
    let cleared = (holds && owed.perhaps_cleared > 0).then(|| {
        format!(
            "{} retained messages that SUBSCRIBE asked for did not come: cleared by another client, or lost by the broker (the anomalies name them); \
             give the run topics of its own, or a broker of its own",
            count_text(owed.perhaps_cleared)
        )
    });
    let unjudged = ended
        .or(cleared)
        .or(uncounted_losses(owed, limit))
        .or(given_up(owed, limit))
        .or(with_members(owed, limit))
        .or(coming(owed, limit));
    let has_something = owed.expected() > 0 && unjudged.is_none();
    let judged = Judged {
        key: "lost".to_owned(),
        limit: Value::Count(limit),
        actual: has_something.then_some(Value::Count(owed.lost)),
        violations: owed.lost,
        holds,
        unjudged,
    };
    claims.add(judged, &[AnomalyKind::Lost]);
    if claim.qos.is_none() {
        claims.judged_of("owed at QoS 1 and 2");
    }
}

/// Why it is not known whether more than `limit` were lost, if that hangs on messages that bear no stamp.
fn uncounted_losses(owed: &Tally, limit: u64) -> Option<String> {
    let may_break = owed.lost <= limit && owed.lost + owed.unjudged_lost.total() > limit;
    may_break.then(|| {
        format!(
            "counts do not tell whether {} messages without a stamp were lost: {}; {}{APART}",
            count_text(owed.unjudged_lost.total()),
            owed.unjudged_lost.told(),
            owed.unjudged_lost.remedies()
        )
    })
}

/// Why it is not known whether more than `limit` came twice, if that hangs on messages that bear no stamp.
fn uncounted_copies(all: &Tally, limit: u64) -> Option<String> {
    let may_break = all.forbidden <= limit && all.forbidden + all.unjudged_copies.total() > limit;
    may_break.then(|| {
        format!(
            "counts do not tell whether {} messages without a stamp came twice: {}; {}{APART}",
            count_text(all.unjudged_copies.total()),
            all.unjudged_copies.told(),
            all.unjudged_copies.remedies()
        )
    })
}

/// Why it is not known whether more than `limit` were lost, if that hangs on what was late when subscriptions, Sessions and
/// connections ended.
fn given_up(owed: &Tally, limit: u64) -> Option<String> {
    let excused = |why: Excuse| owed.excused[why as usize];
    let left = excused(Excuse::UnsubscribedLate) + excused(Excuse::LeftLate);
    let cut = excused(Excuse::ConnectionLostLate);
    let may_break = owed.lost <= limit && owed.lost + left + cut > limit;
    let of_those_who_left = (left > 0).then(|| {
        format!(
            "{} when their recipient unsubscribed or left: let subscriptions (`churn.on`, `until`) stay for longer, or let Sessions \
             outlive their connections (`clean_start = false`, `session_expiry`) and their devices come back",
            count_text(left)
        )
    });
    let on_lost_connections = (cut > 0).then(|| {
        format!(
            "{} at QoS 0 when a connection on their way was lost: let connections stay for longer, or publish and subscribe at QoS 1",
            count_text(cut)
        )
    });
    let parts: Vec<String> = of_those_who_left
        .into_iter()
        .chain(on_lost_connections)
        .collect();
    may_break.then(|| {
        format!(
            "{} messages had been under way for more than 250 ms, and for long against what came before, and whether the broker \
             had them queued, or had lost them, is not known: {}",
            count_text(left + cut),
            parts.join("; ")
        )
    })
}

/// Why it is not known whether more than `limit` were lost, if that hangs on members of shared subscriptions that were lost or away.
fn with_members(owed: &Tally, limit: u64) -> Option<String> {
    let late = |excuse: &&Excuse| excuse.is_late();
    let excused = Excuse::ALL.iter().filter(late);
    let excused: u64 = excused.map(|&why| owed.excused[why as usize]).sum();
    let perhaps = owed.excused[Excuse::MemberLostLate as usize];
    let may_break = perhaps > 0 && owed.lost <= limit && owed.lost + excused > limit;
    may_break.then(|| {
        format!(
            "{} messages of shared subscriptions reached no member, and may have been with one that was lost long after they were sent, \
             or wait for one that is away: whether the broker had lost them is not known; let members stay for longer, and come back",
            count_text(perhaps)
        )
    })
}

/// Why it is not known whether more than `limit` were lost, if that hangs on what could come still.
fn coming(owed: &Tally, limit: u64) -> Option<String> {
    let coming = owed.excused[Excuse::ComingStill as usize];
    let may_break = owed.lost <= limit && owed.lost + coming > limit;
    may_break.then(|| {
        format!(
            "{} messages had not come when the run ended, and could come still: no later one of their publisher and topic came, \
             and they were not under way for long against what came before; the run must go on for {} more: make `run.drain` longer",
            count_text(coming),
            duration_text(owed.short_by.as_secs_f64())
        )
    })
}

/// At QoS 1 a broker may send a message again, with DUP, after a reconnect, and in MQTT 3.1.1 at any time: only what
/// is forbidden counts.
fn add_duplicated(claims: &mut Claims, claim: &DeliveryClaim, all: &Tally, found: Option<u64>) {
    let Some(limit) = claim.duplicated else {
        return;
    };
    let unjudged = (found.is_none() && all.of_this_run() > 0).then(|| {
        format!(
            "{} deliveries at QoS 1, each of which was allowed to come again, and none at QoS 0 or 2",
            count_text(all.of_this_run())
        )
    });
    let uncounted = uncounted_copies(all, limit);
    let is_uncounted = uncounted.is_some();
    let unjudged = uncounted.or(unjudged);
    let found = found.filter(|_| !is_uncounted);
    let judged = Judged {
        key: "duplicated".to_owned(),
        limit: Value::Count(limit),
        actual: found.map(Value::Count),
        violations: all.forbidden,
        holds: all.forbidden <= limit && (found.is_some() || is_uncounted),
        unjudged,
    };
    claims.add(judged, &[AnomalyKind::Duplicated]);
}

/// What came late may have been a lost member's: where it may be either, nothing was found to be right.
fn add_reordered(claims: &mut Claims, claim: &DeliveryClaim, all: &Tally) {
    let Some(limit) = claim.reordered else {
        return;
    };
    let found = (all.of_this_run() > 0).then_some(all.reordered);
    let holds = found.is_some_and(|found| found <= limit);
    let may_break = holds && all.reordered + all.perhaps_reordered > limit;
    let unjudged = may_break.then(|| {
        format!(
            "{} messages of shared subscriptions came after later ones, and whether a member that was lost had had them before is not \
             known: let members stay for longer",
            count_text(all.perhaps_reordered)
        )
    });
    let judged = Judged {
        key: "reordered".to_owned(),
        limit: Value::Count(limit),
        actual: found.filter(|_| !may_break).map(Value::Count),
        violations: all.reordered,
        holds,
        unjudged,
    };
    claims.add(judged, &[AnomalyKind::Reordered]);
}

/// What no subscription asked for, and what came otherwise than it must.
fn add_wrong(claims: &mut Claims, claim: &DeliveryClaim, all: &Tally) {
    let misrouted = Wrong {
        key: "misrouted",
        kind: AnomalyKind::Misrouted,
        found: all.misrouted,
        claimed: claim.misrouted,
        implied: false,
        unclear: all.unclear,
    };
    let corrupted = Wrong {
        key: "corrupted",
        kind: AnomalyKind::Corrupted,
        found: all.corrupted,
        claimed: claim.corrupted,
        implied: claim.lost.is_some() || claim.misrouted.is_some(),
        unclear: all.unclear,
    };
    let mislabelled = Wrong {
        key: "mislabelled",
        kind: AnomalyKind::Mislabelled,
        found: all.mislabelled,
        claimed: claim.mislabelled,
        implied: claim.misrouted.is_some(),
        // Nothing is known of the flags that a message without a stamp must have.
        unclear: 0,
    };
    for wrong in [misrouted, corrupted, mislabelled] {
        wrong.add_to(claims, all);
    }
}

/// Deliveries of one kind that must not be.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    key: &'static str,
    kind: AnomalyKind,
    found: u64,
    /// How many the file allows, if it says.
    claimed: Option<u64>,
    /// Whether another key of the file asks for none of them.
    implied: bool,
    /// Messages that may be of this kind, or another client's.
    unclear: u64,
}

impl Wrong {
    /// A message without a stamp on a topic of this run may be another client's, or one of this run that
    /// the broker has damaged: where it may be either, nothing was found to be right. What the file does not name is
    /// shown if it is broken only.
    fn add_to(self, claims: &mut Claims, all: &Tally) {
        let Some(limit) = self
            .claimed
            .or((self.implied && self.found > 0).then_some(0))
        else {
            return;
        };
        let holds = self.found <= limit;
        let unjudged = (holds && self.unclear > 0).then(|| {
            format!(
                "{} messages came without a stamp of this run to topics that it publishes to, or with one to topics that the \
                 device of the stamp never published to: of another client, of an earlier run, or changed by the broker; give \
                 the run topics of its own, or a broker of its own",
                count_text(self.unclear)
            )
        });
        let has_something = all.of_this_run() > 0 && unjudged.is_none();
        let judged = Judged {
            key: self.key.to_owned(),
            limit: Value::Count(limit),
            actual: has_something.then_some(Value::Count(self.found)),
            violations: self.found,
            holds,
            unjudged,
        };
        claims.add(judged, &[self.kind]);
    }
}
