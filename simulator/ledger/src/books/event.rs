//! Where and when something was observed.

use squall_protocol::Instant;

use squall_fleet::SocketId;
use squall_scenario::{ClientKey, DeviceId, GroupId};

/// The frame of one [`crate::Observation`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// When.
    pub(crate) now: Instant,
    /// Whose.
    pub(crate) device: DeviceId,
    /// Its group.
    pub(crate) group: GroupId,
    /// Which Session it concerns.
    pub(crate) client: ClientKey,
    /// Which Network Connection it concerns.
    pub(crate) socket: SocketId,
}
