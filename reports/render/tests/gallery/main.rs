//! The samples of `reports/gallery` are real runs of this version, and what they show is current.
//!
//! `cargo run -p squall-reports --example gallery` writes them again after a change that is meant.

mod files;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use files::{RUN_FILE, folders, run_in, runs_of, sides_in, write_fresh};
use squall_run::{Run, SummaryFile, VERSION};

/// The run files that a folder keeps: its own, or those of the sides of a comparison.
fn run_files(folder: &Path) -> Vec<PathBuf> {
    let own = folder.join(RUN_FILE);
    match own.exists() {
        true => vec![own],
        false => sides_in(folder)
            .iter()
            .flat_map(|side| runs_of(side))
            .collect(),
    }
}

/// A run file that squall wrote is read, and nothing of it is lost when it is written again.
#[test]
fn real_run_files_are_read() {
    for file in folders().iter().flat_map(|folder| run_files(folder)) {
        let run = run_in(&file);

        let again = Run::from_json(&run.to_json()).expect("it was just written");

        assert_eq!(run.version, VERSION);
        assert!(again == run, "{}", file.display());
    }
}

/// Their texts and charts are what squall writes today.
#[test]
fn what_the_gallery_shows_is_current() {
    for folder in folders() {
        let fresh = tempfile::TempDir::new().expect("a temporary folder");

        for shown in write_fresh(&folder, &fresh) {
            assert!(
                fs::read(shown.fresh).expect("squall writes it")
                    == fs::read(&shown.kept).expect("it is kept"),
                "{} is old: cargo run -p squall-reports --example gallery",
                shown.kept.display()
            );
        }
    }
}

/// The summary of a real run keeps to the schema that `squall schema summary` prints, which knows
/// each of its fields.
#[test]
fn a_real_summary_keeps_to_its_schema() {
    let schema = SummaryFile::json_schema().to_value();
    for run in folders().iter().flat_map(|folder| run_files(folder)) {
        let summary = SummaryFile::of(&run_in(&run));
        let file = serde_json::to_value(&summary).expect("a summary is JSON");
        let mut wrong = file.clone();
        wrong["summary"]["lost"] = "none".into();

        let found = schema::faults(&file, &schema, &schema);
        let in_wrong = schema::faults(&wrong, &schema, &schema);

        assert_eq!(found, Vec::<String>::new());
        assert_eq!(in_wrong.len(), 1, "{in_wrong:?}");
        let known = schema
            .pointer("/$defs/Summary/properties")
            .expect("it is defined");
        for name in file["summary"].as_object().expect("an object").keys() {
            assert!(known.get(name).is_some(), "{name} is not in the schema");
        }
    }
}
