//! What broker and generator use over time: processor and memory.

use squall_run::Run;

use super::Chart;
use super::over_time::{Process, processes};

/// Cores in use, broker and generator.
pub(crate) fn cpu(run: &Run) -> Option<Chart> {
    Chart::of(
        "broker-cpu",
        "Processor use",
        "Cores in use by the process, user and system; 1 is one core fully busy. The generator is shown beside the broker: it must not be \
         the bottleneck.",
        processes(run, "Cores in use", Process::Cores),
    )
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
