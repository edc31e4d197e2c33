//! Messages that a simulated link still holds when the run ends.

use crate::run::{assert_broken, run};

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
