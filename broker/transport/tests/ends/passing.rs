//! What passes: the same bytes at both ends, and as many round trips as the protocols need.

use proptest::prelude::*;
use squall_transport::{ClientCertificates, Listener, TlsClient, TlsVersions};

use crate::joined::{Ca, Joined, service, today};

/// A client and a listener for each of: TCP, TLS 1.2, TLS 1.3, WebSocket, WebSocket over TLS 1.2 and 1.3.
fn all() -> Vec<(Option<TlsClient>, Listener)> {
    let ca = Ca::new("ca");
    let mut all = Vec::new();
    for web_socket in [None, Some(service())] {
        for versions in [None, Some(TlsVersions::Only12), Some(TlsVersions::Only13)] {
            let tls = versions.map(|versions| ca.server(ClientCertificates::Unasked, versions));
            let client = tls.as_ref().map(|_| ca.client(None, today));
            let web_socket = web_socket.clone();
            all.push((client, Listener { tls, web_socket }));
        }
    }
    all
}

fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let message = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..200),
        prop::collection::vec(any::<u8>(), 60_000..70_000),
    ];
    // As a PUBLISH begins: without layers, the first byte tells a record of TLS.
    let message = message.prop_map(|bytes: Vec<u8>| [&[0x30], &bytes[..]].concat());
    prop::collection::vec(message, 0..4)
}

/// However the wire cuts the bytes, each end gets the bytes of MQTT that the other sent.
#[test]
fn any_split_gives_the_same_bytes_at_both_ends() {
    let all = all();
    let config = ProptestConfig::with_cases(32);
    let pieces = prop::collection::vec(prop_oneof![1..8_usize, 8..70_000_usize], 1..8);
    proptest!(config, |(pieces in pieces, up in messages(), down in messages())| {
        for (tls, listener) in &all {
            let mut ends = Joined::new(tls.as_ref(), listener);
            prop_assert_eq!(ends.carry(&pieces), [Ok(()), Ok(())]);
            prop_assert!(ends.client.is_ready() && ends.server.is_ready());

            // What is on the wire together is cut together.
            for (message, way) in up.iter().map(|m| (m, 0)).chain(down.iter().map(|m| (m, 1))) {
                let mut wire = Vec::new();
                let (from, to, app) = match way {
                    0 => (&mut ends.client, &mut ends.server, &mut ends.to_server),
                    _ => (&mut ends.server, &mut ends.client, &mut ends.to_client),
                };
                from.wrap(message, &mut wire).expect("the connection is open");
                let mut cuts = pieces.iter().cycle();
                let mut rest = &wire[..];
                while !rest.is_empty() {
                    let count = rest.len().min(*cuts.next().expect("it has no end"));
                    to.feed(&rest[..count], app).expect("the rules are kept");
                    rest = &rest[count..];
                }
            }

            prop_assert!(ends.to_server == up.concat());
            prop_assert!(ends.to_client == down.concat());
        }
    });
}

/// TLS 1.2 has two round trips before the first byte of MQTT, TLS 1.3 one (RFC 8446, section 2), WebSocket one
/// (RFC 6455, section 1.3).
#[test]
fn handshakes_take_the_round_trips_of_their_protocols() {
    let mut round_trips = Vec::new();

    for (tls, listener) in all() {
        let mut ends = Joined::new(tls.as_ref(), &listener);
        let mut trips = 0;
        while !ends.client.is_ready() {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            ends.client.take_wire(&mut up);
            let heard = ends.server.feed(&up, &mut ends.to_server);
            heard.expect("the client keeps the rules");
            ends.server.take_wire(&mut down);
            let heard = ends.client.feed(&down, &mut ends.to_client);
            heard.expect("the server keeps the rules");
            trips += 1;
        }
        round_trips.push(trips);
    }

    assert_eq!(round_trips, [0, 2, 1, 1, 3, 2]);
}

/// A goodbye is heard as the end, answered where the layer has an answer, and nothing can be sent after it.
#[test]
fn a_goodbye_of_either_end_is_heard_by_the_other() {
    for (tls, listener) in all() {
        let has_layers = tls.is_some() || listener.web_socket.is_some();
        for client_goes in [true, false] {
            let mut ends = Joined::new(tls.as_ref(), &listener);
            assert_eq!(ends.agree(), [Ok(()), Ok(())]);
            let (leaving, staying) = match client_goes {
                true => (&mut ends.client, &mut ends.server),
                false => (&mut ends.server, &mut ends.client),
            };

            let mut goodbye = Vec::new();
            leaving.close(&mut goodbye);
            let heard = staying.feed(&goodbye, &mut Vec::new());

            assert_eq!((heard, staying.has_ended()), (Ok(()), has_layers));
        }
    }
}

/// A certificate is renewed without a restart: connections that are accepted from then on show the new one.
#[test]
fn a_new_certificate_is_shown_from_the_next_connection_on() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let server = |ca: &Ca| Some(ca.server(ClientCertificates::Unasked, TlsVersions::All));
    let mut listener = Listener {
        tls: server(&old),
        web_socket: None,
    };
    let mut before = Joined::new(Some(&old.client(None, today)), &listener);

    listener.tls = server(&new);
    let mut after = Joined::new(Some(&new.client(None, today)), &listener);

    assert_eq!(before.agree(), [Ok(()), Ok(())]);
    assert_eq!(after.agree(), [Ok(()), Ok(())]);
}
