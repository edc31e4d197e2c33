//! The open model: what is due, when, and what becomes of it.

use squall_fleet::{Phase, VIRTUAL_START};
use squall_protocol::packet::Packet;
use squall_world::{Passing, Tamper, Tampered};

use crate::recording::{Recording, What, run, run_tampered, secs, set};

const PUBLISHERS: &str = r#"
[run]
duration = "10s"
drain = "2s"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "data/{client_id}"
qos = 1
rate = 100
payload = { json = { id = "{client_id}", seq = "{seq}" } }
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "data/+"
qos = 1
"#;

fn due(recording: &Recording) -> Vec<squall_fleet::Stamp> {
    recording.stamps(|what| {
        if let What::Due(stamp) = what {
            Some(*stamp)
        } else {
            None
        }
    })
}

/// Everything that was due is published, acknowledged and delivered once, and knows who it is.
#[test]
fn every_message_is_accounted_for() {
    let recording = run(PUBLISHERS).sink;

    let due = due(&recording);
    assert_eq!(due.len(), 1_000);
    let published = recording.stamps(|what| {
        if let What::Published(stamp, _) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    let acknowledged = recording.stamps(|what| {
        if let What::Acknowledged(stamp) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    let delivered = recording.stamps(|what| {
        if let What::Delivered { stamp, .. } = what {
            *stamp
        } else {
            None
        }
    });
    assert_eq!(published, due);
    assert_eq!(acknowledged.len(), 1_000);
    assert_eq!(delivered.len(), 1_000);
    assert_eq!(set(acknowledged), set(due.clone()));
    assert_eq!(set(delivered), set(due));
}

/// Delays every PUBACK until half a minute after the load, so that no quota is left.
struct StallsAcknowledgements;

impl Tamper for StallsAcknowledgements {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        if !matches!(passing.packet, Packet::Puback(_)) {
            tampered.pass(passing);
        }
    }
}

/// No coordinated omission: a broker that stops answering moves no due time.
#[test]
fn a_stalled_broker_does_not_shift_scheduled_times() {
    let stalled = run_tampered(PUBLISHERS, StallsAcknowledgements).sink;
    let healthy = run(PUBLISHERS).sink;

    assert_eq!(due(&stalled), due(&healthy));
    assert_eq!(
        stalled.count(|what| matches!(what, What::Acknowledged(_))),
        0
    );
}

/// In virtual time nothing is late: a message is told to be due at its scheduled time.
#[test]
fn the_generator_is_punctual_in_virtual_time() {
    let recording = run(PUBLISHERS).sink;

    for seen in &recording.seen {
        if let What::Due(stamp) = seen.what {
            assert_eq!(seen.at, stamp.scheduled);
        }
    }
}

/// What a device cannot send while it is offline waits at QoS 1 if the Session is persistent, and
/// is skipped at QoS 0; the schedule goes on meanwhile.
#[test]
fn messages_due_offline_wait_or_are_skipped_by_their_qos() {
    let outcome = run(r#"
        [run]
        duration = "10s"
        [[group]]
        name = "sensor"
        count = 1
        clean_start = false
        session_expiry = "1m"
        [group.reconnect]
        when = "always"
        backoff = "2s"
        [[group.publish]]
        topic = "a"
        qos = 0
        rate = 10
        [[group.publish]]
        topic = "b"
        qos = 1
        rate = 10
        [[group]]
        name = "backend"
        count = 1
        [[group.subscribe]]
        filter = "+"
        qos = 1
        [[fault]]
        at = "5.05s"
        group = "sensor"
        action = "drop"
        how = "rst"
        "#);
    let recording = outcome.sink;

    // Offline from 5.05 s to 7.05 s: twenty messages of each stream.
    assert_eq!(recording.count(|what| matches!(what, What::Skipped(_))), 20);
    assert_eq!(recording.deliveries_on("a").len(), 80);
    assert_eq!(recording.deliveries_on("b").len(), 100);
    let back = recording.times(0, |what| matches!(what, What::Connected { .. }))[1];
    let late = recording
        .of(0)
        .filter(|seen| {
            if let What::Published(stamp, _) = seen.what {
                stamp.scheduled + secs(0.01) < seen.at
            } else {
                false
            }
        })
        .collect::<Vec<_>>();
    assert_eq!(late.len(), 20);
    assert!(late.iter().all(|seen| seen.at == back));
}

/// `{now_ms}` is the Unix time at which the message is due; virtual time has a start of its own.
#[test]
fn now_is_unix_time() {
    let text = "[run]\nduration = \"2s\"\n[[group]]\nname = \"sensors\"\ncount = 1\n\
        [[group.publish]]\ntopic = \"data\"\nrate = 1\npayload = { text = \"{now_ms}\" }\n\
        [[group.subscribe]]\nfilter = \"data\"\n";

    let recording = run(text).sink;

    let load = recording.phase(Phase::WarmingUp).since_start();
    let delivered = recording.seen.iter().filter_map(|seen| {
        if let What::Delivered { payload, .. } = &seen.what {
            Some(String::from_utf8_lossy(payload).into_owned())
        } else {
            None
        }
    });
    let delivered: Vec<String> = delivered.collect();
    for (number, payload) in (0..2).zip(&delivered) {
        let due = VIRTUAL_START + load + secs(f64::from(number));
        assert!(
            payload.contains(&due.as_millis().to_string()),
            "{payload}: {due:?}"
        );
    }
    assert_eq!(delivered.len(), 2);
}

/// A device of MQTT 3.1.1, which no broker can tell a Receive Maximum, keeps to its own: with two messages under way
/// over a link of 100 ms each way, it publishes at most two in 200 ms.
#[test]
fn a_device_of_3_1_1_keeps_receive_maximum_itself() {
    let published = |protocol: &str| {
        let text = format!(
            r#"
[run]
duration = "10s"
drain = "1s"
[[network]]
name = "far"
latency = "100ms"
[[group]]
name = "sensors"
count = 1
protocol = "{protocol}"
receive_maximum = 2
network = "far"
[[group.publish]]
topic = "data"
qos = 1
rate = 100
"#
        );
        let recording = run(&text).sink;
        let published = recording.stamps(|what| {
            if let What::Published(stamp, _) = what {
                Some(*stamp)
            } else {
                None
            }
        });
        published.len()
    };

    // The broker's own Receive Maximum is the limit in 5.0.
    assert_eq!(published("5.0"), 1_000);
    let of_3_1_1 = published("3.1.1");
    assert!((90..=120).contains(&of_3_1_1), "{of_3_1_1}");
}
