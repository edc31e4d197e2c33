//! Connections on which a device has fallen silent: what a broker that keeps time must see [MQTT-3.1.2-22].

use std::time::Duration;

use squall_protocol::{Instant, ReasonCode};
use squall_scenario::FaultId;

/// A step in the life of a connection on which its device says nothing from now on, or for a while, and which it leaves open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SilenceFact {
    /// The device fell silent.
    Began {
        /// The fault that silenced it.
        fault: FaultId,
        /// How many times it fired before.
        number: u64,
        /// Keep Alive of the connection, the server's where that set one (§3.2.2.3.14); zero is none.
        keep_alive: Duration,
        /// When it had handed the last bytes before the silence over: to the system, or to its link.
        said_at: Instant,
    },
    /// The device talks again, or ended the connection by itself. Told of a mute only.
    Broken,
    /// The broker's end of the connection is at the device's machine.
    Closed {
        /// When the last packet before the silence was surely whole at the system's socket.
        heard_at: Instant,
        /// When the last byte before the silence was: what a broker may have counted from at the latest.
        last_at: Instant,
        /// The reason that its DISCONNECT gave; `None` without one, or where the device no longer reads.
        told: Option<ReasonCode>,
    },
}
