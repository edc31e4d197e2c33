//! Devices that a fault mutes: nothing leaves them, and a broker closes their connections when one and a half times Keep
//! Alive have passed [MQTT-3.1.2-22], publishes their wills, and owes them the rest.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_ledger::Judgement;
use squall_protocol::{Instant, packet::Packet};
use squall_run::Silences;
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, script};

/// Five doers, which publish and are sent messages at each QoS, are muted from 5 s of the measured part on, which begins at
/// once. Their Keep Alive of 2 s is broken after 3 s.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "10s"
[[group]]
name = "doers"
count = 5
client_id = "doer-{index}"
LINK
keep_alive = "2s"
receive_maximum = 20
clean_start = false
session_expiry = "5m"
reconnect = { backoff = "500ms" }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.subscribe]]
filter = "for/{client_id}/#"
qos = 2
[[group.publish]]
topic = "from/{client_id}"
qos = 2
rate = 20
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "from/+"
qos = 2
[[group.subscribe]]
filter = "will/+"
qos = 1
[[group.publish]]
topic = "for/doer-{index % 5}/1"
qos = 1
rate = 10
[[group.publish]]
topic = "for/doer-{seq % 5}/2"
qos = 2
rate = 50
[[fault]]
name = "hung"
at = "5s"
group = "doers"
action = "mute"
lasts = "LASTS"
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "delivery"
qos = 2
duplicated = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
[[expect]]
check = "quota"
receive_maximum = "kept"
"#;

const CLAIMS: &str = r#"
[[expect]]
check = "keep_alive"
closed_within = "1s"
[[expect]]
check = "will"
after = "hung"
exactly = 1
"#;

const LINK: &str = "[[network]]\nname = \"n\"\nlatency = \"80ms\"\n";

fn long(link: &str) -> String {
    let text = SCENARIO.replace("LASTS", "10s").replace("LINK", link);
    let network = if link.is_empty() { "" } else { LINK };
    format!("{network}{text}{CLAIMS}")
}

fn short() -> String {
    SCENARIO.replace("LASTS", "2500ms").replace("LINK", "")
}

fn silences(judgement: &Judgement) -> Silences {
    judgement.measured.silences.expect("devices fell silent")
}

/// A broker that closes them in time breaks nothing: their ends are the scenario's, their wills come once each, and what it
/// owes them comes when they are back. The run says what the fault did.
#[test]
fn an_honest_broker_closes_muted_devices_and_owes_them_the_rest() {
    for link in ["", "network = \"n\""] {
        let judgement = run(&long(link));

        assert_broken(&judgement, &[]);
        assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
        let silences = silences(&judgement);
        assert_eq!((silences.began, silences.closed), (5, 5), "{silences:?}");
        let fault = &judgement.measured.faults[0];
        assert_eq!((fault.applied, fault.lasts_s), (5, Some(10.0)), "{fault:?}");
        assert_eq!(fault.effects[0].count, 5, "{fault:?}");
        let doers = &judgement.measured.connections.groups[0];
        assert_eq!(doers.reconnects, 5, "{doers:?}");
    }
}

/// Notes what goes to the broker from doers, and when.
struct Witness(Rc<RefCell<Vec<(Instant, String)>>>);

impl Tamper for Witness {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if passing.direction == Direction::ToBroker && passing.client_id.starts_with("doer-") {
            let name = format!("{:?}", passing.packet);
            self.0.borrow_mut().push((passing.now, name));
        }
        tampered.pass(passing);
    }
}

