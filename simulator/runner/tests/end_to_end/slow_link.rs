//! A device behind a slow link, and a broker that has more for it than the link carries.

use std::fs;

use crate::{Broker, run, run_file, text};

/// 80 MB in all: more than the systems of both sides keep for one connection.
const MESSAGES: u64 = 2_000;
const MESSAGE_BYTES: u64 = 40_000;

/// Largest payload of a segment, as links have it.
const SEGMENT_BYTES: u64 = 1_460;

/// Bytes that a link takes towards a device before its socket is read no more.
const LINK_BYTES_MAX: u64 = 1024 * 1024;

const SCENARIO: &str = r#"
version = 1
name = "slow-link"
seed = 1
[run]
duration = "4s"
drain = "0s"
[[network]]
name = "thin"
bandwidth = { down = "2mbit/s" }
[[group]]
name = "cameras"
count = 1
[[group.publish]]
topic = "pictures"
rate = 500
payload = { size = "40KB" }
[[group]]
name = "screens"
count = 1
network = "thin"
[[group.subscribe]]
filter = "pictures"
"#;

/// What a broker has counted by now, as its `$SYS` tree says: the first value may be older.
fn counted(broker: &Broker, name: &str) -> u64 {
    let url = format!("mqtt://{}", broker.address);
    let topic = format!("$SYS/broker/{name}");
    let output = run(&["sub", "--url", &url, "-t", &topic, "-C", "2"]);
    let values = String::from_utf8_lossy(&output.stdout);
    let last = values.lines().last().expect("it received something");
    last.parse()
        .unwrap_or_else(|_| panic!("no number: '{last}'"))
}

/// A slow link reaches through to the broker: the generator takes what the link may hold, and the
/// broker drops what it has no room for.
#[test]
fn the_broker_feels_a_slow_link() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("slow-link.toml");
    fs::write(&file, SCENARIO).expect("it can be written");
    let out = folder.path().join("out");
    let config = folder.path().join("broker.toml");
    fs::write(&config, "server.sys_interval = \"1s\"\n").expect("it can be written");
    let broker = Broker::with(&["--config", text(&config)]);
    let url = format!("target.url=mqtt://{}", broker.address);

    run(&["run", text(&file), "--set", &url, "--out", text(&out)]);

    let run = run_file(&out);
    let accounting = &run["measured"]["accounting"];
    // How many of them the publisher's socket had room for depends on the machine.
    assert_eq!(accounting["publications"][0]["scheduled"], MESSAGES);
    let delivered = &accounting["deliveries"][0]["delivered"];
    let carried = delivered.as_u64().expect("a count") * MESSAGE_BYTES;
    let networks = run["measured"]["networks"].as_array().expect("a list");
    let is_down = |network: &&serde_json::Value| network["direction"] == "down";
    let down = networks.iter().find(is_down).expect("the link down");
    let segments = down["measured_delay"]["count"].as_u64().expect("a count");
    // Not every segment is full; twice the limit leaves room for that.
    let taken = segments * SEGMENT_BYTES;
    assert!(taken >= LINK_BYTES_MAX, "{taken}");
    assert!(
        taken <= carried + 2 * LINK_BYTES_MAX,
        "{taken} with {carried}"
    );
    assert!(counted(&broker, "messages/dropped") > 0);
}
