//! Which SUBSCRIBEs and UNSUBSCRIBEs of a connection are answered.

use squall_protocol::{Instant, PacketId};

/// SUBSCRIBE and UNSUBSCRIBE packets of one connection.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Those that are not answered, in the order of their sending.
    pub(super) open: Vec<Asked>,
    /// How far the connection is with what was due on its CONNACK.
    pub(super) beginning: Beginning,
}

/// How far a connection is with the SUBSCRIBEs and UNSUBSCRIBEs that were due on its CONNACK.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Beginning {
    /// They are sent, or will be, and not all answered.
    #[default]
    UnderWay,
    /// One could not be sent.
    Stuck,
    /// All are answered.
    Over,
}

/// What a device asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Request {
    Subscribe,
    Unsubscribe,
}

/// A SUBSCRIBE or UNSUBSCRIBE that is not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) id: PacketId,
    pub(super) request: Request,
    /// Its place among the packets of the device.
    pub(super) packet: usize,
    pub(super) since: Instant,
}

impl Asking {
    /// Whether one is not answered.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether one for these filters is not answered.
    pub(super) fn is_open_for(&self, packet: usize) -> bool {
        self.open.iter().any(|asked| asked.packet == packet)
    }

    /// When the first of those was sent that are not answered.
    pub(super) fn open_since(&self) -> Option<Instant> {
        self.open.first().map(|asked| asked.since)
    }

    /// An answer came: takes out what it is for.
    pub(super) fn answer(&mut self, id: PacketId) -> Option<Asked> {
        let place = self.open.iter().position(|asked| asked.id == id)?;
        Some(self.open.remove(place))
    }
}
