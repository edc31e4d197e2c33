//! A run of a random scenario, and what is wrong with how it is judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use squall_core::Config;
use squall_ledger::Judgement;
use squall_run::{ClaimOutcome, Extent, Resources, Verdict};
use squall_scenario::Scenario;

use crate::generate::Generated;
use crate::harness;

/// Steps of a world after which a run is given up: a closed loop without a link does thousands in a second.
const STEPS_MAX: u32 = 60_000;

/// Steps in which time must pass.
const STEPS_AT_ONCE_MAX: u32 = 5_000;

/// What became of a run with a broker that does nothing wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Trial {
    /// The scenario is refused.
    Refused,
    /// It has more steps than a test has time for.
    TooLong,
    /// Nothing is held against the broker. The exit code.
    Sound(u8),
    /// What is wrong: claims that count as broken, or a fault of squall.
    Wrong(Vec<String>),
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
    catch_unwind(AssertUnwindSafe(|| run(&scenario)))
        .unwrap_or_else(|_| Trial::Wrong(vec!["panic".to_owned()]))
}

fn run(scenario: &Rc<Scenario>) -> Trial {
    let mut world = squall_world::recorded(scenario, harness::broker(Config::default()));
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
    conclude(&squall_ledger::judge(
        scenario,
        world.run(),
        &Resources::default(),
    ))
}

fn conclude(judgement: &Judgement) -> Trial {
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
        return Trial::Sound(verdict.exit_code);
    }
    let mut complaints = Vec::new();
    for check in &measured.checks {
        let broken = check.claims.iter().filter(|claim| is_broken(claim));
        complaints.extend(broken.map(|claim| format!("{}.{}", check.check, claim.key)));
    }
    if complaints.is_empty() {
        complaints.push("reasons".to_owned());
    }
    Trial::Wrong(complaints)
}

fn is_broken(claim: &ClaimOutcome) -> bool {
    let is_judged = claim.actual.is_some() && claim.unjudged.is_none();
    !claim.passed && is_judged && claim.explained.is_none()
}
