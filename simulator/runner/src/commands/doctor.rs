//! `squall doctor`: what this machine allows, and what a bigger run would need.

use squall_scenario::DESCRIPTORS_RESERVED;

use crate::cli::{DoctorArgs, OverrideArgs};
use crate::drive::can_have_own_table;
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::machine::parts;
use crate::machine::priority::Priority;
use crate::output::{fitted, print};
use crate::scenario_runs::ScenarioRuns;

/// Columns that the names of the lines take.
const HEADS: usize = 13;

/// Prints the machine, its limits, and whether each named scenario fits; fails if one does not.
pub fn doctor(args: &DoctorArgs) -> Result<u8, Failure> {
    let parts = parts::read();
    let limits = Limits::raise_and_read(args.workers.count());
    let text = format!(
        "machine      {} x {}\n\
         memory       {}\n\
         kernel       {}\n\
         descriptors  {}\n\
         local ports  {}: at most as many devices connected to one address (sysctl \
         net.ipv4.ip_local_port_range)\n\
         devices      {} at most in one run\n\
         priority     {}\n",
        parts.cores,
        parts.cpu_model,
        squall_run::bytes_text(parts.memory_bytes),
        parts.kernel,
        descriptors(limits),
        limits.local_ports,
        limits.devices_max(),
        priority()
    );
    for line in text.lines() {
        print(&fitted(line, HEADS))?;
    }
    if parts.cores < 2 {
        print(&fitted(
            "warning      one core: broker and devices share it, latencies are not the broker's",
            HEADS,
        ))?;
    }
    let mut misfits = Vec::new();
    for path in &args.files {
        let runs = ScenarioRuns::read(path.clone(), &OverrideArgs::default())?;
        for (file, label) in runs.combinations.iter().zip(runs.labels()) {
            let need = file.need();
            let name = format!("{} {label}", path.display());
            let name = name.trim_end();
            match limits.check(need) {
                Ok(()) => print(&fitted(&format!("{name}: fits ({need})"), 4))?,
                Err(error) => misfits.push(format!("{name}: {error}")),
            }
        }
    }
    match misfits.is_empty() {
        true => Ok(0),
        false => Err(Failure::Usage(misfits.join("\n"))),
    }
}

/// What a run would have.
fn priority() -> &'static str {
    match Priority::raise() {
        Priority::Raised => "a run goes before other processes",
        Priority::Default => "a run shares the processors (a privileged user's goes first)",
    }
}

fn descriptors(limits: Limits) -> String {
    match limits.descriptors {
        Some(limit) => format!(
            "{limit} in one process: {} devices; the embedded broker has as many of its own \
             (ulimit -n raises it, up to the hard limit); {}",
            limit.saturating_sub(DESCRIPTORS_RESERVED),
            match can_have_own_table() {
                true => "each worker (--workers N) has as many again",
                false => "workers (--workers N) have no more here",
            }
        ),
        None => "no limit".to_owned(),
    }
}
