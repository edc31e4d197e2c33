//! Malformed packets: a broker must close, and may say why.

use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{
    ReasonCode, Version,
    packet::{Disconnect, DisconnectProperties, Packet},
};
use squall_run::Value;
use squall_scenario::{FaultTarget, Scenario};
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, scenario, verdict};
use crate::tampering::{is_to, once, packet_bytes};

/// Twelve devices with wills, each of which sends a malformed packet of another kind.
const PROVOKED: &str = r#"
[run]
duration = "10s"
drain = "10s"
NETWORK
[[group]]
name = "doers"
count = 12
LINK
protocol = "PROTOCOL"
reconnect = { when = "always", backoff = "3s" }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate_per_device = 5
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "will/#"
qos = 1
[[group.subscribe]]
filter = "t/#"
qos = 1
[[fault]]
name = "broken"
at = "2s"
group = "doers"
action = "drop"
how = "malformed"
kind = ["reserved_flags", "reserved_type", "qos_3", "packet_id_zero", "wildcard_topic", "invalid_utf8", "null_character",
        "second_connect", "overlong_length", "empty_subscribe", "truncated"ONLY_5]
[[expect]]
check = "malformed"
closed_within = "1s"
REASON
[[expect]]
check = "will"
after = ["broken"]
exactly = 1
within = { malformed = "1s" }
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

fn text(version: Version) -> String {
    let (protocol, only_5, reason) = match version {
        Version::V5 => ("5.0", ", \"unknown_property\"", "reason = \"correct\""),
        Version::V3_1_1 => ("3.1.1", "", ""),
    };
    let text = PROVOKED.replace("PROTOCOL", protocol);
    let text = text.replace("ONLY_5", only_5).replace("REASON", reason);
    text.replace("NETWORK", "").replace("LINK", "")
}

/// A broker that keeps to the rules closes for each kind ([MQTT-4.13.1-1], [3.1.1: MQTT-4.8.0-1]), and the run says of each
/// what was sent and what was said.
#[test]
fn each_kind_ends_its_connection() {
    for (version, kinds) in [(Version::V5, 12), (Version::V3_1_1, 11)] {
        let judgement = run(&text(version));

        assert_broken(&judgement, &[]);
        assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
        let outcomes = &judgement.measured.malformed;
        assert_eq!(outcomes.len(), kinds);
        let sent: u64 = outcomes.iter().map(|outcome| outcome.sent).sum();
        assert_eq!(sent, 12);
        for outcome in outcomes {
            assert_eq!(outcome.closed, outcome.sent, "{outcome:?}");
            let told: u64 = outcome.reasons.values().sum();
            let expected = if version == Version::V5 {
                outcome.sent
            } else {
                0
            };
            assert_eq!(told, expected, "{outcome:?}");
        }
        let effects = &judgement.measured.faults[0].effects;
        assert_eq!((effects[0].count, effects[1].count), (12, 0));
    }
}

/// Keeps the closes of the broker from the devices: it says why it would close, and does not.
struct Tolerant;

impl Tamper for Tolerant {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        tampered.forward(passing.direction, passing.bytes);
    }

    fn handle_close(&mut self, _: SocketId, direction: Direction) -> TamperedClose {
        match direction {
            Direction::ToDevice => TamperedClose::Swallow,
            Direction::ToBroker => TamperedClose::Pass,
        }
    }
}

/// A broker that leaves the connection open breaks the claim, though its device is back after three seconds; one that
/// never closes after the last time does too.
#[test]
fn a_connection_that_stays_open_breaks_the_claim() {
    let forever =
        text(Version::V5).replace("when = \"always\", backoff = \"3s\"", "when = \"never\"");
    for text in [text(Version::V5), forever] {
        let judgement = run_tampered(&text, Tolerant);

        assert_broken(&judgement, &["malformed().closed_within"]);
        // What was never closed took no time to close.
        let claim = &judgement.measured.checks[0].claims[0];
        let Some(Value::Text(found)) = &claim.actual else {
            panic!("{claim:?}");
        };
        assert!(
            found.starts_with("12 never closed, open for up to "),
            "{found}"
        );
    }
}

/// Keeps the wills of the devices from the watcher, and all closes from the devices: a broker that goes on as if nothing was
/// wrong with a packet.
struct Unmoved;

impl Tamper for Unmoved {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if !is_to(passing, "watcher-0", "will/") {
            tampered.forward(passing.direction, passing.bytes);
        }
    }

    fn handle_close(&mut self, _: SocketId, direction: Direction) -> TamperedClose {
        Tolerant.handle_close(SocketId(0), direction)
    }
}

/// Of a connection that the broker leaves open no will is due [MQTT-3.1.2-8]: that it is open is what is wrong. Where its
/// device is back the takeover closes it, and the will is due.
#[test]
fn a_connection_that_stays_open_has_no_will_due() {
    let back = text(Version::V5);
    let gone = back.replace("when = \"always\", backoff = \"3s\"", "when = \"never\"");
    for (text, missing, left_open) in [(back, 12, 0), (gone, 0, 12)] {
        let judgement = run_tampered(&text, Unmoved);

        let will = &judgement.measured.wills[0];
        assert_eq!(
            (will.expected, will.missing, will.left_open),
            (missing, missing, left_open),
            "{will:?}"
        );
        // Of how many it was judged is said with the claim.
        let checks = &judgement.measured.checks;
        let of_wills = checks.iter().find(|check| check.check == "will");
        let said = of_wills.and_then(|check| check.claims[0].of.clone());
        let names_open = said.is_some_and(|said| said.contains("left 12 open"));
        assert_eq!(names_open, left_open > 0);
        assert_eq!(verdict(&judgement).exit_code, 98);
    }
}

