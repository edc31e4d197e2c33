//! `squall list --targets`: the brokers that squall knows, and whether they are installed here.

use anyhow::Context as _;
use squall_scenario::TargetDescription;

use crate::exit::Failure;
use crate::output::{below, print, print_line};
use crate::targets::{Availability, TARGETS};

/// Prints them, sorted by name, with what a user needs to know.
pub(super) fn list_targets() -> Result<u8, Failure> {
    for shipped in TARGETS {
        let described = TargetDescription::parse(shipped.name, shipped.text.as_bytes());
        let described = described.context("a description of squall's own is wrong")?;
        print_line(&format!(
            "{}  ({})",
            described.name,
            Availability::of(&described)
        ))?;
        print(&below(&described.about))?;
        if described.is_3_1_1_only {
            print(&below("MQTT 3.1.1 alone: scenarios are brought down to it"))?;
        }
        if !described.lacks.is_empty() {
            let lacks = described.lacks.iter().map(|lacking| lacking.in_sentence());
            print(&below(&format!(
                "without {}",
                lacks.collect::<Vec<_>>().join(", ")
            )))?;
        }
        let tested = described
            .tested
            .map(|version| format!("tried with {version}"));
        let install = described
            .install
            .map(|command| format!("install: {command}"));
        for line in tested.into_iter().chain(install).chain(described.notes) {
            print(&below(&line))?;
        }
    }
    Ok(0)
}
