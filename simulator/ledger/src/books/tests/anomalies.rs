//! Which anomalies are kept whole, what they say, and whose they are.

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::DeviceId;

use super::scene::{KEPT, RESET, Scene};
use crate::books::{Anomalies, Anomaly, Scope, Subject};

fn note(anomalies: &mut Anomalies, device: u32, at: u64) {
    let subject = Subject {
        device: Some(DeviceId(device)),
        scope: Scope::default(),
    };
    anomalies.note(AnomalyKind::Lost, subject, || Anomaly {
        by_counts: None,
        kind: AnomalyKind::Lost,
        at: Instant::ZERO + Duration::from_secs(at),
        device: subject.device,
        recipient: None,
        topic: None,
        sequence: None,
        explanation: String::new(),
        scope: subject.scope,
    });
}

/// Five devices with 25 anomalies each, one after the other: each has its share of the 20 that are kept,
/// and these are its first.
#[test]
fn what_is_kept_is_spread_over_devices() {
    let mut anomalies = Anomalies::new(20);
    for device in 0..5 {
        for number in 0..25 {
            note(&mut anomalies, device, number);
        }
    }

    let kept = anomalies.kept(AnomalyKind::Lost);
    assert_eq!(kept.len(), 20);
    for device in 0..5 {
        let of_device = kept
            .iter()
            .filter(|kept| kept.device == Some(DeviceId(device)));
        let times: Vec<u64> = of_device
            .map(|kept| kept.at.since_start().as_secs())
            .collect();
        assert_eq!(times, [0, 1, 2, 3], "device {device}");
    }
    let counts: Vec<u64> = anomalies
        .counts_of(AnomalyKind::Lost)
        .map(|(_, count)| count)
        .collect();
    assert_eq!(counts, [25; 5]);
    assert_eq!(anomalies.count(AnomalyKind::Lost), 125);
}

/// Of a message that was lost while its Session was away the ledger says from when to when, and how many
/// of those that waited came.
#[test]
fn a_loss_while_a_session_was_away_says_so() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    let left = scene.now;
    scene.publish(0..3, QoS::AtLeastOnce);
    scene.connect_as(KEPT, KEPT, true);
    scene.deliver(KEPT, 0, QoS::AtLeastOnce);
    scene.close();

    let anomalies = scene.ledger.anomalies();
    let lost = &anomalies.kept(AnomalyKind::Lost)[0];
    let away = format!(
        "device 6 was away from {} to",
        squall_run::duration_text(left.as_secs_f64())
    );
    assert!(lost.explanation.contains(&away), "{}", lost.explanation);
    let came = "1 of the 3 messages that waited for it came";
    assert!(lost.explanation.contains(came), "{}", lost.explanation);
}
