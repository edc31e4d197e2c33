//! Bytes that no client would send: a server names the fault, and never panics.

use proptest::prelude::*;
use squall_transport::{ClientCertificates, Listener, TlsVersions, Transport, TransportError};

use crate::joined::{Ca, Joined, service};

fn listeners() -> Vec<Listener> {
    let ca = Ca::new("ca");
    let mut listeners = Vec::new();
    for web_socket in [None, Some(service())] {
        for tls in [false, true] {
            let tls = tls.then(|| ca.server(ClientCertificates::Unasked, TlsVersions::All));
            let web_socket = web_socket.clone();
            listeners.push(Listener { tls, web_socket });
        }
    }
    listeners
}

/// What a server makes of `bytes` in pieces, and the MQTT that it found.
fn heard(
    listener: &Listener,
    bytes: &[u8],
    piece: usize,
) -> (Result<(), TransportError>, Vec<u8>, Vec<u8>) {
    let mut server = Transport::accept(listener);
    let (mut app, mut answer) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    for piece in bytes.chunks(piece) {
        result = result.and_then(|()| server.feed(piece, &mut app));
        server.take_wire(&mut answer);
    }
    server.close(&mut answer);
    (result, app, answer)
}

/// What a client sends to a WebSocket: its request, then frames with `messages`.
fn wire_of_client(messages: &[Vec<u8>]) -> Vec<u8> {
    let listener = Listener {
        tls: None,
        web_socket: Some(service()),
    };
    let mut ends = Joined::new(None, &listener);
    let mut wire = Vec::new();
    ends.client.take_wire(&mut wire);
    let (mut answer, mut none) = (Vec::new(), Vec::new());
    ends.server.feed(&wire, &mut none).expect("it is right");
    ends.server.take_wire(&mut answer);
    ends.client.feed(&answer, &mut none).expect("it is right");
    for message in messages {
        ends.client.wrap(message, &mut wire).expect("it is open");
    }
    wire
}

/// Any bytes at any listener: the same fault and the same bytes of MQTT in whatever pieces they come.
#[test]
fn any_bytes_have_one_result_however_they_are_cut() {
    let listeners = listeners();
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "GET /mqtt HTTP/1.1\r\n[ -~\r\n]{0,200}\r\n\r\n".prop_map(String::into_bytes),
        // Records of a TLS handshake.
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| [
            &[0x16, 3, 1, 0, bytes.len() as u8],
            &bytes[..]
        ]
        .concat()),
    ];
    proptest!(ProptestConfig::with_cases(512), |(bytes in bytes, piece in 1..40_usize)| {
        for listener in &listeners {
            let whole = heard(listener, &bytes, usize::MAX);
            let cut = heard(listener, &bytes, piece);
            prop_assert_eq!(&whole.0, &cut.0);
            prop_assert_eq!(whole.1, cut.1);
        }
    });
}

/// The same for what a client sends, with one byte changed: the handshake and the frames after it.
#[test]
fn a_changed_byte_has_one_result_however_the_bytes_are_cut() {
    let listener = Listener {
        tls: None,
        web_socket: Some(service()),
    };
    let messages = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..5);
    let case = (
        messages,
        any::<prop::sample::Index>(),
        any::<u8>(),
        1..40_usize,
    );
    proptest!(ProptestConfig::with_cases(512), |((messages, at, byte, piece) in case)| {
        let mut wire = wire_of_client(&messages);
        let at = at.index(wire.len());
        wire[at] = byte;

        let whole = heard(&listener, &wire, usize::MAX);
        let cut = heard(&listener, &wire, piece);

        prop_assert_eq!(&whole.0, &cut.0);
        prop_assert_eq!(whole.1, cut.1);
        prop_assert_eq!(whole.2, cut.2);
    });
}
