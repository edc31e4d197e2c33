//! The scenarios that are part of the program, by name, in a folder without the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use crate::{assert_held, code_and_errors, run_file, squall, text};

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    squall()
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("squall can be started")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A run over sockets of a scenario by its name: the results have its text, and the command that repeats it.
#[test]
fn a_scenario_runs_by_name_without_a_file() {
    let folder = folder();

    let output = run_in(folder.path(), &["run", "smoke", "--out", "out"]);

    let (code, errors) = code_and_errors(&output);
    let run = run_file(&folder.path().join("out"));
    assert_held(code, &run);
    assert!(!errors.contains("note: `smoke`"), "{errors}");
    let identity = &run["identity"];
    assert_eq!(identity["scenario"]["path"], "smoke");
    assert_eq!(
        identity["scenario"]["original"],
        include_str!("../../../../scenarios/smoke.toml")
    );
    assert_eq!(identity["replay"], "squall run smoke --seed 1");
}

/// `validate`, `plan` and `doctor` take a name where they take a file.
#[test]
fn other_commands_take_a_name() {
    let folder = folder();

    for command in ["validate", "plan", "doctor"] {
        let output = run_in(folder.path(), &[command, "smoke"]);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 0, "{command}: {errors}");
        assert!(said(&output).contains("smoke: "), "{command}");
    }
}

/// Without a folder, `list` shows what the program has; each name that it shows validates.
#[test]
fn the_list_shows_the_names_that_other_commands_take() {
    let folder = folder();

    let output = run_in(folder.path(), &["list", "--json"]);

    assert_eq!(output.status.code(), Some(0));
    let entries: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let entries = entries.as_array().expect("it is a list");
    let names: BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry["file"].as_str().expect("it has a name"))
        .collect();
    assert!(
        names.contains("smoke") && names.contains("tank-farm"),
        "{names:?}"
    );
    let validate: Vec<&str> = ["validate", "--strict"].into_iter().chain(names).collect();
    let (code, errors) = code_and_errors(&run_in(folder.path(), &validate));
    assert_eq!(code, 0, "{errors}");
}

/// The file in the folder wins, and that is said.
#[test]
fn a_file_of_the_same_name_wins_and_is_named() {
    let folder = folder();
    let own = "version = 1\nname = \"own\"\n[[group]]\nname = \"g\"\ncount = 1\n";
    fs::write(folder.path().join("smoke"), own).expect("it can be written");

    let output = run_in(folder.path(), &["validate", "smoke"]);

    assert_eq!(output.status.code(), Some(0));
    let said = said(&output);
    assert!(said.contains("smoke: ok (own)"), "{said}");
    assert!(
        said.contains("note: `smoke` is the file smoke, not the scenario"),
        "{said}"
    );
}

/// A folder is no scenario: the program's is meant, and that is said.
#[test]
fn a_folder_of_the_same_name_is_left_alone_and_named() {
    let folder = folder();
    fs::create_dir(folder.path().join("smoke")).expect("it can be made");

    let output = run_in(folder.path(), &["validate", "smoke"]);

    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("smoke: ok (smoke)"), "{said}");
    assert!(said.contains("not the folder smoke"), "{said}");
}

/// Exit code 2: what was written, and the name that is near.
#[test]
fn a_misspelt_name_is_met_with_the_one_that_was_meant() {
    let folder = folder();

    for arguments in [
        ["run", "smok"].as_slice(),
        &["plan", "scenarios/smoke.toml"],
        &["new", "farm", "--from", "smoek"],
    ] {
        let (code, errors) = code_and_errors(&run_in(folder.path(), arguments));

        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(arguments[arguments.len() - 1]), "{errors}");
        assert!(errors.contains("did you mean `smoke`"), "{errors}");
    }
    let left = fs::read_dir(folder.path()).expect("it is a folder");
    assert_eq!(left.count(), 0, "something was written");
}

/// `new` writes a scenario of that name which validates, with the schema that its first line names.
#[test]
fn a_new_scenario_validates_and_has_its_schema_beside_it() {
    for (from, arguments) in [
        ("tank-farm", ["new", "my-fleet"].as_slice()),
        ("smoke", &["new", "my-fleet.toml", "--from", "smoke"]),
    ] {
        let folder = folder();

        let output = run_in(folder.path(), arguments);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 0, "{errors}");
        assert!(said(&output).contains("squall run my-fleet.toml"));
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        let schema = read("scenario.schema.json").expect("it was written");
        assert_eq!(schema, said(&run_in(folder.path(), &["schema"])));
        let written = read("my-fleet.toml").expect("it was written");
        assert!(
            written.starts_with("#:schema ./scenario.schema.json\n"),
            "{from}"
        );
        let checked = said(&run_in(folder.path(), &["validate", "my-fleet.toml"]));
        assert!(
            checked.contains("my-fleet.toml: ok (my-fleet)"),
            "{checked}"
        );
    }
}

/// Neither of the two files is replaced without `--force`; a schema that is the same is not in the way.
#[test]
fn new_replaces_nothing_without_force() {
    let folder = folder();
    let (file, schema) = (
        folder.path().join("farm.toml"),
        folder.path().join("scenario.schema.json"),
    );

    for (in_the_way, name) in [(&file, "farm.toml"), (&schema, "scenario.schema.json")] {
        fs::write(in_the_way, "mine").expect("it can be written");
        let (code, errors) = code_and_errors(&run_in(folder.path(), &["new", "farm"]));
        assert_eq!(code, 2, "{errors}");
        assert!(
            errors.contains(name) && errors.contains("--force"),
            "{errors}"
        );
        assert_eq!(fs::read_to_string(in_the_way).ok().as_deref(), Some("mine"));
        let left = fs::read_dir(folder.path()).expect("it is a folder");
        assert_eq!(left.count(), 1, "{name}: something was written");
        fs::remove_file(in_the_way).expect("it is there");
    }
    fs::write(&file, "mine").expect("it can be written");
    let forced = run_in(folder.path(), &["new", "farm", "--force"]);
    let second = run_in(folder.path(), &["new", "other"]);

    assert_eq!(code_and_errors(&forced).0, 0);
    assert!(fs::read_to_string(&file).is_ok_and(|text| text.contains("name = \"farm\"")));
    assert_eq!(code_and_errors(&second).0, 0);
}

/// Exit code 2: a name that no scenario can have, and a folder that is not there.
#[test]
fn new_says_what_is_wrong_with_a_name() {
    let folder = folder();
    let absent = folder.path().join("absent/farm");

    for (name, wrong) in [
        ("my fleet", "\"my fleet\" is not a name"),
        (".toml", "\".toml\" is not a name"),
        (text(&absent), "absent/farm.toml"),
    ] {
        let (code, errors) = code_and_errors(&run_in(folder.path(), &["new", name]));

        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(wrong), "{errors}");
    }
    let left = fs::read_dir(folder.path()).expect("it is a folder");
    assert_eq!(left.count(), 0, "something was written");
}
