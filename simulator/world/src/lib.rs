//! A run in memory and in virtual time: the real broker core and the fleet in one thread.
//!
//! A discrete-event loop: time jumps from one event to the next. Between the two sides lie pipes
//! that keep order and every byte and take [`PIPE_LATENCY`] each way; a [`Tamper`] may sit in them.
//! Where the scenario speaks TLS or WebSocket, so do both ends of each pipe, and their handshakes take
//! their round trips. Every random draw comes from the scenario's seed, so the same scenario gives the
//! same run, bit for bit, on every machine; but for what TLS and WebSocket hide MQTT in, of which the
//! lengths are the same.

mod arrival;
mod clients;
mod commands;
mod ends;
mod fault;
mod interceptor;
mod judged;
mod layers;
mod passing;
mod pipe;
mod power;
mod tamper;
mod throwaway;

use std::ops::Range;
use std::time::Duration;

use squall_core::{Broker, Close, ConnectionId, Outboxes};
use squall_fleet::{
    Action, Actions, Fleet, Input, Outcome, PeerClose, Sink, SocketId, Standstill, Teardown,
};
use squall_protocol::Instant;

use arrival::{Arrival, Arrived};
use commands::Commands;
use pipe::Ports;
use power::Power;

pub use clients::{ClientsError, tls_clients};
pub use commands::Script;
pub use fault::layer_fault;
pub use interceptor::Interceptor;
pub use judged::{recorded, recorded_fleet, run};
pub use layers::Layers;
pub use pipe::{Carried, PIPE_LATENCY};
pub use power::Memory;
pub use tamper::{ByteStream, Direction, Passed, Passing, Tamper, Tampered, TamperedClose};

/// Something that came to a device and that the fleet's side has not read.
#[derive(Debug)]
struct Unread {
    since: Instant,
    socket: SocketId,
    arrived: Arrived,
}

/// A fleet, a broker, and what is between them.
pub struct World<S> {
    now: Instant,
    /// How long the fleet's side takes to carry out one action.
    time_per_action: Duration,
    /// The time in which the fleet's side does nothing.
    standstill: Range<Instant>,
    /// What came to the devices meanwhile, in order.
    unread: Vec<Unread>,
    fleet: Fleet<S>,
    broker: Broker,
    /// Whether it runs, by what faults did to it.
    power: Power,
    /// What it knows when it comes back.
    memory: Memory,
    /// How long the broker had served other runs when this one began.
    broker_age: Duration,
    interceptor: Option<Interceptor>,
    /// What lies between the pipes and MQTT; `None` for nothing.
    layers: Option<Layers>,
    ports: Ports,
    /// What gives payloads.
    commands: Commands,
    outboxes: Outboxes,
    actions: Actions,
    /// Reused between turns.
    dirty: Vec<ConnectionId>,
    closes: Vec<Close>,
    passed: Vec<Passed>,
}

