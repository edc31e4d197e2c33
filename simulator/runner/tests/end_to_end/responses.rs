//! Requests and responses over real sockets: an honest broker answers for all of them, and one that changes what ties
//! them together is found out.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, run_through};

/// One operator asks five devices for a second, with a property that the broker must pass on too.
const SCENARIO: &str = r#"
version = 1
name = "responses"

[run]
duration = "1s"
drain = "5s"

[[group]]
name = "operator"
count = 1
[[group.publish]]
topic = "cmd/device-{seq % 5}"
qos = 1
rate = 50
response_topic = "answers/{client_id}"
content_type = "text/plain"
user_properties = { kind = "cmd" }
[[group.subscribe]]
filter = "answers/{client_id}"
qos = 1

[[group]]
name = "device"
count = 5
[[group.respond]]
filter = "cmd/{client_id}"
qos = 1
delay = "20ms"
payload = "done"

[[expect]]
check = "response"
answered = true
misdirected = 0

[thresholds]
"round_trip{group=operator}" = ["min > 20ms"]
"#;

/// Passes the tenth request on without its Correlation Data.
#[derive(Default)]
struct ForgetOne {
    seen: u32,
}

impl Tamper for ForgetOne {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if let (Direction::ToDevice, Packet::Publish(publish)) = (passing.direction, passing.packet)
            && publish.topic.as_str().starts_with("cmd/")
        {
            self.seen += 1;
            if self.seen == 10 {
                let mut publish = publish.clone();
                publish.properties.correlation_data = None;
                let mut bytes = Vec::new();
                squall_protocol::codec::encode_publish(&publish, passing.version, &mut bytes);
                return tampered.forward(Direction::ToDevice, &bytes);
            }
        }
        tampered.forward(passing.direction, passing.bytes);
    }
}

/// Fifty requests, fifty responses, each at the device that asked.
#[test]
fn every_request_is_answered() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    let responses = &ran.run["measured"]["responses"];
    assert_eq!(responses["requests"], 50, "{responses}");
    assert_eq!(responses["answered"], 50, "{responses}");
    assert_held(ran.code, &ran.run);
}

/// The response comes, and its device cannot tell to what: exit code 98, and the check says which claim.
#[test]
fn a_request_that_loses_its_correlation_data_is_misdirected() {
    let ran = run_through(SCENARIO, || Box::<ForgetOne>::default());

    assert_eq!(ran.code, 98, "{}", ran.summary);
    let responses = &ran.run["measured"]["responses"];
    assert_eq!(responses["misdirected"], 1, "{responses}");
    let claims = ran.run["measured"]["checks"][0]["claims"].clone();
    let claims = claims.as_array().expect("it is a list");
    let broken: Vec<_> = claims
        .iter()
        .filter(|claim| claim["passed"] == false)
        .map(|claim| &claim["key"])
        .collect();
    assert_eq!(broken, ["misdirected"]);
}
