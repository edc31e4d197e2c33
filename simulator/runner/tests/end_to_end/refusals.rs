//! Targets that let no device in: the run ends early and says what they answered.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use squall_protocol::codec::{DecodeRules, PacketReader, encode};
use squall_protocol::packet::{Connack, ConnackProperties, Connect, Packet};
use squall_protocol::{ReasonCode, Version};

use crate::{code_and_errors, run, run_file, text};

/// Twenty devices for ten minutes: far longer than the test may take.
const SCENARIO: &str = r#"
version = 1
name = "refused"
[run]
duration = "10m"
[[group]]
name = "devices"
count = 20
protocol = "5.0"
[[group.publish]]
topic = "t"
qos = 1
rate = 50
[[expect]]
check = "delivery"
lost = 0
"#;

/// What a server does with a CONNECT; `None` closes without a word.
pub(crate) type Answer = fn(&Connect) -> Option<ReasonCode>;

/// A server that answers CONNECTs so, and nothing else, until the test process ends.
pub(crate) fn serve(answer: Answer) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_connect(stream, answer));
        }
    });
    address
}

fn answer_connect(mut stream: TcpStream, answer: Answer) -> Option<()> {
    let mut reader = PacketReader::default();
    let rules = DecodeRules {
        version: None,
        maximum_packet_size: 64 * 1024,
    };
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        let mut input = &buffer[..count];
        let Some(Packet::Connect(connect)) = reader.poll_packet(&mut input, &rules).ok()? else {
            continue;
        };
        let connack = Connack {
            session_present: false,
            reason: answer(&connect)?,
            properties: ConnackProperties::default(),
        };
        let mut bytes = Vec::new();
        let packet = Packet::Connack(Box::new(connack));
        encode(&packet, connect.version, &mut bytes);
        return stream.write_all(&bytes).ok();
    }
}

/// Runs against a server that answers so; the exit code, the verdict's reasons, and all it printed.
fn run_against(answer: Answer) -> (i32, Vec<String>, String) {
    run_scenario_against(SCENARIO, answer)
}

fn run_scenario_against(scenario: &str, answer: Answer) -> (i32, Vec<String>, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("refused.toml");
    fs::write(&file, scenario).expect("it can be written");
    let out = folder.path().join("out");
    let url = format!("target.url=mqtt://{}", serve(answer));

    let output = run(&["run", text(&file), "--set", &url, "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    let reasons = run_file(&out)["verdict"]["reasons"].clone();
    let reasons = reasons.as_array().expect("it is a list");
    let reasons = reasons.iter().map(|reason| reason["text"].to_string());
    let said = format!("{}{errors}", String::from_utf8_lossy(&output.stdout));
    (code, reasons.collect(), said)
}

/// A broker for 3.1.1 alone, as the probe finds it, refuses 5.0: the answer and the remedy are told.
#[test]
fn a_broker_of_another_version_ends_the_run_early() {
    let (code, reasons, said) = run_against(|connect| {
        Some(match connect.version {
            Version::V3_1_1 => ReasonCode::Success,
            Version::V5 => ReasonCode::UnsupportedProtocolVersion,
        })
    });

    assert_eq!(code, 3, "{said}");
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    for words in [
        "CONNECTs were answered with CONNACK 0x84 Unsupported Protocol Version",
        "set protocol = \\\"3.1.1\\\" in the group",
    ] {
        assert!(reasons[0].contains(words), "{reasons:?}");
    }
}

/// One that closes every connection without CONNACK is told apart from one that refuses.
#[test]
fn a_broker_that_closes_every_connection_ends_the_run_early() {
    let (code, reasons, said) = run_against(|connect| match connect.version {
        Version::V3_1_1 => Some(ReasonCode::Success),
        Version::V5 => None,
    });

    assert_eq!(code, 3, "{said}");
    assert!(reasons[0].contains("without CONNACK"), "{reasons:?}");
}

/// Half a second for the first wait, 500 s for the second: until the run gives up, the refused device has
/// sent two CONNECTs.
#[test]
fn a_growing_backoff_spaces_the_attempts_at_a_broker_that_refuses() {
    const BACKOFF: &str = "reconnect = { backoff = { initial = \"500ms\", factor = 1000, \
         cap = \"10m\", jitter = \"none\" } }";
    let scenario = SCENARIO.replace("count = 20", &format!("count = 1\n{BACKOFF}"));

    let (code, reasons, said) = run_scenario_against(&scenario, |connect| {
        Some(match connect.version {
            Version::V3_1_1 => ReasonCode::Success,
            Version::V5 => ReasonCode::ServerBusy,
        })
    });

    assert_eq!(code, 3, "{said}");
    assert!(reasons[0].contains("2 of 2 CONNECTs"), "{reasons:?}");
}
