//! Targets that a file describes: `--target FILE`. The broker is ours, so that the tests need nothing installed.

use std::fs;
use std::path::PathBuf;

use crate::{code_and_errors, run, run_file, text};

/// Chat with wills that wait, a Session that ends, and orders of QoS 2 for members of a share.
const SCENARIO: &str = r#"
version = 1
name = "described"
[run]
duration = "1s"
drain = "1s"
[[group]]
name = "guests"
count = 5
client_id = "guest-{index}"
clean_start = false
session_expiry = "1m"
[group.will]
topic = "left/{client_id}"
delay = "1s"
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group]]
name = "crew"
count = 3
[[group.subscribe]]
filter = "$share/crew/orders/#"
qos = 2
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// A folder with a scenario and the description of a broker.
struct Described {
    folder: tempfile::TempDir,
}

impl Described {
    /// `needs` is a line of the scenario.
    fn new(needs: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let scenario = SCENARIO.replace("[run]", &format!("{needs}\n[run]"));
        let description = format!(
            "version = 1\nname = \"small\"\nabout = \"A broker of 3.1.1 with QoS 1\"\n\
             [target]\nspawn = \"{} broker --config {{folder}}/small.toml\"\nprotocol = \"3.1.1\"\n\
             lacks = [\"qos2\", \"shared_subscriptions\"]\n\
             [target.config]\n\"small.toml\" = \"[listen]\\nport = {{port}}\\n\"\n",
            env!("CARGO_BIN_EXE_squall")
        );
        fs::write(folder.path().join("scenario.toml"), scenario).expect("it can be written");
        fs::write(folder.path().join("small.toml"), description).expect("it can be written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self) -> (i32, String) {
        let (scenario, target) = (self.path("scenario.toml"), self.path("small.toml"));
        code_and_errors(&run(&[
            "run",
            text(&scenario),
            "--target",
            text(&target),
            "--out",
            text(&self.path("out")),
        ]))
    }
}

/// The broker is started with its file, the scenario is brought down to what it has, and the terminal, the run file and
/// the report list each change.
#[test]
fn a_scenario_is_brought_down_to_what_the_described_broker_has() {
    let described = Described::new("");

    let (code, errors) = described.run();

    let out = described.path("out");
    let run = run_file(&out);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(run["target"]["name"], "small");
    let changes = run["target"]["changes"].as_array().expect("a list");
    let report = fs::read_to_string(out.join("report.html")).expect("it was written");
    for wanted in [
        "group guests, group crew: MQTT 3.1.1 in place of 5.0",
        "group crew: one reader in place of 3 that share",
        "group guests, group crew: QoS 1 in place of QoS 2",
        "check delivery: duplicated is not claimed",
        "the will's delay is left out",
    ] {
        assert!(errors.contains(wanted), "{errors}");
        let is_kept = |change: &serde_json::Value| change.to_string().contains(wanted);
        assert!(changes.iter().any(is_kept), "{changes:?}");
        assert!(
            report.contains(&wanted.replace('\'', "&#39;")) || report.contains(wanted),
            "{wanted}"
        );
    }
    let deliveries = &run["measured"]["accounting"]["deliveries"];
    assert_eq!(deliveries[0]["qos"], 1, "{deliveries}");
    assert_eq!(deliveries[0]["delivered"], 20, "{deliveries}");
}

/// What a scenario is about cannot be left out: it is not run, and that is not a pass.
#[test]
fn a_scenario_about_what_the_broker_lacks_is_skipped() {
    let described = Described::new("needs = [\"qos2\"]");

    let (code, errors) = described.run();

    assert_eq!(code, 4);
    let wanted = "described is skipped: it is about QoS 2, which this target does not have";
    assert!(errors.contains(wanted), "{errors}");
    assert!(!described.path("out").join("run.json").exists());
}
