//! The broker on real sockets: what a shell can get wrong between a socket and the core.

#![allow(clippy::unwrap_used, reason = "a failed wait is a failed test")]

mod peer;
#[path = "../running/mod.rs"]
mod running;

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use peer::{Heard, Peer};
use running::RunningBroker;
use socket2::{Domain, Socket, Type};
use squall_broker::{Config, ServeError, serve};
use squall_protocol::{QoS, ReasonCode, Version};

const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];
const EVERY_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// §4.3: a message goes from socket to socket at every QoS, once.
#[test]
fn message_reaches_its_subscriber_at_every_qos() {
    for version in VERSIONS {
        let broker = RunningBroker::start_default();
        let mut subscriber = Peer::connect(broker.address(), version, "subscriber");
        let mut publisher = Peer::connect(broker.address(), version, "publisher");
        subscriber.subscribe("a/+", QoS::ExactlyOnce);

        for qos in EVERY_QOS {
            publisher.publish("a/b", &[qos as u8], qos);
        }

        for qos in EVERY_QOS {
            let message = Heard::Message {
                topic: String::from("a/b"),
                payload: vec![qos as u8],
                qos,
            };
            assert_eq!(subscriber.hear(), message);
        }
        broker.stop();
    }
}

/// TCP has no packets: a stream that comes byte by byte means the same.
#[test]
fn packets_may_be_split_over_many_writes() {
    let broker = RunningBroker::start_default();
    let mut peer = Peer::open(broker.address());
    peer.say_connect(Version::V5, "drip");
    send_byte_by_byte(&mut peer);
    assert_eq!(peer.hear(), Heard::Connected);
    peer.subscribe("drip", QoS::AtLeastOnce);

    peer.say_publish("drip", b"first", QoS::AtMostOnce);
    peer.say_publish("drip", b"second", QoS::AtMostOnce);
    send_byte_by_byte(&mut peer);

    assert_eq!(peer.hear_payload(), b"first");
    assert_eq!(peer.hear_payload(), b"second");
    broker.stop();
}

fn send_byte_by_byte(peer: &mut Peer) {
    for byte in peer.take_queued() {
        peer.stream.write_all(&[byte]).unwrap();
    }
}

/// A SUBSCRIBE that is applied in slices stops the reading from its socket, and what the client
/// has sent by then is handled afterwards.
#[test]
fn client_is_read_on_after_a_long_subscribe() {
    let broker = RunningBroker::start_default();
    let mut peer = Peer::connect(broker.address(), Version::V5, "many");
    let filters = 5_000;

    peer.say_subscribe((0..filters).map(|nth| format!("{nth}/+")));
    // More than one read of the socket follows, all of it in flight before SUBACK.
    for _ in 0..3 {
        peer.say_publish("4999/x", &[b'm'; 100_000], QoS::AtMostOnce);
    }
    peer.send();

    assert_eq!(
        peer.hear(),
        Heard::Subscribed(vec![ReasonCode::Success; filters])
    );
    for _ in 0..3 {
        assert_eq!(peer.hear_payload().len(), 100_000);
    }
    broker.stop();
}

/// A packet many times the size of one read comes through whole.
#[test]
fn packet_may_be_larger_than_the_read_buffer() {
    let broker = RunningBroker::start_default();
    let mut subscriber = Peer::connect(broker.address(), Version::V5, "subscriber");
    let mut publisher = Peer::connect(broker.address(), Version::V3_1_1, "publisher");
    subscriber.subscribe("big", QoS::AtLeastOnce);
    let payload: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();

    publisher.publish("big", &payload, QoS::AtLeastOnce);

    assert!(subscriber.hear_payload() == payload);
    broker.stop();
}

