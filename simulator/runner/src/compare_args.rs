//! The options of `squall compare`, as clap sees them.

use std::path::PathBuf;

use clap::{Args, ValueHint, value_parser};

use crate::output_args::OutputArgs;
use crate::worker_args::WorkerArgs;

/// `squall compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Run files (`run.json`), folders of runs, or folders of several, such as --repeat leaves; the first is what the others
    /// are compared with.
    #[arg(value_name = "RUN", value_hint = ValueHint::AnyPath, conflicts_with_all = ["scenario", "targets"])]
    pub runs: Vec<PathBuf>,
    /// Run this scenario, a file or a name that `squall list` shows, on each --target in turn, and compare the runs.
    #[arg(long, value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub scenario: Option<PathBuf>,
    /// A broker to run the scenario on, as for `squall run`; at least two, the first is what the others are compared with.
    #[arg(long = "target", value_name = "NAME|FILE|URL", requires = "scenario")]
    pub targets: Vec<String>,
    /// How often each target has its turn; with one, noise is unknown [default: 5].
    #[arg(long, value_name = "N", requires = "scenario", value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: Option<u32>,
    /// Override a value of the scenario, dotted: `run.duration=30s`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "scenario")]
    pub set: Vec<String>,
    /// Override the scenario's seed.
    #[arg(long, value_name = "N", requires = "scenario", value_parser = value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Threads of the generator.
    #[command(flatten)]
    pub workers: WorkerArgs,
    /// Where the comparison goes and what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
