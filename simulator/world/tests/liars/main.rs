//! Brokers that lie, each in one way, under scenarios that each have one kind of trouble.
//!
//! What the ledger excuses an honest broker from, a liar may hide behind. So for each pair of which enough messages were
//! touched it is written down what comes of it: the claim that is broken, that the run could not be judged, or that it
//! passes, with the rule of the protocol by which it may.

mod exchange_scenarios;
mod exchanges;
mod handshakes;
#[path = "../harness/mod.rs"]
mod harness;
mod liar;
mod lies;
mod notes;
mod scenarios;
mod table;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_core::Config;
use squall_ledger::Judgement;
use squall_run::{ClaimOutcome, Extent, Resources, Verdict};
use squall_world::Tamper;

use liar::{Honest, Liar};
use lies::Lie;
use notes::{Ended, Notes};
use table::Outcome;

/// What came of a run.
#[derive(Debug)]
struct Came {
    exit_code: u8,
    /// Claims that are broken, as `check.key`.
    broken: Vec<String>,
}

fn run(text: &str, tamper: impl Tamper + 'static) -> Came {
    let scenario = harness::scenario(text);
    let world = squall_world::recorded(&scenario, harness::broker(Config::default()))
        .with_tamper(Box::new(tamper));
    let judgement = squall_ledger::judge(&scenario, world.run(), &Resources::default());
    let measured = &judgement.measured;
    assert_eq!(
        measured.accounting.balance(),
        0,
        "{:#?}",
        measured.accounting
    );
    let verdict = Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        judgement.reasons.iter().cloned(),
    );
    Came {
        exit_code: verdict.exit_code,
        broken: broken(&judgement, is_broken),
    }
}

/// The claims that `is_chosen` takes, as `check.key`, each once.
fn broken(judgement: &Judgement, is_chosen: impl Fn(&ClaimOutcome) -> bool) -> Vec<String> {
    let checks = judgement.measured.checks.iter();
    let claims = checks.flat_map(|check| {
        let claims = check.claims.iter().filter(|claim| is_chosen(claim));
        claims.map(|claim| format!("{}.{}", check.check, claim.key))
    });
    let mut claims: Vec<String> = claims.collect();
    claims.sort();
    claims.dedup();
    claims
}

fn is_broken(claim: &ClaimOutcome) -> bool {
    let is_judged = claim.actual.is_some() && claim.unjudged.is_none();
    !claim.passed && is_judged && claim.explained.is_none()
}

/// Tries every lie on the scenario in `text`: the honest run passes, and of each lie comes what the table says.
fn check(name: &str, text: &str) {
    check_with(&Lie::ALL, name, text);
}

/// The same with some lies, where the scenario claims nothing that others break.
fn check_with(lies: &[Lie], name: &str, text: &str) {
    let ended = honest(name, text);
    let mut differences = Vec::new();
    for &lie in lies {
        let touched = Rc::new(Cell::new(0));
        let result = run(text, Liar::new(lie, &ended, &touched));
        let is_enough = touched.get() >= lie.touched_min();
        let expected = table::expected(name, lie);
        let is_as_expected = match (is_enough, expected) {
            (false, None) => true,
            (true, Some(outcome)) => is_outcome(outcome, &result),
            (false, Some(_)) | (true, None) => false,
        };
        if !is_as_expected {
            let touched = touched.get();
            differences.push(format!(
                "{lie:?}: {touched} touched, expected {expected:?}, got {result:?}"
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{name}:\n{}",
        differences.join("\n")
    );
}

/// Runs without a lie; returns what connections had that ended.
fn honest(name: &str, text: &str) -> Ended {
    let notes: Rc<RefCell<Notes>> = Rc::default();
    let came = run(text, Honest::new(&notes));
    assert_eq!(came.exit_code, 0, "{name} without a lie: {came:?}");
    notes.take().into_ended()
}

fn is_outcome(outcome: Outcome, came: &Came) -> bool {
    match outcome {
        Outcome::Found(claim) => {
            came.exit_code == 98 && came.broken.iter().any(|broken| broken == claim)
        }
        Outcome::NotJudged => ![0, 98].contains(&came.exit_code),
        Outcome::Passes(why) | Outcome::KnownGap(why) => !why.is_empty() && came.exit_code == 0,
    }
}

#[test]
fn lies_about_plain_deliveries() {
    check("plain", &scenarios::plain("5.0"));
}

#[test]
fn lies_about_plain_deliveries_in_3_1_1() {
    check("plain-3.1.1", &scenarios::plain("3.1.1"));
}

#[test]
fn lies_about_devices_that_flap() {
    check("flapping", &scenarios::flapping("5.0"));
}

#[test]
fn lies_about_devices_that_flap_in_3_1_1() {
    check("flapping-3.1.1", &scenarios::flapping("3.1.1"));
}

#[test]
fn lies_about_connections_that_are_cut() {
    check("drops", &scenarios::drops());
}

#[test]
fn lies_about_a_shared_subscription() {
    check("shared", &scenarios::shared("5.0"));
}

#[test]
fn lies_about_a_shared_subscription_in_3_1_1() {
    check("shared-3.1.1", &scenarios::shared("3.1.1"));
}

#[test]
fn lies_about_retained_messages() {
    check("retained", &scenarios::retained());
}

#[test]
fn lies_about_subscriptions_that_come_and_go() {
    check("churn", &scenarios::churn());
}

#[test]
fn lies_about_messages_that_expire() {
    check("expiry", &scenarios::expiry());
}

#[test]
fn lies_about_a_client_identifier_that_several_want() {
    check("takeover", &scenarios::takeover());
}

#[test]
fn lies_about_readers_that_stall() {
    check("stalls", &scenarios::stalls());
}

#[test]
fn lies_about_devices_behind_links() {
    check("links", &scenarios::links());
}

#[test]
fn lies_about_exchanges_that_are_cut() {
    check_with(&Lie::IN_EXCHANGES, "cuts", &exchange_scenarios::cuts());
}

#[test]
fn lies_about_publishers_that_leave() {
    check_with(
        &Lie::IN_EXCHANGES,
        "leaving",
        &exchange_scenarios::leaving(),
    );
}
