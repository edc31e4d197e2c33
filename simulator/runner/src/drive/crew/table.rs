//! A table of descriptors for one thread.
//!
//! The limit of open descriptors is that of a table. On Linux a thread may have one of its own
//! (`unshare(2)` with `CLONE_FILES`), so a generator can have several times as many sockets as one table
//! takes. Containers may forbid it; then all threads share the process's table, and its limit.

use std::os::fd::RawFd;

/// Whose table a thread's descriptors are in.
#[derive(Debug)]
pub(super) enum Table {
    /// The thread's own, which has copies of what the process had open.
    Own(Copies),
    /// The process's.
    Shared,
}

/// What a table has because the process had it.
#[derive(Debug)]
pub(super) struct Copies(Vec<RawFd>);

/// Gives this thread a table of its own if the system lets it. Signals are for other threads then: what their
/// handlers write to is not in this table.
#[cfg(target_os = "linux")]
pub(super) fn take_own() -> Table {
    use nix::sched::{CloneFlags, unshare};
    use nix::sys::signal::SigSet;

    match SigSet::all()
        .thread_block()
        .and_then(|()| unshare(CloneFlags::CLONE_FILES))
    {
        Ok(()) => Table::Own(Copies(open_ones())),
        Err(_) => Table::Shared,
    }
}

/// Gives this thread a table of its own if the system lets it: this one has none.
#[cfg(not(target_os = "linux"))]
pub(super) fn take_own() -> Table {
    Table::Shared
}

impl Copies {
    /// Closes them, but for the three standard streams and those in `kept`: a pipe of another process must
    /// end when the process's own end of it does.
    pub(super) fn close_all_but(self, kept: &[RawFd]) {
        for descriptor in self.0 {
            if descriptor > 2 && !kept.contains(&descriptor) {
                // It was open when the table was made, and has no other owner in it.
                let _ = nix::unistd::close(descriptor);
            }
        }
    }
}

/// What this thread's table holds, but for what this list is read through.
#[cfg(target_os = "linux")]
fn open_ones() -> Vec<RawFd> {
    let Ok(folder) = std::fs::read_dir("/proc/thread-self/fd") else {
        return Vec::new();
    };
    let number = |entry: std::fs::DirEntry| {
        let is_list = std::fs::read_link(entry.path()).is_ok_and(|to| to.starts_with("/proc"));
        let name = entry.file_name();
        name.to_str().filter(|_| !is_list)?.parse().ok()
    };
    folder.flatten().filter_map(number).collect()
}

/// Whether a thread may have a table of its own here.
pub fn can_have_own() -> bool {
    let tried = std::thread::Builder::new().spawn(|| matches!(take_own(), Table::Own(_)));
    tried.is_ok_and(|thread| thread.join().unwrap_or(false))
}
