//! The packets around an anomaly, compared with what a proxy between devices and broker wrote down.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_protocol::packet::Packet;
use squall_run::{
    Anomaly, AnomalyKind, Measured, PACKETS_KEPT, PacketDirection, PacketTrace, TracedPacket,
};
use squall_world::{Direction, Passing, Tampered};

use crate::run::run_tampered;
use crate::tampering::{Outcome, script, to_device};

/// One device tells another something.
const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensor"
count = 3
client_id = "sensor-{index}"
[[group.publish]]
topic = "readings/of/a/sensor/with/a/long/name/{client_id}"
qos = 1
rate = 30
payload = { size = "40B" }
[[group]]
name = "ops"
count = 2
[[group.subscribe]]
filter = "readings/#"
qos = 1
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
"#;

/// A packet as both tell it: whose, which way, what, Packet Identifier, QoS, DUP, RETAIN, bytes of payload.
type Told = (
    String,
    PacketDirection,
    String,
    Option<u16>,
    Option<(u8, bool, bool)>,
    Option<u64>,
);

/// What the proxy let pass, in order, with the moment in seconds.
type Record = Rc<RefCell<Vec<(f64, Told)>>>;

fn as_told(passing: &Passing<'_>) -> Told {
    let publish = if let Packet::Publish(publish) = passing.packet {
        Some(publish)
    } else {
        None
    };
    let id = if let Packet::Puback(answer) = passing.packet {
        Some(answer.id)
    } else if let Packet::Subscribe(request) = passing.packet {
        Some(request.id)
    } else if let Packet::Suback(answer) = passing.packet {
        Some(answer.id)
    } else {
        publish.and_then(|publish| publish.packet_id)
    };
    (
        passing.client_id.to_owned(),
        match passing.direction {
            Direction::ToBroker => PacketDirection::ToBroker,
            Direction::ToDevice => PacketDirection::FromBroker,
        },
        passing.packet.packet_type().name().to_owned(),
        id.map(squall_protocol::PacketId::get),
        publish.map(|publish| (publish.qos as u8, publish.dup, publish.retain)),
        publish.map(|publish| publish.payload.len() as u64),
    )
}

/// A run whose proxy writes down what it lets pass, and lets each packet pass as often as `times` says.
fn run_recorded(
    text: &str,
    mut times: impl FnMut(&Passing<'_>) -> usize + 'static,
) -> (Measured, Record) {
    let record = Record::default();
    let written = Rc::clone(&record);
    let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        for _ in 0..times(passing) {
            tampered.pass(passing);
            let entry = (passing.now.as_secs_f64(), as_told(passing));
            written.borrow_mut().push(entry);
        }
        Outcome::Done
    });
    (run_tampered(text, tamper).measured, record)
}

/// The first anomaly of a kind, and its packets.
fn first(measured: &Measured, kind: AnomalyKind) -> (&Anomaly, &PacketTrace) {
    let mut of_kind = measured.anomalies.iter().filter(|found| found.kind == kind);
    let anomaly = of_kind.next().expect("there is one");
    let number = anomaly.trace.expect("it has its packets");
    (anomaly, &measured.traces[number])
}

/// Holds a trace to the record: of each device and direction, its packets stand there in a row. How the directions lie
/// between each other is seen otherwise by the device and by the proxy.
fn hold_to(record: &Record, trace: &PacketTrace) {
    let record = record.borrow();
    let told: Vec<(f64, Told)> = trace.packets.iter().map(traced).collect();
    let mut parts: Vec<(&str, PacketDirection)> = told
        .iter()
        .map(|(_, told)| (told.0.as_str(), told.1))
        .collect();
    parts.sort_by_key(|(device, direction)| (*device, *direction == PacketDirection::ToBroker));
    parts.dedup();
    for (device, direction) in parts {
        let is_of_part = |one: &&(f64, Told)| one.1.0 == device && one.1.1 == direction;
        let told: Vec<&(f64, Told)> = told.iter().filter(is_of_part).collect();
        let recorded: Vec<&(f64, Told)> = record.iter().filter(is_of_part).collect();
        // Pipes of the world take no time beyond what the drive needs.
        let is_same = |(one, other): (&&(f64, Told), &&(f64, Told))| {
            one.1 == other.1 && (one.0 - other.0).abs() < 0.01
        };
        let mut rows = recorded.windows(told.len());
        let stands = rows.any(|row| row.iter().zip(&told).all(is_same));
        assert!(stands, "of {device}: {told:#?}");
    }
}

