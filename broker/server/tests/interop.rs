//! Clients of other projects, against the broker: Eclipse Paho (Python) and the Mosquitto command
//! line clients.
//!
//! A client that is not installed is skipped, which is said on stderr. With
//! `SQUALL_REQUIRE_INTEROP=1`, as in CI, that is a failure. To install them:
//!
//! ```text
//! python3 -m venv target/interop-venv
//! target/interop-venv/bin/pip install -r broker/server/tests/interop/requirements.txt
//! apt-get install mosquitto-clients
//! ```

#![allow(clippy::unwrap_used, reason = "a failed wait is a failed test")]

mod running;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use running::RunningBroker;

const VERSIONS: [&str; 2] = ["3.1.1", "5.0"];

/// Says what is skipped, past the capture of the test runner; or fails if nothing may be.
fn skip(what: &str, remedy: &str) {
    let required = std::env::var("SQUALL_REQUIRE_INTEROP").is_ok_and(|value| value == "1");
    assert!(!required, "{what} is not installed: {remedy}");
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {what} is not installed, so it was not tried against the broker. To install: {remedy}"
    );
}

/// A Python that has Paho: of the virtual environment in the target folder, or the system's.
fn python_with_paho() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    [
        target.join("interop-venv/bin/python3"),
        PathBuf::from("python3"),
    ]
    .into_iter()
    .find(|python| {
        Command::new(python)
            .args(["-c", "import paho.mqtt.subscribeoptions"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

/// Runs one case of the Paho script against a broker of its own, in each of `versions`.
fn paho(case: &str, versions: &[&str]) {
    let Some(python) = python_with_paho() else {
        skip(
            "paho-mqtt",
            "python3 -m venv target/interop-venv && target/interop-venv/bin/pip install -r \
             broker/server/tests/interop/requirements.txt",
        );
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/paho_client.py");
    for version in versions {
        let broker = RunningBroker::start_default();

        let output = Command::new(&python)
            .arg(&script)
            .args([&broker.address().port().to_string(), *version, case])
            .output()
            .unwrap();

        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{case} with {version}: {said}");
        broker.stop();
    }
}

/// §4.3, §3.8.4: a message arrives once, at the lower of the two QoS.
#[test]
fn paho_delivers_at_every_qos() {
    paho("every_qos", &VERSIONS);
}

/// §4.7.1
#[test]
fn paho_subscribes_with_wildcards() {
    paho("wildcards", &VERSIONS);
}

/// A packet many times the size of one read.
#[test]
fn paho_sends_a_big_message() {
    paho("big_message", &VERSIONS);
}

/// §3.3.1.3
#[test]
fn paho_keeps_and_clears_a_retained_message() {
    paho("retained", &VERSIONS);
}

/// §3.1.2.5
#[test]
fn paho_leaves_a_will_when_its_socket_is_reset() {
    paho("will", &VERSIONS);
}

/// §4.1
#[test]
fn paho_resumes_a_session_with_what_was_queued() {
    paho("persistent_session", &VERSIONS);
}

/// [MQTT-3.1.4-3]
#[test]
fn paho_takes_over_its_own_session() {
    paho("takeover", &VERSIONS);
}

/// [MQTT-3.3.2-17] and its neighbours
#[test]
fn paho_passes_properties_through() {
    paho("properties", &["5.0"]);
}

/// §3.3.2.3.4
#[test]
fn paho_uses_a_topic_alias() {
    paho("topic_alias", &["5.0"]);
}

/// §4.8.2
#[test]
fn paho_shares_a_subscription() {
    paho("shared_subscription", &["5.0"]);
}

/// §3.8.3.1
#[test]
fn paho_sets_subscription_options() {
    paho("subscription_options", &["5.0"]);
}

/// How the Mosquitto clients spell a version.
const MOSQUITTO_VERSIONS: [&str; 2] = ["mqttv311", "mqttv5"];

/// One run of a Mosquitto client against a broker.
struct Mosquitto<'b> {
    broker: &'b RunningBroker,
    version: &'static str,
}

impl Mosquitto<'_> {
    fn command(&self, client: &str, arguments: &str) -> Command {
        let mut command = Command::new(client);
        command
            .args(["-h", "127.0.0.1", "-V", self.version, "-p"])
            .arg(self.broker.address().port().to_string())
            .args(arguments.split(' '));
        command
    }

    /// Runs a client to its end and returns what it printed.
    fn run(&self, client: &str, arguments: &str) -> String {
        let output = self.command(client, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{client} {arguments}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn with_mosquitto_clients(case: impl Fn(&Mosquitto<'_>)) {
    if Command::new("mosquitto_pub")
        .arg("--help")
        .output()
        .is_err()
    {
        skip("mosquitto_pub", "apt-get install mosquitto-clients");
        return;
    }
    for version in MOSQUITTO_VERSIONS {
        let broker = RunningBroker::start_default();
        case(&Mosquitto {
            broker: &broker,
            version,
        });
        broker.stop();
    }
}

/// §4.3: a live subscriber gets what `mosquitto_pub` sends at each QoS.
///
/// The retained message tells that the subscription is there.
#[test]
fn mosquitto_sub_receives_what_mosquitto_pub_sends() {
    with_mosquitto_clients(|mosquitto| {
        mosquitto.run("mosquitto_pub", "-t live/ready -m ready -q 1 -r");
        let mut subscriber = mosquitto
            .command("mosquitto_sub", "-t live/# -q 2 -C 4 -W 20 -F %t:%p:%q:%r")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(subscriber.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "live/ready:ready:1:1");

        for qos in 0..=2 {
            mosquitto.run("mosquitto_pub", &format!("-t live/{qos} -m hello -q {qos}"));
        }

        let got: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(
            got,
            ["live/0:hello:0:0", "live/1:hello:1:0", "live/2:hello:2:0"]
        );
        assert!(subscriber.wait().unwrap().success());
    });
}

/// §4.1: a Session of `mosquitto_sub -c` keeps what comes while it is away.
#[test]
fn mosquitto_sub_resumes_its_session() {
    with_mosquitto_clients(|mosquitto| {
        let session = match mosquitto.version {
            "mqttv5" => "-c -i away -q 2 -t jobs -x 300",
            _ => "-c -i away -q 2 -t jobs",
        };
        mosquitto.run("mosquitto_sub", &format!("{session} -E"));

        for job in 1..=3 {
            mosquitto.run("mosquitto_pub", &format!("-t jobs -m {job} -q 2"));
        }
        let got = mosquitto.run("mosquitto_sub", &format!("{session} -C 3 -W 20"));

        assert_eq!(got, "1\n2\n3\n");
    });
}

/// §3.1.2.5: killing `mosquitto_sub` sends its will, which is retained here to be found.
#[test]
fn mosquitto_sub_leaves_a_will_when_it_is_killed() {
    with_mosquitto_clients(|mosquitto| {
        mosquitto.run("mosquitto_pub", "-t ready -m ready -q 1 -r");
        let will = "--will-topic gone --will-payload device --will-qos 1 --will-retain";
        let mut device = mosquitto
            .command("mosquitto_sub", &format!("-t ready -q 1 {will}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(device.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");

        device.kill().unwrap();
        device.wait().unwrap();

        let got = mosquitto.run("mosquitto_sub", "-t gone -q 1 -C 1 -W 20 -F %p:%q");
        assert_eq!(got, "device:1\n");
    });
}
