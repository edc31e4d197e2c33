//! What a run came to, appended to the page of a job of GitHub Actions.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::exit::Failure;
use crate::remark::remark;

/// The variable that names the file, which the job's steps share.
const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Appends the Markdown of a run, if there is such a file. One that cannot be written is told, and changes no exit code.
pub fn append(markdown: &str) {
    let Some(file) = std::env::var_os(VARIABLE).filter(|file| !file.is_empty()) else {
        return;
    };
    if let Err(error) = append_to(&file, markdown) {
        remark(&format!(
            "warning: the summary cannot be appended to {}, which {VARIABLE} names: {error}",
            Path::new(&file).display()
        ));
    }
}

/// The same for a run without a verdict.
pub fn append_failure(name: &str, failure: &Failure) {
    let text = failure.to_string();
    let fence = "```";
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(fence))
        .collect();
    append(&format!(
        "# {name}: no verdict\n\n{fence}text\n{}\n{fence}\n\nExit code {}\n",
        lines.join("\n"),
        failure.code()
    ));
}

/// In one write, so that runs which end at the same time do not write into each other.
fn append_to(file: &OsStr, markdown: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(format!("{}\n\n", markdown.trim_end()).as_bytes())
}
