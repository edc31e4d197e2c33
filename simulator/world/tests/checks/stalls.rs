//! Devices that a fault stops from reading: what a broker still owes them, and what it does not.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::{Instant, QoS, packet::Packet};
use squall_world::{Direction, Passing};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{drop_it, once, to_device};

/// Readers that do not read from 5 s to 15 s of the measured part, which begins at once, and give up waiting for an
/// answer after 4 s.
const SLOW: &str = r#"
[run]
duration = "40s"
drain = "15s"
connect_timeout = "4s"
[[group]]
name = "readers"
count = 5
LINK
keep_alive = "2s"
clean_start = false
session_expiry = "5m"
reconnect = { backoff = "500ms" }
[[group.subscribe]]
filter = "at/0"
qos = 0
[[group.subscribe]]
filter = "at/1"
qos = 1
[[group.subscribe]]
filter = "at/2"
qos = 2
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "at/0"
qos = 0
rate = 20
[[group.publish]]
topic = "at/1"
qos = 1
rate = 20
[[group.publish]]
topic = "at/2"
qos = 2
rate = 20
[[fault]]
name = "slow"
at = "5s"
group = "readers"
action = "stall"
lasts = "10s"
[[expect]]
check = "delivery"
qos = 0
lost = 0
[[expect]]
check = "delivery"
qos = 1
lost = 0
duplicated = 0
reordered = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

fn direct() -> String {
    SLOW.replace("LINK", "")
}

fn over_a_link() -> String {
    let network =
        "[[network]]\nname = \"n\"\nlatency = \"80ms\"\nbandwidth = { down = \"1mbit/s\" }\n";
    format!("{network}{}", SLOW.replace("LINK", "network = \"n\""))
}

/// Whether `passing` is a PUBLISH of this QoS on its way to the first reader, from a moment of the run on.
fn reaches(passing: &Passing<'_>, qos: QoS, from: u64) -> bool {
    passing.client_id == "readers-0"
        && passing.now >= Instant::ZERO + Duration::from_secs(from)
        && to_device(passing).is_some_and(|publish| publish.qos == qos)
}

fn excused_at_qos_0(judgement: &Judgement) -> u64 {
    let deliveries = judgement.measured.accounting.deliveries_at(0);
    let excused = deliveries.excuses.iter();
    let of_stall = excused.filter(|(name, _)| name.contains("stopped from reading"));
    of_stall.map(|(_, count)| count).sum()
}

/// A broker that keeps what a slow consumer does not read breaks nothing, and the run says what the fault did: on whom,
/// for how long, and that messages waited.
#[test]
fn a_slow_consumer_gets_everything_in_the_end() {
    for text in [direct(), over_a_link()] {
        let judgement = run(&text);

        assert_broken(&judgement, &[]);
        assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
        let fault = &judgement.measured.faults[0];
        assert_eq!((fault.applied, fault.lasts_s), (5, Some(10.0)), "{fault:?}");
        let waited = &fault.effects[0];
        // Twenty messages a second at three QoS for ten seconds to each of five.
        assert!((2_900..3_100).contains(&waited.count), "{fault:?}");
        assert!(
            waited.longest_s.is_some_and(|longest| longest > 9.9),
            "{fault:?}"
        );
    }
}

/// What was acknowledged at QoS 1 or 2 is owed to a slow consumer as to any other (§4.3.2, §4.3.3).
#[test]
fn a_message_that_is_dropped_because_its_recipient_is_slow_is_lost() {
    for (qos, claim) in [
        (QoS::AtLeastOnce, "delivery(1).lost"),
        (QoS::ExactlyOnce, "delivery(2).lost"),
    ] {
        let tamper = once(0, move |passing| reaches(passing, qos, 8), drop_it);

        let judgement = run_tampered(&direct(), tamper);

        assert_broken(&judgement, &[claim]);
    }
}

/// QoS 0 is at most once (§4.3.1): a broker may drop it for a client that does not read. For one that reads again it may
/// not, once it has caught up.
#[test]
fn what_is_dropped_at_qos_0_for_a_slow_consumer_is_excused() {
    let in_stall = |passing: &Passing<'_>| reaches(passing, QoS::AtMostOnce, 8);
    let judgement = run_tampered(&direct(), once(0, in_stall, drop_it));
    assert_broken(&judgement, &[]);
    assert_eq!(excused_at_qos_0(&judgement), 1);

    let long_after = |passing: &Passing<'_>| reaches(passing, QoS::AtMostOnce, 30);
    let judgement = run_tampered(&direct(), once(0, long_after, drop_it));
    assert_broken(&judgement, &["delivery(0).lost"]);
}

