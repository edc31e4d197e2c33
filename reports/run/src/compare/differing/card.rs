//! What two runs may differ in beside their scenario: target, machine and squall itself.

use std::collections::BTreeMap;

use super::Settings;
use crate::{Run, bytes_text};

/// What the run card says beside the scenario.
pub(super) fn card(run: &Run) -> Settings {
    let (target, machine, squall) = (&run.target, &run.machine, &run.identity.squall);
    let mut card = BTreeMap::new();
    let mut add = |name: &str, value: Option<String>| {
        card.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("target: software", target.software.clone());
    add(
        "target: keeps",
        target.keeps.map(|keeps| keeps.name().to_owned()),
    );
    for (name, value) in &target.settings {
        add(&format!("target: {name}"), Some(value.clone()));
    }
    add("machine: processor", Some(machine.cpu.clone()));
    add("machine: cores", Some(machine.cores.to_string()));
    add("machine: memory", Some(bytes_text(machine.memory_bytes)));
    add("machine: kernel", Some(machine.kernel.clone()));
    add("machine: host", Some(machine.hostname.clone()));
    let build = squall
        .commit
        .as_deref()
        .map_or(String::new(), |commit| format!(" ({commit})"));
    add(
        "squall: version",
        Some(format!("{}{build}", squall.version)),
    );
    add("squall: build", Some(squall.profile.clone()));
    let workers = run
        .resources
        .workers
        .as_ref()
        .map_or(0, |workers| workers.count);
    add("squall: worker threads", Some(workers.to_string()));
    card
}
