//! The config file: its keys, what each of them takes, and what is told about a wrong one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use squall_broker::{Config, ConfigError, ConfigErrors, ConfigProblem};
use squall_toml::document::Document;

/// Every key with its default.
const DOCUMENTED: &str = include_str!("../squall-broker.toml");

fn read(text: &str) -> Result<Config, ConfigErrors> {
    Config::from_bytes(text.as_bytes(), "broker.toml")
}

fn report(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// What is wrong, without places.
fn problems(text: &str) -> Vec<String> {
    let errors = read(text).unwrap_err();
    errors
        .iter()
        .map(|error| error.problem.to_string())
        .collect()
}

/// Every key of the documented file, as `section.key`.
fn documented_keys() -> Vec<String> {
    let document: Result<Document, ConfigErrors> =
        Document::read("documented", DOCUMENTED.as_bytes(), &[]);
    let sections = document.unwrap().node;
    let keys = sections.entries().iter().flat_map(|section| {
        let keys = section.node.entries().iter();
        keys.map(|entry| format!("{}.{}", section.key, entry.key))
    });
    keys.collect()
}

/// The documented file spells the defaults, so it changes nothing.
#[test]
fn documented_file_reads_as_the_default() {
    assert_eq!(read(DOCUMENTED), Ok(Config::default()));
}

/// Every key of the documented file stands below a comment that explains it.
#[test]
fn documented_file_explains_every_key() {
    let lines: Vec<&str> = DOCUMENTED.lines().collect();

    for (number, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(lines[number - 1].starts_with("# "), "{line}");
        }
    }
}

/// A value for each key that differs from its default.
const CHANGES: [&str; 30] = [
    "listen.address = '127.0.0.2'",
    "listen.port = 1884",
    "listen.backlog = 16",
    "listen.connections_max = 5",
    "listen.allow_anonymous = true",
    "listen.tcp_keepalive = 'off'",
    "listen.tcp_keepalive_interval = '1s'",
    "listen.tcp_keepalive_probes = 1",
    "server.shutdown_timeout = '1s'",
    "server.close_timeout = '2s'",
    "server.sys_interval = 'off'",
    "protocol.connect_timeout = '5s'",
    "protocol.connect_size_max = '4KiB'",
    "protocol.maximum_packet_size = '1MiB'",
    "protocol.receive_maximum = 20",
    "protocol.topic_alias_maximum = 0",
    "protocol.topic_levels_max = 8",
    "session.expiry_interval_max = '1h'",
    "session.sessions_max = 5",
    "session.subscriptions_max = 5",
    "session.in_flight_max = 20",
    "queue.messages_max = 100",
    "queue.bytes_max = '1MiB'",
    "queue.policy = 'reject'",
    "outbox.soft = '64KiB'",
    "outbox.hard = '2MiB'",
    "retained.messages_max = 10",
    "retained.bytes_max = '1MiB'",
    "retained.replay_slice = 10",
    "routing.match_cache_topics_max = 10",
];

/// Every key changes something: a value that is not the default makes another config.
#[test]
fn every_key_changes_a_setting() {
    for case in CHANGES {
        let config = read(case).unwrap_or_else(|errors| panic!("{errors}"));
        assert_ne!(config, Config::default(), "{case}");
    }

    let mut untried = documented_keys();
    untried.retain(|key| !CHANGES.iter().any(|case| case.starts_with(key.as_str())));
    assert_eq!(untried, ["server.shards"], "only 1 shard is allowed so far");
}

/// A slip in any key is found, at its place, with the key that was meant.
#[test]
fn a_slip_in_any_key_names_the_key_that_was_meant() {
    for key in documented_keys() {
        let (section, name) = key.split_once('.').unwrap();
        let (head, tail) = name.split_at(name.len() - 2);
        let swapped: String = tail.chars().rev().collect();
        // Two equal letters at the end: leave one out.
        let written = match swapped == tail {
            true => name[..name.len() - 1].to_owned(),
            false => format!("{head}{swapped}"),
        };

        let report = report(&format!("[{section}]\n{written} = 1\n"));

        let what = format!("error: unknown key `{written}` in [{section}]\n");
        assert!(report.starts_with(&what), "{report}");
        assert!(report.contains("--> broker.toml:2:1\n"), "{report}");
        let meant = format!("did you mean `{name}`?");
        assert!(report.contains(&meant), "{meant}\n{report}");
    }
}

