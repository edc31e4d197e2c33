//! What the broker never answers, over connections that stay up: no claim need ask for it.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::{Instant, QoS, packet::Packet};
use squall_run::{Extent, MetricName, Percentile, Tags, ThresholdResult, Verdict};
use squall_world::{Direction, Passing};

use crate::run::{run, run_in, run_tampered};
use crate::tampering::{Outcome, script};

/// A publisher and a reader, with claims that hold whatever is not answered.
const SCENARIO: &str = r#"
[run]
duration = "5s"
drain = "DRAIN"
connect_timeout = "4s"
[[group]]
name = "back"
count = 2
keep_alive = "KEEP_ALIVE"
[[group.publish]]
topic = "t/{client_id}"
qos = QOS
rate = 50
[[group.subscribe]]
filter = "t/+"
qos = 2
[[expect]]
check = "delivery"
misrouted = 0
[thresholds]
"e2e_latency" = ["max < 1s"]
"#;

fn scenario(qos: QoS, drain: &str, keep_alive: &str) -> String {
    SCENARIO
        .replace("QOS", &(qos as u8).to_string())
        .replace("DRAIN", drain)
        .replace("KEEP_ALIVE", keep_alive)
}

/// Runs it with the packets that `choose` takes, given how many it took before, withheld.
fn withheld(text: &str, mut choose: impl FnMut(&Passing<'_>) -> bool + 'static) -> Judgement {
    run_tampered(
        text,
        script(move |passing, _| match choose(passing) {
            true => Outcome::Done,
            false => Outcome::Pass,
        }),
    )
}

/// The exit code and the reasons.
fn verdict(judgement: &Judgement) -> (u8, String) {
    let measured = &judgement.measured;
    let reasons = judgement.reasons.iter().cloned();
    let verdict = Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        reasons,
    );
    let texts: Vec<&str> = verdict.reasons.iter().map(|reason| reason.text()).collect();
    (verdict.exit_code, texts.join("; "))
}

/// Takes four of five of something.
fn four_of_five(is_one: impl Fn(&Packet<'_>) -> bool) -> impl FnMut(&Passing<'_>) -> bool {
    let mut count = 0;
    move |passing| {
        let is_taken = passing.direction == Direction::ToDevice && is_one(passing.packet);
        count += u64::from(is_taken);
        is_taken && count % 5 != 0
    }
}

/// No answer for longer than a device waits for one is the broker's, unless the generator was held up for so much of the
/// time that the rest is less.
#[test]
fn no_answer_while_the_generator_stood_still_proves_nothing() {
    let text = scenario(QoS::AtLeastOnce, "6s", "1h")
        .replace("connect_timeout = \"4s\"", "connect_timeout = \"8s\"");
    let run_with = |withheld_from, pause_ms| {
        let withhold = script(move |passing: &Passing<'_>, _| {
            let is_late = passing.now >= Instant::ZERO + Duration::from_secs(withheld_from);
            let is_puback = matches!(passing.packet, Packet::Puback(_));
            match is_late && is_puback && passing.direction == Direction::ToDevice {
                true => Outcome::Done,
                false => Outcome::Pass,
            }
        });
        let judgement = run_in(&text, |world| {
            world.with_tamper(Box::new(withhold)).with_standstill(
                Instant::ZERO + Duration::from_secs(6),
                Duration::from_millis(pause_ms),
            )
        });
        verdict(&judgement)
    };

    // The drain is as much longer as the generator stood still: the oldest waits for 10 s and that, or for 7 s and that.
    for pause_ms in [0, 500, 4_000] {
        assert_eq!(run_with(1, pause_ms).0, 98, "{pause_ms}");
    }
    let (code, reasons) = run_with(4, 4_000);
    assert_eq!(code, 4, "{reasons}");
    let why = "the generator may be the cause: it was held up for 4.00 s of that";
    assert!(reasons.contains(why), "{reasons}");
}

/// An honest broker answers everything.
#[test]
fn an_honest_broker_leaves_nothing_without_an_answer() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let judgement = run(&scenario(qos, "2s", "1s"));

        assert_eq!(verdict(&judgement), (0, String::new()));
        assert_eq!(judgement.measured.unfinished, []);
    }
}

/// PUBACK or PUBREC of four of five messages never comes: later ones were answered, so those are broken.
#[test]
fn messages_without_an_answer_break_the_protocol() {
    for (qos, of) in [
        (QoS::AtLeastOnce, "PUBLISHes at QoS 1 had no PUBACK"),
        (QoS::ExactlyOnce, "exchanges at QoS 2 had no PUBREC"),
    ] {
        let is_answer =
            |packet: &Packet<'_>| matches!(packet, Packet::Puback(_) | Packet::Pubrec(_));

        let judgement = withheld(&scenario(qos, "2s", "0s"), four_of_five(is_answer));

        let (code, reasons) = verdict(&judgement);
        assert_eq!(code, 98, "{reasons}");
        assert!(reasons.contains(of), "{reasons}");
        assert!(reasons.contains("the first of back-0"), "{reasons}");
        let acks = &judgement.measured.unfinished[0];
        assert_eq!((acks.metric, acks.count), (MetricName::AckLatency, 200));
    }
}

/// A broker that stalls until the end cannot hide it: what it has not answered counts with its age, and
/// the threshold that this would break is broken. Answers that could come still do not outrank that.
#[test]
fn a_stall_at_the_end_counts_with_its_age() {
    let mut stalled = false;
    let judgement = withheld(&scenario(QoS::AtLeastOnce, "2s", "0s"), move |passing| {
        // From the 200th message that one of them receives on, of 250.
        if let Packet::Publish(publish) = passing.packet {
            stalled |= publish.packet_id.is_some_and(|id| id.get() >= 200);
        }
        stalled
    });

    let (code, reasons) = verdict(&judgement);
    assert_eq!(code, 99, "{reasons}");
    assert!(reasons.contains("a longer run.drain shows"), "{reasons}");
    let e2e = judgement
        .measured
        .metrics
        .select(MetricName::E2eLatency, &Tags::new());
    let oldest = Duration::from_micros(e2e.max_us().expect("samples"));
    assert!(oldest > Duration::from_secs(2), "{oldest:?}");
    assert_eq!(
        judgement.measured.thresholds[0].result,
        ThresholdResult::Broken
    );
    assert!(e2e.percentile_us(Percentile::P50).is_some());
}

/// SUBACK never comes, or PINGRESP: the device gives up, again and again.
#[test]
fn requests_without_an_answer_break_the_protocol() {
    for (packet, of) in [
        ("suback", "SUBSCRIBEs had no SUBACK"),
        ("pingresp", "PINGREQs had no PINGRESP"),
    ] {
        let judgement = withheld(&scenario(QoS::AtLeastOnce, "6s", "1s"), move |passing| {
            let is_wanted = match packet {
                "suback" => matches!(passing.packet, Packet::Suback(_)),
                _ => matches!(passing.packet, Packet::Pingresp),
            };
            is_wanted && passing.client_id == "back-1"
        });

        let (code, reasons) = verdict(&judgement);
        assert_eq!(code, 98, "{reasons}");
        assert!(reasons.contains(of), "{reasons}");
    }
}
