//! The packets around anomalies: a fold for each, below the table that lists them.

use std::collections::BTreeSet;

use squall_run::{
    Anomaly, CheckOutcome, PACKETS_KEPT, PacketDirection, PacketTrace, Run, TracedPacket,
    TracedState, count_text,
};

use super::Block;
use crate::clock::Clock;
use crate::table::{Cell, Column, Table};

/// What leads from an anomaly to its packets.
pub(super) fn link(run: &Run, anomaly: &Anomaly) -> Cell {
    let traces = &run.measured.traces;
    let Some((number, trace)) = anomaly
        .trace
        .and_then(|number| Some((number, traces.get(number)?)))
    else {
        return Cell::None;
    };
    match trace.packets.len() {
        0 => Cell::text("no longer kept"),
        1 => Cell::Link("1 packet".to_owned(), id(number)),
        more => Cell::Link(format!("{more} packets"), id(number)),
    }
}

/// Name of the table of the trace with this number.
fn id(number: usize) -> String {
    format!("packets-{}", number + 1)
}

/// The packets around what breaks claims.
pub(super) fn of_violations(run: &Run) -> Vec<Block> {
    let checks = run.measured.checks.iter();
    let violations = checks.flat_map(|check| &check.violations);
    blocks(run, violations, &BTreeSet::new())
}

/// Those around the other anomalies.
pub(super) fn of_others(run: &Run) -> Vec<Block> {
    let shown = run.measured.checks.iter().flat_map(numbers).collect();
    blocks(run, run.measured.anomalies.iter(), &shown)
}

fn numbers(check: &CheckOutcome) -> impl Iterator<Item = usize> + '_ {
    check
        .violations
        .iter()
        .filter_map(|violation| violation.trace)
}

fn blocks<'a>(
    run: &Run,
    anomalies: impl Iterator<Item = &'a Anomaly>,
    shown: &BTreeSet<usize>,
) -> Vec<Block> {
    let mut told = shown.clone();
    let mut forgotten: Option<f64> = None;
    let mut blocks = Vec::new();
    for anomaly in anomalies {
        let Some(number) = anomaly.trace.filter(|&number| told.insert(number)) else {
            continue;
        };
        let Some(trace) = run.measured.traces.get(number) else {
            continue;
        };
        if let Some(from_s) = trace.kept_from_s {
            forgotten = Some(forgotten.map_or(from_s, |before| before.max(from_s)));
        }
        if !trace.packets.is_empty() {
            blocks.push(Block::Trace(table(run, number, anomaly, trace)));
        }
    }
    if let Some(from_s) = forgotten {
        blocks.push(Block::Note(format!(
            "Packets are missing from some of these: the last {} of all devices are kept, which began at {:.1} s when they were \
             asked for. Of a message that is lost they are kept when a later one of its stream comes in its place.",
            count_text(PACKETS_KEPT as u64),
            Clock::of(run).at(from_s)
        )));
    }
    blocks
}

fn table(run: &Run, number: usize, anomaly: &Anomaly, trace: &PacketTrace) -> Table {
    let clock = Clock::of(run);
    let mut table = Table::new(
        &id(number),
        &title(anomaly, clock.at(trace.around_s)),
        vec![
            Column::quantity("Time", "s"),
            Column::words("Way"),
            Column::words("Packet"),
            Column::words("It is"),
            Column::words("Device"),
            Column::count("Identifier"),
            Column::words("Flags"),
            Column::words("Message"),
            Column::words("Topic"),
            Column::words("Reason"),
            Column::quantity("Payload", "bytes"),
            Column::count("Connection"),
            Column::quantity("Since the run began", "s"),
        ],
    );
    for packet in &trace.packets {
        table.row(row(packet, trace.around_s));
    }
    table
}

