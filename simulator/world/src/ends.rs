//! TLS and WebSocket of one connection, at the device's end and at the broker's.

use squall_fleet::{LayerFault, OpenError, PeerClose, Teardown};
use squall_transport::Transport;

use super::arrival::Arrived;
use super::fault::layer_fault;

/// Both transports of one connection, and how far the device's is.
#[derive(Debug)]
pub(super) struct Ends {
    device: Transport,
    stage: Stage,
    broker: Transport,
}

/// Whether the fleet knows that the connection is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    ShakingHands,
    Open,
}

/// What the broker's transport makes of what came.
#[derive(Debug)]
pub(super) struct ForBroker {
    /// MQTT.
    pub(super) bytes: Vec<u8>,
    /// What goes back.
    pub(super) wire: Vec<u8>,
    /// The connection cannot go on: this end closes it.
    pub(super) is_broken: bool,
}

/// What the device's transport makes of what came.
#[derive(Debug, Default)]
pub(super) struct ForDevice {
    /// What is told, in order.
    pub(super) told: Vec<Arrived>,
    /// What goes back.
    pub(super) wire: Vec<u8>,
    /// The connection cannot go on: this end closes it.
    pub(super) is_broken: bool,
}

impl Ends {
    pub(super) fn new(device: Transport, broker: Transport) -> Self {
        Self {
            device,
            stage: Stage::ShakingHands,
            broker,
        }
    }

    /// Something came to the device. The fleet hears of a connection once its handshakes are over.
    pub(super) fn arrive_at_device(&mut self, arrived: &Arrived) -> ForDevice {
        let mut unwrapped = ForDevice::default();
        match arrived {
            Arrived::Opened => self.device.take_wire(&mut unwrapped.wire),
            Arrived::Failed(error) => unwrapped.told.push(Arrived::Failed(*error)),
            Arrived::Bytes(wire) => self.unwrap_at_device(wire, &mut unwrapped),
            Arrived::Closed(how) => unwrapped.told.push(self.closed_at_device(*how)),
        }
        unwrapped
    }

    fn unwrap_at_device(&mut self, wire: &[u8], unwrapped: &mut ForDevice) {
        let mut bytes = Vec::new();
        let fed = self.device.feed(wire, &mut bytes);
        self.device.take_wire(&mut unwrapped.wire);
        let fault = fed.err().map(|error| layer_fault(&error));
        unwrapped.is_broken = fault.is_some();
        let told = &mut unwrapped.told;
        match (self.stage, fault) {
            (Stage::ShakingHands, Some(fault)) => told.push(failed(fault)),
            // A broker says nothing before CONNECT: there is no MQTT in this yet.
            (Stage::ShakingHands, None) if self.device.is_ready() => {
                self.stage = Stage::Open;
                told.push(Arrived::Opened);
            }
            (Stage::ShakingHands, None) => {}
            (Stage::Open, fault) => {
                told.extend((!bytes.is_empty()).then_some(Arrived::Bytes(bytes)));
                told.extend(fault.map(|fault| Arrived::Closed(PeerClose::Layer(fault))));
            }
        }
    }

    fn closed_at_device(&self, how: PeerClose) -> Arrived {
        match (self.stage, self.device.feed_end()) {
            (Stage::Open, _) => Arrived::Closed(how),
            (Stage::ShakingHands, Err(error)) => failed(layer_fault(&error)),
            (Stage::ShakingHands, Ok(())) => Arrived::Failed(OpenError::Other),
        }
    }

    /// What the device sends for these bytes of MQTT.
    pub(super) fn wrap_at_device(&mut self, bytes: &[u8]) -> Vec<u8> {
        wrapped(&mut self.device, bytes)
    }

    /// What the device sends before the end of its stream.
    pub(super) fn goodbye_of_device(&mut self, how: Teardown) -> Vec<u8> {
        let mut wire = Vec::new();
        match (self.stage, how) {
            (Stage::Open, Teardown::Fin | Teardown::HalfClose) => self.device.close(&mut wire),
            (Stage::Open, Teardown::Abort | Teardown::Reset | Teardown::Silent)
            | (Stage::ShakingHands, _) => {}
        }
        wire
    }

    /// Bytes came to the broker's transport.
    pub(super) fn unwrap_at_broker(&mut self, wire: &[u8]) -> ForBroker {
        let (mut bytes, mut answer) = (Vec::new(), Vec::new());
        let fed = self.broker.feed(wire, &mut bytes);
        self.broker.take_wire(&mut answer);
        ForBroker {
            bytes,
            wire: answer,
            is_broken: fed.is_err(),
        }
    }

    /// What the broker sends for these bytes of MQTT.
    pub(super) fn wrap_at_broker(&mut self, bytes: &[u8]) -> Vec<u8> {
        wrapped(&mut self.broker, bytes)
    }

    /// What the broker sends before the end of its stream.
    pub(super) fn goodbye_of_broker(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        self.broker.close(&mut wire);
        wire
    }
}

fn wrapped(end: &mut Transport, bytes: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    // Refused only after the other end has closed: it reads nothing more.
    let _ = end.wrap(bytes, &mut wire);
    wire
}

fn failed(fault: LayerFault) -> Arrived {
    Arrived::Failed(OpenError::Layer(fault))
}
