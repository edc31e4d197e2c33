//! Decoding a full read buffer of PUBLISH packets, encoding one, and appending one to many.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squall_benches::publish;
use squall_protocol::codec::{DecodeRules, PacketReader, PublishFlags, PublishTemplate, encode};
use squall_protocol::packet::Packet;
use squall_protocol::{PacketId, QoS, Version};

/// One read of the broker, in bytes.
const READ_BYTES: usize = 64 * 1024;
const TOPIC: &str = "fleet/sensor-00042/telemetry";
/// A small message and a middling one, in bytes.
const PAYLOAD_SIZES: [usize; 2] = [16, 256];

const CASES: [(&str, Version, QoS); 4] = [
    ("3.1.1 QoS 0", Version::V3_1_1, QoS::AtMostOnce),
    ("3.1.1 QoS 1", Version::V3_1_1, QoS::AtLeastOnce),
    ("5.0 QoS 0", Version::V5, QoS::AtMostOnce),
    ("5.0 QoS 1", Version::V5, QoS::AtLeastOnce),
];

/// As many packets as one read holds whole, and their number.
fn stream(version: Version, qos: QoS, payload: &[u8]) -> (Vec<u8>, u64) {
    let packet = Packet::Publish(publish(TOPIC, qos, payload));
    let mut one = Vec::new();
    encode(&packet, version, &mut one);
    let count = READ_BYTES / one.len();
    (one.repeat(count), count as u64)
}

fn decode(criterion: &mut Criterion) {
    for payload_bytes in PAYLOAD_SIZES {
        decode_payload(criterion, payload_bytes);
    }
}

fn decode_payload(criterion: &mut Criterion, payload_bytes: usize) {
    let name = format!("decode PUBLISH of {payload_bytes} bytes");
    let mut group = criterion.benchmark_group(name);
    let payload = vec![7; payload_bytes];
    for (name, version, qos) in CASES {
        let (bytes, count) = stream(version, qos, &payload);
        let rules = DecodeRules {
            version: Some(version),
            maximum_packet_size: 1024 * 1024,
        };
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            let mut reader = PacketReader::new();
            bencher.iter(|| {
                let mut input = black_box(bytes.as_slice());
                let mut payload_bytes = 0;
                while let Some(packet) = reader
                    .poll_packet(&mut input, &rules)
                    .expect("the stream is well formed")
                {
                    if let Packet::Publish(publish) = packet {
                        payload_bytes += publish.payload.len();
                    }
                }
                payload_bytes
            });
        });
    }
    group.finish();
}

fn encode_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode PUBLISH of 16 bytes");
    group.throughput(Throughput::Elements(1));
    let payload = [7; 16];
    for (name, version, qos) in CASES {
        let packet = Packet::Publish(publish(TOPIC, qos, &payload));
        let mut out = Vec::with_capacity(READ_BYTES);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                encode(black_box(&packet), version, &mut out);
                out.len()
            });
        });
    }
    group.finish();
}

fn append_to_many(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append one PUBLISH of 256 bytes to 1000 buffers");
    let payload = [7; 256];
    group.throughput(Throughput::Elements(1000));
    for (name, version, qos) in CASES {
        let message = publish(TOPIC, qos, &payload);
        let flags = PublishFlags {
            dup: false,
            qos,
            retain: false,
        };
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => PacketId::new(1),
        };
        let mut outboxes = vec![Vec::<u8>::new(); 1000];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let template = PublishTemplate::new(black_box(&message), version);
                for outbox in &mut outboxes {
                    outbox.clear();
                    template.append(outbox, flags, packet_id);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode, encode_one, append_to_many);
criterion_main!(benches);
