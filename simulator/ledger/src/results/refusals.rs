//! What kept devices out, with a remedy where one is known.

use std::collections::BTreeMap;

use squall_fleet::OpenError;
use squall_protocol::{ReasonCode, Version};
use squall_run::{Reason, Refusal, count_text};
use squall_scenario::{Group, Scenario};

use super::layer_faults;

use crate::books::{
    Connections, EndKind, GroupCounts, OPENING_ON_LINK, open_error_name, reason_text,
};

/// The answer, and what would help.
type Key = (String, Option<String>);

/// What the broker or the network did to CONNECTs and transports, the most frequent first.
pub(super) fn refusals(scenario: &Scenario, connections: &Connections) -> Vec<Refusal> {
    let groups = connections.groups();
    let attempts: u64 = groups.iter().map(|counts| counts.attempts).sum();
    let connects: u64 = groups.iter().map(|counts| counts.connects).sum();
    let listening = match groups.iter().any(|counts| counts.connected > 0) {
        true => Listening::AtTimes,
        false => Listening::Unknown,
    };
    let mut transports: BTreeMap<Key, u64> = BTreeMap::new();
    let mut answers: BTreeMap<Key, u64> = BTreeMap::new();
    for (group, counts) in scenario.groups.iter().zip(groups) {
        for (&error, &count) in &counts.open_failed {
            if let Some((answer, remedy)) = failed_transport(error, listening) {
                let key = (answer.to_owned(), Some(remedy.to_owned()));
                *transports.entry(key).or_default() += count;
            }
        }
        for (&reason, &count) in &counts.refused {
            let answer = format!("were answered with CONNACK {}", reason_text(reason));
            let remedy = remedy(reason, group);
            *answers.entry((answer, remedy)).or_default() += count;
        }
        for (&end, &count) in &counts.unanswered {
            *answers.entry(unanswered(end)).or_default() += count;
        }
    }
    let of = |of, what: &'static str| {
        move |((answer, remedy), count)| Refusal {
            count,
            of,
            what: what.to_owned(),
            answer,
            remedy,
        }
    };
    let transports = transports.into_iter().map(of(attempts, "connections"));
    let answers = answers.into_iter().map(of(connects, "CONNECTs"));
    let mut refusals: Vec<Refusal> = transports.chain(answers).collect();
    refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
    refusals
}

/// Why nothing can follow from the run, if no device ever connected and the broker or the network
/// refused them.
pub(super) fn unreachable(scenario: &Scenario, connections: &Connections) -> Option<Reason> {
    connections.shut_out_since()?;
    let refusals = refusals(scenario, connections);
    let mut sentences: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    sentences.extend(under_way(connections));
    Some(Reason::Unreachable(format!(
        "no device could connect: {}",
        sentences.join("; ")
    )))
}

/// What is left of the CONNECTs, so that the numbers add up.
fn under_way(connections: &Connections) -> Option<String> {
    let groups = connections.groups();
    let under_way: u64 = groups.iter().map(GroupCounts::under_way).sum();
    let connects: u64 = groups.iter().map(|counts| counts.connects).sum();
    (under_way > 0).then(|| {
        format!(
            "{} of {} CONNECTs had no answer yet when the run ended because of that",
            count_text(under_way),
            count_text(connects)
        )
    })
}

/// Whether a broker was seen behind the target's address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Listening {
    /// No device ever got in.
    Unknown,
    /// Some device did: the address is right.
    AtTimes,
}

/// `None` for our own limits and links, which say nothing about the broker.
fn failed_transport(error: &str, listening: Listening) -> Option<(&'static str, &'static str)> {
    if let Some(sentences) = layer_faults::sentences(error) {
        return Some(sentences);
    }
    let name = |error| open_error_name(error);
    if error == name(OpenError::LocalLimit) || error == OPENING_ON_LINK {
        return None;
    }
    Some(if error == name(OpenError::Refused) {
        (
            "were refused by the target's system",
            match listening {
                Listening::Unknown => "check that the broker listens on target.url",
                Listening::AtTimes => {
                    "others were accepted, so the broker stopped listening: see its log"
                }
            },
        )
    } else if error == name(OpenError::TimedOut) {
        (
            "were not opened within run.connect_timeout",
            "check target.url, and firewalls on the way",
        )
    } else {
        (
            "could not be opened",
            "check target.url and the route to the broker",
        )
    })
}

fn unanswered(end: EndKind) -> Key {
    match end {
        EndKind::TimedOut => (
            "were not answered within run.connect_timeout".to_owned(),
            Some("check that an MQTT broker listens there, and its load".to_owned()),
        ),
        EndKind::PeerClosed(how) if let Some((answer, remedy)) = layer_faults::sentences(how) => {
            (answer.to_owned(), Some(remedy.to_owned()))
        }
        EndKind::PeerClosed(how) => (
            format!("were closed by the broker ({how}) without CONNACK"),
            Some("check the broker's limit of connections, its listener and its log".to_owned()),
        ),
        EndKind::ServerDisconnect(_)
        | EndKind::ProtocolError(_)
        | EndKind::Fault(_)
        | EndKind::WentAway
        | EndKind::Qos2Cut
        | EndKind::Refused
        | EndKind::RunEnded => (format!("had no CONNACK, but: {end}"), None),
    }
}

/// What a user can do about a CONNACK (§3.2.2.2).
fn remedy(reason: ReasonCode, group: &Group) -> Option<String> {
    if let ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized = reason {
        return Some(login_remedy(group));
    }
    if reason == ReasonCode::UnsupportedProtocolVersion {
        let remedy = match group.version {
            Version::V5 => "set protocol = \"3.1.1\" in the group",
            Version::V3_1_1 => "set protocol = \"5.0\" in the group",
        };
        return Some(remedy.to_owned());
    }
    let found = REMEDIES.iter().find(|(of, _)| *of == reason);
    found.map(|(_, remedy)| (*remedy).to_owned())
}

/// Says what was sent, without a password.
fn login_remedy(group: &Group) -> String {
    match group.login.is_empty() {
        true => "devices send no user name: set username and password in the group or in [target], or allow \
                 anonymous clients in the broker"
            .to_owned(),
        false => format!(
            "group {} logs in with {}: check the password, and whom the broker lets in",
            group.name,
            group.login.description()
        ),
    }
}

/// For the other Reason Codes whose cause is commonly one setting.
const REMEDIES: [(ReasonCode, &str); 5] = [
    (
        ReasonCode::ClientIdentifierNotValid,
        "choose client_id in the group as the broker wants it",
    ),
    (
        ReasonCode::QuotaExceeded,
        "raise the broker's limit of connections, or lower count in the group",
    ),
    (
        ReasonCode::ServerBusy,
        "raise the broker's limit of connections, or lower count in the group",
    ),
    (
        ReasonCode::ServerUnavailable,
        "raise the broker's limit of connections, or lower count in the group",
    ),
    (
        ReasonCode::ConnectionRateExceeded,
        "lower connect_rate in the group",
    ),
];