/// `Packets around: lost, message 118 of sensor-00417, sent at 24.9 s`
fn title(anomaly: &Anomaly, around_s: f64) -> String {
    let mut words = vec![format!("Packets around: {}", anomaly.kind.label())];
    match (anomaly.sequence, &anomaly.client_id) {
        (Some(sequence), Some(client_id)) => {
            words.push(format!("message {sequence} of {client_id}"));
        }
        (None, Some(client_id)) => words.push(client_id.clone()),
        (_, None) => {}
    }
    words.push(format!("{around_s:.3} s"));
    words.join(", ")
}

fn row(packet: &TracedPacket, around_s: f64) -> Vec<Cell> {
    let code = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Code);
    let name = packet.packet.as_deref().unwrap_or("unreadable");
    let message = packet.message.as_ref();
    let message = message.map(|of| format!("{} of {}", of.sequence, of.client_id));
    vec![
        Cell::Offset(packet.at_s - around_s),
        Cell::text(match packet.direction {
            PacketDirection::ToBroker => "to broker",
            PacketDirection::FromBroker => "from broker",
        }),
        Cell::text(match packet.state {
            TracedState::Whole => name.to_owned(),
            TracedState::Malformed => format!("{name}, malformed"),
            TracedState::CutShort => format!("{name}, cut short"),
        }),
        match packet.is_of_message {
            true => Cell::Mark("the message"),
            false => Cell::None,
        },
        Cell::Code(packet.client_id.clone()),
        packet
            .packet_id
            .map_or(Cell::None, |id| Cell::Count(id.into())),
        flags(packet),
        code(&message),
        code(&packet.topic),
        packet.reason.as_ref().map_or(Cell::None, Cell::text),
        packet.payload_bytes.map_or(Cell::None, Cell::Bytes),
        Cell::Count(packet.connection),
        Cell::Seconds(packet.at_s),
    ]
}

/// `QoS 1 DUP`
fn flags(packet: &TracedPacket) -> Cell {
    let Some(qos) = packet.qos else {
        return Cell::None;
    };
    let flags = [(packet.dup, " DUP"), (packet.retain, " RETAIN")];
    let set: String = flags
        .into_iter()
        .filter_map(|(is_set, name)| is_set.then_some(name))
        .collect();
    Cell::text(format!("QoS {qos}{set}"))
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// A violation leads to its packets, which tell times from the moment that it is about and mark its message.
    #[test]
    fn a_violation_has_its_packets() {
        let run = sample::failing();
        let violation = &run.measured.checks[0].violations[0];

        let blocks = of_violations(&run);

        let Some(Block::Trace(table)) = blocks.first() else {
            panic!("{blocks:?}");
        };
        assert_eq!(
            link(&run, violation),
            Cell::Link("4 packets".to_owned(), table.id.clone())
        );
        let marked = |row: &&Vec<Cell>| row[3] == Cell::Mark("the message");
        assert_eq!(table.rows.iter().filter(marked).count(), 1);
        assert_eq!(table.rows[0][0], Cell::Offset(0.0));
        assert_eq!(table.rows[1][0].shown(), "+1.30 ms");
    }

    /// What is shown with a violation is not shown with the anomalies again.
    #[test]
    fn packets_are_shown_once() {
        let run = sample::failing();

        let first = of_violations(&run).len();

        assert_eq!(first, 1);
        assert_eq!(of_others(&run), []);
    }

    /// Packets that were forgotten are told as such, in the row and below the table.
    #[test]
    fn forgotten_packets_are_told() {
        let mut run = sample::failing();
        run.measured.traces[0].packets.clear();
        run.measured.traces[0].kept_from_s = Some(100.0);

        let blocks = of_violations(&run);

        let cell = link(&run, &run.measured.checks[0].violations[0]);
        assert_eq!(cell, Cell::text("no longer kept"));
        let [Block::Note(note)] = blocks.as_slice() else {
            panic!("{blocks:?}");
        };
        assert!(note.contains("65,536 of all devices"), "{note}");
        assert!(note.contains("began at 80.0 s"), "{note}");
    }
}
