//! As `found`, of devices that do not read, share a Session, or a subscription.

use crate::found::assert_sound;

/// A goodbye that its link holds until the next CONNECT has come is one of a connection that was taken over: its will
/// is due.
#[test]
fn a_goodbye_that_a_newer_connect_overtakes_is_a_takeover() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
outages = { every = "3s", lasts = "3s" }
[[group]]
name = "green"
count = 2
network = "near"
connect_rate = 0.5
availability = { up = "2s", down = "500ms", how = "disconnect" }
[group.will]
topic = "s/{client_id}"
retain = true
[[expect]]
check = "retained"
filter = "s/#"
equals = "last_will"
"#,
    );
}

/// A stalled device does not see that the broker has closed.
#[test]
fn a_device_that_does_not_read_does_not_see_the_close_after_a_malformed_packet() {
    assert_sound(
        r#"
[[group]]
name = "blue"
count = 1
[[fault]]
group = "blue"
at = "1s"
action = "stall"
lasts = "2s"
[[fault]]
group = "blue"
every = "1500ms"
action = "drop"
how = "malformed"
[[expect]]
check = "malformed"
closed_within = "1s"
reason = "correct"
"#,
    );
}

/// Nor does it see that another connection has displaced its own.
#[test]
fn a_device_that_does_not_read_does_not_see_that_it_was_displaced() {
    assert_sound(
        r#"
[[group]]
name = "red"
count = 3
client_id = "{group}-twin-{index % 2}"
leave = "7s"
[[fault]]
group = "red"
at = "3s"
action = "stall"
lasts = "5s"
[[expect]]
check = "takeover"
displaced_closed_within = "1s"
reason = "session_taken_over"
"#,
    );
}

/// The Subscription Identifier of a shared subscription comes to the member that gets the message, not to the others.
#[test]
fn an_identifier_of_a_shared_subscription_comes_to_one_member() {
    assert_sound(
        r#"
[[group]]
name = "green"
count = 4
[[group.publish]]
topic = "t/{index % 2}"
rate = 10
[[group.subscribe]]
filter = "$share/b/t/#"
subscription_identifier = 1
[[group.subscribe]]
filter = "t/+"
subscription_identifier = 3
[[expect]]
check = "delivery"
misrouted = 0
"#,
    );
}

/// Of several devices that hold one Session in turn each begins its Packet Identifiers anew: at QoS 2 the broker takes
/// one for what another had begun, or, once that is ended, for a new message.
#[test]
fn devices_that_share_a_session_do_not_know_each_others_packet_identifiers() {
    assert_sound(
        r#"
[[group]]
name = "red"
count = 5
client_id = "{group}-twin-{index % 2}"
clean_start = false
session_expiry = "10s"
[group.reconnect]
when = "always"
[[group.publish]]
topic = "u/v"
qos = 2
rate = 40
[[group]]
name = "green"
count = 1
[[group.subscribe]]
filter = "u/v"
[[fault]]
group = "red"
every = "700ms"
action = "drop"
how = "mid_packet"
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
"#,
    );
}

/// A goodbye that its link still holds when the next CONNECT displaces the connection: what was sent before it at QoS 0
/// never comes to the broker.
#[test]
fn what_a_link_holds_of_a_connection_that_said_goodbye_may_never_come() {
    assert_sound(
        r#"
[[network]]
name = "far"
loss = 0.3
[[group]]
name = "red"
count = 2
network = "far"
availability = { up = "2s", down = { dist = "exponential", mean = "1s" }, how = "disconnect" }
[group.birth]
topic = "s/{client_id}"
[[group.publish]]
topic = "t/{index % 2}"
rate = { repeat = "4s", points = [{ at = "0s", rate = 0 }, { at = "2s", rate = 30 }, { at = "4s", rate = 0 }] }
[[group]]
name = "green"
count = 1
[[group.subscribe]]
filter = "s/+"
[[expect]]
check = "delivery"
qos = 0
lost = 0
"#,
    );
}

/// A device publishes to one topic at QoS 0 and 1: what it sends again on its next connection may come twice, also to a
/// subscription at QoS 0, where nothing tells at which QoS it was sent.
#[test]
fn what_a_publisher_sends_again_may_come_twice_at_qos_0() {
    assert_sound(
        r#"
[[network]]
name = "far"
latency = "300ms"
[[group]]
name = "red"
count = 1
protocol = "3.1.1"
network = "far"
clean_start = false
availability = { up = "2s", down = "500ms", how = "fin" }
[[group.publish]]
topic = "t/{index % 2}"
qos = 1
rate = { repeat = "4s", points = [{ at = "0s", rate = 0 }, { at = "2s", rate = 30 }, { at = "4s", rate = 0 }] }
[[group.publish]]
topic = "t/0"
rate = 40
[[group]]
name = "blue"
count = 1
network = "far"
[[group.respond]]
filter = "t/0"
[[expect]]
check = "delivery"
duplicated = 0
"#,
    );
}
