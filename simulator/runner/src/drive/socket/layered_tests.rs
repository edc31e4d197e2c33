//! Sockets with TLS against a server of the TLS library.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use squall_transport::{TlsClient, TlsSettings, Trust};

use super::tests::next;
use super::*;

/// What a server heard until the end, and whether that was announced.
type Heard = JoinHandle<(Vec<u8>, Result<(), ErrorKind>)>;

/// A socket that speaks TLS to a server, which greets, then reads to the end.
async fn secured() -> (Socket, Heard) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("it can be made");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the library has them")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("they belong together");
    let server = ServerConnection::new(Arc::new(config)).expect("the configuration is right");
    let client = TlsClient::new(TlsSettings {
        trust: Trust::Ca(vec![cert.der().clone()]),
        identity: None,
        wall_clock: || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
        },
    });
    let layers = Transport::tls(&client.expect("it can be read"), "localhost");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (peer, _) = listener.accept().expect("a connection");
    let heard = thread::spawn(move || {
        let mut peer = StreamOwned::new(server, peer);
        peer.write_all(b"hello").expect("the client agrees");
        let mut heard = Vec::new();
        let ended = peer.read_to_end(&mut heard);
        (heard, ended.map(drop).map_err(|error| error.kind()))
    });
    let socket = Socket::connecting(stream, Duration::ZERO, Clock::start());
    (socket.through(layers.ok()), heard)
}

/// A close in order is announced by TLS, an abort is not; what was sent before arrives with both.
#[tokio::test(flavor = "current_thread")]
async fn an_abort_ends_tls_without_a_word() {
    for (how, ended) in [
        (Teardown::Fin, Ok(())),
        (Teardown::Abort, Err(ErrorKind::UnexpectedEof)),
    ] {
        let (mut socket, heard) = secured().await;
        let mut reader = Reader::new(64 * 1024);
        let opened = next(&mut socket, &mut reader).await;
        assert_eq!(opened, Progressed::Opened(Duration::ZERO));
        let Progressed::Received(received) = next(&mut socket, &mut reader).await else {
            panic!("the server greets");
        };
        assert_eq!(reader.bytes(received), b"hello");
        socket.queue(b"goodbye");
        socket.flush();

        let torn_down = socket.teardown(how);
        let gone = next(&mut socket, &mut reader).await;

        assert_eq!(torn_down, TornDown::Lingers);
        assert_eq!(gone, Progressed::Gone);
        let heard = heard.join().expect("the server does not panic");
        assert_eq!(heard, (b"goodbye".to_vec(), ended));
    }
}
