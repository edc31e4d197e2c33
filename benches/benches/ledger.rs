//! What it costs to account for a message: the ledger and the metrics hear of a PUBLISH at QoS 1,
//! its PUBACK and its deliveries.
//!
//! `streams` devices publish in turn to a topic each; every subscriber of a plain fan-out gets all,
//! one of them at a time if they share. A throughput is deliveries per second.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squall_fleet::{
    About, ConnectionFact, DeliveredFact, Fact, Observation, Pace, Phase, PublicationFact, RunTag,
    Sink, SocketId, Stamp, SubscriptionFact, Wanted, payload,
};
use squall_ledger::Recorder;
use squall_protocol::{
    Instant, QoS, ReasonCode, Version,
    packet::{PublishProperties, SubscriptionOptions},
};
use squall_scenario::{ClientKey, DeviceId, Scenario};

/// How messages reach subscribers.
#[derive(Clone, Copy)]
enum Spread {
    /// Each gets all.
    FanOut,
    /// One of them gets each.
    Shared,
}

/// A recorder whose devices are connected and subscribed, and what comes next.
struct Scene {
    recorder: Recorder,
    now: Instant,
    topics: Vec<String>,
    sequences: Vec<u32>,
    subscribers: u32,
    spread: Spread,
    turn: usize,
}

impl Scene {
    fn new(streams: u32, subscribers: u32, spread: Spread) -> Self {
        let text = format!(
            "version = 1\nname = \"bench\"\n\
             [[group]]\nname = \"publishers\"\ncount = {streams}\n\
             [[group]]\nname = \"subscribers\"\ncount = {subscribers}\n"
        );
        let scenario = Scenario::parse("bench.toml", &text, &[]).expect("the scenario is valid");
        let mut scene = Self {
            recorder: Recorder::new(&scenario, RunTag::of_seed(1)),
            now: Instant::ZERO,
            topics: (0..streams)
                .map(|index| format!("t/{index}/telemetry"))
                .collect(),
            sequences: vec![0; streams as usize],
            subscribers,
            spread,
            turn: 0,
        };
        let filter = match spread {
            Spread::FanOut => "t/+/telemetry",
            Spread::Shared => "$share/g/t/+/telemetry",
        };
        for device in 0..streams + subscribers {
            scene.connect(device);
        }
        for device in streams..streams + subscribers {
            scene.subscribe(device, filter);
        }
        scene.recorder.enter_phase(scene.now, Phase::Measuring);
        scene
    }

    fn tell(&mut self, device: u32, fact: Fact<'_>) {
        let observation = Observation {
            about: About::Device {
                device: DeviceId(device),
                client: ClientKey(device),
                socket: SocketId(device.into()),
            },
            fact,
            waited: None,
            on_link: Duration::ZERO,
        };
        self.recorder.observe(self.now, &observation);
    }

    fn connect(&mut self, device: u32) {
        let sent = Fact::Connection(ConnectionFact::ConnectSent {
            version: Version::V5,
            clean_start: true,
            is_persistent: false,
            keep_alive: Duration::from_secs(60),
            will: None,
            path: squall_fleet::Path::Direct,
        });
        self.tell(device, sent);
        let connected = Fact::Connection(ConnectionFact::Connected {
            session_present: false,
            opened_at: self.now,
        });
        self.tell(device, connected);
    }

    fn subscribe(&mut self, device: u32, filter: &str) {
        let wanted = [Wanted {
            filter: filter.to_owned(),
            options: SubscriptionOptions {
                qos: QoS::AtLeastOnce,
                ..SubscriptionOptions::default()
            },
            identifier: None,
        }];
        self.tell(
            device,
            Fact::Subscription(SubscriptionFact::Sent { wanted: &wanted }),
        );
        let granted = Fact::Subscription(SubscriptionFact::Answered {
            wanted: &wanted,
            reasons: &[ReasonCode::GrantedQoS1],
            sent_at: self.now,
        });
        self.tell(device, granted);
    }

    /// One message from its due time to its last delivery.
    fn message(&mut self) {
        let stream = self.turn % self.topics.len();
        self.turn += 1;
        self.now += Duration::from_micros(100);
        let sequence = self.sequences[stream];
        self.sequences[stream] += 1;
        // There are fewer than 2^32 streams.
        let device = stream as u32;
        let stamp = Stamp {
            run: RunTag::of_seed(1),
            device: DeviceId(device),
            sequence,
            scheduled: self.now,
        };
        let mut bytes = Vec::with_capacity(100);
        payload::append_binary(&mut bytes, stamp, 100);
        let topic = std::mem::take(&mut self.topics[stream]);
        let qos = QoS::AtLeastOnce;
        self.tell(
            device,
            Fact::Publication(PublicationFact::Due {
                stamp,
                topic: &topic,
                qos,
                pace: Pace::Schedule,
            }),
        );
        let published = Fact::Publication(PublicationFact::Sent {
            stamp,
            topic: &topic,
            qos,
            retain: false,
            payload: &bytes,
            properties: &squall_protocol::packet::PublishProperties::default(),
            reached_at: self.now,
            expiry: None,
            stamp_place: squall_scenario::StampPlace::Payload,
        });
        self.tell(device, published);
        self.now += Duration::from_micros(100);
        let acknowledged = Fact::Publication(PublicationFact::Acknowledged {
            stamp,
            topic: &topic,
            reason: ReasonCode::Success,
        });
        self.tell(device, acknowledged);
        let first = self.sequences.len() as u32;
        let receivers = match self.spread {
            Spread::FanOut => first..first + self.subscribers,
            Spread::Shared => {
                let member = first + sequence % self.subscribers;
                member..member + 1
            }
        };
        for receiver in receivers {
            self.deliver(receiver, &topic, &bytes);
        }
        self.topics[stream] = topic;
    }

    fn deliver(&mut self, receiver: u32, topic: &str, payload: &[u8]) {
        let delivered = Fact::Delivered(DeliveredFact {
            topic,
            qos: QoS::AtLeastOnce,
            dup: false,
            retain: false,
            payload,
            properties: &PublishProperties::default(),
            stamp: payload::parse(payload),
        });
        self.tell(receiver, delivered);
    }
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger, deliveries at QoS 1");
    for (name, streams, subscribers, spread) in [
        ("1 stream to 1", 1, 1, Spread::FanOut),
        ("10,000 streams to 1", 10_000, 1, Spread::FanOut),
        ("1 stream to 1,000", 1, 1_000, Spread::FanOut),
        ("5,000 streams to a share of 4", 5_000, 4, Spread::Shared),
    ] {
        let deliveries = match spread {
            Spread::FanOut => u64::from(subscribers),
            Spread::Shared => 1,
        };
        group.throughput(Throughput::Elements(deliveries));
        let mut scene = Scene::new(streams, subscribers, spread);
        group.bench_function(name, |bencher| bencher.iter(|| scene.message()));
    }
    group.finish();
}

criterion_group!(benches, observe);
criterion_main!(benches);
