//! The border between the fleet and the drive that carries its bytes.
//!
//! A drive reads its clock for every input anew, and carries out what the fleet asks for before it
//! reads the clock again. The fleet does little in one call: the moment that it notes for a close
//! is the moment of that close, even if many others are due at the same time.
//!
//! What has arrived goes before what is due: a drive tells of everything that had arrived by a deadline
//! before it tells that the deadline has passed. A device concludes from its deadline that a CONNACK,
//! a SUBACK or a PINGRESP did not come, a checker that it has everything, the fleet that the drain is over; none of
//! this may follow from bytes that lie unread because the drive was late. A drive over sockets may
//! leave out this look at all sockets while it is only a little late.

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{Carrier, DeviceId, LinesId};

use crate::broker_order::{BrokerEvent, BrokerOrder};
use crate::lines_event::LinesEvent;

/// Stands for the device in the name of a connection that is not of one: no fleet is that large.
const NO_DEVICE: u32 = u32::MAX;

/// Bits of a socket's name that say whose it is; those above count attempts.
const DEVICE_BITS: u32 = 32;

/// Names one attempt of one device to have a Network Connection. Never reused within a run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SocketId(pub u64);

impl SocketId {
    /// The attempt number `attempt` of `device`; `None` for a connection that is not of a device.
    pub(crate) fn new(device: Option<DeviceId>, attempt: u64) -> Self {
        let device = device.map_or(NO_DEVICE, |device| device.0);
        Self((attempt << DEVICE_BITS) | u64::from(device))
    }

    /// The device that it is of, if it is of one.
    pub fn device(self) -> Option<DeviceId> {
        let device = self.0 as u32;
        (device != NO_DEVICE).then_some(DeviceId(device))
    }

    /// Which of its device's attempts it is, counted from 1.
    pub fn attempt(self) -> u64 {
        self.0 >> DEVICE_BITS
    }

    /// Its place among `count` equal shares of a run's connections. Those of one device are in one share, and so are
    /// those of `together` devices in a row.
    ///
    /// # Panics
    /// If `count` or `together` is 0.
    pub fn share_of(self, count: usize, together: usize) -> usize {
        // Connections that are not of a device are spread by their number.
        let spread = match self.device() {
            None => self.0 >> DEVICE_BITS,
            Some(device) => device.0.into(),
        };
        (spread / together as u64 % count as u64) as usize
    }
}

/// One thing that happened outside the fleet.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The transport is connected, with TLS and WebSocket where it has them; MQTT bytes may flow.
    Opened {
        /// As in [`Action::Open`].
        socket: SocketId,
        /// How much of the time since the [`Action::Open`] was the drive's own: until it had asked the system for the
        /// connection, and from when the connection was there until this is told. It is not the broker's.
        waited: Duration,
    },
    /// The transport could not be connected.
    OpenFailed {
        /// As in [`Action::Open`].
        socket: SocketId,
        /// The reason, as far as the system tells it.
        error: OpenError,
    },
    /// Bytes came in: any piece of the stream, packets need not be whole.
    Received {
        /// The transport that they came over.
        socket: SocketId,
        /// At least one byte.
        bytes: &'a [u8],
        /// How long ago the system had the last of them, that is how long they waited for the drive:
        /// the wait of the generator, which is not the broker's. After an [`Action::Pause`] it counts
        /// from the [`Action::Resume`] on at the earliest: before that the link held them. `None` if the
        /// drive cannot tell.
        waited: Option<Duration>,
    },
    /// More waits to be written than the drive wants to keep: the device publishes nothing more on
    /// it until [`Self::Drained`].
    Full {
        /// The transport that is full.
        socket: SocketId,
    },
    /// There is room again after [`Self::Full`].
    Drained {
        /// The transport that has room.
        socket: SocketId,
    },
    /// The peer ended the connection. Not sent after an [`Action::Close`] of ours, nor between an
    /// [`Action::Pause`] and the [`Action::Resume`].
    Closed {
        /// The transport that ended.
        socket: SocketId,
        /// How it did.
        how: PeerClose,
    },
    /// The deadline that `next_deadline` named has come, and everything that had arrived by then was
    /// told. The fleet does one thing that is due; what else is due keeps its deadline.
    DeadlinePassed,
    /// The drive did nothing from `since` until now, or did not come round to look at its sockets, due or
    /// not: what came meanwhile was not read. Told before what it reads then.
    StoodStill {
        /// When it should have been back.
        since: Instant,
        /// What was not done.
        what: Standstill,
    },
    /// A [`BrokerOrder`] was carried out, or could not be.
    Broker(BrokerEvent),
    /// A command that gives payloads has written lines, or writes no more.
    Lines {
        /// The command.
        of: LinesId,
        /// What came of it.
        event: LinesEvent<'a>,
    },
    /// The user wants the run to end early: nothing new begins, what is under way drains, then checks and the
    /// report; during the checks: no more checks.
    Stop,
}

