//! The pipes between the devices and the broker, and what is in them.
//!
//! Invariant: what goes in in one direction of one connection comes out in that order.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_core::ConnectionId;
use squall_fleet::{Input, OpenError, PeerClose, SocketId};
use squall_protocol::Instant;

use super::Direction;

/// One way, always. Small against any link, and above zero, so that a cause comes before its
/// effect.
pub const PIPE_LATENCY: Duration = Duration::from_micros(20);

/// All connections and what is on its way.
#[derive(Debug, Default)]
pub(super) struct Ports {
    by_socket: HashMap<SocketId, Port>,
    /// The broker's side, by slot.
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    /// What is on its way, by the time at which it comes out and then in the order in which it was
    /// put in.
    contents: BTreeMap<Place, (SocketId, Content)>,
    /// Numbers what is put in.
    count: u64,
    /// Whether nothing listens at the broker's end.
    is_deaf: bool,
}

/// A place in the order in which things come out of the pipes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place {
    /// When it comes out.
    at: Instant,
    /// Its number among all that was put in: of two things that come out at one moment, the one put in
    /// first comes first.
    number: u64,
}

/// The state of one connection between a device and the broker.
#[derive(Debug)]
struct Port {
    /// `None` before the broker accepted and after it forgot.
    connection: Option<ConnectionId>,
    device: DeviceSide,
    /// How each side sees the connection end.
    how: PeerClose,
    /// When the last thing that was put in comes out.
    last_to_broker: Instant,
    last_to_device: Instant,
    reading: Reading,
}

/// Whether the device's side reads what came.
#[derive(Debug)]
enum Reading {
    /// From the beginning, or since a pause ended then.
    Since(Instant),
    /// Not now; what came out meanwhile, with its place in [`Ports::contents`].
    Paused(Vec<(Place, Content)>),
}

/// Whether the device's side takes what comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DeviceSide {
    Open,
    /// Bytes are dropped, the end is told.
    Silent,
    /// Bytes are dropped, and the end is not told.
    Closed,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    generation: u32,
    socket: Option<SocketId>,
}

#[derive(Debug)]
enum Content {
    Open,
    Opened,
    Refused,
    Bytes(Direction, Vec<u8>),
    End(Direction),
}

/// Something that came out of a port.
#[derive(Debug)]
pub(super) struct CameOut {
    /// When: not after it is looked for.
    pub(super) at: Instant,
    pub(super) socket: SocketId,
    pub(super) arrival: Arrival,
}

/// Something came out of a pipe.
#[derive(Debug)]
pub(super) enum Arrival {
    AtBroker(ConnectionId, Arrived),
    AtDevice(Arrived),
}

/// What a pipe gives to one of its ends.
#[derive(Debug)]
pub(super) enum Arrived {
    Opened,
    /// Nothing listens at the broker's end.
    Refused,
    Bytes(Vec<u8>),
    Closed(PeerClose),
}

impl Arrived {
    /// As the broker hears it.
    pub(super) fn for_broker(&self, connection: ConnectionId) -> squall_core::Input<'_> {
        match self {
            Self::Opened => squall_core::Input::Opened { connection },
            Self::Bytes(bytes) => squall_core::Input::Received { connection, bytes },
            // A connection that was refused has none.
            Self::Refused | Self::Closed(_) => squall_core::Input::Lost { connection },
        }
    }

    /// As the fleet hears it, `waited` after it came out.
    pub(super) fn for_fleet(&self, socket: SocketId, waited: Duration) -> Input<'_> {
        match self {
            Self::Opened => Input::Opened {
                socket,
                waited: Duration::ZERO,
            },
            Self::Refused => Input::OpenFailed {
                socket,
                error: OpenError::Refused,
            },
            Self::Bytes(bytes) => Input::Received {
                socket,
                bytes,
                waited: Some(waited),
            },
            Self::Closed(how) => Input::Closed { socket, how: *how },
        }
    }
}

