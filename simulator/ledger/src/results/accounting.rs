//! The books as the run file has them.

use std::collections::BTreeMap;

use squall_fleet::{Cleared, ReceiverLeg, SenderLeg};
use squall_protocol::QoS;
use squall_run::{
    Accounting, Connections, Deliveries, GroupConnections, LegCount, Publications, Qos2, Qos2Side,
    Sessions, SessionsEnded,
};
use squall_scenario::{GroupId, Scenario};

use super::end::end_name;
use super::refusals::refusals;
use super::sample;
use crate::books::{EndKind, Excuse, GroupCounts, Ledger, QOS, reason_text};

/// Sessions that were ended before and after the run.
pub(super) fn sessions(sessions: squall_fleet::Sessions) -> Sessions {
    let ended = |Cleared {
                     asked,
                     cleared,
                     failed,
                 }| SessionsEnded {
        asked,
        cleared,
        failed,
    };
    Sessions {
        before: ended(sessions.before),
        after: ended(sessions.after),
    }
}

/// Every message, accounted for: groups that had nothing to do with one QoS are left out.
pub(super) fn accounting(scenario: &Scenario, ledger: &Ledger) -> Accounting {
    let mut accounting = Accounting::default();
    for group in (0..).map(GroupId).take(scenario.groups.len()) {
        for qos in QOS {
            let publications = publications(scenario, ledger, group, qos);
            accounting.publications.extend(publications);
            let deliveries = deliveries(scenario, ledger, group, qos);
            accounting.deliveries.extend(deliveries);
        }
    }
    accounting
}

/// What a group published at one QoS, if anything.
fn publications(
    scenario: &Scenario,
    ledger: &Ledger,
    id: GroupId,
    qos: QoS,
) -> Option<Publications> {
    let group = scenario.group(id);
    let book = ledger.books().publications(id, qos);
    if book.scheduled == 0 && book.sent == 0 {
        return None;
    }
    let unsent = unsent(scenario, ledger, id, qos);
    // At QoS 0 nothing is acknowledged: what was sent counts as ok (§4.3.1).
    let ok = match qos {
        QoS::AtMostOnce => book.sent,
        QoS::AtLeastOnce | QoS::ExactlyOnce => book.acknowledged,
    };
    let forgotten = match group.keeps_what_is_under_way() {
        true => 0,
        false => book.in_doubt_cut,
    };
    Some(Publications {
        group: group.name.clone(),
        qos: qos as u8,
        scheduled: book.scheduled,
        sent: book.sent,
        to_no_subscriber: book.to_no_subscriber,
        ok,
        // Given up, or still in the device's queue when the run ended. What wraps here does not balance, and
        // is reported as that.
        failed: book.scheduled.saturating_sub(book.sent),
        unsent: unsent.by_reason,
        unsent_unexplained: unsent.unexplained,
        refused: book.refused,
        unknown: book.settled_early,
        in_doubt: book
            .sent
            .saturating_sub(ok + book.refused + book.settled_early),
        in_doubt_came: book.in_doubt_came,
        forgotten,
    })
}

/// What came to a group at one QoS, or should have, if anything.
fn deliveries(scenario: &Scenario, ledger: &Ledger, id: GroupId, qos: QoS) -> Option<Deliveries> {
    let tally = ledger.books().sum(|key| key.group == id && key.owed == qos);
    if tally.pledged == 0 && tally.received == 0 {
        return None;
    }
    Some(Deliveries {
        group: scenario.group(id).name.clone(),
        qos: qos as u8,
        expected: tally.expected(),
        delivered: tally.delivered,
        lost: tally.lost,
        excused: tally.excused_total(),
        excuses: Excuse::ALL
            .into_iter()
            .map(|excuse| (excuse.name().to_owned(), tally.excused[excuse as usize]))
            .filter(|&(_, count)| count > 0)
            .collect(),
        unknown: tally.unknown,
        optional: tally.optional,
        duplicated: tally.duplicated,
        forbidden: tally.forbidden,
        reordered: tally.reordered,
        corrupted: tally.corrupted,
        mislabelled: tally.mislabelled,
        misrouted: tally.misrouted,
        foreign: tally.foreign,
        unstamped: tally.unstamped,
        uncounted: tally.uncounted,
        late: tally.late,
        received: tally.received,
    })
}

/// Messages that were due and never sent.
#[derive(Debug, Default)]
struct UnsentCounts {
    by_reason: BTreeMap<String, u64>,
    unexplained: u64,
}

