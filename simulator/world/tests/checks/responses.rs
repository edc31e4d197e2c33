//! The check `response`, the metric `round_trip`, and what is counted of requests.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::packet::{Packet, Publish};
use squall_run::{AnomalyKind, MetricName, Tags};
use squall_world::{Direction, Passing, Tampered};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{delay_it, drop_it, is_to, once, publish_bytes, to_device};

/// Two operators ask three devices, which take 50 ms.
const SCENARIO: &str = r#"
[run]
duration = "10s"
drain = "12s"
[[group]]
name = "operator"
count = 2
[[group.publish]]
topic = "cmd/device-{seq % 3}"
qos = 1
every = "200ms"
response_topic = "answers/{client_id}"
[[group.subscribe]]
filter = "answers/{client_id}"
qos = 1
[[group]]
name = "device"
count = 3
[[group.respond]]
filter = "cmd/{client_id}"
qos = 1
delay = "50ms"
[[expect]]
check = "response"
answered = true
within = "500ms"
misdirected = 0
[thresholds]
"round_trip{group=operator}" = ["min > 50ms", "p50 < 60ms", "max < 1s"]
"#;

pub(crate) fn requests(judgement: &Judgement) -> squall_run::Responses {
    let responses = judgement.measured.responses.clone();
    responses.expect("requests were answered")
}

/// A response that an operator gets, but not the first nor the last.
pub(crate) fn is_response(passing: &Passing<'_>) -> bool {
    is_to(passing, "operator-0", "answers/")
}

/// A request that a device gets.
pub(crate) fn is_request(passing: &Passing<'_>) -> bool {
    is_to(passing, "device-1", "cmd/")
}

/// Passes a PUBLISH to a device on after `change`.
fn changed(change: fn(&mut Publish<'_>)) -> impl FnMut(&Passing<'_>, &mut Tampered) {
    move |passing, tampered| {
        if let Some(publish) = to_device(passing) {
            let mut publish = publish.clone();
            change(&mut publish);
            let bytes = publish_bytes(&publish, passing.version);
            tampered.forward(Direction::ToDevice, &bytes);
        }
    }
}

/// Each request is answered, and its round trip is the delay of the device and what the broker takes.
#[test]
fn every_request_of_an_honest_broker_is_answered() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let requests = requests(&judgement);
    assert_eq!((requests.requests, requests.answered), (100, 100));
    let times = judgement.measured.metrics.all(MetricName::RoundTrip);
    assert_eq!(times.count(), 100);
    assert!(times.min_us() > Some(50_000), "{:?}", times.min_us());
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
}

/// A response that the broker has and does not pass on.
#[test]
fn a_response_that_is_lost_is_unanswered() {
    let judgement = run_tampered(SCENARIO, once(10, is_response, drop_it));

    assert_broken(&judgement, &["response().answered"]);
    let requests = requests(&judgement);
    assert_eq!((requests.unanswered, requests.answered), (1, 99));
    let tags = Tags::new();
    let times = judgement
        .measured
        .metrics
        .select(MetricName::RoundTrip, &tags);
    assert_eq!(times.count(), 100, "the one that waited is a sample");
}

/// A request that the broker has and does not pass on.
#[test]
fn a_request_that_is_lost_is_unanswered() {
    let judgement = run_tampered(SCENARIO, once(10, is_request, drop_it));

    assert_broken(&judgement, &["response().answered"]);
    assert_eq!(requests(&judgement).unanswered, 1);
}

/// A broker that does not know the properties of 5.0: the request comes, and cannot be answered.
#[test]
fn a_request_without_its_response_topic_is_misdirected_and_unanswered() {
    let tamper = once(
        10,
        is_request,
        changed(|publish| publish.properties.response_topic = None),
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &["response().answered", "response().misdirected"],
    );
    let kinds = &judgement.measured.anomaly_counts;
    assert_eq!(kinds.get(&AnomalyKind::ResponseMisdirected), Some(&1));
    assert_eq!(kinds.get(&AnomalyKind::ResponseMissing), Some(&1));
    assert_eq!(kinds.len(), 2, "{kinds:?}");
}

