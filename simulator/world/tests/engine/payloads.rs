//! What messages carry, on the wire.

use crate::recording::{What, run};

/// Publishes with `payload`.
fn publishing(payload: &str) -> String {
    format!(
        "[run]\nduration = \"20s\"\ndrain = \"2s\"\n[[group]]\nname = \"sensors\"\ncount = 10\n[[group.publish]]\n\
         topic = \"data/{{client_id}}\"\nqos = 1\nrate = 100\npayload = {payload}\n\
         [[group]]\nname = \"backend\"\ncount = 1\n[[group.subscribe]]\nfilter = \"data/+\"\nqos = 1\n"
    )
}

/// Bytes of the payloads that were delivered, in order.
fn sizes(payload: &str) -> Vec<usize> {
    let recording = run(&publishing(payload)).sink;
    let seen = recording.seen.iter();
    let sizes = seen.filter_map(|seen| match &seen.what {
        What::Delivered { payload, stamp, .. } => {
            assert!(stamp.is_some());
            Some(payload.len())
        }
        _ => None,
    });
    sizes.collect()
}

const SIZES: &str = "{ size = { dist = \"lognormal\", median = \"200B\", p99 = \"4KiB\", min = \"32B\", max = \"2KiB\" } }";

/// Each message has a size of its own, within the bounds, and half of them are below the median.
#[test]
fn sizes_are_those_of_the_distribution() {
    let sizes = sizes(SIZES);

    assert_eq!(sizes.len(), 2_000);
    assert_eq!(sizes.iter().min(), Some(&32));
    assert_eq!(sizes.iter().max(), Some(&2_048));
    let below = sizes.iter().filter(|&&size| size < 200).count();
    assert!((900..1_100).contains(&below), "{below}");
}

/// The seed says what sizes there are.
#[test]
fn the_same_seed_gives_the_same_sizes() {
    assert_eq!(sizes(SIZES), sizes(SIZES));
}
