//! Wills that wait, over real sockets: a broker that does not let them is found.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, Ran, run_through};

/// Guests that crash and stay away, and guests that are back before their wills are due.
const SCENARIO: &str = r#"
version = 1
name = "will-delay"
seed = 5

[run]
duration = "2s"
drain = "6s"

[[group]]
name = "gone"
count = 5
clean_start = false
session_expiry = "1m"
[group.will]
topic = "left/{client_id}"
qos = 1
delay = "3s"
[[group]]
name = "back"
count = 5
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "100ms" }
[group.will]
topic = "left/{client_id}"
qos = 1
delay = "1m"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "left/+"
qos = 1

[[fault]]
name = "gone-crash"
at = "500ms"
group = "gone"
action = "drop"
how = "rst"
[[fault]]
name = "back-crash"
at = "500ms"
group = "back"
action = "drop"
how = "rst"

[[expect]]
check = "will"
after = "gone-crash"
exactly = 1
[[expect]]
check = "will"
after = "back-crash"
exactly = 0
"#;

/// A broker that does not know Will Delay: it is taken out of each CONNECT.
struct AtOnce;

impl Tamper for AtOnce {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let (Direction::ToBroker, Packet::Connect(connect)) = (passing.direction, passing.packet)
        else {
            return tampered.pass(passing);
        };
        let mut changed = connect.clone();
        if let Some(will) = &mut changed.will {
            will.properties.will_delay_interval = None;
        }
        tampered.replace(passing, &Packet::Connect(changed));
    }
}

/// Wills come when they are due, and not where the device is back before.
#[test]
fn wills_that_wait_pass() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
}

/// [MQTT-3.1.2-8], [MQTT-3.1.3-9]
#[test]
fn wills_that_do_not_wait_end_with_98() {
    let Ran { code, summary, .. } = run_through(SCENARIO, || Box::new(AtOnce));

    assert_eq!(code, 98, "{summary}");
    for check in [0, 1] {
        let claim = &summary["checks"][check]["claims"][0];
        assert_eq!(claim["passed"], false, "{claim}");
    }
}
