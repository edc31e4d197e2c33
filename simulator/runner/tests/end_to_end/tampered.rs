//! Broken promises over real sockets: a proxy tampers, and exactly the right check is broken.

use std::fs;
use std::net::SocketAddr;

use squall_protocol::{QoS, packet::Packet};
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::{Broker, assert_held, code_and_errors, proxy, run, run_file, text};

/// Ten sensors, one listener, QoS 1 and QoS 2, for a second.
const SCENARIO: &str = r#"
version = 1
name = "tampered"
seed = 5

[run]
duration = "1s"
drain = "5s"

[[group]]
name = "sensors"
count = 10
client_id = "sensor-{index}"
[[group.publish]]
topic = "one/{client_id}"
qos = 1
rate = 50
[[group.publish]]
topic = "two/{client_id}"
qos = 2
rate = 50

[[group]]
name = "listener"
count = 1
[[group.subscribe]]
filter = "one/+"
qos = 1
[[group.subscribe]]
filter = "two/+"
qos = 2

[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
"#;

/// Lets everything pass.
pub(crate) struct Honest;

impl Tamper for Honest {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        tampered.forward(passing.direction, passing.bytes);
    }
}

/// Acknowledges the tenth QoS 1 message of the run in the broker's place, and drops it.
#[derive(Default)]
struct LoseOne {
    seen: u32,
}

impl Tamper for LoseOne {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if let (Direction::ToDevice, Packet::Publish(publish)) = (passing.direction, passing.packet)
            && publish.qos == QoS::AtLeastOnce
        {
            self.seen += 1;
            if self.seen == 10 {
                return;
            }
        }
        tampered.forward(passing.direction, passing.bytes);
    }
}

/// What a run printed, its exit code and its run file.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) summary: serde_json::Value,
    pub(crate) run: serde_json::Value,
}

/// Runs `scenario` against a broker behind a proxy that does what `tamper` says.
pub(crate) fn run_through(scenario: &str, tamper: fn() -> Box<dyn Tamper>) -> Ran {
    let broker = Broker::start();
    let proxy: SocketAddr = proxy::start(broker.address, tamper);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("tampered.toml");
    fs::write(&file, scenario).expect("the scenario can be written");
    let out = folder.path().join("out");
    let url = format!("target.url=mqtt://{proxy}");

    let output = run(&[
        "run",
        text(&file),
        "--set",
        &url,
        "--out",
        text(&out),
        "--json",
    ]);

    let (code, errors) = code_and_errors(&output);
    let summary = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no summary: {error}\n{errors}"));
    Ran {
        code,
        summary,
        run: run_file(&out),
    }
}

/// A proxy that lets everything pass changes nothing: what the others see is their tampering.
#[test]
fn an_honest_proxy_passes() {
    let ran = run_through(SCENARIO, || Box::new(Honest));

    assert_held(ran.code, &ran.run);
    assert_eq!(ran.summary["summary"]["lost"], 0);
}

/// One message of a hundred that never comes is found, and the run fails with an invariant's code.
#[test]
fn a_lost_message_ends_with_98() {
    let Ran { code, summary, .. } = run_through(SCENARIO, || Box::<LoseOne>::default());

    assert_eq!(code, 98, "{summary}");
    assert_eq!(summary["summary"]["lost"], 1);
    assert_eq!(summary["summary"]["duplicated_at_qos2"], 0);
    assert_eq!(summary["name"], "tampered");
    assert_eq!(summary["verdict"]["outcome"], "fail");
    assert_eq!(summary["checks"][0]["claims"][0]["passed"], false);
    assert!(
        summary["report"]
            .as_str()
            .is_some_and(|path| path.ends_with("report.html"))
    );
}
