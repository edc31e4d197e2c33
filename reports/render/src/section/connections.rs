//! Connections: how they began and ended, and how long that took.

use squall_run::{Connections, GroupConnections, MetricName, Run, Sessions, Tags, count_text};

use super::{Absent, Block, Section, section_of, silences};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let counted = &run.measured.connections;
    let mut blocks = Vec::new();
    if !counted.groups.is_empty() {
        blocks.push(Block::Table(groups(counted)));
        blocks.push(Block::Table(reasons(counted)));
    }
    blocks.extend(sessions(run));
    let silences = run.measured.silences.as_ref();
    blocks.extend(silences.map(|silences| Block::Table(silences::table(silences))));
    let latencies = latencies(run);
    if !latencies.rows.is_empty() {
        blocks.push(Block::Table(latencies));
    }
    section_of(
        "connections",
        "Connections",
        blocks,
        "no device tried to connect",
    )
}

/// Which Sessions were ended around the run, if any were.
fn sessions(run: &Run) -> Option<Block> {
    let was_stopped = run.times.stopped.is_some();
    let Sessions { before, after } = run.measured.sessions;
    if before.asked + after.asked == 0 {
        return None;
    }
    let mut text = format!(
        "So that the run begins with Sessions of its own, squall ended those of {} Client Identifiers before the first device \
         connected; after the last device left it ended those of {}. The connections for this are not counted above.",
        count_text(before.cleared),
        count_text(after.cleared)
    );
    let failed = before.failed + after.failed;
    if failed > 0 {
        text.push_str(&format!(
            " {} could not be ended and may still be in the broker.",
            count_text(failed)
        ));
    }
    if was_stopped && after.asked == 0 {
        text.push_str(
            " The run was stopped before it ended its own: Sessions may be left in the broker.",
        );
    }
    Some(Block::Note(text))
}

fn groups(counted: &Connections) -> Table {
    let mut table = Table::new(
        "connections",
        "Connections by group",
        vec![
            Column::words("Group"),
            Column::count("Attempts"),
            Column::count("Connected"),
            Column::count("Reconnects"),
            Column::count("Session present"),
            Column::count("Not opened"),
            Column::count("Refused"),
            Column::count("Kept out by a fault"),
            Column::count("Ended unexpectedly"),
        ],
    );
    let mut row = |name: &str, group: &GroupConnections| {
        table.row(vec![
            Cell::text(name),
            Cell::Count(group.attempts),
            Cell::Count(group.connected),
            Cell::Count(group.reconnects),
            Cell::Count(group.session_present),
            Cell::Bad(group.open_failed.values().sum()),
            Cell::Bad(group.refused.values().sum()),
            Cell::Count(group.kept_out_by_fault),
            Cell::Bad(group.unexpected_total()),
        ]);
    };
    for group in &counted.groups {
        row(&group.group, group);
    }
    if counted.groups.len() > 1 {
        row("all", &counted.total());
    }
    table
}

fn reasons(counted: &Connections) -> Table {
    let columns = vec![
        Column::words("What"),
        Column::words("Why"),
        Column::count("Count"),
    ];
    let mut table = Table::new(
        "connection-reasons",
        "How connections failed and ended",
        columns,
    );
    let total = counted.total();
    let explained = total.explained();
    // A connection that was refused ended too, and is in both.
    let ended = match total.refused.is_empty() {
        true => "ended",
        false => "ended, the refused among them",
    };
    let kinds = [
        ("not opened", &total.open_failed),
        ("refused", &total.refused),
        (ended, &total.ended),
        (
            "of those accepted, because of simulated links or takeovers",
            &explained,
        ),
        ("of those accepted, unexpectedly", &total.unexpected),
    ];
    for (what, reasons) in kinds {
        for (why, count) in reasons {
            table.row(vec![
                Cell::text(what),
                Cell::text(why.replace('_', " ")),
                Cell::Count(*count),
            ]);
        }
    }
    table
}

fn latencies(run: &Run) -> Table {
    let mut table = Table::of_distributions(
        "connection-latency",
        "How long it took",
        &["Metric", "Group"],
    );
    let metrics = &run.measured.metrics;
    for metric in [
        MetricName::ConnectLatency,
        MetricName::SubscribeLatency,
        MetricName::ReconnectDelay,
    ] {
        for group in metrics.tag_values(metric, "group") {
            let tags = Tags::from([("group".to_owned(), group.clone())]);
            let labels = vec![Cell::Code(metric.to_string()), Cell::Text(group)];
            table.distribution(labels, &metrics.select(metric, &tags));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Every attempt has a column: attempts that met no broker, because a fault had it away, among them.
    #[test]
    fn the_attempts_of_a_group_add_up_after_a_fault_of_the_broker() {
        let mut connections = sample::passing().measured.connections;
        let group = &mut connections.groups[0];
        group.attempts += 150;
        group.kept_out_by_fault = 150;

        let table = groups(&connections);

        let column = |heading: &str| {
            let mut columns = table.columns.iter();
            let place = columns.position(|column| column.heading == heading);
            match place.map(|place| &table.rows[0][place]) {
                Some(Cell::Count(count) | Cell::Bad(count)) => *count,
                other => panic!("{heading}: {other:?}"),
            }
        };
        let parts = ["Connected", "Not opened", "Refused", "Kept out by a fault"];
        let sum: u64 = parts.into_iter().map(column).sum();
        assert_eq!(sum, column("Attempts"));
    }
}
