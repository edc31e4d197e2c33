//! Speaks TLS and WebSocket in front of a broker that has neither.
//!
//! `cargo run -p squall-transport --example terminate -- 127.0.0.1:8883 127.0.0.1:1883 cert.pem key.pem` for TLS,
//! without the two files for plain TCP; with `ws` at the end for WebSocket at `/mqtt`, with `ca=FILE` for clients that
//! must show a certificate of that CA. For trying the crate with clients of others: it has no limits and no deadlines.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the crate has no sockets, threads and clocks: this is where a server has them"
)]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use squall_transport::{
    ClientCertificates, Listener, TlsServer, TlsServerSettings, TlsVersions, Transport,
    WebSocketService, certificates, private_key,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, to, options @ ..] = &arguments[..] else {
        return Err("LISTEN TO [CERT KEY] [ca=FILE] [ws]".into());
    };
    let listener = listener(options)?;
    for stream in TcpListener::bind(listen)?.incoming() {
        let (client, broker) = (stream?, TcpStream::connect(to)?);
        let transport = Transport::accept(&listener);
        thread::spawn(move || {
            let peer = client.peer_addr();
            match carry(client, broker, transport) {
                Ok(name) => println!("{peer:?} ended, certificate of {name:?}"),
                Err(error) => println!("{peer:?}: {error}"),
            }
        });
    }
    Ok(())
}

fn listener(options: &[String]) -> Result<Listener, Failure> {
    let is_web_socket = options.last().is_some_and(|last| last == "ws");
    let ca = options.iter().find_map(|option| option.strip_prefix("ca="));
    let clients = match ca {
        Some(file) => ClientCertificates::Required(certificates(&std::fs::read(file)?)?),
        None => ClientCertificates::Unasked,
    };
    let tls = match options {
        [cert, key, ..] if cert != "ws" => Some(TlsServer::new(TlsServerSettings {
            certificates: certificates(&std::fs::read(cert)?)?,
            key: private_key(&std::fs::read(key)?)?,
            clients,
            versions: TlsVersions::All,
            wall_clock: || {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
            },
        })?),
        _ => None,
    };
    let service = WebSocketService {
        paths: vec!["/mqtt".to_owned()],
        frame_bytes_max: 1024 * 1024,
    };
    Ok(Listener {
        tls,
        web_socket: is_web_socket.then(|| Arc::new(service)),
    })
}

/// Carries one connection to its end; the name in the client's certificate.
fn carry(
    mut client: TcpStream,
    mut broker: TcpStream,
    transport: Transport,
) -> Result<Option<String>, Failure> {
    let transport = Arc::new(Mutex::new(transport));
    let down = {
        let (client, broker) = (client.try_clone()?, broker.try_clone()?);
        let transport = Arc::clone(&transport);
        thread::spawn(move || carry_down(client, broker, &transport))
    };
    let mut buffer = [0; 4096];
    let result = loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            break Ok(());
        }
        let (mut app, mut wire) = (Vec::new(), Vec::new());
        let mut transport = transport.lock().expect("no thread panics");
        let fed = transport.feed(&buffer[..count], &mut app);
        transport.take_wire(&mut wire);
        client.write_all(&wire)?;
        broker.write_all(&app)?;
        if fed.is_err() || transport.has_ended() {
            let mut goodbye = Vec::new();
            transport.close(&mut goodbye);
            client.write_all(&goodbye)?;
            break fed;
        }
    };
    // The broker may have something to say to what came before.
    broker.shutdown(Shutdown::Write)?;
    let _ = down.join();
    let name = transport.lock().expect("no thread panics").peer_name();
    result.map(|()| name).map_err(Failure::from)
}

fn carry_down(mut client: TcpStream, mut broker: TcpStream, transport: &Mutex<Transport>) {
    let mut buffer = [0; 4096];
    loop {
        let count = broker.read(&mut buffer).unwrap_or(0);
        let mut wire = Vec::new();
        let mut transport = transport.lock().expect("no thread panics");
        match count {
            0 => transport.close(&mut wire),
            // Refused once the client has closed.
            _ => drop(transport.wrap(&buffer[..count], &mut wire)),
        }
        if client.write_all(&wire).is_err() || count == 0 {
            let _ = client.shutdown(Shutdown::Write);
            return;
        }
    }
}
