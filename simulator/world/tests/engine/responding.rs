//! `[[group.respond]]`, and what requests carry: Response Topic, Correlation Data, Content Type, User Properties.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use squall_core::Config;
use squall_fleet::{Fleet, RunTag};
use squall_protocol::Instant;
use squall_protocol::packet::Packet;
use squall_world::{Direction, PIPE_LATENCY, Passing, Tamper, Tampered, World};

use crate::harness::{broker, scenario};
use crate::recording::{Recording, What, run};

/// A PUBLISH that a device sent.
#[derive(Clone, Debug)]
struct Sent {
    at: Instant,
    client_id: String,
    topic: String,
    response_topic: Option<String>,
    correlation: Option<Vec<u8>>,
    content_type: Option<String>,
    user: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
struct Listener(Rc<RefCell<Vec<Sent>>>);

impl Tamper for Listener {
    fn handle_packet(&mut self, passing: &Passing<'_>, out: &mut Tampered) {
        if let (Direction::ToBroker, Packet::Publish(publish)) = (passing.direction, passing.packet)
        {
            let properties = &publish.properties;
            let user = properties.user_properties.iter();
            self.0.borrow_mut().push(Sent {
                at: passing.now,
                client_id: passing.client_id.to_owned(),
                topic: publish.topic.as_str().to_owned(),
                response_topic: properties.response_topic.map(str::to_owned),
                correlation: properties.correlation_data.map(<[u8]>::to_vec),
                content_type: properties.content_type.map(str::to_owned),
                user: user
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            });
        }
        out.pass(passing);
    }
}

/// Every PUBLISH of the devices of `text`.
fn sent(text: &str) -> Vec<Sent> {
    let listener = Listener::default();
    let fleet = Fleet::new(scenario(text), RunTag::of_seed(1), Recording::default());
    World::new(fleet, broker(Config::default()))
        .with_tamper(Box::new(listener.clone()))
        .run();
    listener.0.take()
}

/// Two operators that ask devices, and get the answers 200 ms later.
const BY_PROPERTY: &str = r#"
[run]
duration = "5s"
drain = "2s"
[[group]]
name = "operator"
count = 2
[[group.publish]]
topic = "cmd/device-{seq % 3}"
qos = 1
every = "500ms"
response_topic = "answers/{client_id}"
content_type = "text/plain"
user_properties = { region = "north-{index}", kind = "cmd" }
[[group.subscribe]]
filter = "answers/{client_id}"
qos = 1
[[group]]
name = "device"
count = 3
[[group.respond]]
filter = "cmd/{client_id}"
qos = 1
delay = "200ms"
payload = { text = "done" }
"#;

/// Each request is answered once, on its Response Topic with its Correlation Data, which no other request has, so
/// long after it reached the device.
#[test]
fn a_response_goes_to_the_response_topic_with_the_correlation_data() {
    let sent = sent(BY_PROPERTY);

    let (requests, responses): (Vec<Sent>, Vec<Sent>) = sent
        .into_iter()
        .partition(|sent| sent.client_id.starts_with("operator"));
    assert_eq!(requests.len(), 20);
    let mut open: BTreeMap<Vec<u8>, Sent> = BTreeMap::new();
    for request in requests {
        let data = request.correlation.clone().expect("it asks for a response");
        assert!(open.insert(data, request).is_none(), "two have one");
    }
    for response in responses {
        let data = response.correlation.expect("it has that of its request");
        let request = open.remove(&data).expect("each is answered once");
        assert_eq!(Some(&response.topic), request.response_topic.as_ref());
        assert_eq!(response.topic, format!("answers/{}", request.client_id));
        assert_eq!(request.topic, format!("cmd/{}", response.client_id));
        // The request crosses the pipe behind the tamper and the pipe to its recipient.
        let both_ways = PIPE_LATENCY * 2;
        assert_eq!(
            response.at.saturating_since(request.at),
            both_ways + Duration::from_millis(200)
        );
        assert_eq!(response.response_topic, None);
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Content Type and User Properties go with each message, in the order of the file.
#[test]
fn a_message_carries_its_content_type_and_user_properties() {
    let sent = sent(BY_PROPERTY);

    let request = sent
        .iter()
        .find(|sent| sent.client_id == "operator-1")
        .expect("it asks");
    assert_eq!(request.content_type.as_deref(), Some("text/plain"));
    let user = [("region", "north-1"), ("kind", "cmd")];
    assert_eq!(
        request.user,
        user.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

/// 3.1.1 has no Response Topic: the block has a topic, and every message on the filter is answered.
#[test]
fn in_3_1_1_the_response_goes_to_the_topic_of_the_block() {
    let text = BY_PROPERTY
        .replace("response_topic = \"answers/{client_id}\"\n", "")
        .replace("content_type = \"text/plain\"\n", "")
        .replace(
            "user_properties = { region = \"north-{index}\", kind = \"cmd\" }\n",
            "",
        )
        .replace("delay =", "topic = \"answers/operator-{seq % 2}\"\ndelay =")
        .replace("count = ", "protocol = \"3.1.1\"\ncount = ");

    let recording = run(&text).sink;

    let count = |wanted: fn(&What) -> bool| {
        let seen = recording.seen.iter();
        seen.filter(|seen| wanted(&seen.what)).count()
    };
    assert_eq!(count(|what| matches!(what, What::Asked(_))), 0);
    assert_eq!(count(|what| matches!(what, What::Answered(_))), 20);
    assert_eq!(count(|what| matches!(what, What::Delivered { .. })), 40);
}

/// A block with a topic answers a message with a Response Topic there: the topic is for those without.
#[test]
fn a_response_topic_goes_before_the_topic_of_the_block() {
    let text = BY_PROPERTY.replace("delay =", "topic = \"elsewhere/{client_id}\"\ndelay =");

    let sent = sent(&text);

    let responses = sent
        .iter()
        .filter(|sent| sent.client_id.starts_with("device"));
    let topics: Vec<&str> = responses.map(|sent| sent.topic.as_str()).collect();
    assert_eq!(topics.len(), 20);
    assert!(
        topics.iter().all(|topic| topic.starts_with("answers/")),
        "{topics:?}"
    );
}

/// What would be due in the second half of the drain is not sent: nothing would tell what became of it.
#[test]
fn no_response_is_due_in_the_second_half_of_the_drain() {
    let text = BY_PROPERTY.replace("200ms", "1400ms");

    let last = sent(&text).into_iter().map(|sent| sent.at).max();

    let recording = run(&text).sink;
    let (_, drain) = recording
        .phases
        .iter()
        .find(|(phase, _)| *phase == squall_fleet::Phase::Draining)
        .expect("it drains");
    let half = *drain + Duration::from_secs(1);
    assert!(last > Some(*drain) && last < Some(half), "{last:?}");
}
