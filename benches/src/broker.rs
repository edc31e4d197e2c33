//! A broker with its clients, as a shell would drive it, but with sockets that take everything.

use squall_core::{Broker, ClientIds, Config, ConnectionId, Input, Outboxes};
use squall_protocol::codec::encode;
use squall_protocol::packet::{
    Connect, ConnectProperties, Packet, Subscribe, SubscribeProperties, Subscription,
    SubscriptionOptions, UndecodedFilters,
};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{Instant, PacketId, QoS, Version};

/// A broker and the connections of its clients, all of one version.
pub struct Clients {
    broker: Broker,
    outboxes: Outboxes,
    version: Version,
    connections: Vec<ConnectionId>,
    dirty: Vec<ConnectionId>,
}

impl Clients {
    /// `count` connected clients, named by their number.
    pub fn connected(count: usize, version: Version) -> Self {
        let config = Config {
            sys_interval: None,
            ..Config::default()
        };
        let mut clients = Self {
            broker: Broker::new(config, ClientIds::counted(), Instant::ZERO),
            outboxes: Outboxes::new(),
            version,
            connections: Vec::with_capacity(count),
            dirty: Vec::new(),
        };
        for client in 0..count {
            let connection = ConnectionId {
                slot: client as u32,
                generation: 0,
            };
            clients.connections.push(connection);
            clients.handle(Input::Opened { connection });
            clients.send(client, &Packet::Connect(Box::new(connect(client, version))));
        }
        clients.take_written(|_, _| {});
        clients
    }

    /// Subscribes one client to one filter.
    pub fn subscribe(&mut self, client: usize, filter: &str, qos: QoS) {
        let subscription = Subscription {
            filter: Ok(TopicFilter::new(filter.into()).expect("a topic filter")),
            options: SubscriptionOptions {
                qos,
                ..SubscriptionOptions::default()
            },
        };
        let subscribe = Subscribe {
            id: PacketId::new(1).expect("not 0"),
            properties: SubscribeProperties::default(),
            subscriptions: vec![subscription],
            rest: UndecodedFilters::default(),
        };
        self.send(client, &Packet::Subscribe(subscribe));
        self.take_written(|_, _| {});
    }

    /// Hands the broker one read of a client's bytes.
    pub fn receive(&mut self, client: usize, bytes: &[u8]) {
        let connection = self.connections[client];
        self.handle(Input::Received { connection, bytes });
    }

    /// Takes what the broker wrote to each client, by client, and returns how many bytes it was.
    pub fn take_written(&mut self, mut look: impl FnMut(usize, &[u8])) -> usize {
        let mut dirty = std::mem::take(&mut self.dirty);
        self.outboxes.take_dirty(&mut dirty);
        let mut bytes = 0;
        for &connection in &dirty {
            let pending = self.outboxes.pending_bytes(connection);
            look(connection.slot as usize, pending);
            let written = pending.len();
            bytes += written;
            self.outboxes.written(connection, written);
        }
        self.dirty = dirty;
        bytes
    }

    fn send(&mut self, client: usize, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        encode(packet, self.version, &mut bytes);
        self.receive(client, &bytes);
    }

    fn handle(&mut self, input: Input<'_>) {
        self.broker.handle(Instant::ZERO, input, &mut self.outboxes);
    }
}

fn connect(client: usize, version: Version) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client_id: format!("client-{client}"),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}
