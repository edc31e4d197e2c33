//! Links of the scenario that are out for longer than Keep Alive, or a device, allows: what follows is not
//! the broker's.

use std::time::Duration;

use squall_ledger::Recorder;
use squall_protocol::{Instant, packet::Packet};

use squall_world::World;

use crate::harness;
use crate::run::{assert_broken, broker, run, run_in, run_tampered, verdict};
use crate::tampering::{Outcome, is_to, once, script};

/// Every link is out for `LASTS` after each ten seconds.
const SCENARIO: &str = r#"
[run]
duration = "60s"
drain = "15s"
connect_timeout = "4s"
[[network]]
name = "tunnel"
latency = "20ms"
outages = { every = "EVERY", lasts = "LASTS" }
[[group]]
name = "cars"
count = 10
network = "tunnel"
keep_alive = "2s"
reconnect = { backoff = "500ms" }
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 20
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

fn scenario(every: &str, lasts: &str) -> String {
    SCENARIO.replace("EVERY", every).replace("LASTS", lasts)
}

/// The broker must close after one and a half Keep Alive [MQTT-3.1.2-22], and the devices give up: neither
/// an end, nor a CONNECT that the link held, nor the time away counts against the broker or the run.
#[test]
fn an_outage_beyond_keep_alive_is_not_the_brokers() {
    let judgement = run(&scenario("10s", "10s"));

    assert_broken(&judgement, &[]);
    let group = &judgement.measured.connections.groups[0];
    assert!(group.reconnects >= 10, "{group:?}");
    assert!(group.away_s > 10.0, "{group:?}");
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
}

/// Links that are out from the start keep devices out: the run says nothing, and the broker did nothing.
#[test]
fn devices_that_their_links_keep_out_make_a_run_invalid() {
    let judgement = run(&scenario("1ms", "1h"));

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{:?}", judgement.reasons);
    let texts: Vec<&str> = verdict.reasons.iter().map(|reason| reason.text()).collect();
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("10 devices never got a CONNACK because")),
        "{texts:?}"
    );
}

/// A Session that outlives its connection by five seconds, and one that none is owed to after that.
const SHORT_SESSIONS: &str = r#"
[run]
duration = "80s"
drain = "20s"
connect_timeout = "60s"
NETWORK
[[group]]
name = "readers"
count = 5
LINK
protocol = "5.0"
clean_start = false
session_expiry = "5s"
keep_alive = "10s"
reconnect = { backoff = "100ms" }
[[group.subscribe]]
filter = "t"
qos = 1
[[group]]
name = "sender"
count = 1
keep_alive = "1h"
[[group.publish]]
topic = "t"
qos = 1
rate = 2
[[expect]]
check = "takeover"
session_present = "correct"
[[expect]]
check = "delivery"
lost = 0
"#;

/// The broker closes after 15 s of silence and ends the Session 5 s later; the device reads the FIN when its
/// link is there again, or when the generator goes on, and must not expect the Session.
#[test]
fn a_session_that_ended_while_its_device_heard_nothing_is_not_expected() {
    let tunnel = "[[network]]\nname = \"tunnel\"\nlatency = \"20ms\"\n\
                  outages = { every = \"20s\", lasts = \"30s\" }";
    let linked = SHORT_SESSIONS
        .replace("NETWORK", tunnel)
        .replace("LINK", "network = \"tunnel\"");
    let direct = SHORT_SESSIONS.replace("NETWORK", "").replace("LINK", "");
    let stands_still = |world: World<Recorder>| {
        world.with_standstill(
            Instant::ZERO + Duration::from_secs(20),
            Duration::from_secs(30),
        )
    };

    for judgement in [run(&linked), run_in(&direct, stands_still)] {
        assert_broken(&judgement, &[]);
        let readers = &judgement.measured.connections.groups[0];
        assert!(readers.reconnects >= 5, "{readers:?}");
    }
}

/// An outage shorter than half a Keep Alive explains no close.
#[test]
fn a_close_that_no_outage_explains_is_unexpected() {
    let tamper = once(
        20,
        |passing| passing.client_id == "cars-0" && matches!(passing.packet, Packet::Puback(_)),
        |_, tampered| tampered.close(),
    );

    let judgement = run_tampered(&scenario("10s", "500ms"), tamper);

    assert_broken(&judgement, &["connections().unexpected_disconnects"]);
}

/// A CONNECT that has left the link, and that the broker does not answer, is refused.
#[test]
fn a_connect_that_the_broker_had_is_refused() {
    let tamper = script(|passing, tampered| {
        let is_chosen = passing.client_id == "cars-0";
        if !is_chosen || !matches!(passing.packet, Packet::Connack(_)) {
            return Outcome::Pass;
        }
        tampered.close();
        Outcome::Done
    });

    let judgement = run_tampered(&scenario("10s", "500ms"), tamper);

    assert_broken(&judgement, &["connections().refused"]);
}

/// Cars on links that are out for longer than Keep Alive allows, with a will each, some of which fall silent;
/// a watcher beside the broker.
const WILLS: &str = r#"
[run]
duration = "40s"
drain = "20s"
[[network]]
name = "tunnel"
latency = "50ms"
outages = { every = { dist = "uniform", min = "2s", max = "14s" }, lasts = "8s" }
[[group]]
name = "cars"
count = 40
network = "tunnel"
keep_alive = "2s"
[group.will]
topic = "status/{client_id}"
qos = 1
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "gone"
at = "5s"
group = "cars"
select = { count = 5 }
action = "drop"
how = "silent"
[[expect]]
check = "will"
after = ["gone"]
exactly = 1
within = { silent = "12s" }
"#;

