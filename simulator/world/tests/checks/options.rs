//! Subscription options of MQTT 5.0: whose messages come, with which RETAIN flag, what is retained, and which
//! identifiers come back (§3.8.3.1, §3.8.2.1.2).
//!
//! A broker that does not know an option is made by a tamper that takes it out of each SUBSCRIBE.

use squall_protocol::packet::{Packet, RetainHandling, Subscribe, SubscriptionIdentifier};
use squall_world::{Direction, Tamper};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, publish_bytes, script, to_device};

/// Peers that talk to each other and not to themselves, by two filters that overlap; a host whose readings are
/// retained, and readers of it that come back and subscribe again: those that keep the RETAIN flag, those that ask for what is
/// retained once a Session, and those that never do.
const SCENARIO: &str = r#"
[run]
duration = "12s"
drain = "6s"
[[group]]
name = "peers"
count = 4
[[group.publish]]
topic = "room/{client_id}"
qos = 1
rate = 20
[[group.subscribe]]
filter = "room/#"
qos = 1
no_local = true
subscription_identifier = 1
[[group.subscribe]]
filter = "room/+"
qos = 1
no_local = true
subscription_identifier = 268435455
[[group]]
name = "host"
count = 1
connect_rate = 100
[group.birth]
topic = "reading/birth"
qos = 1
retain = true
[[group.publish]]
topic = "reading/host"
qos = 1
retain = true
rate = 2
[[group.publish]]
topic = "reading/host"
qos = 1
rate = 3
[[group]]
name = "keepers"
count = 4
[group.reconnect]
when = "always"
backoff = "300ms"
[[group.subscribe]]
filter = "reading/+"
qos = 1
retain_as_published = true
[[group]]
name = "twins"
count = 4
client_id = "twin-{index % 2}"
connect_rate = 2
clean_start = false
session_expiry = "1m"
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "300ms", max = "900ms" }
[[group.subscribe]]
filter = ["reading/+", "room/peers-0"]
qos = 1
retain_handling = 1
[[group]]
name = "late"
count = 3
[group.reconnect]
when = "always"
backoff = "300ms"
[[group.subscribe]]
filter = "reading/+"
qos = 1
retain_handling = 2
subscription_identifier = 5
[[fault]]
name = "keepers-crash"
every = "1s"
group = "keepers"
action = "drop"
how = "rst"
[[fault]]
name = "late-crash"
every = "1s"
group = "late"
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "delivery"
duplicated = 0
[[expect]]
check = "delivery"
mislabelled = 0
[[expect]]
check = "delivery"
misrouted = 0
"#;

/// Where `misrouted` is claimed, so is `mislabelled`.
const MISLABELLED: [&str; 2] = ["delivery().mislabelled", "delivery().mislabelled"];

/// A broker to which each SUBSCRIBE of the devices whose Client Identifiers begin with `prefix` came as `change`
/// leaves it.
fn asked(prefix: &'static str, change: impl Fn(&mut Subscribe) + 'static) -> impl Tamper {
    script(move |passing, tampered| {
        let (Direction::ToBroker, Packet::Subscribe(subscribe)) =
            (passing.direction, passing.packet)
        else {
            return Outcome::Pass;
        };
        if !passing.client_id.starts_with(prefix) {
            return Outcome::Pass;
        }
        let mut changed = subscribe.clone();
        change(&mut changed);
        tampered.replace(passing, &Packet::Subscribe(changed));
        Outcome::Done
    })
}

/// Without tampering every claim holds, and nothing is left over.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
    let books = judgement.measured.accounting.deliveries_at(1);
    assert!(books.expected > 1_000, "{books:?}");
}

