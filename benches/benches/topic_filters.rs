//! One filter against one name, and checking the text of each. Finding the filters of a name
//! among many is the broker's topic tree.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use squall_protocol::topic::{TopicFilter, TopicName};

const NAME: &str = "fleet/sensor-00042/telemetry/temperature";
const FILTERS: [(&str, &str); 5] = [
    ("exact", NAME),
    ("one level", "fleet/+/telemetry/temperature"),
    ("all levels", "#"),
    ("shared", "$share/workers/fleet/+/telemetry/#"),
    ("no match at the end", "fleet/+/telemetry/humidity"),
];

/// As deep as the broker lets a topic be.
const LEVELS: usize = 128;

fn filter_matches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter matches a name");
    let name = TopicName::new(NAME).expect("a topic name");
    for (case, text) in FILTERS {
        let filter = TopicFilter::new(text).expect("a topic filter");
        group.bench_function(case, |bencher| {
            bencher.iter(|| black_box(&filter).matches(black_box(&name)));
        });
    }
    let deep_name = vec!["a"; LEVELS].join("/");
    let deep_filter = vec!["+"; LEVELS].join("/");
    let name = TopicName::new(deep_name).expect("a topic name");
    let filter = TopicFilter::new(deep_filter).expect("a topic filter");
    group.bench_function("128 levels", |bencher| {
        bencher.iter(|| black_box(&filter).matches(black_box(&name)));
    });
    group.finish();
}

fn check_text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check a topic");
    group.bench_function("name", |bencher| {
        bencher.iter(|| TopicName::new(black_box(NAME)).is_ok());
    });
    group.bench_function("name beyond ASCII", |bencher| {
        bencher.iter(|| TopicName::new(black_box("gärten/südseite/temperatur")).is_ok());
    });
    for (case, text) in FILTERS {
        group.bench_function(format!("filter, {case}"), |bencher| {
            bencher.iter(|| TopicFilter::new(black_box(text)).is_ok());
        });
    }
    group.finish();
}

criterion_group!(benches, filter_matches, check_text);
criterion_main!(benches);
