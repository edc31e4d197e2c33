//! Puts a run file together: what was measured, and all that is needed to repeat it.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use squall_fleet::Phase;
use squall_protocol::{Instant, Version};
use squall_run::{
    ClockKind, Extent, GroupSettings, Identity, Machine, Measured, Override, PhaseKind, Reason,
    Resources, Run, ScenarioText, Settings, Software, Stop, Times, VERSION, Verdict, rate_text,
};
use squall_scenario::{Group, Publish, RunSettings, Scenario};

use super::real::Ended;
use crate::clock;
use crate::machine::limits::Limits;
use crate::machine::parts;
use crate::scenario_file::ScenarioFile;
use crate::target::Ending;

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
    /// How the target ended, if it was ours to stop or did not answer at the end.
    pub ending: Option<Ending>,
}

/// When and how a run came to its end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Since the start of the run.
    pub at: Instant,
    /// By itself, by a signal, or because no device could connect.
    pub ended: Ended,
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
}

/// The phases of a run of `planned` that came to its end so, without their wall clock.
pub fn times(phases: &[(Phase, Instant)], end: End, planned: &RunSettings) -> Times {
    let ends = phases
        .iter()
        .skip(1)
        .map(|(_, begin)| *begin)
        .chain([end.at]);
    let mut merged: Vec<squall_run::Phase> = Vec::new();
    for ((phase, begin), end) in phases.iter().zip(ends) {
        let Some(kind) = phase.kind() else {
            continue;
        };
        match merged.last_mut() {
            Some(last) if last.kind == kind => last.end_s = end.as_secs_f64(),
            _ => merged.push(squall_run::Phase {
                kind,
                start_s: begin.as_secs_f64(),
                end_s: end.as_secs_f64(),
            }),
        }
    }
    Times {
        started_at: String::new(),
        duration_s: merged.last().map_or(0.0, |last| last.end_s),
        clock: ClockKind::Real,
        stopped: stop(&merged, end.ended, planned),
        phases: merged,
    }
}

/// Where a run was stopped: in the load, after which it was drained, or at once, wherever it was.
fn stop(phases: &[squall_run::Phase], ended: Ended, planned: &RunSettings) -> Option<Stop> {
    let in_load = |phase: &&squall_run::Phase| phase.kind < PhaseKind::Drain;
    let (signal, cut) = match ended {
        Ended::Whole | Ended::ShutOut => return None,
        Ended::Stopped(signal) => (signal, phases.iter().rfind(in_load)?),
        Ended::Cut {
            by,
            load_was_stopped: true,
        } => (by, phases.iter().rfind(in_load)?),
        Ended::Cut {
            by,
            load_was_stopped: false,
        } => (by, phases.last()?),
    };
    let planned_s = match cut.kind {
        PhaseKind::Connect => None,
        PhaseKind::Warmup => Some(planned.warmup.as_secs_f64()),
        PhaseKind::Measure => Some(planned.duration.as_secs_f64()),
        PhaseKind::Drain => Some(planned.drain.as_secs_f64()),
    };
    Some(Stop {
        signal,
        at_s: cut.end_s,
        phase: cut.kind,
        after_s: cut.end_s - cut.start_s,
        planned_s,
    })
}

/// The run file.
pub fn record(file: &ScenarioFile, circumstances: Circumstances, driven: Driven) -> Run {
    let Driven {
        measured,
        mut times,
        resources,
        reasons,
    } = driven;
    times.started_at = clock::iso_8601(circumstances.started_at);
    times.clock = circumstances.clock;
    let further = reasons
        .into_iter()
        .chain(circumstances.ending.as_ref().and_then(ending_reason));
    let extent = Extent::of(&times);
    let verdict = Verdict::judge(&measured.checks, &measured.thresholds, extent, further);
    Run {
        version: VERSION,
        identity: identity(file),
        machine: machine(circumstances.limits),
        target: circumstances.target,
        times,
        settings: settings(file),
        measured,
        resources,
        verdict,
    }
}

/// A broker that ended by itself broke every promise it had made.
fn ending_reason(ending: &Ending) -> Option<Reason> {
    match ending {
        Ending::EndedEarly(status) => Some(Reason::Invariant(format!(
            "the broker ended during the run with {status}"
        ))),
        Ending::Killed => Some(Reason::Invariant(
            "the broker did not stop within 5 s of SIGTERM and was killed".to_owned(),
        )),
        Ending::Silent(error) => Some(Reason::Invariant(format!(
            "the broker was dead at the end of the run: {error}"
        ))),
        Ending::Unasked(error) => Some(Reason::Invalid(format!(
            "whether the target still answers is not known: {error}"
        ))),
        Ending::Stopped(_) => None,
    }
}

