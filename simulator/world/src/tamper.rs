//! Something between the devices and the broker that breaks MQTT's promises on purpose.
//!
//! Checks are tested with it: each kind of violation is made here, and exactly one check must
//! see it. A tamper sees whole packets and decides what goes on; `interceptor` makes packets of
//! bytes and needs no socket, so a proxy over real sockets uses the same code.

use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, Version, codec::encode, packet::Packet};

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From a device to the broker.
    ToBroker,
    /// From the broker to a device.
    ToDevice,
}

impl Direction {
    /// The opposite direction.
    pub const fn opposite(self) -> Self {
        match self {
            Self::ToBroker => Self::ToDevice,
            Self::ToDevice => Self::ToBroker,
        }
    }
}

/// One of the two byte streams of a connection.
#[derive(Clone, Copy, Debug)]
pub struct ByteStream {
    /// The connection.
    pub socket: SocketId,
    /// The direction in which its bytes go.
    pub direction: Direction,
}

/// One packet on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// The moment at which the packet passes.
    pub now: Instant,
    /// The connection that it passes on.
    pub socket: SocketId,
    /// The direction in which it passes.
    pub direction: Direction,
    /// As the connection's CONNECT said.
    pub version: Version,
    /// Client Identifier of the connection's CONNECT; a CONNECT knows its own.
    pub client_id: &'a str,
    /// The packet, decoded.
    pub packet: &'a Packet<'a>,
    /// The packet as it came.
    pub bytes: &'a [u8],
}

/// Decides what becomes of each packet.
pub trait Tamper {
    /// A packet passes. Only what is put into `tampered` goes on: nothing means it is dropped.
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered);

    /// An end of stream passes, in either direction.
    fn handle_close(&mut self, socket: SocketId, direction: Direction) -> TamperedClose {
        let (_, _) = (socket, direction);
        TamperedClose::Pass
    }
}

/// What becomes of an end of stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TamperedClose {
    /// The other end hears of it.
    Pass,
    /// The other end never hears of it.
    Swallow,
}

/// What goes on in place of one packet, in order.
#[derive(Debug, Default)]
pub struct Tampered {
    pub(super) steps: Vec<Passed>,
}

/// One thing that comes out of a tampered connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Passed {
    /// Bytes that go on, after a delay that holds up what follows in their direction.
    Bytes {
        /// The direction in which they pass.
        direction: Direction,
        /// Zero for at once.
        delay: Duration,
        /// At least one byte.
        bytes: Vec<u8>,
    },
    /// An end of stream in this direction.
    End(Direction),
    /// Both ends see the connection closed.
    Close,
}

impl Tampered {
    /// Sends `bytes` on in `direction`: the packet's own in its direction to let it pass, twice
    /// to duplicate it, others to rewrite it, something in the other direction to answer in
    /// place of the receiver.
    pub fn forward(&mut self, direction: Direction, bytes: &[u8]) {
        self.forward_after(Duration::ZERO, direction, bytes);
    }

    /// As [`Self::forward`], `delay` later; what follows in that direction waits as well.
    pub fn forward_after(&mut self, delay: Duration, direction: Direction, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.steps.push(Passed::Bytes {
                direction,
                delay,
                bytes: bytes.to_vec(),
            });
        }
    }

    /// Lets the packet pass as it came.
    pub fn pass(&mut self, passing: &Passing<'_>) {
        self.forward(passing.direction, passing.bytes);
    }

    /// Sends `packet` on in place of the one that came.
    pub fn replace(&mut self, passing: &Passing<'_>, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        encode(packet, passing.version, &mut bytes);
        self.forward(passing.direction, &bytes);
    }

    /// Sends `packet` back in place of an answer from the receiver.
    pub fn answer(&mut self, passing: &Passing<'_>, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        encode(packet, passing.version, &mut bytes);
        self.forward(passing.direction.opposite(), &bytes);
    }

    /// Closes the connection for both ends.
    pub fn close(&mut self) {
        self.steps.push(Passed::Close);
    }
}
