//! As `found`, of what came with subscriptions that come and go, and with faults of the broker.

use crate::found::assert_sound;

/// While a SUBSCRIBE is under way, a copy may be for the Session's own subscription or for its shared one: what the latter is owed
/// has come by it.
#[test]
fn a_copy_may_be_for_a_shared_subscription_while_another_is_asked_for() {
    assert_sound(
        r#"
[[network]]
name = "near"
jitter = { dist = "uniform", min = "0ms", max = "200ms" }
[[group]]
name = "red"
count = 1
network = "near"
[[group.publish]]
topic = "t/0"
rate = 10
[[group.subscribe]]
filter = "t/0"
start = "3s"
[[group.subscribe]]
filter = "$share/a/t/#"
[[expect]]
check = "delivery"
qos = 0
lost = 0
"#,
    );
}

/// A broker that is paused answers no UNSUBSCRIBE.
#[test]
fn a_paused_broker_answers_no_unsubscribe() {
    assert_sound(
        r#"
[run]
connect_timeout = "2s"
[[group]]
name = "red"
count = 1
[[group.subscribe]]
filter = "s/+"
churn = { on = "500ms", off = "300ms" }
[[fault]]
at = "2s"
action = "pause_broker"
lasts = "3s"
"#,
    );
}

/// A device that asks once, while a fault has the broker away, never gets in: that is the scenario's.
#[test]
fn a_broker_that_is_away_keeps_out_who_asks_once() {
    assert_sound(
        r#"
[[group]]
name = "red"
count = 4
online = [{ at = "2s", share = 0.2 }, { at = "6s", share = 1 }]
[group.reconnect]
when = "never"
[[fault]]
at = "5s"
action = "restart_broker"
lasts = "3s"
"#,
    );
}

/// What a link still holds for a displaced connection may be a will that it had asked for.
#[test]
fn a_will_for_a_displaced_connection_is_not_misrouted() {
    assert_sound(
        r#"
[[network]]
name = "near"
jitter = { dist = "uniform", min = "0ms", max = "200ms" }
[[group]]
name = "red"
count = 5
client_id = "{group}-twin-{index % 2}"
network = "near"
[group.will]
topic = "s/{client_id}"
[[group.subscribe]]
filter = "s/+"
[[expect]]
check = "delivery"
misrouted = 0
"#,
    );
}

/// A broker that is told to stop says so to each client, whatever that has sent.
#[test]
fn a_broker_that_stops_gives_no_reason_for_a_malformed_packet() {
    assert_sound(
        r#"
seed = 375
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
[[group]]
name = "red"
count = 3
network = "near"
[[group.publish]]
topic = "t/0"
rate = 2
[[fault]]
group = "red"
every = "1500ms"
action = "drop"
how = "malformed"
[[fault]]
at = "2s"
action = "restart_broker"
lasts = "1s"
[[expect]]
check = "malformed"
closed_within = "1s"
reason = "correct"
"#,
    );
}

/// A device says goodbye on a connection that the broker has closed, which its link has not told it yet: what it had sent may
/// never have come.
#[test]
fn a_goodbye_on_a_connection_that_the_broker_has_closed_comes_to_none() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
loss = 0.3
outages = { every = "3s", lasts = "3s" }
[[group]]
name = "green"
count = 1
[[group.subscribe]]
filter = "t/#"
[[group]]
name = "blue"
count = 1
network = "near"
keep_alive = "1s"
online = { repeat = "6s", points = [{ at = "0s", share = 1 }, { at = "3s", share = 0.2 }, { at = "6s", share = 1 }] }
[[group.publish]]
topic = "t/{index % 2}"
rate = 10
[[expect]]
check = "delivery"
qos = 0
lost = 0
"#,
    );
}

