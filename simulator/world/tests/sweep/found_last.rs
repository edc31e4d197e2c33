//! As `found`, of ends that a link keeps back, and of what several devices have in common.

use crate::found::assert_sound;

/// The end of a member of a shared subscription crosses a slow link: until it has, the broker sends that member its share at
/// QoS 0, which is gone.
#[test]
fn a_member_that_has_ended_is_sent_its_share_until_the_broker_knows() {
    assert_sound(
        r#"
[run]
duration = "12s"
[[network]]
name = "far"
latency = "300ms"
[[group]]
name = "pub"
count = 1
[[group.publish]]
topic = "u/v"
rate = 40
[[group]]
name = "blue"
count = 5
network = "far"
[[group.subscribe]]
filter = "$share/a/u/+"
[[fault]]
group = "blue"
at = "3s"
select = 2
action = "drop"
how = "fin"
[[expect]]
check = "delivery"
qos = 0
lost = 0
"#,
    );
}

/// A device falls silent while the CONNECT that takes its connection over crosses another link: that ends the connection, not
/// Keep Alive.
#[test]
fn a_connect_that_was_on_its_way_ends_a_silence() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
jitter = { dist = "uniform", min = "0ms", max = "200ms" }
[[group]]
name = "green"
count = 4
client_id = "{group}-twin-{index % 2}"
network = "near"
keep_alive = "1s"
[[fault]]
group = "green"
every = "1500ms"
for = "6s"
action = "mute"
lasts = "2s"
[[expect]]
check = "keep_alive"
closed_within = "1s"
"#,
    );
}

/// A link keeps a will from a device until the broker has sent it again to the one that took its connection over: the first copy
/// is then the second to come, without DUP.
#[test]
fn a_will_on_a_displaced_connection_may_have_come_again_before() {
    assert_sound(
        r#"
[[network]]
name = "far"
outages = { every = { dist = "uniform", min = "1s", max = "8s" }, lasts = "3s" }
[[group]]
name = "red"
count = 5
client_id = "{group}-twin-{index % 2}"
network = "far"
clean_start = false
session_expiry = "3s"
[[group.respond]]
filter = "t/0"
qos = 1
[[group]]
name = "green"
count = 1
[group.will]
topic = "t/0"
qos = 1
[[fault]]
group = "green"
every = "700ms"
for = "6s"
action = "flap"
lasts = "5s"
period = "900ms"
reason = "with_will"
[[fault]]
name = "f1"
group = "green"
at = "6s"
action = "disconnect"
[[expect]]
check = "will"
after = "f1"
exactly = 0
"#,
    );
}

/// Devices with the same will, some of which wait for it: one that comes at once is of those that do not.
#[test]
fn a_will_that_comes_at_once_is_of_a_device_without_a_delay() {
    assert_sound(
        r#"
[[group]]
name = "green"
count = 3
availability = { up = { dist = "exponential", mean = "3s" }, down = "4s", how = "rst" }
[group.will]
topic = "s/all"
[[group]]
name = "blue"
count = 1
session_expiry = "5m"
[group.will]
topic = "s/all"
delay = "5s"
[[group]]
name = "white"
count = 1
[[group.subscribe]]
filter = "s/+"
[[fault]]
name = "f1"
group = "blue"
every = "700ms"
action = "disconnect"
reason = "with_will"
[[expect]]
check = "will"
after = "f1"
exactly = 1
"#,
    );
}

/// Of two CONNECTs that crossed, the one whose CONNACK came first may have been processed last: its device has the Session until
/// another gets it, which cannot know what that has received.
#[test]
fn a_session_moves_back_to_the_device_whose_connection_goes_on() {
    assert_sound(
        r#"
[[network]]
name = "far"
latency = "50ms"
jitter = { dist = "uniform", min = "0ms", max = "200ms" }
[[group]]
name = "red"
count = 5
client_id = "{group}-twin-{index % 2}"
network = "far"
clean_start = false
session_expiry = "3s"
[[group.subscribe]]
filter = "$share/b/t/#"
qos = 2
[[group]]
name = "green"
count = 1
[[group.publish]]
topic = "t/{index % 2}"
qos = 2
rate = 40
[[expect]]
check = "delivery"
duplicated = 0
"#,
    );
}
