//! What the thread of the fleet sees of a worker.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use squall_fleet::Input;
use squall_scenario::{Carrier, UrlTarget};

use super::*;
use crate::connect_args::TlsArgs;
use crate::layers::Layers;
use crate::target::Address;

const SOCKET: SocketId = SocketId(1 << 32);

/// To `listener`, with MQTT straight on TCP.
fn route(listener: &TcpListener) -> Route {
    let target = listener.local_addr().expect("it is bound");
    let url = UrlTarget::parse(&format!("mqtt://{target}")).expect("it is a URL");
    let layers = Layers::of_args(&TlsArgs::default(), &url).expect("nothing is between");
    Route {
        ends: vec![Address {
            socket: target,
            layers,
        }],
        sources: Vec::new(),
        local_ports: None,
    }
}

/// One worker whose transports lead to `listener`.
fn crew(listener: &TcpListener, clock: Clock) -> Crew {
    Crew::start(NonZeroU16::MIN, &route(listener), clock).expect("a thread can be started")
}

fn open() -> Action<'static> {
    let carrier = Carrier::default();
    Action::Open {
        socket: SOCKET,
        carrier,
    }
}

/// What came on the socket, once something has.
fn received(report: &Report) -> Vec<u8> {
    let inputs = report
        .inputs()
        .iter()
        .map(|told| report.input(told, Instant::ZERO));
    let mut came = Vec::new();
    for input in inputs {
        if let Input::Received { bytes, .. } = input {
            came.extend_from_slice(bytes);
        }
    }
    came
}

/// Whether it tells that a transport is open.
fn has_opened(report: &Report) -> bool {
    let mut inputs = report
        .inputs()
        .iter()
        .map(|told| report.input(told, Instant::ZERO));
    inputs.any(|input| matches!(input, Input::Opened { .. }))
}

/// What a worker read before it knew of a pause is told after it, once.
#[tokio::test(flavor = "current_thread")]
async fn what_was_read_before_a_pause_is_told_after_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let clock = Clock::start();
    let mut crew = crew(&listener, clock);
    crew.order(open(), clock.now());
    crew.dispatch();
    let (mut peer, _) = listener.accept().expect("the worker connects");
    crew.order(Action::Pause { socket: SOCKET }, clock.now());
    peer.write_all(b"early").expect("it is open");

    let report = std::iter::repeat_with(|| crew.hear().expect("the worker lives"))
        .find(|report| !received(report).is_empty())
        .expect("it comes");
    let told = report.inputs().iter();
    let all_held_back = told
        .map(|told| crew.holds_back(&report, told))
        .collect::<Vec<_>>();
    let during = crew.next_released().map(|report| received(&report));
    crew.order(Action::Resume { socket: SOCKET }, clock.now());
    let after: Vec<u8> = std::iter::from_fn(|| crew.next_released())
        .flat_map(|report| received(&report))
        .collect();

    assert!(all_held_back.iter().all(|&held_back| held_back));
    assert_eq!(during, None);
    assert_eq!(after, b"early");
    crew.end().expect("the worker did not fail");
}

/// A worker answers a look with all that had arrived, also where it has not heard of it by itself.
#[tokio::test(flavor = "current_thread")]
async fn a_look_brings_what_has_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let clock = Clock::start();
    let mut crew = crew(&listener, clock);
    crew.order(open(), clock.now());
    crew.dispatch();
    let (mut peer, _) = listener.accept().expect("the worker connects");
    // A broker says nothing before CONNECT, so what comes is asked for once a transport is open.
    while !has_opened(&crew.hear().expect("the worker lives")) {}
    peer.write_all(b"here").expect("it is open");

    let awaited = crew.ask_to_look(clock.now());
    let mut came = Vec::new();
    loop {
        let report = crew.hear().expect("the worker lives");
        came.extend(received(&report));
        if report.has_looked {
            break;
        }
    }

    assert_eq!(awaited, 1);
    assert_eq!(came, b"here");
    crew.end().expect("the worker did not fail");
}

/// More than may be on its way goes both ways at once: the fleet, which hears nothing meanwhile, waits for the worker, and
/// the worker for the fleet.
#[tokio::test(flavor = "current_thread")]
async fn much_goes_both_ways_at_once() {
    let piece = vec![7; 1 << 20];
    let pieces = 3 * UNDER_WAY_BYTES_MAX / piece.len();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let clock = Clock::start();
    let mut crew = crew(&listener, clock);
    crew.order(open(), clock.now());
    crew.dispatch();
    let (mut peer, _) = listener.accept().expect("the worker connects");
    while !has_opened(&crew.hear().expect("the worker lives")) {}
    let mut reading = peer.try_clone().expect("it is open");
    let theirs = piece.clone();
    let sent = std::thread::spawn(move || {
        for _ in 0..pieces {
            peer.write_all(&theirs).expect("the worker reads");
        }
    });
    let read = std::thread::spawn(move || {
        let mut all = vec![0; pieces << 20];
        reading.read_exact(&mut all).expect("the worker writes");
    });

    for _ in 0..pieces {
        let bytes = &piece;
        let socket = SOCKET;
        crew.order(Action::Send { socket, bytes }, clock.now());
        crew.dispatch();
    }
    let mut came = 0;
    while came < pieces << 20 {
        came += received(&crew.hear().expect("the worker lives")).len();
    }

    assert_eq!(came, pieces << 20);
    read.join().expect("all came");
    sent.join().expect("all was read");
    crew.end().expect("the worker did not fail");
}

/// Of 12 devices that are spread over two addresses in turn, each of three workers has two to each.
#[test]
fn workers_have_as_many_devices_to_each_address() {
    let mut shares = [[0; 2]; 3];

    for device in 0..12_usize {
        let socket = SocketId((1 << 32) | device as u64);
        shares[socket.share_of(3, 2)][device % 2] += 1;
    }

    assert_eq!(shares, [[2; 2]; 3]);
}

/// Together workers have each port once.
#[test]
fn workers_share_the_ports() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let route = Route {
        local_ports: Some(40_000..=40_009),
        ..route(&listener)
    };
    let three = NonZeroU16::new(3).expect("it is not 0");

    let ports: Vec<u16> = route
        .shares(three)
        .filter_map(|route| route.local_ports)
        .flatten()
        .collect();

    assert_eq!(ports, (40_000..=40_009).collect::<Vec<_>>());
}
