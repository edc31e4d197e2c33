//! Limits of the engine that no option changes, each with its unit.

use std::time::Duration;

/// Bytes of one read. All connections share the buffer.
pub(crate) const READ_BYTES: usize = 128 * 1024;

/// Reads of one connection before the others have their turn.
pub(crate) const READS_PER_TURN: u32 = 8;

/// Bytes that a publisher may have unwritten: it is given no more messages until they have left.
pub(crate) const OUT_BYTES_MAX: usize = 128 * 1024;

/// Events of sockets in one turn.
pub(crate) const EVENTS_PER_TURN: usize = 4096;

/// Connections that may be under way to their CONNACK or SUBACK at once.
pub(crate) const CONNECTS_AT_ONCE: usize = 64;

/// Time in which at least one more connection must become ready.
pub(crate) const CONNECT_SILENCE_MAX: Duration = Duration::from_secs(10);

/// Keep Alive of all connections, in seconds; they ping after half of it.
pub(crate) const KEEP_ALIVE_SECONDS: u16 = 60;

/// How long Sessions live that outlive their connections, in seconds: as long as a load that is broken off may be missed.
pub(crate) const SESSION_EXPIRY_SECONDS: u32 = 3600;

/// The longest that the end of one Session in 3.1.1 is waited for, and of all.
pub(crate) const END_SESSION_MAX: Duration = Duration::from_secs(1);
/// See [`END_SESSION_MAX`].
pub(crate) const END_SESSIONS_MAX: Duration = Duration::from_secs(10);

/// The longest that a turn waits: what ends the load is noticed this late.
pub(crate) const WAIT_MAX: Duration = Duration::from_millis(20);

/// Time without a delivery after which a publisher's messages of a closed loop are taken for lost, so that its load goes on.
pub(crate) const STALL: Duration = Duration::from_secs(2);

/// How often stalled publishers are looked for.
pub(crate) const STALL_CHECK: Duration = Duration::from_millis(500);

/// Time without anything new after which a drain ends.
pub(crate) const DRAIN_SILENCE_MAX: Duration = Duration::from_secs(2);

/// The longest that a broker may take to answer the pings that then ask whether it is there.
pub(crate) const DRAIN_ANSWER_MAX: Duration = Duration::from_secs(5);

/// The longest that a drain goes on.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(30);

/// Gaps that are remembered of one stream at one subscriber. The oldest is given up when there are more.
pub(crate) const GAPS_MAX: usize = 4096;
