//! The process's file descriptors: their limit, and one kept in reserve.

use std::fs::File;
use std::io;
use std::os::fd::RawFd;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard limit, so that a broker can hold as many
/// connections as the system lets it. Returns the limit that holds now; `None` means no limit.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let before = limit.current;
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.current,
        Err(_) => before,
    }
}

/// Descriptors that [`make_room`] makes room for at most: 8 MiB of the kernel's memory.
const ROOM_MAX: u64 = 1 << 20;

/// Makes the process's table of descriptors large enough for `count` of them.
///
/// The table doubles when it is full. In a process with several threads the kernel waits each time until
/// every processor has been through its scheduler: tens of milliseconds, and on a busy machine a second, in
/// which the thread that opens a connection stands still. This waits once, before there is anything to hold
/// up. Without room in the limit it does nothing.
pub fn make_room(count: u64) {
    let last = count.clamp(1, ROOM_MAX) - 1;
    let last = RawFd::try_from(last).expect("it is bounded by `ROOM_MAX`");
    if let Ok(any) = File::open("/dev/null") {
        // The table never shrinks, so the descriptor itself can go at once.
        let _ = rustix::io::fcntl_dupfd_cloexec(&any, last);
    }
}

/// Whether the process (EMFILE) or the system (ENFILE) is out of descriptors.
pub fn are_exhausted(error: &io::Error) -> bool {
    let out_of = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    error
        .raw_os_error()
        .is_some_and(|code| out_of.iter().any(|errno| errno.raw_os_error() == code))
}

/// A descriptor kept open so that there is one to give up when no other is left.
///
/// A listener whose queue cannot be accepted from stays readable; with the spare one the
/// waiting client is accepted and closed, and so told.
#[derive(Debug)]
pub(crate) struct Spare {
    file: Option<File>,
}

impl Spare {
    /// Opens the spare descriptor; if that fails, [`Self::lend`] frees nothing.
    pub(crate) fn open() -> Self {
        Self {
            file: File::open("/dev/null").ok(),
        }
    }

    /// Runs `with_one_free` while one more descriptor is free, then takes it back if it can.
    pub(crate) fn lend(&mut self, with_one_free: impl FnOnce()) {
        self.file = None;
        with_one_free();
        *self = Self::open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table has room for as many descriptors as it was made for, and none of them is left open.
    #[test]
    fn the_table_has_room() {
        make_room(5_000);

        let status = std::fs::read_to_string("/proc/self/status").expect("there is a /proc");
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
        let size: u64 = size
            .and_then(|size| size.trim().parse().ok())
            .expect("a number");
        assert!(size >= 5_000, "{size}");
        assert!(!std::fs::exists("/proc/self/fd/4999").expect("it can be looked for"));
    }
}
