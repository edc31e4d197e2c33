//! Subscription options over real sockets: a broker that does not know one is found.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::assert_held;
use crate::tampered::{Honest, Ran, run_through};

/// Peers that do not listen to themselves, by two filters with an identifier each.
const SCENARIO: &str = r#"
version = 1
name = "options"
seed = 5

[run]
duration = "1s"
drain = "6s"

[[group]]
name = "peers"
count = 5
[group.birth]
topic = "state/{client_id}"
qos = 1
retain = true
[[group.publish]]
topic = "room/{client_id}"
qos = 1
rate = 50
[[group.subscribe]]
filter = ["room/#", "state/+"]
qos = 1
no_local = true
subscription_identifier = 1
[[group.subscribe]]
filter = "room/+"
qos = 1
no_local = true
retain_as_published = true
retain_handling = 2
subscription_identifier = 2

[[expect]]
check = "delivery"
lost = 0
duplicated = 0
misrouted = 0
"#;

/// A broker that does not know No Local: it is taken out of each SUBSCRIBE.
struct Local;

impl Tamper for Local {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let (Direction::ToBroker, Packet::Subscribe(subscribe)) =
            (passing.direction, passing.packet)
        else {
            return tampered.pass(passing);
        };
        let mut changed = subscribe.clone();
        for subscription in &mut changed.subscriptions {
            subscription.options.no_local = false;
        }
        tampered.replace(passing, &Packet::Subscribe(changed));
    }
}

/// What the options ask for is what comes.
#[test]
fn a_broker_that_knows_the_options_passes() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
}

/// [MQTT-3.8.3-3]
#[test]
fn own_messages_despite_no_local_end_with_98() {
    let Ran { code, summary, .. } = run_through(SCENARIO, || Box::new(Local));

    assert_eq!(code, 98, "{summary}");
    let (messages, births) = (50, 5);
    assert_eq!(summary["summary"]["misrouted"], messages + births);
}
