//! What a generator that was held up, or had no port, may have broken itself is not held against the
//! broker; what no lag brings about is, whatever the generator did.

use std::time::Duration;

use squall_fleet::{Action, Actions, Input, OpenError};
use squall_ledger::{Judgement, judge};
use squall_protocol::{
    Instant, ReasonCode,
    packet::{Connack, ConnackProperties, Packet},
};
use squall_run::{Reason, Resources, Verdict};
use squall_world::{Passing, Tamper, Tampered};

use crate::run::{run, run_in, scenario, verdict};
use crate::tampering::{drop_it, is_to, once, publish_bytes, to_device};

/// A chatty group and a quiet one, with a Keep Alive that is short, for a minute.
const SCENARIO: &str = r#"
[run]
duration = "60s"
drain = "2s"
[[group]]
name = "sensors"
count = 2
keep_alive = "2s"
[[group.publish]]
topic = "t/{client_id}"
qos = 2
every = "10s"
[[group.publish]]
topic = "z/{client_id}"
every = "10s"
[[group]]
name = "reader"
count = 1
keep_alive = "2s"
[[group.subscribe]]
filter = "t/+"
qos = 2
[[group.subscribe]]
filter = "z/+"
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
[[expect]]
check = "connections"
unexpected_disconnects = 0
[thresholds]
schedule_lag = ["max < 1h"]
"#;

fn texts(verdict: &Verdict) -> Vec<&str> {
    verdict.reasons.iter().map(Reason::text).collect()
}

/// Gives a message of the reader a copy, which no lag of squall makes.
fn double_it(passing: &Passing<'_>, tampered: &mut Tampered) {
    tampered.forward(passing.direction, passing.bytes);
    tampered.forward(passing.direction, passing.bytes);
}

