//! A run of a random scenario, and what is wrong with how it is judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use squall_core::Config;
use squall_ledger::Judgement;
use squall_run::{ClaimOutcome, Extent, Resources, Verdict};
use squall_scenario::{BrokerAction, Fault, Scenario};
use squall_world::Memory;

use crate::commands::script;
use crate::generate::{Generated, MEMORY_KEPT};
use crate::harness;

/// Steps of a world after which a run is given up: a closed loop without a link does thousands in a second.
const STEPS_MAX: u32 = 60_000;

/// What a broker breaks that forgets everything when its process ends.
const FORGOTTEN: [&str; 6] = [
    "delivery.lost",
    "session.present",
    "session.backlog",
    "takeover.session_present",
    "shared.redistributed",
    "retained.equals",
];

/// Steps in which time must pass.
const STEPS_AT_ONCE_MAX: u32 = 5_000;

/// What became of a run with a broker that does nothing wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Trial {
    /// The scenario is refused.
    Refused,
    /// It has more steps than a test has time for.
    TooLong,
    /// Nothing is held against the broker. What was claimed, and whether it was judged.
    Sound(Vec<(String, Fate)>),
    /// What is wrong: claims that count as broken, or a fault of squall.
    Wrong(Vec<String>),
}

/// What became of a claim that is not broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// There was something to judge it by, and it holds.
    Held,
    /// Nothing happened that it is about.
    Idle,
    /// It could not be judged.
    Unjudged,
}

impl Trial {
    /// What is wrong.
    pub(crate) fn complaints(&self) -> &[String] {
        match self {
            Self::Wrong(complaints) => complaints,
            Self::Refused | Self::TooLong | Self::Sound(_) => &[],
        }
    }
}

/// The scenario in `text`, which leaves out `version` and `name`.
pub(crate) fn parse(text: &str) -> Result<Rc<Scenario>, String> {
    let text = format!("version = 1\nname = \"sweep\"\n{text}");
    let scenario = Scenario::parse("sweep.toml", &text, &[]);
    scenario.map(Rc::new).map_err(|errors| errors.to_string())
}

/// The scenario with those of its claims that go with it.
pub(crate) fn with_claims(generated: &Generated) -> Result<String, String> {
    parse(&generated.text)?;
    let mut text = generated.text.clone();
    for claim in &generated.claims {
        let longer = format!("{text}[[expect]]\n{claim}\n");
        if parse(&longer).is_ok() {
            text = longer;
        }
    }
    Ok(text)
}

/// Runs the scenario in `text` over the real broker core.
pub(crate) fn judge(text: &str) -> Trial {
    let Ok(scenario) = parse(text) else {
        return Trial::Refused;
    };
    let memory = match text.starts_with(MEMORY_KEPT) {
        true => Memory::Kept,
        false => Memory::Lost,
    };
    catch_unwind(AssertUnwindSafe(|| run(&scenario, memory)))
        .unwrap_or_else(|_| Trial::Wrong(vec!["panic".to_owned()]))
}

fn run(scenario: &Rc<Scenario>, memory: Memory) -> Trial {
    let broker = harness::broker(Config::default());
    let mut world = squall_world::recorded(scenario, broker).with_memory(memory);
    for stream in scenario.line_streams() {
        world = world.with_command(stream.id, script(stream.id));
    }
    let (mut steps, mut moved) = (0, (0, world.now()));
    while world.step() {
        steps += 1;
        if world.now() > moved.1 {
            moved = (steps, world.now());
        }
        if steps - moved.0 > STEPS_AT_ONCE_MAX {
            return Trial::Wrong(vec!["stuck".to_owned()]);
        }
        if steps > STEPS_MAX {
            return Trial::TooLong;
        }
    }
    let judgement = squall_ledger::judge(scenario, world.run(), &Resources::default());
    let forgets = memory == Memory::Lost && scenario.faults.iter().any(ends_broker);
    conclude(&judgement, if forgets { &FORGOTTEN } else { &[] })
}

/// Whether a fault ends the broker's process.
fn ends_broker(fault: &Fault) -> bool {
    fault
        .target
        .broker()
        .is_some_and(BrokerAction::ends_process)
}

/// What follows from a judgement; `forgotten` are claims that the broker has a reason to break.
fn conclude(judgement: &Judgement, forgotten: &[&str]) -> Trial {
    let measured = &judgement.measured;
    if measured.accounting.balance() != 0 {
        return Trial::Wrong(vec!["balance".to_owned()]);
    }
    let further = judgement.reasons.iter().cloned();
    let verdict = Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        further,
    );
    if ![98, 1].contains(&verdict.exit_code) {
        return Trial::Sound(fates(judgement));
    }
    let mut complaints = broken(judgement);
    if complaints.is_empty() {
        return Trial::Wrong(vec!["reasons".to_owned()]);
    }
    complaints.retain(|complaint| !forgotten.contains(&complaint.as_str()));
    match complaints.is_empty() {
        true => Trial::Sound(fates(judgement)),
        false => Trial::Wrong(complaints),
    }
}

/// Each claim that is held against the broker, as `check.key`.
pub(crate) fn broken(judgement: &Judgement) -> Vec<String> {
    let checks = judgement.measured.checks.iter();
    let claims = checks.flat_map(|check| {
        let claims = check.claims.iter().filter(|claim| is_broken(claim));
        claims.map(|claim| format!("{}.{}", check.check, claim.key))
    });
    claims.collect()
}

/// Each claim, as `check.key`, and what became of it.
fn fates(judgement: &Judgement) -> Vec<(String, Fate)> {
    let checks = judgement.measured.checks.iter();
    let claims = checks.flat_map(|check| {
        let claims = check.claims.iter();
        claims.map(|claim| (format!("{}.{}", check.check, claim.key), fate(claim)))
    });
    claims.collect()
}

fn fate(claim: &ClaimOutcome) -> Fate {
    match (&claim.actual, &claim.unjudged) {
        (_, Some(_)) => Fate::Unjudged,
        (None, None) => Fate::Idle,
        (Some(_), None) => Fate::Held,
    }
}

fn is_broken(claim: &ClaimOutcome) -> bool {
    let is_judged = claim.actual.is_some() && claim.unjudged.is_none();
    !claim.passed && is_judged && claim.explained.is_none()
}
