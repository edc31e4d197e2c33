//! Clients that send again what is not answered in time on the same connection, over real sockets.

use std::path::Path;

use crate::peer::has_mosquitto;
use crate::{ON_MOSQUITTO, assert_held, run_scenario};

/// An answer takes 400 ms on the link, and a device waits 300 ms for it.
const SCENARIO: &str = r#"
version = 1
name = "sent-again"
seed = 1
[run]
duration = "2s"
drain = "4s"
[[network]]
name = "far"
latency = "200ms"
[[group]]
name = "shops"
count = 4
protocol = "VERSION"
network = "far"
[group.qos2]
retransmit = "same_connection"
retransmit_after = "300ms"
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group.publish]]
topic = "news/{client_id}"
qos = 1
rate = 20
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = ["orders/#", "news/#"]
qos = 2
[[expect]]
check = "qos2_handshake"
incomplete = 0
dup_answered_with_pubrec = true
no_publish_after_pubrel = true
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// At QoS 2 each message comes once, at QoS 1 as often as it was sent, and each repeat is answered.
fn run_on(folder: &Path, version: &str, target: &[&str]) {
    let scenario = SCENARIO.replace("VERSION", version);

    let (code, run) = run_scenario(folder, &scenario, target);

    assert_held(code, &run);
    let qos2 = &run["measured"]["qos2"];
    let sent_again = &qos2["repeated"];
    let at_qos_1 = sent_again["PUBLISH at QoS 1"].as_u64();
    assert!(at_qos_1 >= Some(40), "{qos2}");
    assert!(
        sent_again["PUBLISH at QoS 2"].as_u64() >= Some(40),
        "{qos2}"
    );
    assert_eq!(qos2["dup_answered"], qos2["dup_sent"]);
    let rows = run["measured"]["accounting"]["deliveries"].as_array();
    let rows = rows.expect("it is a list").iter();
    let copies = |qos: u64| {
        let of_qos = rows.clone().filter(move |row| row["qos"] == qos);
        of_qos
            .map(|row| row["duplicated"].as_u64())
            .sum::<Option<u64>>()
    };
    assert_eq!([copies(1), copies(2)], [at_qos_1, Some(0)]);
}

#[test]
fn what_clients_send_again_is_counted_and_not_held_against_the_broker() {
    for version in ["3.1.1", "5.0"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        run_on(folder.path(), version, &[]);
    }
}

#[test]
fn what_clients_send_again_is_not_held_against_mosquitto() {
    if !has_mosquitto() {
        return;
    }
    for version in ["3.1.1", "5.0"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        run_on(folder.path(), version, ON_MOSQUITTO);
    }
}
