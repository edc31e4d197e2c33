//! The turns of a load: wait for sockets, read all that came, send what may be sent, write each socket once.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Poll, Token};
use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX};
use squall_protocol::{QoS, Version};
use squall_run::Histogram;
use squall_transport::Transport;

use crate::account::Account;
use crate::alarm::Alarm;
use crate::asking::Asking;
use crate::client::{Clients, Connection, Phase};
use crate::clock::{Clock, nanos};
use crate::ending::end_sessions;
use crate::error::{Client, LoadError};
use crate::layers::OpenLayers;
use crate::limits::{
    CONNECT_SILENCE_MAX, CONNECTS_AT_ONCE, DRAIN_MAX, DRAIN_SILENCE_MAX, EVENTS_PER_TURN,
    READ_BYTES, READS_PER_TURN, WAIT_MAX,
};
use crate::load::{Load, Sessions};
use crate::pauses::Pauses;
use crate::receive::World;
use crate::send::{Schedule, Sender, Stalls};

/// The token of the alarm; those of connections are their places.
const ALARM: Token = Token(usize::MAX);

/// A load on one broker, from its first connection to its last.
#[derive(Debug)]
pub struct Engine {
    clock: Clock,
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    /// What the last read brought of MQTT, where that is in layers.
    unwrapped: Vec<u8>,
    layers: Arc<dyn OpenLayers>,
    rules: DecodeRules,
    clients: Clients,
    world: World,
    sender: Sender,
    /// Connections whose reading was cut short, with what is left of their events.
    unread: Vec<u32>,
    pinged_at: u64,
    pauses: Pauses,
    stop: Arc<AtomicBool>,
    address: SocketAddr,
}

/// What was done by now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Messages that publishers were given.
    pub published: u64,
    /// Deliveries, each once.
    pub delivered: u64,
    /// PUBACK and PUBCOMP that publishers had.
    pub acknowledged: u64,
    /// Times that messages of a closed loop were taken for lost so that it could go on.
    pub stalls: u64,
    /// Most messages of an open loop that were due and could not be sent.
    pub backlog_max: u64,
}

/// Whether the load sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sending {
    On,
    Off,
}

