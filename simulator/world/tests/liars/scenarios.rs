//! What the liars are tried on: small fleets, each with one kind of trouble, and every claim that goes with it.
//!
//! Wills have topics that begin with `will/`, what is sent to one Session bears its Client Identifier as the last level of
//! its topic, and the load of each ends at [`LOAD_ENDS`]: the liars go by that.

use squall_protocol::Instant;

/// When the load of every scenario is about to end.
pub(crate) const LOAD_ENDS: Instant = Instant::from_nanos(5_900_000_000);

pub(crate) const RUN: &str = r#"
seed = 5
[run]
duration = "6s"
drain = "12s"
connect_timeout = "5s"
"#;

/// What holds of every delivery; at QoS 1 in MQTT 3.1.1 a copy is judged with those at the other levels.
const DELIVERY: &str = r#"
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
reordered = 0
duplicated = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// At QoS 0 nothing is lost where connections are in order.
const QOS_0: &str = "[[expect]]\ncheck = \"delivery\"\nqos = 0\nlost = 0\n";

/// Exchanges at QoS 2 come to their ends.
pub(crate) const EXCHANGES: &str = "[[expect]]\ncheck = \"qos2_handshake\"\nincomplete = 0\n";

const SESSION: &str =
    "[[expect]]\ncheck = \"session\"\npresent = \"correct\"\nbacklog = \"complete\"\n";

/// Publishers at every QoS, and readers with subscriptions of their own.
pub(crate) fn plain(protocol: &str) -> String {
    let streams = streams(20);
    let groups = format!(
        r#"
[[group]]
name = "pub"
count = 4
{streams}
[[group]]
name = "sub"
count = 3
protocol = "{protocol}"
[[group.subscribe]]
filter = "+/+"
qos = 2
"#
    );
    [RUN, &groups, DELIVERY, QOS_0, EXCHANGES].concat()
}

/// What the devices of a group publish at each QoS, so many messages a second.
fn streams(rate: u32) -> String {
    let stream = |(name, qos)| {
        format!(
            r#"
[[group.publish]]
topic = "{name}/{{client_id}}"
qos = {qos}
rate = {rate}
payload = {{ size = "64B" }}
"#
        )
    };
    [("zero", 0), ("one", 1), ("two", 2)].map(stream).concat()
}

/// Devices that come and go twice a second, with Sessions that outlive their connections, and wills.
pub(crate) fn flapping(protocol: &str) -> String {
    let keeps = match protocol {
        "5.0" => "session_expiry = \"5m\"",
        _ => "",
    };
    let groups = format!(
        r#"
[[group]]
name = "dev"
count = 10
protocol = "{protocol}"
clean_start = false
{keeps}
[group.will]
topic = "will/{{client_id}}"
qos = 1
[[group.subscribe]]
filter = ["cmd/{{client_id}}", "set/{{client_id}}"]
qos = 2
[[group]]
name = "office"
count = 1
[[group.publish]]
topic = "cmd/dev-{{seq % 10}}"
qos = 1
rate = 100
payload = {{ size = "64B" }}
[[group.publish]]
topic = "set/dev-{{seq % 10}}"
qos = 2
rate = 60
payload = {{ size = "64B" }}
[[group.subscribe]]
filter = "will/+"
qos = 1
[[fault]]
name = "edge"
at = "1s"
group = "dev"
action = "flap"
period = "500ms"
lasts = "4s"
[[expect]]
check = "will"
after = "edge"
exactly = 1
within = "1s"
"#
    );
    [RUN, &groups, DELIVERY, SESSION, EXCHANGES].concat()
}

/// Connections that are cut again and again, with Sessions that end with them, and wills.
pub(crate) fn drops() -> String {
    let groups = r#"
[[group]]
name = "dev"
count = 8
[group.will]
topic = "will/{client_id}"
qos = 1
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "100ms", max = "500ms" }
[[group.publish]]
topic = "one/{client_id}"
qos = 1
rate = 30
payload = { size = "64B" }
[[group.subscribe]]
filter = "news/#"
qos = 2
[[group]]
name = "desk"
count = 1
[[group.publish]]
topic = "news/{seq % 3}"
qos = 1
rate = 40
payload = { size = "64B" }
[[group.publish]]
topic = "news/two"
qos = 2
rate = 20
payload = { size = "64B" }
[[group]]
name = "watch"
count = 2
[[group.subscribe]]
filter = ["will/+", "one/+"]
qos = 1
[[fault]]
name = "cut"
every = "800ms"
group = "dev"
select = 4
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = "cut"
exactly = 1
within = "1s"
"#;
    [RUN, groups, DELIVERY, EXCHANGES].concat()
}

