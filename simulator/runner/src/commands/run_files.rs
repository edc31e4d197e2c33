//! Run files that commands compare: those that a path stands for, as sides, and the way from a page to their reports.

use std::fs;
use std::path::{Path, PathBuf};

use squall_run::{Run, RunOfSide, Side};

use crate::exit::Failure;

/// The file of one run, in its folder.
pub const RUN_FILE: &str = "run.json";
/// How deep below a folder its runs lie: `count=100,use=squall/run-2/run.json`, and one more for folders of such folders.
const DEPTH_MAX: usize = 3;
/// More runs than any sweep has that a person looks at.
const RUNS_MAX: usize = 1_000;

/// A run file that was read.
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub run: Run,
}

/// The runs at `path`, at least one, in the order in which they ran: a run file, the folder of one, or a folder with those of
/// several below it.
///
/// # Errors
/// What cannot be read, with its path: of several also one that is broken, since a side that lacks it would look as if it had
/// never been.
pub fn read(path: &Path) -> Result<Vec<Found>, Failure> {
    let files = files_at(path)?;
    if files.is_empty() {
        return Err(without_runs(path));
    }
    let read = |file: PathBuf| {
        let run = read_file(&file)?;
        Ok(Found { path: file, run })
    };
    let mut found = files
        .into_iter()
        .map(read)
        .collect::<Result<Vec<Found>, Failure>>()?;
    // Stable: what began within one second stays in the order of the names.
    found.sort_by(|one, other| one.run.times.started_at.cmp(&other.run.times.started_at));
    Ok(found)
}

/// What is said of a folder without runs.
pub fn without_runs(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{} has no run: there is no {RUN_FILE} in it or up to {DEPTH_MAX} folders below",
        path.display()
    ))
}

/// The run files below `folder`, by their names.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, DEPTH_MAX, &mut files)?;
    Ok(files)
}

/// Reads a run file.
pub fn read_file(file: &Path) -> Result<Run, Failure> {
    let bytes = fs::read(file).map_err(|error| {
        Failure::Usage(format!("cannot read run file {}: {error}", file.display()))
    })?;
    Run::from_bytes(&bytes).map_err(|error| {
        let text = crate::commands::with_causes(&error);
        Failure::Usage(format!("{}: {text}", file.display()))
    })
}

/// The runs at `path`, which are to be those of one side.
pub fn only_side(label: &str, path: &Path) -> Result<Side, Failure> {
    let runs = read(path)?.into_iter();
    let runs = runs.map(|found| of_side(found, path)).collect();
    let mut sides = Side::of_place("", runs);
    match (sides.pop(), sides.is_empty()) {
        (Some(side), true) => Ok(Side {
            label: label.to_owned(),
            ..side
        }),
        (_, _) => Err(Failure::Usage(format!(
            "{} holds runs of several targets or settings: name the folder of those to compare with",
            path.display()
        ))),
    }
}

/// A side of the runs in these files.
pub fn side_of_files(label: &str, files: &[PathBuf]) -> Result<Side, Failure> {
    let read = |path: &PathBuf| {
        let run = read_file(path)?;
        let path = path.clone();
        Ok(of_side(Found { path, run }, Path::new(".")))
    };
    Ok(Side {
        label: label.to_owned(),
        runs: files
            .iter()
            .map(read)
            .collect::<Result<Vec<RunOfSide>, Failure>>()?,
    })
}

/// A run with the way to its report from the page in `out`.
pub fn of_side(found: Found, out: &Path) -> RunOfSide {
    RunOfSide {
        path: found.path.display().to_string(),
        report: report_of(&found.path, out),
        run: found.run,
    }
}

/// The way from a page in `out` to the report beside a run file, if there is one.
pub fn report_of(file: &Path, out: &Path) -> Option<String> {
    let report = file.with_file_name(squall_reports::REPORT_PAGE);
    report.exists().then(|| link(out, &report))
}

fn files_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    // The list of several runs stands for these.
    let is_list = path
        .file_name()
        .is_some_and(|name| name == squall_reports::RUNS_FILE);
    let path = match path.parent() {
        Some(folder) if is_list => folder,
        Some(_) | None => path,
    };
    if !path.is_dir() && !path.as_os_str().is_empty() {
        return Ok(vec![path.to_owned()]);
    }
    let own = path.join(RUN_FILE);
    if own.exists() && !path.join(squall_reports::RUNS_FILE).exists() {
        return Ok(vec![own]);
    }
    files_below(match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    })
}

/// The run files below `folder`, by their names.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::Usage(format!("cannot read folder {}: {error}", folder.display()))
    };
    let mut below = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            below.push(path);
        }
    }
    below.sort();
    for path in below {
        let file = path.join(RUN_FILE);
        if file.exists() {
            files.push(file);
        } else if depth > 1 {
            collect(&path, depth - 1, files)?;
        }
        if files.len() > RUNS_MAX {
            return Err(Failure::Usage(format!(
                "{} has more than {RUNS_MAX} runs: name the folders of those to compare",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// A link from a page in `folder` to `file`, as an address relative to the page.
fn link(folder: &Path, file: &Path) -> String {
    let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (from, to) = (absolute(folder), absolute(file));
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to
        .components()
        .skip(shared)
        .map(|part| escaped(&part.as_os_str().to_string_lossy()));
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A name as part of an address: what has a meaning there is written as its bytes (RFC 3986, section 2.1).
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            letter if letter.is_ascii_alphanumeric() || b"-._~=,+@".contains(&letter) => {
                text.push(char::from(letter));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link goes up and down from where the page is, and a name cannot become another address.
    #[test]
    fn links_are_relative_and_escaped() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let (page, run) = (
            root.path().join("out/compare"),
            root.path().join("a b#/x=1"),
        );
        fs::create_dir_all(&page).expect("it can be made");
        fs::create_dir_all(&run).expect("it can be made");
        let report = run.join("report.html");
        fs::write(&report, "").expect("it can be written");

        assert_eq!(link(&page, &report), "../../a%20b%23/x=1/report.html");
        assert_eq!(link(&run, &report), "report.html");
    }
}
