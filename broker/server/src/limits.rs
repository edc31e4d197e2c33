//! Limits of the shell that no config changes, each with its unit.

use std::time::Duration;

/// Bytes one connection may bring in per turn: the size of the shard's read buffer.
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of a read that the broker gets first; the next slices grow as long as little follows
/// from them. Many small messages to thousands of subscribers fit here.
pub(crate) const SLICE_BYTES: usize = 4 * 1024;

/// Bytes for all sockets together that may wait before the shard writes in mid-turn.
pub(crate) const FLUSH_APPENDED_BYTES: u64 = 16 * 1024 * 1024;

/// Events of sockets per turn; more wait for the next one.
pub(crate) const EVENTS_PER_TURN: usize = 1024;

/// Connections accepted per turn.
pub(crate) const ACCEPTS_PER_TURN: u32 = 16;

/// Time without accepting after the process ran out of descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
