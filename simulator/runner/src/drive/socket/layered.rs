//! TLS and WebSocket on one socket: what comes is unwrapped before the fleet hears of it.
//!
//! The fleet hears that a transport is open when its handshakes are over.

use squall_fleet::{OpenError, PeerClose, Teardown};
use squall_transport::Transport;
use squall_world::layer_fault;

use super::{Mode, Progressed, Reader, Received, Socket};

impl Socket {
    /// Speaks `layers` between TCP and MQTT.
    pub(in crate::drive) fn through(self, layers: Option<Transport>) -> Self {
        Self {
            layers: layers.map(Box::new),
            ..self
        }
    }

    /// TCP is connected: open, unless TLS or WebSocket are to be agreed on first.
    pub(super) fn connected(&mut self) -> Option<Progressed> {
        let Some(layers) = &mut self.layers else {
            self.mode = Mode::Open;
            return Some(Progressed::Opened(self.asked_after));
        };
        self.mode = Mode::ShakingHands;
        layers.take_wire(&mut self.out);
        self.flush();
        // From now on the task has to look for bytes.
        self.wake_task();
        None
    }

    /// Takes what a read brought through the layers; `None` if there is nothing to tell of it yet.
    pub(super) fn take(&mut self, received: Received, reader: &mut Reader) -> Option<Progressed> {
        let Some(layers) = &mut self.layers else {
            return Some(Progressed::Received(received));
        };
        let fed = reader.unwrap(received, layers);
        let is_ready = layers.is_ready();
        // Handshakes, answers to pings, and after an error the alert that names it.
        layers.take_wire(&mut self.out);
        self.flush();
        let ended = fed.err().map(|error| layer_fault(&error));
        if self.mode == Mode::ShakingHands {
            return match ended {
                Some(fault) => Some(Progressed::OpenFailed(OpenError::Layer(fault))),
                // A broker says nothing before CONNECT: there is no MQTT in this yet.
                None => is_ready.then(|| {
                    self.mode = Mode::Open;
                    Progressed::Opened(self.asked_after)
                }),
            };
        }
        let ended = ended.map(PeerClose::Layer);
        match (reader.bytes(received).is_empty(), ended) {
            (true, None) => None,
            (true, Some(how)) => Some(Progressed::PeerClosed(how)),
            (false, ended) => {
                self.layers_ended = ended;
                if ended.is_some() {
                    self.wake_task();
                }
                Some(Progressed::Received(received))
            }
        }
    }

    /// The peer ended the stream.
    pub(super) fn ended(&self, how: PeerClose) -> Progressed {
        let handshake = self
            .layers
            .as_ref()
            .filter(|_| self.mode == Mode::ShakingHands);
        match handshake.map(|layers| layers.feed_end()) {
            Some(Err(error)) => Progressed::OpenFailed(OpenError::Layer(layer_fault(&error))),
            Some(Ok(())) => Progressed::OpenFailed(OpenError::Other),
            None if self.mode == Mode::Leaving => Progressed::Gone,
            None => Progressed::PeerClosed(how),
        }
    }

    /// What TLS and WebSocket send before the end of the stream, where that comes in order.
    pub(super) fn say_goodbye(&mut self, how: Teardown) {
        let Some(layers) = &mut self.layers else {
            return;
        };
        match how {
            Teardown::Fin | Teardown::HalfClose => {
                layers.close(&mut self.out);
                self.flush();
            }
            Teardown::Abort | Teardown::Reset | Teardown::Silent => {}
        }
    }
}