/// What a drive did not do for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standstill {
    /// Nothing was done: what came was not read.
    Whole,
    /// What the fleet asked for was not carried out; what came was read.
    Writing,
}

/// Why a transport could not be connected.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OpenError {
    /// The target's host answered that nothing listens at its port.
    Refused,
    /// `run.connect_timeout` passed.
    TimedOut,
    /// No descriptor, port or route was left on our side.
    LocalLimit,
    /// TCP was there, and no TLS or WebSocket on it.
    Layer(LayerFault),
    /// Any other error of the system.
    Other,
}

/// How the peer ended a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PeerClose {
    /// FIN: end of stream.
    Fin,
    /// RST, or any other error of TCP.
    Reset,
    /// An error of TLS or WebSocket. In TLS 1.3 a broker that refuses a client certificate says so after the
    /// client's handshake is over (RFC 8446, section 4.4).
    Layer(LayerFault),
}

/// What went wrong between TCP and MQTT, told apart by what can be done about it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum LayerFault {
    /// No CA that is trusted has signed the broker's certificate.
    UnknownCa,
    /// The time of the broker's certificate is over.
    CertificateExpired,
    /// The time of the broker's certificate has not begun.
    CertificateNotYetValid,
    /// The broker's certificate is for other names.
    WrongHostName,
    /// Any other fault of the broker's certificate.
    CertificateRefused,
    /// The broker refused the client's certificate, or wanted one.
    ClientCertificate,
    /// Any other fault of TLS.
    Tls,
    /// No WebSocket came about, or its rules were broken.
    WebSocket,
}

impl LayerFault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::UnknownCa,
        Self::CertificateExpired,
        Self::CertificateNotYetValid,
        Self::WrongHostName,
        Self::CertificateRefused,
        Self::ClientCertificate,
        Self::Tls,
        Self::WebSocket,
    ];
}

/// One thing the fleet asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action<'a> {
    /// Connect a new transport to the target of the scenario, which is the only one of a run;
    /// answer with `Opened` or `OpenFailed`.
    Open {
        /// Its name from now on.
        socket: SocketId,
        /// What carries the bytes.
        carrier: Carrier,
    },
    /// Write all these bytes, later if the socket is full.
    Send {
        /// The transport to write to.
        socket: SocketId,
        /// At least one byte.
        bytes: &'a [u8],
    },
    /// Read nothing from it until [`Self::Resume`]: what comes stays in the system, whose window closes
    /// once it has enough, so that the broker has to wait. The end of the connection is part of what is
    /// not read.
    Pause {
        /// The transport that is not to be read.
        socket: SocketId,
    },
    /// Read on after [`Self::Pause`].
    Resume {
        /// The transport to read again.
        socket: SocketId,
    },
    /// End the connection on our side, paused or not, or give it up if it is not open yet. Nothing is told of
    /// it afterwards, but for what [`Teardown`] says.
    Close {
        /// The transport to end.
        socket: SocketId,
        /// How to end it.
        how: Teardown,
    },
}

