//! What this machine is made of: processor, cores, memory, kernel.

use std::fs;
use std::thread;

/// The machine a run was made on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parts {
    /// Processor model, empty if it cannot be told.
    pub cpu_model: String,
    /// Processors this process may use.
    pub cores: u32,
    /// Physical memory in bytes, 0 if it cannot be told.
    pub memory_bytes: u64,
    /// Operating system, kernel release and architecture.
    pub kernel: String,
    /// Name of the host.
    pub hostname: String,
}

/// Reads the machine's parts from `/proc` and the system.
pub fn read() -> Parts {
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    let uname = rustix::system::uname();
    Parts {
        cpu_model: field("/proc/cpuinfo", "model name").unwrap_or_default(),
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        memory_bytes: field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .map_or(0, |kib| kib * 1024),
        kernel: [uname.sysname(), uname.release(), uname.machine()]
            .map(|part| part.to_string_lossy().into_owned())
            .join(" "),
        hostname: uname.nodename().to_string_lossy().into_owned(),
    }
}

/// The value of the first line `name : value` of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}