/// [MQTT-3.1.2-22]: a generator that says nothing for longer than its Keep Alive has its connections
/// ended by any broker that is right.
#[test]
fn a_pause_beyond_the_keep_alive_is_not_held_against_the_broker() {
    let judgement = run_in(SCENARIO, |world| {
        world.with_standstill(
            Instant::ZERO + Duration::from_secs(31),
            Duration::from_secs(5),
        )
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
    let expected = "connections: unexpected_disconnects should be 0, was 3; the generator may be the cause: \
                    it was held up for up to 5.00 s, and a device that is late by 1.00 s may lose its connection";
    assert!(texts(&verdict).contains(&expected), "{verdict:#?}");
}

/// The same of a broker that ends a connection while the generator is punctual: it is broken, whatever happened
/// to the generator at another time.
#[test]
fn an_end_that_no_pause_explains_is_held_against_the_broker() {
    let with_pause = |pause_ms| {
        let close = once(
            2,
            |passing| is_to(passing, "reader-0", "t"),
            |_: &Passing<'_>, tampered: &mut Tampered| tampered.close(),
        );
        let text = SCENARIO.replace("\"2s\"\n[[group.", "\"8s\"\n[[group.");
        let judgement = run_in(&text, |world| {
            world.with_tamper(Box::new(close)).with_standstill(
                Instant::ZERO + Duration::from_secs(31),
                Duration::from_millis(pause_ms),
            )
        });
        verdict(&judgement).exit_code
    };

    // Keep Alive is 8 s: a pause of 5 s may end connections, and this one has ended long before.
    assert_eq!([with_pause(0), with_pause(5_000)], [98, 98]);
}

/// A message that is missing may be missing by a subscriber that did not read for seconds while it was on its
/// way, and not by one that was a little late, or that had read a later message before it stood still.
#[test]
fn a_loss_is_held_against_the_broker_unless_its_client_did_not_read() {
    let lossy = |number, pause_ms| {
        let drop = once(number, |passing| is_to(passing, "reader-0", "t"), drop_it);
        let text = SCENARIO.replace("\"2s\"\n[[group.", "\"1h\"\n[[group.");
        let start = Instant::ZERO + Duration::from_secs(31);
        let judgement = run_in(&text, |world| {
            world
                .with_tamper(Box::new(drop))
                .with_standstill(start, Duration::from_millis(pause_ms))
        });
        verdict(&judgement).exit_code
    };

    // Each sensor publishes every 10 s: the sixth message leaves before 30 s, and the next of its stream after 35 s.
    assert_eq!([lossy(5, 0), lossy(5, 500), lossy(5, 5_000)], [98, 98, 4]);
    assert_eq!(lossy(1, 5_000), 98);
}

/// QoS 0 forbids a copy, and no lag makes one: exit code 98 in a run that nothing else follows from.
#[test]
fn what_no_lag_brings_about_outranks_an_invalid_run() {
    let double = once(1, |passing| is_to(passing, "reader-0", "z"), double_it);
    let text = SCENARIO.replace(
        "schedule_lag = [\"max < 1h\"]",
        "schedule_lag = [\"max < 1s\"]",
    );

    let judgement = run_in(&text, |world| {
        world.with_tamper(Box::new(double)).with_standstill(
            Instant::ZERO + Duration::from_secs(30),
            Duration::from_secs(5),
        )
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 98, "{verdict:#?}");
    let texts = texts(&verdict);
    assert!(
        texts[0].contains("duplicated should be 0, was 1"),
        "{texts:?}"
    );
    assert!(
        texts[1..].iter().any(|text| text.contains("schedule_lag")),
        "{texts:?}"
    );
}

/// §3.1.4: the end of a displaced connection of 3.1.1 is a FIN, and the system does not say when that
/// came. Read late, it may have come in time.
#[test]
fn an_end_that_is_read_late_may_have_come_in_time() {
    let text = r#"
        [run]
        duration = "10s"
        drain = "2s"
        [[group]]
        name = "twins"
        count = 2
        client_id = "twin"
        protocol = "3.1.1"
        connect_rate = 0.2
        [[expect]]
        check = "takeover"
        displaced_closed_within = "100ms"
        [thresholds]
        schedule_lag = ["max < 1h"]
        "#;
    // The second one connects at 5 s, and is there 80 us later: its CONNECT has left by then.
    let start = Instant::ZERO + Duration::from_secs(5) + Duration::from_micros(50);

    let judgement = run_in(text, |world| {
        world.with_standstill(start, Duration::from_millis(700))
    });

    assert_eq!(
        verdict(&run(text)).exit_code,
        0,
        "{:#?}",
        verdict(&run(text))
    );
    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
    let text = texts(&verdict)[0];
    assert!(
        text.contains("displaced_closed_within should be 100 ms, was 700 ms"),
        "{text}"
    );
}

/// A device that this machine has no port for is not the broker's: the run is invalid by our limit, and
/// nothing else is said of it.
#[test]
fn a_device_without_a_port_does_not_count_against_the_broker() {
    let text = "[run]\nduration = \"3s\"\n[[group]]\nname = \"p\"\ncount = 2\n\
                [[expect]]\ncheck = \"connections\"\nunexpected_disconnects = 0\nrefused = 0\n";
    let scenario = scenario(text);
    let mut fleet = squall_world::recorded_fleet(&scenario);
    let (mut now, mut actions) = (Instant::ZERO, Actions::new());
    let mut had_one = false;
    while let Some(deadline) = fleet.next_deadline() {
        now = now.max(deadline);
        fleet.handle(now, Input::DeadlinePassed, &mut actions);
        let asked: Vec<Action<'_>> = actions.iter().collect();
        let sockets: Vec<_> = asked
            .iter()
            .filter_map(|action| match action {
                Action::Open { socket, .. } => Some(*socket),
                Action::Send { .. }
                | Action::Pause { .. }
                | Action::Resume { .. }
                | Action::Close { .. } => None,
            })
            .collect();
        actions.clear();
        for socket in sockets {
            if std::mem::replace(&mut had_one, true) {
                let error = OpenError::LocalLimit;
                fleet.handle(now, Input::OpenFailed { socket, error }, &mut actions);
            } else {
                let waited = Duration::ZERO;
                fleet.handle(now, Input::Opened { socket, waited }, &mut actions);
                let bytes = &[0x20, 3, 0, 0, 0];
                let waited = None;
                fleet.handle(
                    now,
                    Input::Received {
                        socket,
                        bytes,
                        waited,
                    },
                    &mut actions,
                );
            }
            actions.clear();
        }
    }

    let judgement = judge(&scenario, fleet.finish(now), &Resources::default());

    let verdict = verdict(&judgement);
    let [text] = texts(&verdict)[..] else {
        panic!("{verdict:#?}");
    };
    assert!(text.contains("ran out of descriptors or ports"), "{text}");
    assert_eq!(verdict.exit_code, 4);
}

/// Of each kind only some anomalies are kept whole. The claim of a group whose own were not among the first is
/// judged by its own all the same, and shows them.
#[test]
fn a_claim_is_judged_by_anomalies_of_its_own_group() {
    let group = |name| {
        format!(
            "[[group]]\nname = \"{name}\"\ncount = 25\nkeep_alive = \"2s\"\n\
             [[expect]]\ncheck = \"connections\"\ngroup = \"{name}\"\nunexpected_disconnects = 0\n"
        )
    };
    let text = format!(
        "[run]\nduration = \"60s\"\ndrain = \"2s\"\n{}{}[thresholds]\nschedule_lag = [\"max < 1h\"]\n",
        group("a"),
        group("b")
    );

    let judgement = run_in(&text, |world| {
        world.with_standstill(
            Instant::ZERO + Duration::from_secs(31),
            Duration::from_secs(5),
        )
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
    let shown = judgement.measured.checks.iter();
    let shown: Vec<_> = shown.map(|check| check.violations.len()).collect();
    assert_eq!(shown, [20, 20]);
}

/// What waits for a kept Session is late when the generator's silence has ended its connection, whatever the
/// broker does; where nothing but the broker ended it, it is the broker's.
#[test]
fn messages_that_a_pause_makes_late_are_not_held_against_the_broker() {
    let text = r#"
[run]
duration = "30s"
drain = "2s"
[[group]]
name = "sensors"
count = 1
[[group.publish]]
topic = "t"
qos = 1
rate = 10
[[group]]
name = "reader"
count = 1
keep_alive = "2s"
clean_start = false
session_expiry = "1m"
[[group.subscribe]]
filter = "t"
qos = 1
[[expect]]
check = "delivery"
qos = 1
late = 0
[thresholds]
schedule_lag = ["max < 1h"]
"#;
    let close = once(
        50,
        |passing| is_to(passing, "reader-0", "t"),
        |_: &Passing<'_>, tampered: &mut Tampered| tampered.close(),
    );
    let (start, length) = (
        Instant::ZERO + Duration::from_secs(20),
        Duration::from_secs(5),
    );

    let paused = run_in(text, |world| world.with_standstill(start, length));
    let closed = run_in(text, |world| {
        let tampered = world.with_tamper(Box::new(close));
        tampered.with_standstill(start, length)
    });

    let code = |judgement: &Judgement| verdict(judgement).exit_code;
    assert_eq!(code(&paused), 4, "{:#?}", verdict(&paused));
    assert_eq!(code(&closed), 98, "{:#?}", verdict(&closed));
}

/// A broker need not wait for a client that says nothing before its CONNECT. A CONNACK with an error has nothing
/// to do with that.
#[test]
fn a_pause_explains_a_connect_without_answer_and_no_refusal() {
    let text = "[run]\nduration = \"20s\"\ndrain = \"2s\"\n[[group]]\nname = \"p\"\ncount = 2\n\
                keep_alive = \"2s\"\nconnect_rate = 0.2\n[[expect]]\ncheck = \"connections\"\nrefused = 0\n\
                [thresholds]\nschedule_lag = [\"max < 1h\"]\n";
    let is_connack = |passing: &Passing<'_>| matches!(passing.packet, Packet::Connack(_));
    let close = |_: &Passing<'_>, tampered: &mut Tampered| tampered.close();
    let refuse = |passing: &Passing<'_>, tampered: &mut Tampered| {
        let refused = Connack {
            session_present: false,
            reason: ReasonCode::NotAuthorized,
            properties: ConnackProperties::default(),
        };
        tampered.replace(passing, &Packet::Connack(Box::new(refused)));
    };
    // The second one connects at 5 s, and waits for its CONNACK.
    let start = Instant::ZERO + Duration::from_secs(5) + Duration::from_micros(50);
    let code = |tamper: Box<dyn Tamper>, pause_ms| {
        let length = Duration::from_millis(pause_ms);
        let judgement = run_in(text, |world| {
            world.with_tamper(tamper).with_standstill(start, length)
        });
        verdict(&judgement).exit_code
    };

    assert_eq!(code(Box::new(once(1, is_connack, close)), 0), 98);
    assert_eq!(code(Box::new(once(1, is_connack, close)), 5_000), 4);
    assert_eq!(code(Box::new(once(1, is_connack, refuse)), 5_000), 98);
}

/// A retained message changes by PUBLISH only: a silent generator does not make another payload of it.
#[test]
fn a_pause_does_not_explain_a_wrong_retained_message() {
    let text = "[run]\nduration = \"20s\"\ndrain = \"2s\"\n[[group]]\nname = \"p\"\ncount = 1\nkeep_alive = \"2s\"\n\
                [[group.publish]]\ntopic = \"r/{client_id}\"\nqos = 1\nretain = true\nevery = \"4s\"\n\
                [[expect]]\ncheck = \"retained\"\nfilter = \"r/#\"\nequals = \"last_publish\"\n\
                [thresholds]\nschedule_lag = [\"max < 1h\"]\n";
    let change = once(
        0,
        |passing| to_device(passing).is_some(),
        |passing: &Passing<'_>, tampered: &mut Tampered| {
            let mut changed = to_device(passing)
                .expect("only a PUBLISH is chosen")
                .clone();
            changed.payload = b"something else";
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_in(text, |world| {
        world.with_tamper(Box::new(change)).with_standstill(
            Instant::ZERO + Duration::from_secs(9),
            Duration::from_secs(5),
        )
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 98, "{verdict:#?}");
}
