//! The shipped scenarios hold against the broker core, in virtual time.
//!
//! They are scaled down, so that a test takes seconds; what they ask stays the same.

#![expect(
    clippy::disallowed_methods,
    reason = "the crate reads no file, these tests read the repository's"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::rc::Rc;

use squall_core::{Broker, ClientIds, Config};
use squall_protocol::Instant;
use squall_run::{Measured, ThresholdResult};
use squall_scenario::{Override, Scenario};

/// Runs the shipped scenario `name` with some values set, and checks that everything held.
fn run(name: &str, overrides: &[&str]) -> Measured {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let text = std::fs::read_to_string(folder.join(name).with_extension("toml")).unwrap();
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    run_text(name, &text, &overrides)
}

/// As [`run`], of a scenario's text.
fn run_text(name: &str, text: &str, overrides: &[Override]) -> Measured {
    let scenario = Scenario::parse(name, text, overrides);
    let scenario = Rc::new(scenario.unwrap_or_else(|errors| panic!("{errors}")));
    let broker = Broker::new(Config::default(), ClientIds::counted(), Instant::ZERO);

    let judgement = squall_world::run(&scenario, broker, None);

    let measured = judgement.measured;
    for check in &measured.checks {
        assert!(check.passed(), "{name}: {check:#?}");
    }
    for threshold in &measured.thresholds {
        let is_kept = threshold.result == ThresholdResult::Held;
        assert!(is_kept, "{name}: {threshold:#?}");
    }
    assert_eq!(judgement.reasons, []);
    assert_eq!(measured.checks.len(), scenario.expectations.len());
    measured
}

/// Each example holds as it is.
#[test]
fn every_example_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/examples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();

        let measured = run_text(path.to_str().unwrap(), &text, &[]);

        assert!(measured.checks.iter().all(|check| !check.claims.is_empty()));
    }
}

#[test]
fn smoke_holds() {
    let measured = run("smoke", &[]);

    // Every part of it took place.
    assert!(!measured.wills.is_empty());
    assert!(!measured.networks.is_empty());
    assert!(!measured.retained.is_empty());
    assert!(measured.qos2.is_some());
}

/// What the README offers for copying is a scenario, and holds.
#[test]
fn the_scenario_of_the_readme_holds() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();

    let measured = run_text("README.md", text, &[]);

    assert_eq!(measured.wills[0].seen, 20);
    assert_eq!(measured.checks.len(), 2);
    assert_eq!(measured.thresholds.len(), 1);
}

#[test]
fn network_jitter_holds() {
    run(
        "network-jitter",
        &[
            "group.sensors.count=200",
            "group.sensors.publish.rate=200",
            "run.duration=60s",
        ],
    );
}

#[test]
fn abrupt_drops_lwt_holds() {
    let measured = run("abrupt-drops-lwt", &["group.devices.count=1000"]);

    assert_eq!(measured.wills.len(), 3);
}

#[test]
fn duplicate_client_ids_holds() {
    let measured = run(
        "duplicate-client-ids",
        &["run.duration=10s", "group.commander.publish.rate=500"],
    );

    assert!(measured.takeovers.is_some());
}

#[test]
fn qos2_retries_holds() {
    let measured = run(
        "qos2-retries",
        &[
            "run.duration=10s",
            "group.publishers.count=100",
            "group.publishers.publish.rate=200",
            "group.consumers.count=3",
        ],
    );

    // A cut or a withheld answer is not a refusal: everything sent is owed.
    let publications = &measured.accounting.publications[0];
    assert_eq!(publications.refused, 0, "{publications:?}");
}

#[test]
fn steady_10k_holds() {
    run(
        "steady-10k",
        &["group.meters.count=1000", "run.duration=30s"],
    );
}

/// Every command that was owed an answer has one, over the reconnects of the pumps.
#[test]
fn command_response_holds() {
    let measured = run("command-response", &[]);

    let responses = measured.responses.unwrap();
    assert!(responses.answered > 5_900, "{responses:?}");
    assert_eq!(responses.requests, responses.answered, "{responses:?}");
    let late = measured.accounting.deliveries_at(1).late;
    assert!(late > 0, "no command waited for a pump");
}

