//! A load that goes on after its drain, and what a broker hears that speaks another protocol.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use squall_protocol::QoS;
use squall_saturate::{Engine, Load, LoadError, OpenLayers, Pace};
use squall_transport::{TlsClient, TlsSettings, Transport, Trust};

use crate::broker::{Broker, Habit};
use crate::{LOAD, Plain, pairs};

/// What an open loop would have sent while it was drained is not due when it goes on.
#[test]
fn an_open_loop_begins_anew_after_a_drain() {
    let broker = Broker::start(Habit::Honest);
    let load = Load {
        pace: Pace::Rate(2000.0),
        ..pairs(QoS::AtMostOnce)
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut engine =
        Engine::connect(load, broker.address, Arc::new(Plain), stop).expect("it answers");
    engine.run(LOAD).expect("it goes on");
    engine.drain().expect("it goes on");
    let first = engine.account();

    let mut other = Engine::connect(
        pairs(QoS::AtMostOnce),
        broker.address,
        Arc::new(Plain),
        Arc::default(),
    )
    .expect("it answers");
    other.run(10 * LOAD).expect("it goes on");
    engine.run(LOAD).expect("it goes on");
    engine.drain().expect("it goes on");
    let all = engine.account();

    // Each message was due before it was sent.
    let lags = engine.take_lags();
    assert_eq!(lags.count(), all.published);
    assert_eq!(engine.take_lags().count(), 0);
    assert_eq!((first.lost, all.lost), (0, 0));
    // 400 are due in the time of the load, 4,000 in that of the other.
    let more = all.published - first.published;
    assert!((1..2000).contains(&more), "{more}");
}

/// TLS that trusts anyone.
#[derive(Debug)]
struct Encrypted(TlsClient);

impl OpenLayers for Encrypted {
    fn open(&self) -> Option<Transport> {
        Some(Transport::tls(&self.0, "localhost").expect("it is a name"))
    }
}

/// A server that does not answer in TLS hears the alert that says so.
#[test]
fn an_alert_is_sent_before_the_end() {
    /// The content type of an alert (RFC 8446, §5.1).
    const ALERT: u8 = 21;
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has one");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it comes");
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).expect("it is sent");
        let length = u16::from_be_bytes([hello[3], hello[4]]);
        let mut rest = vec![0; length.into()];
        stream.read_exact(&mut rest).expect("it is sent");
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .expect("it is there");
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        heard
    });
    let client = TlsClient::new(TlsSettings {
        trust: Trust::Anyone,
        identity: None,
        wall_clock: || Duration::from_secs(1_800_000_000),
    });
    let layers = Arc::new(Encrypted(client.expect("it can be made")));
    let load = Load {
        publishers: pairs(QoS::AtMostOnce).publishers[..1].to_vec(),
        subscribers: Vec::new(),
        ..pairs(QoS::AtMostOnce)
    };

    let stop = Arc::new(AtomicBool::new(false));
    let error = Engine::connect(load, address, layers, stop).expect_err("it is not TLS");

    assert!(matches!(error, LoadError::Layers { .. }), "{error}");
    let heard = server.join().expect("it ends");
    assert_eq!(heard.first(), Some(&ALERT), "{heard:?}");
}
