//! The devices of a run, made from its scenario: the members of its groups, then the checkers.

use std::collections::HashMap;
use std::rc::Rc;

use rand::RngExt as _;
use squall_scenario::{ClientKey, DeviceId, Expectation, Group, Scenario};

use crate::device::{Device, Identity, Profile};
use crate::random::{Draws, Purpose};
use crate::schedule::Place;

/// The devices of the scenario.
pub(crate) fn members(scenario: &Scenario) -> Vec<Device> {
    let mut devices = Vec::new();
    let mut keys: HashMap<Rc<str>, ClientKey> = HashMap::new();
    for group in &scenario.groups {
        let profile = Rc::new(Profile::new(scenario, group));
        let levels = levels(scenario, group);
        for (index, device) in (0_u32..).zip(group.devices()) {
            let client_id = client_id(group, index);
            let next = ClientKey(u32::try_from(keys.len()).expect("no more keys than devices"));
            let client = *keys.entry(Rc::clone(&client_id)).or_insert(next);
            let place = Place {
                index,
                count: group.count,
            };
            let identity = Identity {
                device,
                client,
                client_id,
                draws: Draws::of_device(scenario.seed, &group.name, index),
                place,
                level: levels.get(index as usize).copied().unwrap_or_default(),
            };
            devices.push(Device::new(identity, Rc::clone(&profile)));
        }
    }
    devices
}

/// By index, the share of the group above which each device is connected: in an order that is drawn, so that whatever
/// share there is to be is there. None of a group whose devices are all to be connected.
fn levels(scenario: &Scenario, group: &Group) -> Vec<f64> {
    if group.attendance.online.is_none() {
        return Vec::new();
    }
    let mut order: Vec<(u64, u32)> = (0..group.count)
        .map(|index| {
            let draws = Draws::of_device(scenario.seed, &group.name, index);
            (draws.generator(Purpose::Online, 0).random(), index)
        })
        .collect();
    order.sort_unstable();
    let mut levels = vec![0.0; order.len()];
    for (rank, (_, index)) in (0_u32..).zip(order) {
        levels[index as usize] = (f64::from(rank) + 0.5) / f64::from(group.count);
    }
    levels
}

fn client_id(group: &Group, index: u32) -> Rc<str> {
    group.client_id.render(index, "").into()
}

/// One checker for each `retained` expectation; they come after the devices of the scenario.
pub(crate) fn checkers(scenario: &Scenario, members: usize) -> Vec<Device> {
    let profile = Rc::new(Profile::of_checker(scenario));
    let mut checkers = Vec::new();
    for (expectation, expected) in scenario.expectations.iter().enumerate() {
        let Expectation::Retained(claim) = expected else {
            continue;
        };
        // Client keys of checkers come after every key that a device can have.
        let number = slot(members + checkers.len());
        let identity = Identity {
            device: DeviceId(number),
            client: ClientKey(number),
            client_id: format!("squall-checker-{}-{expectation}", scenario.seed).into(),
            draws: Draws::of_checker(scenario.seed, expectation as u64),
            place: Place { index: 0, count: 1 },
            level: 0.0,
        };
        let profile = Rc::clone(&profile);
        let filter = claim.filter.as_str();
        let checker = Device::new_checker(identity, profile, expectation, filter);
        checkers.push(checker);
    }
    checkers
}

/// The slot of the device at a place among all devices of a run.
pub(crate) fn slot(place: usize) -> u32 {
    u32::try_from(place).expect("devices are counted in 32 bits")
}
