//! A broker of a few lines that does one thing wrong, and counts how often it did.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use squall_protocol::codec::{self, DecodeRules, PACKET_BYTES_MAX, PacketReader};
use squall_protocol::packet::{
    AckProperties, Connack, ConnackProperties, Connect, Packet, Puback, Pubcomp, Publish, Pubrec,
    Pubrel, Suback, Subscribe,
};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{PacketId, QoS, ReasonCode, Version};

/// What it does wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Habit {
    /// Nothing.
    Honest,
    /// One of so many messages of a publisher is not delivered.
    Drops(u64),
    /// One of so many is delivered twice.
    Doubles(u64),
    /// One of so many is delivered after the one behind it.
    Swaps(u64),
    /// One of so many loses its last byte.
    Cuts(u64),
    /// One of so many goes to all that have not subscribed to it, and to none that has.
    Misroutes(u64),
    /// It closes the connection of a publisher after so many messages.
    Closes(u64),
    /// It does nothing more with a publisher after so many messages, and keeps the connection.
    Hangs(u64),
    /// It refuses each CONNECT.
    Refuses,
    /// It grants QoS 0, whatever was asked for.
    GrantsLess,
}

/// One that runs until the test ends.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    habit: Habit,
    wrongs: AtomicU64,
    /// Sessions that outlive their connections, by Client Identifier, and the most that there were.
    kept: Mutex<(HashSet<String>, usize)>,
    kept_changed: Condvar,
    subscriptions: Mutex<Vec<Subscription>>,
}

struct Subscription {
    filter: TopicFilter<Box<str>>,
    qos: QoS,
    version: Version,
    stream: Arc<Mutex<TcpStream>>,
    next_id: u16,
}

impl Broker {
    pub(crate) fn start(habit: Habit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            habit,
            wrongs: AtomicU64::new(0),
            kept: Mutex::default(),
            kept_changed: Condvar::new(),
            subscriptions: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || Connection::new(stream, shared).serve());
            }
        });
        Self { address, shared }
    }

    /// Waits until no Session outlives its connection: what was sent may lie unread still. How many do then, and the most that
    /// there were.
    pub(crate) fn kept_at_the_end(&self) -> (usize, usize) {
        let kept = self.shared.kept.lock().expect("no thread panics");
        let patience = Duration::from_secs(10);
        let is_left = |kept: &mut (HashSet<String>, usize)| !kept.0.is_empty();
        let changed = &self.shared.kept_changed;
        let waited = changed.wait_timeout_while(kept, patience, is_left);
        let (kept, _) = waited.expect("no thread panics");
        (kept.0.len(), kept.1)
    }

    /// How often it did what it does wrong.
    pub(crate) fn wrongs(&self) -> u64 {
        self.shared.wrongs.load(Ordering::SeqCst)
    }
}

struct Connection {
    from: TcpStream,
    to: Arc<Mutex<TcpStream>>,
    shared: Arc<Shared>,
    version: Version,
    client_id: String,
    /// Messages that came.
    count: u64,
    /// The one that is delivered after the next.
    held: Option<(String, Vec<u8>)>,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Then {
    GoesOn,
    Ends,
}

impl Connection {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        Self {
            to: Arc::new(Mutex::new(stream.try_clone().expect("it can be cloned"))),
            from: stream,
            shared,
            version: Version::V5,
            client_id: String::new(),
            count: 0,
            held: None,
        }
    }

