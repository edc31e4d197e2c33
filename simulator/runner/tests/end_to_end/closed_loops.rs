//! Devices that publish as fast as the broker answers, over real sockets.

use crate::assert_held;
use crate::tampered::{Honest, run_through};

/// Four devices with a window each.
const SCENARIO: &str = r#"
version = 1
name = "closed-loop"
seed = 5

[run]
duration = "1s"
drain = "2s"

[[group]]
name = "pumps"
count = 4
[[group.publish]]
topic = "t/{client_id}"
qos = 1
arrival = { window = 2 }
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1

[[expect]]
check = "delivery"
qos = 1
lost = 0
reordered = 0
"#;

/// As many as the broker answers, none lost, and the report says what they are.
#[test]
fn a_closed_loop_publishes_as_fast_as_it_is_answered() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
    let publications = &ran.run["measured"]["accounting"]["publications"][0];
    assert!(publications["sent"].as_u64() > Some(8), "{publications}");
    assert_eq!(publications["sent"], publications["ok"], "{publications}");
    let notes = ran.summary["summary"]["notes"].to_string();
    assert!(
        notes.contains("Closed loop: pumps to t/{client_id}"),
        "{notes}"
    );
}