/// A message may be larger than the hard limit of an outbox. Its publisher may be a subscriber of it
/// too: that client is not closed as one that does not read.
#[test]
fn message_may_be_larger_than_the_outbox_limit() {
    let broker = RunningBroker::start_default();
    let mut peer = Peer::connect(broker.address(), Version::V5, "echo");
    peer.subscribe("huge", QoS::AtMostOnce);
    let payload = vec![7; 3 << 20];

    peer.publish("huge", &payload, QoS::AtMostOnce);

    assert!(peer.hear_payload() == payload);
    peer.publish("huge", b"more", QoS::AtMostOnce);
    assert_eq!(peer.hear_payload(), b"more");
    broker.stop();
}

/// A subscriber that does not read costs the others nothing and the broker
/// a bounded outbox; what it gets when it reads again is whole messages in order.
#[test]
fn slow_reader_neither_stalls_others_nor_grows_without_end() {
    const MESSAGES: u32 = 1500;
    const PAYLOAD_BYTES: usize = 64 * 1024;
    let broker = RunningBroker::start_default();
    let mut slow = Peer::connect(broker.address(), Version::V5, "slow");
    let mut quick = Peer::connect(broker.address(), Version::V5, "quick");
    let mut publisher = Peer::connect(broker.address(), Version::V5, "publisher");
    slow.subscribe("flood", QoS::AtMostOnce);
    quick.subscribe("flood", QoS::AtLeastOnce);
    let before = resident_bytes();

    let mut payload = vec![0; PAYLOAD_BYTES];
    for n in 0..MESSAGES {
        payload[..4].copy_from_slice(&n.to_be_bytes());
        publisher.publish("flood", &payload, QoS::AtLeastOnce);
        assert_eq!(quick.hear_payload()[..4], n.to_be_bytes());
    }

    let grown = resident_bytes().saturating_sub(before);
    // Nearly 100 MB were published; other tests of this process use a few meanwhile.
    assert!(grown < 48 << 20, "{grown} bytes for a slow reader");
    publisher.publish("flood", b"end", QoS::AtLeastOnce);
    let mut last = None;
    let mut count = 0;
    // The end itself may be among what was dropped: the shutdown ends the stream.
    broker.stop();
    while let Heard::Message { payload, .. } = slow.hear() {
        if payload.len() == PAYLOAD_BYTES {
            let n = u32::from_be_bytes(payload[..4].try_into().unwrap());
            assert!(last.is_none_or(|last| last < n), "{n} after {last:?}");
            last = Some(n);
            count += 1;
        }
    }
    assert!(count > 0 && count < MESSAGES, "{count} came through");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes * 1024
}

