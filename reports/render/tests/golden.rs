//! The text outputs of a made-up run, word for word.
//!
//! They are compared with files, so that a change of what people and scripts read is seen in
//! review. A change that is meant is accepted by replacing the file with what the test prints.

use std::path::Path;

use squall_reports::{
    Colours, Screen, terminal_comparison, terminal_summary, write_comparison, write_report,
};
use squall_run::{RunOfSide, Side, SideBySide, sample};

#[track_caller]
fn assert_golden(actual: &str, golden: &str) {
    assert!(
        actual == golden,
        "differs from the golden file; it is now:\n{actual}"
    );
}

fn written(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("the report has this file")
}

/// The terminal's summary of a failed run.
#[test]
fn terminal_text_is_as_it_was() {
    let text = terminal_summary(
        &sample::failing(),
        Screen {
            colours: Colours::None,
            columns: None,
        },
    );

    assert_golden(&text, include_str!("golden/failing.txt"));
}

/// Files of a failed run that other programs read.
#[test]
fn files_for_programs_are_as_they_were() {
    let root = tempfile::TempDir::new().expect("a temporary folder");
    let folder = root.path().join("report");

    write_report(&sample::failing(), &folder).expect("a writable folder");

    assert_golden(
        &written(&folder, "summary.md"),
        include_str!("golden/summary.md"),
    );
    assert_golden(
        &written(&folder, "summary.json"),
        include_str!("golden/summary.json"),
    );
    assert_golden(
        &written(&folder, "tables/wills.csv"),
        include_str!("golden/wills.csv"),
    );
    assert_golden(
        &written(&folder, "tables/latency.csv"),
        include_str!("golden/latency.csv"),
    );
}

/// Three runs of a side, which used about so many cores and lost about so many messages.
fn side(label: &str, cores: f64, lost: u64) -> Side {
    let run = |number: u32| {
        let mut run = match lost {
            0 => sample::passing(),
            _ => sample::failing(),
        };
        run.identity.seed += u64::from(number);
        run.times.started_at = format!("2026-11-24T06:4{number}:00Z");
        run.measured.accounting.deliveries[0].lost = lost * (100 + u64::from(number)) / 100;
        if let Some(used) = &mut run.resources.broker.measured {
            used.cpu_cores.mean = cores * (1.0 + 0.01 * f64::from(number));
        }
        RunOfSide {
            run,
            path: format!("{label}/run-{number}/run.json"),
            report: Some(format!("{label}/run-{number}/report.html")),
        }
    };
    Side {
        label: label.to_owned(),
        runs: (1..=3).map(run).collect(),
    }
}

/// Two sides, as Markdown and in a terminal.
#[test]
fn a_comparison_is_as_it_was() {
    let root = tempfile::TempDir::new().expect("a temporary folder");
    let mut sides = [side("one", 0.4, 0), side("other", 1.7, 900)];
    for run in &mut sides[1].runs {
        run.run.target.software = Some("other 2.0".to_owned());
    }
    let all = SideBySide::of(&sides).expect("they are comparable");

    write_comparison(&sides, &all, root.path()).expect("a writable folder");

    let screen = Screen {
        colours: Colours::None,
        columns: None,
    };
    assert_golden(
        &terminal_comparison(&all, screen),
        include_str!("golden/compare.txt"),
    );
    assert_golden(
        &written(root.path(), "compare.md"),
        include_str!("golden/compare.md"),
    );
}
