//! Writes a report's folder: all of it under its final names, or none.
//!
//! Everything is written into a folder of its own within the report's folder and renamed only when
//! all is there, the run file last. A report that was there before is replaced whole; other
//! people's files are never touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use squall_run::{Run, Summary};

use crate::chart::{Chart, ChartError};
use crate::section::{self, Block, Section};
use crate::table::Table;
use crate::{html, markdown, verdict};

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
    /// Tables.
    pub tables: usize,
}

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder holds other things.
    #[error("{} is not empty and holds no report: name another folder with --out", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no room.
    #[error("no room left on the disk for {}: free some, or name a folder on another disk with --out", path.display())]
    NoRoom {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is not allowed.
    #[error("{} may not be written: allow it, or name another folder with --out", path.display())]
    NotAllowed {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The folder's path leads through a file.
    #[error("{} is not a folder: name another one with --out", path.display())]
    NotAFolder {
        /// What could not be made.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Anything else.
    #[error("{} cannot be written", path.display())]
    Io {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A table cannot be written as CSV.
    #[error("table `{table}` cannot be written as CSV")]
    Table {
        /// Its name.
        table: String,
        /// What the library says.
        #[source]
        source: csv::Error,
    },
}

/// Names in a report's folder, in the order they are put in place: the run file last, since it
/// is what marks a folder as a report's.
const ENTRIES: [&str; 6] = [
    "charts",
    "tables",
    "summary.json",
    "summary.md",
    "report.html",
    "run.json",
];
const RUN_FILE: &str = "run.json";
const PAGE: &str = "report.html";
/// Where things are until all are there.
const STAGE: &str = ".unfinished";
/// Where, within the stage, what is replaced waits until all is in place.
const OLD: &str = "old";

/// Writes the report of `run` into `folder`, which is made if need be.
///
/// The folder gets `report.html`, `run.json`, `summary.json`, `summary.md`, `charts/` and
/// `tables/`. If it holds a report, that is replaced.
///
/// # Errors
///
/// If the folder holds other things, if it cannot be written, or if the disk is full: then nothing
/// is left under a final name that was not there before.
pub fn write_report(run: &Run, folder: &Path) -> Result<Written, ReportError> {
    let stage = Stage::open(folder)?;
    let (sections, _) = section::sections(run);
    let (charts, tables) = parts(&sections);
    stage.folder("charts")?;
    for chart in &charts {
        stage.file(
            &format!("charts/{}.svg", chart.id),
            chart.to_svg_file()?.as_bytes(),
        )?;
        stage.file(&format!("charts/{}.png", chart.id), &chart.to_png()?)?;
    }
    stage.folder("tables")?;
    for table in &tables {
        let csv = table.to_csv().map_err(|source| ReportError::Table {
            table: table.id.clone(),
            source,
        })?;
        stage.file(&format!("tables/{}.csv", table.id), &csv)?;
    }
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

fn parts(sections: &[Section]) -> (Vec<&Chart>, Vec<&Table>) {
    let mut charts = Vec::new();
    let mut tables = Vec::new();
    for block in sections.iter().flat_map(|section| &section.blocks) {
        match block {
            Block::Chart(chart, table) => {
                charts.push(chart.as_ref());
                tables.push(table);
            }
            Block::Table(table) | Block::Folded(table) => tables.push(table),
            Block::Note(_) | Block::Warning(_) | Block::Facts(_) | Block::Text(..) => {}
        }
    }
    (charts, tables)
}

/// The verdict and the figures that a page heads with, for programs.
#[derive(serde::Serialize)]
struct SummaryFile<'a> {
    version: u32,
    name: &'a str,
    seed: u64,
    verdict: &'a squall_run::Verdict,
    /// Claims to paste into a scenario that makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed_claims: Option<String>,
    summary: Summary,
}

fn summary_json(run: &Run) -> String {
    let file = SummaryFile {
        version: squall_run::VERSION,
        name: &run.identity.name,
        seed: run.identity.seed,
        verdict: &run.verdict,
        proposed_claims: verdict::proposal(run),
        summary: Summary::of(run),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("no map has keys that are not text");
    text.push('\n');
    text
}

/// A folder for what is not finished; removed when dropped, whatever happens.
struct Stage {
    folder: PathBuf,
    /// Folders that were made for it, the innermost first; removed again if they stay empty.
    made: Vec<PathBuf>,
}

impl Stage {
    /// Makes `folder` if need be, and the stage within it.
    fn open(folder: &Path) -> Result<Self, ReportError> {
        let made: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .map(Path::to_owned)
            .collect();
        let stage = Self {
            folder: folder.to_owned(),
            made,
        };
        fs::create_dir_all(folder).map_err(|source| error_at(folder, source))?;
        if !holds_report(folder) && !is_empty(folder)? {
            return Err(ReportError::NotEmpty {
                folder: folder.to_owned(),
            });
        }
        let path = stage.path();
        // What an earlier run that was killed left behind.
        remove(&path)?;
        fs::create_dir(&path).map_err(|source| error_at(&path, source))?;
        Ok(stage)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(STAGE)
    }

    fn folder(&self, name: &str) -> Result<(), ReportError> {
        let path = self.path().join(name);
        fs::create_dir(&path).map_err(|source| error_at(&path, source))
    }

    fn file(&self, name: &str, content: &[u8]) -> Result<(), ReportError> {
        fs::write(self.path().join(name), content)
            .map_err(|source| error_at(&self.folder.join(name), source))
    }

    /// Renames everything to its final name, or, if that fails, everything back.
    ///
    /// What was there before goes with the stage.
    fn put_in_place(&self) -> Result<(), ReportError> {
        let old = self.path().join(OLD);
        fs::create_dir(&old).map_err(|source| error_at(&old, source))?;
        for (index, name) in ENTRIES.iter().enumerate() {
            if let Err(source) = self.place(name) {
                for placed in ENTRIES[..=index].iter().rev() {
                    self.take_back(placed);
                }
                return Err(error_at(&self.folder.join(name), source));
            }
        }
        Ok(())
    }

    fn place(&self, name: &str) -> io::Result<()> {
        let final_path = self.folder.join(name);
        if final_path.exists() {
            fs::rename(&final_path, self.path().join(OLD).join(name))?;
        }
        fs::rename(self.path().join(name), &final_path)
    }

    /// Undoes [`Self::place`] as far as it went. What cannot be undone is left as it is: the error
    /// that led here is the one to tell.
    fn take_back(&self, name: &str) {
        let final_path = self.folder.join(name);
        let staged = self.path().join(name);
        if !staged.exists() {
            let _ = fs::rename(&final_path, staged);
        }
        let _ = fs::rename(self.path().join(OLD).join(name), final_path);
    }
}

impl Drop for Stage {
    /// Removes what is not finished; there is nobody left to tell if that fails.
    fn drop(&mut self) {
        let _ = remove(&self.path());
        for folder in &self.made {
            // Fails, as it should, for a folder that holds something.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(error_at(path, source)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn holds_report(folder: &Path) -> bool {
    folder.join(RUN_FILE).is_file()
}

fn is_empty(folder: &Path) -> Result<bool, ReportError> {
    let entries = fs::read_dir(folder).map_err(|source| error_at(folder, source))?;
    let others = entries.flatten().filter(|entry| entry.file_name() != STAGE);
    Ok(others.count() == 0)
}

fn error_at(path: &Path, source: io::Error) -> ReportError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ReportError::NoRoom { path, source }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ReportError::NotAllowed { path, source }
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            ReportError::NotAFolder { path, source }
        }
        _ => ReportError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use squall_run::sample;
    use tempfile::TempDir;

    use super::*;

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

    /// When a file cannot be put in place, nothing half-written stays.
    #[test]
    fn a_failure_leaves_nothing_behind() {
        let root = TempDir::new().unwrap();
        let stage = Stage::open(&root.path().join("report")).unwrap();
        stage.folder("charts").unwrap();
        stage.file("run.json", b"{").unwrap();

        let missing = stage.file("tables/none.csv", b"").unwrap_err();
        drop(stage);

        assert!(matches!(missing, ReportError::Io { .. }));
        assert_eq!(names(root.path()), [""; 0]);
    }

    /// When not all can be put in place, an older report is as it was.
    #[test]
    fn an_older_report_survives_a_failure() {
        let root = TempDir::new().unwrap();
        let run = sample::empty();
        write_report(&run, root.path()).unwrap();
        let stage = Stage::open(root.path()).unwrap();
        for name in ["charts", "tables"] {
            stage.folder(name).unwrap();
        }
        for name in ["summary.json", "summary.md", "report.html"] {
            stage.file(name, b"new").unwrap();
        }

        // The run file was never written, so its turn fails, the last of all.
        let error = stage.put_in_place().unwrap_err();
        drop(stage);

        assert!(matches!(error, ReportError::Io { .. }), "{error:?}");
        assert_eq!(names(root.path()).len(), ENTRIES.len());
        assert!(!names(&root.path().join("tables")).is_empty());
        assert_ne!(fs::read(root.path().join(PAGE)).unwrap(), b"new");
        assert_eq!(
            fs::read_to_string(root.path().join(RUN_FILE)).unwrap(),
            run.to_json()
        );
    }

    /// What a killed run left behind does not get in the way.
    #[test]
    fn leftovers_are_removed() {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join(STAGE)).unwrap();
        fs::write(root.path().join(STAGE).join("run.json"), "{").unwrap();

        check_folder(root.path()).unwrap();

        assert_eq!(names(root.path()), [""; 0]);
    }

    /// A full disk, a read-only folder and others are told apart, each with its remedy.
    #[test]
    fn causes_are_told_apart() {
        let text = |kind: io::ErrorKind| error_at(Path::new("out"), kind.into()).to_string();

        assert!(text(io::ErrorKind::StorageFull).starts_with("no room left on the disk for out"));
        assert!(text(io::ErrorKind::PermissionDenied).starts_with("out may not be written"));
        assert!(text(io::ErrorKind::ReadOnlyFilesystem).contains("--out"));
        assert_eq!(text(io::ErrorKind::Other), "out cannot be written");
    }
}
