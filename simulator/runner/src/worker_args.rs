//! The option of how many threads the generator has, as clap sees it.

use std::num::NonZeroU16;

use clap::{Args, value_parser};

/// Threads that share the work of the generator.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct WorkerArgs {
    /// Threads that have the devices' connections, beside the one that decides and counts. For more devices than one
    /// process may have descriptors; the run does the same whatever N is, and each message takes a hand-over more
    /// [default: the thread that decides has them].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub workers: Option<u16>,
}

impl WorkerArgs {
    /// How many; `None` without any.
    pub fn count(self) -> Option<NonZeroU16> {
        self.workers.and_then(NonZeroU16::new)
    }
}
