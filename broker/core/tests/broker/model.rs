//! Random sequences of connects, subscriptions and messages against a naive model.
//!
//! The model has lists where the broker has trees, caches, queues and shared bodies: a message
//! is compared with every filter of every client, level by level. Clients acknowledge at once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use squall_protocol::QoS;
use squall_protocol::packet::{Connect, Packet, Publish};

use crate::harness::{Client, Harness};
use crate::packets::*;

const CLIENTS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Connects, or takes over, with a Session that is kept or not.
    Connect {
        client: usize,
        kept: bool,
    },
    /// The connection breaks.
    Lose {
        client: usize,
    },
    Subscribe {
        client: usize,
        filter: &'static str,
        qos: QoS,
    },
    Unsubscribe {
        client: usize,
        filter: &'static str,
    },
    Publish {
        client: usize,
        topic: &'static str,
        qos: QoS,
        retain: bool,
        is_empty: bool,
    },
}

/// A delivery: topic, payload, QoS, RETAIN.
type Delivery = (String, String, QoS, bool);

#[derive(Default)]
struct ModelClient {
    is_connected: bool,
    /// Whether the Session outlives its connection; `None` without a Session.
    kept: Option<bool>,
    /// In the order of their subscription.
    filters: Vec<(&'static str, QoS)>,
    /// What waits while it is away.
    queue: Vec<Delivery>,
}

#[derive(Default)]
struct Model {
    clients: [ModelClient; CLIENTS],
    retained: BTreeMap<&'static str, (String, QoS)>,
}

impl Model {
    /// Keeps a retained message, or forgets the one on its topic if it is empty.
    fn retain(&mut self, topic: &'static str, payload: &str, qos: QoS) {
        if payload.is_empty() {
            self.retained.remove(topic);
        } else {
            self.retained.insert(topic, (payload.to_owned(), qos));
        }
    }

    /// Returns what the client receives with CONNACK.
    fn connect(&mut self, client: usize, kept: bool) -> Vec<Delivery> {
        let client = &mut self.clients[client];
        // What is not kept ends with its connection, and so with a takeover.
        if !kept || client.kept == Some(false) {
            *client = ModelClient::default();
        }
        client.kept = Some(kept);
        client.is_connected = true;
        std::mem::take(&mut client.queue)
    }

    fn lose(&mut self, client: usize) {
        let client = &mut self.clients[client];
        client.is_connected = false;
        if client.kept == Some(false) {
            *client = ModelClient::default();
        }
    }

    /// Returns the retained messages that it brings.
    fn subscribe(&mut self, client: usize, filter: &'static str, qos: QoS) -> Vec<Delivery> {
        let filters = &mut self.clients[client].filters;
        filters.retain(|&(kept, _)| kept != filter);
        filters.push((filter, qos));
        let retained = self.retained.iter();
        retained
            .filter(|(topic, _)| matches(filter, topic))
            .map(|(topic, (payload, published))| {
                let qos = qos.min(*published);
                ((*topic).to_owned(), payload.clone(), qos, true)
            })
            .collect()
    }

    /// Returns what each client receives at once.
    fn publish(&mut self, topic: &'static str, qos: QoS, payload: &str) -> Vec<Vec<Delivery>> {
        let mut received = vec![Vec::new(); CLIENTS];
        for (client, received) in self.clients.iter_mut().zip(&mut received) {
            let granted = client.filters.iter();
            let granted = granted
                .filter(|(filter, _)| matches(filter, topic))
                .map(|&(_, granted)| granted)
                .max();
            let Some(granted) = granted else {
                continue;
            };
            let qos = qos.min(granted);
            let delivery = (topic.to_owned(), payload.to_owned(), qos, false);
            if client.is_connected {
                received.push(delivery);
            } else if qos != QOS0 {
                client.queue.push(delivery);
            }
        }
        received
    }
}

/// §4.7 word by word.
fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let filter: Vec<&str> = filter.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    match filter.split_last() {
        Some((&"#", fixed)) => topic.len() >= fixed.len() && fits(fixed, &topic),
        _ => topic.len() == filter.len() && fits(&filter, &topic),
    }
}

fn fits(filter: &[&str], topic: &[&str]) -> bool {
    let mut levels = filter.iter().zip(topic);
    levels.all(|(level, name)| *level == "+" || level == name)
}

/// The broker and its clients; `None` where none is connected.
struct Real {
    world: Harness,
    clients: [Option<Client>; CLIENTS],
}

impl Real {
    fn connect_packet(client: usize, kept: bool) -> Connect {
        // The clients are of both versions.
        let name = format!("client-{client}");
        match (client, kept) {
            (0, true) => v4_kept(&name),
            (0, false) => v4(&name),
            (_, true) => v5_kept(&name),
            (_, false) => v5(&name),
        }
    }

