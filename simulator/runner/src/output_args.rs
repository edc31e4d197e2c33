//! The options that say where results go, as clap sees them.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Where the results of runs go, and what is printed of them.
#[derive(Args, Clone, Debug)]
pub struct OutputArgs {
    /// Folder for the results, one folder a run inside it if there are several
    /// [default: squall-out/NAME-TIME].
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Replace the results of an earlier run in that folder.
    #[arg(long)]
    pub force: bool,
    /// Print what `summary.json` has, with checks, thresholds and the paths of the files, as a JSON object a run on
    /// standard output, each on a line of its own; or the error where there is no verdict.
    #[arg(long)]
    pub json: bool,
    /// Print no progress and no summary, only errors and why a run did not pass.
    #[arg(long, short)]
    pub quiet: bool,
    /// Open the report at the end, or the page of all runs.
    #[arg(long)]
    pub open: bool,
}