fn traced(packet: &TracedPacket) -> (f64, Told) {
    let flags = packet.qos.map(|qos| (qos, packet.dup, packet.retain));
    let told = (
        packet.client_id.clone(),
        packet.direction,
        packet.packet.clone().expect("it is whole"),
        packet.packet_id,
        flags,
        packet.payload_bytes,
    );
    (packet.at_s, told)
}

/// A message that comes twice: both copies are marked, and all around them is as the proxy let it pass.
#[test]
fn packets_around_a_copy_are_those_that_passed() {
    let mut seen = 0;
    let (measured, record) = run_recorded(SCENARIO, move |passing| {
        let is_message = passing.client_id == "ops-1" && to_device(passing).is_some();
        seen += u64::from(is_message);
        if is_message && seen == 60 { 2 } else { 1 }
    });

    let (anomaly, trace) = first(&measured, AnomalyKind::Duplicated);

    assert_eq!(anomaly.recipient.as_deref(), Some("ops-1"));
    let marked: Vec<(&str, PacketDirection)> = trace
        .packets
        .iter()
        .filter(|packet| packet.is_of_message)
        .map(|packet| (packet.client_id.as_str(), packet.direction))
        .collect();
    let publisher = anomaly.client_id.as_deref().unwrap();
    let to_ops = ("ops-1", PacketDirection::FromBroker);
    assert_eq!(
        marked,
        [(publisher, PacketDirection::ToBroker), to_ops, to_ops]
    );
    assert_eq!(anomaly.at_s, Some(trace.around_s));
    assert_eq!(trace.kept_from_s, None);
    // Ten before and six after, of each of two devices, and the message.
    assert_eq!(trace.packets.len(), 2 * (10 + 6) + 3);
    hold_to(&record, trace);
    let message = trace.packets.iter().find(|packet| packet.is_of_message);
    let topic = message.and_then(|packet| packet.topic.clone());
    assert_eq!(topic, Some(format!("readings/of/a/se…ng/name/{publisher}")));
}

/// A message that the proxy drops: its packets are those around its sending, with the PUBLISH that came in its place.
#[test]
fn packets_around_a_lost_message_are_those_at_its_sending() {
    let mut seen = 0;
    let (measured, record) = run_recorded(SCENARIO, move |passing| {
        let is_message = passing.client_id == "ops-0" && to_device(passing).is_some();
        seen += u64::from(is_message);
        usize::from(!is_message || seen != 60)
    });

    let (anomaly, trace) = first(&measured, AnomalyKind::Lost);

    let marked: Vec<&str> = trace
        .packets
        .iter()
        .filter(|packet| packet.is_of_message)
        .map(|packet| packet.client_id.as_str())
        .collect();
    assert_eq!(marked, [anomaly.client_id.as_deref().unwrap()]);
    let is_answered = |packet: &&TracedPacket| {
        packet.packet.as_deref() == Some("PUBACK") && packet.at_s >= trace.around_s
    };
    assert!(trace.packets.iter().any(|packet| is_answered(&packet)));
    hold_to(&record, trace);
    let violation = &measured.checks[0].violations[0];
    assert_eq!(violation.trace, anomaly.trace);
}

/// More packets than are kept pass after a lost message, before the run ends.
const LONG: &str = r#"
[run]
duration = "30s"
drain = "2s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "rare"
qos = 1
rate = 2
[[group.publish]]
topic = "often"
qos = 0
rate = 1300
[[group]]
name = "ops"
count = 1
[[group.subscribe]]
filter = "+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;

/// A lost message is found at the end, when its packets are long forgotten: they were copied when the next one of its
/// stream came.
#[test]
fn packets_of_a_lost_message_outlast_the_ring() {
    let mut seen = 0;
    let (measured, record) = run_recorded(LONG, move |passing| {
        let is_rare = to_device(passing).is_some_and(|publish| publish.topic.as_str() == "rare");
        seen += u64::from(is_rare);
        usize::from(!is_rare || seen != 3)
    });
    assert!(
        record.borrow().len() > PACKETS_KEPT,
        "{}",
        record.borrow().len()
    );

    let (anomaly, trace) = first(&measured, AnomalyKind::Lost);

    assert_eq!(anomaly.sequence, Some(2));
    assert_eq!(trace.kept_from_s, None);
    assert!(trace.packets.iter().any(|packet| packet.is_of_message));
    hold_to(&record, trace);
}

