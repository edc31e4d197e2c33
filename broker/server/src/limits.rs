//! Limits of the shell that no config changes, each with its unit.

use std::time::Duration;

/// Bytes one connection may bring in per turn: the size of the shard's read buffer.
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Connections accepted before the others get their turn.
pub(crate) const ACCEPTS_PER_TURN: u32 = 16;

/// Time without accepting after the process ran out of descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Tasks run before the sockets are asked again: above any number that one answer can wake, so
/// that a turn is not cut in two.
pub(crate) const TASKS_PER_POLL: u32 = 2048;

/// Socket events taken at once.
pub(crate) const EVENTS_PER_POLL: usize = 1024;
