//! The end of Sessions that outlive their connections in MQTT 3.1.1: only a CONNECT with Clean Session 1 ends them (§3.1.2.4).

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use squall_protocol::codec;
use squall_protocol::packet::{Connect, Disconnect, Packet};
use squall_transport::Transport;

use crate::client;
use crate::error::Client;
use crate::layers::OpenLayers;
use crate::limits::{END_SESSION_MAX, END_SESSIONS_MAX};
use crate::load::Load;

/// Bytes of a CONNACK of 3.1.1 (§3.2).
const CONNACK_BYTES: usize = 4;

/// A connection that one thread waits for.
struct Line {
    stream: TcpStream,
    layers: Transport,
    /// Bytes of MQTT that came.
    received: Vec<u8>,
}

/// Ends the Sessions of all subscribers, as far as the broker answers in time: those that it does not end then, it keeps.
pub(crate) fn end_sessions(load: &Load, address: SocketAddr, layers: &dyn OpenLayers) {
    let begun_at = Instant::now();
    for place in 0..load.subscribers.len() as u32 {
        if begun_at.elapsed() > END_SESSIONS_MAX {
            return;
        }
        let layers = layers.open().unwrap_or_else(Transport::plain);
        // The load is over and measured: a broker that refuses is left as it is.
        let _ = end_session(load, Client::Subscriber(place), address, layers);
    }
}

fn end_session(
    load: &Load,
    client: Client,
    address: SocketAddr,
    layers: Transport,
) -> io::Result<()> {
    let mut line = Line {
        stream: TcpStream::connect_timeout(&address, END_SESSION_MAX)?,
        layers,
        received: Vec::new(),
    };
    line.stream.set_read_timeout(Some(END_SESSION_MAX))?;
    let connect = Connect {
        clean_start: true,
        ..client::connect(client, load)
    };
    line.shake_hands()?;
    line.send(&Packet::Connect(Box::new(connect)), load)?;
    while line.received.len() < CONNACK_BYTES {
        line.receive()?;
    }
    line.send(&Packet::Disconnect(Disconnect::default()), load)
}

impl Line {
    fn shake_hands(&mut self) -> io::Result<()> {
        loop {
            let mut wire = Vec::new();
            self.layers.take_wire(&mut wire);
            self.stream.write_all(&wire)?;
            if self.layers.is_ready() {
                return Ok(());
            }
            self.receive()?;
        }
    }

    fn send(&mut self, packet: &Packet<'_>, load: &Load) -> io::Result<()> {
        let (mut bytes, mut wire) = (Vec::new(), Vec::new());
        codec::encode(packet, load.version, &mut bytes);
        (self.layers.wrap(&bytes, &mut wire)).map_err(io::Error::other)?;
        self.stream.write_all(&wire)
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let fed = self.layers.feed(&buffer[..count], &mut self.received);
        fed.map_err(io::Error::other)
    }
}
