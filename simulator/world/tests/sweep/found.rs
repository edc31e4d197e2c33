//! What random scenarios have found, in as few lines as show it: each once was held against an honest broker.

use crate::trial::{Trial, judge};

/// Runs the scenario in `text`: nothing is held against the broker.
#[track_caller]
pub(crate) fn assert_sound(text: &str) {
    let trial = judge(text);
    assert!(matches!(trial, Trial::Sound(_)), "{trial:?}");
}

/// A Session that has a message by its own subscription and by a shared one may get the copy at QoS 0 first, while its
/// Receive Maximum holds back those at QoS 1: order is promised within one QoS (§4.6).
#[test]
fn a_copy_of_a_shared_subscription_may_overtake_one_of_higher_qos() {
    assert_sound(
        r#"
[run]
duration = "1s"
[[network]]
name = "near"
latency = "1ms"
[[group]]
name = "blue"
count = 4
network = "near"
receive_maximum = 2
[[group.publish]]
topic = "t/0"
qos = 2
arrival = { window = 10 }
count = 100
[[group.subscribe]]
filter = "$share/b/t/#"
[[group.subscribe]]
filter = "t/#"
qos = 1
[[expect]]
check = "delivery"
reordered = 0
"#,
    );
}

/// A message that a publisher sends again on its next connection comes to a reader that was away at its first sending
/// after those that came meanwhile.
#[test]
fn what_a_publisher_sends_again_may_come_after_what_followed_it() {
    assert_sound(
        r#"
seed = 274
[[network]]
name = "far"
jitter = { dist = "uniform", min = "0ms", max = "200ms" }
outages = { every = "3s", lasts = { dist = "exponential", mean = "2s" } }
[[group]]
name = "red"
count = 1
availability = { up = { dist = "exponential", mean = "3s" }, down = "500ms", how = "rst" }
[[group.subscribe]]
filter = "t/0"
[[group]]
name = "green"
count = 1
protocol = "3.1.1"
network = "far"
clean_start = false
availability = { up = { dist = "exponential", mean = "3s" }, down = { dist = "exponential", mean = "1s" }, how = "disconnect" }
[[group.publish]]
topic = "t/{index % 2}"
qos = 1
rate = 40
[[expect]]
check = "delivery"
reordered = 0
"#,
    );
}

/// What a link still holds for a connection that was displaced comes after what newer connections brought, although
/// those have ended since.
#[test]
fn what_an_old_connection_still_brings_says_nothing_about_order() {
    assert_sound(
        r#"
seed = 258
[[network]]
name = "far"
latency = "300ms"
loss = 0.3
[[group]]
name = "red"
count = 1
[[group.publish]]
topic = "u/v"
rate = { repeat = "4s", points = [{ at = "0s", rate = 0 }, { at = "2s", rate = 30 }, { at = "4s", rate = 0 }] }
[[group]]
name = "blue"
count = 1
network = "far"
clean_start = false
session_expiry = "5m"
keep_alive = "2s"
[group.birth]
topic = "s/{client_id}"
qos = 1
[[group.subscribe]]
filter = "u/#"
[[fault]]
group = "blue"
every = "3s"
action = "takeover"
[[expect]]
check = "delivery"
reordered = 0
"#,
    );
}

/// A SUBSCRIBE whose SUBACK is lost with its connection may have brought what is retained, and the next one brings it
/// again.
#[test]
fn a_subscribe_whose_suback_was_lost_may_have_brought_what_is_retained() {
    assert_sound(
        r#"
[[network]]
name = "far"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
[[group]]
name = "red"
count = 1
network = "far"
[[group.publish]]
topic = "t/0"
rate = [{ at = "0s", rate = 1 }, { at = "8s", rate = 40 }]
burst = 5
retain = true
[[group.subscribe]]
filter = "t/0"
[[fault]]
group = "red"
every = "700ms"
action = "takeover"
[[expect]]
check = "delivery"
duplicated = 0
"#,
    );
}

/// What the publisher's own link held a message for is no time in the broker: neither its expiry nor what is left of
/// it.
#[test]
fn what_waited_on_a_publishers_link_did_not_wait_in_the_broker() {
    assert_sound(
        r#"
[[network]]
name = "far"
outages = { every = { dist = "uniform", min = "1s", max = "8s" }, lasts = "3s" }
[[group]]
name = "red"
count = 1
[[group.subscribe]]
filter = "t/+"
[[group]]
name = "green"
count = 1
network = "far"
[[group.publish]]
topic = "t/{index % 2}"
rate = 40
message_expiry = "1s"
[[expect]]
check = "expiry"
never_after = true
"#,
    );
}

/// Two devices announce the same message, one with RETAIN: what its end leaves retained is by its own CONNECT.
#[test]
fn a_will_is_retained_as_its_own_connection_asked() {
    assert_sound(
        r#"
[[group]]
name = "red"
count = 1
[group.will]
topic = "s/all"
[[group]]
name = "blue"
count = 1
availability = { up = "2s", down = "4s", how = "rst" }
[group.will]
topic = "s/all"
retain = true
[[expect]]
check = "retained"
filter = "s/#"
equals = "last_will"
"#,
    );
}

