//! How bytes pass between the fleet and the broker: through TLS and WebSocket where a connection has them, and
//! through the tamper, which is given MQTT.
//!
//! Without layers the tamper sits at the device's end of the pipe, with them between the broker and its transport.

use squall_fleet::{Sink, SocketId, Teardown};
use squall_protocol::Instant;
use squall_scenario::Carrier;

use super::arrival::{Arrived, FromWire};
use super::tamper::{ByteStream, Direction, Passed};
use super::{PeerClose, Unread, World};

impl<S: Sink> World<S> {
    /// A device asks for a connection.
    pub(super) fn open(&mut self, socket: SocketId, carrier: Carrier) {
        let ends = self.layers.as_ref().and_then(|layers| layers.open(carrier));
        self.ports.open(self.now, socket, ends.map(Box::new));
    }

    /// A device sends bytes of MQTT.
    pub(super) fn send_from_device(&mut self, socket: SocketId, bytes: &[u8]) {
        match self.ports.ends_mut(socket) {
            None => self.pass_bytes(socket, Direction::ToBroker, bytes),
            Some(ends) => {
                let wire = ends.wrap_at_device(bytes);
                self.send_wire(self.now, socket, Direction::ToBroker, wire);
            }
        }
    }

    /// A device ends its stream.
    pub(super) fn end_from_device(&mut self, socket: SocketId, how: Teardown) {
        match self.ports.ends_mut(socket) {
            None => self.pass_end(socket, Direction::ToBroker),
            Some(ends) => {
                let wire = ends.goodbye_of_device(how);
                self.send_wire(self.now, socket, Direction::ToBroker, wire);
                self.ports.end(self.now, socket, Direction::ToBroker);
            }
        }
    }

    /// What the fleet is told of something that came to a device.
    pub(super) fn unwrap_at_device(&mut self, unread: Unread) -> Vec<Arrived> {
        let Unread {
            socket, arrived, ..
        } = unread;
        let Some(ends) = self.ports.ends_mut(socket) else {
            return vec![arrived];
        };
        let unwrapped = ends.arrive_at_device(&arrived);
        self.send_wire(self.now, socket, Direction::ToBroker, unwrapped.wire);
        if unwrapped.is_broken {
            self.ports.end(self.now, socket, Direction::ToBroker);
            self.forget_device(socket);
        }
        unwrapped.told
    }

    /// Something came to the broker's transport.
    pub(super) fn unwrap_at_broker(&mut self, socket: SocketId, wire: &FromWire) {
        let FromWire::Bytes(wire) = wire else {
            self.pass_end(socket, Direction::ToBroker);
            return;
        };
        let Some(ends) = self.ports.ends_mut(socket) else {
            return;
        };
        let unwrapped = ends.unwrap_at_broker(wire);
        self.send_wire(self.now, socket, Direction::ToDevice, unwrapped.wire);
        if !unwrapped.bytes.is_empty() {
            self.pass_bytes(socket, Direction::ToBroker, &unwrapped.bytes);
        }
        if unwrapped.is_broken {
            // The tamper is given what the device ends, and this is the transport's doing.
            self.ports.hand_over(self.now, socket, None);
        }
    }

    /// Bytes of MQTT pass the tamper, if there is one.
    pub(super) fn pass_bytes(&mut self, socket: SocketId, direction: Direction, bytes: &[u8]) {
        let Some(interceptor) = &mut self.interceptor else {
            self.put_bytes(self.now, ByteStream { socket, direction }, bytes.to_vec());
            return;
        };
        let from = ByteStream { socket, direction };
        interceptor.handle_bytes(self.now, from, bytes, &mut self.passed);
        self.pass_on(socket);
    }

    /// The end of a stream passes the tamper, if there is one.
    pub(super) fn pass_end(&mut self, socket: SocketId, direction: Direction) {
        let Some(interceptor) = &mut self.interceptor else {
            self.put_end(ByteStream { socket, direction });
            return;
        };
        interceptor.handle_end(ByteStream { socket, direction }, &mut self.passed);
        self.pass_on(socket);
    }

    /// Sends on what the tamper let through.
    fn pass_on(&mut self, socket: SocketId) {
        let mut all = std::mem::take(&mut self.passed);
        for passed in all.drain(..) {
            match passed {
                Passed::Bytes {
                    direction,
                    delay,
                    bytes,
                } => self.put_bytes(self.now + delay, ByteStream { socket, direction }, bytes),
                Passed::End(direction) => self.put_end(ByteStream { socket, direction }),
                Passed::Close => {
                    self.ports.mark_reset(socket);
                    for direction in [Direction::ToBroker, Direction::ToDevice] {
                        self.put_end(ByteStream { socket, direction });
                    }
                }
            }
        }
        self.passed = all;
    }

    /// Bytes of MQTT go on from the tamper at `at`.
    fn put_bytes(&mut self, at: Instant, stream: ByteStream, bytes: Vec<u8>) {
        let ByteStream { socket, direction } = stream;
        match (self.ports.ends_mut(socket), direction) {
            (None, _) => self.ports.send(at, socket, direction, bytes),
            (Some(_), Direction::ToBroker) => self.ports.hand_over(at, socket, Some(bytes)),
            (Some(ends), Direction::ToDevice) => {
                let wire = ends.wrap_at_broker(&bytes);
                self.send_wire(at, socket, direction, wire);
            }
        }
    }

    /// The end of a stream goes on from the tamper.
    fn put_end(&mut self, ByteStream { socket, direction }: ByteStream) {
        let is_reset = self.ports.how(socket) == PeerClose::Reset;
        match (self.ports.ends_mut(socket), direction) {
            (None, _) => self.ports.end(self.now, socket, direction),
            (Some(_), Direction::ToBroker) => self.ports.hand_over(self.now, socket, None),
            (Some(ends), Direction::ToDevice) => {
                if !is_reset {
                    let wire = ends.goodbye_of_broker();
                    self.send_wire(self.now, socket, direction, wire);
                }
                self.ports.end(self.now, socket, direction);
            }
        }
    }

    /// Puts what a transport has to say into the pipe, if it has anything to say.
    fn send_wire(&mut self, at: Instant, socket: SocketId, direction: Direction, wire: Vec<u8>) {
        if !wire.is_empty() {
            self.ports.send(at, socket, direction, wire);
        }
    }
}
