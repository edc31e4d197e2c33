//! The end of Sessions that outlive their connections in MQTT 3.1.1: only a CONNECT with Clean Session 1 ends them (§3.1.2.4).

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use squall_protocol::codec;
use squall_protocol::packet::{Connect, Disconnect, Packet};

use crate::client;
use crate::error::Client;
use crate::limits::{END_SESSION_MAX, END_SESSIONS_MAX};
use crate::load::Load;

/// Bytes of a CONNACK of 3.1.1 (§3.2).
const CONNACK_BYTES: usize = 4;

/// Ends the Sessions of all subscribers, as far as the broker answers in time: those that it does not end then, it keeps.
pub(crate) fn end_sessions(load: &Load, address: SocketAddr) {
    let begun_at = Instant::now();
    for place in 0..load.subscribers.len() as u32 {
        if begun_at.elapsed() > END_SESSIONS_MAX {
            return;
        }
        // The load is over and measured: a broker that refuses is left as it is.
        let _ = end_session(load, Client::Subscriber(place), address);
    }
}

fn end_session(load: &Load, client: Client, address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, END_SESSION_MAX)?;
    stream.set_read_timeout(Some(END_SESSION_MAX))?;
    let connect = Connect {
        clean_start: true,
        ..client::connect(client, load)
    };
    let mut bytes = Vec::new();
    codec::encode(
        &Packet::Connect(Box::new(connect)),
        load.version,
        &mut bytes,
    );
    stream.write_all(&bytes)?;
    stream.read_exact(&mut [0; CONNACK_BYTES])?;
    bytes.clear();
    let disconnect = Packet::Disconnect(Disconnect::default());
    codec::encode(&disconnect, load.version, &mut bytes);
    stream.write_all(&bytes)
}
