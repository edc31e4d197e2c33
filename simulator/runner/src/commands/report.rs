//! `squall report`: writes the report of a run again, from its run file.

use std::fs;
use std::path::{Path, PathBuf};

use squall_run::Run;

use crate::cli::ReportArgs;
use crate::exit::Failure;
use crate::open_page::open_page;
use crate::out_folder::OutFolder;
use crate::output::{print, print_line};
use crate::remark::remark;

/// Reads the run file, writes the report, prints the summary; the exit code is the run's.
pub fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let file = run_file(&args.run);
    let bytes = fs::read(&file).map_err(|error| {
        Failure::Usage(format!("cannot read run file {}: {error}", file.display()))
    })?;
    let run = Run::from_bytes(&bytes).map_err(|error| {
        let text = super::with_causes(&error);
        Failure::Usage(format!("{}: {text}", file.display()))
    })?;
    let folder = match &args.out {
        Some(folder) => folder.as_path(),
        None => file.parent().unwrap_or(Path::new(".")),
    };
    if args.out.is_some() && !args.force {
        super::refuse_to_replace(folder)?;
    }
    let held = OutFolder::take(folder.to_owned());
    let _held = held.map_err(|error| Failure::Usage(error.to_string()))?;
    super::check_folder(folder)?;
    let written = squall_reports::write_report(&run, folder)
        .map_err(|error| Failure::Internal(error.into()))?;
    if args.json {
        print_line(&squall_reports::summary_line(&run, &written.page))?;
    } else {
        print(&squall_reports::terminal_summary(&run, super::screen()))?;
    }
    remark(&format!("report: {}", written.page.display()));
    if args.open {
        open_page(&written.page);
    }
    Ok(run.verdict.exit_code)
}

/// A folder stands for the run file in it.
fn run_file(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("run.json")
    } else {
        path.to_owned()
    }
}
