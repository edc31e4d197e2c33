//! Whether another client used the Client Identifiers of the run.
//!
//! From the devices' side of the wire two things look alike: another client that takes an identifier
//! over, and a broker that says so wrongly. Which of them it was is known only where the broker was
//! started for the run and serves no other client. MQTT 3.1.1 has no reason code, and some brokers
//! send none in 5.0 either: there a displaced connection is a closed one, and only what comes with it
//! tells more, messages of another run or Sessions that are gone.

use squall_protocol::ReasonCode;
use squall_run::{Reason, count_text};
use squall_scenario::{BrokerHistory, DeviceId, Scenario};

use crate::books::{EndKind, Ledger, PEER_CLOSES};

/// What a user can do about it.
const REMEDY: &str = "let one run at a time use the broker, or give each its own identifiers, with \
     client_id = \"{vars.site}-{index}\" in its groups and --set vars.site=NAME";

/// What speaks for another client, or for a broker that sends 0x8E wrongly.
pub(super) fn reason(scenario: &Scenario, ledger: &Ledger) -> Option<Reason> {
    displaced(scenario, ledger).or_else(|| closed(scenario, ledger))
}

/// The broker said that another connection took the identifier over.
fn displaced(scenario: &Scenario, ledger: &Ledger) -> Option<Reason> {
    let kind = EndKind::ServerDisconnect(ReasonCode::SessionTakenOver);
    let count = ledger.connections.unexpected(kind);
    if count == 0 {
        return None;
    }
    let example = example(scenario, ledger.connections.first_unexpected(kind));
    let connections = format!(
        "the broker ended {} connections with 0x8E Session taken over that no device and no fault of this \
         run took over{example}",
        count_text(count)
    );
    Some(match ledger.roster.history() {
        BrokerHistory::Empty | BrokerHistory::EarlierRuns => Reason::Invariant(format!(
            "{connections}; it was started for this run and serves no other client [MQTT-3.1.4-3]"
        )),
        BrokerHistory::OtherClients => Reason::Disturbed(format!(
            "another client uses our Client Identifiers: {connections}; {REMEDY}; if the broker serves \
             this run alone, it breaks [MQTT-3.1.4-3]"
        )),
    })
}

/// The broker closed connections without a word, and something else says why it may have.
fn closed(scenario: &Scenario, ledger: &Ledger) -> Option<Reason> {
    if !ledger.roster.history().has_other_clients() {
        return None;
    }
    let connections = &ledger.connections;
    let kinds = PEER_CLOSES.map(EndKind::PeerClosed);
    let count: u64 = kinds.iter().map(|&kind| connections.unexpected(kind)).sum();
    if count == 0 {
        return None;
    }
    let first = kinds
        .iter()
        .find_map(|&kind| connections.first_unexpected(kind));
    let closed = format!(
        "the broker closed {} connections without a reason that no fault of this run asked for{}",
        count_text(count),
        example(scenario, first)
    );
    let gone = ledger.takeovers.counts().sessions_gone;
    let of_others: u64 = ledger.messages_of_other_runs.values().sum();
    if of_others > 0 {
        let has_our_identifiers = gone > 0 || is_of_closed_device(ledger);
        let seems = if has_our_identifiers {
            "it seems,"
        } else {
            "perhaps,"
        };
        let text = format!(
            "another run of squall uses our topics and, {seems} our Client Identifiers: {} of its \
             messages came while {closed} (where a broker gives no reason, as in MQTT 3.1.1, a takeover looks like that); {REMEDY}",
            count_text(of_others)
        );
        // Without that either may have broken what is broken.
        return Some(if has_our_identifiers {
            Reason::Disturbed(text)
        } else {
            Reason::Invalid(text)
        });
    }
    (gone > 0).then(|| {
        Reason::Invalid(format!(
            "{closed}, and {} Sessions were gone at the next CONNECT: another client may use our Client \
             Identifiers, or the broker lost them; {REMEDY}",
            count_text(gone)
        ))
    })
}

/// Whether a message of another run bears the number of a device whose connection the broker closed: two
/// runs of one scenario number their devices alike, and give the same number the same identifier.
fn is_of_closed_device(ledger: &Ledger) -> bool {
    let mut devices = ledger.messages_of_other_runs.keys();
    devices.any(|&device| ledger.connections.was_closed_by_peer(device))
}

fn example(scenario: &Scenario, device: Option<DeviceId>) -> String {
    device.map_or(String::new(), |device| {
        let (group, index) = scenario.group_of(device);
        format!(", e.g. {}", scenario.group(group).client_id_of(index))
    })
}