impl Engine {
    /// Connects all clients of `load` to `address`, through `layers`, and subscribes. `stop` ends this and all that follows with
    /// [`LoadError::Stopped`], whenever it becomes true.
    ///
    /// # Errors
    /// The first client that cannot be connected or subscribed.
    pub fn connect(
        load: Load,
        address: SocketAddr,
        layers: Arc<dyn OpenLayers>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, LoadError> {
        let poll = Poll::new().map_err(LoadError::System)?;
        let alarm = Alarm::new(poll.registry(), ALARM).map_err(LoadError::System)?;
        let clock = Clock::start();
        let mut engine = Self {
            clock,
            poll,
            events: Events::with_capacity(EVENTS_PER_TURN),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            unwrapped: Vec::new(),
            layers,
            rules: DecodeRules {
                version: Some(load.version),
                maximum_packet_size: PACKET_BYTES_MAX,
            },
            clients: Clients::default(),
            world: World::new(load),
            sender: Sender {
                clock,
                alarm,
                schedule: Schedule::default(),
                stalls: Stalls::default(),
            },
            unread: Vec::new(),
            pinged_at: 0,
            pauses: Pauses::default(),
            stop,
            address,
        };
        engine.open_all()?;
        for place in 0..engine.world.publishers.len() as u32 {
            engine.world.list(place);
        }
        Ok(engine)
    }

    fn open_all(&mut self) -> Result<(), LoadError> {
        let address = self.address;
        let load = &self.world.load;
        let publishers = (0..load.publishers.len() as u32).map(Client::Publisher);
        let subscribers = (0..load.subscribers.len() as u32).map(Client::Subscriber);
        let mut clients = publishers.chain(subscribers);
        let all = load.publishers.len() + load.subscribers.len();
        let (mut moved_at, mut ready) = (self.clock.now(), 0);
        while self.world.ready < all {
            while self.clients.connections.len() - self.world.ready < CONNECTS_AT_ONCE
                && let Some(client) = clients.next()
            {
                let token = Token(self.clients.connections.len());
                let layers = self.layers.open();
                let opened = Connection::open(client, address, layers, self.poll.registry(), token);
                self.clients
                    .connections
                    .push(opened.map_err(|source| LoadError::Connection { client, source })?);
            }
            self.turn(Sending::Off, WAIT_MAX)?;
            let now = self.clock.now();
            if self.world.ready > ready {
                (moved_at, ready) = (now, self.world.ready);
            } else if now - moved_at > nanos(CONNECT_SILENCE_MAX) {
                let silent_s = CONNECT_SILENCE_MAX.as_secs();
                return Err(LoadError::Silent {
                    ready,
                    all,
                    silent_s,
                });
            }
        }
        Ok(())
    }

    /// Keeps the load up for `duration`.
    ///
    /// # Errors
    /// The first connection that fails or breaks the protocol.
    pub fn run(&mut self, duration: Duration) -> Result<(), LoadError> {
        let now = self.clock.now();
        let end = now + nanos(duration);
        if self.sender.schedule.begun_at.is_none() {
            self.sender.schedule.begun_at = Some(now);
            self.sender.stalls.moved_at = now;
        }
        loop {
            let now = self.clock.now();
            if now >= end {
                return Ok(());
            }
            let left = Duration::from_nanos(end - now);
            self.turn(Sending::On, left.min(WAIT_MAX))?;
            self.sender.look_for_stalls(&mut self.world);
            if self.pauses.is_due(now) {
                let progress = self.world.books.delivered() + self.world.acknowledged;
                let is_owed = !self.pauses.has_moved(progress) && self.missing() > 0;
                self.pauses.note(now, progress, is_owed);
            }
        }
    }

    /// Sends nothing more until the load is kept up again, and waits until all is delivered and acknowledged, or until nothing has come
    /// for two seconds from a broker that then answers pings, and for two more: what is missing of such a one is lost.
    ///
    /// # Errors
    /// The first connection that fails or breaks the protocol; [`LoadError::Unanswered`] of a broker that does not answer and
    /// [`LoadError::Unfinished`] of one that takes too long, since nothing is known of what is missing.
    pub fn drain(&mut self) -> Result<(), LoadError> {
        // An open loop that is kept up after it begins anew: nothing was due meanwhile.
        self.sender.schedule.end();
        let begun_at = self.clock.now();
        let (mut moved_at, mut seen) = (begun_at, self.counters());
        let mut asking = Asking::default();
        loop {
            let now = self.clock.now();
            if self.is_drained() {
                return Ok(());
            }
            if now - moved_at > nanos(DRAIN_SILENCE_MAX) {
                if asking.asked_at.is_none() {
                    self.clients.ping_all(self.world.load.version);
                }
                let connections = self.clients.unanswered();
                if asking.is_over(now, connections)? {
                    return Ok(());
                }
            } else if now - begun_at > nanos(DRAIN_MAX) {
                return Err(LoadError::Unfinished {
                    missing: self.missing(),
                    after_s: DRAIN_MAX.as_secs(),
                });
            }
            self.turn(Sending::Off, WAIT_MAX)?;
            let counters = self.counters();
            if counters != seen {
                (moved_at, seen) = (self.clock.now(), counters);
                asking = Asking::default();
            }
        }
    }

    /// Deliveries and acknowledgements that have not come.
    fn missing(&self) -> u64 {
        let account = self.account();
        let unacknowledged = match self.world.load.qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                account.published.saturating_sub(account.acknowledged)
            }
        };
        account.lost + unacknowledged
    }

    fn is_drained(&self) -> bool {
        let account = self.account();
        let mut publishers = self.world.publishers.iter();
        account.lost == 0
            && publishers.all(|publisher| publisher.is_acknowledged())
            && self
                .clients
                .connections
                .iter()
                .all(|one| !one.side.has_unwritten())
    }

    /// The least number of unacknowledged messages that any publisher may have: the load's, or fewer if the broker said so.
    pub fn unacknowledged_max(&self) -> u32 {
        let publishers = self.world.publishers.iter();
        let maxima = publishers.map(|publisher| publisher.unacknowledged_max());
        maxima.min().unwrap_or_default()
    }

    /// What was done by now.
    pub fn counters(&self) -> Counters {
        let sent = self.world.publishers.iter();
        Counters {
            published: sent.map(|publisher| u64::from(publisher.sent)).sum(),
            delivered: self.world.books.delivered(),
            acknowledged: self.world.acknowledged,
            stalls: self.sender.stalls.count,
            backlog_max: self.sender.schedule.backlog_max,
        }
    }

    /// The latencies of what was delivered since the last call: from just before the message was written, or from when it
    /// was due in an open loop, to the read that brought it.
    pub fn take_latencies(&mut self) -> Histogram {
        self.world.latency.take()
    }

    /// How late the messages of an open loop were given to their connections since the last call, those left out that waited for the
    /// broker: part of their latencies is this, and is not the broker's.
    pub fn take_lags(&mut self) -> Histogram {
        self.sender.schedule.lag.take()
    }

    /// The longest time of the load since the last call in which nothing was delivered or acknowledged though something was owed, to a
    /// tenth of a second.
    pub fn take_longest_pause(&mut self) -> Duration {
        self.pauses.take(self.clock.now())
    }

    /// What became of all messages. What is still under way counts as lost.
    pub fn account(&self) -> Account {
        let sent: Vec<u32> = (self.world.publishers.iter())
            .map(|publisher| publisher.sent)
            .collect();
        Account {
            acknowledged: self.world.acknowledged,
            ..self.world.books.account(&sent)
        }
    }

    /// Says goodbye to the broker, closes all connections and ends Sessions that would outlive them.
    pub fn leave(self) {
        let load = &self.world.load;
        for mut connection in self.clients.connections {
            connection.leave(load.version, load.sessions);
        }
        if (load.version, load.sessions) == (Version::V3_1_1, Sessions::Kept) {
            end_sessions(load, self.address, self.layers.as_ref());
        }
    }

    /// One turn, which waits at most `wait` for something to come.
    fn turn(&mut self, sending: Sending, wait: Duration) -> Result<(), LoadError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(LoadError::Stopped);
        }
        let mut wait = wait;
        if sending == Sending::On {
            let until_next = self.sender.send(&mut self.world, &mut self.clients);
            let until_next = until_next.map_err(LoadError::System)?;
            wait = wait.min(until_next);
        }
        self.clients.write_all()?;
        if !self.unread.is_empty() {
            wait = Duration::ZERO;
        }
        match self.poll.poll(&mut self.events, Some(wait)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(LoadError::System(error)),
        }
        self.handle_events()?;
        self.ping();
        Ok(())
    }

    fn handle_events(&mut self) -> Result<(), LoadError> {
        let mut to_read = std::mem::take(&mut self.unread);
        for event in &self.events {
            if event.token() == ALARM {
                continue;
            }
            let place = event.token().0;
            let connection = &mut self.clients.connections[place];
            if event.is_writable() || event.is_error() {
                let written = connection.has_room(&self.world.load);
                let client = connection.side.client;
                written.map_err(|source| LoadError::Connection { client, source })?;
                if let Client::Publisher(publisher) = client {
                    self.world.list(publisher);
                }
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                to_read.push(place as u32);
            }
        }
        for place in to_read {
            self.read(place)?;
        }
        Ok(())
    }

    /// Reads what one connection has, and handles it.
    fn read(&mut self, place: u32) -> Result<(), LoadError> {
        let Connection {
            stream,
            reader,
            layers,
            side,
        } = &mut self.clients.connections[place as usize];
        let client = side.client;
        let mut reads = 0;
        loop {
            if reads == READS_PER_TURN {
                self.unread.push(place);
                break;
            }
            reads += 1;
            let count = match stream.read(&mut self.buffer) {
                Ok(0) => return Err(closed(client, side.phase, layers.as_deref())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(LoadError::Connection { client, source }),
            };
            let now = self.clock.now();
            let received = &self.buffer[..count];
            let (mut input, fed) = match layers {
                None => (received, Ok(())),
                Some(layers) => {
                    self.unwrapped.clear();
                    let fed = layers.feed(received, &mut self.unwrapped);
                    // Handshakes, answers to pings, and after an error the alert that names it.
                    layers.take_wire(&mut side.wire);
                    if side.phase == Phase::Agreeing && layers.is_ready() {
                        side.begin(&self.world.load);
                    }
                    (self.unwrapped.as_slice(), fed)
                }
            };
            while let Some(packet) = reader
                .poll_packet(&mut input, &self.rules)
                .map_err(|source| LoadError::Protocol { client, source })?
            {
                self.world.handle(side, &packet, now)?;
            }
            if let Err(source) = fed {
                // The alert, if there is room for it: the error is told in any case.
                let _ = self.clients.connections[place as usize].write();
                return Err(LoadError::Layers { client, source });
            }
            // The socket is empty: what comes from here on is a new event.
            if count < self.buffer.len() {
                break;
            }
        }
        if side.has_unwritten() {
            self.clients.list(place);
        }
        Ok(())
    }

    /// Keeps connections alive on which nothing is sent.
    fn ping(&mut self) {
        let now = self.clock.now();
        let period = nanos(Duration::from_secs(self.world.keep_alive.into())) / 2;
        if now - self.pinged_at < period {
            return;
        }
        self.pinged_at = now;
        self.clients.ping_all(self.world.load.version);
    }
}

/// Why a stream that the broker ended is the end of the load.
fn closed(client: Client, phase: Phase, layers: Option<&Transport>) -> LoadError {
    match (phase, layers.map(Transport::feed_end)) {
        (Phase::Agreeing, Some(Err(source))) => LoadError::Layers { client, source },
        _ => LoadError::Closed(client),
    }
}
