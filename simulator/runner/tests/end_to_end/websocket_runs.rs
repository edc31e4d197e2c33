//! Scenarios over WebSocket, and over WebSocket under TLS, against the NATS server.
//!
//! Without it the tests are skipped, which is said on stderr.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::benches::bench;
use crate::secured::certificates;
use crate::{assert_held, code_and_errors, run, run_file, text};

/// What the server says before the address of its WebSocket.
const LISTENS: &str = "Listening for websocket clients on ";
/// What it says before that of MQTT straight on TCP.
const LISTENS_ON_TCP: &str = "Listening for MQTT clients on ";

/// A server of the test's own with its files, killed when dropped.
struct Nats {
    child: Child,
    folder: tempfile::TempDir,
    /// Where its WebSocket is: `ws://ADDRESS:PORT`.
    url: String,
    /// Where it speaks MQTT straight on TCP: `mqtt://ADDRESS:PORT`.
    tcp: String,
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nats {
    /// A server whose WebSocket is configured by `web_socket`, at ports that it finds itself. `None` if this machine
    /// does not have it.
    fn start(web_socket: &str) -> Option<Self> {
        if Command::new("nats-server")
            .arg("--version")
            .output()
            .is_err()
        {
            let required = std::env::var("SQUALL_REQUIRE_INTEROP").is_ok_and(|value| value == "1");
            assert!(
                !required,
                "nats-server is not installed: apt-get install nats-server"
            );
            eprintln!(
                "SKIPPED: nats-server is not installed. To install: apt-get install nats-server"
            );
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        certificates(folder.path());
        let config = format!(
            "server_name: squall\nlisten: \"127.0.0.1:-1\"\njetstream {{ store_dir: \"FOLDER/store\" }}\n\
             mqtt {{ listen: \"127.0.0.1:-1\" }}\nwebsocket {{ listen: \"127.0.0.1:-1\", {web_socket} }}\n"
        );
        let file = folder.path().join("nats.conf");
        let config = config.replace("FOLDER", text(folder.path()));
        fs::write(&file, config).expect("it can be written");
        let mut child = Command::new("nats-server")
            .args(["-c", text(&file)])
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is installed");
        let log = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut lines = log.lines().map_while(Result::ok);
        let mut said = Vec::new();
        let ready = lines.find(|line| {
            said.push(line.clone());
            line.ends_with("Server is ready")
        });
        let after = |words| {
            let mut said = said.iter();
            said.find_map(|line| Some(line.split_once(words)?.1.trim().to_owned()))
        };
        // The rest of its log is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        assert!(ready.is_some(), "nats-server did not start");
        Some(Self {
            child,
            folder,
            url: after(LISTENS).expect("it listens"),
            tcp: after(LISTENS_ON_TCP).expect("it listens"),
        })
    }

    /// Runs devices that publish to one that listens at `url`; the exit code with the errors, and the folder of the
    /// results.
    fn run(&self, url: &str) -> (i32, String, std::path::PathBuf) {
        let file = self.folder.path().join("web.toml");
        fs::write(&file, scenario(url)).expect("it can be written");
        let out = self.folder.path().join("out");
        let (code, errors) = code_and_errors(&run(&["run", text(&file), "--out", text(&out)]));
        (code, errors, out)
    }
}

/// Payloads beside the lengths at which the header of a WebSocket frame grows (RFC 6455, section 5.2).
fn scenario(url: &str) -> String {
    format!(
        r#"
version = 1
name = "web"
[target]
url = "{url}"
{tls}
[run]
duration = "2s"
drain = "2s"
[[group]]
name = "doors"
count = 10
protocol = "3.1.1"
[[group.publish]]
topic = "short/{{index}}"
qos = 1
every = "200ms"
payload = {{ size = "100B" }}
[[group.publish]]
topic = "long/{{index}}"
qos = 0
every = "500ms"
payload = {{ size = "70KiB" }}
[[group]]
name = "watcher"
count = 1
protocol = "3.1.1"
[[group.subscribe]]
filter = "+/+"
qos = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#,
        tls = match url.starts_with("wss") {
            true => "tls = { ca = \"ca.pem\" }",
            false => "",
        }
    )
}

/// What holds over TCP holds over WebSocket, with TLS below it and without.
#[test]
fn a_scenario_passes_over_web_socket() {
    for (web_socket, transport) in [
        ("no_tls: true", "ws"),
        (
            "tls { cert_file: \"FOLDER/broker.pem\", key_file: \"FOLDER/broker.key\" }",
            "wss",
        ),
    ] {
        let Some(nats) = Nats::start(web_socket) else {
            return;
        };
        // The certificate is for the name.
        let url = nats.url.replace("127.0.0.1", "localhost");

        let (code, errors, out) = nats.run(&format!("{url}/mqtt"));

        assert!(url.starts_with(&format!("{transport}://")), "{url}");
        let run = run_file(&out);
        assert_held(code, &run);
        let group = &run["settings"]["groups"][0];
        assert_eq!(group["transport"], transport, "{errors}");
        let row = &run["measured"]["accounting"]["deliveries"][0];
        assert!(row["delivered"].as_u64() > Some(0), "{row}");
    }
}

/// At another path there is a WebSocket without MQTT: that is said before the run.
#[test]
fn a_web_socket_without_mqtt_is_told() {
    let Some(nats) = Nats::start("no_tls: true") else {
        return;
    };

    let (code, errors, _) = nats.run(&format!("{}/elsewhere", nats.url));

    assert_eq!(code, 3, "{errors}");
    let said = "did not agree to the WebSocket subprotocol `mqtt`";
    assert!(errors.contains(said), "{errors}");
}

/// A group over TCP and one over WebSocket, at two addresses of one broker: each hears the other.
#[test]
fn groups_of_two_transports_hear_each_other() {
    let Some(nats) = Nats::start("no_tls: true") else {
        return;
    };
    let urls = format!("[\"{}\", \"{}/mqtt\"]", nats.tcp, nats.url);
    let scenario = scenario("mqtt://both").replace("\"mqtt://both\"", &urls);
    let scenario = scenario.replace(
        "name = \"watcher\"",
        "name = \"watcher\"\ntransport = \"ws\"",
    );
    let file = nats.folder.path().join("both.toml");
    fs::write(&file, scenario).expect("it can be written");
    let out = nats.folder.path().join("out");

    let (code, errors) = code_and_errors(&run(&["run", text(&file), "--out", text(&out)]));

    let run = run_file(&out);
    assert_held(code, &run);
    let groups = &run["settings"]["groups"];
    let transports = [0, 1].map(|group| groups[group]["transport"].as_str());
    assert_eq!(transports, [Some("tcp"), Some("ws")], "{errors}");
    let row = &run["measured"]["accounting"]["deliveries"][0];
    assert!(row["delivered"].as_u64() > Some(0), "{row}");
}

/// A bench over WebSocket accounts for each message, with TLS below it and without; payloads are beside the lengths at which
/// the header of a frame grows.
#[test]
fn a_bench_passes_over_web_socket() {
    let tls = "tls { cert_file: \"FOLDER/broker.pem\", key_file: \"FOLDER/broker.key\" }";
    for (web_socket, scheme) in [("no_tls: true", "ws"), (tls, "wss")] {
        let Some(nats) = Nats::start(web_socket) else {
            return;
        };
        let (_, address) = nats.url.split_once("://").expect("it is a URL");
        let url = format!("{scheme}://{}", address.replace("127.0.0.1", "localhost"));
        let ca = nats.folder.path().join("ca.pem");
        let trusting: &[&str] = match scheme {
            "wss" => &["--ca", text(&ca)],
            _ => &[],
        };
        for bytes in ["16", "70KiB"] {
            let load = [
                "-q",
                "1",
                "-c",
                "4",
                "--window",
                "4",
                "-s",
                bytes,
                "--protocol",
                "3.1.1",
            ];
            let target = ["--target", &url];
            let (code, result) = bench("pairs", &[&target, &load[..], trusting].concat());

            assert_eq!(code, 0, "{result}");
            let account = &result["targets"][0]["repeats"][0]["account"];
            assert!(account["published"].as_u64() > Some(0), "{result}");
            assert_eq!(account["delivered"], account["published"], "{result}");
        }
    }
}
