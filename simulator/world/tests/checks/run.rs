//! Runs a scenario in virtual time, with or without something between devices and broker.

use std::rc::Rc;
use std::time::Duration;

use squall_core::{Broker, Config};
use squall_fleet::{Actions, Input};
use squall_ledger::{Judgement, Recorder, judge};
use squall_protocol::Instant;
use squall_run::{Extent, Resources, Verdict};
use squall_scenario::Scenario;
use squall_world::{Tamper, World};

use crate::harness;

/// Runs `text` over the real broker core.
pub(crate) fn run(text: &str) -> Judgement {
    squall_world::run(&scenario(text), broker(), None)
}

/// Runs `text` with `tamper` in every pipe.
pub(crate) fn run_tampered(text: &str, tamper: impl Tamper + 'static) -> Judgement {
    squall_world::run(&scenario(text), broker(), Some(Box::new(tamper)))
}

/// What follows from a whole run.
pub(crate) fn verdict(judgement: &Judgement) -> Verdict {
    let measured = &judgement.measured;
    let further = judgement.reasons.iter().cloned();
    Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        further,
    )
}

/// The claims that did not hold, as `check(selection).key`, in file order: those that are broken, and
/// those that could not be judged.
pub(crate) fn broken(judgement: &Judgement) -> Vec<String> {
    let mut broken = Vec::new();
    for check in &judgement.measured.checks {
        let selection: Vec<&str> = check.selection.values().map(String::as_str).collect();
        for claim in check.claims.iter().filter(|claim| !claim.passed) {
            broken.push(format!(
                "{}({}).{}",
                check.check,
                selection.join(", "),
                claim.key
            ));
        }
    }
    broken
}

/// Asserts that these claims are broken and all others hold, and that each check with a broken claim
/// shows at least one violation.
pub(crate) fn assert_broken(judgement: &Judgement, expected: &[&str]) {
    assert_eq!(
        broken(judgement),
        expected,
        "{:#?}",
        judgement.measured.checks
    );
    let balance = judgement.measured.accounting.balance();
    assert_eq!(balance, 0, "{:#?}", judgement.measured.accounting);
    for check in &judgement.measured.checks {
        if !check.passed() {
            assert!(check.violations_total > 0, "{check:#?}");
            assert!(!check.violations.is_empty(), "{check:#?}");
        }
    }
}

/// Runs `text` over the real broker core, whose process used `resources`.
pub(crate) fn run_using(text: &str, resources: &Resources) -> Judgement {
    let scenario = scenario(text);
    judge(&scenario, world(&scenario).run(), resources)
}

/// Runs `text` without a broker, by a shell that comes `lateness` after every deadline: no device
/// connects, and what is due is skipped.
pub(crate) fn run_late(text: &str, lateness: Duration) -> Judgement {
    let scenario = scenario(text);
    let mut fleet = squall_world::recorded_fleet(&scenario);
    let (mut now, mut actions) = (Instant::ZERO, Actions::new());
    while let Some(deadline) = fleet.next_deadline() {
        now = now.max(deadline + lateness);
        fleet.handle(now, Input::DeadlinePassed, &mut actions);
        actions.clear();
    }
    judge(&scenario, fleet.finish(now), &Resources::default())
}

/// Runs `text` in the world that `change` makes of the plain one.
pub(crate) fn run_in(
    text: &str,
    change: impl FnOnce(World<Recorder>) -> World<Recorder>,
) -> Judgement {
    let scenario = scenario(text);
    judge(
        &scenario,
        change(world(&scenario)).run(),
        &Resources::default(),
    )
}

/// `text` with the devices of `group` behind links of `network`, which it describes.
pub(crate) fn on_network(text: &str, group: &str, network: &str) -> String {
    let name = format!("[[group]]\nname = \"{group}\"\n");
    assert!(text.contains(&name), "no group {group}: {text}");
    text.replace(&name, &format!("{name}network = \"{network}\"\n"))
}

/// A scenario from its text.
pub(crate) fn scenario(text: &str) -> Rc<Scenario> {
    harness::scenario(&format!("seed = 5\n{text}"))
}

pub(crate) fn world(scenario: &Rc<Scenario>) -> World<Recorder> {
    squall_world::recorded(scenario, broker())
}

/// The broker core as it comes.
pub(crate) fn broker() -> Broker {
    harness::broker(Config::default())
}
