//! Devices that fell silent, and what the broker did about it.

use squall_run::{Silences, duration_text};

use crate::table::{Cell, Table};

/// What became of their connections.
pub(super) fn table(silences: &Silences) -> Table {
    let title = "Connections whose devices fell silent, in the whole run";
    let mut table = Table::counts("silences", title);
    let mut row = |what: &str, detail: &str, count: Cell| table.count(what, detail, count);
    row(
        "Silenced by a fault",
        "with a Keep Alive",
        Cell::Count(silences.began),
    );
    let detail = match silences.slowest_s {
        Some(slowest) => format!(
            "the slowest {} after one and a half times Keep Alive",
            duration_text(slowest)
        ),
        None => String::new(),
    };
    row(
        "Closed by the broker",
        &detail,
        Cell::Count(silences.closed),
    );
    let detail = match silences.earliest_s {
        Some(earliest) => format!(
            "before one and a half times Keep Alive had passed, by up to {}",
            duration_text(earliest)
        ),
        None => "before one and a half times Keep Alive had passed".to_owned(),
    };
    row(
        "Of these closed too early",
        &detail,
        Cell::Bad(silences.early),
    );
    row(
        "Taken over",
        "by a newer connection of the same Client Identifier",
        Cell::Count(silences.taken_over),
    );
    let detail = unclear(silences);
    row(
        "Closed early, unclear why",
        &detail,
        Cell::Count(silences.unclear),
    );
    row(
        "Talked again",
        "muted devices whose mute was over before the broker closed",
        Cell::Count(silences.broken),
    );
    let detail = match silences.longest_open_s {
        Some(longest) => format!(
            "those and the ones before were open for up to {} after one and a half times Keep Alive",
            duration_text(longest)
        ),
        None => String::new(),
    };
    row("Open at the end", &detail, Cell::Count(silences.open));
    table
}

/// What may have closed connections early for which it is unclear why, and by how much.
fn unclear(silences: &Silences) -> String {
    let what = "another client of the broker may have taken them over";
    match silences.unclear_by_s {
        Some(by) => format!("by up to {}; {what}", duration_text(by)),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How slow and how early the broker was stands beside the counts.
    #[test]
    fn the_table_tells_how_far_off_the_broker_was() {
        let silences = Silences {
            began: 4,
            closed: 3,
            open: 1,
            early: 1,
            slowest_s: Some(2.5),
            earliest_s: Some(0.5),
            ..Silences::default()
        };

        let table = format!("{:?}", table(&silences));

        assert!(table.contains("the slowest 2.50 s after"), "{table}");
        assert!(table.contains("by up to 500 ms"), "{table}");
    }
}
