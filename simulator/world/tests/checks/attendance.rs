//! Devices that come and go as their group wants: a broker that does nothing wrong breaks nothing by that.

use squall_ledger::Judgement;

use crate::harness;
use crate::run::{broker, verdict};

/// Groups of every kind of attendance, with streams of each QoS, wills, births, retained messages and Sessions
/// that wait.
const GROUPS: &str = r##"
[[group]]
name = "vans"
count = 20
client_id = "van-{index}"
clean_start = false
session_expiry = "10m"
availability = { up = { dist = "exponential", mean = "6s" }, down = { dist = "exponential", mean = "3s" }, how = "rst" }
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
[[group.publish]]
topic = "vans/{client_id}"
qos = 1
rate = 40
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group.subscribe]]
filter = "cmd/{client_id}"
qos = 2

[[group]]
name = "tablets"
count = 10
client_id = "tablet-{index}"
protocol = "3.1.1"
availability = { up = "5s", down = "2s" }
[group.will]
topic = "status/{client_id}"
payload = "gone"
[[group.publish]]
topic = "tablets/{client_id}"
qos = 0
rate = 20
[[group.subscribe]]
filter = "cmd/#"
qos = 1

[[group]]
name = "meters"
count = 20
client_id = "meter-{index}"
clean_start = false
session_expiry = "10m"
online = { repeat = "8s", points = [{ at = "0s", share = 0.3 }, { at = "4s", share = 1 }, { at = "6s", share = 0 }] }
[group.will]
topic = "status/{client_id}"
payload = "gone"
qos = 1
[[group.publish]]
topic = "meters/{client_id}"
qos = 1
rate = 40
[[group.subscribe]]
filter = "cmd/#"
qos = 2

[[group]]
name = "night-shift"
count = 10
start = "10s"
leave = "25s"
connect_rate = 5
[[group.publish]]
topic = "shift/{client_id}"
qos = 1
rate = 30
[[group.subscribe]]
filter = "shift/#"
qos = 1

[[group]]
name = "office"
count = 1
client_id = "office"
[[group.publish]]
topic = "cmd/van-{seq % 20}"
qos = 2
rate = 30
[[group.subscribe]]
filter = "#"
qos = 2
"##;

/// Claims on all of it.
const CLAIMS: &str = r##"
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
duplicated = 0
reordered = 0
late = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"##;

fn scenario(seed: u64, extra: &str) -> String {
    format!(
        r##"
seed = {seed}
[run]
warmup = "2s"
duration = "30s"
drain = "10s"
{extra}
{GROUPS}{CLAIMS}"##
    )
}

fn judged(seed: u64, extra: &str) -> Judgement {
    squall_world::run(&harness::scenario(&scenario(seed, extra)), broker(), None)
}

/// Ends that `availability` and `leave` ask for are the scenario's own, in every table: neither a link nor a takeover is
/// said to have brought them about, and the time away has a name that is a part of a sentence.
#[test]
fn devices_that_go_as_their_groups_want_are_no_matter_of_links() {
    let measured = judged(1, "").measured;

    let total = measured.connections.total();
    assert!(total.ended["went away as its group does"] > 0);
    assert_eq!(total.explained(), [].into());
    let causes = measured.scenario_delays.iter().map(|delay| &*delay.cause);
    assert_eq!(
        causes.collect::<Vec<_>>(),
        ["being away, as `availability` or `online` has it"]
    );
}

/// A share that never comes to the whole group leaves devices out as the scenario asks: the run is not in doubt for them.
#[test]
fn devices_that_are_never_called_are_as_asked() {
    for online in [
        "0.5",
        "[{ at = \"0s\", share = 0.2 }, { at = \"10s\", share = 0.9 }]",
    ] {
        let text = format!(
            r##"
[run]
warmup = "2s"
duration = "20s"
[[group]]
name = "meters"
count = 15
online = {online}
[[group.publish]]
topic = "meters/{{client_id}}"
qos = 1
rate = 15
[[group]]
name = "office"
count = 1
[[group.subscribe]]
filter = "meters/#"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"##
        );
        let judgement = squall_world::run(&harness::scenario(&text), broker(), None);

        let verdict = verdict(&judgement);
        assert_eq!(verdict.exit_code, 0, "{online}: {:#?}", verdict.reasons);
        assert!(judgement.measured.connections.peak_online < 16);
    }
}

/// Whatever the seed: not only is nothing broken, the claims are judged, too.
#[test]
fn an_honest_broker_breaks_nothing_by_devices_that_come_and_go() {
    for seed in 1..=12 {
        for extra in ["", "begin = \"at_once\""] {
            let judgement = judged(seed, extra);

            let anomalies = &judgement.measured.anomalies;
            let verdict = verdict(&judgement);
            let told = &verdict.reasons;
            assert_eq!(
                verdict.exit_code, 0,
                "seed {seed} {extra}: {told:#?} {anomalies:#?}"
            );
        }
    }
}
