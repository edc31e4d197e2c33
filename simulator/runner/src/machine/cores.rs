//! Keeps processes and threads on cores.

use std::fs;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The cores that this thread may use, in order.
pub fn allowed() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else {
        return Vec::new();
    };
    (0..CpuSet::count())
        .filter(|core| set.is_set(*core).unwrap_or(false))
        .collect()
}

/// Keeps this thread, and those that it starts from now on, on `core`.
///
/// # Errors
/// What the system says, if it does not allow that.
pub fn keep_this_thread(core: usize) -> Result<(), Errno> {
    keep(Pid::from_raw(0), core)
}

/// Keeps all threads of `processes` on `core`, and what they start from now on. Those that end meanwhile are left out.
///
/// # Errors
/// What the system says, if it does not allow that.
pub fn keep_processes(processes: &[u32], core: usize) -> Result<(), Errno> {
    for process in processes {
        let threads = fs::read_dir(format!("/proc/{process}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let name = thread.file_name();
            let Some(id) = name.to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            match keep(Pid::from_raw(id), core) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn keep(thread: Pid, core: usize) -> Result<(), Errno> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(thread, &set)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread stays where it was put, and another one is not touched by it.
    #[test]
    fn a_thread_is_kept_on_its_core() {
        let before = allowed();
        let last = *before.last().expect("there is a core");

        let kept = std::thread::spawn(move || {
            keep_this_thread(last).expect("it may");
            allowed()
        });

        assert_eq!(kept.join().expect("it ends"), [last]);
        assert_eq!(allowed(), before);
    }
}
