//! Which crate may import which, and what the pure crates may not touch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use squall_tidy::tree;

/// Each crate with the crates of ours that it may depend on, dev-dependencies aside.
const MAY_IMPORT: &[(&str, &str, &[&str])] = &[
    ("toml", "squall-toml", &[]),
    ("broker/protocol", "squall-protocol", &[]),
    ("broker/transport", "squall-transport", &[]),
    ("broker/core", "squall-core", &["squall-protocol"]),
    (
        "broker/server",
        "squall-broker",
        &["squall-core", "squall-protocol", "squall-toml"],
    ),
    ("reports/run", "squall-run", &[]),
    ("reports/render", "squall-reports", &["squall-run"]),
    (
        "simulator/scenario",
        "squall-scenario",
        &["squall-protocol", "squall-run", "squall-toml"],
    ),
    (
        "simulator/fleet",
        "squall-fleet",
        &["squall-protocol", "squall-run", "squall-scenario"],
    ),
    (
        "simulator/ledger",
        "squall-ledger",
        &[
            "squall-fleet",
            "squall-protocol",
            "squall-run",
            "squall-scenario",
        ],
    ),
    (
        "simulator/world",
        "squall-world",
        &[
            "squall-core",
            "squall-fleet",
            "squall-ledger",
            "squall-protocol",
            "squall-run",
            "squall-scenario",
            "squall-transport",
        ],
    ),
    (
        "simulator/saturate",
        "squall-saturate",
        &["squall-protocol", "squall-run", "squall-transport"],
    ),
    (
        "simulator/runner",
        "squall",
        &[
            "squall-broker",
            "squall-fleet",
            "squall-ledger",
            "squall-protocol",
            "squall-reports",
            "squall-run",
            "squall-saturate",
            "squall-scenario",
            "squall-toml",
            "squall-transport",
            "squall-world",
        ],
    ),
    (
        "benches",
        "squall-benches",
        &[
            "squall-broker",
            "squall-core",
            "squall-fleet",
            "squall-ledger",
            "squall-protocol",
            "squall-reports",
            "squall-run",
            "squall-scenario",
            "squall-world",
        ],
    ),
    ("tidy", "squall-tidy", &[]),
];

const PURE: &[&str] = &[
    "toml",
    "broker/protocol",
    "broker/transport",
    "broker/core",
    "simulator/scenario",
    "simulator/fleet",
    "simulator/ledger",
    "simulator/world",
    "reports/run",
];

/// Crates that a pure crate may not depend on: they bring clocks, sockets, threads or global random numbers.
const IMPURE_DEPENDENCIES: &[&str] = &[
    "crossbeam",
    "mio",
    "rcgen",
    "rustix",
    "rustls",
    "socket2",
    "tempfile",
    "tokio",
    "tungstenite",
];

/// The exceptions, and why: keys of TLS and of certificates and masks of WebSocket frames must be unpredictable, so these
/// ask the operating system for random numbers. The clock is the caller's, and they open no socket.
const IMPURE_ALLOWED: &[(&str, &str)] = &[
    ("broker/transport", "rustls"),
    ("broker/transport", "tungstenite"),
    ("simulator/world", "rcgen"),
];

fn dependencies(folder: &str, table: &str) -> BTreeSet<String> {
    let manifest = tree::manifest(folder);
    let table = manifest.get(table).and_then(toml::Value::as_table);
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

/// The manifests say the layering that the architecture states.
#[test]
fn every_crate_imports_only_what_its_layer_may() {
    let mut wrong = Vec::new();
    for &(folder, name, allowed) in MAY_IMPORT {
        assert_eq!(
            tree::manifest(folder)["package"]["name"].as_str(),
            Some(name),
            "{folder} holds another crate"
        );
        for dependency in dependencies(folder, "dependencies") {
            let ours = dependency == "squall" || dependency.starts_with("squall-");
            if ours && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} imports {dependency}"));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A crate that is not in the table above has no place in the architecture yet.
#[test]
fn every_member_of_the_workspace_has_its_place() {
    let manifest = tree::manifest(".");
    let members = manifest["workspace"]["members"]
        .as_array()
        .expect("a list of members");
    let members: BTreeSet<&str> = members.iter().filter_map(toml::Value::as_str).collect();

    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|row| row.0).collect();

    assert_eq!(members, known);
}

/// The same input gives the same output: no clock, socket, file or thread, by lint.
#[test]
fn every_pure_crate_bans_clocks_sockets_and_threads() {
    let mut bans = BTreeMap::new();
    for folder in PURE {
        let path = tree::root().join(folder).join("clippy.toml");
        let text = fs::read_to_string(&path).expect("a pure crate has a clippy.toml");
        bans.insert(*folder, text);
    }

    for (folder, text) in &bans {
        for banned in [
            "std::time::Instant::now",
            "std::thread::spawn",
            "std::net::TcpStream",
        ] {
            assert!(
                text.contains(banned),
                "{folder}/clippy.toml does not ban {banned}"
            );
        }
        for line in text.lines().filter(|line| line.contains("path =")) {
            assert!(
                line.contains("reason ="),
                "{folder}/clippy.toml gives no reason: {line}"
            );
        }
    }
}

/// A dependency can smuggle in what the lint bans.
#[test]
fn no_pure_crate_depends_on_an_impure_one() {
    let mut wrong = Vec::new();
    for folder in PURE {
        for dependency in dependencies(folder, "dependencies") {
            let allowed = IMPURE_ALLOWED.contains(&(folder, &dependency));
            if IMPURE_DEPENDENCIES.contains(&dependency.as_str()) && !allowed {
                wrong.push(format!("{folder} depends on {dependency}"));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
