//! What squall writes today of the runs that `reports/gallery` keeps.

use std::fs;
use std::path::{Path, PathBuf};

use squall_reports::{write_comparison, write_report};
use squall_run::{Run, RunOfSide, Side, SideBySide};
use tempfile::TempDir;

/// The run file in the folder of a run.
pub(crate) const RUN_FILE: &str = "run.json";

/// What a folder of the gallery keeps of what squall writes: the fresh file, and where it is kept.
pub(crate) struct Shown {
    pub(crate) fresh: PathBuf,
    pub(crate) kept: PathBuf,
}

/// The folders of the gallery.
pub(crate) fn folders() -> Vec<PathBuf> {
    folders_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../gallery"))
}

/// Writes into `fresh` what `folder` shows.
pub(crate) fn write_fresh(folder: &Path, fresh: &TempDir) -> Vec<Shown> {
    let texts = match folder.join(RUN_FILE).exists() {
        true => {
            write_report(&run_in(&folder.join(RUN_FILE)), fresh.path()).expect("a report");
            ["summary.md"].as_slice()
        }
        false => {
            compare(folder, fresh.path());
            ["compare.md"].as_slice()
        }
    };
    let mut names: Vec<PathBuf> = texts.iter().map(PathBuf::from).collect();
    if folder.join("charts").exists() {
        let charts = files_in(&folder.join("charts"));
        names.extend(
            charts
                .iter()
                .map(|chart| Path::new("charts").join(chart.file_name().expect("a file"))),
        );
    }
    let shown = |name: PathBuf| Shown {
        fresh: fresh.path().join(&name),
        kept: folder.join(name),
    };
    names.into_iter().map(shown).collect()
}

/// The run of a file.
pub(crate) fn run_in(file: &Path) -> Run {
    let text = fs::read_to_string(file).expect("each sample has its run file");
    Run::from_json(&text).expect("it is a run file of this version")
}

/// Each folder in `folder` is a side, and has a folder for each of its runs.
fn compare(folder: &Path, out: &Path) {
    let side = |place: &PathBuf| Side {
        label: name_of(place),
        runs: (runs_of(place).iter())
            .map(|file| RunOfSide {
                run: run_in(file),
                path: file
                    .strip_prefix(folder)
                    .expect("it is in it")
                    .display()
                    .to_string(),
                report: None,
            })
            .collect(),
    };
    let sides: Vec<Side> = sides_in(folder).iter().map(side).collect();
    let all = SideBySide::of(&sides).expect("the sides can be compared");
    write_comparison(&sides, &all, out).expect("a comparison");
}

/// The folders of the sides of a comparison.
pub(crate) fn sides_in(folder: &Path) -> Vec<PathBuf> {
    let mut sides = folders_in(folder);
    sides.retain(|side| name_of(side) != "charts");
    // What others are compared with.
    sides.sort_by_key(|side| name_of(side) != "squall");
    sides
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    sorted(folder, Path::is_dir)
}

/// The run files of a side.
pub(crate) fn runs_of(side: &Path) -> Vec<PathBuf> {
    let folders = folders_in(side).into_iter();
    folders.map(|folder| folder.join(RUN_FILE)).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    sorted(folder, Path::is_file)
}

fn sorted(folder: &Path, is_wanted: fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = (fs::read_dir(folder).expect("it is there"))
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| is_wanted(path))
        .collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().expect("it has a name");
    name.to_string_lossy().into_owned()
}
