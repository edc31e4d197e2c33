//! `keep_alive`: silent devices are closed when one and a half times Keep Alive have passed, and not before
//! [MQTT-3.1.2-22].

use std::time::Duration;

use squall_fleet::SocketId;
use squall_ledger::Judgement;
use squall_protocol::{
    Instant, ReasonCode,
    packet::{Disconnect, DisconnectProperties, Packet},
};
use squall_run::{ClaimOutcome, ClaimResult, Silences, Value};
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

use crate::harness;
use crate::run::{assert_broken, broken, broker, run, run_in, run_tampered, verdict};
use crate::tampering::{Outcome, packet_bytes, script};

/// Ten readers fall silent at 5 s: their Keep Alive of 4 s is over by 11 s. A reader hears a message each second.
const SCENARIO: &str = r#"
[run]
duration = "15s"
[[group]]
name = "readers"
count = 10
keep_alive = "4s"
EXTRA
[[group.subscribe]]
filter = "t"
[[group]]
name = "sender"
count = 1
keep_alive = "1h"
[[group.publish]]
topic = "t"
rate = 1
[[fault]]
name = "power-cut"
at = "5s"
group = "readers"
action = "drop"
how = "silent"
[[expect]]
check = "keep_alive"
closed_within = "1s"
"#;

fn scenario(extra: &str) -> String {
    SCENARIO.replace("EXTRA", extra)
}

fn silences(judgement: &Judgement) -> Silences {
    judgement.measured.silences.expect("devices fell silent")
}

/// The broker's timers have slots of 250 ms: no close is later than that and two pipes.
#[test]
fn an_honest_broker_closes_silent_devices_in_time() {
    let judgement = run(&scenario(""));

    assert_broken(&judgement, &[]);
    let silences = silences(&judgement);
    assert_eq!((silences.began, silences.closed), (10, 10), "{silences:?}");
    assert!(silences.slowest_s < Some(0.251), "{silences:?}");
}

/// Keeps every close by the broker from its device.
struct NeverCloses;

impl Tamper for NeverCloses {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        tampered.pass(passing);
    }

    fn handle_close(&mut self, _: SocketId, direction: Direction) -> TamperedClose {
        match direction {
            Direction::ToDevice => TamperedClose::Swallow,
            Direction::ToBroker => TamperedClose::Pass,
        }
    }
}

/// A broker that leaves them open.
#[test]
fn a_silent_device_that_stays_connected_breaks_closed_within() {
    let judgement = run_tampered(&scenario(""), NeverCloses);

    // Whether one was closed early is not known where none was closed.
    assert_broken(
        &judgement,
        &["keep_alive().closed_within", "keep_alive().closed_early"],
    );
    let check = &judgement.measured.checks[0];
    assert_eq!(check.violations_total, 10, "{check:?}");
    let what = &check.violations[0].explanation;
    assert!(what.starts_with("still open "), "{what}");
    assert_eq!(silences(&judgement).open, 10);
    assert_never_closed(&check.claims[0], "10 never closed, open for up to ");
}

/// A connection that was never closed is not told as one that took so long to close.
fn assert_never_closed(claim: &ClaimOutcome, words: &str) {
    let Some(Value::Text(found)) = &claim.actual else {
        panic!("{claim:?}");
    };
    assert!(found.starts_with(words), "{found}");
}

/// A broker that takes Keep Alive for the whole time: 4 s instead of 6 s after the last packet.
#[test]
fn a_device_that_is_closed_before_its_time_breaks_closed_early() {
    let judgement = run_tampered(&scenario(""), closes_early(None));

    assert_broken(&judgement, &["keep_alive().closed_early"]);
    let silences = silences(&judgement);
    assert_eq!(silences.early, 10, "{silences:?}");
    assert!(silences.earliest_s > Some(0.2), "{silences:?}");
}

