//! Messages that had not come when the run ended, and that nothing overtook: a slow broker is not one that loses.

use std::time::Duration;

use squall_run::{Reason, Verdict};
use squall_world::Tamper;

use crate::run::{run_tampered, verdict};
use crate::tampering::{Outcome, is_to, once, script};

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