/// Lets the close and the will of one device through, and keeps those of the others.
#[derive(Default)]
struct MovedOnce {
    moved: Option<SocketId>,
}

impl Tamper for MovedOnce {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if passing.client_id == "doers-0" {
            self.moved = Some(passing.socket);
        }
        if is_to(passing, "watcher-0", "will/doers-0") {
            tampered.forward(passing.direction, passing.bytes);
        } else {
            Unmoved.handle_packet(passing, tampered);
        }
    }

    fn handle_close(&mut self, socket: SocketId, direction: Direction) -> TamperedClose {
        if self.moved == Some(socket) {
            TamperedClose::Pass
        } else {
            Unmoved.handle_close(socket, direction)
        }
    }
}

/// A claim on wills that holds of one connection because the broker left all others open says so, on how many come and on
/// how soon.
#[test]
fn a_claim_on_wills_says_of_how_many_connections_it_was_judged() {
    let gone = text(Version::V5).replace("when = \"always\", backoff = \"3s\"", "when = \"never\"");

    let judgement = run_tampered(&gone, MovedOnce::default());

    assert_broken(&judgement, &["malformed().closed_within"]);
    let mut checks = judgement.measured.checks.iter();
    let wills = checks.find(|check| check.check == "will").unwrap();
    let said: Vec<&str> = wills
        .claims
        .iter()
        .filter_map(|claim| claim.of.as_deref())
        .collect();
    let expected = "1 of 12 connections: the broker left 11 open, and no will is due of these";
    assert_eq!(said, [expected, expected]);
}

/// A DISCONNECT that names something else than what is wrong with the packet.
#[test]
fn a_reason_that_does_not_fit_breaks_the_claim() {
    let tamper = once(
        0,
        |passing| {
            passing.direction == Direction::ToDevice
                && matches!(passing.packet, Packet::Disconnect(_))
        },
        |passing, tampered| {
            let disconnect = Packet::Disconnect(Disconnect {
                reason: ReasonCode::ServerBusy,
                properties: DisconnectProperties::default(),
            });
            let bytes = packet_bytes(&disconnect, Version::V5);
            tampered.forward(passing.direction, &bytes);
        },
    );

    let judgement = run_tampered(&text(Version::V5), tamper);

    assert_broken(&judgement, &["malformed().reason"]);
    let unfit: u64 = judgement
        .measured
        .malformed
        .iter()
        .map(|o| o.unfit_reasons)
        .sum();
    assert_eq!(unfit, 1);
}

/// Whatever the seed, a broker that does nothing wrong breaks nothing, over good and bad links.
#[test]
fn an_honest_broker_breaks_nothing_by_malformed_packets() {
    let bad = "[[network]]\nname = \"n\"\nlatency = \"60ms\"\nloss = 0.05\n\
               outages = { every = { dist = \"exponential\", mean = \"4s\" }, lasts = \"1s\" }\n";
    let often =
        text(Version::V5).replace("at = \"2s\"", "every = \"700ms\"\nselect = { count = 3 }");
    for seed in 1..=24 {
        for (network, link) in [("", ""), (bad, "network = \"n\"\n")] {
            let text = often.replace(
                "[[group]]\nname = \"doers\"\n",
                &format!("[[group]]\nname = \"doers\"\n{link}"),
            );
            let scenario = harness::scenario(&format!("seed = {seed}\n{network}{text}"));

            let judgement = squall_world::run(&scenario, broker(), None);

            let anomalies = &judgement.measured.anomalies;
            assert_ne!(
                verdict(&judgement).exit_code,
                98,
                "seed {seed} {link}: {anomalies:#?}"
            );
        }
    }
}

/// Without `kind` a packet has a reserved flag, as before there were kinds.
#[test]
fn a_reserved_flag_is_the_default() {
    let text = text(Version::V5);
    let (before, after) = text.split_once("kind = [").expect("it has kinds");
    let (_, after) = after.split_once(']').expect("the list has an end");
    let scenario: std::rc::Rc<Scenario> = scenario(&format!("{before}{after}"));

    let FaultTarget::Devices(devices) = &scenario.faults[0].target else {
        panic!("it takes devices");
    };

    let names: Vec<&str> = devices
        .malformations
        .iter()
        .map(|kind| kind.name())
        .collect();
    assert_eq!(names, ["reserved_flags"]);
}

/// A limit that is far below what the link takes: squall's own link is not held against the broker.
#[test]
fn the_time_on_a_link_does_not_count() {
    let network = "[[network]]\nname = \"n\"\nlatency = \"2s\"\n";
    let text = text(Version::V5);
    let text = text.replace(
        "[[group]]\nname = \"doers\"\n",
        "[[group]]\nname = \"doers\"\nnetwork = \"n\"\n",
    );
    let text = text.replace("duration = \"10s\"", "duration = \"20s\"");

    let judgement = run(&format!("{network}{text}"));

    assert_broken(&judgement, &[]);
    let slowest = judgement
        .measured
        .malformed
        .iter()
        .filter_map(|o| o.slowest_s);
    assert!(slowest.fold(0.0, f64::max) < Duration::from_millis(1).as_secs_f64());
}
