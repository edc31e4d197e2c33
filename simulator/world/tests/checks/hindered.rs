//! `response` where the scenario keeps devices from answering: it is not held against the broker, and what that loses is.

use squall_run::ClaimResult;

use crate::responses::{is_request, is_response, requests};
use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{drop_it, once};

/// The operators ask, and the devices are kept from answering on purpose for three seconds, in the middle of the run and
/// just before its end.
const HINDERED: &str = r#"
[run]
duration = "26s"
drain = "15s"
[[network]]
name = "near"
latency = "5ms"
[[group]]
name = "operator"
count = 2
[[group.publish]]
topic = "cmd/device-{seq % 3}"
qos = ASK
every = "200ms"
response_topic = "answers/{client_id}"
[[group.subscribe]]
filter = "answers/{client_id}"
qos = 1
[[group]]
name = "device"
count = 3
network = "near"
keep_alive = "2s"
SESSION
reconnect = { when = "always", backoff = "200ms" }
[[group.respond]]
filter = "cmd/{client_id}"
qos = 1
delay = "50ms"
[[fault]]
name = "hindered"
every = "9s"
for = "18s"
group = "WHO"
ACTION
[[expect]]
check = "response"
answered = true
"#;

/// What keeps a device from asking or answering.
const HINDRANCES: [&str; 7] = [
    "action = \"stall\"\nlasts = \"3s\"",
    "action = \"mute\"\nlasts = \"1s\"",
    "action = \"mute\"\nlasts = \"6s\"",
    "action = \"partition\"\nlasts = \"3s\"",
    "action = \"partition\"\nlasts = \"8s\"",
    "action = \"drop\"\nhow = \"silent\"",
    "action = \"disconnect\"",
];

fn hindered(action: &str, who: &str, session: &str, ask: &str) -> String {
    HINDERED
        .replace("ACTION", action)
        .replace("WHO", who)
        .replace("SESSION", session)
        .replace("ASK", ask)
}

/// What the scenario keeps from being answered is not held against the broker.
#[test]
fn a_device_that_is_kept_from_answering_breaks_nothing() {
    let kept = "clean_start = false\nsession_expiry = \"1m\"";
    for action in HINDRANCES {
        for session in ["", kept] {
            for ask in ["1", "2"] {
                let text = hindered(action, "device", session, ask);

                let judgement = run(&text);

                let claim = &judgement.measured.checks[0].claims[0];
                let requests = requests(&judgement);
                assert_eq!(
                    claim.result(),
                    ClaimResult::Held,
                    "{action} {session} {ask}: {claim:?} {requests:?}"
                );
            }
        }
    }
}

/// A request, or a response, that the broker loses while nothing hinders the device is unanswered, also in a run in which it
/// is hindered at other times. No device reconnects: then the broker would send the request again.
#[test]
fn a_request_that_the_broker_loses_is_unanswered_beside_hindrances() {
    let kept = "clean_start = false\nsession_expiry = \"1m\"";
    for action in &HINDRANCES[..2] {
        let text = hindered(action, "device", kept, "1");

        let judgement = run_tampered(&text, once(5, is_request, drop_it));

        assert_broken(&judgement, &["response().answered"]);

        let judgement = run_tampered(&text, once(5, is_response, drop_it));

        assert_broken(&judgement, &["response().answered"]);
    }
}