/// A shared subscription of which some members say goodbye, and one falls silent.
pub(crate) fn shared(protocol: &str) -> String {
    let streams = streams(45);
    let groups = format!(
        r#"
[[group]]
name = "boss"
count = 3
{streams}
[[group]]
name = "worker"
count = 4
protocol = "{protocol}"
keep_alive = "1s"
[[group.subscribe]]
filter = "$share/crew/+/+"
qos = 2
[[group]]
name = "temp"
count = 2
protocol = "{protocol}"
leave = "3s"
[[group.subscribe]]
filter = "$share/crew/+/+"
qos = 2
[[fault]]
name = "death"
at = "2s"
group = "worker"
select = 1
action = "drop"
how = "silent"
[[expect]]
check = "shared"
exactly_one = true
"#
    );
    [RUN, &groups, DELIVERY, QOS_0, EXCHANGES].concat()
}

/// Displays that boot again and again, and find a setting of each plant in the broker.
pub(crate) fn retained() -> String {
    let groups = r#"
[[group]]
name = "plant"
count = 8
[[group.publish]]
topic = "config/{client_id}"
qos = 1
retain = true
every = "700ms"
payload = { size = "64B" }
[[group]]
name = "display"
count = 8
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "100ms", max = "500ms" }
[[group.subscribe]]
filter = "config/#"
qos = 1
[[fault]]
name = "dip"
every = "900ms"
group = "display"
select = 4
action = "drop"
how = "rst"
[[expect]]
check = "retained"
filter = "config/#"
equals = "last_publish"
"#;
    [RUN, groups, DELIVERY].concat()
}

/// Readers that subscribe and unsubscribe again and again.
pub(crate) fn churn() -> String {
    let streams = streams(20);
    let groups = format!(
        r#"
[[group]]
name = "pub"
count = 3
{streams}
[[group]]
name = "sub"
count = 5
[[group.subscribe]]
filter = "+/+"
qos = 2
churn = {{ on = "700ms", off = "300ms" }}
"#
    );
    [RUN, &groups, DELIVERY, QOS_0, EXCHANGES].concat()
}

/// Devices that are away for longer than some of their messages live.
pub(crate) fn expiry() -> String {
    let groups = r#"
[[group]]
name = "dev"
count = 8
clean_start = false
session_expiry = "5m"
[group.reconnect]
when = "always"
backoff = "2500ms"
[[group.subscribe]]
filter = ["cmd/{client_id}", "pos/{client_id}"]
qos = 1
[[group]]
name = "office"
count = 1
[[group.publish]]
topic = "cmd/dev-{seq % 8}"
qos = 1
rate = 80
message_expiry = "1h"
payload = { size = "64B" }
[[group.publish]]
topic = "pos/dev-{seq % 8}"
qos = 1
rate = 80
message_expiry = "1s"
payload = { size = "64B" }
[[fault]]
name = "gap"
at = "1500ms"
group = "dev"
select = 5
action = "drop"
how = "rst"
[[expect]]
check = "expiry"
never_after = true
remaining = "correct"
tolerance = "200ms"
"#;
    [RUN, groups, DELIVERY, SESSION].concat()
}

/// Contenders for Client Identifiers whose Sessions go from one to the other.
pub(crate) fn takeover() -> String {
    let groups = r#"
[[group]]
name = "twin"
count = 4
clean_start = false
session_expiry = "5m"
[group.reconnect]
when = "always"
backoff = { dist = "uniform", min = "50ms", max = "400ms" }
[[group.subscribe]]
filter = ["cmd/{client_id}", "set/{client_id}"]
qos = 2
[[group]]
name = "office"
count = 1
[[group.publish]]
topic = "cmd/twin-{seq % 4}"
qos = 1
rate = 90
payload = { size = "64B" }
[[group.publish]]
topic = "set/twin-{seq % 4}"
qos = 2
rate = 60
payload = { size = "64B" }
[[fault]]
name = "storm"
every = "600ms"
group = "twin"
action = "takeover"
contenders = 3
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "1s"
reason = "session_taken_over"
session_present = "correct"
"#;
    [RUN, groups, DELIVERY, EXCHANGES].concat()
}

/// Readers that stop reading for a while.
pub(crate) fn stalls() -> String {
    let streams = streams(15);
    let groups = format!(
        r#"
[[group]]
name = "pub"
count = 3
{streams}
[[group]]
name = "slow"
count = 4
[[group.subscribe]]
filter = "+/+"
qos = 2
[[fault]]
name = "tab"
every = "1500ms"
for = "5s"
group = "slow"
action = "stall"
lasts = "500ms"
"#
    );
    [RUN, &groups, DELIVERY, QOS_0, EXCHANGES].concat()
}

/// Publishers and readers behind links that are down now and then.
pub(crate) fn links() -> String {
    let streams = streams(20);
    let groups = format!(
        r#"
[[network]]
name = "mobile"
preset = "lte"
outages = {{ every = "2s", lasts = "500ms" }}
[[group]]
name = "pub"
count = 3
network = "mobile"
{streams}
[[group]]
name = "sub"
count = 3
network = "mobile"
[[group.subscribe]]
filter = "+/+"
qos = 2
"#
    );
    [RUN, &groups, DELIVERY, QOS_0, EXCHANGES].concat()
}
