//! Delivery accounting: what became of every message, by QoS.

use squall_run::{Accounting, Deliveries, Publications, Run, count_text};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let accounting = &run.measured.accounting;
    let mut blocks = Vec::new();
    if !accounting.publications.is_empty() || !accounting.deliveries.is_empty() {
        blocks.push(balance(accounting));
        blocks.push(Block::Table(publications(accounting)));
        blocks.push(Block::Table(deliveries(accounting)));
        let excuses = excuses(accounting);
        if !excuses.rows.is_empty() {
            blocks.push(Block::Table(excuses));
        }
        let unstamped = unstamped(accounting);
        if !unstamped.rows.is_empty() {
            blocks.push(Block::Table(unstamped));
        }
        blocks.push(Block::Note(
            "Only a message that the broker acknowledged can be lost; one in doubt may arrive or not. Forgotten are those in doubt that their device does not \
             send again, since its Session ended with its connection. What is owed is owed to a \
             Session, whichever device holds it. A further copy at QoS 1 is allowed after a reconnect of the publisher or the Session, in MQTT 3.1.1 at any time; \
             another is forbidden, as is any at QoS 0 and 2. Wills are not among the deliveries. \
             Late are deliveries that came after their connection was resumed: they had waited in the broker or were sent again. \
             Excused are deliveries that the specification lets go; they are not owed. \
             The counts are those of the whole run, warm-up included."
                .to_owned(),
        ));
    }
    section_of(
        "accounting",
        "Delivery accounting",
        blocks,
        "no device published a message",
    )
}

fn balance(accounting: &Accounting) -> Block {
    match accounting.balance() {
        0 => Block::Note("The books balance: every message is accounted for.".to_owned()),
        rest => Block::Warning(format!(
            "The books do not balance: {} messages are not explained. This is a fault of squall, not of the broker; the counts \
             below cannot be trusted.",
            count_text(u64::try_from(rest).unwrap_or(u64::MAX))
        )),
    }
}

fn publications(accounting: &Accounting) -> Table {
    let mut table = Table::new(
        "publications",
        "Published",
        vec![
            Column::words("Published QoS"),
            Column::words("Group"),
            Column::count("Scheduled"),
            Column::count("Sent"),
            Column::count("To no subscriber"),
            Column::count("Ok"),
            Column::count("In doubt"),
            Column::count("Of those, came"),
            Column::count("Forgotten"),
            Column::count("Unknown"),
            Column::count("Refused"),
            Column::count("Never sent"),
        ],
    );
    let mut row = |group: &str, entry: &Publications| {
        table.row(vec![
            Cell::text(entry.qos.to_string()),
            Cell::text(group),
            Cell::Count(entry.scheduled),
            Cell::Count(entry.sent),
            Cell::Count(entry.to_no_subscriber),
            Cell::Count(entry.ok),
            Cell::Count(entry.in_doubt),
            Cell::Count(entry.in_doubt_came),
            Cell::Count(entry.forgotten),
            Cell::Bad(entry.unknown),
            Cell::Count(entry.refused),
            Cell::Count(entry.failed),
        ]);
    };
    for qos in accounting.qos_levels() {
        let entries: Vec<_> = accounting
            .publications
            .iter()
            .filter(|entry| entry.qos == qos)
            .collect();
        for entry in &entries {
            row(&entry.group, entry);
        }
        if entries.len() > 1 {
            row("all", &accounting.publications_at(qos));
        }
    }
    table
}

fn deliveries(accounting: &Accounting) -> Table {
    let mut table = Table::new(
        "deliveries",
        "Delivered",
        vec![
            Column::words("Delivered QoS"),
            Column::words("Group"),
            Column::count("Expected"),
            Column::count("Excused"),
            Column::count("Unknown"),
            Column::count("Owed"),
            Column::count("Delivered"),
            Column::count("Lost"),
            Column::count("Duplicated"),
            Column::count("Forbidden"),
            Column::count("Reordered"),
            Column::count("Corrupted"),
            Column::count("Mislabelled"),
            Column::count("Misrouted"),
            Column::count("Foreign"),
            Column::count("Late"),
            Column::count("Not owed, came"),
            Column::count("Received"),
        ],
    );
    for qos in accounting.qos_levels() {
        let entries: Vec<_> = accounting
            .deliveries
            .iter()
            .filter(|entry| entry.qos == qos)
            .collect();
        for entry in &entries {
            table.row(delivery_row(&entry.group, entry));
        }
        if entries.len() > 1 {
            table.row(delivery_row("all", &accounting.deliveries_at(qos)));
        }
    }
    table
}

fn delivery_row(group: &str, entry: &Deliveries) -> Vec<Cell> {
    vec![
        Cell::text(entry.qos.to_string()),
        Cell::text(group),
        Cell::Count(entry.expected),
        Cell::Count(entry.excused),
        Cell::Bad(entry.unknown),
        Cell::Count(entry.owed()),
        Cell::Count(entry.delivered),
        Cell::Bad(entry.lost),
        Cell::Count(entry.duplicated),
        Cell::Bad(entry.forbidden),
        Cell::Bad(entry.reordered),
        Cell::Bad(entry.corrupted),
        Cell::Bad(entry.mislabelled),
        Cell::Bad(entry.misrouted),
        Cell::Count(entry.foreign),
        Cell::Count(entry.late),
        Cell::Count(entry.optional),
        Cell::Count(entry.received),
    ]
}

/// What came without a stamp, if anything did.
fn unstamped(accounting: &Accounting) -> Table {
    let columns = vec![
        Column::words("Delivered QoS"),
        Column::words("Group"),
        Column::count("Came without a stamp"),
        Column::count("Delivered or duplicated, by counts"),
        Column::count("Not judged"),
    ];
    let mut table = Table::new("unstamped", "Without a stamp", columns);
    let entries = accounting.deliveries.iter();
    for entry in entries.filter(|entry| entry.unstamped > 0) {
        table.row(vec![
            Cell::text(entry.qos.to_string()),
            Cell::text(&entry.group),
            Cell::Count(entry.unstamped),
            Cell::Count(entry.unstamped.saturating_sub(entry.uncounted)),
            Cell::Count(entry.uncounted),
        ]);
    }
    table
}

fn excuses(accounting: &Accounting) -> Table {
    let columns = vec![
        Column::words("Delivered QoS"),
        Column::words("Group"),
        Column::words("Excused because"),
        Column::count("Deliveries"),
    ];
    let mut table = Table::new("excuses", "Excused", columns);
    for entry in &accounting.deliveries {
        for (reason, count) in &entry.excuses {
            table.row(vec![
                Cell::text(entry.qos.to_string()),
                Cell::text(&entry.group),
                Cell::text(reason),
                Cell::Count(*count),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Groups that had messages without a stamp have a row: what came, what counts tell of it, and what they do not.
    #[test]
    fn messages_without_a_stamp_have_a_table() {
        let mut accounting = sample::passing().measured.accounting;
        assert!(unstamped(&accounting).rows.is_empty());
        let entry = &mut accounting.deliveries[0];
        (entry.unstamped, entry.uncounted) = (100, 20);

        let table = unstamped(&accounting);

        assert_eq!(table.rows.len(), 1);
        let counts = [Cell::Count(100), Cell::Count(80), Cell::Count(20)];
        assert_eq!(table.rows[0][2..], counts);
    }
}