/// All members of a shared subscription are taken over at once, with clean Sessions: nothing that was on its way to one can
/// go to another.
#[test]
fn what_was_on_its_way_ends_with_the_last_member() {
    assert_sound(
        r#"
[run]
begin = "at_once"
[[group]]
name = "red"
count = 2
[[group.subscribe]]
filter = "$share/b/t/#"
qos = 2
[[group]]
name = "blue"
count = 1
[[group.publish]]
topic = "t/0"
qos = 1
rate = 10
[[fault]]
group = "red"
at = "3s"
action = "takeover"
[[expect]]
check = "delivery"
lost = 0
"#,
    );
}

/// The Session of the only member of a shared subscription expires: what waited for it there goes with it.
#[test]
fn what_waits_for_a_shared_subscription_ends_with_the_session_of_its_last_member() {
    assert_sound(
        r#"
seed = 22
[run]
connect_timeout = "2s"
[[network]]
name = "near"
latency = "1ms"
loss = 0.3
[[group]]
name = "green"
count = 1
[[group.publish]]
topic = "t/{index % 2}"
qos = 1
rate = 40
[[group]]
name = "grey"
count = 1
network = "near"
clean_start = false
session_expiry = "1s"
[[group.subscribe]]
filter = "b/+"
churn = { on = "2s", off = "300ms" }
[[group.subscribe]]
filter = "$share/{index % 2}/t/+"
qos = 2
[[expect]]
check = "delivery"
lost = 0
"#,
    );
}

/// Devices that publish at QoS 2 in one Session in turn: what the broker took for another's at first comes after what
/// followed it.
#[test]
fn what_the_broker_took_for_another_devices_may_come_late() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = "50ms"
[[group]]
name = "red"
count = 5
client_id = "{group}-twin-{index % 2}"
network = "near"
clean_start = false
session_expiry = "5m"
availability = { up = { dist = "exponential", mean = "3s" }, down = "4s", how = "fin" }
[group.reconnect]
backoff = { dist = "uniform", min = "50ms", max = "600ms" }
[[group.publish]]
topic = "u/{client_id}"
qos = 2
rate = 40
[[group.subscribe]]
filter = "u/#"
[[expect]]
check = "delivery"
reordered = 0
"#,
    );
}

/// A Session that ends with its connection ends with one that is taken over, whose end its link may tell later than the CONNACK
/// of the new one comes: what was owed until then is not lost.
#[test]
fn a_session_may_end_by_a_takeover_before_its_device_hears_of_it() {
    assert_sound(
        r#"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
[[group]]
name = "red"
count = 1
[[group.publish]]
topic = "u/v"
qos = 2
rate = [{ at = "3s", rate = 0 }, { at = "3s", rate = 30 }, { at = "6s", rate = 0 }]
[[group]]
name = "green"
count = 1
network = "near"
clean_start = false
[[group.subscribe]]
filter = "u/v"
qos = 1
[[fault]]
group = "green"
every = "3s"
for = "6s"
action = "takeover"
[[expect]]
check = "delivery"
lost = 0
"#,
    );
}

/// The link of a member of a shared subscription keeps from it for seconds that its connection has ended, and its Session with
/// that: what came to the broker meanwhile was for none.
#[test]
fn what_comes_after_the_last_member_is_gone_is_owed_to_none() {
    assert_sound(
        r#"# the broker keeps everything
seed = 292
[run]
warmup = "2s"
[[network]]
name = "near"
latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
outages = { every = "3s", lasts = { dist = "exponential", mean = "2s" } }
[[group]]
name = "red"
count = 1
[[group.publish]]
topic = "u/v"
qos = 2
rate = [{ at = "3s", rate = 0 }, { at = "3s", rate = 30 }, { at = "6s", rate = 0 }]
[[group]]
name = "green"
count = 3
network = "near"
[[group.subscribe]]
filter = "$share/a/u/+"
qos = 1
[[fault]]
group = "green"
every = "700ms"
for = "8s"
action = "takeover"
[[fault]]
at = "1s"
action = "restart_broker"
lasts = "3s"
[[expect]]
check = "delivery"
lost = 0
"#,
    );
}