/// The response comes to the device that asked, which cannot tell to which request.
#[test]
fn a_response_with_other_correlation_data_is_misdirected() {
    let tamper = once(
        10,
        is_response,
        changed(|publish| publish.properties.correlation_data = Some(b"other")),
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["response().misdirected"]);
    assert_eq!(requests(&judgement).misdirected, 1);
}

/// The time of the device that answers is its own; what the broker holds back is not.
#[test]
fn a_response_that_the_broker_holds_back_is_late() {
    let delay = delay_it(Duration::from_secs(2));
    let slow = SCENARIO
        .replace("delay = \"50ms\"", "delay = \"1s\"")
        .replace(
            "\"min > 50ms\", \"p50 < 60ms\", \"max < 1s\"",
            "\"max < 10s\"",
        );

    let honest = run(&slow);
    let held = run_tampered(&slow, once(10, is_response, delay));

    assert_broken(&honest, &[]);
    assert_broken(&held, &["response().within"]);
}

/// At QoS 0 the broker may lose what it likes: nothing follows, and the run says so.
#[test]
fn a_response_that_is_lost_at_qos_0_is_not_judged() {
    let text = SCENARIO.replace("qos = 1", "qos = 0");

    let judgement = run_tampered(&text, once(10, is_response, drop_it));

    let claims = &judgement.measured.checks[0].claims;
    assert_eq!(claims[0].key, "answered");
    assert_eq!(claims[0].actual, None);
    let why = claims[0].unjudged.as_deref().expect("it says why");
    assert!(why.contains("lost at QoS 0"), "{why}");
}

/// In 3.1.1 what ties a response to its request is squall's own knowledge; it is answered where the asking device
/// gets it.
#[test]
fn responses_of_3_1_1_are_told_by_their_stamps() {
    let text = SCENARIO
        .replace("response_topic = \"answers/{client_id}\"\n", "")
        .replace("filter = \"answers/{client_id}\"", "filter = \"answers/+\"")
        .replace("delay =", "topic = \"answers/{client_id}\"\ndelay =")
        .replace("within = \"500ms\"\nmisdirected = 0\n", "")
        .replace("count = ", "protocol = \"3.1.1\"\ncount = ");

    let alone = text.replace("count = 2", "count = 1");

    let honest = run(&text);
    let lost = run_tampered(&alone, once(10, is_response, drop_it));

    assert_broken(&honest, &[]);
    let of_honest = requests(&honest);
    assert_eq!((of_honest.requests, of_honest.answered), (100, 100));
    assert_broken(&lost, &["response().answered"]);
    assert_eq!(requests(&lost).unanswered, 1);
}

/// A second copy of a request at QoS 1 is answered twice; the request is one.
#[test]
fn a_request_that_comes_twice_is_one() {
    let twice = |passing: &Passing<'_>, tampered: &mut Tampered| {
        let Packet::Publish(publish) = passing.packet else {
            return;
        };
        let mut copy = publish.clone();
        copy.qos = squall_protocol::QoS::AtMostOnce;
        copy.packet_id = None;
        tampered.forward(passing.direction, passing.bytes);
        tampered.forward(passing.direction, &publish_bytes(&copy, passing.version));
    };

    let judgement = run_tampered(SCENARIO, once(10, is_request, twice));

    assert_broken(&judgement, &[]);
    let requests = requests(&judgement);
    assert_eq!((requests.requests, requests.answered), (100, 100));
}

