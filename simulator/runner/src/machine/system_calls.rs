//! How many system calls processes make, counted by the kernel (`perf_event_open(2)` on `raw_syscalls:sys_enter`).

use std::fs;
use std::io::{self, ErrorKind};

use perf_event::events::Tracepoint;
use perf_event::{Builder, Counter};

/// Where a kernel may show its tracepoints, the newer place first.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// The tracepoint that each system call passes.
const TRACEPOINT: &str = "events/raw_syscalls/sys_enter/id";

/// Counts the system calls of all threads of some processes while it lives.
pub struct SystemCallCounter {
    /// One for each thread, which counts those that the thread starts too.
    counters: Vec<Counter>,
}

/// Why system calls cannot be counted, and what would help.
#[derive(Debug, thiserror::Error)]
pub enum CannotCount {
    /// Nothing shows the tracepoints.
    #[error(
        "system calls are not counted here: the kernel's tracepoints are not mounted; root can do that: mount -t tracefs tracefs \
         /sys/kernel/tracing"
    )]
    NoTracepoints,
    /// This user may not see the tracepoints, or not count by them.
    #[error(
        "system calls are not counted here ({0}): that takes root, or CAP_PERFMON and a /sys/kernel/tracing that may be read"
    )]
    NotAllowed(io::Error),
    /// Another thing stands in the way: too few file descriptors for that many threads, for one.
    #[error("system calls are not counted: {0}")]
    Failed(io::Error),
    /// No thread of the processes is there.
    #[error("system calls are not counted: no process is there")]
    NoThread,
}

impl From<io::Error> for CannotCount {
    fn from(error: io::Error) -> Self {
        // EACCES and EPERM.
        match error.kind() == ErrorKind::PermissionDenied {
            true => Self::NotAllowed(error),
            false => Self::Failed(error),
        }
    }
}

impl SystemCallCounter {
    /// Counts from now on.
    ///
    /// # Errors
    /// Where the kernel does not count them for this user.
    pub fn start(processes: &[u32]) -> Result<Self, CannotCount> {
        let id = tracepoint()?;
        let mut counters = Vec::new();
        for thread in threads(processes) {
            let counter = Builder::new(Tracepoint::with_id(id))
                .observe_pid(thread)
                .inherit(true)
                .include_kernel()
                .build();
            match counter {
                Ok(counter) => counters.push(counter),
                // It has ended since it was listed.
                Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if counters.is_empty() {
            return Err(CannotCount::NoThread);
        }
        for counter in &mut counters {
            counter.enable()?;
        }
        Ok(Self { counters })
    }

    /// How many there were since the start.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn count(&mut self) -> Result<u64, CannotCount> {
        let counts = self.counters.iter_mut().map(Counter::read);
        Ok(counts.sum::<io::Result<u64>>()?)
    }
}

/// The number of the tracepoint.
fn tracepoint() -> Result<u64, CannotCount> {
    for place in PLACES {
        match fs::read_to_string(format!("{place}/{TRACEPOINT}")) {
            Ok(id) => {
                let id = id.trim().parse();
                return id.map_err(|_| CannotCount::Failed(ErrorKind::InvalidData.into()));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(error.into());
            }
            // Not mounted, or a kernel without it.
            Err(_) => {}
        }
    }
    Err(CannotCount::NoTracepoints)
}

fn threads(processes: &[u32]) -> Vec<i32> {
    let folders = processes.iter().filter_map(|process| {
        let folder = fs::read_dir(format!("/proc/{process}/task"));
        folder.ok()
    });
    folders
        .flat_map(|threads| threads.flatten())
        .filter_map(|thread| thread.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What helps is told where it helps.
    #[test]
    fn root_is_asked_for_where_it_helps() {
        let told = |number| CannotCount::from(io::Error::from_raw_os_error(number)).to_string();

        assert!(told(nix::libc::EACCES).contains("takes root"));
        assert!(told(nix::libc::EPERM).contains("takes root"));
        assert!(!told(nix::libc::EMFILE).contains("root"));
    }

    /// Each call of this thread is counted once, where the kernel counts for this user.
    #[test]
    fn each_system_call_is_counted() {
        let mut counter = match SystemCallCounter::start(&[std::process::id()]) {
            Ok(counter) => counter,
            Err(error @ (CannotCount::NoTracepoints | CannotCount::NotAllowed(_))) => {
                println!("SKIPPED: {error}");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let before = counter.count().expect("it can be read");

        for _ in 0..1000 {
            let _ = nix::unistd::getppid();
        }

        let counted = counter.count().expect("it can be read") - before;
        assert!((1000..=1200).contains(&counted), "{counted}");
    }
}
