//! Devices that fight for one Client Identifier.

use std::cmp::Reverse;
use std::collections::HashMap;

use squall_run::count_text;
use squall_scenario::{Expectation, Fault, FaultAction, Group, GroupId, Scenario};

/// One sentence for each group whose devices have fewer Client Identifiers than they are, unless the scenario is about
/// takeovers (§3.1.4).
pub(super) fn shared(scenario: &Scenario) -> Vec<String> {
    let groups = (0..).map(GroupId).zip(&scenario.groups);
    groups
        .filter(|&(id, _)| !is_about_takeovers(scenario, id))
        .filter_map(|(_, group)| sentence(group))
        .collect()
}

fn sentence(group: &Group) -> Option<String> {
    let mut owners: HashMap<String, u32> = HashMap::new();
    for index in 0..group.count {
        *owners.entry(group.client_id_of(index)).or_default() += 1;
    }
    let ids = owners.len() as u64;
    let (most, of) = owners
        .into_iter()
        .max_by_key(|(id, of)| (*of, Reverse(id.clone())))?;
    let have = match ids {
        1 => format!("one Client Identifier, `{most}`"),
        _ => format!(
            "{} Client Identifiers, `{most}` is that of {of}",
            count_text(ids)
        ),
    };
    (of > 1).then(|| {
        format!(
            "the {} devices of group `{}` have {have}: each that connects displaces the one before. With `{{index}}` in `client_id` \
             each has its own",
            count_text(group.count.into()),
            group.name,
        )
    })
}

/// Whether a claim or a fault of the scenario is about takeovers of the group.
fn is_about_takeovers(scenario: &Scenario, id: GroupId) -> bool {
    let mut claims = scenario.expectations.iter();
    let faults = scenario.faults.iter();
    claims.any(|claim| matches!(claim, Expectation::Takeover(_)))
        || faults.filter_map(Fault::devices).any(|devices| {
            devices.group == id && matches!(devices.action, FaultAction::Takeover(_))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(client_id: &str, claim: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"meters\"\ncount = 300\nclient_id = \"{client_id}\"\n{claim}"
        );
        let scenario =
            Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        shared(&scenario)
    }

    /// A Client Identifier without an index is told before the run, unless takeovers are what it is about.
    #[test]
    fn devices_with_one_client_identifier_are_told_before_the_run() {
        let takeover = "[[expect]]\ncheck = \"takeover\"\nalive_per_client_id = 1\n";

        assert_eq!(
            advice_on("meter", ""),
            [
                "the 300 devices of group `meters` have one Client Identifier, `meter`: each that connects displaces \
              the one before. With `{index}` in `client_id` each has its own"
            ]
        );
        assert_eq!(advice_on("meter-{index}", ""), [] as [&str; 0]);
        assert_eq!(
            advice_on("meter-{pick:a|b|c}", ""),
            [
                "the 300 devices of group `meters` have 3 Client Identifiers, `meter-a` is that of 100: each that connects displaces the \
              one before. With `{index}` in `client_id` each has its own"
            ]
        );
        assert_eq!(advice_on("meter", takeover), [] as [&str; 0]);
    }
}
