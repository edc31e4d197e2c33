//! The run card: everything needed to repeat a run.

use std::path::Path;

use squall_run::{ClockKind, PhaseKind, Run, TargetKind, bytes_text, count_text, duration_text};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if let Some(stop) = run.times.stopped {
        blocks.push(Block::Warning(format!(
            "The run was {stop}: the figures cover the part that ran."
        )));
    }
    blocks.push(Block::Facts(facts(run)));
    if !run.settings.groups.is_empty() {
        blocks.push(Block::Table(groups(run)));
    }
    section_of("run", "Run card", blocks, "")
}

fn facts(run: &Run) -> Vec<(&'static str, Vec<Cell>)> {
    let identity = &run.identity;
    let scenario = &identity.scenario;
    let mut facts = vec![
        (
            "Scenario",
            vec![
                Cell::text(&identity.name),
                Cell::Code(scenario.path.clone()),
            ],
        ),
        (
            "Scenario hash",
            match scenario.has_secrets {
                true => vec![
                    Cell::Code(scenario.hash.clone()),
                    Cell::text("of the file with *** in place of secrets"),
                ],
                false => vec![Cell::Code(scenario.hash.clone())],
            },
        ),
        ("Seed", vec![Cell::Code(identity.seed.to_string())]),
        ("Started", vec![Cell::text(started(run))]),
        ("Lasted", vec![Cell::text(lasted(run))]),
        ("Clock", vec![Cell::text(clock(run.times.clock))]),
        (
            "Devices",
            vec![Cell::text(count_text(run.settings.devices()))],
        ),
        ("Target", target(run)),
    ];
    if let Some(command) = &run.target.command {
        facts.push(("Target's command", vec![Cell::Code(command.clone())]));
    }
    if !run.target.changes.is_empty() {
        let changes = run.target.changes.iter();
        facts.push(("Changed for the target", changes.map(Cell::text).collect()));
    }
    if !run.target.settings.is_empty() {
        let settings = run
            .target
            .settings
            .iter()
            .map(|(key, value)| Cell::Code(format!("{key} = {value}")));
        facts.push(("Target's settings", settings.collect()));
    }
    facts.push(("Machine", vec![Cell::text(machine(run))]));
    facts.push(("squall", vec![Cell::text(software(run))]));
    facts.push((
        "Command line",
        vec![Cell::Code(command_line(&identity.command_line))],
    ));
    if !run.settings.overrides.is_empty() {
        let overrides = run.settings.overrides.iter();
        let cells = overrides.map(|set| Cell::Code(format!("{} = {}", set.key, set.value)));
        facts.push(("Overrides", cells.collect()));
    }
    facts
}

/// The command as it was typed, but for the folder of the program: a report goes further than its
/// machine, and a reader has squall somewhere else.
fn command_line(words: &[String]) -> String {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut()
        && let Some(name) = Path::new(program.as_str()).file_name()
    {
        *program = name.to_string_lossy().into_owned();
    }
    let words = words.iter().map(String::as_str);
    // A run file may hold anything; no argument of a process has a null character.
    shlex::try_join(words.clone()).unwrap_or_else(|_| words.collect::<Vec<_>>().join(" "))
}

fn started(run: &Run) -> String {
    run.times.started_at.replace('T', " ").replace('Z', " UTC")
}

fn lasted(run: &Run) -> String {
    let phases = [
        PhaseKind::Connect,
        PhaseKind::Warmup,
        PhaseKind::Measure,
        PhaseKind::Drain,
    ];
    let parts: Vec<String> = phases
        .iter()
        .map(|kind| (kind, run.times.phase_length_s(*kind)))
        .filter(|(_, length_s)| *length_s > 0.0)
        .map(|(kind, length_s)| format!("{} {}", phase(*kind), duration_text(length_s)))
        .collect();
    let total = duration_text(run.times.duration_s);
    if parts.is_empty() {
        total
    } else {
        format!("{total}: {}", parts.join(", "))
    }
}

fn phase(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Connect => "connect",
        PhaseKind::Warmup => "warm-up",
        PhaseKind::Measure => "measure",
        PhaseKind::Drain => "drain",
    }
}

fn clock(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Real => {
            "real time, one monotonic clock for publishers and subscribers: latencies need no clock synchronisation"
        }
        ClockKind::Virtual => {
            "virtual time: every latency is exact and the run repeats bit for bit"
        }
    }
}

fn target(run: &Run) -> Vec<Cell> {
    let target = &run.target;
    let kind = match target.kind {
        TargetKind::Embedded => "squall's own broker, as a child process",
        TargetKind::Url => "a broker that was running already",
        TargetKind::Spawn => "a broker that squall started",
        TargetKind::World => "squall's broker core, in memory",
    };
    // What a broker that is not ours calls itself is not always known.
    let mut words = match &target.software {
        Some(software) => format!("{software}, {kind}"),
        None => kind.to_owned(),
    };
    if let Some(pid) = target.pid {
        words.push_str(&format!(" (process {pid})"));
    }
    vec![Cell::text(words), Cell::Code(target.url.clone())]
}

/// What the figures depend on. The host's name is not among it: a report goes further than its machine.
fn machine(run: &Run) -> String {
    let machine = &run.machine;
    format!(
        "{}, {} cores, {} of memory, {}; at most {} descriptors and {} local ports",
        machine.cpu,
        machine.cores,
        bytes_text(machine.memory_bytes),
        machine.kernel,
        count_text(machine.limits.descriptors),
        count_text(u64::from(machine.limits.ports)),
    )
}

fn software(run: &Run) -> String {
    let squall = &run.identity.squall;
    let commit = squall
        .commit
        .as_ref()
        .map(|commit| format!(", commit {commit}"));
    format!(
        "{}{}, {} build",
        squall.version,
        commit.unwrap_or_default(),
        squall.profile
    )
}

fn groups(run: &Run) -> Table {
    let mut table = Table::new(
        "groups",
        "Groups of devices",
        vec![
            Column::words("Group"),
            Column::count("Devices"),
            Column::words("Protocol"),
            Column::words("Transport"),
            Column::words("Network"),
            Column::quantity("Keep alive", "s"),
            Column::sentences("Publishes"),
            Column::sentences("Subscribes to"),
            Column::sentences("Special"),
        ],
    );
    for group in &run.settings.groups {
        let lines = |lines: &[String]| {
            if lines.is_empty() {
                Cell::None
            } else {
                Cell::text(lines.join("; "))
            }
        };
        table.row(vec![
            Cell::text(&group.name),
            Cell::Count(u64::from(group.count)),
            Cell::text(format!("MQTT {}", group.protocol)),
            Cell::text(&group.transport),
            group.network.as_ref().map_or(Cell::None, Cell::text),
            Cell::Seconds(f64::from(group.keep_alive_s)),
            lines(&group.publishes),
            lines(&group.subscribes),
            lines(&group.specials),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command can be pasted into a shell, and does not say where the program lies.
    #[test]
    fn the_command_line_can_be_pasted() {
        let words = [
            "/opt/x/squall",
            "run",
            "a.toml",
            "--set",
            "t=[\"p99 < 1s\"]",
            "it's",
        ];

        let text = command_line(&words.map(str::to_owned));

        assert_eq!(text, r#"squall run a.toml --set 't=["p99 < 1s"]' "it's""#);
    }
}
