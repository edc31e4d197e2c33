//! The same seed gives the same run; another seed another.

use crate::recording::digest;

/// Everything that draws: links, arrivals, backoff, faults, the `qos2` block.
fn digest_of(seed: u64) -> u64 {
    let (digest, facts) = digest(&format!(
        r#"
        seed = {seed}
        [run]
        duration = "20s"
        [[network]]
        name = "poor"
        latency = {{ dist = "exponential", mean = "50ms" }}
        loss = {{ model = "gilbert_elliott", good_to_bad = 0.02, bad_to_good = 0.25 }}
        outages = {{ every = {{ dist = "exponential", mean = "5s" }}, lasts = "500ms" }}
        [[group]]
        name = "publishers"
        count = 30
        clean_start = false
        session_expiry = "10m"
        network = "poor"
        [group.qos2]
        cut_after = {{ publish = 0.02, pubrec = 0.02, pubrel = 0.02 }}
        delay_pubrel = {{ dist = "exponential", mean = "50ms" }}
        [group.reconnect]
        when = "always"
        [[group.publish]]
        topic = "t/{{client_id}}"
        qos = 2
        rate = 60
        arrival = "poisson"
        payload = {{ json = {{ t = "{{rand.float:18..26:2}}" }} }}
        [[group]]
        name = "consumers"
        count = 2
        [[group.subscribe]]
        filter = "t/#"
        qos = 2
        [[fault]]
        every = "3s"
        group = "publishers"
        select = {{ count = 5 }}
        action = "drop"
        how = "rst"
        "#
    ));
    assert!(facts > 5_000, "{facts}");
    digest
}

/// Bit for bit: every fact, every field, every nanosecond.
#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(digest_of(42), digest_of(42));
}

/// The seed is what decides.
#[test]
fn another_seed_gives_another_run() {
    assert_ne!(digest_of(42), digest_of(43));
}
