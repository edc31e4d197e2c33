//! `partition` of a `[[network]]`: the fault of that name, of all devices that are on it.

use squall_scenario::{Scenario, StopBy, Target};

const GROUPS: &str = "[[group]]\nname = \"a\"\ncount = 2\nnetwork = \"mine\"\n[[group]]\nname = \"b\"\ncount = 2\n\
    network = \"mine\"\n[[group]]\nname = \"apart\"\ncount = 2\n";

fn scenario(network: &str, groups: &str, faults: &str) -> Result<Scenario, String> {
    let text = format!(
        "version = 1\nname = \"p\"\n[run]\nduration = \"60s\"\n[[network]]\nname = \"mine\"\nlatency = \"5ms\"\n\
         {network}\n{groups}{faults}"
    );
    Scenario::parse("p.toml", &text, &[]).map_err(|errors| errors.to_string())
}

/// It says nothing but what faults of each group on the profile would: the scenarios are equal.
#[test]
fn a_partition_of_a_profile_is_a_fault_of_each_group_on_it() {
    let partition = "partition = [{ at = \"20s\", lasts = \"5s\" }, { every = \"9s\", for = \"30s\", lasts = \"1s\" }]";
    let fault = |name: &str, group: &str, when: &str| {
        format!(
            "[[fault]]\nname = \"{name}\"\n{when}\ngroup = \"{group}\"\naction = \"partition\"\n"
        )
    };
    let (once, again) = (
        "at = \"20s\"\nlasts = \"5s\"",
        "every = \"9s\"\nfor = \"30s\"\nlasts = \"1s\"",
    );
    let faults = [
        fault("mine-partition-1-a", "a", once),
        fault("mine-partition-1-b", "b", once),
        fault("mine-partition-2-a", "a", again),
        fault("mine-partition-2-b", "b", again),
    ];

    let by_profile = scenario(partition, GROUPS, "").unwrap();

    assert_eq!(by_profile, scenario("", GROUPS, &faults.concat()).unwrap());
    assert_eq!(by_profile.faults.len(), 4);
}

/// What is wrong with it is told as of a fault, where it stands.
#[test]
fn a_mistake_is_shown_where_the_partition_stands() {
    for (network, message) in [
        ("partition = { at = \"20s\" }", "lacks `lasts`"),
        (
            "partition = { at = \"58s\", lasts = \"5s\" }",
            "after the end of the measured part",
        ),
        (
            "partition = { att = \"20s\", lasts = \"5s\" }",
            "did you mean `at`?",
        ),
        (
            "partition = { at = \"20s\", every = \"1s\", lasts = \"5s\" }",
            "exclude each other",
        ),
        ("partition = \"5s\"", "expected"),
    ] {
        let report = scenario(network, GROUPS, "").unwrap_err();

        assert!(report.contains(message), "{network}: {report}");
        assert!(report.contains("p.toml:8:"), "{network}: {report}");
    }
}

/// A profile without a group would be partitioned for nothing.
#[test]
fn a_partition_without_a_group_is_refused() {
    let groups = "[[group]]\nname = \"a\"\ncount = 2\n";

    let report = scenario("partition = { at = \"20s\", lasts = \"5s\" }", groups, "").unwrap_err();

    assert!(report.contains("no group has links of `mine`"), "{report}");
}

/// A signal is told from a command, and one that does not exist from both.
#[test]
fn what_tells_a_broker_to_end_is_a_signal_or_a_command() {
    let kill = |written: &str| {
        let target = format!("[target]\nspawn = \"broker {{port}}\"\nkill = {written:?}\n");
        let text =
            format!("version = 1\nname = \"k\"\n{target}[[group]]\nname = \"a\"\ncount = 1\n");
        let scenario = Scenario::parse("k.toml", &text, &[]);
        scenario.map(|scenario| match scenario.target {
            Target::Spawn(spawn) => spawn.kill,
            Target::Embedded | Target::Url(_) => unreachable!("the file has a command"),
        })
    };

    assert_eq!(kill("SIGTERM").unwrap(), StopBy::Sigterm);
    assert_eq!(kill("SIGINT").unwrap(), StopBy::Signal("SIGINT"));
    let words = ["rabbitmqctl", "-n", "my node", "stop"].map(str::to_owned);
    assert_eq!(
        kill("rabbitmqctl -n 'my node' stop").unwrap(),
        StopBy::Command(words.into())
    );
    let slip = kill("SIGITN").unwrap_err().to_string();
    assert!(slip.contains("did you mean `SIGINT`?"), "{slip}");
    let empty = kill("").unwrap_err().to_string();
    assert!(empty.contains("neither a signal nor a command"), "{empty}");
}