fn identity(file: &ScenarioFile) -> Identity {
    let scenario = &file.scenario;
    Identity {
        name: scenario.name.clone(),
        question: file.question(),
        seed: scenario.seed,
        scenario: ScenarioText {
            path: file.path.display().to_string(),
            hash: hash(&file.text),
            original: file.text.clone(),
            resolved: scenario.to_resolved_toml(),
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
        command_line: std::env::args().collect(),
        replay: replay(file),
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

/// The command that repeats the run, with the seed and every override.
fn replay(file: &ScenarioFile) -> String {
    let mut command = format!("squall run {}", shell_word(&file.path.to_string_lossy()));
    for change in file.overrides.iter().filter(|change| change.key != "seed") {
        let assignment = format!("{}={}", change.key, change.value);
        write!(command, " --set {}", shell_word(&assignment)).expect("a string takes any text");
    }
    write!(command, " --seed {}", file.scenario.seed).expect("a string takes any text");
    command
}

/// `text` as one word for a POSIX shell.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
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
            .map(|change| Override {
                key: change.key.clone(),
                value: change.value.clone(),
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
    GroupSettings {
        name: group.name.clone(),
        count: group.count,
        protocol: match group.version {
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5.0",
        }
        .to_owned(),
        transport: "tcp".to_owned(),
        network: group.network.map(|id| scenario.network(id).name.clone()),
        keep_alive_s: group.keep_alive,
        publishes: group
            .publishes
            .iter()
            .map(|publish| publish_text(publish, group))
            .collect(),
        subscribes: subscribes
            .map(|subscribe| format!("{}, QoS {}", subscribe.filter.source(), subscribe.qos as u8))
            .collect(),
    }
}

fn publish_text(publish: &Publish, group: &Group) -> String {
    let rate = publish.rate_per_device * f64::from(group.count);
    let retained = if publish.retain { ", retained" } else { "" };
    let (topic, qos) = (publish.topic.source(), publish.qos as u8);
    format!("{topic}, QoS {qos}{retained}, {}", rate_text(rate))
}

#[cfg(test)]
mod tests {
    use squall_run::StopSignal;

    use super::*;

    fn planned() -> RunSettings {
        let scenario = "version = 1\nname = \"a\"\n[run]\nwarmup = \"2s\"\nduration = \"60s\"\n\
            [[group]]\nname = \"g\"\ncount = 1\n";
        Scenario::parse("a.toml", scenario, &[]).unwrap().run
    }

    fn second(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn stopped(phases: &[(Phase, Instant)], ended: Ended) -> Option<Stop> {
        let at = second(25);
        times(phases, End { at, ended }, &planned()).stopped
    }

    /// A run that was stopped says in which phase, and how much of it had passed.
    #[test]
    fn a_stopped_run_says_where() {
        let phases = [
            (Phase::Connecting, second(0)),
            (Phase::WarmingUp, second(1)),
            (Phase::Measuring, second(3)),
            (Phase::Draining, second(19)),
            (Phase::Leaving, second(24)),
        ];

        let in_load = stopped(&phases, Ended::Stopped(StopSignal::Sigterm)).unwrap();
        let early = stopped(&phases[..1], Ended::Stopped(StopSignal::Sigint)).unwrap();

        assert_eq!(in_load.at_s, 19.0);
        assert_eq!(
            in_load.to_string(),
            "stopped by SIGTERM after 16.0 s of 60.0 s of measuring"
        );
        assert_eq!(
            early.to_string(),
            "stopped by SIGINT after 25.0 s of connecting"
        );
        assert_eq!(stopped(&phases, Ended::Whole), None);
    }

    /// A second signal in the drain of a load that was stopped does not hide where that was; one that
    /// cuts the drain of a whole load short says so.
    #[test]
    fn a_cut_run_says_what_was_cut_first() {
        let phases = [
            (Phase::Connecting, second(0)),
            (Phase::Measuring, second(3)),
            (Phase::Draining, second(19)),
        ];
        let cut = |load_was_stopped| Ended::Cut {
            by: StopSignal::Sigint,
            load_was_stopped,
        };

        let after_a_stop = stopped(&phases, cut(true)).unwrap();
        let in_the_drain = stopped(&phases, cut(false)).unwrap();

        assert_eq!(
            (after_a_stop.phase, after_a_stop.at_s),
            (PhaseKind::Measure, 19.0)
        );
        assert_eq!(
            (in_the_drain.phase, in_the_drain.after_s),
            (PhaseKind::Drain, 6.0)
        );
    }

    /// A word that a shell would split or expand is quoted, quotes included.
    #[test]
    fn shell_words_survive_a_shell() {
        assert_eq!(
            shell_word("target.url=mqtt://[::1]:1883"),
            "'target.url=mqtt://[::1]:1883'"
        );
        assert_eq!(shell_word("scenarios/a.toml"), "scenarios/a.toml");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    /// A known digest: that of the empty text (FIPS 180-4).
    #[test]
    fn the_hash_names_its_algorithm() {
        assert_eq!(
            hash(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
