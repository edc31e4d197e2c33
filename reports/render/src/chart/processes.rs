//! What broker and generator use over time: processor and memory.

use squall_run::Run;

use super::Chart;
use super::figure::{Mark, MarkLine};
use super::over_time::{Process, processes};
use super::scale::Scale;
use super::theme::Ink;

/// The cores of the machine are drawn if they are no more than this many times what is used at most: above that, the lines would lie
/// on the ground.
const CEILING_WITHIN: f64 = 4.0;

/// Cores in use, broker and generator.
///
/// All cores of the machine are a line where processes come near it.
pub(crate) fn cpu(run: &Run) -> Option<Chart> {
    let mut figure = processes(run, "Cores in use", Process::Cores);
    let cores = f64::from(run.machine.cores);
    let highest = figure.highest();
    let ceiling = match run.machine.cores {
        0 => String::new(),
        cores => format!(" The machine of squall has {}.", count(cores)),
    };
    if cores > 0.0 && highest * CEILING_WITHIN >= cores {
        figure.y.scale = Scale::from_zero(cores.max(highest));
        figure.marks.push(Mark {
            line: MarkLine::Level(cores),
            label: format!("all {} of the machine", count(run.machine.cores)),
            ink: Ink::Muted,
        });
    }
    Chart::of(
        "broker-cpu",
        "Processor use",
        &format!(
            "Cores in use by the process, user and system; 1 is one core fully busy. The generator is shown beside the broker: it must not \
             be the bottleneck. What other processes use is not measured.{ceiling}"
        ),
        figure,
    )
}

fn count(cores: u32) -> String {
    match cores {
        1 => "1 core".to_owned(),
        more => format!("{more} cores"),
    }
}

/// Resident memory, broker and generator.
pub(crate) fn memory(run: &Run) -> Option<Chart> {
    Chart::of(
        "broker-memory",
        "Resident memory",
        "Memory that the processes hold in RAM.",
        processes(run, "Resident memory", Process::Memory),
    )
}
