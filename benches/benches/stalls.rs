//! How long others wait while one client sends a SUBSCRIBE or UNSUBSCRIBE of many filters, or leaves with
//! its subscriptions: the longest answer to a PINGREQ that a client of the same shard sends each millisecond.
//!
//! It goes through real sockets and is not criterion's: what counts is the longest time, not the usual one.
//! Other processes disturb it, a real time priority (`chrt -r 5 cargo bench -p squall-benches --bench stalls`)
//! does not keep them away for more than 0.95 s of each second. So the second column has the processor time that
//! the broker's thread took while a client waited: the part of the wait that is the broker's.

use std::future::pending;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use squall_broker::{Config, serve};
use squall_protocol::codec::encode;
use squall_protocol::packet::{
    Connect, ConnectProperties, Packet, Subscribe, SubscribeProperties, Subscription,
    SubscriptionOptions, UndecodedFilters, Unsubscribe,
};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{PacketId, Version};

/// Between two PINGREQ.
const PING_PERIOD: Duration = Duration::from_millis(1);
/// How often each case is measured.
const ROUNDS: usize = 5;

const PINGREQ: [u8; 2] = [0xc0, 0];
/// First bytes of the answers.
const SUBACK: u8 = 0x90;
const UNSUBACK: u8 = 0xb0;

/// What the filters of a case look like.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Literal,
    Wildcard,
    /// Of 1,600 bytes.
    Long,
}

fn main() {
    let (address, clock) = start_broker();
    let pings = Pings::start(address, clock);
    println!("longest wait, and the longest processor time of the broker in one wait");
    pings.forget();
    thread::sleep(Duration::from_secs(1));
    pings.print("nothing, for 1 s");
    let cases = [
        (Shape::Literal, 10_000),
        (Shape::Wildcard, 10_000),
        (Shape::Long, 10_000),
        (Shape::Literal, 100_000),
        (Shape::Wildcard, 100_000),
    ];
    for (shape, count) in cases {
        for round in 0..ROUNDS {
            measure(address, &pings, &filters(shape, count, round));
        }
    }
}

fn measure(address: SocketAddr, pings: &Pings, filters: &Filters) {
    let mut client = connect(address, "many");
    let (subscribe, unsubscribe) = (filters.subscribe(), filters.unsubscribe());
    for (packet, answer, verb) in [
        (&subscribe, SUBACK, "SUBSCRIBE"),
        (&unsubscribe, UNSUBACK, "UNSUBSCRIBE"),
        (&subscribe, SUBACK, "SUBSCRIBE again"),
    ] {
        pings.forget();
        client.write_all(packet).expect("the broker reads");
        read_answer(&mut client, answer);
        pings.print(&format!("{} {verb}", filters.name));
    }
    pings.forget();
    drop(client);
    // The subscriptions go in slices: each ping gives them a turn at least.
    thread::sleep(Duration::from_millis(500));
    pings.print(&format!("{} end", filters.name));
}

struct Filters {
    name: String,
    filters: Vec<TopicFilter<Box<str>>>,
}

/// Filters that no other round has.
fn filters(shape: Shape, count: usize, round: usize) -> Filters {
    let filters = (0..count).map(|number| {
        let text = match shape {
            Shape::Literal => format!("r{round}/{number}"),
            Shape::Wildcard => format!("r{round}/+/{number}/#"),
            Shape::Long => format!("r{round}/{number:01590}"),
        };
        TopicFilter::new(text.into_boxed_str()).expect("a topic filter")
    });
    Filters {
        name: format!("{count} {shape:?}"),
        filters: filters.collect(),
    }
}

impl Filters {
    fn subscribe(&self) -> Vec<u8> {
        let subscription = |filter: &TopicFilter<Box<str>>| Subscription {
            filter: Ok(filter.clone()),
            options: SubscriptionOptions::default(),
        };
        encoded(&Packet::Subscribe(Subscribe {
            id: PacketId::new(1).expect("not 0"),
            properties: SubscribeProperties::default(),
            subscriptions: self.filters.iter().map(subscription).collect(),
            rest: UndecodedFilters::default(),
        }))
    }

