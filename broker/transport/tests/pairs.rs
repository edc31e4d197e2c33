//! A client's transport and a server in memory: what passes, and what each fault is called.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use squall_transport::{TlsClient, TlsSettings, Transport, TransportError, Trust, WebSocketTarget};

/// In 2023.
fn today() -> Duration {
    Duration::from_secs(1_700_000_000)
}

/// After the last day of the certificates here.
fn year_5138() -> Duration {
    Duration::from_secs(100_000_000_000)
}

/// A server for `broker.test`, and its certificate.
fn server() -> (ServerConnection, CertificateDer<'static>) {
    server_named("broker")
}

/// The same with a certificate of another subject.
fn server_named(subject: &str) -> (ServerConnection, CertificateDer<'static>) {
    server_with(subject, IsCa::NoCa)
}

/// The same, with a certificate that may be one of a CA.
fn server_with(subject: &str, is_ca: IsCa) -> (ServerConnection, CertificateDer<'static>) {
    let key = KeyPair::generate().expect("it works");
    let mut params = CertificateParams::new(["broker.test".to_owned()]).expect("it works");
    params.distinguished_name.push(DnType::CommonName, subject);
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).expect("it works").der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("it works")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("it works");
    let server = ServerConnection::new(Arc::new(config)).expect("it works");
    (server, certificate)
}

fn client(trust: Trust, wall_clock: fn() -> Duration, name: &str) -> Transport {
    let settings = TlsSettings {
        trust,
        identity: None,
        wall_clock,
    };
    Transport::tls(&TlsClient::new(settings).expect("it works"), name).expect("it works")
}

/// Carries bytes both ways, `piece` at a time, until neither says anything. What the client got.
fn carry(
    client: &mut Transport,
    server: &mut ServerConnection,
    piece: usize,
) -> Result<Vec<u8>, TransportError> {
    let mut app = Vec::new();
    loop {
        let mut up = Vec::new();
        client.take_wire(&mut up);
        let mut rest = &up[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).expect("it works");
            // What the server thinks of an alert is not asked here.
            let _ = server.process_new_packets();
        }
        let mut down = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut down).expect("it works");
        }
        for piece in down.chunks(piece) {
            client.feed(piece, &mut app)?;
        }
        if up.is_empty() && down.is_empty() {
            return Ok(app);
        }
    }
}

/// However the wire cuts the bytes, the same bytes of MQTT pass both ways.
#[test]
fn any_split_of_a_tls_stream_gives_the_same_bytes() {
    for piece in [1, 7, 1000, usize::MAX] {
        let (mut server, certificate) = server();
        let mut client = client(Trust::Ca(vec![certificate]), today, "broker.test");
        assert!(!client.is_ready());
        carry(&mut client, &mut server, piece).expect("it works");
        assert!(client.is_ready());
        let long: Vec<u8> = (0..60_000_u32).map(|i| i as u8).collect();

        let mut up = Vec::new();
        client.wrap(&long, &mut up).expect("it works");
        let mut rest = &up[..];
        let mut arrived = Vec::new();
        while !rest.is_empty() {
            server.read_tls(&mut rest).expect("it works");
            server.process_new_packets().expect("it works");
            // The end of what there is comes as an error.
            let _ = server.reader().read_to_end(&mut arrived);
        }
        server.writer().write_all(&long).expect("it works");
        let received = carry(&mut client, &mut server, piece).expect("it works");

        assert!(arrived == long && received == long, "pieces of {piece}");
        client.close(&mut Vec::new());
    }
}

/// A user mends each of these in another way, so each has its own case.
#[test]
fn each_fault_of_a_certificate_has_its_name() {
    let connect = |trust: fn(CertificateDer<'static>) -> Trust, clock, name: &str| {
        let (mut server, certificate) = server();
        let mut client = client(trust(certificate), clock, name);
        carry(&mut client, &mut server, usize::MAX).map(|_| client.is_ready())
    };
    let own = |certificate| Trust::Ca(vec![certificate]);
    let foreign = |_| Trust::Ca(vec![server_named("another").1]);
    let namesake = |_| Trust::Ca(vec![server().1]);

    let results = [
        connect(foreign, today, "broker.test"),
        connect(namesake, today, "broker.test"),
        connect(own, year_5138, "broker.test"),
        connect(own, today, "other.test"),
        connect(|_| Trust::Anyone, year_5138, "other.test"),
    ];

    let expected = [
        Err(TransportError::UnknownCa),
        Err(TransportError::WrongSignature),
        Err(TransportError::CertificateExpired),
        Err(TransportError::WrongHostName),
        Ok(true),
    ];
    assert_eq!(results, expected);
}

