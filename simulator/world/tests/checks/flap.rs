//! Devices that connect and disconnect again and again: what a broker owes them, and that it makes of each end what it is.

use squall_ledger::Judgement;
use squall_world::Passing;

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{drop_it, is_to, once};

/// Ten trackers of which five come and go every 400 ms from 3 s to 11 s, and are sent commands meanwhile.
const SCENARIO: &str = r#"
[run]
duration = "15s"
drain = "15s"
NETWORK
[[group]]
name = "trackers"
count = 10
client_id = "tracker-{index}"
LINK
clean_start = false
session_expiry = "5m"
keep_alive = "5s"
reconnect = { when = "never" }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.subscribe]]
filter = "for/{client_id}"
qos = 2
[[group.publish]]
topic = "from/{client_id}"
qos = 2
rate = 100
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
topic = "for/tracker-{seq % 10}"
qos = 1
rate = 100
[[fault]]
name = "edge"
at = "3s"
group = "trackers"
select = { count = 5 }
action = "flap"
END
period = "400ms"
lasts = "8s"
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "delivery"
qos = 2
duplicated = 0
[[expect]]
check = "session"
present = "correct"
backlog = "complete"
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

const WILLS: &str = "[[expect]]\ncheck = \"will\"\nafter = \"edge\"\nexactly = 1\n";

fn direct(end: &str) -> String {
    let text = SCENARIO.replace("NETWORK", "").replace("LINK", "");
    format!("{}{WILLS}", text.replace("END", end))
}

fn ended(judgement: &Judgement) -> u64 {
    judgement.measured.faults[0].effects[0].count
}

/// Each end brings a will, each connection finds its Session again, nothing is lost; a device whose group does not reconnect
/// comes back all the same, and stays.
#[test]
fn an_honest_broker_stands_devices_that_come_and_go() {
    for end in ["", "how = \"rst\""] {
        let judgement = run(&direct(end));

        assert_broken(&judgement, &[]);
        assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
        // Each device twenty times: at 3 s, and after each period but the last, with which the fault ends.
        assert_eq!(ended(&judgement), 100);
        let fault = &judgement.measured.faults[0];
        assert_eq!((fault.applied, fault.lasts_s), (5, Some(8.0)), "{fault:?}");
        let trackers = &judgement.measured.connections.groups[0];
        assert_eq!(trackers.reconnects, 100, "{trackers:?}");
    }
}

/// Devices that say goodbye leave no will behind.
#[test]
fn a_polite_flap_brings_no_will() {
    let text = direct("reason = \"normal\"").replace("exactly = 1", "exactly = 0");

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    assert_eq!(ended(&judgement), 100);
}

/// One will that does not come of a hundred is missing.
#[test]
fn a_will_that_does_not_follow_one_end_of_many_is_missing() {
    let is_will = |passing: &Passing<'_>| is_to(passing, "backend-0", "will/");

    let judgement = run_tampered(&direct(""), once(17, is_will, drop_it));

    assert_broken(&judgement, &["will(edge).exactly"]);
}

/// Whatever the seed, the link and the period, a broker that does nothing wrong breaks nothing: connections are ended
/// before their CONNACK too.
#[test]
fn an_honest_broker_breaks_nothing_by_flapping() {
    let bad = "[[network]]\nname = \"n\"\nlatency = \"60ms\"\nloss = 0.05\n\
               outages = { every = { dist = \"exponential\", mean = \"8s\" }, lasts = \"1s\" }\n";
    for seed in 1..=SEEDS {
        for end in ["", "how = \"rst\"", "reason = \"normal\""] {
            for period in ["400ms", "230ms", "3ms"] {
                for (network, link) in [("", ""), (bad, "network = \"n\"")] {
                    let text = SCENARIO.replace("NETWORK", network).replace("LINK", link);
                    let lasts = if period == "3ms" { "500ms" } else { "8s" };
                    let text = text.replace("lasts = \"8s\"", &format!("lasts = \"{lasts}\""));
                    let wills = match (link, end.starts_with("reason")) {
                        ("", false) => WILLS.to_owned(),
                        ("", true) => WILLS.replace("exactly = 1", "exactly = 0"),
                        // Whose will is whose cannot be told where links keep watchers away.
                        _ => String::new(),
                    };
                    let text = text.replace("END", end).replace("400ms", period) + &wills;
                    let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

                    let judgement = squall_world::run(&scenario, broker(), None);

                    let shown = judgement.measured.anomalies.first();
                    let what = format!("seed {seed} {end} {period} {link}: {shown:#?}");
                    assert_ne!(verdict(&judgement).exit_code, 98, "{what}");
                    assert_eq!(judgement.measured.accounting.balance(), 0, "{what}");
                    assert!(ended(&judgement) >= 5, "{what}");
                }
            }
        }
    }
}

/// Seeds of the sweep.
const SEEDS: u64 = 2;
