//! A report's folder in the making: all of it comes under its final names, or none.
//!
//! Everything is written into a folder of its own within the report's folder and renamed only when
//! all is there, the run file last. A report that was there before is replaced whole; files that are
//! not a report's are never touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::hdr;
use crate::junit::JUNIT_FILE;
use crate::open_metrics::OPEN_METRICS_FILE;
use crate::report_error::ReportError;

/// Names in a report's folder, in the order they are put in place: the run file last, since it
/// is what marks a folder as a report's.
pub(crate) const ENTRIES: [&str; 9] = [
    "charts",
    "tables",
    hdr::FOLDER,
    JUNIT_FILE,
    OPEN_METRICS_FILE,
    "summary.json",
    "summary.md",
    "report.html",
    "run.json",
];
/// The run file.
pub(crate) const RUN_FILE: &str = "run.json";
/// The page.
pub const PAGE: &str = "report.html";
/// Where things are until all are there.
const STAGE: &str = ".unfinished";
/// Where, within the stage, what is replaced waits until all is in place.
const OLD: &str = "old";

/// A folder for what is not finished; removed when dropped, whatever happens.
pub(crate) struct Stage {
    folder: PathBuf,
    /// Folders that were made for it, the innermost first; removed again if they stay empty.
    made: Vec<PathBuf>,
}

impl Stage {
    /// Makes `folder` if need be, and the stage within it.
    pub(crate) fn open(folder: &Path) -> Result<Self, ReportError> {
        let made: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .map(Path::to_owned)
            .collect();
        let stage = Self {
            folder: folder.to_owned(),
            made,
        };
        fs::create_dir_all(folder).map_err(|source| ReportError::at(folder, source))?;
        if !holds_report(folder) && !is_empty(folder)? {
            return Err(ReportError::NotEmpty {
                folder: folder.to_owned(),
            });
        }
        let path = stage.path();
        // What an earlier run that was killed left behind.
        remove(&path)?;
        fs::create_dir(&path).map_err(|source| ReportError::at(&path, source))?;
        Ok(stage)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(STAGE)
    }

    /// Makes a folder in the stage.
    pub(crate) fn folder(&self, name: &str) -> Result<(), ReportError> {
        let path = self.path().join(name);
        fs::create_dir(&path).map_err(|source| ReportError::at(&path, source))
    }

    /// Writes a file in the stage.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Result<(), ReportError> {
        fs::write(self.path().join(name), content)
            .map_err(|source| ReportError::at(&self.folder.join(name), source))
    }

    /// Renames everything to its final name, or, if that fails, everything back.
    ///
    /// What was there before goes with the stage.
    pub(crate) fn put_in_place(&self) -> Result<(), ReportError> {
        let old = self.path().join(OLD);
        fs::create_dir(&old).map_err(|source| ReportError::at(&old, source))?;
        for (index, name) in ENTRIES.iter().enumerate() {
            if let Err(source) = self.place(name) {
                for placed in ENTRIES[..=index].iter().rev() {
                    self.take_back(placed);
                }
                return Err(ReportError::at(&self.folder.join(name), source));
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
    /// Removes what is not finished. A failure is not reported: the error that led here matters more.
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
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ReportError::at(path, source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn holds_report(folder: &Path) -> bool {
    folder.join(RUN_FILE).is_file()
}

fn is_empty(folder: &Path) -> Result<bool, ReportError> {
    let entries = fs::read_dir(folder).map_err(|source| ReportError::at(folder, source))?;
    let others = entries.flatten().filter(|entry| entry.file_name() != STAGE);
    Ok(others.count() == 0)
}

#[cfg(test)]
mod tests {
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
        let older = Stage::open(root.path()).unwrap();
        for name in ["charts", "tables", hdr::FOLDER] {
            older.folder(name).unwrap();
        }
        for name in [
            JUNIT_FILE,
            OPEN_METRICS_FILE,
            "summary.json",
            "summary.md",
            "report.html",
            "run.json",
        ] {
            older.file(name, b"old").unwrap();
        }
        older.put_in_place().unwrap();
        drop(older);
        let stage = Stage::open(root.path()).unwrap();
        for name in ["charts", "tables", hdr::FOLDER] {
            stage.folder(name).unwrap();
        }
        for name in [
            JUNIT_FILE,
            OPEN_METRICS_FILE,
            "summary.json",
            "summary.md",
            "report.html",
        ] {
            stage.file(name, b"new").unwrap();
        }

        // The run file was never written, so its turn fails, the last of all.
        let error = stage.put_in_place().unwrap_err();
        drop(stage);

        assert!(matches!(error, ReportError::Io { .. }), "{error:?}");
        assert_eq!(names(root.path()).len(), ENTRIES.len());
        assert_eq!(fs::read(root.path().join(PAGE)).unwrap(), b"old");
        assert_eq!(fs::read(root.path().join(RUN_FILE)).unwrap(), b"old");
    }

    /// What a killed run left behind does not get in the way.
    #[test]
    fn leftovers_are_removed() {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join(STAGE)).unwrap();
        fs::write(root.path().join(STAGE).join("run.json"), "{").unwrap();

        drop(Stage::open(root.path()).unwrap());

        assert_eq!(names(root.path()), [""; 0]);
    }
}