/// Nothing leaves a muted device, answers included. When it talks again before the broker has to close, all that it held
/// back goes out, and nothing has happened.
#[test]
fn a_short_mute_costs_no_connection_and_no_message() {
    let packets = Rc::new(RefCell::new(Vec::new()));

    let judgement = run_tampered(&short(), Witness(Rc::clone(&packets)));

    assert_broken(&judgement, &[]);
    let silences = silences(&judgement);
    assert_eq!((silences.began, silences.broken), (5, 5), "{silences:?}");
    let doers = &judgement.measured.connections.groups[0];
    assert_eq!(doers.reconnects, 0, "{doers:?}");
    assert_eq!(judgement.measured.faults[0].effects[1].count, 5);
    let at = Duration::from_secs_f64(judgement.measured.faults[0].at_s);
    let begins = Instant::ZERO + at;
    // What left just before is still in the pipe.
    let from = begins + Duration::from_millis(1);
    let until = begins + Duration::from_millis(2_500);
    let packets = packets.borrow();
    let meanwhile: Vec<_> = packets
        .iter()
        .filter(|(at, _)| from < *at && *at < until)
        .collect();
    assert!(meanwhile.is_empty(), "{meanwhile:?}");
    let after = packets.iter().filter(|(at, _)| *at >= until).count();
    assert!(after > 500, "{after}");
}

/// Keeps every close by the broker from doers, and what they send after their mute from the broker.
struct NeverCloses;

impl Tamper for NeverCloses {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_goodbye = passing.direction == Direction::ToDevice
            && matches!(passing.packet, Packet::Disconnect(_));
        if !is_goodbye {
            tampered.pass(passing);
        }
    }

    fn handle_close(&mut self, _: SocketId, direction: Direction) -> TamperedClose {
        match direction {
            Direction::ToDevice => TamperedClose::Swallow,
            Direction::ToBroker => TamperedClose::Pass,
        }
    }
}

/// A broker that leaves a muted device connected is late, though the device talks again in the end.
#[test]
fn a_muted_device_that_stays_connected_breaks_closed_within() {
    let judgement = run_tampered(&long(""), NeverCloses);

    let mut checks = judgement.measured.checks.iter();
    let keep_alive = checks.find(|check| check.check == "keep_alive");
    let keep_alive = keep_alive.expect("it is claimed");
    assert!(!keep_alive.passed());
    assert_eq!(keep_alive.violations_total, 5, "{keep_alive:?}");
    let what = &keep_alive.violations[0].explanation;
    assert!(what.starts_with("still open "), "{what}");
}

/// A broker that takes Keep Alive for the whole time closes early: that end is its own.
#[test]
fn a_muted_device_that_is_closed_too_soon_is_an_unexpected_disconnect() {
    // Soon after the mute began: later the window of the device is full.
    let is_time = |passing: &Passing<'_>| {
        passing.now >= Instant::ZERO + Duration::from_millis(5_500)
            && is_to(passing, "doer-3", "for/")
    };
    let tamper = once(0, is_time, |_, tampered| tampered.close());

    let judgement = run_tampered(&long(""), tamper);

    let expected = [
        "connections().unexpected_disconnects",
        "keep_alive().closed_early",
    ];
    assert_broken(&judgement, &expected);
}

/// The will of a connection that the broker closes because of a mute must come, once [MQTT-3.1.2-8].
#[test]
fn a_will_that_does_not_follow_a_mute_is_missing() {
    let swallow = |passing: &Passing<'_>| is_to(passing, "backend-0", "will/doer-2");

    let judgement = run_tampered(&long(""), once(0, swallow, drop_it));

    assert_broken(&judgement, &["will(hung).exactly"]);
}

/// A message that is owed to a muted device at QoS 1 or 2 is owed to it when it is back.
#[test]
fn a_message_to_a_muted_device_that_never_comes_is_lost() {
    let is_the_one = |passing: &Passing<'_>| {
        passing.now >= Instant::ZERO + Duration::from_secs(5)
            && is_to(passing, "doer-1", "for/doer-1/2")
    };
    let mut doomed: Option<Vec<u8>> = None;
    let tamper = script(move |passing, _| {
        if doomed.is_none() && is_the_one(passing) {
            let publish = crate::tampering::to_device(passing).expect("it is one");
            doomed = Some(publish.payload.to_vec());
        }
        let publish = crate::tampering::to_device(passing);
        let is_doomed = publish.is_some_and(|publish| {
            is_to(passing, "doer-1", "for/doer-1/2") && doomed.as_deref() == Some(publish.payload)
        });
        match is_doomed {
            true => Outcome::Done,
            false => Outcome::Pass,
        }
    });

    let judgement = run_tampered(&long(""), tamper);

    assert_broken(&judgement, &["delivery().lost"]);
}

