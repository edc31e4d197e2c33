//! `squall index`: a page over a folder of runs, with how each scenario's figures went over time.

use std::path::Path;

use anyhow::Context as _;
use squall_run::{Trends, Unread};

use super::run_files;
use crate::cli::IndexArgs;
use crate::clock::since_epoch;
use crate::exit::Failure;
use crate::open_page::open_page;
use crate::output::print_line;
use crate::remark::remark;

/// Reads every run below the folder and writes the page. A file that cannot be read is told on the page and takes nothing
/// from the others; the exit code is then 2.
pub fn index(args: &IndexArgs) -> Result<u8, Failure> {
    let folder = args.folder.as_path();
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "{} is not a folder: name one that has folders of runs, such as the one that --out names",
            folder.display()
        )));
    }
    if folder.join(squall_reports::RUNS_FILE).exists() {
        return Err(Failure::Usage(format!(
            "{} holds the runs of one command and has an {} of them already: name the folder above it",
            folder.display(),
            squall_reports::INDEX_PAGE
        )));
    }
    let mut trends = Trends::since(args.since.as_ref().map(|since| since.moment(since_epoch())));
    for file in run_files::files_below(folder)? {
        // One at a time: a run file with all its distributions takes far more memory than what is kept of it.
        match run_files::read_file(&file) {
            Ok(run) => trends.add(&run, run_files::report_of(&file, folder)),
            Err(failure) => trends.unread.push(Unread {
                path: file.display().to_string(),
                why: failure.to_string(),
            }),
        }
    }
    if trends.count() == 0 && trends.unread.is_empty() {
        return Err(none_left(&trends, folder));
    }
    let page = squall_reports::write_trends(&trends, folder, &name(folder))
        .with_context(|| format!("cannot write the page into {}", folder.display()))?;
    for file in &trends.unread {
        remark(&format!("error: {}", file.why));
    }
    let runs = trends.count();
    match args.json {
        true => {
            let line = serde_json::to_string(&trends).map_err(anyhow::Error::from)?;
            print_line(&line)?;
        }
        false => print_line(&format!(
            "{runs} run{} of {} scenario{}{}",
            plural(runs),
            trends.scenarios.len(),
            plural(trends.scenarios.len()),
            match trends.earlier {
                0 => String::new(),
                earlier => format!(", {earlier} that began earlier left out"),
            }
        ))?,
    }
    remark(&format!("index: {}", page.display()));
    if args.open {
        open_page(&page);
    }
    Ok(if trends.unread.is_empty() { 0 } else { 2 })
}

/// Why there is no page: no run at all, or none since then.
fn none_left(trends: &Trends, folder: &Path) -> Failure {
    match &trends.since {
        Some(since) if trends.earlier > 0 => Failure::Usage(format!(
            "no run below {} began since {since}: {} began earlier",
            folder.display(),
            match trends.earlier {
                1 => "the only one".to_owned(),
                all => format!("all {all}"),
            }
        )),
        Some(_) | None => run_files::without_runs(folder),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The folder's own name, which `.` does not say.
fn name(folder: &Path) -> String {
    let absolute = folder.canonicalize();
    let absolute = absolute.as_deref().unwrap_or(folder);
    let name = absolute.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}
