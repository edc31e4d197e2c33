//! The pipes between the devices and the broker, and what is in them.
//!
//! Invariant: what goes in in one direction of one connection comes out in that order.
//!
//! Where TLS or WebSocket lies between, what goes in is what they make of MQTT, and a Port has their [`Ends`]. What
//! the broker's end has unwrapped goes to the broker in order as well, at once or when a tamper lets it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_core::ConnectionId;
use squall_fleet::{OpenError, PeerClose, SocketId};
use squall_protocol::Instant;

use super::Direction;
use super::arrival::{Arrival, Arrived, CameOut, Content, FromWire};
use super::ends::Ends;

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
    carried: Carried,
}

/// Bytes that were put into all pipes of a world: those of TLS and WebSocket, where they are spoken, and else of MQTT.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Carried {
    /// By the devices.
    pub to_broker: u64,
    /// By the broker.
    pub to_device: u64,
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
    /// The same of what the broker's transport has unwrapped.
    last_unwrapped: Instant,
    reading: Reading,
    /// TLS and WebSocket at both ends; `None` where MQTT is straight in the pipe.
    ends: Option<Box<Ends>>,
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

impl Ports {
    /// When the next thing comes out.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.contents.keys().next().map(|place| place.at)
    }

    /// A device asks for a connection, which has these ends.
    pub(super) fn open(&mut self, now: Instant, socket: SocketId, ends: Option<Box<Ends>>) {
        let port = Port {
            connection: None,
            device: DeviceSide::Open,
            how: PeerClose::Fin,
            last_to_broker: now,
            last_to_device: now,
            last_unwrapped: now,
            reading: Reading::Since(now),
            ends,
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
        let carried = match direction {
            Direction::ToBroker => &mut self.carried.to_broker,
            Direction::ToDevice => &mut self.carried.to_device,
        };
        *carried += bytes.len() as u64;
        let content = match (direction, self.ends_mut(socket)) {
            (Direction::ToBroker, Some(_)) => Content::Wire(FromWire::Bytes(bytes)),
            (Direction::ToBroker, None) | (Direction::ToDevice, _) => {
                Content::Bytes(direction, bytes)
            }
        };
        self.put(now, socket, direction, content);
    }

    /// The sender in `direction` closes.
    pub(super) fn end(&mut self, now: Instant, socket: SocketId, direction: Direction) {
        let content = match (direction, self.ends_mut(socket)) {
            (Direction::ToBroker, Some(_)) => Content::Wire(FromWire::End),
            (Direction::ToBroker, None) | (Direction::ToDevice, _) => Content::End(direction),
        };
        self.put(now, socket, direction, content);
    }

    /// The broker's transport has unwrapped these bytes, or its connection ends: the broker hears of it at `at`.
    pub(super) fn hand_over(&mut self, at: Instant, socket: SocketId, bytes: Option<Vec<u8>>) {
        let Some(port) = self.by_socket.get_mut(&socket) else {
            return;
        };
        port.last_unwrapped = port.last_unwrapped.max(at);
        let place = Place {
            at: port.last_unwrapped,
            number: self.count,
        };
        let content = match bytes {
            Some(bytes) => Content::Bytes(Direction::ToBroker, bytes),
            None => Content::End(Direction::ToBroker),
        };
        self.contents.insert(place, (socket, content));
        self.count += 1;
    }

    /// TLS and WebSocket of a connection that has them.
    pub(super) fn ends_mut(&mut self, socket: SocketId) -> Option<&mut Ends> {
        self.by_socket.get_mut(&socket)?.ends.as_deref_mut()
    }

    /// How the connection ends.
    pub(super) fn how(&self, socket: SocketId) -> PeerClose {
        self.by_socket
            .get(&socket)
            .map_or(PeerClose::Fin, |port| port.how)
    }

    /// What all pipes have carried.
    pub(super) fn carried(&self) -> Carried {
        self.carried
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
            Content::Open | Content::Opened | Content::Refused | Content::Wire(_) => false,
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
                is_open.then_some(Arrival::Device(Arrived::Failed(OpenError::Refused)))
            }
            Content::Open => {
                let connection = self.accept(socket)?;
                self.put(now, socket, Direction::ToDevice, Content::Opened);
                Some(Arrival::Broker(connection, Arrived::Opened))
            }
            Content::Opened => {
                let port = self.by_socket.get(&socket)?;
                let is_open = port.device == DeviceSide::Open;
                is_open.then_some(Arrival::Device(Arrived::Opened))
            }
            Content::Wire(wire) => {
                // The broker's transport is gone with its connection.
                self.by_socket.get(&socket)?.connection?;
                Some(Arrival::Transport(wire))
            }
            Content::Bytes(Direction::ToBroker, bytes) => {
                let connection = self.by_socket.get(&socket)?.connection?;
                Some(Arrival::Broker(connection, Arrived::Bytes(bytes)))
            }
            Content::Bytes(Direction::ToDevice, bytes) => {
                let port = self.by_socket.get(&socket)?;
                let is_open = port.device == DeviceSide::Open;
                is_open.then_some(Arrival::Device(Arrived::Bytes(bytes)))
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
                Some(Arrival::Broker(connection, Arrived::Closed(how)))
            }
            Content::End(Direction::ToDevice) => self.end_at_device(socket),
        }
    }

    fn end_at_device(&mut self, socket: SocketId) -> Option<Arrival> {
        let mut port = self.by_socket.remove(&socket)?;
        let (side, how) = (port.device, port.how);
        if port.connection.is_some() {
            // The tamper ended it for the device alone: the broker's side stays.
            port.device = DeviceSide::Closed;
            self.by_socket.insert(socket, port);
        }
        let is_told = side != DeviceSide::Closed;
        is_told.then_some(Arrival::Device(Arrived::Closed(how)))
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
