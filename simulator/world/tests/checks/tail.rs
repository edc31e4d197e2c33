//! Messages that had not come when the run ended, and that nothing overtook: a slow broker is not one that loses.

use std::time::Duration;

use squall_protocol::packet::Publish;
use squall_run::{Reason, Verdict};
use squall_world::Tamper;

use crate::run::{run_tampered, verdict};
use crate::tampering::{Outcome, is_to, once, script, to_device};

const SCENARIO: &str = r#"
[run]
duration = "6s"
drain = "DRAIN"
[[group]]
name = "sensors"
count = 5
[[group.publish]]
topic = "t/{client_id}"
qos = 1
every = "100ms"
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;

fn verdict_with(drain: &str, tamper: impl Tamper + 'static) -> Verdict {
    verdict(&run_tampered(&SCENARIO.replace("DRAIN", drain), tamper))
}

/// A broker that sends everything to the reader 4 s late.
fn slow() -> impl Tamper {
    script(|passing, tampered| {
        if !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        let late = Duration::from_secs(4);
        tampered.forward_after(late, passing.direction, passing.bytes);
        Outcome::Done
    })
}

/// Takes the last message of a sensor: the 60th.
fn without_the_last() -> impl Tamper {
    once(
        59,
        |passing| is_to(passing, "reader-0", "t/sensors-0"),
        |_, _| {},
    )
}

/// What could come still is not judged, and the reason says how much longer the drain must be; with that the claim holds.
#[test]
fn a_slow_broker_loses_nothing() {
    let short = verdict_with("2s", slow());
    let long = verdict_with("6s", slow());

    assert_eq!((short.exit_code, long.exit_code), (4, 0), "{short:#?}");
    let texts: Vec<&str> = short.reasons.iter().map(Reason::text).collect();
    assert!(
        texts[0].contains("could come still") && texts[0].contains("make `run.drain` longer"),
        "{texts:?}"
    );
}

/// A broker that drops the last message of a stream does not pass: it may be slow, as long as the drain is short, and
/// has lost it after one that is long against what the others took.
#[test]
fn a_broker_that_drops_the_last_message_never_passes() {
    let codes = ["1s", "6s"].map(|drain| verdict_with(drain, without_the_last()).exit_code);

    assert_eq!(codes, [4, 98]);
}

/// Members of a shared subscription, two of which are cut off every 700 ms.
const SHARE: &str = r#"
[run]
duration = "9s"
drain = "DRAIN"
[[group]]
name = "sensors"
count = 4
[[group.publish]]
topic = "t/{client_id}"
qos = 1
every = "100ms"
until = "8s"
[[group]]
name = "worker"
count = 6
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "100ms" }
[[group.subscribe]]
filter = "$share/all/t/+"
qos = 1
[[fault]]
name = "cut"
every = "700ms"
group = "worker"
select = 2
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
lost = 0
"#;

/// What a shared subscription is owed is lost after the same time as what a Session is, counted from when the last of its
/// members was cut off, at 8.4 s. Until then it could come still: that a member was cut off before is no reason for good.
#[test]
fn a_stream_that_a_share_never_had_is_lost_soon_after_its_last_member_was_cut_off() {
    let codes = ["4s", "6s"].map(|drain| {
        let never = script(|passing, _| {
            let is_of_it = |publish: &Publish<'_>| publish.topic.as_str() == "t/sensors-0";
            match to_device(passing).is_some_and(is_of_it) {
                true => Outcome::Done,
                false => Outcome::Pass,
            }
        });
        verdict(&run_tampered(&SHARE.replace("DRAIN", drain), never)).exit_code
    });

    assert_eq!(codes, [4, 98]);
}
