//! Eclipse Mosquitto with a password file: a broker that checks what devices log in with. Without it the tests are
//! skipped, which is said on stderr; with `SQUALL_REQUIRE_INTEROP=1`, as in CI, that is a failure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::{assert_held, code_and_errors, run, run_file, text};

/// Devices with Sessions of their own, which squall clears as their users, and a claim that squall looks into as
/// the user of `[target]`.
const SCENARIO: &str = r#"
version = 1
name = "passwords"
[target]
username = "squall"
password = "of-squall"
[run]
duration = "1s"
drain = "5s"
connect_timeout = "3s"
[[group]]
name = "devices"
count = 3
clean_start = false
session_expiry = "1m"
credentials = { csv = "users.csv" }
reconnect = { when = "never" }
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 30
retain = true
[[group]]
name = "readers"
count = 1
protocol = "3.1.1"
[[group.subscribe]]
filter = "t/+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "retained"
filter = "t/+"
equals = "last_publish"
[[expect]]
check = "connections"
refused = 0
"#;

/// A folder with the scenario, the users as squall knows them, and as the broker does; `None` if there is no
/// Mosquitto here.
fn folder() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("it can be written");
    };
    write("passwords.toml", SCENARIO);
    write(
        "users.csv",
        "username,password\nann,of-ann\nbob,of-bob\neve,of-eve\n",
    );
    write("users", "");
    let users = folder.path().join("users");
    for name in ["squall", "ann", "bob", "eve"] {
        let made = Command::new("mosquitto_passwd")
            .args(["-b", text(&users), name, &format!("of-{name}")])
            .status();
        if !made.is_ok_and(|status| status.success()) {
            skip("mosquitto is not installed: apt-get install mosquitto");
            return None;
        }
    }
    let config = format!("allow_anonymous false\npassword_file {}\n", text(&users));
    write("mosquitto.conf", &config);
    Some(folder)
}

/// Says that a test did nothing, or fails if that is not allowed.
fn skip(why: &str) {
    let required = std::env::var("SQUALL_REQUIRE_INTEROP").is_ok_and(|value| value == "1");
    assert!(!required, "{why}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Runs the scenario with more `arguments`.
fn run_on_mosquitto(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let config = folder.join("mosquitto.conf");
    let spawn = format!("target.spawn=mosquitto -c {} -p {{port}}", text(&config));
    let (file, out) = (folder.join("passwords.toml"), folder.join("out"));
    let mut all = vec!["run", text(&file), "--set", &spawn, "--out", text(&out)];
    all.extend(arguments);
    run(&all)
}

/// The probe, the connections that clear Sessions, devices, readers and the checker all get in.
#[test]
fn everyone_logs_in() {
    let Some(folder) = folder() else { return };

    let output = run_on_mosquitto(folder.path(), &[]);

    let (code, errors) = code_and_errors(&output);
    let run = run_file(&folder.path().join("out"));
    assert!(!errors.contains("error"), "{errors}");
    assert_held(code, &run);
}

/// One wrong password of three costs one device its connection, and is told with its reason.
#[test]
fn a_wrong_password_is_refused_and_counted() {
    let Some(folder) = folder() else { return };
    let users = "username,password\nann,of-ann\nbob,wrong\neve,of-eve\n";
    fs::write(folder.path().join("users.csv"), users).expect("it can be written");

    let output = run_on_mosquitto(folder.path(), &[]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 98, "{errors}");
    let run = run_file(&folder.path().join("out"));
    let refusals = &run["measured"]["connections"]["refusals"];
    assert_eq!(refusals[0]["count"], 1, "{refusals}");
    let remedy = refusals[0]["remedy"].as_str().expect("there is one");
    assert!(remedy.contains("user names of \"users.csv\""), "{remedy}");
}

/// Where the broker does not know the user of `[target]`, the run does not begin.
#[test]
fn a_wrong_user_of_the_target_ends_the_run_at_once() {
    let Some(folder) = folder() else { return };

    let output = run_on_mosquitto(folder.path(), &["--set", "target.username=nobody-8c4e"]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(
        errors.contains("refused the user name \"nobody-8c4e\" of [target]"),
        "{errors}"
    );
}
