//! Placeholders: where they stand, and what is said of those that are wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use squall_scenario::{FileUnreadable, Scenario, ScenarioErrors, Surroundings};

/// A file with two vans.
struct Around;

impl Surroundings for Around {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        match path {
            "vans.csv" => Ok(b"plate,depot\nB-1,north\nB-2,south\n".to_vec()),
            "empty.csv" => Ok(b"plate\n".to_vec()),
            _ => Err(FileUnreadable {
                cause: format!("/home/{path}: no such file"),
            }),
        }
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        let cause = format!("{name}: there are no targets here");
        Err(FileUnreadable { cause })
    }
}

fn parse(group: &str) -> Result<Scenario, ScenarioErrors> {
    let text =
        format!("version = 1\nname = \"test\"\n[[group]]\nname = \"vans\"\ncount = 3\n{group}\n");
    Scenario::parse_bytes("test.toml", text.as_bytes(), &[], &Around)
}

fn errors(group: &str) -> String {
    parse(group).unwrap_err().to_string()
}

/// The first device has the first row, and after the last row the first comes again.
#[test]
fn each_device_has_a_row_of_the_feed() {
    let scenario =
        parse("feed = { csv = \"vans.csv\" }\nclient_id = \"{csv.plate}-{index}\"").unwrap();

    let ids: Vec<String> = (0..3).map(|n| scenario.groups[0].client_id_of(n)).collect();

    assert_eq!(ids, ["B-1-0", "B-2-1", "B-1-2"]);
    let text = scenario.to_resolved_toml();
    let again = Scenario::parse_bytes("again.toml", text.as_bytes(), &[], &Around);
    assert_eq!(again, Ok(scenario), "{text}");
}

/// Each is refused where it stands, with what would do.
#[test]
fn a_feed_that_cannot_be_is_refused() {
    for (group, said) in [
        ("client_id = \"{csv.plate}\"", "needs a file"),
        (
            "feed = { csv = \"vans.csv\" }\nclient_id = \"{csv.plates}\"",
            "did you mean `plate`",
        ),
        (
            "feed = { csv = \"none.csv\" }",
            "/home/none.csv: no such file",
        ),
        ("feed = { csv = \"empty.csv\" }", "no row behind the names"),
        (
            "feed = { csv = \"vans.csv\" }\npassword = \"{csv.plate}\"\nusername = \"x\"",
            "does not begin a placeholder",
        ),
    ] {
        let errors = errors(group);

        assert!(errors.contains(said), "{group}: {errors}");
    }
}

/// One look at a file tells all of its wrong placeholders, each with the caret under it.
#[test]
fn all_wrong_placeholders_are_told_at_once() {
    let errors = errors(
        "client_id = \"{indx}\"\n[[group.publish]]\ntopic = \"t/{seq}\"\nevery = \"1s\"\n\
         payload = { json = { a = \"{sec}\", b = [1, \"x {now} {nope}\"] } }",
    );

    for (line, caret) in [
        ("client_id = \"{indx}\"", "             ^^^^^^"),
        ("topic = \"t/{seq}\"", "           ^^^^^"),
        (
            "payload = { json = { a = \"{sec}\", b = [1, \"x {now} {nope}\"] } }",
            "                          ^^^^^",
        ),
        (
            "payload = { json = { a = \"{sec}\", b = [1, \"x {now} {nope}\"] } }",
            "                                             ^^^^^",
        ),
        (
            "payload = { json = { a = \"{sec}\", b = [1, \"x {now} {nope}\"] } }",
            "                                                   ^^^^^^",
        ),
    ] {
        let lines: Vec<&str> = errors.lines().collect();
        let is_shown = lines.windows(2).any(|pair| {
            let text = |line: &str| line.split_once("| ").map(|(_, text)| text.to_owned());
            let marks = text(pair[1]).unwrap_or_default();
            text(pair[0]).as_deref() == Some(line) && marks.split(" did").next() == Some(caret)
        });
        assert!(is_shown, "{line}\n{caret}\n\n{errors}");
    }
}

const WITH_VARS: &str = "version = 1\nname = \"test\"\n[vars]\ndevices = 7\npace = \"250ms\"\nlevel = 1\nkept = true\nsize = \"64B\"\n\
    [[group]]\nname = \"g\"\ncount = \"{vars.devices}\"\n[[group.publish]]\ntopic = \"{vars.level}\"\n\
    every = \"{vars.pace}\"\nqos = \"{vars.level}\"\nretain = \"{vars.kept}\"\npayload = { size = \"{vars.size}\" }\n";

/// A variable stands for a number, a time, a size and a truth value; where any text may stand it is a template.
#[test]
fn a_variable_stands_for_a_value_of_any_kind() {
    let scenario = Scenario::parse("test.toml", WITH_VARS, &[]);

    let text = scenario
        .unwrap_or_else(|errors| panic!("{errors}"))
        .to_resolved_toml();
    for line in [
        "count = 7",
        "topic = \"{vars.level}\"",
        "qos = 1",
        "retain = true",
        "payload = { size = \"64B\" }",
        "rate_per_device = 4.0",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

/// `--set` of a variable changes what it stands for.
#[test]
fn a_variable_can_be_set_from_the_command_line() {
    let set = ["vars.devices=9".parse().unwrap()];

    let scenario = Scenario::parse("test.toml", WITH_VARS, &set).unwrap();

    assert_eq!(scenario.groups[0].count, 9);
}

/// What a variable stands for is checked like what is written, and one that is not there is told.
#[test]
fn a_variable_that_does_not_fit_is_refused() {
    for (from, to, said) in [
        ("devices = 7", "devices = \"many\"", "expected an integer"),
        // The caret is where the value stands.
        ("devices = 7", "devices = \"many\"", "| devices = \"many\""),
        ("devices = 7", "devices = 0", "at least 1"),
        ("{vars.devices}", "{vars.device}", "did you mean `devices`"),
        ("{vars.pace}", "{vars.level}", "a duration"),
    ] {
        let errors = Scenario::parse("test.toml", &WITH_VARS.replace(from, to), &[]).unwrap_err();

        assert!(errors.to_string().contains(said), "{to}: {errors}");
        assert_eq!(errors.iter().count(), 1, "{to}: {errors}");
    }
}
