//! One PUBLISH to many subscribers, through the broker's core: decode, match, encode into every
//! outbox, and at QoS 1 the acknowledgements of all.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squall_benches::broker::Clients;
use squall_benches::publish;
use squall_protocol::codec::encode;
use squall_protocol::packet::Packet;
use squall_protocol::{QoS, Version};

const SUBSCRIBERS: [usize; 3] = [1, 100, 1000];
const TOPIC: &str = "fleet/device-00042/telemetry";
const PAYLOAD: [u8; 100] = [7; 100];
/// Where a PUBLISH of QoS 1 to `TOPIC` has its Packet Identifier: behind one byte of type, two of
/// length and the topic with its length.
const PACKET_ID_AT: usize = 3 + 2 + TOPIC.len();

fn fan_out(criterion: &mut Criterion) {
    for version in [Version::V3_1_1, Version::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let name = format!(
                "fan-out of {version:?} at QoS {}, by subscribers",
                qos as u8
            );
            let mut group = criterion.benchmark_group(name);
            for subscribers in SUBSCRIBERS {
                group.throughput(Throughput::Elements(subscribers as u64));
                // The last client publishes.
                let mut clients = Clients::connected(subscribers + 1, version);
                for client in 0..subscribers {
                    clients.subscribe(client, TOPIC, qos);
                }
                let mut bytes = Vec::new();
                let sent = publish(TOPIC, qos, &PAYLOAD);
                encode(&Packet::Publish(sent), version, &mut bytes);
                let mut acknowledgements = Vec::with_capacity(subscribers);
                group.bench_function(BenchmarkId::from_parameter(subscribers), |bencher| {
                    bencher.iter(|| {
                        clients.receive(subscribers, &bytes);
                        clients.take_written(|client, bytes| {
                            if qos == QoS::AtLeastOnce && client != subscribers {
                                let id = [bytes[PACKET_ID_AT], bytes[PACKET_ID_AT + 1]];
                                acknowledgements.push((client, [0x40, 0x02, id[0], id[1]]));
                            }
                        });
                        for (client, puback) in acknowledgements.drain(..) {
                            clients.receive(client, &puback);
                        }
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
