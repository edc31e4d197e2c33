//! What messages carry, on the wire.

use std::collections::BTreeSet;

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
    let mut sizes = Vec::new();
    for seen in seen {
        if let What::Delivered { payload, stamp, .. } = &seen.what {
            assert!(stamp.is_some());
            sizes.push(payload.len());
        }
    }
    sizes
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

/// Payloads that were delivered, each with a stamp of its own.
fn delivered(keys: &str) -> Vec<Vec<u8>> {
    let recording = run(&publishing(keys)).sink;
    let mut stamps = BTreeSet::new();
    let mut payloads = Vec::new();
    for seen in &recording.seen {
        if let What::Delivered { payload, stamp, .. } = &seen.what {
            stamps.insert(*stamp);
            payloads.push(payload.clone());
        }
    }
    assert_eq!(stamps.len(), payloads.len());
    assert!(!stamps.contains(&None));
    payloads
}

/// With its stamp in a property, a payload is what the scenario says and nothing else.
#[test]
fn a_payload_is_as_it_is_written_where_its_stamp_is_a_property() {
    for (payload, expected) in [
        (
            "{ hex = \"0102030405060708090a0b0c\" }",
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12][..],
        ),
        ("{ size = \"3B\" }", b"..."),
        ("\"on\"", b"on"),
        ("{ json = { on = true } }", b"{\"on\":true}"),
    ] {
        let payloads = delivered(&format!("{payload}\nstamp = \"property\""));

        assert_eq!(payloads.len(), 2_000);
        assert!(
            payloads.iter().all(|payload| payload == expected),
            "{payload}"
        );
    }
}

/// Bytes come first and their stamp behind them, as in a text.
#[test]
fn bytes_carry_their_stamp_behind_them() {
    let payloads = delivered("{ hex = \"ff00\" }");

    assert!(
        payloads
            .iter()
            .all(|payload| payload.starts_with(b"\xff\x00 #squall:"))
    );
}

/// The seed says what sizes there are.
#[test]
fn the_same_seed_gives_the_same_sizes() {
    assert_eq!(sizes(SIZES), sizes(SIZES));
}