/// A broker that takes Keep Alive for the whole time, and says so with `told` if it says anything.
fn closes_early(told: Option<ReasonCode>) -> impl Tamper {
    script(move |passing, tampered| {
        let is_time = passing.now >= Instant::ZERO + Duration::from_millis(7_500);
        let is_reader = passing.client_id.starts_with("readers-");
        if !is_time || !is_reader || passing.direction != Direction::ToDevice {
            return Outcome::Pass;
        }
        if let Some(reason) = told {
            let disconnect = Packet::Disconnect(Disconnect {
                reason,
                properties: DisconnectProperties::default(),
            });
            tampered.forward(
                passing.direction,
                &packet_bytes(&disconnect, passing.version),
            );
        }
        tampered.close();
        Outcome::Done
    })
}

/// On a broker with other clients one of them may have taken the Client Identifiers over, unless the broker says that it
/// is for the silence: the figures are told, and what they may mean.
#[test]
fn on_a_shared_broker_an_early_close_is_judged_where_the_broker_says_why() {
    let muted = scenario("").replace(
        "action = \"drop\"\nhow = \"silent\"",
        "action = \"mute\"\nlasts = \"8s\"",
    );
    let shared = format!("[target]\nurl = \"mqtt://127.0.0.1:1883\"\n{muted}");

    for (told, early, unclear) in [
        (Some(ReasonCode::KeepAliveTimeout), 10, 0),
        (Some(ReasonCode::SessionTakenOver), 0, 10),
        (None, 0, 10),
    ] {
        let judgement = run_tampered(&shared, closes_early(told));

        let silences = silences(&judgement);
        assert_eq!((silences.early, silences.unclear), (early, unclear));
        let claim = &judgement.measured.checks[0].claims[1];
        if early > 0 {
            assert_eq!(claim.result(), ClaimResult::Broken, "{claim:?}");
        } else {
            let why = claim.unjudged.as_deref().unwrap_or_default();
            let words = "10 of 10 silent connections were closed early, by up to ";
            assert!(why.starts_with(words), "{claim:?}");
        }
    }
}

/// A broker that had heard nothing of a generator that stood still closes, whatever that said since. One second of the
/// Keep Alive of 4 s is not enough for that.
#[test]
fn an_early_close_after_a_standstill_proves_nothing() {
    let code_after = |pause_ms| {
        let judgement = run_in(&scenario(""), |world| {
            world
                .with_tamper(Box::new(closes_early(None)))
                .with_standstill(
                    Instant::ZERO + Duration::from_millis(2_400),
                    Duration::from_millis(pause_ms),
                )
        });
        assert_eq!(silences(&judgement).early, 10);
        verdict(&judgement).exit_code
    };

    assert_eq!(
        [code_after(0), code_after(1_000), code_after(2_500)],
        [98, 98, 4]
    );
}

/// A device that comes back takes its own silent connection over [MQTT-3.1.4-3]: the broker is early in nothing.
#[test]
fn a_takeover_ends_a_silence_without_a_judgement() {
    let comes_back = "reconnect = { when = \"always\", backoff = \"1s\" }";

    let judgement = run(&scenario(comes_back));

    let not_judged = ["keep_alive().closed_within", "keep_alive().closed_early"];
    assert_eq!(broken(&judgement), not_judged);
    assert_eq!(judgement.measured.checks[0].violations_total, 0);
    let silences = silences(&judgement);
    assert_eq!(
        (silences.taken_over, silences.early),
        (10, 0),
        "{silences:?}"
    );
}

/// The last packet counts from when it is through the link, not from when the device wrote it.
#[test]
fn a_slow_link_makes_no_broker_late_or_early() {
    let network = "[[network]]\nname = \"far\"\nlatency = { dist = \"lognormal\", median = \"300ms\", p99 = \"2s\" }\n\
                   outages = { every = { dist = \"exponential\", mean = \"4s\" }, lasts = \"1s\" }\n[[group]]\nname = \"readers\"";
    let text = scenario("network = \"far\"").replacen("[[group]]\nname = \"readers\"", network, 1);

    for seed in 0..40 {
        let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        assert_broken(&judgement, &[]);
    }
}
