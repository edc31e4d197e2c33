//! Runs that end before their time because something is broken.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::{Broker, proxy, run_scenario};

/// A run of ten minutes that wants no more once something is broken.
const SCENARIO: &str = r#"
version = 1
name = "aborted"
seed = 1
[run]
duration = "10m"
abort_on_fail = true
[[network]]
name = "far"
latency = "50ms"
[[group]]
name = "talkers"
count = 2
network = "far"
[[group.publish]]
topic = "talk"
qos = 0
rate = 20
[[group.subscribe]]
filter = "talk"
qos = 0
[[expect]]
check = "delivery"
duplicated = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// Sends each message to a device twice.
struct Twice;

impl Tamper for Twice {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_delivery = passing.direction == Direction::ToDevice;
        if is_delivery && matches!(passing.packet, Packet::Publish(_)) {
            tampered.forward(passing.direction, passing.bytes);
        }
        tampered.forward(passing.direction, passing.bytes);
    }
}

/// That the run ended by itself in its measured part, long before its time.
fn assert_aborted(run: &serde_json::Value) {
    let stopped = &run["times"]["stopped"];
    assert_eq!(stopped["by"], "run.abort_on_fail", "{stopped}");
    assert_eq!(stopped["phase"], "measure", "{stopped}");
    // It drained all the same: nothing is on its way.
    let phases = run["times"]["phases"].as_array().expect("it is a list");
    let last = phases.last().expect("it has phases");
    assert_eq!(last["kind"], "drain", "{last}");
}

#[test]
fn a_broken_claim_ends_a_run() {
    let broker = Broker::start();
    let address = proxy::start(broker.address, || Box::new(Twice));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let target = format!("target.url=mqtt://{address}");

    let (code, run) = run_scenario(folder.path(), SCENARIO, &["--set", &target]);

    assert_eq!(code, 98, "{}", run["verdict"]);
    assert_aborted(&run);
}

/// What breaks a threshold for good decides: the run is not invalid for having been stopped by it.
#[test]
fn a_broken_threshold_ends_a_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let scenario = format!("{SCENARIO}e2e_latency = [\"p50 < 10ms\"]\n");

    let (code, run) = run_scenario(folder.path(), &scenario, &[]);

    assert_eq!(code, 99, "{}", run["verdict"]);
    assert_aborted(&run);
}
