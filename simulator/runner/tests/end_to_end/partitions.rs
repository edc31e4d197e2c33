//! Links that a fault partitions or changes, over real sockets.

use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, run_through};

/// Devices that publish over links, through a partition and a time on a slower link.
const SCENARIO: &str = r#"
version = 1
name = "partitions"
seed = 5

[run]
duration = "4s"
drain = "2s"

[[network]]
name = "lan"

[[group]]
name = "cars"
count = 10
network = "lan"
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group]]
name = "listener"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1

[[fault]]
name = "tunnel"
at = "500ms"
group = "cars"
action = "partition"
lasts = "1s"
[[fault]]
name = "hills"
at = "2s"
group = "cars"
action = "network"
profile = "lte"
lasts = "1s"

[[expect]]
check = "delivery"
qos = 1
lost = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0

[thresholds]
"e2e_latency" = ["max > 900ms"]
"#;

/// Forgets what the broker has for the listener in the first half second after a partition: it comes all at once.
#[derive(Default)]
struct Burst {
    last: Option<squall_protocol::Instant>,
    lost: bool,
}

impl Tamper for Burst {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_to_listener =
            passing.direction == Direction::ToDevice && passing.client_id.starts_with("listener");
        if !is_to_listener {
            return tampered.pass(passing);
        }
        let pause = self
            .last
            .replace(passing.now)
            .map(|last| passing.now.saturating_since(last));
        let is_first_after = pause.is_some_and(|pause| pause.as_millis() > 500);
        if is_first_after && !self.lost {
            self.lost = true;
            return;
        }
        tampered.pass(passing);
    }
}

/// What the partition held comes after it, in order, and no connection is ended.
#[test]
fn a_partition_delays_and_loses_nothing() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
    let faults = &ran.run["measured"]["faults"];
    assert_eq!(faults[0]["action"], "partition", "{faults}");
    assert_eq!(faults[0]["applied"], 10, "{faults}");
    assert_eq!(faults[1]["applied"], 10, "{faults}");
    let latency = &ran.run["measured"]["thresholds"][0];
    assert_eq!(latency["result"], "held", "{latency}");
}

/// A partition excuses no message that the broker loses in it.
#[test]
fn a_message_that_is_lost_after_a_partition_is_found() {
    let ran = run_through(SCENARIO, || Box::<Burst>::default());

    assert_eq!(ran.code, 98, "{}", ran.summary);
    assert_eq!(ran.summary["summary"]["lost"], 1, "{}", ran.summary);
}
