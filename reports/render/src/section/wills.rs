//! Last Will: whether each came once, and how long it took.

use squall_run::{MetricName, Run, Tags, WillOutcome, count_text};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::{silent_will, time_to_will};
use crate::on_links;
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.wills.is_empty() {
        blocks.push(Block::Table(wills(run)));
        blocks.push(Block::Note(
            "Due are one will for each abnormal end and each watching Session. A polite DISCONNECT must bring none, nor must a \
             connection whose device was back before the will was due, by Will Delay: resumed in time. Undecided are those \
             that had not come when the run ended, and could come still. Not due, but allowed are those that came to watchers that had \
             subscribed after the end of the connection; their times are among the times to a will. Times to a will, in claims and thresholds too, count from when it was due: from the end \
             of the connection, or where it waits, from when Will Delay had passed or the Session ended. They are \
             without what the simulated links of the two devices held, and without the time in which the watcher was away or its \
             link held answers that the broker may have waited for."
                .to_owned(),
        ));
        let cancelled: u64 = run.measured.wills.iter().map(|will| will.cancelled).sum();
        if cancelled > 0 {
            blocks.push(Block::Note(format!(
                "{} ended connections have no will: another one resumed the Session before Will Delay had passed [MQTT-3.1.3-9], \
                 or about then, when a broker may publish it or not.",
                count_text(cancelled)
            )));
        }
        let left_open: u64 = run.measured.wills.iter().map(|will| will.left_open).sum();
        if left_open > 0 {
            blocks.push(Block::Note(format!(
                "{} connections on which a malformed packet was sent have no will due: the broker left them open (§3.1.2.5).",
                count_text(left_open)
            )));
        }
        blocks.extend(chart_block(time_to_will::chart(run), || durations(run)));
        blocks.extend(chart_block(silent_will::chart(run), || {
            silent_will::table(run)
        }));
    }
    section_of(
        "wills",
        "Last Will",
        blocks,
        "no connection with a will ended",
    )
}

fn wills(run: &Run) -> Table {
    let mut table = Table::new(
        "wills",
        "Wills by fault",
        vec![
            Column::words("Fault"),
            Column::words("How"),
            Column::count("Connections"),
            Column::count("Due"),
            Column::count("Seen"),
            Column::count("Missing"),
            Column::count("Undecided"),
            Column::count("Not due, allowed"),
            Column::count("Resumed in time"),
            Column::count("Doubled"),
            Column::count("Unexpected"),
            Column::count("Too late"),
            Column::quantity("Keep Alive × 1.5", "s"),
            Column::quantity("Limit", "s"),
        ],
    );
    for will in &run.measured.wills {
        table.row(vec![
            will.fault.as_ref().map_or(Cell::text("none"), Cell::text),
            Cell::text(will.how.replace('_', " ")),
            Cell::Count(will.ended),
            Cell::Count(will.expected),
            Cell::Count(will.seen),
            Cell::Bad(will.missing),
            Cell::Count(will.undecided),
            Cell::Count(will.optional),
            Cell::Count(will.cancelled),
            Cell::Bad(will.doubled),
            Cell::Bad(will.unexpected),
            Cell::Bad(will.late),
            allowed(run, will).map_or(Cell::None, Cell::Seconds),
            will.limit_s.map_or(Cell::None, Cell::Seconds),
        ]);
    }
    table
}

/// What Keep Alive allows, where nothing else ends the connection.
fn allowed(run: &Run, will: &WillOutcome) -> Option<f64> {
    let fault = will.fault.as_deref().filter(|_| will.how == "silent")?;
    silent_will::keep_alive_allows_s(run, fault)
}

fn durations(run: &Run) -> Table {
    let mut table = Table::of_distributions("time-to-will", "Time to will", &["How"]);
    let metrics = &run.measured.metrics;
    for how in metrics.tag_values(MetricName::TimeToWill, "how") {
        let tags = Tags::from([("how".to_owned(), how.clone())]);
        let name = how.replace('_', " ");
        let times = metrics.select(MetricName::TimeToWill, &tags);
        let with_links = on_links::times(metrics, MetricName::TimeToWill, &tags);
        table.distribution(vec![Cell::text(&name)], &times);
        if let Some(with_links) = with_links {
            let label = format!("{name}, at the watchers");
            table.distribution(vec![Cell::text(label)], &with_links);
        }
    }
    table
}
