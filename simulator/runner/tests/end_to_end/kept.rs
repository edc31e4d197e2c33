//! What a broker keeps for others, over real sockets: `session`, `expiry`, `shared` and `quota`.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, Ran, run_through};

/// A reader that is away for a while and takes five messages at once, and workers of whom one dies.
const SCENARIO: &str = r#"
version = 1
name = "kept"
seed = 5

[run]
duration = "5s"
drain = "7s"

[[group]]
name = "reader"
count = 1
clean_start = false
session_expiry = "5m"
receive_maximum = 5
reconnect = { when = "always", backoff = "3s" }
[[group.subscribe]]
filter = ["long/+", "short/+"]
qos = 1
[[group]]
name = "host"
count = 1
[[group.publish]]
topic = "long/{client_id}"
qos = 1
rate = 20
message_expiry = "1h"
[[group.publish]]
topic = "short/{client_id}"
qos = 1
rate = 20
message_expiry = "1s"
[[group]]
name = "workers"
count = 4
[[group.subscribe]]
filter = "$share/crew/job/+"
qos = 1
[[group]]
name = "boss"
count = 1
[[group.publish]]
topic = "job/{client_id}"
qos = 1
rate = 100

[[fault]]
name = "away"
at = "1s"
group = "reader"
action = "drop"
how = "rst"

[[expect]]
check = "session"
present = "correct"
backlog = "complete"
[[expect]]
check = "expiry"
never_after = true
remaining = "correct"
[[expect]]
check = "shared"
exactly_one = true
[[expect]]
check = "quota"
receive_maximum = "kept"
"#;

/// A broker that knows none of it: no message expires and no client has a Receive Maximum, so that what has waited comes
/// at once; the first message of a shared subscription after a while goes to no member; and the Session is not told of.
#[derive(Default)]
struct Careless {
    together: Vec<u8>,
    count: u32,
    jobs: u32,
    has_come_back: bool,
}

impl Careless {
    fn handle_publish(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if passing.client_id.starts_with("workers-") {
            self.jobs += 1;
            if self.jobs != 20 {
                tampered.pass(passing);
            }
        } else if self.has_come_back && self.count < 12 {
            self.together.extend_from_slice(passing.bytes);
            self.count += 1;
            if self.count == 12 {
                tampered.forward(passing.direction, &self.together);
            }
        } else {
            tampered.pass(passing);
        }
    }
}

impl Tamper for Careless {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if let Packet::Connect(connect) = passing.packet {
            let mut changed = connect.clone();
            changed.properties.receive_maximum = None;
            return tampered.replace(passing, &Packet::Connect(changed));
        }
        if let Packet::Connack(connack) = passing.packet
            && connack.session_present
        {
            self.has_come_back = true;
            let mut changed = connack.clone();
            changed.session_present = false;
            return tampered.replace(passing, &Packet::Connack(changed));
        }
        let Packet::Publish(publish) = passing.packet else {
            return tampered.pass(passing);
        };
        if passing.direction == Direction::ToDevice {
            return self.handle_publish(passing, tampered);
        }
        let mut changed = publish.clone();
        changed.properties.message_expiry_interval = None;
        tampered.replace(passing, &Packet::Publish(changed));
    }
}

/// What a broker must keep, it keeps.
#[test]
fn a_broker_that_keeps_its_promises_passes() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
}

/// Each check fails but for the backlog, which has come.
#[test]
fn a_careless_broker_ends_with_98() {
    let Ran { code, summary, .. } = run_through(SCENARIO, || Box::<Careless>::default());

    assert_eq!(code, 98, "{summary}");
    let checks = summary["checks"].as_array().expect("it is a list");
    for check in checks {
        for claim in check["claims"].as_array().expect("it is a list") {
            let is_backlog = claim["key"] == "backlog";
            assert_eq!(claim["passed"], is_backlog, "{claim}");
        }
    }
}
