//! A client and a server joined in memory, with bytes split and connections cut everywhere.
//!
//! Both sides send messages to each other. Whatever is lost with a connection, at QoS 2 each side
//! must have each message exactly once, at QoS 1 at least once, and always in order.

mod joined;

use joined::{Joined, Limits};
use proptest::prelude::*;
use squall_protocol::{QoS, Version};

const MESSAGES: [&str; 3] = ["a", "b", "c"];

/// What one side must have got at `qos` of messages that were sent in the order `sent`.
fn check(qos: QoS, received: &[String], sent: &[String]) {
    let mut first_seen: Vec<&String> = Vec::new();
    for message in received {
        if !first_seen.contains(&message) {
            first_seen.push(message);
        }
    }
    assert_eq!(
        first_seen,
        sent.iter().collect::<Vec<_>>(),
        "lost or out of order"
    );
    if qos == QoS::ExactlyOnce {
        assert_eq!(received.len(), sent.len(), "delivered twice: {received:?}");
    }
}

/// Runs the exchange with one cut; returns the bytes that went up and down before it.
fn exchange(version: Version, qos: QoS, limits: Limits) -> Limits {
    let mut joined = Joined::new(version);
    let sent: Vec<String> = MESSAGES.map(str::to_owned).to_vec();
    for message in MESSAGES {
        joined.publish(qos, message);
    }
    let passed = joined.run_connection(limits);
    joined.run_connection(Limits::NONE);
    check(qos, &joined.received_by_server, &sent);
    check(qos, &joined.received_by_client, &sent);
    joined.check_quiet();
    passed
}

/// Cuts the connection after every number of bytes in each direction, and in both.
fn cut_everywhere(version: Version, qos: QoS) {
    let whole = exchange(version, qos, Limits::NONE);
    assert!(whole.up >= 50 && whole.down >= 40, "{whole:?}");
    for up in 0..=whole.up {
        exchange(version, qos, Limits { up, ..Limits::NONE });
    }
    for down in 0..=whole.down {
        exchange(
            version,
            qos,
            Limits {
                down,
                ..Limits::NONE
            },
        );
    }
    for up in (0..=whole.up).step_by(3) {
        for down in (0..=whole.down).step_by(3) {
            exchange(
                version,
                qos,
                Limits {
                    up,
                    down,
                    ..Limits::NONE
                },
            );
        }
    }
}

/// At least once, in order (§4.3.2) [MQTT-4.4.0-1] [MQTT-4.6.0-1].
#[test]
fn qos_1_survives_a_cut_after_every_byte() {
    cut_everywhere(Version::V5, QoS::AtLeastOnce);
    cut_everywhere(Version::V3_1_1, QoS::AtLeastOnce);
}

/// Exactly once, in order (§4.3.3) [MQTT-4.4.0-1] [MQTT-4.6.0-1].
#[test]
fn qos_2_survives_a_cut_after_every_byte() {
    cut_everywhere(Version::V5, QoS::ExactlyOnce);
    cut_everywhere(Version::V3_1_1, QoS::ExactlyOnce);
}

/// How bytes are split changes nothing (§2.1).
#[test]
fn bytes_may_come_one_by_one() {
    let one_by_one = Limits {
        chunk: 1,
        ..Limits::NONE
    };
    for version in [Version::V3_1_1, Version::V5] {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let whole = exchange(version, qos, Limits::NONE);
            let split = exchange(version, qos, one_by_one);
            assert_eq!((whole.up, whole.down), (split.up, split.down));
        }
    }
}

proptest! {
    /// Many cuts, mixed QoS, small receive maximums that change: the promises hold.
    #[test]
    fn promises_hold_over_many_cuts(
        messages in prop::collection::vec(any::<bool>(), 1..20),
        cuts in prop::collection::vec((0_usize..150, 0_usize..150, 1_usize..40, 1_u16..5), 0..12),
    ) {
        let mut joined = Joined::new(Version::V5);
        let mut sent = [Vec::new(), Vec::new()];
        for (number, is_qos2) in messages.into_iter().enumerate() {
            let qos = if is_qos2 { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
            let message = format!("{} {number}", qos as u8);
            joined.publish(qos, &message);
            sent[usize::from(is_qos2)].push(message);
        }
        for (up, down, chunk, receive_maximum) in cuts {
            joined.run_connection(Limits { up, down, chunk, receive_maximum });
        }
        joined.run_connection(Limits::NONE);
        for received in [&joined.received_by_server, &joined.received_by_client] {
            for (qos, sent) in [QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().zip(&sent) {
                let prefix = format!("{} ", qos as u8);
                let of_this_qos: Vec<String> =
                    received.iter().filter(|m| m.starts_with(&prefix)).cloned().collect();
                check(qos, &of_this_qos, sent);
            }
        }
        joined.check_quiet();
    }
}
