//! The scenario files of the repository: those that are shipped, and those that must be refused.

#![expect(
    clippy::disallowed_methods,
    reason = "the crate reads no file, these tests read the repository's"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use squall_scenario::{Override, Plan, Scenario, json_schema};

/// The folder `scenarios` of the repository.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The files of `folder` with this extension, by name.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn shipped() -> Vec<(String, String)> {
    files(&folder(), "toml")
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn parse(name: &str, text: &str) -> Scenario {
    Scenario::parse(name, text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn shipped_scenario(name: &str) -> Scenario {
    let path = folder().join(name).with_extension("toml");
    parse(name, &fs::read_to_string(path).unwrap())
}

/// Each shipped scenario resolves, is named after its file, and begins with its question.
#[test]
fn every_shipped_scenario_resolves() {
    let shipped = shipped();
    assert!(shipped.len() >= 6, "{}", shipped.len());

    for (name, text) in shipped {
        let scenario = parse(&name, &text);

        assert_eq!(scenario.name, name);
        assert!(!scenario.description.is_empty(), "{name}");
        for part in [
            "#:schema",
            "# Question:",
            "# What should happen",
            "# Needs:",
        ] {
            assert!(text.contains(part), "{name} lacks {part:?}");
        }
    }
}

/// Each example resolves, is named after its file, begins with its question, and is short enough to read at a glance.
#[test]
fn every_example_is_short_and_resolves() {
    let examples = files(&folder().join("examples"), "toml");
    assert!(examples.len() >= 8, "{}", examples.len());

    for path in examples {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let scenario = parse(name, &text);

        assert_eq!(scenario.name, name);
        assert!(text.lines().count() <= 30, "{name} has over 30 lines");
        let schema = "#:schema ../scenario.schema.json\n# Question: ";
        assert!(text.starts_with(schema), "{name} lacks its first lines");
        for part in ["# What should happen, and why: ", "Needs: "] {
            assert!(text.contains(part), "{name} lacks {part:?}");
        }
    }
}

/// The sizes that the product is named for.
#[test]
fn the_four_scenarios_have_their_sizes() {
    for (name, devices) in [
        ("network-jitter", 5_000 + 4),
        ("abrupt-drops-lwt", 2_000 + 1),
        ("duplicate-client-ids", 400 + 1),
        ("qos2-retries", 500 + 10),
        ("steady-10k", 10_000 + 4),
    ] {
        assert_eq!(shipped_scenario(name).device_count(), devices, "{name}");
    }
}

/// What `validate --resolved` prints is a scenario that does the same.
#[test]
fn a_resolved_scenario_reads_back_as_itself() {
    for (name, text) in shipped() {
        let scenario = parse(&name, &text);

        let resolved = scenario.to_resolved_toml();

        assert_eq!(parse("resolved.toml", &resolved), scenario, "{resolved}");
    }
}

/// Each device, beside what its faults open, has one descriptor, and the largest fleet stays
/// within the common limit of a process.
#[test]
fn the_largest_shipped_scenario_fits_a_process() {
    let plan = Plan::of(&shipped_scenario("steady-10k"));

    assert!(plan.descriptors() >= 10_004, "{}", plan.descriptors());
    assert!(plan.descriptors() < 20_000, "{}", plan.descriptors());
    assert_eq!(plan.publish_rate(), 1_000.0);
    assert_eq!(plan.delivery_rate(), 1_000.0);
}

/// `abrupt-drops-lwt` has no `[run]`: it lasts until the last will is due, and a little.
#[test]
fn a_default_duration_covers_what_follows_from_the_last_fault() {
    let scenario = shipped_scenario("abrupt-drops-lwt");

    // At 20 s, wills within 16 s, and a margin of 5 s.
    assert_eq!(scenario.run.duration.as_secs(), 41);
}

#[test]
fn values_are_set_from_the_command_line() {
    let text = fs::read_to_string(folder().join("network-jitter.toml")).unwrap();
    let overrides: Vec<Override> = ["group.sensors.count=200", "run.duration=5s", "seed=7"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();

    let scenario = Scenario::parse("network-jitter.toml", &text, &overrides).unwrap();

    assert_eq!(scenario.groups[0].count, 200);
    assert_eq!(scenario.run.duration.as_secs(), 5);
    assert_eq!(scenario.seed, 7);
}

/// The file that editors read is the schema that `squall schema` prints.
#[test]
fn the_schema_file_is_up_to_date() {
    let file = fs::read_to_string(folder().join("scenario.schema.json")).unwrap();

    let schema = serde_json::to_string_pretty(&json_schema()).unwrap();

    assert!(
        file.trim_end() == schema,
        "run `squall schema > scenarios/scenario.schema.json`"
    );
}

/// Each file of `invalid` is refused with exactly the text beside it.
#[test]
fn every_invalid_scenario_is_refused_with_its_message() {
    let folder = folder().join("invalid");
    let files = files(&folder, "toml");
    assert!(files.len() >= 20, "{}", files.len());
    let mut wrong = Vec::new();

    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let found = match Scenario::parse(&format!("scenarios/invalid/{name}"), &text, &[]) {
            Ok(_) => "accepted\n".to_owned(),
            Err(errors) => errors.to_string(),
        };
        if found != expected {
            wrong.push(format!(
                "--- {name}, expected:\n{expected}\nfound:\n{found}"
            ));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No message is left without its file.
#[test]
fn every_expected_message_has_a_file() {
    for path in files(&folder().join("invalid"), "expected") {
        assert!(path.with_extension("toml").exists(), "{}", path.display());
    }
}