/// A peer that sends and does not read is not read either, so its answers do not pile up until
/// its connection has to be closed: it gets every one when it reads.
#[test]
fn peer_that_does_not_read_is_not_read() {
    const PINGREQ: [u8; 2] = [0xC0, 0];
    const PINGRESP: [u8; 2] = [0xD0, 0];
    let mut config = Config::default();
    config.broker.outbox.soft_bytes = 16 * 1024;
    config.broker.outbox.hard_bytes = 160 * 1024;
    let broker = RunningBroker::start(config);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // A small window, so that the broker's socket is full soon.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&broker.address().into()).unwrap();
    let mut peer = Peer::over(socket.into());
    peer.say_connect(Version::V3_1_1, "deaf");
    peer.send();
    assert_eq!(peer.hear(), Heard::Connected);

    // No progress for a while means that nothing reads at the other end.
    peer.stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let flood = PINGREQ.repeat(32 * 1024);
    let mut sent = 0;
    let stuck = loop {
        // Half a packet may be sent: the rest goes first.
        match peer.stream.write(&flood[sent % 2..]) {
            Ok(length) => sent += length,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(stuck.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{stuck}"
    );

    let mut answers = vec![0; sent / 2 * 2];
    peer.stream.read_exact(&mut answers).unwrap();
    assert!(answers.chunks(2).all(|answer| answer == PINGRESP));
    broker.stop();
}

/// Whatever waits is written, then DISCONNECT, then the socket is closed.
#[test]
fn shutdown_flushes_and_says_goodbye() {
    let broker = RunningBroker::start_default();
    let mut current = Peer::connect(broker.address(), Version::V5, "current");
    let mut legacy = Peer::connect(broker.address(), Version::V3_1_1, "legacy");
    let mut silent = Peer::open(broker.address());
    let mut publisher = Peer::connect(broker.address(), Version::V5, "publisher");
    for subscriber in [&mut current, &mut legacy] {
        subscriber.subscribe("last/#", QoS::AtMostOnce);
    }
    for n in 0..100 {
        publisher.say_publish("last/words", &[n; 1000], QoS::AtMostOnce);
    }
    publisher.publish("last/word", b"end", QoS::AtLeastOnce);

    broker.stop();

    for subscriber in [&mut current, &mut legacy] {
        for n in 0..100 {
            assert_eq!(subscriber.hear_payload(), [n; 1000]);
        }
        assert_eq!(subscriber.hear_payload(), b"end");
    }
    let goodbye = Heard::Disconnected(ReasonCode::ServerShuttingDown);
    assert_eq!(current.hear(), goodbye);
    assert_eq!(publisher.hear(), goodbye);
    for peer in [&mut current, &mut legacy, &mut silent, &mut publisher] {
        assert_eq!(peer.hear(), Heard::Closed);
    }
}

/// §4.13: DISCONNECT with the reason reaches a client whose next bytes are already there; a close
/// with those unread would take it back.
#[test]
fn reason_reaches_a_client_that_went_on_sending() {
    let broker = RunningBroker::start_default();
    let mut peer = Peer::connect(broker.address(), Version::V5, "wrong");

    // A packet of type 0 is malformed (§2.1.2); a megabyte follows before the answer is read.
    let mut bytes = vec![0; 1 << 20];
    bytes[1] = 0x7F;
    let mut writer = peer.stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || writer.write_all(&bytes));

    assert_eq!(
        peer.hear(),
        Heard::Disconnected(ReasonCode::MalformedPacket)
    );
    assert_eq!(peer.hear(), Heard::Closed);
    writing.join().unwrap().unwrap();
    broker.stop();
}

/// §3.1.4: a connection that never says CONNECT is closed at the deadline.
#[test]
fn silent_connection_is_closed_at_the_connect_timeout() {
    let mut config = Config::default();
    config.broker.connect_timeout = Duration::from_millis(100);
    let broker = RunningBroker::start(config);
    let mut silent = Peer::open(broker.address());

    assert_eq!(silent.hear(), Heard::Closed);
    broker.stop();
}

/// A connection beyond the limit is closed; when one ends, there is room again.
#[test]
fn connection_beyond_the_limit_is_closed() {
    let mut config = Config::default();
    config.listen.connections_max = 1;
    let broker = RunningBroker::start(config);
    let mut first = Peer::connect(broker.address(), Version::V5, "first");

    let mut second = Peer::open(broker.address());
    assert_eq!(second.hear(), Heard::Closed);

    first.disconnect();
    assert_eq!(first.hear(), Heard::Closed);
    drop(first);
    Peer::connect(broker.address(), Version::V5, "third");
    broker.stop();
}

/// A second broker on a port is an error that names the address, and never `ready`.
#[test]
fn port_in_use_is_an_error() {
    let broker = RunningBroker::start_default();
    let mut config = Config::default();
    config.listen.port = broker.address().port();

    let error = serve(
        &config,
        |_| panic!("it must not listen"),
        std::future::pending(),
    )
    .unwrap_err();

    assert!(
        matches!(error, ServeError::PortInUse { address } if address == broker.address()),
        "{error:?}"
    );
    broker.stop();
}

/// A config that a command line has made wrong is refused before anything is opened.
#[test]
fn wrong_config_is_refused() {
    let mut config = Config::default();
    config.listen.address = "0.0.0.0".parse().unwrap();

    let error = serve(
        &config,
        |_| panic!("it must not listen"),
        std::future::pending(),
    )
    .unwrap_err();

    assert!(matches!(error, ServeError::Config(_)), "{error:?}");
}
