//! Messages that a simulated link still holds when the run ends.

use std::num::NonZeroU16;

use squall_core::Config;

use crate::harness;
use crate::run::{assert_broken, run, scenario};

/// A reader whose link is so slow that most of what it is sent is on the link at the end, however long the
/// drain waits: the broker has delivered it.
#[test]
fn what_a_slow_link_still_holds_is_not_lost() {
    let judgement = run(r#"
[run]
duration = "20s"
drain = "2s"
[[network]]
name = "slow"
latency = "10ms"
bandwidth = { down = "8kbit/s" }
[[group]]
name = "p"
count = 5
[[group.publish]]
topic = "t"
qos = 1
rate = 100
payload = { size = "100B" }
[[group]]
name = "r"
count = 1
network = "slow"
keep_alive = "1h"
[[group.subscribe]]
filter = "t"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#);

    assert_broken(&judgement, &[]);
    let read = &judgement.measured.accounting.deliveries[0];
    let on_link = read.excuses["still on the simulated link at the end"];
    assert!(on_link > 500, "{read:?}");
    assert_eq!(read.delivered + on_link, read.expected);
}

/// The answer to the one message that the broker leaves unacknowledged is on the link when the run ends: what
/// waits for it in the broker is not lost.
#[test]
fn what_waits_for_an_answer_on_a_link_is_not_lost() {
    let text = r#"
[run]
duration = "10s"
drain = "2s"
[[network]]
name = "tunnel"
latency = "150ms"
outages = { every = { dist = "uniform", min = "5s", max = "6s" }, lasts = "1h" }
[[group]]
name = "p"
count = 1
[[group.publish]]
topic = "t"
qos = 1
rate = 20
[[group]]
name = "r"
count = 8
network = "tunnel"
keep_alive = "1h"
[[group.subscribe]]
filter = "t"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;
    let config = Config {
        in_flight_max: NonZeroU16::MIN,
        ..Config::default()
    };

    let judgement = squall_world::run(&scenario(text), harness::broker(config), None);

    assert_broken(&judgement, &[]);
    let read = &judgement.measured.accounting.deliveries[0];
    let on_link = read.excuses["still on the simulated link at the end"];
    assert_eq!(read.delivered + on_link, read.expected);
}
