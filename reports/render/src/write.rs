//! Writes a report: the page, charts, tables, summaries and the run file.

use std::path::{Path, PathBuf};

use squall_run::{Run, SummaryFile, count_text};

use crate::chart::Chart;
use crate::junit::{self, JUNIT_FILE, TestSuite};
use crate::open_metrics::{self, OPEN_METRICS_FILE};
use crate::report_error::ReportError;
use crate::section::{self, Block, Section};
use crate::stage::{PAGE, RUN_FILE, Stage};
use crate::table::Table;
use crate::{hdr, html, markdown};

/// Where a report is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The report's folder.
    pub folder: PathBuf,
    /// The page to open.
    pub page: PathBuf,
    /// The run file, from which the report can be written again.
    pub run_file: PathBuf,
    /// Charts, each as SVG and as PNG.
    pub charts: usize,
    /// Tables, each as CSV.
    pub tables: usize,
}

/// Writes the report of `run` into `folder`, which is made if need be.
///
/// The folder gets `report.html`, `run.json`, `summary.json`, `summary.md`, `junit.xml`, `openmetrics.txt`, `charts/`,
/// `tables/` and `histograms/`. If it holds a report, that is replaced.
///
/// # Errors
///
/// If the folder holds other things, if it cannot be written, or if the disk is full: then nothing
/// is left under a final name that was not there before.
pub fn write_report(run: &Run, folder: &Path) -> Result<Written, ReportError> {
    let stage = Stage::open(folder)?;
    let (sections, _) = section::sections(run);
    let (charts, tables) = parts(&sections);
    let source = source(run);
    stage.folder("charts")?;
    for chart in &charts {
        stage.file(
            &format!("charts/{}.svg", chart.id),
            chart.to_svg_file(&source)?.as_bytes(),
        )?;
        stage.file(&format!("charts/{}.png", chart.id), &chart.to_png(&source)?)?;
    }
    stage.folder("tables")?;
    for table in &tables {
        let csv = table.to_csv().map_err(|source| ReportError::Table {
            table: table.id.clone(),
            source,
        })?;
        stage.file(&format!("tables/{}.csv", table.id), &csv)?;
    }
    stage.folder(hdr::FOLDER)?;
    for (name, text) in hdr::files(run) {
        stage.file(&format!("{}/{name}", hdr::FOLDER), text.as_bytes())?;
    }
    let suite = TestSuite::of(run, &run.identity.name);
    stage.file(JUNIT_FILE, junit::file(&[suite]).as_bytes())?;
    stage.file(OPEN_METRICS_FILE, open_metrics::text(run).as_bytes())?;
    stage.file("summary.json", summary_json(run).as_bytes())?;
    stage.file("summary.md", markdown::summary(run).as_bytes())?;
    stage.file(PAGE, html::page(run)?.as_bytes())?;
    stage.file(RUN_FILE, run.to_json().as_bytes())?;
    stage.put_in_place()?;
    Ok(Written {
        folder: folder.to_owned(),
        page: folder.join(PAGE),
        run_file: folder.join(RUN_FILE),
        charts: charts.len(),
        tables: tables.len(),
    })
}

/// Finds out before a run whether its report can be written into `folder`.
///
/// The folder is made if need be, and a file is written into it and removed.
///
/// # Errors
///
/// As [`write_report`].
pub fn check_folder(folder: &Path) -> Result<(), ReportError> {
    let stage = Stage::open(folder)?;
    stage.file("probe", &[0; 4096])?;
    drop(stage);
    Ok(())
}

/// Which run a picture is of, wherever it is pasted.
fn source(run: &Run) -> String {
    let target = run.target.shown();
    let date = run.times.started_at.split('T').next().unwrap_or_default();
    format!(
        "{} against {target} · {} devices · seed {} · {date} · by squall {}",
        run.identity.name,
        count_text(run.settings.devices()),
        run.identity.seed,
        run.identity.squall.version
    )
}

fn parts(sections: &[Section]) -> (Vec<&Chart>, Vec<&Table>) {
    let mut charts = Vec::new();
    let mut tables = Vec::new();
    for block in sections.iter().flat_map(|section| &section.blocks) {
        match block {
            Block::Chart(chart, table) => {
                charts.push(chart.as_ref());
                tables.push(table);
            }
            Block::Table(table) | Block::Folded(table) | Block::Trace(table) => tables.push(table),
            Block::Note(_) | Block::Warning(_) | Block::Facts(_) | Block::Text(..) => {}
        }
    }
    (charts, tables)
}

/// What `--json` prints: the summary file with what it was judged by.
#[derive(serde::Serialize)]
struct SummaryLine<'a> {
    #[serde(flatten)]
    file: SummaryFile,
    checks: &'a [squall_run::CheckOutcome],
    thresholds: &'a [squall_run::ThresholdOutcome],
    /// The page, or the run file where that is all that could be kept.
    report: &'a Path,
    paths: Paths,
}

