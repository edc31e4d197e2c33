//! One client: its socket, what is between that and MQTT, the bytes that wait for it, and how far its connection is.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use squall_protocol::codec::{self, PacketReader};
use squall_protocol::packet::{
    Connect, ConnectProperties, Disconnect, Packet, Subscribe, SubscribeProperties, Subscription,
    SubscriptionOptions, UndecodedFilters,
};
use squall_protocol::{PacketId, Version};
use squall_transport::Transport;

use crate::error::{Client, LoadError};
use crate::limits::{KEEP_ALIVE_SECONDS, SESSION_EXPIRY_SECONDS};
use crate::load::{Load, Sessions};

/// A client and its connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) reader: PacketReader,
    /// `None` where MQTT is straight on TCP.
    pub(crate) layers: Option<Box<Transport>>,
    pub(crate) side: Side,
}

/// All connections, and which of them have something to write.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// Publishers first.
    pub(crate) connections: Vec<Connection>,
    /// Those that may have bytes to write.
    to_write: Vec<u32>,
}

/// What packets change of a connection.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) client: Client,
    pub(crate) phase: Phase,
    /// Bytes of MQTT for the broker.
    pub(crate) out: Vec<u8>,
    /// The same in the layers, if there are any: it is written before more of `out` is wrapped.
    pub(crate) wire: Vec<u8>,
    /// Whether it is listed as one that has something to write.
    is_listed: bool,
    /// Whether the rest of its bytes must wait for room.
    is_full: bool,
    /// PINGREQs that were not answered yet.
    pub(crate) unanswered_pings: u32,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The system is asked for it.
    Opening,
    /// TLS and WebSocket shake hands.
    Agreeing,
    /// CONNECT is sent.
    Connecting,
    /// SUBSCRIBE is sent.
    Subscribing,
    /// The load may run.
    Ready,
}

impl Clients {
    /// Notes that the connection at `place` may have bytes to write.
    #[inline]
    pub(crate) fn list(&mut self, place: u32) {
        let side = &mut self.connections[place as usize].side;
        if !side.is_listed {
            side.is_listed = true;
            self.to_write.push(place);
        }
    }

    /// Writes each connection that is listed, once.
    pub(crate) fn write_all(&mut self) -> Result<(), LoadError> {
        for place in self.to_write.drain(..) {
            let connection = &mut self.connections[place as usize];
            connection.side.is_listed = false;
            let written = connection.write();
            let client = connection.side.client;
            written.map_err(|source| LoadError::Connection { client, source })?;
        }
        Ok(())
    }

    /// Asks the broker on each connection whether it is there: so those stay alive on which nothing is sent.
    pub(crate) fn ping_all(&mut self, version: Version) {
        for place in 0..self.connections.len() as u32 {
            let side = &mut self.connections[place as usize].side;
            if side.phase == Phase::Ready {
                codec::encode(&Packet::Pingreq, version, &mut side.out);
                side.unanswered_pings += 1;
                self.list(place);
            }
        }
    }

    /// Connections on which the broker has not answered a ping.
    pub(crate) fn unanswered(&self) -> usize {
        let sides = self.connections.iter().map(|connection| &connection.side);
        sides.filter(|side| side.unanswered_pings > 0).count()
    }
}

