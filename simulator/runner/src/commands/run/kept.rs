//! What is kept beside a report, or instead of one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use squall_reports::ReportError;
use squall_run::Run;

use crate::exit::Failure;

/// Puts what the target said beside the results, in place of what an earlier one said; `None` if it
/// said nothing.
pub fn keep_log(log: &Path, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let kept = folder.join("target.log");
    if !fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0) {
        return match fs::remove_file(&kept) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("cannot remove the log of an earlier target")?
            }
            Ok(()) | Err(_) => Ok(None),
        };
    }
    fs::copy(log, &kept).context("cannot keep the target's log")?;
    Ok(Some(kept))
}

/// The disk filled up, or the folder went away, while the run went on: what was measured is kept.
/// Where that is, if anywhere, and what to say.
pub fn keep_run_file(run: &Run, error: &ReportError) -> (Option<PathBuf>, Failure) {
    let text = crate::commands::with_causes(error);
    let kept = tempfile::Builder::new()
        .prefix("squall-run-")
        .suffix(".json")
        .tempfile()
        .and_then(|mut file| {
            file.write_all(run.to_json().as_bytes())?;
            Ok(file.keep()?.1)
        });
    match kept {
        Ok(path) => {
            let text = format!(
                "{text}; the run is kept in {0}: squall report {0} --out FOLDER",
                path.display()
            );
            (Some(path), Failure::Internal(anyhow!(text)))
        }
        Err(cause) => {
            let text = format!("{text}; nor could the run be kept elsewhere: {cause}");
            (None, Failure::Internal(anyhow!(text)))
        }
    }
}
