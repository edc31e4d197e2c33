//! Finding the subscriber of one message among the filters of many, through the broker's core.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use squall_benches::broker::Clients;
use squall_benches::publish;
use squall_protocol::codec::encode;
use squall_protocol::packet::Packet;
use squall_protocol::{QoS, Version};

/// Filters in the broker, each of another client.
const FILTERS: [usize; 2] = [100, 10_000];
/// More Topic Names than the match cache remembers (65,536 by default).
const TOPICS_BEYOND_CACHE: usize = 100_000;

fn encoded(topic: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let sent = publish(topic, QoS::AtMostOnce, b"payload");
    encode(&Packet::Publish(sent), Version::V3_1_1, &mut bytes);
    bytes
}

/// `count` clients, each subscribed to the filter that `filter` makes of its number.
fn subscribed(count: usize, filter: impl Fn(usize) -> String) -> Clients {
    let mut clients = Clients::connected(count + 1, Version::V3_1_1);
    for client in 0..count {
        clients.subscribe(client, &filter(client), QoS::AtMostOnce);
    }
    clients
}

fn topics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one subscriber among many, by filters");
    for filters in FILTERS {
        let mut clients = subscribed(filters, |client| format!("cmd/{client}"));
        let bytes = encoded("cmd/42");
        group.bench_function(BenchmarkId::new("exact", filters), |bencher| {
            bencher.iter(|| {
                clients.receive(filters, &bytes);
                clients.take_written(|_, _| {})
            });
        });

        let mut clients = subscribed(filters, |client| format!("fleet/{client}/+/#"));
        let bytes = encoded("fleet/42/engine/rpm");
        group.bench_function(
            BenchmarkId::new("wildcard, remembered", filters),
            |bencher| {
                bencher.iter(|| {
                    clients.receive(filters, &bytes);
                    clients.take_written(|_, _| {})
                });
            },
        );

        let messages: Vec<Vec<u8>> = (0..TOPICS_BEYOND_CACHE)
            .map(|number| encoded(&format!("fleet/{}/engine/{number}", number % filters)))
            .collect();
        let mut next = messages.iter().cycle();
        group.bench_function(BenchmarkId::new("wildcard, new", filters), |bencher| {
            bencher.iter(|| {
                if let Some(bytes) = next.next() {
                    clients.receive(filters, bytes);
                }
                clients.take_written(|_, _| {})
            });
        });
    }
    group.finish();
}

criterion_group!(benches, topics);
criterion_main!(benches);