impl Connection {
    /// Asks the system for a connection to `address`.
    pub(crate) fn open(
        client: Client,
        address: SocketAddr,
        layers: Option<Transport>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            reader: PacketReader::new(),
            layers: layers.map(Box::new),
            side: Side {
                client,
                phase: Phase::Opening,
                out: Vec::new(),
                wire: Vec::new(),
                is_listed: false,
                is_full: false,
                unanswered_pings: 0,
            },
        })
    }

    /// The socket has room: a new connection begins its handshakes, or sends CONNECT.
    pub(crate) fn has_room(&mut self, load: &Load) -> io::Result<()> {
        self.side.is_full = false;
        if self.side.phase == Phase::Opening {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error),
            }
            self.stream.set_nodelay(true)?;
            match &mut self.layers {
                None => self.side.begin(load),
                Some(layers) => {
                    self.side.phase = Phase::Agreeing;
                    layers.take_wire(&mut self.side.wire);
                }
            }
        }
        self.write()
    }

    /// Writes what there is, as far as there is room.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let side = &mut self.side;
        let Some(layers) = &mut self.layers else {
            return write(&self.stream, &mut side.out, &mut side.is_full);
        };
        loop {
            write(&self.stream, &mut side.wire, &mut side.is_full)?;
            if side.is_full || side.out.is_empty() || !layers.is_ready() {
                return Ok(());
            }
            (layers.wrap(&side.out, &mut side.wire)).map_err(io::Error::other)?;
            side.out.clear();
        }
    }

    /// Says goodbye, if there is room for it, and ends the Session with that, as far as `version` lets it.
    pub(crate) fn leave(&mut self, version: Version, sessions: Sessions) {
        let mut disconnect = Disconnect::default();
        if is_kept(self.side.client, sessions) && version == Version::V5 {
            disconnect.properties.session_expiry_interval = Some(0);
        }
        codec::encode(&Packet::Disconnect(disconnect), version, &mut self.side.out);
        // The load is over: a broker that does not hear it ends the connection by the close.
        let _ = self.write();
        if let Some(layers) = &mut self.layers {
            layers.close(&mut self.side.wire);
            let _ = self.write();
        }
    }
}

/// Writes `bytes` as far as there is room, and keeps the rest.
fn write(mut stream: &TcpStream, bytes: &mut Vec<u8>, is_full: &mut bool) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() && !*is_full {
        match stream.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => *is_full = true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if written == bytes.len() {
        bytes.clear();
    } else {
        bytes.drain(..written);
    }
    Ok(())
}

impl Side {
    /// All handshakes are over: sends CONNECT.
    pub(crate) fn begin(&mut self, load: &Load) {
        self.phase = Phase::Connecting;
        let connect = Packet::Connect(Box::new(connect(self.client, load)));
        codec::encode(&connect, load.version, &mut self.out);
    }

    /// Whether there is something to write.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.out.is_empty() || !self.wire.is_empty()
    }

    /// Whether bytes wait for room.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

fn is_kept(client: Client, sessions: Sessions) -> bool {
    match (client, sessions) {
        (Client::Subscriber(_), Sessions::Kept) => true,
        (Client::Subscriber(_) | Client::Publisher(_), Sessions::Clean)
        | (Client::Publisher(_), Sessions::Kept) => false,
    }
}

/// The CONNECT of `client`.
pub(crate) fn connect(client: Client, load: &Load) -> Connect {
    let is_kept = is_kept(client, load.sessions);
    let client_id = match client {
        Client::Publisher(place) => &load.publishers[place as usize].client_id,
        Client::Subscriber(place) => &load.subscribers[place as usize].client_id,
    };
    Connect {
        version: load.version,
        // In 3.1.1 the same flag says that the Session ends with the connection (§3.1.2.4).
        clean_start: !is_kept,
        keep_alive: KEEP_ALIVE_SECONDS,
        client_id: client_id.clone(),
        will: None,
        user_name: load.user_name.clone(),
        password: load.password.clone(),
        properties: ConnectProperties {
            session_expiry_interval: (is_kept && load.version == Version::V5)
                .then_some(SESSION_EXPIRY_SECONDS),
            ..ConnectProperties::default()
        },
    }
}

/// The SUBSCRIBE of the subscriber at `place`.
pub(crate) fn subscribe(place: u32, load: &Load) -> Packet<'static> {
    let filter = load.subscribers[place as usize].filter.to_stored();
    Packet::Subscribe(Subscribe {
        id: PacketId::new(1).expect("it is not 0"),
        properties: SubscribeProperties::default(),
        subscriptions: vec![Subscription {
            filter: Ok(filter),
            options: SubscriptionOptions {
                qos: load.qos,
                ..SubscriptionOptions::default()
            },
        }],
        rest: UndecodedFilters::default(),
    })
}
