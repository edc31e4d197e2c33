//! Squall's own client that looks at what is retained when the drain is over: what it does not get is not
//! taken for what is there.

use std::time::Duration;

use squall_fleet::Phase;
use squall_protocol::packet::{Packet, Publish};
use squall_run::{Reason, Resources};
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::run::{broken, run_tampered, scenario, world};
use crate::tampering::{Outcome, publish_bytes, script, to_device, topic};

/// Ten devices that each have their state retained, on a broker that others use too.
const STATES: &str = r#"
[target]
url = "mqtt://127.0.0.1:1883"
[run]
duration = "3s"
drain = "1s"
connect_timeout = "5s"
[[group]]
name = "devices"
count = 10
client_id = "d-{index}"
[[group.publish]]
topic = "state/{client_id}"
qos = 1
every = "1s"
retain = true
[[expect]]
check = "retained"
filter = "state/+"
equals = "last_publish"
"#;

fn is_to_checker(passing: &Passing<'_>) -> bool {
    passing.direction == Direction::ToDevice && passing.client_id.starts_with("squall-checker")
}

/// Keeps the SUBACK from the checker; what is retained comes through.
fn without_suback() -> impl Tamper {
    script(|passing, _| {
        if is_to_checker(passing) && matches!(passing.packet, Packet::Suback(_)) {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    })
}

/// After the first retained message the checker is sent others, one every 900 ms for 6 minutes.
fn without_end() -> impl Tamper {
    let mut has_begun = false;
    script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        let Some(publish) = to_device(passing).filter(|_| is_to_checker(passing) && !has_begun)
        else {
            return Outcome::Pass;
        };
        has_begun = true;
        tampered.pass(passing);
        for number in 1..=400 {
            let name = format!("state/of-others-{number}");
            let other = Publish {
                topic: topic(&name),
                ..publish.clone()
            };
            let bytes = publish_bytes(&other, passing.version);
            let delay = Duration::from_millis(900) * number;
            tampered.forward_after(delay, passing.direction, &bytes);
        }
        Outcome::Done
    })
}

/// Why the only claim was not judged.
fn why_unjudged(judgement: &squall_ledger::Judgement) -> String {
    assert_eq!(broken(judgement), ["retained(state/+).equals"]);
    let claim = &judgement.measured.checks[0].claims[0];
    claim.unjudged.clone().expect("it says why")
}

/// The broker must answer a SUBSCRIBE [MQTT-3.8.4-1]; what it sends does not stand in for SUBACK.
#[test]
fn messages_do_not_stand_in_for_a_suback() {
    let judgement = run_tampered(STATES, without_suback());

    let why = why_unjudged(&judgement);
    assert!(why.contains("had no SUBACK"), "{why}");
    let unanswered = |reason: &&Reason| matches!(reason, Reason::Unanswered(_));
    let reasons: Vec<&Reason> = judgement.reasons.iter().filter(unanswered).collect();
    assert_eq!(reasons.len(), 1, "{:?}", judgement.reasons);
    assert!(
        reasons[0].text().contains("1 SUBSCRIBEs of clients"),
        "{reasons:?}"
    );
}

/// Messages that keep coming do not keep the run: the look at what is retained ends a minute after the
/// time that a SUBACK has, and says that it was not over.
#[test]
fn retained_messages_without_end_do_not_hold_up_the_run() {
    let scenario = scenario(STATES);
    let world = world(&scenario).with_tamper(Box::new(without_end()));
    let outcome = world.run();
    let began = |wanted| {
        let phases = &outcome.phases;
        let found = phases.iter().find(|&&(phase, _)| phase == wanted);
        found.expect("the run has all phases").1
    };
    let took = began(Phase::Leaving).saturating_since(began(Phase::Checking));
    assert_eq!(took, Duration::from_secs(65));

    let judgement = squall_ledger::judge(&scenario, outcome, &Resources::default());

    let why = why_unjudged(&judgement);
    assert!(why.contains("still coming 65.0 s after it began"), "{why}");
}

/// A stop ends the look at what is retained at once; the claim is not judged by what was seen of it.
#[test]
fn a_stop_ends_the_look_at_what_is_retained() {
    let scenario = scenario(STATES);
    let mut world = world(&scenario).with_tamper(Box::new(without_end()));
    while world.fleet().phase() < Phase::Checking {
        assert!(world.step());
    }
    let stopped = world.now() + Duration::from_secs(10);
    while world.now() < stopped {
        assert!(world.step());
    }
    assert_eq!(world.fleet().phase(), Phase::Checking);

    world.stop();

    assert!(world.fleet().phase() > Phase::Checking);
    let judgement = squall_ledger::judge(&scenario, world.run(), &Resources::default());
    let why = why_unjudged(&judgement);
    assert!(why.contains("was stopped"), "{why}");
}