    /// Takes what a client received, and acknowledges it until no more comes.
    fn receive(&mut self, client: usize) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let Some(client) = self.clients[client] else {
            return deliveries;
        };
        loop {
            let received = self.world.receive(client);
            if received.is_empty() {
                return deliveries;
            }
            for message in received.messages() {
                if let Some(id) = message.id {
                    let answers = match message.qos {
                        QoS::ExactlyOnce => vec![pubrec(id), pubcomp(id)],
                        QoS::AtLeastOnce | QoS::AtMostOnce => vec![puback(id)],
                    };
                    for answer in answers {
                        self.world.send(client, &answer);
                    }
                }
                assert!(!message.dup, "acknowledged at once");
                deliveries.push((message.topic, message.payload, message.qos, message.retain));
            }
        }
    }
}

/// Applies a step to both and returns what the model says each client receives.
fn apply(step: &Step, count: usize, model: &mut Model, real: &mut Real) -> Vec<Vec<Delivery>> {
    let mut expected = vec![Vec::new(); CLIENTS];
    match *step {
        Step::Connect { client, kept } => {
            expected[client] = model.connect(client, kept);
            let connected = real.world.join(Real::connect_packet(client, kept));
            real.clients[client] = Some(connected);
        }
        Step::Lose { client } => {
            if let Some(lost) = real.clients[client].take() {
                model.lose(client);
                real.world.lose(lost);
            }
        }
        Step::Subscribe {
            client,
            filter,
            qos,
        } => {
            if let Some(connected) = real.clients[client] {
                expected[client] = model.subscribe(client, filter, qos);
                real.world.send(connected, &subscribe(&[(filter, qos)]));
            }
        }
        Step::Unsubscribe { client, filter } => {
            if let Some(connected) = real.clients[client] {
                let filters = &mut model.clients[client].filters;
                filters.retain(|&(kept, _)| kept != filter);
                real.world.send(connected, &unsubscribe(&[filter]));
            }
        }
        Step::Publish {
            client,
            topic,
            qos,
            retain,
            is_empty,
        } => {
            if let Some(connected) = real.clients[client] {
                let payload = match is_empty {
                    true => String::new(),
                    false => count.to_string(),
                };
                expected = model.publish(topic, qos, &payload);
                let sent = Publish {
                    retain,
                    ..publish(topic, qos, &payload)
                };
                if retain {
                    model.retain(topic, &payload, qos);
                }
                real.world.send(connected, &Packet::Publish(sent));
                if qos == QOS2 {
                    real.world.send(connected, &pubrel(id(1)));
                }
            }
        }
    }
    expected
}

fn qos() -> impl Strategy<Value = QoS> {
    prop::sample::select(vec![QOS0, QOS1, QOS2])
}

fn filter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "a/b", "b/b", "#", "+", "a/+", "a/#", "+/b", "+/#", "$d/b", "$d/+",
    ])
}

fn topic() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "a/b", "a/b/c", "b/b", "$d/b"])
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        2 => (client.clone(), any::<bool>())
            .prop_map(|(client, kept)| Step::Connect { client, kept }),
        1 => client.clone().prop_map(|client| Step::Lose { client }),
        3 => (client.clone(), filter(), qos())
            .prop_map(|(client, filter, qos)| Step::Subscribe { client, filter, qos }),
        1 => (client.clone(), filter())
            .prop_map(|(client, filter)| Step::Unsubscribe { client, filter }),
        5 => (client, topic(), qos(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
            |(client, topic, qos, retain, is_empty)| Step::Publish {
                client, topic, qos, retain, is_empty,
            }
        ),
    ]
}

proptest! {
    /// After every step each client has received what the model says, in its order; at the end
    /// nothing is left over.
    #[test]
    fn the_broker_does_what_the_model_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::default();
        let mut real = Real { world: Harness::new(), clients: [None; CLIENTS] };

        for (count, step) in steps.iter().enumerate() {
            let expected = apply(step, count, &mut model, &mut real);
            for (client, expected) in expected.into_iter().enumerate() {
                let received = real.receive(client);
                prop_assert_eq!(received, expected, "client {} after step {}", client, count);
            }
        }

        let counters = real.world.broker.counters();
        let subscriptions: usize = model.clients.iter().map(|c| c.filters.len()).sum();
        let queued: usize = model.clients.iter().map(|c| c.queue.len()).sum();
        prop_assert_eq!(counters.subscriptions, subscriptions);
        prop_assert_eq!(counters.queued_messages, queued);
        prop_assert_eq!(counters.retained_messages, model.retained.len());
        prop_assert_eq!(counters.sessions, model.clients.iter().filter(|c| c.kept.is_some()).count());
    }
}
