//! The brokers that the program knows how to start, or what to say of: `scenarios/targets/*.toml`.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use squall_scenario::{Override, Target, TargetDescription};
use squall_toml::nearest::nearest;
use squall_toml::quote::quote;

use crate::exit::Failure;
use crate::machine::programs;
use crate::shipped::Shipped;

/// All of them, sorted by name.
pub static TARGETS: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// Whether a broker can be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is squall's own.
    PartOfSquall,
    /// The program that starts it is on this machine.
    Installed,
    /// This program is not.
    NotInstalled(String),
    /// It runs somewhere, by default at these addresses.
    ByUrl(Vec<String>),
    /// It runs where a scenario says.
    AddressNeeded,
}

impl Availability {
    /// Of the broker that is described.
    pub fn of(described: &TargetDescription) -> Self {
        match &described.target {
            None => Self::AddressNeeded,
            Some(Target::Embedded) => Self::PartOfSquall,
            Some(Target::Url(urls)) => Self::ByUrl(urls.iter().map(ToString::to_string).collect()),
            Some(Target::Spawn(spawn)) => {
                let program = spawn.command.first().map_or("", String::as_str);
                match programs::is_found(program, std::env::var_os("PATH").as_deref()) {
                    true => Self::Installed,
                    false => Self::NotInstalled(program.to_owned()),
                }
            }
        }
    }

    /// Whether squall can start it here.
    pub fn can_be_started(&self) -> bool {
        match self {
            Self::PartOfSquall | Self::Installed => true,
            Self::NotInstalled(_) | Self::ByUrl(_) | Self::AddressNeeded => false,
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartOfSquall => f.write_str("part of squall"),
            Self::Installed => f.write_str("installed here"),
            Self::NotInstalled(program) => {
                write!(f, "not installed here: there is no `{program}`")
            }
            Self::ByUrl(urls) => write!(f, "by url, {} by default", urls.join(", ")),
            Self::AddressNeeded => f.write_str("give its address as target.url"),
        }
    }
}

/// The names of those that squall can start here, its own first.
pub fn installed() -> Vec<&'static str> {
    let mut found: Vec<(&'static str, Availability)> = TARGETS
        .iter()
        .filter_map(|shipped| {
            let described = TargetDescription::parse(shipped.name, shipped.text.as_bytes());
            Some((shipped.name, Availability::of(&described.ok()?)))
        })
        .filter(|(_, availability)| availability.can_be_started())
        .collect();
    found.sort_by_key(|(name, availability)| (*availability != Availability::PartOfSquall, *name));
    found.into_iter().map(|(name, _)| name).collect()
}

/// The description of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    TARGETS.iter().find(|shipped| shipped.name == name)
}

/// What to add to the message that there is no target `name`.
pub fn hint(name: &str) -> String {
    let names: Vec<&str> = TARGETS.iter().map(|shipped| shipped.name).collect();
    // An address, not a name.
    if name.contains([':', '.']) && !name.ends_with(".toml") {
        return format!("a broker that runs already is given as `mqtt://{name}`");
    }
    match nearest(name, &names) {
        Some(name) => format!("did you mean `{name}`, a target that squall knows?"),
        None => format!("the targets that squall knows are {}", names.join(", ")),
    }
}

/// What `--target NAME|FILE|URL` sets in a scenario.
pub fn override_of(written: &str) -> Result<Override, Failure> {
    let (key, value) = if written.contains("://") {
        ("target.url", written.to_owned())
    } else if find(written).is_some() {
        ("target.use", written.to_owned())
    } else if !Path::new(written).is_file() {
        return Err(Failure::Usage(format!(
            "--target {written}: there is no such target and no such file; {}",
            hint(written)
        )));
    } else {
        let path = Path::new(written).canonicalize();
        let path = path.with_context(|| format!("cannot read target {written}"))?;
        ("target.use", path.display().to_string())
    };
    Ok(Override {
        key: key.to_owned(),
        value: quote(&value),
    })
}

#[cfg(test)]
mod tests {
    use squall_protocol::Version;
    use squall_run::Keeps;
    use squall_scenario::{FileUnreadable, Group, Scenario, ScenarioErrors, Surroundings};

    use super::*;
    use crate::shipped::SCENARIOS;

    /// Only the targets that squall brings.
    struct Targets;

    impl Surroundings for Targets {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
            let cause = format!("{path}: there are no files here");
            Err(FileUnreadable { cause })
        }

        fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
            let found = find(name).expect("it is one of the list");
            Ok(found.text.into())
        }
    }

    fn read(shipped: &Shipped, changes: &[&str]) -> Result<Scenario, ScenarioErrors> {
        let changes: Vec<Override> = changes
            .iter()
            .map(|change| change.parse().expect("it is KEY=VALUE"))
            .collect();
        Scenario::parse_bytes(shipped.name, shipped.text.as_bytes(), &changes, &Targets)
    }

    /// Whether its devices ask for something that MQTT 3.1.1 does not have.
    fn is_of_5_0(group: &Group) -> bool {
        let streams = group.publishes.iter();
        let mut properties = streams.map(|publish| &publish.properties);
        let mut subscribes = group.subscribes.iter();
        group.version == Version::V5
            || properties.any(|properties| properties.response_topic.is_some())
            || subscribes.any(|subscribe| subscribe.options.no_local)
            || group
                .will
                .as_ref()
                .is_some_and(|will| will.delay_interval > 0)
    }

    /// Each is right, is named after its file, and tells how it is installed or where it runs.
    #[test]
    fn every_target_is_described() {
        assert!(TARGETS.len() >= 10, "{}", TARGETS.len());
        for shipped in TARGETS {
            let found = TargetDescription::parse(shipped.name, shipped.text.as_bytes());
            let found = found.unwrap_or_else(|errors| panic!("{errors}"));

            assert_eq!(found.name, shipped.name);
            let is_told = found.install.is_some() || !found.notes.is_empty();
            assert!(is_told, "{}", shipped.name);
        }
    }

    /// squall's own broker is there on every machine, and first.
    #[test]
    fn squalls_own_broker_is_installed() {
        assert_eq!(installed().first(), Some(&"squall"));
        let other = Availability::NotInstalled("x".to_owned());
        assert!(!other.can_be_started());
    }

    /// What a description says its broker keeps is about the broker as it starts it, not about one that the scenario sets up
    /// otherwise or that runs already.
    #[test]
    fn what_a_target_keeps_holds_for_the_setup_of_its_description() {
        let keeps = |changes: &[&str]| {
            let read = read(&SCENARIOS[0], changes).unwrap_or_else(|errors| panic!("{errors}"));
            read.traits.keeps
        };
        let of_mosquitto = "target.use=\"mosquitto\"";

        assert_eq!(keeps(&[of_mosquitto]), Some(Keeps::Nothing));
        assert_eq!(keeps(&["target.use=\"mosquitto-disk\""]), Some(Keeps::Disk));
        for otherwise in [
            "target.url=\"mqtt://localhost:1883\"",
            "target.spawn=\"mosquitto -p {port}\"",
            "target.config={ \"mosquitto.conf\" = \"listener {port}\" }",
        ] {
            assert_eq!(keeps(&[of_mosquitto, otherwise]), None, "{otherwise}");
        }
    }

    /// A broker of 3.1.1 runs every scenario that squall brings, and is told what was changed in those of 5.0.
    #[test]
    fn every_shipped_scenario_is_brought_down_to_3_1_1() {
        for shipped in SCENARIOS {
            let whole = read(shipped, &[]).unwrap_or_else(|errors| panic!("{errors}"));
            let lowered = read(
                shipped,
                &[
                    "target.spawn=\"broker {port}\"",
                    "target.protocol=\"3.1.1\"",
                ],
            );
            let lowered = lowered.unwrap_or_else(|errors| panic!("{errors}"));

            let traits = &lowered.traits;
            assert!(
                traits.skipped_because.is_empty(),
                "{}: {:?}",
                shipped.name,
                traits.skipped_because
            );
            assert!(!lowered.groups.iter().any(is_of_5_0), "{}", shipped.name);
            let had_5_0 = whole
                .groups
                .iter()
                .any(|group| group.version == Version::V5);
            assert_eq!(traits.changes.is_empty(), !had_5_0, "{}", shipped.name);
        }
    }

    /// On each broker that squall knows, each scenario that squall brings either runs or is skipped for a reason that names
    /// what the broker lacks.
    #[test]
    fn every_target_takes_every_shipped_scenario() {
        for target in TARGETS {
            let described = TargetDescription::parse(target.name, target.text.as_bytes());
            let described = described.unwrap_or_else(|errors| panic!("{errors}"));
            for shipped in SCENARIOS {
                let name = format!("target.use={:?}", target.name);
                let url = "target.url=\"mqtt://localhost:1883\"";
                let changes = match described.target {
                    Some(_) => vec![name.as_str()],
                    None => vec![name.as_str(), url],
                };

                let found = read(shipped, &changes);

                let found = found.unwrap_or_else(|errors| panic!("{errors}"));
                for reason in &found.traits.skipped_because {
                    let mut lacks = described.lacks.iter();
                    assert!(
                        lacks.any(|lacking| reason.contains(lacking.in_sentence()))
                            || reason.contains("which squall did not start"),
                        "{}: {reason}",
                        target.name
                    );
                }
            }
        }
    }

    #[test]
    fn a_url_is_told_from_a_name() {
        let key = |written| override_of(written).expect("it can be set").key;

        assert_eq!(key("mqtt://127.0.0.1:1884"), "target.url");
        assert_eq!(key("mosquitto"), "target.use");
    }

    /// What is neither a name nor a file is told at once, with what is near.
    #[test]
    fn a_target_that_is_not_there_is_told() {
        let error = override_of("mosquito")
            .expect_err("there is none")
            .to_string();

        assert!(
            error.starts_with("--target mosquito: there is no such target"),
            "{error}"
        );
        assert!(error.contains("did you mean `mosquitto`"), "{error}");
    }

    /// Whatever a URL has in it, it is a TOML string.
    #[test]
    fn a_target_is_written_as_toml() {
        for written in ["mqtt://a\u{1}b\u{7F}", "mqtt://a\"b\\c\u{301}'"] {
            let value = override_of(written).expect("it can be set").value;
            let table: toml::Table = toml::from_str(&format!("x = {value}")).expect(&value);
            assert_eq!(table["x"].as_str(), Some(written));
        }
    }
}
