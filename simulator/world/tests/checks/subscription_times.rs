//! Subscriptions that begin, end, and come and go while messages flow (§3.10.4): a broker that does nothing wrong breaks
//! nothing by that, and one that does is found.

use squall_ledger::Judgement;
use squall_protocol::ReasonCode;
use squall_protocol::packet::{AckProperties, Packet, Unsuback};
use squall_run::AnomalyKind;
use squall_world::Direction;

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, script};

/// Subscriptions of every kind that come and go: of each QoS, overlapping, shared, with identifiers and options, in both
/// versions, in Sessions that wait, over links, among retained messages and wills.
const GROUPS: &str = r##"
[[network]]
name = "lossy"
latency = { dist = "uniform", min = "10ms", max = "200ms" }
loss = 0.05
[[group]]
name = "vans"
count = 12
client_id = "van-{index}"
clean_start = false
session_expiry = "10m"
receive_maximum = 4
availability = { up = { dist = "exponential", mean = "6s" }, down = { dist = "exponential", mean = "2s" }, how = "rst" }
[group.will]
topic = "status/{client_id}"
payload = "gone"
qos = 1
retain = true
[group.birth]
topic = "status/{client_id}"
payload = "here"
qos = 1
retain = true
[[group.subscribe]]
filter = "cmd/{client_id}"
qos = 2
churn = { on = { dist = "exponential", mean = "2s" }, off = { dist = "exponential", mean = "1s" } }

[[group]]
name = "screens"
count = 8
LINK
[[group.subscribe]]
filter = "cmd/#"
qos = 1
subscription_identifier = 1
churn = { on = { dist = "exponential", mean = "3s" }, off = { dist = "exponential", mean = "1s" } }
[[group.subscribe]]
filter = ["cmd/+", "status/#"]
qos = 2
subscription_identifier = 2
start = "4s"
until = "22s"
[[group.subscribe]]
filter = "status/+"
qos = 0
retain_handling = 1
retain_as_published = true
churn = { on = "900ms", off = "300ms" }

[[group]]
name = "old"
count = 6
protocol = "3.1.1"
LINK
[[group.subscribe]]
filter = "cmd/#"
qos = 1
churn = { on = { dist = "uniform", min = "0s", max = "50ms" }, off = { dist = "uniform", min = "0s", max = "400ms" } }
[[group.subscribe]]
filter = "status/#"
qos = 2
start = "5s"

[[group]]
name = "workers"
count = 5
[[group.subscribe]]
filter = "$share/w/cmd/#"
qos = 1
churn = { on = { dist = "exponential", mean = "3s" }, off = { dist = "exponential", mean = "1s" } }

[[group]]
name = "office"
count = 1
client_id = "office"
[[group.publish]]
topic = "cmd/van-{seq % 12}"
qos = 2
rate = 60
[[group.publish]]
topic = "cmd/van-{seq % 12}"
qos = 1
retain = true
rate = 60
[[group.publish]]
topic = "cmd/all"
qos = 0
rate = 60
"##;