/// A broker may end the connection of a slow consumer, and owes it the rest when it is back; the end of one that reads
/// is unexpected.
#[test]
fn the_end_of_a_slow_consumers_connection_is_not_unexpected() {
    let ends_at = |from: u64| {
        once(
            0,
            move |passing| {
                passing.client_id == "readers-0"
                    && passing.direction == Direction::ToBroker
                    && passing.now >= Instant::ZERO + Duration::from_secs(from)
                    && matches!(passing.packet, Packet::Pingreq | Packet::Puback(_))
            },
            |_, tampered| tampered.close(),
        )
    };

    let judgement = run_tampered(&direct(), ends_at(8));
    assert_broken(&judgement, &[]);
    assert_eq!(judgement.measured.faults[0].effects[1].count, 1);
    let readers = &judgement.measured.connections.groups[0];
    assert_eq!(readers.reconnects, 1, "{readers:?}");

    let judgement = run_tampered(&direct(), ends_at(30));
    assert_broken(&judgement, &["connections().unexpected_disconnects"]);
}

/// A fault that lasts comes again while it lasts: the device that does not read is not taken twice, and reads when the
/// last one is over.
#[test]
fn stalls_may_overlap() {
    let text = direct().replace("at = \"5s\"", "every = \"7s\"");
    let text = text.replace("duration = \"40s\"", "duration = \"46s\"");
    let text = text.replace("every = \"7s\"", "every = \"7s\"\nfor = \"36s\"");

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let faults = &judgement.measured.faults;
    let hit: Vec<(u64, Option<f64>)> = faults.iter().map(|f| (f.applied, f.lasts_s)).collect();
    let expected = [5, 0, 5, 0, 5].map(|hit| (hit, Some(10.0)));
    assert_eq!(hit, expected);
}

/// Devices with wills that displace themselves, fall silent, are reset and do not read, over good and bad links.
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
clean_start = false
session_expiry = "5m"
reconnect = { when = "always", backoff = { dist = "uniform", min = "100ms", max = "2s" } }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.subscribe]]
filter = "c/{client_id}"
qos = 2
[[group.subscribe]]
filter = "will/#"
qos = 1
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
name = "slow"
every = "1100ms"
group = "doers"
select = { count = 2 }
action = "stall"
lasts = { dist = "exponential", mean = "2s" }
[[fault]]
name = "slow-backend"
every = "3s"
group = "backend"
select = { count = 1 }
action = "stall"
lasts = { dist = "uniform", min = "1s", max = "4s" }
[[fault]]
name = "silence"
every = "1700ms"
group = "doers"
select = { count = 1 }
action = "drop"
how = "silent"
[[fault]]
name = "reset"
every = "1300ms"
group = "doers"
select = { count = 1 }
action = "drop"
how = "rst"
[[fault]]
name = "storm"
every = "2300ms"
group = "doers"
select = { count = 1 }
action = "takeover"
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
misrouted = 0
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

/// What becomes of the wills of devices that are reset.
const WILLS: &str = r#"
[[expect]]
check = "will"
after = ["reset"]
exactly = 1
within = { rst = "2s" }
"#;

/// Whatever the seed, a broker that does nothing wrong breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing_by_slow_consumers() {
    let bad = "[[network]]\nname = \"n\"\nlatency = \"60ms\"\nloss = 0.05\n\
               outages = { every = { dist = \"exponential\", mean = \"8s\" }, lasts = \"1s\" }\n";
    for seed in 1..=24 {
        for (network, link, will) in [("", "", WILLS), (bad, "network = \"n\"", "")] {
            let text = TROUBLED.replace("NETWORK", network).replace("LINK", link);
            // Whose will is whose cannot be told where links keep watchers away.
            let text = text.replace("WILLS", will);
            let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

            let judgement = squall_world::run(&scenario, broker(), None);

            let anomalies = &judgement.measured.anomalies;
            assert_ne!(
                verdict(&judgement).exit_code,
                98,
                "seed {seed} {link}: {anomalies:#?}"
            );
            let balance = judgement.measured.accounting.balance();
            assert_eq!(balance, 0, "seed {seed} {link}");
        }
    }
}
