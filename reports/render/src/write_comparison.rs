//! Writes what a comparison of sides leaves: a page, a text and a file for programs.

use std::fs;
use std::path::{Path, PathBuf};

use squall_run::{Side, SideBySide};

use crate::report_error::ReportError;
use crate::write_runs::put;
use crate::{compare, html};

/// The page of a comparison.
const PAGE: &str = "compare.html";
/// The same as text.
const TEXT: &str = "compare.md";
/// The same for a program.
const FILE: &str = "compare.json";

/// Writes `compare.html`, `compare.md` and `compare.json` into `folder`, which is made if need be, in place of those of an
/// earlier comparison; other files are left as they are. The path of the page.
///
/// # Errors
///
/// If the folder cannot be written. Each file is whole, or as it was before.
pub fn write_comparison(
    sides: &[Side],
    all: &SideBySide,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::at(folder, source))?;
    let mut json = serde_json::to_string_pretty(all).expect("no map has keys that are not text");
    json.push('\n');
    put(folder, FILE, json.as_bytes())?;
    put(folder, TEXT, compare::markdown_text(all).as_bytes())?;
    put(folder, PAGE, html::compare_page(sides, all)?.as_bytes())?;
    Ok(folder.join(PAGE))
}

/// A comparison as one line of JSON.
pub fn comparison_line(all: &SideBySide) -> String {
    serde_json::to_string(all).expect("no map has keys that are not text")
}
