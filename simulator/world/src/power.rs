//! What faults do to the broker in virtual time: it is dropped and made anew, or not stepped.
//!
//! A broker that is killed or restarted forgets everything, or nothing: it has no disk here, or a perfect one
//! ([`Memory`]). While it is away, nothing listens at its port; while it is paused, its system accepts connections and keeps
//! what comes for it.

use squall_core::{Broker, ClientIds, ConnectionId, Input as BrokerInput};
use squall_fleet::{BrokerEvent, BrokerOrder, Input, Sink, SocketId};

use super::World;
use super::arrival::{Arrived, FromWire};

/// What the broker knows when it comes back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Memory {
    /// Nothing.
    #[default]
    Lost,
    /// Everything, as if all of it were on a disk in time. Wills of the connections that ended with its process are due.
    Kept,
}

/// Whether the broker runs.
#[derive(Debug, Default)]
pub(super) enum Power {
    /// It does.
    #[default]
    On,
    /// It is stopped, and this came for it meanwhile, in order.
    Paused(Vec<Held>),
    /// It has no process.
    Off,
}

/// What came for a broker that is paused.
#[derive(Debug)]
pub(super) enum Held {
    ForBroker(ConnectionId, Arrived),
    ForTransport(SocketId, FromWire),
}

impl<S: Sink> World<S> {
    /// Does to the broker what the fleet asked for, and tells it what came of it.
    pub(super) fn carry_out_order(&mut self, order: BrokerOrder) {
        let event = match order {
            BrokerOrder::Kill => {
                self.cut_power();
                BrokerEvent::Halted
            }
            BrokerOrder::Stop => {
                let now = self.broker_now();
                self.broker
                    .handle(now, BrokerInput::Shutdown, &mut self.outboxes);
                self.write_effects();
                self.cut_power();
                BrokerEvent::Halted
            }
            BrokerOrder::Pause => {
                self.power = Power::Paused(Vec::new());
                BrokerEvent::Halted
            }
            BrokerOrder::Resume => {
                self.wake();
                BrokerEvent::Back
            }
            BrokerOrder::Start => {
                if self.memory == Memory::Lost {
                    let config = self.broker.config().clone();
                    let now = self.broker_now();
                    self.broker = Broker::new(config, ClientIds::counted(), now);
                }
                self.power = Power::On;
                self.ports.listen();
                BrokerEvent::Back
            }
        };
        let input = Input::Broker(event);
        self.fleet.handle(self.now, input, &mut self.actions);
        self.carry_out_actions();
    }

    /// The broker's process is gone: its system resets all its connections.
    fn cut_power(&mut self) {
        self.power = Power::Off;
        for (connection, socket) in self.ports.stop_listening() {
            let lost = BrokerInput::Lost { connection };
            self.broker
                .handle(self.broker_now(), lost, &mut self.outboxes);
            self.outboxes.forget(connection);
            self.ports.mark_reset(socket);
            self.pass_end(socket, super::Direction::ToDevice);
        }
    }

    /// The broker reads what came while it was paused.
    fn wake(&mut self) {
        if let Power::Paused(held) = std::mem::take(&mut self.power) {
            for held in held {
                match held {
                    Held::ForBroker(connection, arrived) => {
                        self.hand_to_broker(connection, &arrived);
                    }
                    Held::ForTransport(socket, wire) => self.unwrap_at_broker(socket, &wire),
                }
            }
        }
    }

    /// Something came for the broker.
    pub(super) fn arrive_at_broker(&mut self, connection: ConnectionId, arrived: Arrived) {
        match &mut self.power {
            Power::On => self.hand_to_broker(connection, &arrived),
            Power::Paused(held) => held.push(Held::ForBroker(connection, arrived)),
            // Its connections are gone: nothing comes for it.
            Power::Off => {}
        }
    }

    /// Something came for the broker's transport, which is of the broker's process.
    pub(super) fn arrive_at_transport(&mut self, socket: SocketId, wire: FromWire) {
        match &mut self.power {
            Power::On => self.unwrap_at_broker(socket, &wire),
            Power::Paused(held) => held.push(Held::ForTransport(socket, wire)),
            Power::Off => {}
        }
    }

    fn hand_to_broker(&mut self, connection: ConnectionId, arrived: &Arrived) {
        let input = arrived.for_broker(connection);
        let now = self.broker_now();
        self.broker.handle(now, input, &mut self.outboxes);
        if matches!(arrived, Arrived::Closed(_)) {
            self.outboxes.forget(connection);
        }
    }
}
