//! Writes what a suite of benches found: a page, the same as Markdown, and a file for programs.

use std::fs;
use std::path::{Path, PathBuf};

use squall_run::bench::Suite;

use crate::bench_suite::markdown_text;
use crate::html;
use crate::report_error::ReportError;
use crate::write_runs::put;

/// The page.
pub const BENCH_SUITE_PAGE: &str = "suite.html";
/// The same as Markdown.
const MARKDOWN: &str = "suite.md";
/// The same for a program.
const FILE: &str = "suite.json";

/// Writes `suite.html`, `suite.md` and `suite.json` into `folder`, which is made if need be, in place of earlier ones. The path of
/// the page.
///
/// # Errors
///
/// If the folder cannot be written. Each file is whole, or as it was before.
pub fn write_bench_suite(suite: &Suite, folder: &Path) -> Result<PathBuf, ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::at(folder, source))?;
    let mut json = serde_json::to_string_pretty(suite).expect("no map has keys that are not text");
    json.push('\n');
    put(folder, FILE, json.as_bytes())?;
    put(folder, MARKDOWN, markdown_text(suite).as_bytes())?;
    put(
        folder,
        BENCH_SUITE_PAGE,
        html::bench_suite_page(suite).as_bytes(),
    )?;
    Ok(folder.join(BENCH_SUITE_PAGE))
}
