//! QoS 2 handshakes: complete or not, leg by leg.

use squall_run::{MetricName, Qos2, Qos2Side, Run};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::qos2_legs;
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if let Some(qos2) = &run.measured.qos2 {
        blocks.push(Block::Table(handshakes(qos2)));
        blocks.extend(chart_block(qos2_legs::chart(run), || durations(run)));
        if !qos2.legs.is_empty() {
            blocks.push(Block::Folded(legs(qos2)));
        }
    }
    section_of(
        "qos2",
        "QoS 2 handshakes",
        blocks,
        "no message went at QoS 2",
    )
}

fn handshakes(qos2: &Qos2) -> Table {
    let mut table = Table::counts("qos2", "Handshakes");
    let mut row = |what: &str, detail: &str, count: Cell| table.count(what, detail, count);
    row("Begun by devices", "", Cell::Count(qos2.sender_started));
    row(
        "Completed by devices",
        "PUBCOMP, or refused in PUBREC",
        Cell::Count(qos2.sender_completed),
    );
    row(
        "Begun by the broker",
        "",
        Cell::Count(qos2.receiver_started),
    );
    row(
        "Completed by the broker",
        "",
        Cell::Count(qos2.receiver_completed),
    );
    for (state, count) in &qos2.incomplete {
        row("Open at the end", state, Cell::Bad(*count));
    }
    row(
        "Repeated PUBLISH sent",
        "with DUP",
        Cell::Count(qos2.dup_sent),
    );
    row(
        "Repeated PUBLISH answered",
        "with PUBREC; for the others the connection was lost first, or the broker did not answer",
        Cell::Count(qos2.dup_answered),
    );
    for (packet, count) in &qos2.repeated {
        row(
            "Sent again on the same connection",
            packet,
            Cell::Count(*count),
        );
    }
    row(
        "PUBLISH after its PUBREL",
        "",
        Cell::Bad(qos2.publish_after_pubrel),
    );
    table
}

/// After which step a connection was cut, in words.
pub(super) fn cut_step(step: &str) -> String {
    match step {
        "withheld" => "some time after an answer was withheld".to_owned(),
        packet => format!("after {}", packet.to_uppercase()),
    }
}

fn durations(run: &Run) -> Table {
    let mut table = Table::of_distributions("qos2-legs", "Legs of the QoS 2 handshake", &["Leg"]);
    let legs = [
        (MetricName::Qos2Pubrec, "PUBLISH to PUBREC"),
        (MetricName::Qos2Pubrel, "PUBREC to PUBREL"),
        (MetricName::Qos2Pubcomp, "PUBREL to PUBCOMP"),
        (MetricName::Qos2Handshake, "handshake"),
    ];
    for (metric, name) in legs {
        table.distribution(vec![Cell::text(name)], &run.measured.metrics.all(metric));
    }
    table
}

fn legs(qos2: &Qos2) -> Table {
    let columns = vec![
        Column::words("Device is"),
        Column::words("Leg"),
        Column::count("Packets"),
    ];
    let mut table = Table::new("qos2-packets", "Packets of every leg", columns);
    for leg in &qos2.legs {
        let side = match leg.side {
            Qos2Side::Sender => "sender",
            Qos2Side::Receiver => "receiver",
        };
        table.row(vec![
            Cell::text(side),
            Cell::text(&leg.leg),
            Cell::Count(leg.count),
        ]);
    }
    table
}
