//! Another client that connects with an identifier of the run.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use squall_protocol::{
    Version,
    codec::encode,
    packet::{Connect, ConnectProperties, Packet},
};

use crate::{Broker, run_file, squall, text};

/// How long the interloper listens before it looks whether the run is over.
const LISTENS_FOR: Duration = Duration::from_millis(200);

/// Two devices that publish to each other. Nothing is claimed that a takeover breaks.
fn scenario(protocol: &str) -> String {
    format!(
        r#"
version = 1
name = "shared"
seed = 5

[run]
duration = "2s"
drain = "1s"

[[group]]
name = "sensors"
count = 2
client_id = "sensor-{{index}}"
protocol = "{protocol}"
[group.reconnect]
backoff = "50ms"
[[group.publish]]
topic = "t/{{client_id}}"
qos = 1
rate = 100
[[group.subscribe]]
filter = "t/+"
qos = 1

[[expect]]
check = "delivery"
misrouted = 0
"#
    )
}

/// Connects as `client_id` and stays until the broker ends it.
fn take_over(broker: SocketAddr, client_id: &str, version: Version) {
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client_id: client_id.to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    };
    let mut bytes = Vec::new();
    encode(&Packet::Connect(Box::new(connect)), version, &mut bytes);
    let mut stream = TcpStream::connect(broker).expect("the broker listens");
    stream
        .set_read_timeout(Some(LISTENS_FOR))
        .expect("a time limit can be set");
    stream.write_all(&bytes).expect("the broker reads");
    // Ends with the connection, or with the time limit.
    while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
}

/// A run whose device is taken over by another client again and again proves nothing about the broker,
/// and says what happened: MQTT 5.0 has a reason code for it. In 3.1.1 the connections only close: what
/// can be said is how often, and that the device was away.
#[test]
fn a_run_whose_identifier_another_client_uses_is_invalid() {
    for (protocol, version, told) in [
        (
            "5.0",
            Version::V5,
            "another client uses our Client Identifiers",
        ),
        (
            "3.1.1",
            Version::V3_1_1,
            "devices of group sensors were away for",
        ),
    ] {
        let broker = Broker::start();
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("shared.toml");
        fs::write(&file, scenario(protocol)).expect("the folder can be written");
        let results = folder.path().join("results");
        let url = format!("target.url=mqtt://{}", broker.address);
        let mut run = squall()
            .args(["run", text(&file), "--set", &url, "--out", text(&results)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("squall can be started");

        let status = loop {
            if let Some(status) = run.try_wait().expect("it is our child") {
                break status;
            }
            take_over(broker.address, "sensor-1", version);
        };

        assert_eq!(status.code(), Some(4), "{protocol}");
        let run = run_file(&results);
        let reasons = run["verdict"]["reasons"].as_array().expect("it is a list");
        let reason = reasons
            .iter()
            .filter_map(|reason| reason["text"].as_str())
            .find(|reason| reason.contains(told));
        assert!(reason.is_some(), "{protocol}: {reasons:?}");
        let unexpected = &run["measured"]["connections"]["groups"][0]["unexpected"];
        let ends: u64 = unexpected
            .as_object()
            .expect("it is a map")
            .values()
            .filter_map(serde_json::Value::as_u64)
            .sum();
        assert!(ends > 0, "{protocol}: {unexpected}");
    }
}