impl<S: Sink> World<S> {
    /// Both sides at the start of the run, with layers between them as [`Layers::rehearsed`] makes them.
    ///
    /// # Panics
    /// If there are none such: that function says why.
    pub fn new(fleet: Fleet<S>, broker: Broker) -> Self {
        let layers = rehearsed(&fleet);
        Self {
            now: Instant::ZERO,
            time_per_action: Duration::ZERO,
            standstill: Instant::ZERO..Instant::ZERO,
            unread: Vec::new(),
            fleet,
            broker,
            power: Power::On,
            memory: Memory::Lost,
            broker_age: Duration::ZERO,
            interceptor: None,
            layers,
            ports: Ports::default(),
            commands: Commands::default(),
            outboxes: Outboxes::new(),
            actions: Actions::new(),
            dirty: Vec::new(),
            closes: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// The same world with `tamper` in every pipe.
    #[must_use]
    pub fn with_tamper(mut self, tamper: Box<dyn Tamper>) -> Self {
        self.interceptor = Some(Interceptor::new(tamper));
        self
    }

    /// The same world with these layers between devices and broker.
    #[must_use]
    pub fn with_layers(mut self, layers: Layers) -> Self {
        self.layers = Some(layers);
        self
    }

    /// The same world with a slow generator: it takes `time` for each thing that the fleet asks for,
    /// and does nothing else meanwhile.
    #[must_use]
    pub fn with_time_per_action(mut self, time: Duration) -> Self {
        self.time_per_action = time;
        self
    }

    /// The same world with a broker that knows this when it comes back from what a fault did to it.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// Another run on the broker of this one. This one ends here, over or not: all its connections are
    /// lost, as if the simulator had been killed.
    ///
    /// # Panics
    /// As [`Self::new`] does.
    pub fn followed_by<T: Sink>(mut self, fleet: Fleet<T>) -> World<T> {
        let now = self.broker_now();
        for connection in self.ports.forget_all() {
            let input = squall_core::Input::Lost { connection };
            self.broker.handle(now, input, &mut self.outboxes);
            self.outboxes.forget(connection);
        }
        let layers = rehearsed(&fleet);
        World {
            now: Instant::ZERO,
            time_per_action: self.time_per_action,
            standstill: self.standstill,
            unread: Vec::new(),
            fleet,
            broker: self.broker,
            power: Power::On,
            memory: self.memory,
            broker_age: now.since_start(),
            interceptor: None,
            layers,
            ports: self.ports,
            commands: Commands::default(),
            outboxes: self.outboxes,
            actions: Actions::new(),
            dirty: self.dirty,
            closes: self.closes,
            passed: self.passed,
        }
    }

    /// The same world with a generator that does nothing from `start` on for `length`: what is due
    /// then, and what comes to the devices, it takes in afterwards.
    #[must_use]
    pub fn with_standstill(mut self, start: Instant, length: Duration) -> Self {
        self.standstill = start..start + length;
        self
    }

    /// The moment of virtual time that the world has reached.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The run as it stands.
    pub fn fleet(&self) -> &Fleet<S> {
        &self.fleet
    }

    /// What the pipes have carried.
    pub fn carried(&self) -> Carried {
        self.ports.carried()
    }

    /// The broker as it stands.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Runs to the end.
    pub fn run(mut self) -> Outcome<S> {
        while self.step() {}
        self.fleet.finish(self.now)
    }

    /// Ends the run at once, wherever it is: nothing more is awaited.
    pub fn cut(self) -> Outcome<S> {
        self.fleet.finish(self.now)
    }

    /// Ends the run early: drain, checks, goodbye.
    pub fn stop(&mut self) {
        self.fleet.handle(self.now, Input::Stop, &mut self.actions);
        self.carry_out_actions();
    }

    /// Jumps to the next moment at which anything happens and lets it happen; false once the run
    /// is over.
    pub fn step(&mut self) -> bool {
        if self.fleet.is_finished() {
            return false;
        }
        let events = [
            self.ports.next_due(),
            self.next_of_fleet(),
            self.broker_deadline(),
            self.next_lines(),
        ];
        let next = events.into_iter().flatten().min();
        let next = next.expect("a run that is not over has a deadline for its phase");
        self.now = self.now.max(next);
        self.deliver();
        self.hand_lines();
        if is_due(self.broker_deadline(), self.now) {
            let input = squall_core::Input::DeadlinePassed;
            self.broker
                .handle(self.broker_now(), input, &mut self.outboxes);
        }
        self.carry_out_actions();
        if let Some(due) = self.next_of_fleet()
            && due <= self.now
            && !is_due(self.ports.next_due(), due)
        {
            // What had arrived by then has been told.
            let input = Input::DeadlinePassed;
            self.fleet.handle(self.now, input, &mut self.actions);
            self.carry_out_actions();
        }
        self.write_effects();
        true
    }

    /// The moment by the broker's clock, which began with its first run.
    fn broker_now(&self) -> Instant {
        self.now + self.broker_age
    }

    /// The broker's deadline by this run's clock.
    fn broker_deadline(&self) -> Option<Instant> {
        let Power::On = self.power else {
            return None;
        };
        let age = self.broker_age.as_nanos();
        let age = u64::try_from(age).expect("a broker is younger than 584 years");
        let deadline = self.broker.next_deadline()?;
        Some(Instant::from_nanos(deadline.as_nanos().saturating_sub(age)))
    }

    /// When the fleet's side has to do something next.
    fn next_of_fleet(&self) -> Option<Instant> {
        let resumes = (!self.standstill.is_empty()).then_some(self.standstill.end);
        let deadline = self.fleet.next_deadline().map(|at| {
            let is_held = self.standstill.contains(&at.max(self.now));
            if is_held { self.standstill.end } else { at }
        });
        [resumes, deadline].into_iter().flatten().min()
    }

    /// Hands over everything that has arrived.
    fn deliver(&mut self) {
        let stands_still = self.standstill.contains(&self.now);
        if !stands_still {
            self.resume();
        }
        while let Some(out) = self.ports.poll(self.now) {
            match out.arrival {
                Arrival::Broker(connection, arrived) => {
                    self.arrive_at_broker(connection, arrived);
                }
                Arrival::Transport(wire) => self.arrive_at_transport(out.socket, wire),
                Arrival::Device(arrived) => {
                    let unread = Unread {
                        since: out.at,
                        socket: out.socket,
                        arrived,
                    };
                    if stands_still {
                        self.unread.push(unread);
                    } else {
                        self.read(unread);
                    }
                }
            }
        }
    }

    /// The fleet's side goes on after it stood still, and reads what came meanwhile.
    fn resume(&mut self) {
        let Range { start, end } = self.standstill;
        if start < end && end <= self.now {
            self.standstill = end..end;
            let input = Input::StoodStill {
                since: start,
                what: Standstill::Whole,
            };
            self.fleet.handle(self.now, input, &mut self.actions);
        }
        for unread in std::mem::take(&mut self.unread) {
            self.read(unread);
        }
    }

    /// The fleet's side reads what came to a device.
    fn read(&mut self, unread: Unread) {
        let Unread { since, socket, .. } = unread;
        let waited = self.now.saturating_since(since);
        for arrived in self.unwrap_at_device(unread) {
            let input = arrived.for_fleet(socket, waited);
            self.fleet.handle(self.now, input, &mut self.actions);
        }
        if matches!(self.actions.iter().next_back(), Some(Action::Pause { .. })) {
            // What else came at this moment is not read.
            self.carry_out_actions();
        }
    }

    /// Does what the fleet asked for.
    fn carry_out_actions(&mut self) {
        let actions = std::mem::take(&mut self.actions);
        let orders = actions.orders().to_vec();
        self.commands.ask(actions.lines_asked());
        for action in actions.iter() {
            match action {
                Action::Open { socket, carrier } => self.open(socket, carrier),
                Action::Send { socket, bytes } => self.send_from_device(socket, bytes),
                Action::Pause { socket } => self.ports.pause(socket),
                Action::Resume { socket } => self.ports.resume(self.now, socket),
                Action::Close { socket, how } => self.close(socket, how),
            }
            self.now += self.time_per_action;
        }
        self.actions = actions;
        self.actions.clear();
        for order in orders {
            self.carry_out_order(order);
        }
    }

    fn close(&mut self, socket: SocketId, how: Teardown) {
        match how {
            Teardown::Silent => {
                self.ports.silence(socket);
                self.ports.resume(self.now, socket);
            }
            Teardown::HalfClose => self.end_from_device(socket, how),
            Teardown::Fin | Teardown::Abort => {
                self.end_from_device(socket, how);
                self.forget_device(socket);
            }
            Teardown::Reset => {
                self.ports.mark_reset(socket);
                self.end_from_device(socket, how);
                self.forget_device(socket);
            }
        }
    }

    /// The device closed its side; what it has not read is dropped.
    fn forget_device(&mut self, socket: SocketId) {
        self.ports.forget_device(socket);
        self.ports.resume(self.now, socket);
    }

    /// Writes what the broker has to say, each connection once, then closes what it wants closed.
    fn write_effects(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        let mut closes = std::mem::take(&mut self.closes);
        self.outboxes.take_dirty(&mut dirty);
        for &connection in &dirty {
            self.write(connection);
        }
        self.outboxes.take_closes(&mut closes);
        for &Close { connection, .. } in &closes {
            self.write(connection);
            self.outboxes.forget(connection);
            if let Some(socket) = self.ports.forget_broker(connection) {
                self.pass_end(socket, Direction::ToDevice);
            }
        }
        self.dirty = dirty;
        self.closes = closes;
    }

    /// Moves one outbox into its pipe. A pipe is never full: whatever waited for room goes on.
    fn write(&mut self, connection: ConnectionId) {
        let bytes = self.outboxes.pending_bytes(connection).to_vec();
        if bytes.is_empty() {
            return;
        }
        self.outboxes.written(connection, bytes.len());
        if let Some(socket) = self.ports.socket(connection) {
            self.pass_bytes(socket, Direction::ToDevice, &bytes);
        }
        if bytes.len() >= self.broker.config().outbox.soft_bytes {
            let input = squall_core::Input::Drained { connection };
            self.broker
                .handle(self.broker_now(), input, &mut self.outboxes);
        }
    }
}

fn rehearsed<S: Sink>(fleet: &Fleet<S>) -> Option<Layers> {
    Layers::rehearsed(fleet.scenario()).expect("the names of the target can be those of servers")
}

fn is_due(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|at| at <= now)
}
