//! Suites: shipped scenarios that are run together to answer one question.

use squall_toml::nearest::nearest;

/// Scenarios that are run together.
#[derive(Debug)]
pub struct Suite {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// Whether its scenarios keep their size.
    pub size: Size,
    /// Its scenarios, in the order in which they run.
    pub members: &'static [Member],
}

/// Whether the scenarios of a suite keep their size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// They run as they are written; one that this machine cannot hold is refused, as `squall run` does.
    AsWritten,
    /// One that this machine cannot hold runs with all groups divided by the same number.
    ToMachine,
}

/// A scenario of a suite.
#[derive(Debug)]
pub struct Member {
    /// The name of a shipped scenario.
    pub scenario: &'static str,
    /// What `--short` changes, as `--set` takes it: the same load for seconds instead of minutes.
    pub short: &'static [&'static str],
}

/// As long as a use case of the Open MQTT Benchmark Suite takes with `--short`.
const SHORT: &str = "run.duration=20s";

/// All of them.
///
/// The use cases of the Open MQTT Benchmark Suite are those of its basic and of its enterprise set.
pub static SUITES: &[Suite] = &[
    Suite {
        name: "chaos",
        purpose: "What a broker must stand: bad links, dead devices, doubled Client Identifiers, cut QoS 2 exchanges, slow readers, storms.",
        size: Size::AsWritten,
        members: &[
            with_short("network-jitter"),
            as_written("abrupt-drops-lwt"),
            as_written("duplicate-client-ids"),
            with_short("qos2-retries"),
            as_written("reconnect-storm"),
            as_written("flaky-lte"),
            as_written("slow-consumer"),
            as_written("keep-alive-violation"),
            as_written("thermostats"),
            as_written("command-response"),
            as_written("chat-room"),
            as_written("offline-backlog"),
            as_written("shared-workers"),
            as_written("retained-boot"),
            as_written("malformed"),
            as_written("flapping"),
            as_written("broker-restart"),
        ],
    },
    Suite {
        name: "mqttbs-basic",
        purpose: "The Open MQTT Benchmark Suite's basic set: 10,000 connections, fan-out, pairs and a shared subscription at 1,000 messages a second.",
        size: Size::ToMachine,
        members: &[
            Member {
                scenario: "conn-tcp-10k-100",
                short: &[SHORT, "group.clients.connect_rate=1000"],
            },
            with_short("fanout-1-1k-1-1k"),
            with_short("p2p-1k-1k-1k-1k"),
            with_short("sharedsub-1k-5-1k-1k"),
        ],
    },
    Suite {
        name: "mqttbs-enterprise",
        purpose: "The Open MQTT Benchmark Suite's enterprise set: 1,000,000 connections, 250,000 deliveries a second, 50,000 pairs. Scaled to the machine.",
        size: Size::ToMachine,
        members: &[
            with_short("conn-tcp-1m-5k"),
            with_short("fanout-5-1000-5-250k"),
            with_short("p2p-50k-50k-50k-50k"),
            with_short("sharedsub-50k-500-50k-50k"),
        ],
    },
];

const fn with_short(scenario: &'static str) -> Member {
    Member {
        scenario,
        short: &[SHORT],
    }
}

/// One whose faults have their times, or that is short already.
const fn as_written(scenario: &'static str) -> Member {
    Member {
        scenario,
        short: &[],
    }
}

/// The suite of that name.
pub fn find(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}

/// What to add to the message that there is no suite `name`.
pub fn hint(name: &str) -> String {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    match nearest(name, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`squall suite` lists them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use squall_scenario::{Override, Scenario};

    use super::*;
    use crate::shipped;

    /// Whole and short, each member is a shipped scenario that is right.
    #[test]
    fn every_member_is_a_shipped_scenario_also_when_it_is_short() {
        for suite in SUITES {
            assert!(!suite.members.is_empty(), "{}", suite.name);
            for member in suite.members {
                let shipped = shipped::find(member.scenario);
                let shipped = shipped.unwrap_or_else(|| panic!("no {}", member.scenario));
                let short: Vec<Override> = member
                    .short
                    .iter()
                    .map(|text| text.parse().expect("it is KEY=VALUE"))
                    .collect();

                let found = Scenario::parse(member.scenario, shipped.text, &short);

                if let Err(errors) = found {
                    panic!("{}: {errors}", suite.name);
                }
            }
        }
    }

    #[test]
    fn a_hint_understands_slips() {
        assert_eq!(hint("mqttbs-basc"), "did you mean `mqttbs-basic`?");
        assert!(hint("weather").contains("squall suite"));
    }
}