/// Devices and operators that fall silent, are reset, say goodbye, stop reading, take themselves over, cut QoS 2 exchanges and sit
/// behind links that lose and go out; a pool of workers that share requests; requests and responses at three QoS, of
/// 5.0 and of 3.1.1.
const HOSTILE: &str = r#"
[run]
duration = "30s"
drain = "20s"
[[network]]
name = "bad"
latency = { dist = "lognormal", median = "60ms", p99 = "400ms" }
loss = 0.05
outages = { every = { dist = "exponential", mean = "8s" }, lasts = "3s" }
[[group]]
name = "operator"
count = 4
OPERATOR
reconnect = { when = "always", backoff = "300ms" }
[[group.publish]]
topic = "cmd/device-{seq % 6}"
qos = ASK
every = "150ms"
response_topic = "answers/{client_id}"
[[group.publish]]
topic = "work/{seq % 3}"
qos = ASK
every = "300ms"
response_topic = "answers/{client_id}"
[[group.subscribe]]
filter = "answers/{client_id}"
qos = ANSWER
[[group]]
name = "device"
count = 6
DEVICE
reconnect = { when = "always", backoff = "500ms" }
[[group.respond]]
filter = "cmd/{client_id}"
qos = ANSWER
delay = { dist = "exponential", mean = "200ms" }
[[group]]
name = "worker"
count = 3
reconnect = { when = "always", backoff = "500ms" }
[[group.respond]]
filter = "$share/pool/work/+"
qos = ANSWER
delay = "20ms"
[[fault]]
name = "silence"
every = "3s"
group = "device"
select = { count = 2 }
action = "drop"
how = "silent"
[[fault]]
name = "reset"
every = "2s"
group = "operator"
select = { count = 1 }
action = "drop"
how = "rst"
[[fault]]
name = "goodbye"
every = "5s"
group = "worker"
select = { count = 1 }
action = "disconnect"
[[fault]]
name = "twin"
every = "2500ms"
group = "device"
select = { count = 2 }
action = "takeover"
[[fault]]
name = "busy"
every = "4s"
for = "24s"
group = "worker"
select = { count = 1 }
action = "stall"
lasts = "3s"
[[expect]]
check = "response"
answered = true
misdirected = 0
[[expect]]
check = "delivery"
lost = 0
"#;

/// Whatever the scenario does to its devices, a broker that does nothing wrong owes no response.
#[test]
fn an_honest_broker_leaves_no_request_unanswered() {
    let persistent = "keep_alive = \"2s\"\nclean_start = false\nsession_expiry = \"1m\"";
    let fresh = "keep_alive = \"2s\"";
    let linked = "network = \"bad\"";
    let sessions = [
        [persistent.to_owned(), persistent.to_owned()],
        [fresh.to_owned(), persistent.to_owned()],
        [
            format!("{fresh}\n{linked}"),
            format!("{persistent}\n{linked}"),
        ],
        [format!("{persistent}\n{linked}"), fresh.to_owned()],
    ];
    let levels = [("1", "1"), ("2", "1"), ("1", "2"), ("0", "1"), ("2", "2")];
    for seed in 1..=20 {
        let [operator, device] = &sessions[seed % sessions.len()];
        let (ask, answer) = levels[seed % levels.len()];
        let text = HOSTILE
            .replace("OPERATOR", operator)
            .replace("DEVICE", device)
            .replace("ASK", ask)
            .replace("ANSWER", answer);
        let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        let anomalies = &judgement.measured.anomalies;
        assert_ne!(
            verdict(&judgement).exit_code,
            98,
            "seed {seed}: {anomalies:#?}"
        );
        let requests = requests(&judgement);
        assert!(requests.answered > 300, "seed {seed}: {requests:?}");
        assert_eq!(requests.misdirected, 0, "seed {seed}");
    }
}

/// A Response Topic that is made for each request is that request's alone: another one of its device is not it.
#[test]
fn a_request_with_the_response_topic_of_another_is_misdirected() {
    let text = SCENARIO
        .replace(
            "response_topic = \"answers/{client_id}\"",
            "response_topic = \"answers/{client_id}/{seq % 4}\"",
        )
        .replace(
            "filter = \"answers/{client_id}\"",
            "filter = \"answers/{client_id}/+\"",
        );
    let next = |publish: &mut Publish<'_>| {
        let topic = publish.properties.response_topic;
        let is_first = topic.is_some_and(|topic| topic.ends_with("operator-0/0"));
        publish.properties.response_topic = Some(match is_first {
            true => "answers/operator-0/1",
            false => "answers/operator-0/0",
        });
    };

    let honest = run(&text);
    let judgement = run_tampered(&text, once(10, is_request, changed(next)));

    assert_broken(&honest, &[]);
    assert_eq!(requests(&honest).answered, 100);
    assert_broken(&judgement, &["response().misdirected"]);
    assert_eq!(requests(&judgement).misdirected, 1);
}
