//! Puts a run file together: what was measured, and all that is needed to repeat it.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use squall_protocol::packet::RetainHandling;
use squall_protocol::{Instant, Version};
use squall_run::{
    ClockKind, Extent, GroupSettings, Identity, Machine, Measured, Override, Reason, Resources,
    Run, ScenarioText, Settings, Software, Times, VERSION, Verdict, Workers,
};
use squall_scenario::{Birth, Content, Group, Publish, RunSettings, Scenario, Subscribe};
use squall_toml::secret::without_secrets;

use super::broker_end::{self, Moments};
use super::pace::pace_text;
use super::parting::Parted;
use super::times::Ended;
use crate::clock;
use crate::machine::limits::Limits;
use crate::machine::parts;
use crate::output::shell_word;
use crate::scenario_file::ScenarioFile;

/// What is known about a run besides what the fleet measured.
pub struct Circumstances {
    /// Wall clock at the start of the run, since 1970.
    pub started_at: Duration,
    /// Which clock the run went by.
    pub clock: ClockKind,
    /// The broker under test.
    pub target: squall_run::Target,
    /// What the machine allowed.
    pub limits: Limits,
    /// What became of the target at the end.
    pub parted: Parted,
}

/// What a drive left behind.
pub struct Driven {
    /// The fleet's part of the run file.
    pub measured: Measured,
    /// Times, but for the wall clock.
    pub times: Times,
    /// Samples of the processes.
    pub resources: Resources,
    /// What speaks against the run beside its checks and thresholds.
    pub reasons: Vec<Reason>,
    /// When a byte of the target came last, by the run's clock.
    pub last_heard: Option<Instant>,
    /// How it came to its end.
    pub ended: Ended,
}

/// The run file.
pub fn record(file: &ScenarioFile, circumstances: Circumstances, driven: Driven) -> Run {
    let Driven {
        mut measured,
        mut times,
        resources,
        reasons,
        last_heard,
        ended: _,
    } = driven;
    times.started_at = clock::iso_8601(circumstances.started_at);
    times.clock = circumstances.clock;
    let moments = Moments {
        times: &times,
        started_at: circumstances.started_at,
    };
    let Parted { ending, silent } = circumstances.parted;
    let ending = ending.as_ref();
    let of_broker = ending.and_then(|ending| broker_end::reason(ending, last_heard, moments));
    let error = ending.and_then(broker_end::error);
    // What became of the broker comes before what followed from that.
    let silent = silent
        .into_iter()
        .map(|why| broker_end::of_one_address(why, &times));
    measured
        .errors
        .splice(0..0, error.into_iter().chain(silent));
    let further = of_broker.into_iter().chain(reasons);
    let extent = Extent::of(&times);
    let verdict = Verdict::judge(&measured.checks, &measured.thresholds, extent, further);
    Run {
        version: VERSION,
        identity: identity(file, resources.workers.as_ref()),
        machine: machine(circumstances.limits),
        target: circumstances.target,
        times,
        settings: settings(file),
        measured,
        resources,
        verdict,
    }
}

fn identity(file: &ScenarioFile, workers: Option<&Workers>) -> Identity {
    let scenario = &file.scenario;
    // The hash is of what is kept: that of a password could be guessed from it.
    let original = without_secrets(&file.text);
    let resolved = scenario.to_resolved_toml();
    // What it extends may change without it.
    let hashed = match scenario.extends.is_empty() {
        true => hash(&original),
        false => hash(&format!("{original}{resolved}")),
    };
    Identity {
        name: scenario.name.clone(),
        question: file.question(),
        seed: scenario.seed,
        scenario: ScenarioText {
            path: file.path.display().to_string(),
            hash: hashed,
            has_secrets: *original != *file.text,
            original,
            resolved,
        },
        squall: Software {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("SQUALL_COMMIT").map(str::to_owned),
            profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            }
            .to_owned(),
        },
        command_line: std::env::args()
            .map(|argument| without_secrets(&argument))
            .collect(),
        replay: replay(file, workers),
    }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest
        .iter()
        .fold(String::from("sha256:"), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes any text");
            hex
        })
}

