//! Requests for a WebSocket that a server refuses, each with the status that HTTP has for it.

use std::sync::Arc;

use squall_transport::{Listener, RequestFault, Transport, TransportError};

use crate::joined::service;

/// The headers of a right request.
const HEADERS: [&str; 6] = [
    "Host: broker.test",
    "Connection: keep-alive, Upgrade",
    "Upgrade: WebSocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: mqttv3.1, mqtt",
];

/// A right request, but for its first line and the header that `with` replaces.
fn request(line: &str, with: &str) -> Vec<u8> {
    let name = with.split(':').next().expect("text has a first part");
    let mut text = format!("{line}\r\n");
    for header in HEADERS {
        let header = match header.split(':').next() == Some(name) {
            true => with,
            false => header,
        };
        // A name alone stands for no header.
        if header.contains(':') {
            text.push_str(&format!("{header}\r\n"));
        }
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// What a server makes of `bytes` in pieces of `piece`, and its answer.
fn asked(bytes: &[u8], piece: usize) -> (Result<(), TransportError>, String) {
    let mut server = Transport::accept(&Listener {
        tls: None,
        web_socket: Some(Arc::clone(&service())),
    });
    let mut result = Ok(());
    for piece in bytes.chunks(piece) {
        result = result.and_then(|()| server.feed(piece, &mut Vec::new()));
    }
    assert_eq!(server.is_ready(), result.is_ok());
    let mut answer = Vec::new();
    server.take_wire(&mut answer);
    (result, String::from_utf8(answer).expect("it is text"))
}

/// The example of RFC 6455, section 1.3, at both paths, with a query, however it is cut.
#[test]
fn a_right_request_is_agreed_to() {
    for path in ["/mqtt", "/ws", "/mqtt?client=7"] {
        let request = request(&format!("GET {path} HTTP/1.1"), "");
        for piece in [1, 50, usize::MAX] {
            let (result, answer) = asked(&request, piece);

            assert_eq!(result, Ok(()), "{path}");
            let answer = answer.to_lowercase();
            assert!(answer.starts_with("http/1.1 101 "), "{answer}");
            for header in [
                "upgrade: websocket\r\n",
                "connection: upgrade\r\n",
                "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n",
                "sec-websocket-protocol: mqtt\r\n",
            ] {
                assert!(answer.contains(header), "{answer}");
            }
        }
    }
}

/// Requests that are wrong in one way each, and a header that the answer must have.
fn wrong_requests() -> Vec<(Vec<u8>, RequestFault, &'static str)> {
    let line = "GET /mqtt HTTP/1.1";
    let cookie = format!("Cookie: {}", "x".repeat(8192));
    let too_many = (0..200)
        .map(|n| format!("X-{n}: y\r\n"))
        .collect::<String>();
    let long = |more: &str| {
        let mut bytes = request(line, "");
        let end = bytes.len() - 2;
        bytes.splice(end..end, more.bytes());
        bytes
    };
    vec![
        (request("GET / HTTP/1.1", ""), RequestFault::Path, ""),
        (request("GET /mqtt/ HTTP/1.1", ""), RequestFault::Path, ""),
        (
            request("POST /mqtt HTTP/1.1", ""),
            RequestFault::Method,
            "Allow: GET",
        ),
        (request("GET /mqtt HTTP/1.0", ""), RequestFault::Version, ""),
        (request(line, "Host"), RequestFault::Host, ""),
        (
            request(line, "Upgrade"),
            RequestFault::NoUpgrade,
            "Upgrade: websocket",
        ),
        (
            request(line, "Connection: close"),
            RequestFault::NoUpgrade,
            "Connection: Upgrade, close",
        ),
        (
            request(line, "Sec-WebSocket-Version: 8"),
            RequestFault::WebSocketVersion,
            "Sec-WebSocket-Version: 13",
        ),
        (request(line, "Sec-WebSocket-Key"), RequestFault::Key, ""),
        (
            request(line, "Sec-WebSocket-Key: c2hvcnQ="),
            RequestFault::Key,
            "",
        ),
        (
            request(line, "Sec-WebSocket-Protocol"),
            RequestFault::Subprotocol,
            "",
        ),
        (
            request(line, "Sec-WebSocket-Protocol: mqttv3.1"),
            RequestFault::Subprotocol,
            "",
        ),
        (long(&format!("{cookie}\r\n")), RequestFault::TooLong, ""),
        (long(&too_many), RequestFault::TooLong, ""),
        (long("no header\r\n"), RequestFault::NotHttp, ""),
        // A CONNECT of MQTT, and a line without an end.
        (vec![0x10, 12, 0, 4, b'M'], RequestFault::NotHttp, ""),
        (vec![b'G'; 9000], RequestFault::TooLong, ""),
    ]
}

/// Each fault has its status, whole or byte by byte, and the answer says what would be right.
#[test]
fn each_wrong_request_is_answered_with_its_status() {
    for (bytes, fault, header) in wrong_requests() {
        for piece in [1, 60, usize::MAX] {
            let (result, answer) = asked(&bytes, piece);

            let refused = Err(TransportError::WebSocketRequest { fault });
            assert_eq!(result, refused, "{}", String::from_utf8_lossy(&bytes));
            let status = format!("HTTP/1.1 {} ", fault.status());
            assert!(answer.starts_with(&status), "{fault}: {answer}");
            assert!(answer.contains(header), "{fault}: {answer}");
            let (_, body) = answer.split_once("\r\n\r\n").expect("it has a body");
            assert!(answer.contains(&format!("Content-Length: {}\r\n", body.len())));
        }
    }
}

/// A client of TLS at a port without TLS is told from one that speaks neither.
#[test]
fn tls_where_none_is_spoken_is_said() {
    for web_socket in [None, Some(service())] {
        let mut server = Transport::accept(&Listener {
            tls: None,
            web_socket,
        });

        let heard = server.feed(&[0x16, 3, 1, 0, 200], &mut Vec::new());

        assert_eq!(heard, Err(TransportError::TlsUnasked));
    }
}