/// All messages of a stream that ends early are lost and none comes in their place: their packets are forgotten, and that
/// is told.
#[test]
fn forgotten_packets_are_told_as_forgotten() {
    let text = LONG.replace("rate = 2\n", "rate = 2\nuntil = \"1s\"\n");
    let (measured, record) = run_recorded(&text, move |passing| {
        let is_rare = to_device(passing).is_some_and(|publish| publish.topic.as_str() == "rare");
        usize::from(!is_rare)
    });
    assert!(record.borrow().len() > PACKETS_KEPT);

    let (anomaly, trace) = first(&measured, AnomalyKind::Lost);

    let from_s = trace.kept_from_s.expect("some are forgotten");
    assert!(from_s > anomaly.at_s.unwrap());
    assert_eq!(trace.packets, []);
}

/// Two topics of one device whose messages have the same numbers, by Topic Aliases to the broker and from it.
const SIBLINGS: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensor"
count = 1
topic_alias = 10
[[group.publish]]
topic = "readings/warm"
qos = 1
rate = 30
[[group.publish]]
topic = "readings/cold"
qos = 1
rate = 30
[[group]]
name = "ops"
count = 1
topic_alias = 10
[[group.subscribe]]
filter = "readings/#"
qos = 1
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
"#;

/// A message that comes twice, where its Topic Name is only in the first packets of the connections: its packets are marked
/// and have its name, and those of the same number in another topic are not and have theirs (§3.3.2.3.4).
#[test]
fn packets_by_alias_are_told_apart_by_their_topics() {
    let mut seen = 0;
    let (measured, record) = run_recorded(SIBLINGS, move |passing| {
        let is_message = to_device(passing).is_some();
        seen += u64::from(is_message);
        if is_message && seen == 100 { 2 } else { 1 }
    });

    let (anomaly, trace) = first(&measured, AnomalyKind::Duplicated);

    let (topic, sequence) = (anomaly.topic.clone(), anomaly.sequence);
    assert!(topic.is_some());
    let of_number = trace.packets.iter().filter(|packet| {
        let message = packet.message.as_ref();
        sequence.is_some() && message.map(|message| message.sequence) == sequence
    });
    let of_number: Vec<_> = of_number
        .map(|packet| (packet.topic == topic, packet.is_of_message))
        .collect();
    // The message, both copies of it, and its sibling, which came as well.
    let count = |entry| of_number.iter().filter(|&&found| found == entry).count();
    assert_eq!(count((true, true)), 3, "{of_number:?}");
    assert_eq!(count((false, false)), 2, "{of_number:?}");
    assert_eq!(of_number.len(), 5);
    let names = ["readings/warm", "readings/cold"].map(|name| Some(name.to_owned()));
    let mut publishes = trace.packets.iter().filter(|packet| packet.qos.is_some());
    assert!(publishes.all(|packet| names.contains(&packet.topic)));
    hold_to(&record, trace);
}

/// Every second message of a busy topic comes after the one behind it; then one message is lost.
const REORDERED: &str = r#"
[run]
duration = "30s"
drain = "2s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "rare"
qos = 1
rate = 2
[[group.publish]]
topic = "often"
qos = 0
rate = 2000
[[group]]
name = "ops"
count = 1
[[group.subscribe]]
filter = "+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;

/// Messages that were overtaken by the thousand and came after all leave room for one that is lost after them: its packets were
/// copied too.
#[test]
fn what_came_late_leaves_room_for_a_lost_message() {
    let mut rare = 0;
    let mut held: Option<Vec<u8>> = None;
    let (overtaken, passed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (counted, since) = (Rc::clone(&overtaken), Rc::clone(&passed));
    let tamper = script(move |passing, tampered| {
        since.set(since.get() + usize::from(rare >= 15));
        match to_device(passing).map(|publish| publish.topic.as_str()) {
            Some("rare") => {
                rare += 1;
                match rare {
                    15 => Outcome::Done,
                    _ => Outcome::Pass,
                }
            }
            Some("often") if passing.now.as_secs_f64() < 25.0 => {
                match held.take() {
                    Some(late) => {
                        tampered.pass(passing);
                        tampered.forward(passing.direction, &late);
                        counted.set(counted.get() + usize::from(rare < 15));
                    }
                    None => held = Some(passing.bytes.to_vec()),
                }
                Outcome::Done
            }
            Some(_) | None => Outcome::Pass,
        }
    });

    let measured = run_tampered(REORDERED, tamper).measured;

    assert!(overtaken.get() > 4_096, "{}", overtaken.get());
    assert!(passed.get() > PACKETS_KEPT, "{}", passed.get());
    let (anomaly, trace) = first(&measured, AnomalyKind::Lost);
    assert_eq!(anomaly.topic.as_deref(), Some("rare"));
    assert_eq!(anomaly.sequence, Some(14));
    assert_eq!(trace.kept_from_s, None);
    assert!(trace.packets.iter().any(|packet| packet.is_of_message));
}
