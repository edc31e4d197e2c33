//! A run in virtual time: devices, links, schedules and the broker core together.

use std::hint::black_box;
use std::rc::Rc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use squall_core::{Broker, ClientIds, Config};
use squall_fleet::{Fleet, Observation, Phase, RunTag, Sink};
use squall_protocol::Instant;
use squall_scenario::Scenario;
use squall_world::World;

/// Messages that one run publishes and delivers.
const MESSAGES: u64 = 5_000;

/// Hears everything and does nothing: the books have a bench of their own.
struct Deaf;

impl Sink for Deaf {
    fn observe(&mut self, _: Instant, observation: &Observation<'_>) {
        black_box(observation);
    }

    fn enter_phase(&mut self, _: Instant, _: Phase) {}
}

/// 500 devices that publish 1,000 messages a second for five seconds, over `network`.
fn scenario(network: &str) -> Rc<Scenario> {
    let text = format!(
        r#"
        version = 1
        name = "bench"
        [run]
        duration = "5s"
        drain = "2s"
        {network}
        [[group.publish]]
        topic = "fleet/{{client_id}}"
        qos = 1
        rate = 1000
        [[group]]
        name = "backend"
        count = 1
        [[group.subscribe]]
        filter = "fleet/+"
        qos = 1
        "#
    );
    let scenario = Scenario::parse("bench.toml", &text, &[]);
    Rc::new(scenario.unwrap_or_else(|errors| panic!("{errors}")))
}

fn world(scenario: &Rc<Scenario>) -> World<Deaf> {
    let broker = Broker::new(Config::default(), ClientIds::counted(), Instant::ZERO);
    World::new(
        Fleet::new(Rc::clone(scenario), RunTag::of_seed(1), Deaf),
        broker,
    )
}

fn bench(criterion: &mut Criterion) {
    const GROUP: &str = "[[group]]\nname = \"devices\"\ncount = 500\n";
    const NETWORK: &str = r#"
        [[network]]
        name = "poor"
        latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
        loss = { model = "gilbert_elliott", good_to_bad = 0.002, bad_to_good = 0.25 }
        bandwidth = { up = "256kbit/s", down = "1mbit/s" }
        "#;
    let mut group = criterion.benchmark_group("world");
    group.throughput(Throughput::Elements(MESSAGES));
    group.sample_size(10);
    let shaped = format!("{NETWORK}{GROUP}network = \"poor\"\n");
    for (name, text) in [("plain", GROUP), ("shaped", shaped.as_str())] {
        let scenario = scenario(text);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| world(&scenario), World::run, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
