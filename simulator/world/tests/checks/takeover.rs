//! `takeover`: two alive, not closed in time, wrong reason, wrong Session Present.

use std::time::Duration;

use squall_protocol::{ReasonCode, packet::Packet};
use squall_run::MetricName;
use squall_world::{Direction, PIPE_LATENCY};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{KeepDisplaced, Outcome, delay_it, once, packet_bytes, script};

/// Two contenders for each of two identifiers, who come back whenever they are displaced.
const SCENARIO: &str = r#"
[run]
duration = "6s"
drain = "3s"
[[group]]
name = "twins"
count = 4
client_id = "twin-{index % 2}"
clean_start = false
session_expiry = "5m"
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "1s", max = "2s" }
[[group.subscribe]]
filter = "cmd/{client_id}"
qos = 1
[[group]]
name = "commander"
count = 1
[[group.publish]]
topic = "cmd/twin-{seq % 2}"
qos = 1
rate = 20

[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "1s"
[[expect]]
check = "takeover"
reason = "session_taken_over"
[[expect]]
check = "takeover"
session_present = "correct"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "delivery"
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

fn is_connack(passing: &squall_world::Passing<'_>) -> bool {
    passing.client_id.starts_with("twin") && matches!(passing.packet, Packet::Connack(_))
}

fn is_displaced(passing: &squall_world::Passing<'_>) -> bool {
    passing.direction == Direction::ToDevice && matches!(passing.packet, Packet::Disconnect(_))
}

/// Without tampering one connection is alive, the displaced one is closed at once with 0x8E, and the
/// Session goes on.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let takeovers = judgement.measured.takeovers.unwrap();
    assert_eq!(takeovers.contended_ids, 2);
    assert!(takeovers.takeovers > 4, "{takeovers:?}");
    assert_eq!(takeovers.displaced_closed, takeovers.takeovers);
    assert!(takeovers.session_present_right > 4);
}

/// [MQTT-3.1.4-3]: the older connection is closed. Here its device never hears of it.
#[test]
fn a_displaced_device_that_stays_makes_two_alive() {
    let judgement = run_tampered(SCENARIO, KeepDisplaced::default());

    // No device is told a reason either, for none is closed.
    assert_broken_takeover(
        &judgement,
        &[
            "takeover().alive_per_client_id",
            "takeover().displaced_closed_within",
            "takeover().reason",
        ],
    );
    assert!(judgement.measured.takeovers.unwrap().displaced_open > 0);
}

/// A displaced device that never hears of it and whose connection a fault drops in the end was
/// displaced all the same: it ended otherwise, and the rows add up to the takeovers.
#[test]
fn a_displaced_device_that_a_fault_drops_ended_otherwise() {
    let scenario = format!(
        "{SCENARIO}[[fault]]\nat = \"5s\"\ngroup = \"twins\"\naction = \"drop\"\nhow = \"rst\"\n"
    );

    let judgement = run_tampered(&scenario, KeepDisplaced::default());

    let takeovers = judgement.measured.takeovers.unwrap();
    assert!(takeovers.displaced_otherwise > 0, "{takeovers:?}");
    assert_eq!(
        takeovers.takeovers,
        takeovers.displaced_closed + takeovers.displaced_open + takeovers.displaced_otherwise,
        "{takeovers:?}"
    );
}

/// `takeover_time` counts from the CONNECT of the newer connection, as it was sent, to the end that
/// the displaced one sees: two ways through the pipe here, whether CONNACK or the end is read first.
#[test]
fn a_takeover_takes_at_least_the_way_there_and_back() {
    let judgement = run(SCENARIO);

    let times = judgement.measured.metrics.all(MetricName::TakeoverTime);
    let round_trip = 2 * u64::try_from(PIPE_LATENCY.as_micros()).expect("it is short");
    assert!(times.count() > 4);
    assert!(times.min_us() >= Some(round_trip), "{:?}", times.min_us());
}

