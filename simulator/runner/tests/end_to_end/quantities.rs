//! One way to write a quantity: what a scenario takes, the broker's config file takes, and the other
//! way round.

use squall_broker::Config;
use squall_scenario::Scenario;

const ACCEPTED_TIMES: [&str; 8] = [
    "0s", "250ms", "1.5s", "1m30s", "20us", "20µs", "2 h", "1m 30 s",
];

const REFUSED_TIMES: [&str; 9] = [
    "",
    "fast",
    "-1s",
    "1.s",
    "250",
    "1m30",
    "5 parsecs",
    "0.5ns",
    "400d",
];

const ACCEPTED_SIZES: [&str; 6] = ["16B", "64KB", "64KiB", "1.5 MiB", "0.1MB", "0.125GiB"];

const REFUSED_SIZES: [&str; 7] = ["", "64", "64kb", "64K", "64Ki", "1.5B", "-1B"];

/// Whether the broker's config file takes `value` for `key`.
fn config_takes(key: &str, value: &str) -> bool {
    let text = format!("{key} = \"{value}\"\n");
    Config::from_bytes(text.as_bytes(), "broker.toml").is_ok()
}

/// Whether a scenario with the line `key = "value"` in `block` is taken.
fn scenario_takes(block: &str, line: &str) -> bool {
    let head = "version = 1\nname = \"a\"\n[[group]]\nname = \"g\"\ncount = 1\n";
    Scenario::parse("a.toml", &format!("{head}{block}\n{line}\n"), &[]).is_ok()
}

#[test]
fn a_time_is_accepted_and_refused_alike_in_both_files() {
    let taken = |value: &str| {
        (
            config_takes("server.close_timeout", value),
            scenario_takes("[run]", &format!("drain = \"{value}\"")),
        )
    };

    for value in ACCEPTED_TIMES {
        assert_eq!(taken(value), (true, true), "{value}");
    }
    for value in REFUSED_TIMES {
        assert_eq!(taken(value), (false, false), "{value}");
    }
}

#[test]
fn a_size_is_accepted_and_refused_alike_in_both_files() {
    let publish = "[[group.publish]]\ntopic = \"t\"\nrate = 1";
    let taken = |value: &str| {
        (
            config_takes("queue.bytes_max", value),
            scenario_takes(publish, &format!("payload = {{ size = \"{value}\" }}")),
        )
    };

    for value in ACCEPTED_SIZES {
        assert_eq!(taken(value), (true, true), "{value}");
    }
    for value in REFUSED_SIZES {
        assert_eq!(taken(value), (false, false), "{value}");
    }
}