/// A value of a kind that no key takes is refused for every key, with a line to paste.
#[test]
fn a_value_of_the_wrong_kind_is_refused_with_the_documented_line() {
    for key in documented_keys() {
        let report = report(&format!("{key} = [1979-05-27]\n"));

        assert!(report.contains("error: expected "), "{report}");
        assert!(report.contains(", found an array\n"), "{report}");
        let (_, name) = key.split_once('.').unwrap();
        assert!(
            report.contains(&format!("= example: {name} = ")),
            "{report}"
        );
    }
}

/// Each number and quantity has a range, and says it.
#[test]
fn what_is_beyond_its_range_is_refused_with_the_range() {
    for key in documented_keys() {
        let line = CHANGES.iter().find(|case| case.starts_with(&key));
        let value = line.map_or("1", |line| line.rsplit(" = ").next().unwrap());
        let beyond = match value.trim_matches('\'') {
            // Neither a number nor a quantity.
            "127.0.0.2" | "true" | "reject" => continue,
            // The longest time that a file can name, a year, is within the range.
            _ if key == "session.expiry_interval_max" => "'1ms'",
            size if size.ends_with('B') => "'2000GiB'",
            time if time.ends_with('s') || time == "off" => "'366d'",
            _ => "5000000000",
        };

        let problems = problems(&format!("{key} = {beyond}\n"));

        let says_the_range = problems[0].contains(" is out of range, it must be from ");
        assert!(says_the_range, "{key}: {problems:?}");
    }
}

/// A wrong word, unit, section or address says what would be right.
#[test]
fn a_wrong_value_says_what_would_be_right() {
    for (text, problem) in [
        (
            "queue.policy = 'drop'",
            "unknown value \"drop\" of `policy`",
        ),
        (
            "listen.address = 'localhost'",
            "\"localhost\" is not a numeric address such as \"127.0.0.1\" or \"::1\"",
        ),
        (
            "session.expiry_interval_max = '1500ms'",
            "1.5s is out of range, it must be a whole number of seconds",
        ),
        (
            "server.close_timeout = '5 parsecs'",
            "\"5 parsecs\" is not a duration such as \"250ms\", \"10s\" or \"1m30s\" \
             (ns, us, ms, s, m, h, d): unknown unit",
        ),
        (
            "queue.bytes_max = '64kb'",
            "\"64kb\" is not a size such as \"16B\" or \"64KiB\" \
             (B, KB, KiB, MB, MiB, GB, GiB): unknown unit",
        ),
        (
            "listen = 1883",
            "expected a section [listen], found an integer",
        ),
        ("[[listen]]", "expected a section [listen], found an array"),
    ] {
        assert_eq!(problems(text), [problem]);
    }
}

/// A key of another section is named with it, a section that is misspelt with the right name.
#[test]
fn a_key_in_the_wrong_section_is_found() {
    let misplaced = report("[listen]\nshutdown_timeout = '1s'\n");
    let section = report("[lisen]\nport = 1\n");
    let foreign = report("colour = 'blue'\n");

    assert!(
        misplaced.contains("= expected: server.shutdown_timeout\n"),
        "{misplaced}"
    );
    assert!(section.contains("did you mean `listen`?"), "{section}");
    assert!(!foreign.contains("did you mean"), "{foreign}");
}

/// All mistakes of a file are told at once, each with its place and its line.
#[test]
fn every_mistake_is_told_with_its_place() {
    let report = report("[listen]\nport = 70000\n  prot = 1\n[queue]\npolicy = 'drop'\n");

    assert_eq!(
        report,
        "error: 70000 is out of range, it must be from 0 to 65535\n \
         --> broker.toml:2:8\n  \
         |\n\
         2 | port = 70000\n  \
         |        ^^^^^\n  \
         = key: listen.port\n  \
         = example: port = 1883\n\
         \n\
         error: unknown key `prot` in [listen]\n \
         --> broker.toml:3:3\n  \
         |\n\
         3 |   prot = 1\n  \
         |   ^^^^ did you mean `port`?\n  \
         = key: listen.prot\n  \
         = expected: one of address, port, backlog, connections_max, allow_anonymous, \
         tcp_keepalive, tcp_keepalive_interval, tcp_keepalive_probes\n\
         \n\
         error: unknown value \"drop\" of `policy`\n \
         --> broker.toml:5:10\n  \
         |\n\
         5 | policy = 'drop'\n  \
         |          ^^^^^^\n  \
         = key: queue.policy\n  \
         = expected: one of drop_newest, drop_oldest, reject\n\
         \n\
         3 errors\n"
    );
}

