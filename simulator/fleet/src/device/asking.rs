//! Which SUBSCRIBEs of a connection are answered.

use squall_protocol::{Instant, PacketId};

/// SUBSCRIBE packets of one connection.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Those that are not answered, in the order of their sending.
    pub(super) open: Vec<Asked>,
    /// Packets that were sent.
    pub(super) sent: usize,
}

/// A SUBSCRIBE that is not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) id: PacketId,
    /// Its place among the packets of the device.
    pub(super) packet: usize,
    pub(super) since: Instant,
}

impl Asking {
    /// Whether a SUBSCRIBE is not answered.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// When the first of those was sent that are not answered.
    pub(super) fn open_since(&self) -> Option<Instant> {
        self.open.first().map(|asked| asked.since)
    }
}
