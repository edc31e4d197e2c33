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
    /// When the broker is given up, however much it still says.
    until: Instant,
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
    let until = Instant::now() + END_SESSION_MAX;
    let mut line = Line {
        stream: TcpStream::connect_timeout(&address, END_SESSION_MAX)?,
        until,
        layers,
        received: Vec::new(),
    };
    line.stream.set_write_timeout(Some(END_SESSION_MAX))?;
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
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let fed = self.layers.feed(&buffer[..count], &mut self.received);
        fed.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use squall_protocol::topic::TopicFilter;
    use squall_protocol::{QoS, Version};

    use super::*;
    use crate::load::{Pace, Sessions, Share, SubscriberSpec};

    /// A broker that says a byte now and then is waited for no longer than one that is silent.
    #[test]
    fn a_broker_that_trickles_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has one");
        let broker = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it comes");
            let pause = END_SESSION_MAX.mul_f64(0.6);
            stream.set_read_timeout(Some(pause)).expect("it may");
            for byte in [0x20, 2, 0, 0] {
                // Until nothing comes for that long.
                while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
                let _ = stream.write_all(&[byte]);
            }
        });
        let subscriber = SubscriberSpec {
            client_id: "s".to_owned(),
            filter: TopicFilter::new("t".to_owned()).expect("it is one"),
            share: Share::All,
        };
        let load = Load {
            version: Version::V3_1_1,
            qos: QoS::AtLeastOnce,
            payload_bytes: 20,
            pace: Pace::Window(1),
            unacknowledged_max: 1,
            publishers: Vec::new(),
            subscribers: vec![subscriber],
            sessions: Sessions::Kept,
            user_name: None,
            password: None,
        };

        let ended = end_session(&load, Client::Subscriber(0), address, Transport::plain());

        // All four bytes take 2.4 times as long, and would be the CONNACK.
        assert!(ended.is_err(), "{ended:?}");
        broker.join().expect("it ends");
    }
}