/// What the fleet asked for since the caller last looked, in the order to carry it out in.
///
/// One `Actions` is reused for the whole run: bytes to send share one buffer.
#[derive(Debug, Default)]
pub struct Actions {
    steps: Vec<Step>,
    bytes: Vec<u8>,
    orders: Vec<BrokerOrder>,
    lines: Vec<LinesId>,
}

#[derive(Debug)]
enum Step {
    Open(SocketId, Carrier),
    Send(SocketId, std::ops::Range<usize>),
    Pause(SocketId),
    Resume(SocketId),
    Close(SocketId, Teardown),
}

impl Actions {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for what another list asks for.
    pub fn push(&mut self, action: Action<'_>) {
        match action {
            Action::Open { socket, carrier } => self.open(socket, carrier),
            Action::Send { socket, bytes } => {
                self.send(socket, |out| out.extend_from_slice(bytes));
            }
            Action::Pause { socket } => self.pause(socket),
            Action::Resume { socket } => self.resume(socket),
            Action::Close { socket, how } => self.close(socket, how),
        }
    }

    /// Asks for a transport.
    pub fn open(&mut self, socket: SocketId, carrier: Carrier) {
        self.steps.push(Step::Open(socket, carrier));
    }

    /// Asks to send what `append` appends to the buffer it is given. Asks for nothing if it appends
    /// nothing.
    pub fn send(&mut self, socket: SocketId, append: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        append(&mut self.bytes);
        if self.bytes.len() > start {
            self.steps.push(Step::Send(socket, start..self.bytes.len()));
        }
    }

    /// Asks to read nothing from a transport until [`Self::resume`].
    pub fn pause(&mut self, socket: SocketId) {
        self.steps.push(Step::Pause(socket));
    }

    /// Asks to read a transport again.
    pub fn resume(&mut self, socket: SocketId) {
        self.steps.push(Step::Resume(socket));
    }

    /// Asks to end a transport.
    pub fn close(&mut self, socket: SocketId, how: Teardown) {
        self.steps.push(Step::Close(socket, how));
    }

    /// Asks for something to be done to the broker.
    pub fn order(&mut self, order: BrokerOrder) {
        self.orders.push(order);
    }

    /// What is to be done to the broker, in order, after the actions.
    pub fn orders(&self) -> &[BrokerOrder] {
        &self.orders
    }

    /// Asks for the next lines of a command, as many as there are and fit into one answer; they may take any time to come.
    pub fn ask_for_lines(&mut self, of: LinesId) {
        self.lines.push(of);
    }

    /// The commands of which lines are asked for.
    pub fn lines_asked(&self) -> &[LinesId] {
        &self.lines
    }

    /// The actions in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Action<'_>> {
        self.steps.iter().map(|step| match *step {
            Step::Open(socket, carrier) => Action::Open { socket, carrier },
            Step::Send(socket, ref range) => Action::Send {
                socket,
                bytes: &self.bytes[range.clone()],
            },
            Step::Pause(socket) => Action::Pause { socket },
            Step::Resume(socket) => Action::Resume { socket },
            Step::Close(socket, how) => Action::Close { socket, how },
        })
    }

    /// Forgets them, keeping the buffers.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.bytes.clear();
        self.orders.clear();
        self.lines.clear();
    }
}

/// How we end a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Teardown {
    /// Write what is queued, then say in TLS and WebSocket that nothing follows, then FIN and close.
    Fin,
    /// Write what is queued, then FIN and close, without a word in TLS and WebSocket.
    Abort,
    /// Write what was sent before as far as the socket takes it at once, then RST (`SO_LINGER` of
    /// 0).
    Reset,
    /// FIN for our sending side only; go on reading until the peer closes.
    HalfClose,
    /// Keep the socket open, read and drop what comes, write nothing: like a device whose radio is
    /// dead. The peer's close is still reported, then the socket is freed.
    Silent,
}
