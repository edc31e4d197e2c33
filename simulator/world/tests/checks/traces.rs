//! The packets around an anomaly, compared with what a proxy between devices and broker wrote down.

use std::cell::RefCell;
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
