//! Malformed packets over real sockets.

use std::fs;

use crate::{assert_held, run, run_file, text};

const SCENARIO: &str = r#"
version = 1
name = "malformed"
seed = 1
[run]
# On a broker that may have been there before, a will proves something only to one who watched before.
warmup = "1s"
duration = "2s"
drain = "3s"
[[group]]
name = "doers"
count = 12
reconnect = { when = "never" }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "will/#"
qos = 1
[[fault]]
name = "broken"
at = "500ms"
group = "doers"
action = "drop"
how = "malformed"
kind = ["reserved_flags", "reserved_type", "qos_3", "packet_id_zero", "wildcard_topic", "invalid_utf8", "null_character",
        "second_connect", "overlong_length", "empty_subscribe", "truncated", "unknown_property"]
[[expect]]
check = "malformed"
closed_within = "1m"
reason = "correct"
[[expect]]
check = "will"
after = ["broken"]
exactly = 1
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// The broker closes for each kind, says why, and publishes the wills.
#[test]
fn the_broker_closes_for_each_kind() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("malformed.toml");
    fs::write(&file, SCENARIO).expect("it can be written");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);

    let run = run_file(&out);
    let code = output.status.code().expect("squall ended by itself");
    assert_held(code, &run);
    let outcomes = run["measured"]["malformed"]
        .as_array()
        .expect("it is a list");
    assert_eq!(outcomes.len(), 12);
    for outcome in outcomes {
        assert_eq!(
            (&outcome["sent"], &outcome["closed"]),
            (&1.into(), &1.into()),
            "{outcome}"
        );
        assert_eq!(outcome["unfit_reasons"], 0, "{outcome}");
    }
}