impl Ports {
    /// When the next thing comes out.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.contents.keys().next().map(|place| place.at)
    }

    /// A device asks for a connection.
    pub(super) fn open(&mut self, now: Instant, socket: SocketId) {
        let port = Port {
            connection: None,
            device: DeviceSide::Open,
            how: PeerClose::Fin,
            last_to_broker: now,
            last_to_device: now,
            reading: Reading::Since(now),
        };
        self.by_socket.insert(socket, port);
        self.put(now, socket, Direction::ToBroker, Content::Open);
    }

    /// Bytes go in at `now` or, if tampered with, later.
    pub(super) fn send(
        &mut self,
        now: Instant,
        socket: SocketId,
        direction: Direction,
        bytes: Vec<u8>,
    ) {
        self.put(now, socket, direction, Content::Bytes(direction, bytes));
    }

    /// The sender in `direction` closes.
    pub(super) fn end(&mut self, now: Instant, socket: SocketId, direction: Direction) {
        self.put(now, socket, direction, Content::End(direction));
    }

    fn put(&mut self, now: Instant, socket: SocketId, direction: Direction, content: Content) {
        let Some(port) = self.by_socket.get_mut(&socket) else {
            return;
        };
        let last = match direction {
            Direction::ToBroker => &mut port.last_to_broker,
            Direction::ToDevice => &mut port.last_to_device,
        };
        *last = (now + PIPE_LATENCY).max(*last);
        let place = Place {
            at: *last,
            number: self.count,
        };
        self.contents.insert(place, (socket, content));
        self.count += 1;
    }

    /// The device's side reads nothing until [`Self::resume`].
    pub(super) fn pause(&mut self, socket: SocketId) {
        if let Some(port) = self.by_socket.get_mut(&socket) {
            port.reading = Reading::Paused(Vec::new());
        }
    }

    /// The device's side reads on: first what came meanwhile.
    pub(super) fn resume(&mut self, now: Instant, socket: SocketId) {
        let Some(port) = self.by_socket.get_mut(&socket) else {
            return;
        };
        let reading = std::mem::replace(&mut port.reading, Reading::Since(now));
        if let Reading::Paused(unread) = reading {
            let unread = unread.into_iter();
            self.contents
                .extend(unread.map(|(place, content)| (place, (socket, content))));
        }
    }

    /// Keeps what came out for the device's side if that does not read now; gives it back otherwise.
    fn keep_unread(&mut self, place: Place, socket: SocketId, content: Content) -> Option<Content> {
        let is_for_device = match &content {
            Content::Open | Content::Opened | Content::Refused => false,
            Content::Bytes(direction, _) | Content::End(direction) => {
                *direction == Direction::ToDevice
            }
        };
        match self.by_socket.get_mut(&socket) {
            Some(Port {
                device: DeviceSide::Open,
                reading: Reading::Paused(unread),
                ..
            }) if is_for_device => {
                unread.push((place, content));
                None
            }
            Some(_) | None => Some(content),
        }
    }

    /// From when on what came out at `at` waits for the device's side.
    fn unread_since(&self, socket: SocketId, at: Instant) -> Instant {
        match self.by_socket.get(&socket).map(|port| &port.reading) {
            Some(&Reading::Since(since)) => at.max(since),
            Some(Reading::Paused(_)) | None => at,
        }
    }

    /// From here on the device says nothing and hears nothing but the end.
    pub(super) fn silence(&mut self, socket: SocketId) {
        if let Some(port) = self.by_socket.get_mut(&socket) {
            port.device = DeviceSide::Silent;
        }
    }

    /// The connection ends by a reset, not in order.
    pub(super) fn mark_reset(&mut self, socket: SocketId) {
        if let Some(port) = self.by_socket.get_mut(&socket) {
            port.how = PeerClose::Reset;
        }
    }

    /// The device closed its side.
    pub(super) fn forget_device(&mut self, socket: SocketId) {
        if let Some(port) = self.by_socket.get_mut(&socket) {
            port.device = DeviceSide::Closed;
        }
    }

    /// The broker closed its side; gives the socket, if the connection had not ended before.
    pub(super) fn forget_broker(&mut self, connection: ConnectionId) -> Option<SocketId> {
        let socket = self.socket(connection)?;
        self.slots[connection.slot as usize].socket = None;
        self.free_slots.push(connection.slot);
        if let Some(port) = self.by_socket.get_mut(&socket) {
            port.connection = None;
        }
        Some(socket)
    }

    /// From now on nothing listens at the broker's end, and its side of all connections is gone; gives both ends of each.
    pub(super) fn stop_listening(&mut self) -> Vec<(ConnectionId, SocketId)> {
        self.is_deaf = true;
        let slots = (0_u32..).zip(&self.slots);
        let connections = slots.filter_map(|(number, slot)| {
            let connection = ConnectionId {
                slot: number,
                generation: slot.generation,
            };
            Some((connection, slot.socket?))
        });
        let connections: Vec<_> = connections.collect();
        for &(connection, _) in &connections {
            self.forget_broker(connection);
        }
        connections
    }

    /// The broker listens again.
    pub(super) fn listen(&mut self) {
        self.is_deaf = false;
    }

    /// Everything that is on its way is gone, and so are all connections; gives the broker's sides.
    pub(super) fn forget_all(&mut self) -> Vec<ConnectionId> {
        self.by_socket.clear();
        self.contents.clear();
        let mut forgotten = Vec::new();
        for (number, slot) in (0_u32..).zip(&mut self.slots) {
            if slot.socket.take().is_some() {
                self.free_slots.push(number);
                forgotten.push(ConnectionId {
                    slot: number,
                    generation: slot.generation,
                });
            }
        }
        forgotten
    }

    /// The socket at the other end.
    pub(super) fn socket(&self, connection: ConnectionId) -> Option<SocketId> {
        let slot = self.slots.get(connection.slot as usize)?;
        slot.socket
            .filter(|_| slot.generation == connection.generation)
    }

    /// Takes the next thing that comes out by `now` and that one side hears.
    pub(super) fn poll(&mut self, now: Instant) -> Option<CameOut> {
        while self.next_due()? <= now {
            let (place, (socket, content)) = self.contents.pop_first()?;
            let Some(content) = self.keep_unread(place, socket, content) else {
                continue;
            };
            let at = self.unread_since(socket, place.at);
            if let Some(arrival) = self.arrive(now, socket, content) {
                return Some(CameOut {
                    at,
                    socket,
                    arrival,
                });
            }
        }
        None
    }

    fn arrive(&mut self, now: Instant, socket: SocketId, content: Content) -> Option<Arrival> {
        match content {
            Content::Open if self.is_deaf => {
                self.put(now, socket, Direction::ToDevice, Content::Refused);
                None
            }
            Content::Refused => {
                let port = self.by_socket.remove(&socket)?;
                let is_open = port.device == DeviceSide::Open;
                is_open.then_some(Arrival::AtDevice(Arrived::Refused))
            }
            Content::Open => {
                let connection = self.accept(socket)?;
                self.put(now, socket, Direction::ToDevice, Content::Opened);
                Some(Arrival::AtBroker(connection, Arrived::Opened))
            }
            Content::Opened => {
                let port = self.by_socket.get(&socket)?;
                let is_open = port.device == DeviceSide::Open;
                is_open.then_some(Arrival::AtDevice(Arrived::Opened))
            }
            Content::Bytes(Direction::ToBroker, bytes) => {
                let connection = self.by_socket.get(&socket)?.connection?;
                Some(Arrival::AtBroker(connection, Arrived::Bytes(bytes)))
            }
            Content::Bytes(Direction::ToDevice, bytes) => {
                let port = self.by_socket.get(&socket)?;
                let is_open = port.device == DeviceSide::Open;
                is_open.then_some(Arrival::AtDevice(Arrived::Bytes(bytes)))
            }
            Content::End(Direction::ToBroker) => {
                let port = self.by_socket.get(&socket)?;
                let (connection, how) = (port.connection?, port.how);
                self.forget_broker(connection);
                // The broker closes its own side when it hears the end.
                self.put(
                    now,
                    socket,
                    Direction::ToDevice,
                    Content::End(Direction::ToDevice),
                );
                Some(Arrival::AtBroker(connection, Arrived::Closed(how)))
            }
            Content::End(Direction::ToDevice) => {
                let port = self.by_socket.remove(&socket)?;
                if let Some(connection) = port.connection {
                    // The tamper ended it for the device alone: the broker's side stays.
                    self.by_socket.insert(
                        socket,
                        Port {
                            connection: Some(connection),
                            device: DeviceSide::Closed,
                            ..port
                        },
                    );
                }
                let is_told = port.device != DeviceSide::Closed;
                is_told.then_some(Arrival::AtDevice(Arrived::Closed(port.how)))
            }
        }
    }

    fn accept(&mut self, socket: SocketId) -> Option<ConnectionId> {
        let port = self.by_socket.get_mut(&socket)?;
        let slot = match self.free_slots.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).expect("no more slots than connections")
            }
        };
        let entry = &mut self.slots[slot as usize];
        entry.generation += 1;
        entry.socket = Some(socket);
        let connection = ConnectionId {
            slot,
            generation: entry.generation,
        };
        port.connection = Some(connection);
        Some(connection)
    }
}
