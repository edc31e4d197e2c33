//! Properties of messages that are made for each: placeholders in User Properties, Content Type and Response Topic.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use squall_core::Config;
use squall_fleet::{Fleet, RunTag, payload};
use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered, World};

use crate::harness::{broker, scenario};
use crate::recording::Recording;

/// A PUBLISH that a device sent.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Sent {
    client_id: String,
    /// Which message of its device it is to its Topic Name.
    sequence: u32,
    /// When it was due, in milliseconds from the beginning of the run.
    due_ms: u64,
    dup: bool,
    topic: String,
    payload: Vec<u8>,
    response_topic: Option<String>,
    content_type: Option<String>,
    user: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
struct Listener(Rc<RefCell<Vec<Sent>>>);

impl Tamper for Listener {
    fn handle_packet(&mut self, passing: &Passing<'_>, out: &mut Tampered) {
        if let (Direction::ToBroker, Packet::Publish(publish)) = (passing.direction, passing.packet)
        {
            let stamp = payload::stamp_of(publish).expect("every message has a stamp");
            let properties = &publish.properties;
            let user = properties.user_properties.iter();
            self.0.borrow_mut().push(Sent {
                client_id: passing.client_id.to_owned(),
                sequence: stamp.sequence,
                due_ms: stamp.scheduled.as_nanos() / 1_000_000,
                dup: publish.dup,
                topic: publish.topic.as_str().to_owned(),
                payload: publish.payload.to_vec(),
                response_topic: properties.response_topic.map(str::to_owned),
                content_type: properties.content_type.map(str::to_owned),
                user: user
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            });
        }
        out.pass(passing);
    }
}

/// Every PUBLISH of the devices of `text`, in the order they were sent.
fn sent(text: &str) -> Vec<Sent> {
    let listener = Listener::default();
    let fleet = Fleet::new(scenario(text), RunTag::of_seed(1), Recording::default());
    World::new(fleet, broker(Config::default()))
        .with_tamper(Box::new(listener.clone()))
        .run();
    listener.0.take()
}

/// Three devices, whose topics and payloads are drawn too.
const SCENARIO: &str = r#"
[run]
duration = "10s"
drain = "5s"
[[group]]
name = "sensors"
count = 3
clean_start = false
session_expiry = "1m"
[[group.publish]]
topic = "t/{client_id}/{rand.int:1..3}"
qos = 1
rate = 30
payload = { json = { t = "{rand.float:18..26:2}" } }
PROPERTIES
"#;

const PROPERTIES: &str = r#"
content_type = "application/x-{rand.choice:a|b};n={seq % 4}"
response_topic = "answers/{client_id}/{seq % 2}"
user_properties = { "n-{seq % 3}" = "{seq}", at = "{now_ms}", when = "{now_iso}", trace = "{uuid}", draw = "{rand.int:1..6} {rand.hex:8}" }
"#;

fn with_properties() -> String {
    SCENARIO.replace("PROPERTIES", PROPERTIES)
}

/// What is in `values` under `name`.
fn value<'s>(sent: &'s Sent, name: &str) -> &'s str {
    let mut user = sent.user.iter();
    let (_, value) = user
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("{name} is not in {sent:?}"));
    value
}

/// Counters count the messages of the device, in names and in values, and the time is the due time, as in payloads.
#[test]
fn counters_and_times_are_those_of_the_message() {
    let sent = sent(&with_properties());

    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for sent in &sent {
        let number = numbers.entry(&sent.client_id).or_default();
        let n = number.to_string();
        assert_eq!(value(sent, &format!("n-{}", *number % 3)), n);
        let content_type = sent.content_type.as_deref().unwrap();
        assert!(content_type.ends_with(&format!(";n={}", *number % 4)));
        let response_topic = format!("answers/{}/{}", sent.client_id, *number % 2);
        assert_eq!(sent.response_topic, Some(response_topic));
        // A run in virtual time begins with the year 2026.
        let at: u64 = value(sent, "at").parse().unwrap();
        assert_eq!(at, 1_767_225_600_000 + sent.due_ms);
        let when = value(sent, "when");
        assert!(when.starts_with("2026-01-01T00:00:"), "{when}");
        assert_eq!(when[20..23], format!("{:03}", at % 1_000));
        *number += 1;
    }
    assert_eq!(sent.len(), 300);
    assert_eq!(numbers.len(), 3);
}

/// Every message has draws of its own, and properties stay in the order of the file.
#[test]
fn each_message_has_its_own_draws() {
    let sent = sent(&with_properties());

    let traces: BTreeSet<&str> = sent.iter().map(|sent| value(sent, "trace")).collect();
    assert_eq!(traces.len(), sent.len());
    let types: BTreeSet<&str> = sent
        .iter()
        .map(|sent| sent.content_type.as_deref().unwrap())
        .collect();
    assert_eq!(types.len(), 8);
    let dice: BTreeSet<&str> = sent
        .iter()
        .map(|sent| value(sent, "draw").split_once(' ').unwrap().0)
        .collect();
    assert_eq!(
        dice.into_iter().collect::<Vec<_>>(),
        ["1", "2", "3", "4", "5", "6"]
    );
    for sent in &sent {
        let names: Vec<&str> = sent.user[1..]
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["at", "when", "trace", "draw"]);
    }
}

/// A seed means the same each time, and another one something else.
#[test]
fn a_seed_gives_the_same_properties() {
    let first = sent(&with_properties());

    let again = sent(&with_properties());
    let other = sent(&format!("seed = 2\n{}", with_properties()));

    assert_eq!(first, again);
    let trace = |sent: &[Sent]| value(&sent[0], "trace").to_owned();
    assert_ne!(trace(&first), trace(&other));
}

/// What is drawn for properties shifts no draw of a topic or a payload.
#[test]
fn properties_change_nothing_else() {
    let without = sent(&SCENARIO.replace("PROPERTIES", ""));

    let with = sent(&with_properties());

    let rest = |sent: Vec<Sent>| -> Vec<(String, Vec<u8>)> {
        sent.into_iter()
            .map(|sent| (sent.topic, sent.payload))
            .collect()
    };
    assert_eq!(rest(with), rest(without));
}

/// What is sent again on the next connection is the message that was sent: its properties are not made anew.
#[test]
fn what_is_sent_again_is_the_same() {
    let text = with_properties()
        + r#"
[group.qos2]
cut_after = { publish = 0.2, pubrec = 0.1 }
[group.reconnect]
when = "always"
backoff = "50ms"
"#;
    let text = text.replace("qos = 1", "qos = 2");

    let sent = sent(&text);

    let mut first: BTreeMap<(String, String, u32), Sent> = BTreeMap::new();
    let mut again = 0;
    for sent in sent {
        let named = (sent.client_id.clone(), sent.topic.clone(), sent.sequence);
        match first.get(&named) {
            Some(before) => {
                again += 1;
                assert!(sent.dup);
                assert_eq!(Sent { dup: false, ..sent }, *before);
            }
            None => drop(first.insert(named, sent)),
        }
    }
    assert!(again > 20, "{again} were sent again");
}
