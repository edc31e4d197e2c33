//! Writes what a folder has collected over time: a page and a file for programs.

use std::path::{Path, PathBuf};

use squall_run::Trends;

use crate::html;
use crate::report_error::ReportError;
use crate::write_runs::put;

/// The page over a folder of runs.
pub const INDEX_PAGE: &str = "index.html";
/// The same for a program.
const FILE: &str = "index.json";

/// Writes `index.html` and `index.json` into `folder`, which a reader knows as `name`, in place of earlier ones. The path of
/// the page.
///
/// # Errors
///
/// If the folder cannot be written. Each file is whole, or as it was before.
pub fn write_trends(trends: &Trends, folder: &Path, name: &str) -> Result<PathBuf, ReportError> {
    let mut json = serde_json::to_string_pretty(trends).expect("no map has keys that are not text");
    json.push('\n');
    put(folder, FILE, json.as_bytes())?;
    put(
        folder,
        INDEX_PAGE,
        html::trends_page(trends, name)?.as_bytes(),
    )?;
    Ok(folder.join(INDEX_PAGE))
}
