//! The samples of `reports/gallery` are real runs of this version, and what they show is current.
//!
//! `cargo run -p squall-reports --example gallery` writes them again after a change that is meant.

mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use squall_reports::write_report;
use squall_run::{Run, SummaryFile, VERSION};

fn folders() -> Vec<PathBuf> {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gallery");
    let mut folders: Vec<PathBuf> = fs::read_dir(gallery)
        .expect("there is a gallery")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn run_of(folder: &Path) -> Run {
    let text = fs::read_to_string(folder.join("run.json")).expect("each sample has its run file");
    Run::from_json(&text).expect("it is a run file of this version")
}

/// A run file that squall wrote is read, and nothing of it is lost when it is written again.
#[test]
fn real_run_files_are_read() {
    for folder in folders() {
        let run = run_of(&folder);

        let again = Run::from_json(&run.to_json()).expect("it was just written");

        assert_eq!(run.version, VERSION);
        assert!(again == run, "{}", folder.display());
    }
}

/// Their summaries and charts are what squall writes today.
#[test]
fn what_the_gallery_shows_is_current() {
    for folder in folders() {
        let report = tempfile::TempDir::new().expect("a temporary folder");

        write_report(&run_of(&folder), report.path()).expect("a report");

        let mut shown = vec![PathBuf::from("summary.md")];
        for chart in fs::read_dir(folder.join("charts")).expect("it shows charts") {
            shown.push(Path::new("charts").join(chart.expect("it can be listed").file_name()));
        }
        assert!(shown.len() > 1);
        for file in shown {
            let fresh = fs::read(report.path().join(&file)).expect("the report has it");
            let stored = fs::read(folder.join(&file)).expect("it was just listed");
            assert!(
                fresh == stored,
                "{} is old: cargo run -p squall-reports --example gallery",
                folder.join(&file).display()
            );
        }
    }
}

/// The summary of a real run keeps to the schema that `squall schema summary` prints, which knows
/// each of its fields.
#[test]
fn a_real_summary_keeps_to_its_schema() {
    let schema = SummaryFile::json_schema().to_value();
    for folder in folders() {
        let summary = SummaryFile::of(&run_of(&folder));
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