/// A goodbye that waits on a link for longer than Keep Alive allows comes too late: the broker has published the will.
#[test]
fn a_goodbye_that_its_link_holds_may_come_after_keep_alive() {
    assert_sound(
        r#"
seed = 928
[run]
warmup = "2s"
[[network]]
name = "far"
outages = { every = { dist = "uniform", min = "1s", max = "8s" }, lasts = "3s" }
[[group]]
name = "red"
count = 2
availability = { up = { dist = "uniform", min = "500ms", max = "4s" }, down = "4s", how = "rst" }
[[group.publish]]
topic = "t/{index % 2}"
qos = 2
rate = 40
[[group]]
name = "green"
count = 5
network = "far"
keep_alive = "1s"
[group.will]
topic = "t/0"
qos = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[fault]]
name = "f0"
group = "green"
at = "4s"
select = 2
action = "disconnect"
[[expect]]
check = "will"
after = "f0"
exactly = 0
"#,
    );
}

/// A Session that asks for a will by itself and as the member of a shared subscription may have it twice.
#[test]
fn a_member_that_watches_by_itself_too_has_two_copies_of_a_will() {
    assert_sound(
        r#"
[[group]]
name = "blue"
count = 4
[group.will]
topic = "t/0"
[[group.subscribe]]
filter = "t/#"
[[group.subscribe]]
filter = "$share/a/t/#"
[[fault]]
name = "f3"
group = "blue"
every = "3s"
select = 1
action = "disconnect"
reason = "with_will"
[[expect]]
check = "will"
after = "f3"
exactly = 1
"#,
    );
}

/// A connection that Keep Alive ended, because its link held what its device sent, was not displaced.
#[test]
fn keep_alive_may_end_a_connection_before_a_takeover_does() {
    assert_sound(
        r#"
[[network]]
name = "far"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
outages = { every = { dist = "uniform", min = "1s", max = "8s" }, lasts = { dist = "exponential", mean = "2s" } }
[[group]]
name = "grey"
count = 4
network = "far"
keep_alive = "2s"
[[fault]]
name = "f3"
group = "grey"
every = "3s"
select = 2
action = "takeover"
[[expect]]
check = "takeover"
displaced_closed_within = "1s"
reason = "session_taken_over"
"#,
    );
}

/// Nor did the broker close it for the malformed packet that the link held.
#[test]
fn keep_alive_may_end_a_connection_before_its_malformed_packet_comes() {
    assert_sound(
        r#"
[[network]]
name = "far"
outages = { every = { dist = "exponential", mean = "4s" }, lasts = "3s" }
[[group]]
name = "red"
count = 1
network = "far"
keep_alive = "2s"
[[fault]]
group = "red"
at = "2s"
action = "drop"
how = "malformed"
[[expect]]
check = "malformed"
closed_within = "1s"
reason = "correct"
"#,
    );
}

/// A connection that Keep Alive ended while its link held the CONNACK was not refused.
#[test]
fn a_connack_that_its_link_held_for_too_long_is_not_a_refusal() {
    assert_sound(
        r#"
[[network]]
name = "far"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
outages = { every = { dist = "exponential", mean = "4s" }, lasts = "3s" }
[[group]]
name = "red"
count = 3
network = "far"
keep_alive = "1s"
[[group.subscribe]]
filter = "t/+"
[[fault]]
group = "red"
every = "700ms"
action = "takeover"
[[expect]]
check = "connections"
refused = 0
"#,
    );
}

/// What a link still holds for a displaced connection was asked for there, although its clean Session is gone.
#[test]
fn what_a_displaced_connection_asked_for_is_not_misrouted() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
[[group]]
name = "green"
count = 5
client_id = "{group}-twin-{index % 2}"
network = "near"
[[group.subscribe]]
filter = "t/+"
[[group.publish]]
topic = "t/{index % 2}"
qos = 2
arrival = { window = 3 }
count = 60
[[expect]]
check = "delivery"
misrouted = 0
"#,
    );
}

/// A Session with a subscription of its own and a shared one gets the copy of each with the flags that it asks for.
#[test]
fn a_copy_of_a_shared_subscription_has_the_flags_that_that_one_asks_for() {
    assert_sound(
        r#"
[[group]]
name = "red"
count = 1
[[group.publish]]
topic = "u/v"
rate = [{ at = "3s", rate = 0 }, { at = "3s", rate = 30 }, { at = "6s", rate = 0 }]
retain = true
[[group.subscribe]]
filter = "$share/a/u/+"
retain_as_published = true
[[group.subscribe]]
filter = "u/v"
[[expect]]
check = "delivery"
misrouted = 0
"#,
    );
}

/// Devices that were to leave before it was their turn to connect: the run says nothing of them.
#[test]
fn devices_that_leave_before_their_turn_are_not_the_brokers() {
    assert_sound(
        r#"
[run]
begin = "at_once"
[[group]]
name = "red"
count = 5
connect_rate = 0.5
leave = "5s"
[[group.publish]]
topic = "t"
rate = 1
[[expect]]
check = "connections"
refused = 0
"#,
    );
}
