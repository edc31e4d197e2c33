//! Whether the run did what its scenario asked for: a claim that holds for half of the messages is not
//! the claim of the file.
//!
//! What faults, networks and devices of the scenario cause was asked for. The rest may be one in a
//! hundred, of the messages that were due and of the time that devices were to be connected, in every
//! group. A scenario with a threshold on `dropped` says itself how many messages may be missing, and one
//! that claims `unexpected_disconnects` is judged by that too.

use squall_run::{GroupConnections, MetricName, Publications, Reason, count_text};
use squall_scenario::{GroupId, LoadBegin, Scenario};

use crate::books::{Away, Unsent};

/// The share of what was asked for that may be missing without an explanation.
const MISSING_MAX: f64 = 0.01;

/// Whether the scenario explains why a group did not send a message.
pub(super) fn is_explained(scenario: &Scenario, group: GroupId, why: Unsent) -> bool {
    let network = scenario.group(group).network.map(|id| scenario.network(id));
    match why {
        Unsent::Away(away) => {
            let has_outages = network.is_some_and(|network| network.outages.is_some());
            // A device that waits for its first CONNACK has done nothing else yet: its messages are due by then
            // only where the scenario has the load begin without it, or where its connect took too long.
            let begins_without_it = scenario.group(group).attendance.start.is_some()
                || scenario.run.begin == LoadBegin::AtOnce;
            away.is_asked() || ((has_outages || begins_without_it) && away == Away::NotYet)
        }
        // Acknowledgements take the round trip of the link, and its bandwidth is limited.
        Unsent::Waiting => network.is_some(),
        Unsent::Forbidden | Unsent::NoLine(_) => false,
    }
}

/// The name of a reason in reports.
pub(super) fn unsent_name(scenario: &Scenario, why: Unsent) -> String {
    match why {
        Unsent::Away(Away::Ended(kind)) => {
            format!("not connected ({})", super::end::end_name(scenario, kind))
        }
        Unsent::Away(_) | Unsent::Waiting | Unsent::Forbidden | Unsent::NoLine(_) => {
            why.to_string()
        }
    }
}

/// The groups that did not do what was asked for.
pub(super) fn reasons(
    scenario: &Scenario,
    publications: &[Publications],
    groups: &[GroupConnections],
) -> Vec<Reason> {
    let mut thresholds = scenario.thresholds.iter();
    let judges_dropped =
        thresholds.any(|threshold| threshold.selector.metric == MetricName::Dropped);
    let unsent = publications
        .iter()
        .filter(|book| {
            !judges_dropped && is_missing(book.unsent_unexplained as f64, book.scheduled as f64)
        })
        .map(unsent_text);
    let away = groups
        .iter()
        .filter(|group| is_missing(group.away_unasked_s, group.online_s + group.away_s))
        .map(away_text);
    unsent.chain(away).map(Reason::Incomplete).collect()
}

fn is_missing(missing: f64, of: f64) -> bool {
    missing > MISSING_MAX * of
}

fn unsent_text(book: &Publications) -> String {
    let reasons: Vec<String> = book
        .unsent
        .iter()
        .map(|(why, &count)| format!("{why} {}", count_text(count)))
        .collect();
    let which = if book.failed == book.unsent_unexplained {
        "and".to_owned()
    } else {
        format!("{} of them though", count_text(book.unsent_unexplained))
    };
    format!(
        "group {} did not send {} of the {} messages that were due at QoS {}, {which} nothing in the scenario \
         explains it ({}): what is claimed of the others is not what the scenario asks for; see to the \
         cause, or claim how many may be missing with a threshold on `dropped`",
        book.group,
        count_text(book.failed),
        count_text(book.scheduled),
        book.qos,
        reasons.join(", ")
    )
}

fn away_text(group: &GroupConnections) -> String {
    let ends: Vec<String> = group
        .unexpected
        .iter()
        .map(|(cause, &count)| format!("{cause} {}", count_text(count)))
        .collect();
    let ends = if ends.is_empty() {
        "their reconnects failed".to_owned()
    } else {
        ends.join(", ")
    };
    format!(
        "devices of group {} were away for {:.1} % of their time though nothing in the scenario asked for it \
         ({ends}): what they would have sent and received meanwhile is in no claim; see to the cause",
        group.group,
        100.0 * group.away_unasked_s / (group.online_s + group.away_s)
    )
}
