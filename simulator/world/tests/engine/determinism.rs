//! The same seed gives the same run; another seed another.

use squall_fleet::EndCause;
use squall_protocol::Instant;
use squall_scenario::DeviceId;

use crate::harness::scenario;
use crate::recording::{What, digest, run};

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

/// A group that draws in every way, after another group and beside faults of it.
fn beside(others: &str, faults_of_others: &str) -> String {
    format!(
        r#"
        [run]
        duration = "20s"
        [[network]]
        name = "poor"
        latency = {{ dist = "exponential", mean = "50ms" }}
        loss = {{ model = "gilbert_elliott", good_to_bad = 0.02, bad_to_good = 0.25 }}
        outages = {{ every = {{ dist = "exponential", mean = "5s" }}, lasts = "500ms" }}
        {others}
        [[group]]
        name = "watched"
        count = 20
        connect_rate = 100
        network = "poor"
        [group.reconnect]
        when = "always"
        [group.qos2]
        cut_after = {{ publish = 0.05 }}
        [[group.publish]]
        topic = "watched/{{rand.int:1..9}}"
        qos = 2
        rate = 40
        arrival = "poisson"
        {faults_of_others}
        [[fault]]
        name = "of-the-watched"
        every = "3s"
        group = "watched"
        select = {{ count = 5 }}
        action = "drop"
        how = "rst"
        "#
    )
}

fn others(count: u32) -> String {
    format!(
        r#"
        [[group]]
        name = "others"
        count = {count}
        network = "poor"
        [group.reconnect]
        when = "always"
        [[group.publish]]
        topic = "others/{{client_id}}"
        rate_per_device = 1
        arrival = "poisson"
        "#
    )
}

const FAULT_OF_OTHERS: &str = r#"
        [[fault]]
        name = "of-the-others"
        every = "4s"
        group = "others"
        select = { count = 1 }
        action = "drop"
        how = "fin"
        "#;

/// What a draw decides on, in words.
fn what_was_drawn(what: &What) -> Option<String> {
    if let What::Due(stamp) = what {
        return Some(format!("due {} {:?}", stamp.sequence, stamp.scheduled));
    }
    let word = if *what == What::OpenStarted {
        "open"
    } else if matches!(what, What::Connected { .. }) {
        "connected"
    } else if matches!(what, What::Ended(EndCause::Dropped { .. })) {
        "dropped"
    } else if matches!(what, What::Ended(EndCause::Qos2Cut { .. })) {
        "cut"
    } else {
        return None;
    };
    Some(word.to_owned())
}

/// What the watched group does: when its connections are asked for, up and over, and which of its
/// messages are due when, by the device's place in its group.
fn watched(text: &str) -> Vec<(Instant, u32, String)> {
    let watched = scenario(text).groups.last().expect("it is there").clone();
    let first = watched.first_device.0;
    let place = |device: DeviceId| device.0.checked_sub(first).filter(|&i| i < watched.count);
    let recording = run(text).sink;
    recording
        .seen
        .iter()
        .filter_map(|seen| {
            let index = place(seen.device()?)?;
            let what = what_was_drawn(&seen.what)?;
            Some((seen.at, index, what))
        })
        .collect()
}

/// Neither the size of another group, nor the group itself, nor its faults change what a group
/// does: minimising a failing run, and comparing the cells of a sweep, stand on this.
#[test]
fn other_groups_and_their_faults_leave_the_draws_of_a_group_alone() {
    let whole = watched(&beside(&others(2), FAULT_OF_OTHERS));
    let kinds = ["open", "connected", "dropped", "cut"];
    assert!(
        kinds
            .iter()
            .all(|kind| whole.iter().any(|(.., what)| what == kind))
    );

    let larger = watched(&beside(&others(15), FAULT_OF_OTHERS));
    let without_the_fault = watched(&beside(&others(2), ""));
    let alone = watched(&beside("", ""));

    assert_eq!(larger, whole);
    assert_eq!(without_the_fault, whole);
    assert_eq!(alone, whole);
}
