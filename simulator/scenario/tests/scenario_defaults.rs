//! What a scenario means where it says nothing, and what its parts mean where they say something.

use std::time::Duration;

use squall_protocol::Version;
use squall_scenario::{
    Content, Distribution, DropKind, Expectation, FaultAction, FaultTarget, Loss, Payload, Rate,
    ReconnectWhen, Scenario, ScenarioErrors, Select, Target,
};

fn parse(text: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!("version = 1\nname = \"test\"\n{text}");
    Scenario::parse("test.toml", &text, &[])
}

fn resolve(text: &str) -> Scenario {
    parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A scenario of one block of each kind, resolved.
const ALL_DEFAULTS: &str = r#"version = 1
name = "test"
description = ""
seed = 0

[target]
# squall's own broker, as a child process

[run]
warmup = "0s"
begin = "connected"
duration = "30s"
drain = "5s"
connect_timeout = "10s"
abort_on_fail = false
repeat = 1

[[network]]
name = "lan"
latency = "0s"
jitter = "0s"
loss = 0.0
retransmission_timeout = "200ms"
# no limit of bandwidth
# no outages

[[group]]
name = "devices"
count = 1
client_id = "{group}-{index}"
protocol = "5.0"
# no user name
clean_start = true
session_expiry = "0s"
topic_alias = 0
receive_maximum = 65535
keep_alive = "1m"
connect_rate = 1000.0
# connects before the load
# leaves after the load
# stays connected between
# no network: the link is as it is

[group.reconnect]
when = "unexpected"
backoff = { dist = "uniform", min = "100ms", max = "1s" }
# no faults in QoS 2 exchanges

[group.will]
topic = "w"
payload = { text = "offline" }
qos = 0
retain = false
delay = "0s"
# no birth

[[group.publish]]
topic = "t"
qos = 0
retain = false
rate_per_device = 1.0
arrival = "even"
burst = 1
# any number of messages
# begins with the warm-up
# goes on to the end of the measured part
payload = { size = "16B" }
stamp = "payload"

[[group.subscribe]]
filter = "t"
qos = 0
# subscribes on the first connection
# stays subscribed
no_local = false
retain_as_published = false
retain_handling = 0
# no subscription_identifier

[[fault]]
name = "disconnect-0"
at = "1s"
group = "devices"
# select: all
action = "disconnect"
reason = "normal"
"#;

/// Every default, as `validate --resolved` prints it.
#[test]
fn the_smallest_scenario_has_every_default() {
    let scenario = resolve(
        r#"
[[network]]
name = "lan"
[[group]]
name = "devices"
count = 1
[[group.publish]]
topic = "t"
every = "1s"
[group.will]
topic = "w"
[[group.subscribe]]
filter = "t"
[[fault]]
at = "1s"
group = "devices"
action = "disconnect"
"#,
    );

    assert_eq!(scenario.to_resolved_toml(), ALL_DEFAULTS);
}

/// The default duration covers the last fault and what must follow from it: 1.5 times Keep Alive
/// after a silent drop [MQTT-3.1.2-22].
#[test]
fn the_default_duration_waits_for_the_keep_alive_of_a_silent_drop() {
    let scenario = resolve(
        r#"
[[group]]
name = "devices"
count = 1
keep_alive = "60s"
[[fault]]
at = "20s"
group = "devices"
action = "drop"
how = "silent"
"#,
    );

    assert_eq!(scenario.run.duration, Duration::from_secs(20 + 90 + 5));
}

/// A rate is the whole group's; a device has its share.
#[test]
fn a_rate_is_shared_by_the_devices_of_a_group() {
    let scenario = resolve(
        r#"
[[group]]
name = "devices"
count = 50
[[group.publish]]
topic = "a"
rate = 100
[[group.publish]]
topic = "b"
rate_per_device = 3
[[group.publish]]
topic = "c"
every = "250ms"
"#,
    );

    let rates: Vec<Rate> = scenario.groups[0]
        .publishes
        .iter()
        .map(|publish| publish.pacing.rate_per_device.clone())
        .collect();
    assert_eq!(rates, [2.0, 3.0, 4.0].map(Rate::Constant));
}

/// Devices are counted over all groups in file order.
#[test]
fn devices_are_numbered_over_all_groups() {
    let scenario = resolve(
        r#"
[[group]]
name = "a"
count = 3
[[group]]
name = "b"
count = 2
client_id = "{index}"
"#,
    );

    let places: Vec<(u16, u32)> = (0..5)
        .map(|device| scenario.group_of(squall_scenario::DeviceId(device)))
        .map(|(group, index)| (group.0, index))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
    assert_eq!(scenario.groups[1].client_id_of(1), "1");
}

/// Clean Session of 3.1.1 says both that the Session is new and that it ends with its connection.
#[test]
fn clean_session_of_3_1_1_decides_how_long_a_session_lasts() {
    let scenario = resolve(
        r#"
[[group]]
name = "clean"
count = 1
protocol = "3.1.1"
[[group]]
name = "kept"
count = 1
protocol = "3.1.1"
clean_start = false
"#,
    );

    let [clean, kept] = scenario.groups.as_slice() else {
        panic!("two groups");
    };
    assert_eq!(clean.version, Version::V3_1_1);
    assert!(!clean.is_persistent());
    assert!(kept.is_persistent());
}

#[test]
fn a_network_is_what_the_file_says() {
    let scenario = resolve(
        r#"
[[network]]
name = "poor"
latency = { dist = "uniform", min = "50ms", max = "150ms" }
jitter = { dist = "exponential", mean = "10ms" }
loss = { model = "gilbert_elliott", good_to_bad = 0.01, bad_to_good = 0.19 }
bandwidth = { up = "64kbit/s" }
outages = { every = "1m", lasts = { dist = "pareto", min = "1s", alpha = 2.5 } }
[[group]]
name = "devices"
count = 1
network = "poor"
"#,
    );

    let network = &scenario.networks[0];
    assert!((network.loss.expected() - 0.05).abs() < 1e-12);
    assert_eq!(network.bandwidth.up_bits_per_second, Some(64_000));
    assert_eq!(network.bandwidth.down_bits_per_second, None);
    // The mean round trip of 2 x (100 + 10) ms, and 200 ms.
    assert_eq!(network.retransmission_timeout, Duration::from_millis(420));
    let outages = network.outages.as_ref().expect("outages are written");
    assert_eq!(
        outages.every,
        Distribution::constant(Duration::from_secs(60))
    );
    assert_eq!(
        scenario.groups[0].network,
        Some(squall_scenario::NetworkId(0))
    );
}

#[test]
fn a_plain_number_is_a_loss_without_memory() {
    let scenario =
        resolve("[[network]]\nname = \"x\"\nloss = 0.25\n[[group]]\nname = \"g\"\ncount = 1\n");

    assert_eq!(scenario.networks[0].loss, Loss::Independent(0.25));
}

#[test]
fn faults_and_expectations_are_looked_up_by_name() {
    let scenario = resolve(
        r#"
[[group]]
name = "devices"
count = 10
[group.reconnect]
when = "always"
[group.will]
topic = "status/{client_id}"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
[[fault]]
name = "other"
every = "5s"
group = "watcher"
action = "takeover"
[[fault]]
name = "cut"
every = "2s"
for = "10s"
group = "devices"
select = { match = "devices-?" }
action = "drop"
how = "half_close"
[[expect]]
check = "will"
after = ["cut"]
within = { half_close = "1s" }
"#,
    );

    let Expectation::Will(claim) = &scenario.expectations[0] else {
        panic!("a claim about wills");
    };
    let cut = scenario.fault(claim.after[0]);
    assert_eq!(cut.name, "cut");
    let FaultTarget::Devices(devices) = &cut.target else {
        panic!("it takes devices");
    };
    assert_eq!(scenario.group(devices.group).name, "devices");
    assert_eq!(devices.select, Select::Match("devices-?".to_owned()));
    assert_eq!(devices.action, FaultAction::Drop(DropKind::HalfClose));
    assert_eq!(cut.times().count(), 5);
    assert_eq!(claim.within[&DropKind::HalfClose], Duration::from_secs(1));
    assert_eq!(scenario.groups[0].reconnect.when, ReconnectWhen::Always);
}

#[test]
fn variables_are_put_into_templates() {
    let scenario = resolve(
        r#"
[vars]
site = "berlin"
floor = 3
[[group]]
name = "devices"
count = 1
client_id = "{vars.site}-{vars.floor}-{index}"
"#,
    );

    assert_eq!(scenario.groups[0].client_id_of(0), "berlin-3-0");
}

#[test]
fn a_json_payload_keeps_the_order_of_the_file() {
    let scenario = resolve(
        r#"
[[group]]
name = "devices"
count = 1
[[group.publish]]
topic = "t"
rate = 1
payload = { json = { zebra = "{index}", ape = { c = [1, "x"], b = true } } }
"#,
    );

    let Content::Composed(Payload::Json(template)) = &scenario.groups[0].publishes[0].payload
    else {
        panic!("a JSON payload");
    };
    assert_eq!(
        template.source(),
        r#"{ zebra = "{index}", ape = { c = [1, "x"], b = true } }"#
    );
}

#[test]
fn a_spawned_target_is_a_command_with_an_environment() {
    let scenario = resolve(
        r#"
[target]
spawn = "mosquitto -p {port} -c 'my file'"
ready = "3s"
env = { LANG = "C" }
[[group]]
name = "devices"
count = 1
"#,
    );

    let Target::Spawn(spawn) = &scenario.target else {
        panic!("a spawned target");
    };
    assert_eq!(
        spawn.command,
        ["mosquitto", "-p", "{port}", "-c", "my file"]
    );
    assert_eq!(spawn.ready, Duration::from_secs(3));
    assert_eq!(spawn.env["LANG"], "C");
}
