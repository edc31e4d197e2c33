//! Something between the devices and the broker that breaks MQTT's promises on purpose.
//!
//! Checks are tested with it: each kind of violation is made here, and exactly one check must
//! see it. It works on whole packets of a byte stream, however the bytes are split, and needs no
//! socket, so a proxy over real sockets uses the same code.

use std::time::Duration;

use squall_protocol::packet::Packet;
use squall_protocol::{Instant, Version};

use crate::drive::SocketId;

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From a device.
    ToBroker,
    /// To a device.
    ToDevice,
}

/// One packet on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// When.
    pub now: Instant,
    /// On which connection.
    pub socket: SocketId,
    /// Which way.
    pub direction: Direction,
    /// As the connection's CONNECT said.
    pub version: Version,
    /// Client Identifier of the connection's CONNECT; a CONNECT knows its own.
    pub client_id: &'a str,
    /// What it says.
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
    /// It goes on.
    Pass,
    /// The other end never hears of it.
    Swallow,
}

/// What goes on in place of one packet, in order.
#[derive(Debug, Default)]
pub struct Tampered {
    steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes for the same direction, after a delay that holds up what follows.
    Bytes { delay: Duration, bytes: Vec<u8> },
    /// Both ends see the connection closed.
    Close,
}

impl Tampered {
    /// Sends `bytes` on in the packet's direction: its own to let it pass, twice to duplicate it,
    /// others to rewrite it.
    pub fn forward(&mut self, bytes: &[u8]) {
        self.forward_after(Duration::ZERO, bytes);
    }

    /// As [`Self::forward`], `delay` later; what follows in this direction waits as well.
    pub fn forward_after(&mut self, delay: Duration, bytes: &[u8]) {
        self.steps.push(Step::Bytes {
            delay,
            bytes: bytes.to_vec(),
        });
    }

    /// Closes the connection for both ends.
    pub fn close(&mut self) {
        self.steps.push(Step::Close);
    }

    /// Takes the steps out, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Step> + '_ {
        self.steps.drain(..)
    }
}
