//! What is comparable, and what a comparison says.

use super::*;
use crate::{Outcome, Run, sample};

fn side(label: &str, runs: Vec<Run>) -> Side {
    let of_side = |(place, run): (usize, Run)| RunOfSide {
        run,
        path: format!("{label}/run-{}/run.json", place + 1),
        report: None,
    };
    Side {
        label: label.to_owned(),
        runs: runs.into_iter().enumerate().map(of_side).collect(),
    }
}

fn with_resolved(resolved: &str) -> Run {
    let mut run = sample::passing();
    run.identity.scenario.resolved = resolved.to_owned();
    run
}

/// Runs that began at these hours of a day.
fn begun_at(hours: [u32; 2]) -> Vec<Run> {
    let begun = |hour: u32| {
        let mut run = sample::passing();
        run.times.started_at = format!("2026-11-24T{hour:02}:00:00Z");
        run
    };
    hours.map(begun).to_vec()
}

/// Whether a note has these words.
fn notes_of(sides: &[Side]) -> String {
    SideBySide::of(sides).unwrap().notes.join("\n")
}

/// Nothing is called different between runs that are the same, and none is coloured with one run on a side.
#[test]
fn equal_runs_do_not_differ() {
    let three = || vec![sample::passing(); 3];

    let equal = SideBySide::of(&[side("a", three()), side("b", three())]).unwrap();
    let single = SideBySide::of(&[
        side("a", vec![sample::passing()]),
        side("b", vec![sample::failing()]),
    ])
    .unwrap();

    let findings = |all: &SideBySide| -> Vec<Finding> {
        let differences = all.figures.iter().flat_map(|figure| &figure.differences);
        differences
            .flatten()
            .map(|difference| difference.finding)
            .collect()
    };
    assert!(findings(&equal).len() > 20);
    assert!(
        findings(&equal)
            .iter()
            .all(|finding| *finding == Finding::Same)
    );
    assert!(
        findings(&single)
            .iter()
            .all(|finding| *finding == Finding::NoiseUnknown)
    );
    assert!(
        single
            .notes
            .iter()
            .any(|note| note.contains("noise is unknown"))
    );
}

/// What differs by more than noise is found, with the figure's better way.
#[test]
fn more_lost_messages_are_worse() {
    let lost = |lost: u64| {
        let mut run = sample::passing();
        run.measured.accounting.deliveries[0].lost += lost;
        run
    };
    let (none, many) = (vec![lost(0); 3], vec![lost(900), lost(905), lost(910)]);

    let compared = SideBySide::of(&[side("a", none), side("b", many)]).unwrap();

    let found = compared
        .figures
        .iter()
        .find(|figure| figure.key == "lost")
        .unwrap();
    assert_eq!(found.differences[0].unwrap().finding, Finding::Worse);
    assert_eq!(found.spread(1).unwrap().median, 905.0);
    assert_eq!((compared.tested, compared.count(1, Finding::Worse)), (1, 1));
}

/// INVALID and stopped runs are in no figure, and it is said which.
#[test]
fn runs_that_prove_nothing_are_left_out() {
    let mut invalid = sample::passing();
    invalid.verdict.outcome = Outcome::Invalid;
    let base = side("a", vec![sample::passing(), invalid, sample::empty()]);

    let compared = SideBySide::of(&[base, side("b", vec![sample::passing()])]).unwrap();

    assert_eq!(compared.sides[0].compared, 1);
    let left_out = [
        "a/run-2/run.json is INVALID",
        "a/run-3/run.json was stopped before its end",
    ];
    assert_eq!(compared.sides[0].left_out, left_out);
    assert!(
        compared
            .figures
            .iter()
            .all(|figure| figure.sides[0].len() <= 1)
    );
}

