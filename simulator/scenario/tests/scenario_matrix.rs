//! `[matrix]` and `run.repeat`: one file stands for a scenario for each combination of values.

use squall_scenario::{NoSurroundings, Override, Scenario, Sweep};

const FILE: &str = "version = 1\nname = \"m\"\n[vars]\nx = 1\n[[group]]\nname = \"sensors\"\ncount = 5\n\
    [[group.publish]]\ntopic = \"t\"\nrate = 10\n";

fn sweep(matrix: &str, overrides: &[&str]) -> Result<Sweep, String> {
    let parse = |text: &&str| text.parse().expect("it is KEY=VALUE");
    let overrides: Vec<Override> = overrides.iter().map(parse).collect();
    let text = format!("{FILE}{matrix}");
    Sweep::parse_bytes("m.toml", text.as_bytes(), &overrides, &NoSurroundings)
        .map_err(|errors| errors.to_string())
}

/// The values of each combination, as a reader sees them.
fn shown(sweep: &Sweep) -> Vec<Vec<&str>> {
    sweep
        .combinations
        .iter()
        .map(|one| one.settings.iter().map(|one| one.shown.as_str()).collect())
        .collect()
}

/// The last axis changes first, and each scenario has the values of its combination.
#[test]
fn a_matrix_is_every_combination_of_its_values() {
    let matrix =
        "[matrix]\n\"group.sensors.count\" = [1, 20]\n\"group.sensors.publish.qos\" = [0, 1]\n";

    let sweep = sweep(matrix, &[]).unwrap();

    assert_eq!(
        sweep.axes,
        ["group.sensors.count", "group.sensors.publish.qos"]
    );
    assert_eq!(
        shown(&sweep),
        [["1", "0"], ["1", "1"], ["20", "0"], ["20", "1"]]
    );
    let counts = sweep.combinations.iter();
    let counts: Vec<(u32, u8)> = counts
        .map(|one| {
            let group = &one.scenario.groups[0];
            (group.count, group.publishes[0].qos as u8)
        })
        .collect();
    assert_eq!(counts, [(1, 0), (1, 1), (20, 0), (20, 1)]);
}

/// Keys may be written with or without quotes, variables are keys like others, and a value may be anything that fits.
#[test]
fn an_axis_is_named_as_a_change_of_the_command_line_is() {
    let matrix = "[matrix]\ngroup.sensors.count = [1, 2]\nvars.x = [\"a\", 2]\n\
        \"group.sensors.publish[0].payload\" = [{ size = \"16B\" }]\n";

    let sweep = sweep(matrix, &[]).unwrap();

    assert_eq!(
        sweep.axes,
        [
            "group.sensors.count",
            "vars.x",
            "group.sensors.publish[0].payload"
        ]
    );
    assert_eq!(shown(&sweep)[0], ["1", "a", "{ size = \"16B\" }"]);
    assert_eq!(sweep.combinations[1].scenario.vars["x"], "2");
}

/// The settings of a combination choose it when they are given as changes: a run can be repeated from its record.
#[test]
fn the_settings_of_a_combination_stand_for_it_alone() {
    let matrix = "[matrix]\n\"group.sensors.count\" = [1, 20]\nvars.x = [\"a.b\", \"c\"]\n";
    let whole = sweep(matrix, &[]).unwrap();

    for combination in &whole.combinations {
        let changes: Vec<String> = combination
            .settings
            .iter()
            .map(|setting| setting.change.to_string())
            .collect();
        let changes: Vec<&str> = changes.iter().map(String::as_str).collect();

        let one = sweep(matrix, &changes).unwrap();

        assert_eq!(one.combinations.len(), 1);
        assert_eq!(one.combinations[0], *combination);
    }
}

/// `--set` of an axis leaves that value, of another key changes all combinations.
#[test]
fn a_change_narrows_its_axis() {
    let matrix = "[matrix]\n\"group.sensors.count\" = [1, 20]\n\"target.use\" = [\"squall\", \"mosquitto\"]\n";

    let narrowed = sweep(
        matrix,
        &["group.sensors.count=7", "target.url=mqtt://127.0.0.1:1"],
    )
    .unwrap();

    assert_eq!(narrowed.axes, ["group.sensors.count", "target.url"]);
    assert_eq!(shown(&narrowed), [["7", "mqtt://127.0.0.1:1"]]);
    assert!(narrowed.combinations[0].scenario.target.url().is_some());
}

/// What an axis would take the place of is not accepted in silence, however it is written; what the axis calls so is.
#[test]
fn a_change_that_an_axis_would_undo_is_refused() {
    let matrix = "[matrix]\n\"group.sensors.count\" = [1, 20]\n\
        \"group[0].publish[0].payload\" = [{ size = \"16B\" }, { size = \"32B\" }]\n";
    for (change, axis) in [
        ("group[0].count=7", "group.sensors.count"),
        (
            "group.sensors.publish[0].payload.size=64B",
            "group[0].publish[0].payload",
        ),
    ] {
        let report = sweep(matrix, &[change]).unwrap_err();

        assert!(report.contains("--> --set:1:1"), "{report}");
        let said = format!("the matrix has the axis `{axis}`");
        assert!(report.contains(&said), "{change}: {report}");
        assert!(report.contains(&format!("`--set {axis}=…`")), "{report}");
    }
    let same = sweep(matrix, &["group[0].publish[0].payload={ size = \"64B\" }"]).unwrap();
    assert_eq!(same.combinations.len(), 2);
}

