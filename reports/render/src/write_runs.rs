//! Writes what several runs come to: a page, a table and a file for programs, beside the folders of the runs.

use std::fs;
use std::path::Path;

use squall_run::{Figure, RunSet};

use crate::html;
use crate::junit::{self, JUNIT_FILE, TestSuite};
use crate::report_error::ReportError;

/// The page of all runs.
pub const RUNS_PAGE: &str = "index.html";
/// The same for a program.
pub const RUNS_FILE: &str = "runs.json";
/// The same as a table.
const RUNS_TABLE: &str = "runs.csv";

/// Writes `index.html`, `runs.csv`, `runs.json` and `junit.xml` with the `suites` of the runs into `folder`, in place of those
/// of fewer runs.
///
/// # Errors
///
/// If the folder cannot be written. Each file is whole, or as it was before.
pub fn write_runs(set: &RunSet, suites: &[TestSuite], folder: &Path) -> Result<(), ReportError> {
    let csv = table(set).map_err(|source| ReportError::Table {
        table: "runs".to_owned(),
        source,
    })?;
    let mut json = serde_json::to_string_pretty(set).expect("no map has keys that are not text");
    json.push('\n');
    put(folder, RUNS_TABLE, &csv)?;
    put(folder, RUNS_FILE, json.as_bytes())?;
    put(folder, JUNIT_FILE, junit::file(suites).as_bytes())?;
    put(folder, RUNS_PAGE, html::runs_page(set)?.as_bytes())
}

/// Writes under another name first: a reader meets no half of a file.
pub(crate) fn put(folder: &Path, name: &str, content: &[u8]) -> Result<(), ReportError> {
    let unfinished = folder.join(format!(".{name}.unfinished"));
    let path = folder.join(name);
    fs::write(&unfinished, content)
        .and_then(|()| fs::rename(&unfinished, &path))
        .map_err(|source| ReportError::at(&path, source))
}

/// A row for each run, with plain numbers in the unit that the head names.
fn table(set: &RunSet) -> Result<Vec<u8>, csv::Error> {
    let names = set.judgements();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = ["run", "seed", "verdict", "exit_code", "report"].map(str::to_owned);
    let figures = Figure::ALL.map(|figure| figure.key().to_owned());
    let judged = names
        .iter()
        .flat_map(|name| [format!("{name}: result"), format!("{name}: found")]);
    let axes = set.axes.iter().cloned();
    writer.write_record(axes.chain(fixed).chain(figures).chain(judged))?;
    for run in &set.runs {
        let fixed = [
            run.number.to_string(),
            run.seed.to_string(),
            run.verdict(),
            run.exit_code.map_or(String::new(), |code| code.to_string()),
            run.report.clone().unwrap_or_default(),
        ];
        let number = |figure| {
            let number = run.figures.get(figure);
            number.map_or(String::new(), |number: f64| number.to_string())
        };
        let judged = names.iter().flat_map(|name| {
            let mut own = run.judgements.iter();
            let found = own.find(|one| one.name == *name);
            let actual = found.and_then(|one| one.actual.as_ref());
            [
                found.map_or(String::new(), |one| one.result.word().to_owned()),
                actual.map_or(String::new(), ToString::to_string),
            ]
        });
        let values = run.values.iter().cloned();
        let cells = values.chain(fixed).chain(Figure::ALL.map(number));
        writer.write_record(cells.chain(judged))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use squall_run::{ComparedRun, sample};
    use tempfile::TempDir;

    use super::*;
    use crate::junit::WithoutVerdict;

    /// The page, the table and the file hold the same runs, and what was there before is replaced.
    #[test]
    fn all_runs_are_in_each_of_the_files() {
        let root = TempDir::new().unwrap();
        let mut set = RunSet::new("s".to_owned(), None, vec!["vars.x".to_owned()]);
        let run = |value: &str| ComparedRun::not_run(vec![value.to_owned()], 1, 7);
        set.runs = vec![run("a,b").judged(&sample::failing(), "a/report.html".to_owned())];
        let mut suites = vec![TestSuite::of(&sample::failing(), "a,b")];
        write_runs(&set, &suites, root.path()).unwrap();
        set.runs.push(run("c"));

        let not_run = WithoutVerdict::NotRun;
        let started_at = "2026-01-01T12:00:00Z";
        suites.push(TestSuite::without_verdict(
            "c", started_at, not_run, "not run",
        ));

        write_runs(&set, &suites, root.path()).unwrap();

        let csv = fs::read_to_string(root.path().join(RUNS_TABLE)).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("vars.x,run,seed,verdict,exit_code,report,online,"));
        assert!(
            lines[1].starts_with("\"a,b\",1,7,FAIL (98),98,a/report.html,"),
            "{csv}"
        );
        assert!(lines[2].starts_with("c,1,7,not run,,,"), "{csv}");
        let json = fs::read_to_string(root.path().join(RUNS_FILE)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["runs"][0]["exit_code"], 98);
        assert!(json["runs"][0]["figures"]["sent_per_s"].is_number());
        assert_eq!(json["runs"][1]["state"], "not_run");
        let junit = fs::read_to_string(root.path().join(JUNIT_FILE)).unwrap();
        assert_eq!(junit.matches("<testsuite ").count(), 2);
        let mut names: Vec<String> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [RUNS_PAGE, JUNIT_FILE, RUNS_TABLE, RUNS_FILE]);
    }
}
