//! A run that is cut short, as by a second Ctrl-C: what was on its way is not taken for lost.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::Resources;

use crate::run::{scenario, world};

/// Messages at QoS 1 and 2 are acknowledged at once and a second on their way to the subscriber, and devices fall
/// silent with their wills due.
const UNDER_WAY: &str = r##"
[run]
duration = "1m"
[[network]]
name = "far"
latency = "1s"
[[group]]
name = "sensors"
count = 10
keep_alive = "20s"
[group.will]
topic = "gone/{client_id}"
[[group.publish]]
topic = "data"
qos = 1
rate = 50
[[group.publish]]
topic = "orders"
qos = 2
rate = 50
[[group]]
name = "backend"
count = 1
network = "far"
[[group.subscribe]]
filter = "#"
qos = 2
[[fault]]
name = "power-cut"
at = "2s"
group = "sensors"
select = { count = 2 }
action = "drop"
how = "silent"
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "will"
after = ["power-cut"]
exactly = 1
"##;

/// Nothing that had no time to happen counts against the broker: not a delivery, not a handshake,
/// not a will.
#[test]
fn what_was_under_way_when_a_run_was_cut_is_excused() {
    let scenario = scenario(UNDER_WAY);
    let mut world = world(&scenario);
    while world.now() < Instant::ZERO + Duration::from_secs(15) {
        assert!(world.step());
    }

    let judgement = squall_ledger::judge(&scenario, world.cut(), &Resources::default());

    for check in &judgement.measured.checks {
        for claim in &check.claims {
            // The wills are due after 30 s: they could not be judged.
            assert!(claim.passed || claim.actual.is_none(), "{check:#?}");
        }
    }
    assert_eq!(judgement.measured.accounting.balance(), 0);
    let excuses = judgement.measured.accounting.excuses();
    assert!(excuses["run cut short"] >= 50, "{excuses:?}");
}