/// What `openssl req -x509` makes is the certificate of a CA, also where it is named as trusted.
#[test]
fn the_certificate_of_a_ca_is_told_as_that() {
    let (mut server, certificate) =
        server_with("broker", IsCa::Ca(BasicConstraints::Unconstrained));
    let mut client = client(Trust::Ca(vec![certificate]), today, "broker.test");

    let result = carry(&mut client, &mut server, usize::MAX);

    assert_eq!(result, Err(TransportError::CertificateOfCa));
}

/// An end without TLS, a refusal, and TLS where none was asked for.
#[test]
fn what_is_not_tls_is_told_from_a_refusal() {
    let answer = |bytes: &[u8]| {
        let mut client = client(Trust::Anyone, today, "broker.test");
        client.feed(bytes, &mut Vec::new())
    };

    assert_eq!(answer(b"HTTP/1.1 400 Bad"), Err(TransportError::NotTls));
    let name = "HandshakeFailure".to_owned();
    let refused = Err(TransportError::Alert { name, number: 40 });
    assert_eq!(answer(&[0x15, 3, 3, 0, 2, 2, 40]), refused);
    let unasked = Transport::plain().feed(&[0x15, 3, 3], &mut Vec::new());
    assert_eq!(unasked, Err(TransportError::TlsUnasked));
    let silent = Transport::plain().feed_end();
    assert_eq!(silent, Err(TransportError::ClosedWithoutAWord));
    let gone = client(Trust::Anyone, today, "broker.test").feed_end();
    assert_eq!(gone, Err(TransportError::ClosedInTlsHandshake));
}

/// A client that asked for a WebSocket, and the request.
fn asking() -> (Transport, String) {
    let target = WebSocketTarget {
        host: "broker.test:8080".to_owned(),
        path: "/mqtt".to_owned(),
    };
    let mut client = Transport::plain()
        .with_web_socket(&target)
        .expect("it works");
    let mut request = Vec::new();
    client.take_wire(&mut request);
    (client, String::from_utf8(request).expect("it works"))
}

/// The answer that agrees, with `more` headers.
fn agreement(request: &str, more: &str) -> Vec<u8> {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = tungstenite::handshake::derive_accept_key(key.expect("it works").as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
    .into_bytes()
}

/// MQTT's bytes go in binary frames and come out of them, however they are cut [MQTT-6.0.0-2].
#[test]
fn any_split_of_a_web_socket_gives_the_same_bytes() {
    for piece in [1, 3, usize::MAX] {
        let (mut client, request) = asking();
        assert!(request.starts_with("GET /mqtt HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("Host: broker.test:8080\r\n"), "{request}");
        assert!(
            request.contains("Sec-WebSocket-Protocol: mqtt\r\n"),
            "{request}"
        );
        let mut wire = agreement(&request, "Sec-WebSocket-Protocol: mqtt\r\n");
        // Two binary frames and a ping between them (RFC 6455, section 5.2).
        wire.extend_from_slice(&[0x82, 2, 0x20, 3, 0x89, 1, b'!', 0x82, 3, 0, 0, 0]);
        let mut app = Vec::new();

        for piece in wire.chunks(piece) {
            client.feed(piece, &mut app).expect("it works");
        }
        let mut sent = Vec::new();
        client.wrap(&[0xC0, 0], &mut sent).expect("it works");

        assert_eq!(app, [0x20, 3, 0, 0, 0], "pieces of {piece}");
        // A pong with the ping's byte, then a binary frame; both masked.
        let [0x8A, 0x81, a, _, _, _, pong, 0x82, 0x82, c, d, _, _, x, y] = sent[..] else {
            panic!("{sent:x?}");
        };
        assert_eq!([pong ^ a, x ^ c, y ^ d], [b'!', 0xC0, 0]);
    }
}

/// Another status, another protocol, and frames of text are told apart.
#[test]
fn each_fault_of_a_web_socket_has_its_name() {
    let answer = |bytes: &dyn Fn(&str) -> Vec<u8>| {
        let (mut client, request) = asking();
        client.feed(&bytes(&request), &mut Vec::new())
    };
    let text = |request: &str| {
        let agreed = agreement(request, "Sec-WebSocket-Protocol: mqtt\r\n");
        [agreed, vec![0x81, 1, b'x']].concat()
    };

    let status = answer(&|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert_eq!(status, Err(TransportError::HttpStatus { status: 404 }));
    let without = answer(&|request| agreement(request, ""));
    assert_eq!(without, Err(TransportError::NoMqttSubprotocol));
    assert_eq!(answer(&text), Err(TransportError::TextFrame));
    let mqtt = answer(&|_| vec![0x20, 3, 0, 0, 0]);
    assert_eq!(mqtt, Err(TransportError::NotHttp));
    let gone = asking().0.feed_end();
    assert_eq!(gone, Err(TransportError::ClosedInWebSocketHandshake));
}