/// A key that is there twice, and text that is not TOML, are told with their places.
#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    for (text, place) in [
        ("[listen]\nport = = 1\n", (2, 8)),
        ("[listen]\nport = 1\nport = 2\n", (3, 1)),
        ("[listen]\n[listen]\n", (2, 1)),
    ] {
        let errors = read(text).unwrap_err();

        let first = errors.iter().next().unwrap();
        assert_eq!((first.line(), first.column()), place, "{errors}");
    }
}

/// Rules that join settings hold for files too, and name the place.
#[test]
fn settings_that_contradict_each_other_are_refused_with_their_place() {
    for (text, place) in [
        ("[listen]\naddress = '0.0.0.0'\n", (2, 11)),
        ("[server]\nshards = 2\n", (2, 10)),
        ("[outbox]\nsoft = '1MiB'\n", (2, 8)),
        ("[outbox]\nhard = '64KiB'\n", (1, 1)),
    ] {
        let errors = read(text).unwrap_err();

        let only = errors.iter().next().unwrap();
        assert!(
            matches!(only.problem, ConfigProblem::Conflict(_)),
            "{errors}"
        );
        assert_eq!((only.line(), only.column()), place, "{errors}");
    }
}

/// Files that Windows writes: CR and LF, a byte order mark; UTF-16 is refused.
#[test]
fn a_file_from_windows_is_read() {
    let text = "\u{FEFF}[listen]\r\nport = 1884\r\n";
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();

    assert_eq!(read(text).unwrap().listen.port, 1884);
    let errors = read(&text.replace("1884", "'x'")).unwrap_err();
    let only = errors.iter().next().unwrap();
    assert_eq!((only.line(), only.column()), (2, 8), "{errors}");
    let refused = Config::from_bytes(&utf_16, "broker.toml").unwrap_err();
    assert!(refused.to_string().contains("not UTF-8 text"), "{refused}");
}

/// What a hostile file is told stays within a few screens.
#[test]
fn the_report_of_a_hostile_file_is_bounded() {
    let long_value = format!("queue.policy = '{}'\n", "x".repeat(500_000));
    let many_keys: String = (0..50_000).map(|n| format!("listen.a{n} = 1\n")).collect();
    let long_key = format!("[listen]\n{} = 1\n", "k".repeat(500_000));
    let deep = format!("listen.port = {}\n", "[".repeat(100_000));
    let escapes = "\"\\u001b[2J\" = 1\n".to_owned();

    for text in [long_value, many_keys, long_key, deep, escapes] {
        let report = report(&text);

        assert!(report.len() < 40_000, "{} bytes", report.len());
        assert!(!report.contains('\u{1B}'));
    }
}

/// A file of something else is refused where it stops being text.
#[test]
fn binary_file_is_refused_with_its_place() {
    let errors = Config::from_bytes(b"[listen]\nport = \xFF", "broker.toml").unwrap_err();

    let only = errors.iter().next().unwrap();
    assert_eq!((only.line(), only.column()), (2, 8));
}

/// A file of any length is refused without being read to its end.
#[test]
fn a_file_without_end_is_refused() {
    let error = Config::from_file(Path::new("/dev/zero")).unwrap_err();

    assert!(matches!(error, ConfigError::TooLong { .. }), "{error}");
}

/// A missing file says which one.
#[test]
fn missing_file_is_named() {
    let error = Config::from_file(Path::new("no/such/broker.toml")).unwrap_err();

    let text = error.to_string();
    assert!(text.contains("no/such/broker.toml"), "{text}");
    assert!(text.contains("No such file"), "{text}");
}
