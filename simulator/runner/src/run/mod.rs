//! One run of one scenario, from a target that answers to a run file.
//!
//! Nothing here knows the command line: a [`RunSpec`] comes in, a [`Run`] goes out, and a
//! [`ProgressDisplay`] is told how far it is.

mod abort;
mod broker_end;
mod commands;
mod keeper;
pub mod pace;
mod parting;
mod real;
mod record;
mod sampling;
pub mod signals;
mod times;

use std::num::NonZeroU16;
use std::path::Path;

use squall_run::Run;

use crate::exit::Failure;
use crate::live::Live;
use crate::machine::limits::Limits;
use crate::progress::ProgressDisplay;
use crate::scenario_file::ScenarioFile;

use record::record;
use signals::StopSignals;

/// One run to carry out.
pub struct RunSpec<'a> {
    /// The scenario, with the text that it was read from.
    pub file: &'a ScenarioFile,
    /// What this machine allows.
    pub limits: Limits,
    /// Threads that have the connections; `None` for the one that runs this.
    pub workers: Option<NonZeroU16>,
    /// Where the output of a target that is started goes.
    pub target_log: &'a Path,
    /// Where the run can be watched, if it can.
    pub watched: Option<Watched<'a>>,
}

/// A run that can be watched as it goes.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// Where.
    pub live: &'a Live,
    /// Which run of the command it is, from 1, and of how many.
    pub place: [usize; 2],
}

/// Runs a scenario over sockets in real time.
///
/// Errors if there is no target or the event loop fails; whatever happens to the load becomes the
/// run's verdict. Must run in a `LocalSet`.
///
/// The first of `signals` ends the load, the second one everything.
pub async fn run(
    spec: &RunSpec<'_>,
    signals: &mut StopSignals,
    display: ProgressDisplay,
) -> Result<Run, Failure> {
    let (circumstances, driven) = real::drive(spec, signals, display).await?;
    Ok(record(spec.file, circumstances, driven))
}
