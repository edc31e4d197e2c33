//! Devices that fall silent, over real sockets: a broker that does not keep time is found.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, Ran, run_through};

/// Ten devices fall silent; the broker may wait for 1.5 s and one more.
const SCENARIO: &str = r#"
version = 1
name = "silent-devices"
seed = 5

[run]
duration = "4s"
drain = "1s"

[[group]]
name = "devices"
count = 10
keep_alive = "1s"
[[group.subscribe]]
filter = "cmd/{client_id}"

[[fault]]
name = "power-cut"
at = "300ms"
group = "devices"
action = "drop"
how = "silent"

[[expect]]
check = "keep_alive"
closed_within = "1s"
"#;

/// A broker that knows no Keep Alive: it is taken out of each CONNECT.
struct NoKeepAlive;

impl Tamper for NoKeepAlive {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let (Direction::ToBroker, Packet::Connect(connect)) = (passing.direction, passing.packet)
        else {
            return tampered.pass(passing);
        };
        let mut changed = connect.clone();
        changed.keep_alive = 0;
        tampered.replace(passing, &Packet::Connect(changed));
    }
}

/// Every connection is closed in time, and none too early.
#[test]
fn silent_devices_that_are_closed_in_time_pass() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
    let silences = &ran.run["measured"]["silences"];
    assert_eq!(silences["began"], 10, "{silences}");
    assert_eq!(silences["closed"], 10, "{silences}");
}

/// [MQTT-3.1.2-22]
#[test]
fn silent_devices_that_stay_connected_end_with_98() {
    let Ran { code, summary, run } = run_through(SCENARIO, || Box::new(NoKeepAlive));

    assert_eq!(code, 98, "{summary}");
    let claim = &summary["checks"][0]["claims"][0];
    assert_eq!(claim["passed"], false, "{claim}");
    assert_eq!(run["measured"]["silences"]["open"], 10);
}
