//! `[group.birth]`: once on each connection, behind the SUBACK where there is one, in no stream's way.

use squall_fleet::Stamp;
use squall_protocol::{Instant, QoS};

use crate::recording::{Recording, What, run};

const BIRTH: &str = r#"
[group.birth]
topic = "status/{client_id}"
payload = { json = { n = "{seq}", x = "{rand.int:0..999999}" } }
qos = 1
"#;

/// A device that is dropped twice and comes back, and one that watches it.
fn scenario(birth: &str, subscribe: &str) -> String {
    format!(
        r##"
[run]
warmup = "2s"
duration = "10s"
drain = "2s"
[[group]]
name = "sensor"
count = 1
[group.reconnect]
when = "always"
backoff = "500ms"
{birth}
[[group.publish]]
topic = "data/{{client_id}}"
qos = 0
rate = 10
payload = {{ text = "{{rand.int:0..999999}}" }}
{subscribe}
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "#"
qos = 1
[[fault]]
name = "blink"
every = "3s"
for = "7s"
group = "sensor"
action = "drop"
how = "rst"
"##
    )
}

/// Times at which the device with number 0 told what `wanted` accepts.
fn times(recording: &Recording, wanted: impl Fn(&What) -> bool) -> Vec<Instant> {
    recording.times(0, wanted)
}

/// Messages of QoS 1, which are births, with the moments at which they were sent.
fn births(recording: &Recording) -> Vec<(Instant, Stamp)> {
    let seen = recording.of(0).filter_map(|seen| {
        if let What::Published(stamp, QoS::AtLeastOnce) = seen.what {
            Some((seen.at, stamp))
        } else {
            None
        }
    });
    seen.collect()
}

/// The first connection, which comes before the warm-up, and each reconnect have one birth, due at their
/// CONNACK and sent then.
#[test]
fn each_connection_has_one_birth_at_its_connack() {
    let recording = run(&scenario(BIRTH, "")).sink;

    let connected = times(&recording, |what| matches!(what, What::Connected { .. }));
    let births = births(&recording);
    assert_eq!(connected.len(), 3);
    let sent: Vec<Instant> = births.iter().map(|(at, _)| *at).collect();
    let due: Vec<Instant> = births.iter().map(|(_, stamp)| stamp.scheduled).collect();
    let numbers: Vec<u32> = births.iter().map(|(_, stamp)| stamp.sequence).collect();
    assert_eq!(sent, connected);
    assert_eq!(due, connected);
    assert_eq!(numbers, [0, 1, 2]);
}

/// A device that says it is there hears what is sent to it from then on: SUBACK comes before.
#[test]
fn the_birth_of_a_device_that_subscribes_waits_for_the_suback() {
    let subscribe = "[[group.subscribe]]\nfilter = \"command/{client_id}\"\n";

    let recording = run(&scenario(BIRTH, subscribe)).sink;

    let subscribed = times(&recording, |what| matches!(what, What::Subscribed));
    let sent: Vec<Instant> = births(&recording).iter().map(|(at, _)| *at).collect();
    assert_eq!(subscribed.len(), 3);
    assert_eq!(sent, subscribed);
    let order: Vec<&What> = recording
        .of(0)
        .map(|seen| &seen.what)
        .filter(|what| {
            matches!(what, What::Subscribed)
                || matches!(what, What::Published(_, qos) if *qos as u8 == 1)
        })
        .collect();
    assert!(
        order.chunks(2).all(|pair| *pair[0] == What::Subscribed),
        "{order:?}"
    );
}

/// The messages of a stream are the same with a birth and without: due times, numbers and payloads.
#[test]
fn a_birth_changes_no_stream() {
    let stream = |birth: &str| {
        let recording = run(&scenario(birth, "")).sink;
        let due: Vec<Stamp> = recording.stamps(|what| {
            if let What::Due(stamp) = what {
                Some(*stamp)
            } else {
                None
            }
        });
        let born: Vec<Stamp> = births(&recording).iter().map(|(_, stamp)| *stamp).collect();
        let payloads: Vec<Vec<u8>> = recording
            .of(1)
            .filter_map(|seen| {
                if let What::Delivered { topic, payload, .. } = &seen.what {
                    topic.starts_with("data/").then(|| payload.clone())
                } else {
                    None
                }
            })
            .collect();
        let due: Vec<Stamp> = due
            .into_iter()
            .filter(|stamp| !born.contains(stamp))
            .collect();
        (due, payloads)
    };

    let with = stream(BIRTH);
    let without = stream("");

    assert!(with.0.len() > 100 && with.1.len() > 80);
    assert_eq!(with, without);
}
