//! Publishers at QoS 1 and 2 that forget what was under way when their connection ends.

use squall_protocol::QoS;
use squall_scenario::{Fault, FaultAction, Group, GroupId, Scenario};

/// One sentence for each group that publishes at QoS 1 or 2, does not resume its Sessions, and has its
/// connections ended by its network or by a fault: such messages are in doubt, and nothing sends them again.
pub(super) fn forgetful(scenario: &Scenario) -> Vec<String> {
    let groups = (0..).map(GroupId).zip(&scenario.groups);
    let forgetful = groups.filter(|(_, group)| {
        group.publishes_at(QoS::AtLeastOnce) && !group.keeps_what_is_under_way()
    });
    let sentences = forgetful.filter_map(|(id, group)| {
        let causes = causes(scenario, id, group);
        (!causes.is_empty()).then(|| {
            format!(
                "devices of group `{}` publish at QoS 1 or 2 and forget what was not acknowledged when their \
                 connection ends, which {} may bring about: such messages are in doubt, neither owed nor lost. \
                 With `clean_start = false` and a `session_expiry` the devices send them again",
                group.name,
                causes.join(" and ")
            )
        })
    });
    sentences.collect()
}

/// What of the scenario ends connections of the group without its doing.
fn causes(scenario: &Scenario, id: GroupId, group: &Group) -> Vec<String> {
    let outages = group.network.into_iter().filter_map(|network| {
        let network = scenario.network(network);
        let has_outages = network.outages.is_some();
        has_outages.then(|| format!("an outage of network `{}`", network.name))
    });
    let faults = scenario.faults.iter().filter(|fault| cuts(fault, id));
    let absences = group.attendance.availability.iter();
    outages
        .chain(absences.map(|_| "its `availability`".to_owned()))
        .chain(faults.map(|fault| format!("fault `{}`", fault.name)))
        .collect()
}

/// Whether the fault ends connections of the group with messages under way.
fn cuts(fault: &Fault, group: GroupId) -> bool {
    fault.devices().is_some_and(|devices| {
        let ends_connections = match devices.action {
            FaultAction::Drop(_) | FaultAction::Disconnect(_) | FaultAction::Takeover(_) => true,
            FaultAction::Stall | FaultAction::Network(_) | FaultAction::Partition => false,
            // The broker ends them.
            FaultAction::Mute | FaultAction::Flap(_) => true,
        };
        devices.group == group && ends_connections
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(qos: u8, session: &str, cause: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n\
             [[network]]\nname = \"bad\"\noutages = {{ every = \"10s\", lasts = \"8s\" }}\n\
             [[network]]\nname = \"good\"\nlatency = \"50ms\"\n\
             [[group]]\nname = \"meters\"\ncount = 1\n{session}\n{cause}\n\
             [[group.publish]]\ntopic = \"t\"\nqos = {qos}\nrate = 1\n\
             [[group]]\nname = \"others\"\ncount = 1\n\
             [[fault]]\nname = \"gone\"\nat = \"1s\"\ngroup = \"{}\"\naction = \"drop\"\nhow = \"rst\"\n",
            match cause {
                "" => "meters",
                _ => "others",
            }
        );
        let scenario =
            Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        forgetful(&scenario)
    }

    const KEPT: &str = "clean_start = false\nsession_expiry = \"5m\"";

    /// Messages that a lost connection leaves in doubt are told of before the run, with what would keep them.
    #[test]
    fn messages_that_are_forgotten_are_told_of_before_the_run() {
        let outage = advice_on(1, "", "network = \"bad\"");
        let fault = advice_on(2, "", "");

        assert!(
            outage.len() == 1
                && outage[0].contains("group `meters`")
                && outage[0].contains("an outage of network `bad`")
                && outage[0].contains("`clean_start = false` and a `session_expiry`"),
            "{outage:?}"
        );
        assert!(
            fault.len() == 1 && fault[0].contains("fault `gone`"),
            "{fault:?}"
        );
    }

    /// Devices that come and go leave messages in doubt as those that a fault strikes.
    #[test]
    fn devices_that_come_and_go_forget_messages_too() {
        let availability = "availability = { up = \"5s\", down = \"2s\" }";

        let told = advice_on(1, availability, "network = \"good\"");

        assert!(
            told.len() == 1 && told[0].contains("which its `availability` may bring about"),
            "{told:?}"
        );
        let kept = format!("{KEPT}\n{availability}");
        assert_eq!(advice_on(1, &kept, "network = \"good\""), [] as [&str; 0]);
    }

    /// Where a Session is resumed, nothing is ever acknowledged, or nothing ends the connections, there is
    /// nothing to say.
    #[test]
    fn what_is_sent_again_needs_no_warning() {
        assert_eq!(advice_on(1, KEPT, "network = \"bad\""), [] as [&str; 0]);
        assert_eq!(advice_on(2, KEPT, ""), [] as [&str; 0]);
        assert_eq!(advice_on(0, "", "network = \"bad\""), [] as [&str; 0]);
        assert_eq!(advice_on(1, "", "network = \"good\""), [] as [&str; 0]);
    }
}
