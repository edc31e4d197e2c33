//! A whole run in virtual time, from a scenario to what is concluded from it.

use std::rc::Rc;

use squall_core::Broker;
use squall_fleet::{Fleet, RunTag};
use squall_ledger::{Judgement, Recorder, judge};
use squall_run::Resources;
use squall_scenario::Scenario;

use crate::{Tamper, World};

/// Runs `scenario` over `broker` to its end, with `tamper` in every pipe if there is one, and judges it.
///
/// No process is measured, so thresholds on processor and memory have no samples. The same scenario,
/// broker and tamper give the same judgement, bit for bit.
pub fn run(scenario: &Rc<Scenario>, broker: Broker, tamper: Option<Box<dyn Tamper>>) -> Judgement {
    let mut world = recorded(scenario, broker);
    if let Some(tamper) = tamper {
        world = world.with_tamper(tamper);
    }
    judge(scenario, world.run(), &Resources::default())
}

/// A run of `scenario` over `broker` at its beginning, recorded to be judged.
///
/// Its tag is of the scenario's seed, so that the same scenario gives the same bytes.
pub fn recorded(scenario: &Rc<Scenario>, broker: Broker) -> World<Recorder> {
    let fleet = recorded_fleet(scenario);
    World::new(fleet, broker)
}

/// A fleet of `scenario` at its beginning, recorded to be judged; as in [`recorded`].
pub fn recorded_fleet(scenario: &Rc<Scenario>) -> Fleet<Recorder> {
    let tag = RunTag::of_seed(scenario.seed);
    Fleet::new(Rc::clone(scenario), tag, Recorder::new(scenario, tag))
}
