//! An auditor that is not squall: every figure of a run, recounted from the packets on the wire.
//!
//! A recording proxy in Python stands between squall's devices and a broker; a recount in Python,
//! which shares no code with squall, then computes what `summary.json`, `run.json` and the tables
//! say, and compares. README.md beside this file says what is compared, and how exactly. Each test
//! is one scenario of `scenarios/`; the record and the comparison stay in the target folder.
//!
//! Without Python 3.11 the tests are skipped, which is said on stderr; with
//! `SQUALL_REQUIRE_INTEROP=1`, as in CI, that is a failure.

mod processes;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use processes::{Broker, Proxy};

/// Exit codes of a run in which every invariant held: passed, or nothing follows because this
/// machine was too busy. The figures must be right all the same.
const HELD: &[i32] = &[0, 4];
/// An invariant was broken: the proxy saw to that.
const BROKEN: &[i32] = &[98];

/// Where the scripts and scenarios are.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit")
}

/// Python, which leaves nothing behind beside the scripts.
fn python() -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// Whether there is a Python that can run the scripts. If not, that is said past the capture of
/// the test runner; or it is a failure, if nothing may be skipped.
fn has_python() -> bool {
    let has = python()
        .args(["-c", "import tomllib"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has {
        skip("python3 is not here or older than 3.11, so no run was audited");
    }
    has
}

/// Says that a test did nothing, or fails if that is not allowed.
fn skip(why: &str) {
    let required = std::env::var("SQUALL_REQUIRE_INTEROP").is_ok_and(|value| value == "1");
    assert!(!required, "{why}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// A scenario of the audit.
fn scenario(name: &str) -> PathBuf {
    here().join("scenarios").join(format!("{name}.toml"))
}

/// Runs the scenario on `broker` through the proxy, and fails if a figure differs from the wire.
/// Returns the folder with the record and the results.
fn audit(name: &str, folder: &str, broker: &Broker, codes: &[i32]) -> PathBuf {
    let scenario = scenario(name);
    let plan = here().join("scenarios").join(format!("{name}.plan.json"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("audit")
        .join(folder);
    // What an earlier test run left there.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let (record, results) = (folder.join("wire.jsonl"), folder.join("results"));
    let proxy = Proxy::start(broker.address(), &record, plan.exists().then_some(&*plan));

    let run = Command::new(env!("CARGO_BIN_EXE_squall"))
        .arg("run")
        .arg(&scenario)
        .args(["--set", &format!("target.url=mqtt://{}", proxy.address())])
        .arg("--out")
        .arg(&results)
        .output()
        .expect("squall can be started");
    proxy.finish();

    let said = String::from_utf8_lossy(&run.stdout);
    let code = run.status.code().expect("squall ended by itself");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(
        codes.contains(&code),
        "squall ended with {code}: {said}{errors}"
    );
    let differing = compare(&folder, &scenario);
    assert!(
        differing.is_empty(),
        "{}\nin {}",
        differing.join("\n"),
        folder.display()
    );
    folder
}

/// The figures of the run in `folder` that differ from the wire, a line each.
fn compare(folder: &Path, scenario: &Path) -> Vec<String> {
    let audited = python()
        .arg(here().join("audit.py"))
        .arg("--record")
        .arg(folder.join("wire.jsonl"))
        .arg("--scenario")
        .arg(scenario)
        .arg("--results")
        .arg(folder.join("results"))
        .output()
        .expect("python3 can be started");
    let found = String::from_utf8_lossy(&audited.stdout);
    fs::write(folder.join("audit.txt"), &*found).expect("the target folder can be written");
    let differing: Vec<String> = found
        .lines()
        .filter(|line| line.starts_with("DIFFERS"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        audited.status.code(),
        Some(i32::from(!differing.is_empty())),
        "the audit failed: {}",
        String::from_utf8_lossy(&audited.stderr)
    );
    differing
}

/// Audits one run on a `squall broker` of its own.
fn audit_on_squall(name: &str, codes: &[i32]) {
    if has_python() {
        audit(name, name, &Broker::start_squall(), codes);
    }
}

/// Publications, deliveries, rates and every latency at QoS 0, 1 and 2.
#[test]
fn each_qos() {
    audit_on_squall("each-qos", HELD);
}

/// One message to many Sessions, and to those that ask for a part.
#[test]
fn fan_out() {
    audit_on_squall("fan-out", HELD);
}

/// A shared subscription is owed each message once.
#[test]
fn shared_subscriptions() {
    audit_on_squall("shared", HELD);
}

/// What the broker keeps for those who come later.
#[test]
fn retained_messages() {
    audit_on_squall("retained", HELD);
}

/// Wills after a reset, an end of stream, silence and a goodbye, and the time to each.
#[test]
fn wills() {
    audit_on_squall("wills", HELD);
}

/// Takeovers: who was displaced, what it was told and how long that took, and what its Session
/// had.
#[test]
fn takeovers() {
    audit_on_squall("takeovers", HELD);
}

/// Requests, the responses that came to who asked, and how long that took.
#[test]
fn responses() {
    audit_on_squall("responses", HELD);
}

/// QoS 2 exchanges that are cut after each step, packet by packet.
#[test]
fn cut_exchanges() {
    audit_on_squall("cuts", HELD);
}

/// Percentiles where latencies are large: the proxy holds each packet back.
#[test]
fn a_slow_link() {
    audit_on_squall("slow-link", HELD);
}

/// The ends of a run: a second, rates that do not divide, a message that is due just when
/// measuring starts.
#[test]
fn a_run_of_one_second() {
    audit_on_squall("one-second", HELD);
}

/// A proxy that drops, doubles and swaps: squall reports exactly these messages.
#[test]
fn a_lossy_network() {
    audit_on_squall("lossy", BROKEN);
}

/// A proxy that changes payloads, lowers the QoS and sets flags: squall reports exactly these messages.
#[test]
fn a_network_that_changes_messages() {
    audit_on_squall("changed", BROKEN);
}

/// Messages that are never answered: how many are in doubt, how many of them came, and which are not sent again.
#[test]
fn messages_in_doubt() {
    audit_on_squall("in-doubt", HELD);
}

/// Messages of others are foreign; one of this run that was not asked for is misrouted.
#[test]
fn strangers_and_misrouted_messages() {
    audit_on_squall("strangers", BROKEN);
}

/// A broker that has seen the same fleet before: the second run is as right as the first.
#[test]
fn a_second_run_on_the_same_broker() {
    if !has_python() {
        return;
    }
    let broker = Broker::start_squall();
    audit("kept-sessions", "kept-sessions-1", &broker, HELD);
    audit("kept-sessions", "kept-sessions-2", &broker, HELD);
}

/// The audit finds a figure that is false by one.
#[test]
fn a_false_figure_is_found() {
    if !has_python() {
        return;
    }
    let folder = audit("one-second", "false-figure", &Broker::start_squall(), HELD);
    let path = folder.join("results/run.json");
    let json = fs::read_to_string(&path).expect("there is a run file");
    let mut run: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let delivered = &mut run["measured"]["accounting"]["deliveries"][0]["delivered"];
    *delivered = (delivered.as_u64().expect("a count") - 1).into();
    fs::write(&path, run.to_string()).expect("the target folder can be written");

    let differing = compare(&folder, &scenario("one-second"));

    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(
        differing[0].contains("delivered reader QoS 1 delivered"),
        "{differing:?}"
    );
}

/// A broker that is not squall's: the figures are squall's all the same.
#[test]
fn figures_on_mosquitto() {
    if !has_python() {
        return;
    }
    match Broker::start_mosquitto() {
        Some(broker) => {
            audit("each-qos", "each-qos-mosquitto", &broker, HELD);
            audit("responses", "responses-mosquitto", &broker, HELD);
        }
        None => skip("mosquitto is not installed: apt-get install mosquitto"),
    }
}