/// What was asked must be the same: each refusal says what differs and what to do.
#[test]
fn what_was_asked_must_be_the_same() {
    let base = "[run]\nduration = \"5s\"\n[[group]]\nname = \"a\"\ncount = 5\n[[fault]]\nname = \"f\"\nat = \"2s\"\n[[expect]]\nlost = 0\n";
    for (from, to, expected) in [
        (
            "\"5s\"",
            "\"9s\"",
            "the phases differ: `run.duration` is \"5s\" in a and \"9s\" in b; counts",
        ),
        (
            "\"a\"",
            "\"z\"",
            "the groups differ: `group.a.name` is \"a\" in a and not there in b;",
        ),
        (
            "\"2s\"",
            "\"3s\"",
            "the faults differ: `fault.f.at` is \"2s\" in a and \"3s\" in b;",
        ),
        (
            "lost = 0",
            "lost = 1",
            "the claims differ: `expect.0.lost` is 0 in a and 1 in b;",
        ),
    ] {
        let other = with_resolved(&base.replace(from, to));

        let error = SideBySide::of(&[side("a", vec![with_resolved(base)]), side("b", vec![other])])
            .unwrap_err();

        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

/// Neither another scenario nor another clock is comparable, nor is one side alone.
#[test]
fn other_scenarios_and_clocks_are_refused() {
    let (mut renamed, mut simulated) = (sample::passing(), sample::passing());
    renamed.identity.name = "other".to_owned();
    simulated.times.clock = crate::ClockKind::Virtual;
    let base = || side("a", vec![sample::passing()]);
    let refused = |sides: &[Side]| SideBySide::of(sides).unwrap_err();

    assert!(matches!(
        refused(&[base(), side("b", vec![renamed])]),
        NotComparable::Scenario { .. }
    ));
    assert!(matches!(refused(&[base()]), NotComparable::OneSide { .. }));
    let clock = refused(&[base(), side("b", vec![simulated])]);
    assert!(
        clock
            .to_string()
            .starts_with("a is in real time and b in virtual"),
        "{clock}"
    );
}

/// What may differ is listed, and a note says that the scenario is not the same.
#[test]
fn settings_that_differ_are_listed() {
    let base = with_resolved("[target]\n[[group]]\nname = \"a\"\ncount = 5\nprotocol = \"5.0\"\n");
    let mut other = with_resolved(
        "[target]\nuse = \"m\"\n[[group]]\nname = \"a\"\ncount = 9\nprotocol = \"5.0\"\n",
    );
    other.target.software = Some("m 1".to_owned());

    let compared = SideBySide::of(&[side("a", vec![base]), side("b", vec![other])]).unwrap();

    let names: Vec<&str> = compared
        .settings
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(names, ["target: software", "group.a.count"]);
    assert_eq!(
        compared.settings[1].values,
        [Some("5".to_owned()), Some("9".to_owned())]
    );
    assert!(
        compared
            .notes
            .iter()
            .any(|note| note.contains("not the same on all sides; what differs: group.a.count."))
    );
}

/// Runs that were not in turn are told of, since what changed meanwhile is in their difference.
#[test]
fn runs_one_after_the_other_are_told_of() {
    let told = |base: [u32; 2], other: [u32; 2]| {
        notes_of(&[side("a", begun_at(base)), side("b", begun_at(other))]).contains("in turn")
    };

    assert!(told([1, 2], [3, 4]));
    assert!(told([3, 4], [1, 2]));
    assert!(!told([1, 3], [2, 4]));
}

/// Runs of one folder are sides by target and settings; repeats differ in their seed alone.
#[test]
fn runs_of_one_place_are_sides_by_what_they_are_of() {
    let run = |target: &str, seed: u64, count: u32| {
        let mut run = with_resolved(&format!(
            "seed = {seed}\n[target]\nuse = \"{target}\"\n[[group]]\nname = \"a\"\ncount = {count}\n"
        ));
        run.target.name = Some(target.to_owned());
        run
    };
    let of = |runs: Vec<Run>| Side::of_place("out", side("x", runs).runs);

    let repeats = of(vec![run("m", 1, 5), run("m", 2, 5)]);
    let targets = of(vec![run("m", 1, 5), run("n", 1, 5), run("m", 2, 5)]);
    let counts = of(vec![run("m", 1, 5), run("m", 1, 6)]);

    let labels = |sides: &[Side]| -> Vec<(String, usize)> {
        sides
            .iter()
            .map(|side| (side.label.clone(), side.runs.len()))
            .collect()
    };
    assert_eq!(labels(&repeats), [("out".to_owned(), 2)]);
    assert_eq!(
        labels(&targets),
        [("out m".to_owned(), 2), ("out n".to_owned(), 1)]
    );
    assert_eq!(
        labels(&counts),
        [
            ("out group.a.count=5".to_owned(), 1),
            ("out group.a.count=6".to_owned(), 1)
        ]
    );
}

/// The schema describes the file that is written.
#[test]
fn every_field_of_the_file_is_in_its_schema() {
    let compared = SideBySide::of(&[
        side("a", vec![sample::passing()]),
        side("b", vec![sample::failing()]),
    ])
    .unwrap();
    let schema = SideBySide::json_schema().to_value();
    let file = serde_json::to_value(compared).unwrap();

    for key in file.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    for (list, kind) in [("sides", "SideSummary"), ("figures", "ComparedFigure")] {
        for key in file[list][0].as_object().unwrap().keys() {
            assert!(
                schema["$defs"][kind]["properties"][key]
                    .get("description")
                    .is_some(),
                "{key}"
            );
        }
    }
}
