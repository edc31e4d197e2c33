//! The text outputs of a made-up run, word for word.
//!
//! They are compared with files, so that a change of what people and scripts read is seen in
//! review. A change that is meant is accepted by replacing the file with what the test prints.

use std::path::Path;

use squall_reports::{Colours, Screen, terminal_summary, write_report};
use squall_run::sample;

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