const CLAIMS: &str = r##"
[[expect]]
check = "delivery"
qos = 0
misrouted = 0
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
duplicated = 0
reordered = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
misrouted = 0
duplicated = 0
reordered = 0
[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"##;

fn judged(seed: u64, link: &str) -> Judgement {
    let groups = GROUPS.replace("LINK", link);
    let text = format!(
        r##"
seed = {seed}
[run]
warmup = "2s"
duration = "30s"
drain = "15s"
{groups}{CLAIMS}"##
    );
    squall_world::run(&harness::scenario(&text), broker(), None)
}

/// Whatever the seed, with links and without.
#[test]
fn an_honest_broker_breaks_nothing_by_subscriptions_that_come_and_go() {
    for seed in 1..=4 {
        for link in ["", "network = \"lossy\""] {
            let judgement = judged(seed, link);

            let anomalies = &judgement.measured.anomalies;
            let verdict = verdict(&judgement);
            let told = &verdict.reasons;
            assert_eq!(
                verdict.exit_code, 0,
                "seed {seed} {link}: {told:#?} {anomalies:#?}"
            );
        }
    }
}

/// One watcher whose subscription comes and goes every second.
const ONE: &str = r##"
[run]
duration = "20s"
drain = "5s"
[[group]]
name = "watcher"
count = 1
PROTOCOL
[[group.subscribe]]
filter = "t/#"
qos = 1
churn = { on = "1s", off = "1s" }
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "t/a"
qos = 1
rate = 20
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
"##;

/// What is owed is what was sent while the watcher was subscribed, half of all; nothing is lost that was sent between.
#[test]
fn nothing_is_owed_between_unsuback_and_the_next_subscribe() {
    for protocol in ["", "protocol = \"3.1.1\""] {
        let judgement = run(&ONE.replace("PROTOCOL", protocol));

        assert_broken(&judgement, &[]);
        let deliveries = judgement.measured.accounting.deliveries_at(1);
        assert!(
            (190..=210).contains(&deliveries.delivered),
            "{deliveries:?}"
        );
    }
}

/// A broker that answers UNSUBSCRIBE and goes on as before is found by what it delivers [MQTT-3.10.4-2].
#[test]
fn a_broker_that_delivers_after_unsuback_misroutes() {
    for protocol in ["", "protocol = \"3.1.1\""] {
        let keeps = script(|passing, tampered| {
            let Packet::Unsubscribe(unsubscribe) = passing.packet else {
                tampered.pass(passing);
                return Outcome::Done;
            };
            let unsuback = Unsuback {
                id: unsubscribe.id,
                properties: AckProperties::default(),
                reasons: vec![ReasonCode::Success; unsubscribe.filters.len()],
            };
            tampered.answer(passing, &Packet::Unsuback(unsuback));
            Outcome::Done
        });

        let judgement = run_tampered(&ONE.replace("PROTOCOL", protocol), keeps);

        assert_broken(&judgement, &["delivery(1).misrouted"]);
        let anomalies = &judgement.measured.anomalies;
        let found = anomalies
            .iter()
            .find(|anomaly| anomaly.kind == AnomalyKind::Misrouted);
        let text = found.map(|anomaly| anomaly.explanation.as_str());
        assert!(
            text.is_some_and(|text| text.contains("[MQTT-3.10.4-2]")),
            "{text:?}"
        );
    }
}

/// What a later message has overtaken before UNSUBSCRIBE is lost, although its subscription is given up.
#[test]
fn a_message_that_is_lost_before_unsubscribe_stays_lost() {
    let tamper = once(5, |passing| is_to(passing, "watcher-0", "t/a"), drop_it);

    let judgement = run_tampered(&ONE.replace("PROTOCOL", ""), tamper);

    assert_broken(&judgement, &["delivery(1).lost"]);
}

/// From the SUBACK of a later SUBSCRIBE on each message is owed.
#[test]
fn a_subscription_at_a_time_is_owed_from_its_suback_on() {
    let text = ONE
        .replace("PROTOCOL", "")
        .replace("churn = { on = \"1s\", off = \"1s\" }", "start = \"10s\"");
    let honest = run(&text);
    // The first was sent before SUBACK.
    let tamper = once(1, |passing| is_to(passing, "watcher-0", "t/a"), drop_it);
    let forgetful = run_tampered(&text, tamper);

    assert_broken(&honest, &[]);
    let delivered = honest.measured.accounting.deliveries_at(1).delivered;
    assert!((195..=200).contains(&delivered), "{delivered}");
    assert_broken(&forgetful, &["delivery(1).lost"]);
}

/// An UNSUBSCRIBE that is never answered ends the connection, and the run says so.
#[test]
fn an_unsubscribe_without_an_answer_is_counted() {
    let silent = once(
        0,
        |passing| {
            passing.direction == Direction::ToDevice
                && matches!(passing.packet, Packet::Unsuback(_))
        },
        drop_it,
    );

    let judgement = run_tampered(&ONE.replace("PROTOCOL", ""), silent);

    let told: Vec<String> = judgement
        .reasons
        .iter()
        .map(|reason| reason.text().to_owned())
        .collect();
    assert!(
        told.iter().any(|text| text.contains("UNSUBSCRIBE")),
        "{told:?}"
    );
}

/// A subscription that is acknowledged and brings nothing does not pass because it is given up in time: what was under way
/// for long then is not known to be queued.
#[test]
fn a_subscription_that_brings_nothing_is_not_excused_by_its_end() {
    for on in ["900ms", "3s"] {
        let text = ONE
            .replace("PROTOCOL", "")
            .replace("on = \"1s\"", &format!("on = \"{on}\""));
        let deaf = script(|passing, _| match is_to(passing, "watcher-0", "t/a") {
            true => Outcome::Done,
            false => Outcome::Pass,
        });

        let honest = run(&text);
        let judgement = run_tampered(&text, deaf);

        assert_broken(&honest, &[]);
        let late = |judgement: &Judgement| {
            let deliveries = judgement.measured.accounting.deliveries_at(1);
            let late = "recipient had unsubscribed long after it was sent";
            deliveries.excuses.get(late).copied().unwrap_or_default()
        };
        assert_eq!(late(&honest), 0, "{on}");
        assert!(late(&judgement) > 60, "{on}: {}", late(&judgement));
        assert_ne!(verdict(&judgement).outcome, squall_run::Outcome::Pass);
    }
}