    /// In reverse.
    fn unsubscribe(&self) -> Vec<u8> {
        encoded(&Packet::Unsubscribe(Unsubscribe {
            id: PacketId::new(1).expect("not 0"),
            user_properties: Default::default(),
            filters: self.filters.iter().rev().cloned().map(Ok).collect(),
            rest: UndecodedFilters::default(),
        }))
    }
}

/// The longest waits for an answer since they were last forgotten.
#[derive(Clone, Debug, Default)]
struct Pings {
    waited_nanos: Arc<AtomicU64>,
    /// The processor's time of the broker in one wait.
    broker_nanos: Arc<AtomicU64>,
}

impl Pings {
    fn start(address: SocketAddr, broker: ClockId) -> Self {
        let pings = Self::default();
        let told = pings.clone();
        let mut client = connect(address, "pings");
        thread::spawn(move || {
            loop {
                thread::sleep(PING_PERIOD);
                let (sent, used) = (Instant::now(), processor_time(broker));
                client.write_all(&PINGREQ).expect("the broker reads");
                client.read_exact(&mut [0; 2]).expect("the broker answers");
                told.waited_nanos
                    .fetch_max(nanos(sent.elapsed()), Ordering::Relaxed);
                let used = processor_time(broker) - used;
                told.broker_nanos.fetch_max(nanos(used), Ordering::Relaxed);
            }
        });
        pings
    }

    fn forget(&self) {
        // The ping that is on its way began before.
        thread::sleep(2 * PING_PERIOD);
        self.waited_nanos.store(0, Ordering::Relaxed);
        self.broker_nanos.store(0, Ordering::Relaxed);
    }

    fn print(&self, name: &str) {
        // The one on its way counts.
        thread::sleep(2 * PING_PERIOD);
        let millis = |nanos: &AtomicU64| nanos.load(Ordering::Relaxed) as f64 / 1e6;
        let (waited, used) = (millis(&self.waited_nanos), millis(&self.broker_nanos));
        println!("{name:28} {waited:>8.2} ms {used:>8.2} ms");
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("not for centuries")
}

fn processor_time(of: ClockId) -> Duration {
    clock_gettime(of).expect("the thread lives").into()
}

/// A broker on a thread of its own until the process ends, and the clock of that thread's processor time.
fn start_broker() -> (SocketAddr, ClockId) {
    let mut config = Config::default();
    config.listen.port = 0;
    config.broker.subscriptions_per_session_max = 200_000;
    config.broker.maximum_packet_size = (64 << 20).try_into().expect("not 0");
    let (ready, listens) = mpsc::channel();
    thread::spawn(move || {
        let clock = own_clock();
        let tell = |address| ready.send((address, clock)).expect("it waits");
        serve(&config, tell, pending())
    });
    listens.recv().expect("the broker listens")
}

/// The clock of this thread's processor time, as other threads name it (CPUCLOCK_PERTHREAD and
/// CPUCLOCK_SCHED in Linux's `posix-timers_types.h`).
fn own_clock() -> ClockId {
    let thread = std::fs::read_link("/proc/thread-self").expect("there is a /proc");
    let number = thread.file_name().and_then(|name| name.to_str());
    let number: i32 = number.and_then(|name| name.parse().ok()).expect("a number");
    ClockId::from_raw(!number << 3 | 0b110)
}

fn connect(address: SocketAddr, client_id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the broker listens");
    stream.set_nodelay(true).expect("a socket takes it");
    let connect = Packet::Connect(Box::new(Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client_id: client_id.to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }));
    stream
        .write_all(&encoded(&connect))
        .expect("the broker reads");
    read_answer(&mut stream, 0x20);
    stream
}

fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(packet, Version::V5, &mut bytes);
    bytes
}

/// Reads one packet, which begins with `first`.
fn read_answer(stream: &mut TcpStream, first: u8) {
    let mut byte = [0];
    stream.read_exact(&mut byte).expect("the broker answers");
    assert_eq!(byte[0], first, "another packet came");
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        stream.read_exact(&mut byte).expect("the broker answers");
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    stream
        .read_exact(&mut vec![0; length])
        .expect("the whole of it");
}