/// `displaced_closed_within` counts from the CONNACK of the newer connection.
#[test]
fn a_displaced_device_that_dawdles_is_late() {
    let tamper = once(1, is_displaced, |passing, tampered| {
        tampered.forward_after(
            Duration::from_millis(1_500),
            passing.direction,
            passing.bytes,
        );
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &[
            "takeover().alive_per_client_id",
            "takeover().displaced_closed_within",
        ],
    );
}

/// [MQTT-3.1.4-3]: the displaced device is told 0x8E.
#[test]
fn another_reason_is_found() {
    let tamper = script(|passing, tampered| {
        let Packet::Disconnect(disconnect) = passing.packet else {
            return Outcome::Pass;
        };
        if !is_displaced(passing) {
            return Outcome::Pass;
        }
        let mut other = disconnect.clone();
        other.reason = ReasonCode::UnspecifiedError;
        let packet = Packet::Disconnect(other);
        tampered.forward(passing.direction, &packet_bytes(&packet, passing.version));
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    // A close with another reason was not asked for: it is unexpected as well.
    assert_broken(
        &judgement,
        &["takeover().reason", "connections().unexpected_disconnects"],
    );
}

/// [MQTT-3.2.2-3]: a stored Session is announced.
#[test]
fn a_session_that_is_denied_is_found() {
    let tamper = script(|passing, tampered| flip(passing, tampered, true));

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["takeover().session_present"]);
}

/// [MQTT-3.2.2-3]: a Session that there is not is not announced.
#[test]
fn a_session_that_is_made_up_is_found() {
    let mut is_done = false;
    let tamper = script(move |passing, tampered| {
        if is_done || !is_connack(passing) {
            return Outcome::Pass;
        }
        is_done = true;
        flip(passing, tampered, false)
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["takeover().session_present"]);
}

/// Turns Session Present over where it is `from`.
fn flip(
    passing: &squall_world::Passing<'_>,
    tampered: &mut squall_world::Tampered,
    from: bool,
) -> Outcome {
    let Packet::Connack(connack) = passing.packet else {
        return Outcome::Pass;
    };
    if !is_connack(passing) || connack.session_present != from {
        return Outcome::Pass;
    }
    let mut flipped = connack.clone();
    flipped.session_present = !from;
    tampered.forward(
        passing.direction,
        &packet_bytes(&Packet::Connack(flipped), passing.version),
    );
    Outcome::Done
}

fn assert_broken_takeover(judgement: &squall_ledger::Judgement, expected: &[&str]) {
    assert_eq!(
        crate::run::broken(judgement),
        expected,
        "{:#?}",
        judgement.measured.checks
    );
}

/// A broker that takes 1.5 s for the CONNECTs of a moment closes the displaced connections in time, by the
/// CONNACKs: the takeovers, by the CONNECTs, take as long as their clients wait.
#[test]
fn the_claim_counts_from_connack_and_the_metric_from_connect() {
    let is_second = |passing: &squall_world::Passing<'_>| {
        passing.client_id == "twin-0" && matches!(passing.packet, Packet::Connect(_))
    };
    let tamper = once(1, is_second, delay_it(Duration::from_millis(1_500)));

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &[]);
    let times = judgement.measured.metrics.all(MetricName::TakeoverTime);
    assert!(times.max_us() >= Some(1_500_000), "{:?}", times.max_us());
}

/// A device that takes its own Client Identifier over five times in a row, once a second and a half.
fn contended() -> String {
    let text = SCENARIO.replace(
        "count = 4\nclient_id = \"twin-{index % 2}\"",
        "count = 4\nclient_id = \"twin-{index}\"",
    );
    let fault = "[[fault]]\nname = \"fight\"\nevery = \"1500ms\"\ngroup = \"twins\"\nselect = 2\naction = \"takeover\"\ncontenders = 5\n";
    format!("{text}{fault}")
}

/// Each of the contenders displaces the one before and is judged, and the run says how many there were.
#[test]
fn contenders_are_all_judged() {
    let judgement = run(&contended());

    assert_broken(&judgement, &[]);
    let takeovers = judgement.measured.takeovers.unwrap();
    let fault = &judgement.measured.faults[0];
    assert_eq!(fault.effects[0].count, 10, "{fault:?}");
    let strikes = judgement.measured.faults.len() as u64;
    assert_eq!(takeovers.takeovers, 10 * strikes, "{takeovers:?}");
    assert_eq!(takeovers.displaced_closed, takeovers.takeovers);
}

/// One displaced contender of many that stays open is found.
#[test]
fn a_contender_that_is_not_closed_breaks_closed_within() {
    let judgement = run_tampered(&contended(), KeepDisplaced::default());

    let check = &judgement.measured.checks[0];
    assert!(!check.passed(), "{check:?}");
}

/// Whatever the seed and the link, an honest broker breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing_by_contenders() {
    let bad = "[[network]]\nname = \"n\"\nlatency = \"60ms\"\nloss = 0.05\n\
               outages = { every = { dist = \"exponential\", mean = \"8s\" }, lasts = \"1s\" }\n";
    let over_bad_links =
        contended().replace("name = \"twins\"", "name = \"twins\"\nnetwork = \"n\"");
    for seed in 1..=10 {
        for text in [contended(), format!("{bad}{over_bad_links}")] {
            let scenario = crate::harness::scenario(&format!("seed = {seed}\n{text}"));

            let judgement = squall_world::run(&scenario, crate::run::broker(), None);

            let shown = judgement.measured.anomalies.first();
            let code = crate::run::verdict(&judgement).exit_code;
            assert_ne!(code, 98, "seed {seed}: {shown:#?}");
            assert_eq!(judgement.measured.accounting.balance(), 0, "seed {seed}");
        }
    }
}