/// The command that repeats the run, with the seed and the override of each key that counts: the last one. It says where a
/// secret has to be filled in.
fn replay(file: &ScenarioFile, workers: Option<&Workers>) -> String {
    let mut command = format!("squall run {}", shell_word(&file.path.to_string_lossy()));
    let mut hides = "";
    for (place, change) in file.overrides.iter().enumerate() {
        let mut later = file.overrides[place + 1..].iter();
        if change.key == "seed" || later.any(|other| other.key == change.key) {
            continue;
        }
        let written = change.to_string();
        let assignment = without_secrets(&written);
        if assignment != written {
            hides = " # with the secret in place of ***";
        }
        write!(command, " --set {}", shell_word(&assignment)).expect("a string takes any text");
    }
    if let Some(Workers { count, .. }) = workers {
        write!(command, " --workers {count}").expect("a string takes any text");
    }
    write!(command, " --seed {}{hides}", file.scenario.seed).expect("a string takes any text");
    command
}

fn machine(limits: Limits) -> Machine {
    let parts = parts::read();
    Machine {
        cpu: parts.cpu_model,
        cores: parts.cores,
        memory_bytes: parts.memory_bytes,
        kernel: parts.kernel,
        hostname: parts.hostname,
        limits: squall_run::Limits {
            descriptors: limits.descriptors.unwrap_or(u64::MAX),
            ports: u32::try_from(limits.local_ports).unwrap_or(u32::MAX),
        },
    }
}

fn settings(file: &ScenarioFile) -> Settings {
    let overrides = file.overrides.iter();
    Settings {
        overrides: overrides
            .map(|change| {
                let assignment = without_secrets(&change.to_string());
                Override {
                    value: assignment[change.key.len() + 1..].to_owned(),
                    key: change.key.clone(),
                }
            })
            .collect(),
        groups: file
            .scenario
            .groups
            .iter()
            .map(|group| group_settings(group, &file.scenario))
            .collect(),
    }
}

fn group_settings(group: &Group, scenario: &Scenario) -> GroupSettings {
    let subscribes = group.subscribes.iter();
    let births = group.birth.iter().map(birth_text);
    let streams = group.publishes.iter();
    GroupSettings {
        name: group.name.clone(),
        count: group.count,
        protocol: match group.version {
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5.0",
        }
        .to_owned(),
        transport: group.carriers.of(0, 0).transport.name().to_owned(),
        network: group.network.map(|id| scenario.network(id).name.clone()),
        keep_alive_s: group.keep_alive,
        publishes: births
            .chain(streams.map(|publish| publish_text(publish, group, &scenario.run)))
            .collect(),
        subscribes: subscribes.map(subscribe_text).collect(),
        specials: group.specials(),
    }
}

fn subscribe_text(subscribe: &Subscribe) -> String {
    let options = subscribe.options;
    let mut text = format!("{}, QoS {}", subscribe.filter.source(), options.qos as u8);
    if options.no_local {
        text.push_str(", No Local");
    }
    if options.retain_as_published {
        text.push_str(", Retain As Published");
    }
    if options.retain_handling != RetainHandling::SendAtSubscribe {
        let handling = options.retain_handling as u8;
        let _ = write!(text, ", Retain Handling {handling}");
    }
    if let Some(identifier) = subscribe.identifier {
        let _ = write!(text, ", identifier {}", identifier.get());
    }
    text
}

fn birth_text(birth: &Birth) -> String {
    let retained = if birth.retain { ", retained" } else { "" };
    let (topic, qos) = (birth.topic.source(), birth.qos as u8);
    format!("{topic}, QoS {qos}{retained}, once on each connection")
}

fn publish_text(publish: &Publish, group: &Group, run: &RunSettings) -> String {
    let pace = pace_text(&publish.pacing, group.count, run);
    let retained = if publish.retain { ", retained" } else { "" };
    let (topic, qos) = (publish.topic.source(), publish.qos as u8);
    let payload = match &publish.payload {
        Content::Composed(_) => String::new(),
        Content::Lines(command) => format!(", payloads are lines of `{}`", command.text()),
    };
    format!("{topic}, QoS {qos}{retained}, {pace}{payload}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A known digest: that of the empty text (FIPS 180-4).
    #[test]
    fn the_hash_names_its_algorithm() {
        assert_eq!(
            hash(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
