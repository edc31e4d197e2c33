//! The exchanges of QoS 1 and QoS 2: what a message costs beyond its bytes.

use std::collections::VecDeque;
use std::rc::Rc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squall_benches::publish;
use squall_protocol::inbound::Inbound;
use squall_protocol::outbound::Outbound;
use squall_protocol::packet::{Puback, Pubcomp, Pubrec, Pubrel};
use squall_protocol::{PacketId, QoS, ReasonCode};

/// Messages in flight at once.
const WINDOWS: [usize; 3] = [1, 20, 100];
/// Messages per iteration.
const MESSAGES: usize = 1000;

/// Sends `MESSAGES` messages with `window` in flight and gives each its answers.
fn send_all(qos: QoS, window: usize, answer: impl Fn(&mut Outbound<Rc<str>>, PacketId)) -> usize {
    let message: Rc<str> = "a message".into();
    let mut outbound = Outbound::default();
    outbound.resume(u16::MAX);
    let mut in_flight = VecDeque::with_capacity(window);
    for _ in 0..MESSAGES {
        if in_flight.len() == window
            && let Some(oldest) = in_flight.pop_front()
        {
            answer(&mut outbound, oldest);
        }
        in_flight.push_back(outbound.send(qos, Rc::clone(&message)));
    }
    outbound.len()
}

fn sender(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sender, by messages in flight");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    for window in WINDOWS {
        group.bench_function(BenchmarkId::new("QoS 1", window), |bencher| {
            bencher.iter(|| {
                send_all(QoS::AtLeastOnce, window, |outbound, id| {
                    let puback = Puback::new(id, ReasonCode::Success);
                    outbound.handle_puback(&puback).expect("sent at QoS 1");
                })
            });
        });
        group.bench_function(BenchmarkId::new("QoS 2", window), |bencher| {
            bencher.iter(|| {
                send_all(QoS::ExactlyOnce, window, |outbound, id| {
                    let pubrec = Pubrec::new(id, ReasonCode::Success);
                    outbound.handle_pubrec(&pubrec).expect("sent at QoS 2");
                    let pubcomp = Pubcomp::new(id, ReasonCode::Success);
                    outbound.handle_pubcomp(&pubcomp).expect("PUBREC came");
                })
            });
        });
    }
    group.finish();
}

fn receiver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receiver at QoS 2, by messages in flight");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    let message = publish("fleet/sensor-00042/telemetry", QoS::ExactlyOnce, b"payload");
    let ids: Vec<PacketId> = (1..).map_while(PacketId::new).take(MESSAGES).collect();
    for window in WINDOWS {
        group.bench_function(BenchmarkId::from_parameter(window), |bencher| {
            bencher.iter(|| {
                let mut inbound = Inbound::default();
                inbound.resume(u16::MAX);
                let mut message = message.clone();
                for (index, &id) in ids.iter().enumerate() {
                    if let Some(released) = index.checked_sub(window) {
                        let pubrel = Pubrel::new(ids[released], ReasonCode::Success);
                        inbound.handle_pubrel(&pubrel);
                    }
                    message.packet_id = Some(id);
                    inbound
                        .handle_publish(&message)
                        .expect("within the maximum");
                }
                inbound.in_flight()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sender, receiver);
criterion_main!(benches);
