//! The process's file descriptors: their limit, and one kept in reserve.

use std::fs::File;
use std::io;

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