/// A broker that hears nothing for one and a half Keep Alive closes and publishes the will
/// [MQTT-3.1.2-22], long before the close has crossed the link.
#[test]
fn the_will_of_a_connection_that_an_outage_ended_is_due() {
    let judgement = run(WILLS);

    assert_broken(&judgement, &[]);
    let wills = judgement.measured.wills.iter();
    let closed = wills.filter(|will| will.how == "closed_by_broker");
    assert!(closed.map(|will| will.ended).sum::<u64>() > 20);
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
}

/// A broker that publishes each such will twice is found: the second one belongs to no end.
#[test]
fn a_doubled_will_after_an_outage_is_found() {
    let twice = script(|passing, tampered| {
        if is_to(passing, "watcher-0", "status") {
            tampered.forward(passing.direction, passing.bytes);
        }
        Outcome::Pass
    });
    let judgement = run_tampered(WILLS, twice);

    assert_eq!(verdict(&judgement).exit_code, 98, "{:?}", judgement.reasons);
}

/// Devices whose identifiers are taken over again and again, on links that lose segments.
const LOSSY_TAKEOVERS: &str = r#"
[run]
duration = "20s"
drain = "10s"
[[network]]
name = "n"
latency = "200ms"
loss = 0.3
[[group]]
name = "twins"
count = 20
network = "n"
clean_start = false
session_expiry = "1m"
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "50ms", max = "600ms" }
[[fault]]
name = "storm"
group = "twins"
action = "takeover"
every = "700ms"
select = { count = 6 }
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "500ms"
reason = "session_taken_over"
session_present = "correct"
"#;

/// The DISCONNECT and the FIN of a displaced connection may lie in its link for seconds: the connection is
/// over when they are at the device's machine.
#[test]
fn a_displaced_connection_is_not_alive_while_its_end_crosses_the_link() {
    for seed in 1..=4 {
        let scenario = harness::scenario(&format!("seed = {seed}\n{LOSSY_TAKEOVERS}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        assert_broken(&judgement, &[]);
        let takeovers = judgement.measured.takeovers.as_ref();
        assert!(takeovers.is_some_and(|takeovers| takeovers.takeovers > 50));
    }
}

/// Readers whose Sessions are kept on a link that is out for longer than Keep Alive allows.
const WAITING: &str = r#"
[run]
duration = "30s"
drain = "15s"
[[network]]
name = "tunnel"
latency = "20ms"
outages = { every = "10s", lasts = "4s" }
[[group]]
name = "readers"
count = 5
network = "tunnel"
keep_alive = "1s"
clean_start = false
session_expiry = "5m"
[[group.subscribe]]
filter = "t"
qos = 1
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "t"
qos = 1
rate = 10
[[expect]]
check = "delivery"
lost = 0
late = 0
"#;

/// What waited because squall's own link took the reader away is not late by the broker.
#[test]
fn what_waits_for_an_outage_is_not_held_against_the_broker() {
    let judgement = run(WAITING);

    assert_broken(&judgement, &[]);
    let late = judgement.measured.accounting.deliveries_at(1).late;
    assert!(late > 50, "{late}");
}

/// Devices on a link that loses every fifth segment: TCP sends it again after longer and longer, so that the
/// broker hears nothing for more than one and a half Keep Alive.
const LOSSY: &str = r#"
[run]
duration = "60s"
drain = "20s"
[[network]]
name = "n"
latency = "100ms"
loss = 0.3
[[group]]
name = "cars"
count = 40
network = "n"
keep_alive = "2s"
reconnect = { backoff = "500ms" }
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// Loss silences a device as an outage does, and the broker must close [MQTT-3.1.2-22].
#[test]
fn a_close_that_loss_on_the_link_explains_is_not_the_brokers() {
    let judgement = run(LOSSY);

    assert_broken(&judgement, &[]);
    let closed = &judgement.measured.connections.groups[0];
    assert!(closed.reconnects > 5, "{closed:?}");
}

/// A broker that closes after one Keep Alive, though something came meanwhile, is found on such a link too.
#[test]
fn a_close_on_a_lossy_link_that_heard_something_is_unexpected() {
    let tamper = once(
        10,
        |passing| passing.client_id == "cars-0" && matches!(passing.packet, Packet::Pingreq),
        |_, tampered| tampered.close(),
    );

    let judgement = run_tampered(LOSSY, tamper);

    assert_broken(&judgement, &["connections().unexpected_disconnects"]);
}

/// The scenario of the takeovers, with messages at two QoS on one topic and devices that fall silent.
fn lossy_takeovers_with_load() -> String {
    let load = r#"
[[group.subscribe]]
filter = "c/{client_id}"
qos = 2
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "c/twins-{seq % 20}"
qos = 1
rate = 100
[[group.publish]]
topic = "c/twins-{seq % 20}"
qos = 2
rate = 60
[[fault]]
name = "silence"
group = "twins"
action = "drop"
how = "silent"
every = "900ms"
select = { count = 3 }
[[fault]]
name = "storm""#;
    let claims = r#"
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;
    let loaded = LOSSY_TAKEOVERS.replace("[[fault]]\nname = \"storm\"", load);
    format!("{loaded}{claims}").replace("duration = \"20s\"", "duration = \"5s\"")
}

/// Whatever the seed, a broker that does nothing wrong breaks nothing: the first ones, and some in which a
/// CONNACK came later than that of the connection which took it over.
#[test]
fn an_honest_broker_breaks_nothing_over_bad_links() {
    let text = lossy_takeovers_with_load();
    for seed in (1..=32).chain([65, 74, 76, 85, 212]) {
        let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        let anomalies = &judgement.measured.anomalies;
        assert_ne!(
            verdict(&judgement).exit_code,
            98,
            "seed {seed}: {anomalies:#?}"
        );
    }
}
