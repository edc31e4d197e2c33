//! Brokers that ask for a user name and a password, and what is told of a login that is wrong.
//!
//! The server of these tests answers CONNECTs alone, so that nothing need be installed.

use std::fs;
use std::path::Path;
use std::process::Output;

use squall_protocol::packet::Connect;
use squall_protocol::{ReasonCode, Version};

use crate::refusals::serve;
use crate::{code_and_errors, run_file, squall, text};

const PASSWORD: &str = "of-all-7f3a";

/// Devices that log in with rows of a file, of which the second has a wrong password.
const SCENARIO: &str = r#"
version = 1
name = "logins"
[run]
duration = "1s"
drain = "0s"
connect_timeout = "2s"
[[group]]
name = "devices"
count = 3
credentials = { csv = "users.csv" }
reconnect = { when = "never" }
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// Lets in whose password is that of the user.
fn by_password(connect: &Connect) -> Option<ReasonCode> {
    let user = connect.user_name.as_deref().unwrap_or_default();
    let expected = match user {
        "squall" => PASSWORD.to_owned(),
        user => format!("of-{user}"),
    };
    Some(
        match connect.password.as_deref() == Some(expected.as_bytes()) {
            true => ReasonCode::Success,
            // What 3.1.1 calls 4 and 5.
            false if connect.version == Version::V3_1_1 => ReasonCode::BadUserNameOrPassword,
            false => ReasonCode::NotAuthorized,
        },
    )
}

/// Runs against that server with the login of `[target]` and more `arguments`; `MQTT_PASSWORD` is the right one.
fn run(folder: &Path, password: &str, arguments: &[&str]) -> Output {
    let file = folder.join("logins.toml");
    let target = format!(
        "[target]\nurl = \"mqtt://{}\"\nusername = \"squall\"\npassword = {password}\n",
        serve(by_password)
    );
    let scenario = SCENARIO.replacen("[[group]]", &format!("{target}[[group]]"), 1);
    fs::write(&file, scenario).expect("it can be written");
    let users = "username,password\nann,of-ann\nbob,wrong-9c1d\neve,of-eve\n";
    fs::write(folder.join("users.csv"), users).expect("it can be written");
    squall()
        .args(["run", text(&file), "--out", text(&folder.join("out"))])
        .args(arguments)
        .env("MQTT_PASSWORD", PASSWORD)
        .output()
        .expect("squall can be started")
}

/// Everything in the folder of results, and what was printed.
fn all_that_is_kept(folder: &Path, output: &Output) -> String {
    let mut all = String::new();
    let entries = fs::read_dir(folder.join("out")).expect("there are results");
    for entry in entries {
        let bytes = fs::read(entry.expect("it can be read").path()).unwrap_or_default();
        all.push_str(&String::from_utf8_lossy(&bytes));
    }
    all.push_str(&String::from_utf8_lossy(&output.stdout));
    all.push_str(&String::from_utf8_lossy(&output.stderr));
    all
}

/// The wrong password of one device costs that device its connection, and the report tells it; no password is
/// kept anywhere, wherever it came from.
#[test]
fn a_wrong_password_of_one_device_is_told_and_not_shown() {
    for (password, set) in [
        ("{ env = \"MQTT_PASSWORD\" }", ""),
        ("\"wrong\"", "target.password=of-all-7f3a"),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let set: &[&str] = if set.is_empty() { &[] } else { &["--set", set] };

        let output = run(folder.path(), password, set);

        let kept = all_that_is_kept(folder.path(), &output);
        let run = run_file(&folder.path().join("out"));
        let refusals = &run["measured"]["connections"]["refusals"];
        assert_eq!(refusals[0]["count"], 1, "{refusals}");
        assert_eq!(refusals[0]["of"], 3, "{refusals}");
        let remedy = refusals[0]["remedy"].as_str().expect("there is one");
        assert!(
            remedy.contains("group devices logs in with user names of \"users.csv\""),
            "{remedy}"
        );
        for secret in [PASSWORD, "of-ann", "wrong-9c1d"] {
            assert!(!kept.contains(secret), "{secret} is shown");
        }
        let shows_a_password = !password.starts_with('{');
        assert_eq!(run["identity"]["scenario"]["has_secrets"], shows_a_password);
        let replay = run["identity"]["replay"].as_str().expect("there is one");
        assert_eq!(
            replay.contains("in place of ***"),
            !set.is_empty(),
            "{replay}"
        );
    }
}

/// The login of `[target]` is all clients': where the broker refuses it, the run does not begin.
#[test]
fn a_wrong_password_of_the_target_is_unreachable() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let output = run(folder.path(), "\"wrong-5e2b\"", &[]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    for words in [
        "refused the user name \"squall\" of [target] with Bad User Name or Password (0x86)",
        "check target.username and target.password",
    ] {
        assert!(errors.contains(words), "{errors}");
    }
    assert!(!errors.contains("wrong-5e2b"), "{errors}");
}
