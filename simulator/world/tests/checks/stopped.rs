//! A run that is stopped: nothing new begins, and what did not begin does not count against the broker.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::Instant;
use squall_run::{Reason, Resources};

use crate::run::{scenario, world};

/// Devices with Sessions that are cut, taken over, and left without answers all the time, and that come
/// back after a second.
const RESTLESS: &str = r##"
[run]
duration = "1m"
drain = "10s"
[[group]]
name = "sensors"
count = 20
clean_start = false
session_expiry = "5m"
[group.will]
topic = "gone/{client_id}"
qos = 1
[group.reconnect]
backoff = "1s"
[group.qos2]
cut_after = { publish = 0.1, pubrec = 0.1, pubrel = 0.1 }
withhold = { pubrec = 0.1, pubcomp = 0.1 }
[[group.publish]]
topic = "orders"
qos = 2
rate = 40
[[group.subscribe]]
filter = "orders"
qos = 2
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "#"
qos = 2
[[fault]]
name = "cut"
every = "500ms"
group = "sensors"
select = { count = 3 }
action = "drop"
how = "rst"
[[fault]]
name = "takeover"
every = "700ms"
group = "sensors"
select = { count = 2 }
action = "takeover"
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
misrouted = 0
[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "will"
after = ["cut"]
exactly = 1
[[expect]]
check = "connections"
unexpected_disconnects = 0
"##;

/// Runs `RESTLESS` until it is stopped after this time.
fn stopped_after(time: Duration) -> Judgement {
    let scenario = scenario(RESTLESS);
    let mut world = world(&scenario);
    while world.now() < Instant::ZERO + time {
        assert!(world.step());
    }
    world.stop();
    squall_ledger::judge(&scenario, world.run(), &Resources::default())
}

/// A device that was to come back and does not, because the run was stopped, has lost nothing and left
/// nothing unfinished.
#[test]
fn devices_that_do_not_come_back_after_a_stop_break_no_claim() {
    for tenths in [20, 53, 101] {
        let judgement = stopped_after(Duration::from_millis(tenths * 100));

        for check in &judgement.measured.checks {
            assert_eq!(check.violations_total, 0, "{check:#?}");
        }
        let against =
            |reason: &&Reason| matches!(reason, Reason::Invariant(_) | Reason::Unanswered(_));
        let against: Vec<&Reason> = judgement.reasons.iter().filter(against).collect();
        assert!(against.is_empty(), "{against:?}");
        assert_eq!(judgement.measured.accounting.balance(), 0);
    }
}