/// Where the files of a run are; empty where none of a kind was written.
#[derive(serde::Serialize)]
struct Paths {
    folder: Option<PathBuf>,
    report: Option<PathBuf>,
    run: Option<PathBuf>,
    summary: Option<PathBuf>,
    junit: Option<PathBuf>,
}

impl Paths {
    /// Beside the page `report`.
    fn beside(report: &Path) -> Self {
        let folder = report.parent().filter(|_| report.ends_with(PAGE));
        let file = |name: &str| folder.map(|folder| folder.join(name));
        Self {
            folder: folder.map(Path::to_owned),
            report: file(PAGE),
            run: match folder {
                Some(_) => file(RUN_FILE),
                None => report.is_file().then(|| report.to_owned()),
            },
            summary: file("summary.json"),
            junit: file(JUNIT_FILE),
        }
    }
}

/// What `summary.json` has, with checks, thresholds and the paths of the files, as one line of JSON. `report` is the page of
/// the run, or its run file where that is all that could be kept.
pub fn summary_line(run: &Run, report: &Path) -> String {
    let line = SummaryLine {
        file: SummaryFile::of(run),
        checks: &run.measured.checks,
        thresholds: &run.measured.thresholds,
        report,
        paths: Paths::beside(report),
    };
    serde_json::to_string(&line).expect("no map has keys that are not text")
}

fn summary_json(run: &Run) -> String {
    let file = SummaryFile::of(run);
    let mut text = serde_json::to_string_pretty(&file).expect("no map has keys that are not text");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use squall_run::sample;
    use tempfile::TempDir;

    use std::fs;

    use super::*;
    use crate::stage::ENTRIES;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The folder holds everything under its final name and nothing else.
    #[test]
    fn a_report_is_whole() {
        let root = TempDir::new().unwrap();
        let folder = root.path().join("deep/report");
        let run = sample::passing();

        let written = write_report(&run, &folder).unwrap();

        let mut expected = ENTRIES.to_vec();
        expected.sort_unstable();
        assert_eq!(names(&folder), expected);
        assert_eq!(names(&folder.join("charts")).len(), 2 * written.charts);
        assert_eq!(names(&folder.join("tables")).len(), written.tables);
        let read = Run::from_json(&fs::read_to_string(&written.run_file).unwrap()).unwrap();
        assert!(read == run);
    }

    /// A report is replaced whole: a chart that the new one has no data for does not stay behind.
    #[test]
    fn an_older_report_is_replaced() {
        let root = TempDir::new().unwrap();
        write_report(&sample::passing(), root.path()).unwrap();

        let written = write_report(&sample::empty(), root.path()).unwrap();

        assert_eq!(written.charts, 0);
        assert_eq!(names(&root.path().join("charts")), [""; 0]);
    }

    /// The line of `--json` is `summary.json` with more beside it, and names files that are there.
    #[test]
    fn the_line_is_the_summary_with_the_paths() {
        let root = TempDir::new().unwrap();
        let run = sample::failing();
        let written = write_report(&run, root.path()).unwrap();

        let line: serde_json::Value =
            serde_json::from_str(&summary_line(&run, &written.page)).unwrap();

        let file = fs::read_to_string(root.path().join("summary.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&file).unwrap();
        for (key, value) in file.as_object().unwrap() {
            assert_eq!(&line[key], value, "{key}");
        }
        for name in ["folder", "report", "run", "summary", "junit"] {
            assert!(
                Path::new(line["paths"][name].as_str().unwrap()).exists(),
                "{name}"
            );
        }
    }

    /// A folder with other things in it is refused and left as it was.
    #[test]
    fn other_files_are_not_touched() {
        let root = TempDir::new().unwrap();
        fs::write(root.path().join("thesis.txt"), "mine").unwrap();

        let error = write_report(&sample::empty(), root.path()).unwrap_err();

        assert!(matches!(error, ReportError::NotEmpty { .. }));
        assert!(matches!(
            check_folder(root.path()),
            Err(ReportError::NotEmpty { .. })
        ));
        assert_eq!(names(root.path()), ["thesis.txt"]);
    }

    /// A path through a file is refused, with the path and what to do.
    #[test]
    fn a_file_is_not_a_folder() {
        let root = TempDir::new().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();

        for folder in [file.clone(), file.join("report")] {
            let error = write_report(&sample::empty(), &folder).unwrap_err();

            assert!(matches!(error, ReportError::NotAFolder { .. }), "{error:?}");
            assert!(error.to_string().contains("file") && error.to_string().contains("--out"));
        }
        assert_eq!(names(root.path()), ["file"]);
    }
}
