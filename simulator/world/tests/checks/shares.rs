//! Messages of shared subscriptions whose members die, leave and come back: what is held against the broker, and what is not known.

use squall_ledger::Judgement;
use squall_world::{Passing, Tamper};

use crate::run::{assert_broken, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, once, script, to_device};

/// A worker that shares what a boss publishes at QoS 2 with one that dies after eight seconds.
const SCENARIO: &str = r#"
[run]
duration = "15s"
drain = "12s"
[[group]]
name = "workers"
count = 1
[[group.subscribe]]
filter = "$share/crew/job/+"
qos = 2
[[group]]
name = "mortal"
count = 1
[[group.subscribe]]
filter = "$share/crew/job/+"
qos = 2
[[group]]
name = "boss"
count = 1
[[group.publish]]
topic = "job/{client_id}"
qos = 2
rate = 100
[[fault]]
name = "death"
at = "8s"
group = "mortal"
action = "drop"
how = "rst"
[[expect]]
check = "shared"
exactly_one = true
[[expect]]
check = "delivery"
lost = 0
reordered = 0
"#;

/// Claims that do not hold, with why they were not judged if they were not.
fn open_claims(judgement: &Judgement) -> Vec<(&str, Option<&str>)> {
    let claims = judgement
        .measured
        .checks
        .iter()
        .flat_map(|check| &check.claims);
    let open = claims.filter(|claim| !claim.passed);
    open.map(|claim| (claim.key.as_str(), claim.unjudged.as_deref()))
        .collect()
}

/// Asserts that these claims could not be judged, for a reason that contains such a text, and all others hold.
fn assert_unjudged(judgement: &Judgement, expected: &[(&str, &str)]) {
    let found = open_claims(judgement);
    let is_expected = |(&(key, why), &(expected, text)): (&(&str, Option<&str>), &(&str, &str))| {
        key == expected && why.is_some_and(|why| why.contains(text))
    };
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(is_expected),
        "{found:?}"
    );
}

/// The first message to the one that lives after `at`, in seconds.
fn job_after(at: f64) -> impl Fn(&Passing<'_>) -> bool {
    move |passing| {
        let is_to_worker =
            passing.client_id.starts_with("workers-") && to_device(passing).is_some();
        is_to_worker && passing.now.as_secs_f64() > at
    }
}

#[test]
fn an_honest_broker_is_judged() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    assert_unjudged(&judgement, &[]);
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
}

/// A message at QoS 2 that no worker gets is lost, also where one dies long after it, or had died long before. A few seconds before
/// that it may have been on its way to that.
#[test]
fn a_message_for_no_worker_is_lost_unless_one_may_have_had_it() {
    for at in [1.0, 10.0] {
        let judgement = run_tampered(SCENARIO, once(1, job_after(at), drop_it));
        assert_broken(&judgement, &["shared().exactly_one", "delivery().lost"]);
    }

    let judgement = run_tampered(SCENARIO, once(1, job_after(6.0), drop_it));

    let why = "members";
    assert_unjudged(
        &judgement,
        &[("exactly_one", "long after they were sent"), ("lost", why)],
    );
    assert_eq!(verdict(&judgement).exit_code, 4, "{:?}", judgement.reasons);
}

/// Holds the first message to the one that lives after `at` back for `secs`, and sends it behind the next one to that.
fn holding(at: f64, secs: f64) -> impl Tamper {
    let is_job = job_after(at);
    let is_later = job_after(at + secs);
    let mut is_over = false;
    let mut held: Option<(String, Vec<u8>)> = None;
    script(move |passing, tampered| {
        if !is_over && is_job(passing) {
            is_over = true;
            held = Some((passing.client_id.to_owned(), passing.bytes.to_vec()));
            return Outcome::Done;
        }
        let is_same = |(to, _): &mut (String, Vec<u8>)| to == passing.client_id;
        let is_next = is_later(passing);
        if let Some((_, bytes)) = held.take_if(|held| is_next && is_same(held)) {
            tampered.pass(passing);
            tampered.forward(passing.direction, &bytes);
            return Outcome::Done;
        }
        Outcome::Pass
    })
}

/// A message that comes after later ones is out of order, whichever member is lost long after it was sent. One that was sent a few seconds
/// before that may have been another worker's first.
#[test]
fn order_is_judged_unless_a_dead_worker_may_have_had_the_message() {
    for (at, late) in [(1.0, 9.0), (10.0, 3.0)] {
        let judgement = run_tampered(SCENARIO, holding(at, late));
        assert_broken(&judgement, &["delivery().reordered"]);
    }

    let judgement = run_tampered(SCENARIO, holding(6.0, 3.0));

    assert_unjudged(&judgement, &[("reordered", "a member that was lost")]);
}
