//! Properties that each message has for itself, over real sockets: a broker that passes them on is held to nothing, one that
//! changes one of them is found out.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::payloads::on_each_broker;
use crate::tampered::run_through;

/// Five devices publish for a second.
const SCENARIO: &str = r#"
version = 1
name = "properties"
[run]
duration = "1s"
drain = "5s"
[[group]]
name = "devices"
count = 5
[[group.publish]]
topic = "data/{client_id}"
qos = 1
rate = 100
content_type = "text/{rand.choice:plain|csv}"
user_properties = { n = "{seq}", at = "{now_ms}", "trace-{seq % 2}" = "{uuid}", level = "{rand.int:1..6}" }
payload = "21.5"
[[group]]
name = "backend"
count = 1
subscribe = [{ filter = "data/+", qos = 1 }]
[[expect]]
check = "delivery"
qos = 1
lost = 0
corrupted = 0
"#;

/// Passes the tenth message to the backend on with another value of its second User Property.
#[derive(Default)]
struct ChangeOne {
    seen: u32,
}

impl Tamper for ChangeOne {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if let (Direction::ToDevice, Packet::Publish(publish)) = (passing.direction, passing.packet)
        {
            self.seen += 1;
            if self.seen == 10 {
                let mut publish = publish.clone();
                publish.properties.user_properties[1].1 = "1767225600000";
                let mut bytes = Vec::new();
                squall_protocol::codec::encode_publish(&publish, passing.version, &mut bytes);
                return tampered.forward(Direction::ToDevice, &bytes);
            }
        }
        tampered.forward(passing.direction, passing.bytes);
    }
}

/// What is made for a message arrives with it.
#[test]
fn properties_of_each_message_arrive_as_they_were_sent() {
    on_each_broker(SCENARIO, &[], |code, run| {
        assert_held(code, run);
        let deliveries = &run["measured"]["accounting"]["deliveries"][0];
        assert_eq!(deliveries["delivered"], 100, "{run}");
    });
}

/// One value of one message: exit code 98, and the message is not what was owed.
#[test]
fn a_property_that_the_broker_changes_is_found() {
    let ran = run_through(SCENARIO, || Box::<ChangeOne>::default());

    assert_eq!(ran.code, 98, "{}", ran.summary);
    let deliveries = &ran.run["measured"]["accounting"]["deliveries"][0];
    assert_eq!(deliveries["corrupted"], 1, "{deliveries}");
    let claims = ran.run["measured"]["checks"][0]["claims"].clone();
    let claims = claims.as_array().expect("it is a list");
    let broken: Vec<_> = claims
        .iter()
        .filter(|claim| claim["passed"] == false)
        .map(|claim| &claim["key"])
        .collect();
    assert_eq!(broken, ["lost", "corrupted"]);
    let violations = ran.run["measured"]["checks"][0]["violations"].to_string();
    assert!(
        violations.contains("other User Properties than was published"),
        "{violations}"
    );
}