/// The number of runs is known, and bounded.
#[test]
fn repeats_multiply_runs() {
    let matrix = "[matrix]\n\"group.sensors.count\" = [1, 20]\n[run]\nrepeat = 3\n";

    let found = sweep(matrix, &[]).unwrap();

    assert_eq!((found.repeat(), found.runs()), (3, 6));
    let many = sweep(matrix, &["run.repeat=501"]).unwrap_err();
    assert!(many.contains("2 combinations, 501 times each"), "{many}");
    assert!(many.contains("at most 1000 runs"), "{many}");
}

/// Of two axes for one value the later would take the place of the first in each run, however they are written.
#[test]
fn two_axes_for_one_value_are_refused() {
    for (lines, message) in [
        (
            "\"group.sensors.count\" = [1]\n\"group[0].count\" = [2]",
            "`group[0].count` is the same as `group.sensors.count`, which is an axis too",
        ),
        (
            "\"group.sensors.publish.rate\" = [1]\n\"group[0].publish[0].every\" = [\"1s\"]",
            "`group[0].publish[0].every` stands in place of `group.sensors.publish.rate`",
        ),
        (
            "\"group.sensors.publish.rate\" = [1]\n\"group.sensors.publish\" = [[]]",
            "`group.sensors.publish` stands in place of `group.sensors.publish.rate`",
        ),
    ] {
        let report = sweep(&format!("[matrix]\n{lines}\n"), &[]).unwrap_err();

        assert!(report.contains(message), "{lines}: {report}");
        assert!(report.contains("m.toml:13:1"), "{lines}: {report}");
    }
}

/// Each mistake names its place in the matrix.
#[test]
fn what_cannot_be_swept_is_refused_where_it_stands() {
    let cases = [
        (
            "\"group.sensors.count\" = 7",
            "expected a list of values",
            "12:25",
        ),
        ("\"group.sensors.count\" = []", "takes no value", "12:25"),
        (
            "\"group.sensors.count\" = [1, 1]",
            "takes the value 1 twice",
            "12:29",
        ),
        (
            "\"group.sensor.count\" = [1]",
            "did you mean `sensors`?",
            "12:1",
        ),
        (
            "\"group.sensors.cuont\" = [1]",
            "did you mean `count`?",
            "12:1",
        ),
        (
            "\"group.sensors.count\" = [1, \"x\"]",
            "expected an integer",
            "12:29",
        ),
        ("name = [\"a\", \"b\"]", "says what the file is", "12:1"),
        (
            "run.repeat = [1, 2]",
            "how often each combination is run",
            "12:5",
        ),
        ("target.password = [\"a\"]", "is a secret", "12:8"),
        ("vars.x = [1]\n\"vars.x\" = [2]", "is an axis twice", "13:1"),
        (
            "\"target.use\" = [\"mosquitto\"]\n\"target.url\" = [\"mqtt://a\"]",
            "`target.url` stands in place of `target.use`",
            "13:1",
        ),
    ];
    for (line, message, place) in cases {
        let report = sweep(&format!("[matrix]\n{line}\n"), &[]).unwrap_err();

        assert!(report.contains(message), "{line}: {report}");
        assert!(
            report.contains(&format!("m.toml:{place}")),
            "{line}: {report}"
        );
    }
}

/// What is wrong in one combination only says in which.
#[test]
fn a_mistake_of_one_combination_names_its_values() {
    let matrix = "[matrix]\n\"group.sensors.publish.rate\" = [10, 0.0]\n\"group.sensors.publish.qos\" = [1, 2]\n\
        [thresholds]\n\"e2e_latency{qos=1}\" = [\"p99 < 1s\"]\n";
    let report = sweep(matrix, &[]);
    let Err(report) = report else {
        panic!("a rate of 0 was taken");
    };

    assert!(
        report.contains(
            "this is so with group.sensors.publish.rate=0.0 and group.sensors.publish.qos=1"
        ),
        "{report}"
    );
}

/// What takes one scenario refuses several, and says how to choose.
#[test]
fn several_combinations_are_not_one_scenario() {
    let text = format!("{FILE}[matrix]\nvars.x = [1, 2]\n");

    let report = Scenario::parse("m.toml", &text, &[])
        .unwrap_err()
        .to_string();

    assert!(report.contains("the matrix has 2 combinations"), "{report}");
    let one = Scenario::parse("m.toml", &text, &["vars.x=2".parse().unwrap()]).unwrap();
    assert_eq!(one.vars["x"], "2");
}