    fn serve(mut self) {
        let mut reader = PacketReader::new();
        let mut buffer = [0; 4096];
        let mut rules = DecodeRules {
            version: None,
            maximum_packet_size: PACKET_BYTES_MAX,
        };
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            let mut input = &buffer[..count];
            while let Ok(Some(packet)) = reader.poll_packet(&mut input, &rules) {
                if let Packet::Connect(connect) = &packet {
                    rules.version = Some(connect.version);
                    self.version = connect.version;
                }
                if self.handle(&packet) == Then::Ends {
                    // The other end may have gone first.
                    let _ = self.from.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
    }

    fn note_session(&mut self, connect: &Connect) {
        self.client_id.clone_from(&connect.client_id);
        let mut kept = self.shared.kept.lock().expect("no thread panics");
        let expiry = connect.properties.session_expiry_interval;
        if !connect.clean_start && (connect.version == Version::V3_1_1 || expiry > Some(0)) {
            kept.0.insert(self.client_id.clone());
        } else if connect.clean_start {
            kept.0.remove(&self.client_id);
        }
        kept.1 = kept.1.max(kept.0.len());
        self.shared.kept_changed.notify_all();
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what else a client sends needs no answer here"
    )]
    fn handle(&mut self, packet: &Packet<'_>) -> Then {
        match packet {
            Packet::Disconnect(disconnect) => {
                if disconnect.properties.session_expiry_interval == Some(0) {
                    let mut kept = self.shared.kept.lock().expect("no thread panics");
                    kept.0.remove(&self.client_id);
                    self.shared.kept_changed.notify_all();
                }
                return Then::Ends;
            }
            Packet::Connect(connect) => {
                self.note_session(connect);
                let reason = match self.shared.habit {
                    Habit::Refuses => ReasonCode::NotAuthorized,
                    _ => ReasonCode::Success,
                };
                self.answer(&Packet::Connack(Box::new(Connack {
                    session_present: false,
                    reason,
                    properties: ConnackProperties::default(),
                })));
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe),
            Packet::Publish(publish) => return self.publish(publish),
            Packet::Pubrec(Pubrec { id, .. }) => {
                self.answer(&Packet::Pubrel(Pubrel::new(*id, ReasonCode::Success)));
            }
            Packet::Pubrel(Pubrel { id, .. }) => {
                self.answer(&Packet::Pubcomp(Pubcomp::new(*id, ReasonCode::Success)));
            }
            Packet::Pingreq => self.answer(&Packet::Pingresp),
            _ => {}
        }
        Then::GoesOn
    }

    fn subscribe(&self, subscribe: &Subscribe) {
        let [subscription] = subscribe.subscriptions.as_slice() else {
            panic!("the engine subscribes to one filter");
        };
        let qos = subscription.options.qos;
        let filter = subscription.filter.clone().expect("it is a filter");
        self.subscriptions().push(Subscription {
            filter,
            qos,
            version: self.version,
            stream: Arc::clone(&self.to),
            next_id: 0,
        });
        let reason = match (self.shared.habit, qos) {
            (Habit::GrantsLess, _) | (_, QoS::AtMostOnce) => ReasonCode::Success,
            (_, QoS::AtLeastOnce) => ReasonCode::GrantedQoS1,
            (_, QoS::ExactlyOnce) => ReasonCode::GrantedQoS2,
        };
        self.answer(&Packet::Suback(Suback {
            id: subscribe.id,
            properties: AckProperties::default(),
            reasons: vec![reason],
        }));
    }

    fn publish(&mut self, publish: &Publish<'_>) -> Then {
        self.count += 1;
        let (topic, payload) = (publish.topic.as_str(), publish.payload);
        let is_turn = |of: u64| self.count.is_multiple_of(of);
        match self.shared.habit {
            Habit::Closes(after) if self.count > after => return Then::Ends,
            Habit::Hangs(after) if self.count > after => loop {
                thread::park();
            },
            Habit::Drops(of) if is_turn(of) => self.did_wrong(),
            Habit::Doubles(of) if is_turn(of) => {
                self.did_wrong();
                self.deliver(topic, payload);
                self.deliver(topic, payload);
            }
            Habit::Cuts(of) if is_turn(of) => {
                self.did_wrong();
                self.deliver(topic, &payload[..payload.len() - 1]);
            }
            Habit::Misroutes(of) if is_turn(of) => {
                self.did_wrong();
                self.deliver_astray(topic, payload);
            }
            Habit::Swaps(of) if is_turn(of) => {
                self.held = Some((topic.to_owned(), payload.to_owned()));
            }
            Habit::Swaps(_) => {
                self.deliver(topic, payload);
                if let Some((topic, payload)) = self.held.take() {
                    self.did_wrong();
                    self.deliver(&topic, &payload);
                }
            }
            Habit::Honest
            | Habit::Drops(_)
            | Habit::Doubles(_)
            | Habit::Cuts(_)
            | Habit::Misroutes(_)
            | Habit::Closes(_)
            | Habit::Hangs(_)
            | Habit::Refuses
            | Habit::GrantsLess => self.deliver(topic, payload),
        }
        match (publish.qos, publish.packet_id) {
            (QoS::AtLeastOnce, Some(id)) => {
                self.answer(&Packet::Puback(Puback::new(id, ReasonCode::Success)));
            }
            (QoS::ExactlyOnce, Some(id)) => {
                self.answer(&Packet::Pubrec(Pubrec::new(id, ReasonCode::Success)));
            }
            (QoS::AtMostOnce | QoS::AtLeastOnce | QoS::ExactlyOnce, _) => {}
        }
        Then::GoesOn
    }

    fn did_wrong(&self) {
        self.shared.wrongs.fetch_add(1, Ordering::SeqCst);
    }

    fn subscriptions(&self) -> MutexGuard<'_, Vec<Subscription>> {
        let subscriptions = self.shared.subscriptions.lock();
        subscriptions.expect("no thread panics")
    }

    fn deliver(&self, topic: &str, payload: &[u8]) {
        let mut subscriptions = self.subscriptions();
        let is_shared = |one: &Subscription| one.filter.share().is_some();
        let matching = subscriptions.iter().enumerate();
        let matching = matching.filter(|(_, one)| one.matches(topic));
        let mut matching: Vec<usize> = matching.map(|(place, _)| place).collect();
        if subscriptions.first().is_some_and(is_shared) {
            let one = self.count as usize % matching.len();
            matching = vec![matching[one]];
        }
        for place in matching {
            subscriptions[place].send(topic, payload);
        }
    }

    fn deliver_astray(&self, topic: &str, payload: &[u8]) {
        for subscription in self.subscriptions().iter_mut() {
            if !subscription.matches(topic) {
                subscription.send(topic, payload);
            }
        }
    }

    fn answer(&self, packet: &Packet<'_>) {
        write(&self.to, packet, self.version);
    }
}

impl Subscription {
    fn matches(&self, topic: &str) -> bool {
        let topic = squall_protocol::topic::TopicName::new(topic).expect("it is one");
        self.filter.unshared().matches(&topic)
    }

    fn send(&mut self, topic: &str, payload: &[u8]) {
        let topic = squall_protocol::topic::TopicName::new(topic).expect("it is one");
        let packet_id = match self.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                self.next_id = self.next_id.checked_add(1).unwrap_or(1);
                PacketId::new(self.next_id)
            }
        };
        let publish = Packet::Publish(Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic,
            packet_id,
            properties: Default::default(),
            payload,
        });
        write(&self.stream, &publish, self.version);
    }
}

fn write(stream: &Mutex<TcpStream>, packet: &Packet<'_>, version: Version) {
    let mut bytes = Vec::new();
    codec::encode(packet, version, &mut bytes);
    let mut stream = stream.lock().expect("no thread panics");
    // The client may have gone.
    let _ = stream.write_all(&bytes);
}