/// Devices with wills that are muted for about as long as Keep Alive allows, displaced, reset, stopped from reading and
/// silenced for good, over good and bad links.
const TROUBLED: &str = r#"
[run]
duration = "20s"
drain = "20s"
connect_timeout = "3s"
NETWORK
[[group]]
name = "doers"
count = 6
client_id = "doer-{index}"
LINK
keep_alive = "2s"
receive_maximum = 10
clean_start = false
session_expiry = "5m"
reconnect = { when = "always", backoff = { dist = "uniform", min = "100ms", max = "2s" } }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.subscribe]]
filter = "c/{client_id}"
qos = 2
[[group.publish]]
topic = "d/{client_id}"
qos = 2
rate = 30
[[group]]
name = "backend"
count = 3
LINK
[[group.subscribe]]
filter = "d/#"
qos = 1
[[group.subscribe]]
filter = "will/+"
qos = 0
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "c/doer-{seq % 6}"
qos = 1
rate = 40
[[group.publish]]
topic = "c/doer-{seq % 6}"
qos = 0
rate = 40
[[fault]]
name = "hung"
every = "700ms"
group = "doers"
select = { count = 2 }
action = "mute"
lasts = { dist = "uniform", min = "1s", max = "5s" }
MORE
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
misrouted = 0
[[expect]]
check = "keep_alive"
closed_within = "1s"
[[expect]]
check = "quota"
receive_maximum = "kept"
WILLS
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "1s"
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// What else befalls them.
const MORE: &str = r#"
[[fault]]
name = "slow"
every = "2100ms"
group = "doers"
select = { count = 1 }
action = "stall"
lasts = { dist = "exponential", mean = "2s" }
[[fault]]
name = "silence"
every = "3700ms"
group = "doers"
select = { count = 1 }
action = "drop"
how = "silent"
[[fault]]
name = "reset"
every = "2900ms"
group = "doers"
select = { count = 1 }
action = "drop"
how = "rst"
[[fault]]
name = "goodbye"
every = "4100ms"
group = "doers"
select = { count = 1 }
action = "disconnect"
[[fault]]
name = "storm"
every = "2300ms"
group = "doers"
select = { count = 1 }
action = "takeover"
"#;

const WILLS: &str = "[[expect]]\ncheck = \"will\"\nafter = \"hung\"\nexactly = 1\n";

/// Whatever the seed, a broker that does nothing wrong breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing_by_mutes() {
    let bad = "[[network]]\nname = \"n\"\nlatency = \"60ms\"\nloss = 0.05\n\
               outages = { every = { dist = \"exponential\", mean = \"8s\" }, lasts = \"1s\" }\n";
    for seed in 1..=SEEDS {
        for more in ["", MORE] {
            for (network, link, will) in [("", "", WILLS), (bad, "network = \"n\"", "")] {
                let text = TROUBLED.replace("NETWORK", network).replace("LINK", link);
                let text = text.replace("WILLS", will).replace("MORE", more);
                let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

                let judgement = squall_world::run(&scenario, broker(), None);

                let anomalies = &judgement.measured.anomalies;
                let shown = anomalies.first();
                assert_ne!(
                    verdict(&judgement).exit_code,
                    98,
                    "seed {seed} {link} {}: {shown:#?}",
                    more.len()
                );
                let balance = judgement.measured.accounting.balance();
                assert_eq!(balance, 0, "seed {seed} {link}");
                let silences = silences(&judgement);
                assert!(silences.closed > 0 && silences.broken > 0, "{silences:?}");
            }
        }
    }
}

/// Seeds of the sweep.
const SEEDS: u64 = 10;