/// Guests who come back in time have no will, those who are gone have one for each of the others.
#[test]
fn chat_room_holds() {
    let measured = run("chat-room", &[]);

    let wills = measured.wills.iter();
    let seen: Vec<(u64, u64, u64)> = wills
        .map(|will| (will.ended, will.seen, will.cancelled))
        .collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen.contains(&(5, 5 * 20, 0)), "{seen:?}");
}

/// Much has waited, and much of it had expired.
#[test]
fn offline_backlog_holds() {
    let measured = run("offline-backlog", &[]);

    let deliveries = measured.accounting.deliveries_at(1);
    assert!(deliveries.late > 1_000, "{deliveries:?}");
    assert!(deliveries.excused > 1_000, "{deliveries:?}");
}

#[test]
fn shared_workers_holds() {
    run("shared-workers", &[]);
}

/// Each boot brings a value out of the store.
#[test]
fn retained_boot_holds() {
    let measured = run("retained-boot", &[]);

    let books = &measured.accounting.deliveries;
    let displays = books.iter().find(|row| row.group == "displays");
    assert!(displays.is_some_and(|row| row.optional > 200), "{books:?}");
}

/// Every rule is broken ten times, and each connection is closed.
#[test]
fn malformed_holds() {
    let measured = run("malformed", &[]);

    let closed: Vec<u64> = measured.malformed.iter().map(|kind| kind.closed).collect();
    assert_eq!(closed, [10; 12]);
}

/// An honest broker breaks nothing in what is left of a scenario on a target of MQTT 3.1.1, nor where it has neither QoS 2
/// nor shared subscriptions.
#[test]
fn what_is_brought_down_to_3_1_1_holds() {
    let smaller: [(&str, &[&str]); 4] = [
        (
            "network-jitter",
            &[
                "group.sensors.count=200",
                "group.sensors.publish.rate=200",
                "run.duration=20s",
            ],
        ),
        (
            "duplicate-client-ids",
            &["run.duration=10s", "group.commander.publish.rate=500"],
        ),
        (
            "qos2-retries",
            &[
                "run.duration=10s",
                "group.publishers.count=100",
                "group.publishers.publish.rate=200",
                "group.consumers.count=3",
            ],
        ),
        ("abrupt-drops-lwt", &["group.devices.count=500"]),
    ];
    let whole = [
        "smoke",
        "command-response",
        "chat-room",
        "offline-backlog",
        "shared-workers",
        "retained-boot",
        "malformed",
    ];
    let whole = whole.map(|name| (name, &[][..]));
    let lacking = "target.lacks=[\"qos2\", \"shared_subscriptions\"]";
    for (name, smaller) in whole.into_iter().chain(smaller) {
        let changes = [smaller, &["target.protocol=\"3.1.1\""]].concat();
        run(name, &changes);
        if !["qos2-retries", "shared-workers"].contains(&name) {
            run(name, &[&changes[..], &[lacking]].concat());
        }
    }
}

/// A broker that writes down what it acknowledges passes; one that keeps it in memory fails what it has forgotten, and
/// nothing else.
#[test]
fn broker_restart_tells_what_a_broker_forgets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let text = std::fs::read_to_string(folder.join("broker-restart.toml")).unwrap();
    let small: Override = "group.sensors.count=50".parse().unwrap();
    let scenario = Scenario::parse("broker-restart", &text, &[small]).unwrap();
    let scenario = Rc::new(scenario);
    let broken = |memory| {
        let broker = Broker::new(Config::default(), ClientIds::counted(), Instant::ZERO);
        let world = squall_world::recorded(&scenario, broker).with_memory(memory);
        let judgement =
            squall_ledger::judge(&scenario, world.run(), &squall_run::Resources::default());
        let checks = judgement.measured.checks.into_iter();
        let broken = checks.flat_map(|check| {
            let claims = check.claims.into_iter().filter(|claim| !claim.passed);
            claims.map(|claim| claim.key).collect::<Vec<_>>()
        });
        broken.collect::<Vec<_>>()
    };

    let nothing: [&str; 0] = [];
    assert_eq!(broken(squall_world::Memory::Kept), nothing);
    assert_eq!(broken(squall_world::Memory::Lost), ["lost", "present"]);
}