/// [MQTT-3.8.3-3]
#[test]
fn own_messages_despite_no_local_are_misrouted() {
    let tamper = asked("peers-2", |subscribe| {
        for subscription in &mut subscribe.subscriptions {
            subscription.options.no_local = false;
        }
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["delivery().misrouted"]);
}

/// [MQTT-3.3.1-13]
#[test]
fn a_flag_that_is_not_kept_is_mislabelled() {
    let tamper = asked("keepers-1", |subscribe| {
        subscribe.subscriptions[0].options.retain_as_published = false;
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &MISLABELLED);
}

/// [MQTT-3.3.1-12]
#[test]
fn a_flag_that_is_not_cleared_is_mislabelled() {
    let tamper = asked("twin-1", |subscribe| {
        subscribe.subscriptions[0].options.retain_as_published = true;
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &MISLABELLED);
}

/// [MQTT-3.3.1-10]: the second of the twins comes into a Session that has its subscriptions.
#[test]
fn what_is_retained_comes_once_to_a_session() {
    let tamper = asked("twin-", |subscribe| {
        for subscription in &mut subscribe.subscriptions {
            subscription.options.retain_handling = RetainHandling::SendAtSubscribe;
        }
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["delivery().duplicated"]);
}

/// [MQTT-3.3.1-10]: a new subscription brings it.
#[test]
fn what_is_retained_must_come_to_a_new_subscription() {
    let text = SCENARIO.replace("retain_handling = 2", "retain_handling = 1");
    let tamper = asked("late-", |subscribe| {
        subscribe.subscriptions[0].options.retain_handling = RetainHandling::DoNotSend;
    });

    assert_broken(&run(&text), &[]);
    let judgement = run_tampered(&text, tamper);

    // The last SUBSCRIBE of each device brought nothing, and was not cut off by another crash.
    assert_broken(&judgement, &["delivery().lost"]);
}

/// [MQTT-3.3.1-11]
#[test]
fn what_is_retained_and_not_asked_for_is_misrouted() {
    let tamper = asked("late-0", |subscribe| {
        subscribe.subscriptions[0].options.retain_handling = RetainHandling::SendAtSubscribe;
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["delivery().misrouted"]);
}

/// [MQTT-3.3.4-3]
#[test]
fn a_missing_identifier_is_mislabelled() {
    let tamper = asked("late-1", |subscribe| {
        subscribe.properties.subscription_identifier = None;
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &MISLABELLED);
}

/// [MQTT-3.3.4-3]: of another subscription, and on messages out of the store too.
#[test]
fn an_identifier_that_no_subscription_has_is_mislabelled() {
    let tamper = asked("keepers-0", |subscribe| {
        subscribe.properties.subscription_identifier = SubscriptionIdentifier::new(9);
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &MISLABELLED);
}

/// [MQTT-3.3.4-4]: one message for two subscriptions bears the identifiers of both.
#[test]
fn one_identifier_of_two_is_mislabelled() {
    let tamper = script(|passing, tampered| {
        let Some(publish) = to_device(passing).filter(|_| passing.client_id == "peers-3") else {
            return Outcome::Pass;
        };
        let mut changed = publish.clone();
        changed.properties.subscription_identifiers.truncate(1);
        tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        Outcome::Done
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &MISLABELLED);
}

/// [MQTT-3.3.4-5]: a message for each of two subscriptions, each with the identifier of its own.
#[test]
fn a_message_for_each_identifier_is_right() {
    let tamper = script(|passing, tampered| {
        let Some(publish) = to_device(passing).filter(|_| passing.client_id == "peers-3") else {
            return Outcome::Pass;
        };
        // The second copy is a message of its own: at QoS 0 it needs no Packet Identifier.
        for (place, identifier) in publish
            .properties
            .subscription_identifiers
            .iter()
            .enumerate()
        {
            let mut copy = publish.clone();
            copy.properties.subscription_identifiers = vec![*identifier];
            if place > 0 {
                copy.qos = squall_protocol::QoS::AtMostOnce;
                copy.packet_id = None;
            }
            tampered.forward(passing.direction, &publish_bytes(&copy, passing.version));
        }
        Outcome::Done
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &[]);
}

/// Whatever the seed, and on links that lose and fail, a broker that knows all options breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing() {
    let network = "[[network]]\nname = \"bad\"\nlatency = \"120ms\"\nloss = 0.2\n\
                   outages = { every = \"4s\", lasts = \"1500ms\" }\n";
    let storm = "[[fault]]\nname = \"storm\"\nevery = \"700ms\"\ngroup = \"twins\"\naction = \"takeover\"\n\
                 select = { count = 2 }\n[[expect]]\ncheck = \"delivery\"\nlost = 0\n";
    let on_links = SCENARIO
        .replace("name = \"twins\"", "name = \"twins\"\nnetwork = \"bad\"")
        .replace("name = \"late\"", "name = \"late\"\nnetwork = \"bad\"")
        .replace(
            "name = \"keepers\"",
            "name = \"keepers\"\nnetwork = \"bad\"",
        )
        .replacen("[[expect]]\ncheck = \"delivery\"\nlost = 0\n", storm, 1);
    for seed in 1..=24 {
        let scenario = harness::scenario(&format!("seed = {seed}\n{network}{on_links}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        let anomalies = &judgement.measured.anomalies;
        assert_ne!(
            verdict(&judgement).exit_code,
            98,
            "seed {seed}: {anomalies:#?}"
        );
    }
}