fn unsent(scenario: &Scenario, ledger: &Ledger, group: GroupId, qos: QoS) -> UnsentCounts {
    let mut counts = UnsentCounts::default();
    for (why, count) in ledger.unsent.of(group, qos) {
        let name = sample::unsent_name(scenario, why);
        *counts.by_reason.entry(name).or_default() += count;
        if !sample::is_explained(scenario, group, why) {
            counts.unexplained += count;
        }
    }
    counts
}

/// How connections began and ended.
pub(super) fn connections(scenario: &Scenario, ledger: &Ledger) -> Connections {
    let connections = &ledger.connections;
    let groups = scenario.groups.iter().zip(connections.groups());
    Connections {
        peak_online: connections.peak_online(),
        refusals: refusals(scenario, connections),
        groups: groups
            .map(|(group, counts)| GroupConnections {
                group: group.name.clone(),
                attempts: counts.attempts,
                connected: counts.connected,
                session_present: counts.session_present,
                reconnects: counts.reconnects,
                open_failed: counts
                    .open_failed
                    .iter()
                    .map(|(&reason, &count)| (reason.to_owned(), count))
                    .collect(),
                refused: refused(scenario, counts),
                kept_out_by_fault: counts.kept_out_by_fault,
                ended: ended(scenario, &counts.ended),
                unexpected: ended(scenario, &counts.unexpected),
                online_s: counts.online.as_secs_f64(),
                away_s: counts.away.as_secs_f64(),
                away_unasked_s: counts.away_unasked.as_secs_f64(),
            })
            .collect(),
    }
}

/// QoS 2 exchanges; `None` if there were none.
pub(super) fn qos2(ledger: &Ledger) -> Option<Qos2> {
    let counts = ledger.handshakes.counts();
    if counts.sender_started + counts.receiver_started == 0 && counts.repeated.is_empty() {
        return None;
    }
    let sender = SenderLeg::ALL.iter().map(|leg| LegCount {
        side: Qos2Side::Sender,
        leg: sender_leg_name(*leg).to_owned(),
        count: counts.sender_legs.get(leg).copied().unwrap_or(0),
    });
    let receiver = ReceiverLeg::ALL.iter().map(|leg| LegCount {
        side: Qos2Side::Receiver,
        leg: receiver_leg_name(*leg).to_owned(),
        count: counts.receiver_legs.get(leg).copied().unwrap_or(0),
    });
    Some(Qos2 {
        sender_started: counts.sender_started,
        sender_completed: counts.sender_completed,
        receiver_started: counts.receiver_started,
        receiver_completed: counts.receiver_completed,
        incomplete: counts
            .open
            .iter()
            .map(|(&state, &count)| (state.to_owned(), count))
            .collect(),
        dup_sent: counts.dup_sent,
        dup_answered: counts.dup_answered,
        repeated: by_name(&counts.repeated),
        publish_after_pubrel: counts.publish_after_pubrel,
        cuts: by_name(&counts.cuts),
        withheld: by_name(&counts.withheld),
        legs: sender.chain(receiver).collect(),
    })
}

fn by_name(counts: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(&name, &count)| (name.to_owned(), count))
        .collect()
}

/// CONNECTs that were refused, with a CONNACK and without one.
fn refused(scenario: &Scenario, counts: &GroupCounts) -> BTreeMap<String, u64> {
    let with = counts
        .refused
        .iter()
        .map(|(&reason, &count)| (reason_text(reason), count));
    let without = counts.unanswered.iter().map(|(&kind, &count)| {
        let name = format!("without CONNACK: {}", end_name(scenario, kind));
        (name, count)
    });
    with.chain(without).collect()
}

fn ended(scenario: &Scenario, ends: &BTreeMap<EndKind, u64>) -> BTreeMap<String, u64> {
    ends.iter()
        .map(|(&kind, &count)| (end_name(scenario, kind), count))
        .collect()
}

const fn sender_leg_name(leg: SenderLeg) -> &'static str {
    match leg {
        SenderLeg::PublishSent => "PUBLISH sent",
        SenderLeg::PublishResent => "PUBLISH sent again",
        SenderLeg::PubrecReceived => "PUBREC received",
        SenderLeg::PubrelSent => "PUBREL sent",
        SenderLeg::PubcompReceived => "PUBCOMP received",
    }
}

const fn receiver_leg_name(leg: ReceiverLeg) -> &'static str {
    match leg {
        ReceiverLeg::PublishReceived => "PUBLISH received",
        ReceiverLeg::DuplicateReceived => "PUBLISH received again",
        ReceiverLeg::PubrecSent => "PUBREC sent",
        ReceiverLeg::PubrelReceived => "PUBREL received",
        ReceiverLeg::PubcompSent => "PUBCOMP sent",
    }
}
