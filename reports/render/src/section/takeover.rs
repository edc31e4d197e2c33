//! Takeovers: one alive for each Client Identifier, and how long the change took.

use squall_run::{MetricName, Run, Tags, Takeovers, count_text};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::{latency_histogram, takeover};
use crate::on_links;
use crate::table::{Cell, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if let Some(takeovers) = &run.measured.takeovers {
        let times = run.measured.metrics.all(MetricName::TakeoverTime);
        blocks.push(Block::Table(counts(takeovers)));
        let mut table = Table::of_distributions("takeover-time", "Takeover time", &["What"]);
        table.distribution(
            vec![Cell::text("CONNECT of the newer to close of the displaced")],
            &times,
        );
        let metrics = &run.measured.metrics;
        if let Some(with_links) = on_links::times(metrics, MetricName::TakeoverTime, &Tags::new()) {
            let what = "the same at the devices, with the simulated links";
            table.distribution(vec![Cell::text(what)], &with_links);
        }
        blocks.push(Block::Table(table));
        blocks.push(Block::Note(
            "The claim displaced_closed_within counts from the CONNACK of the newer connection: how long two are alive. Takeover time \
             counts from its CONNECT: how long its client waits."
                .to_owned(),
        ));
        blocks.extend(untimed(takeovers, times.count()).map(Block::Note));
        blocks.extend(chart_block(takeover::chart(run), || {
            latency_histogram::table("takeover-bins", "Takeovers by time", &times)
        }));
    }
    section_of(
        "takeover",
        "Takeover",
        blocks,
        "no client identifier was contended",
    )
}

/// Why fewer times are known than there were takeovers, if they are.
fn untimed(takeovers: &Takeovers, timed: u64) -> Option<String> {
    let untimed = takeovers.takeovers.saturating_sub(timed);
    (untimed > 0).then(|| {
        format!(
            "{} of {} takeovers have no time: the displaced connection was not closed by the broker, or several CONNECTs were on \
             their way and any of them may have displaced it, or they were in the warm-up.",
            count_text(untimed),
            count_text(takeovers.takeovers)
        )
    })
}

fn counts(takeovers: &Takeovers) -> Table {
    let mut table = Table::counts("takeovers", "Takeovers");
    let mut row = |what: &str, detail: &str, count: Cell| table.count(what, detail, count);
    row(
        "Contended client identifiers",
        "",
        Cell::Count(takeovers.contended_ids),
    );
    row("Takeovers", "", Cell::Count(takeovers.takeovers));
    row(
        "Displaced, closed by the broker",
        "",
        Cell::Count(takeovers.displaced_closed),
    );
    row(
        "Displaced, left open",
        "",
        Cell::Bad(takeovers.displaced_open),
    );
    row(
        "Displaced, ended otherwise",
        "by a fault, a cut or a timeout, before the broker closed them",
        Cell::Count(takeovers.displaced_otherwise),
    );
    for (reason, count) in &takeovers.reasons {
        row("Reason given to the displaced", reason, Cell::Count(*count));
    }
    row(
        "Most alive at once for one identifier",
        "as the devices saw it, while a close was still on its way to them",
        Cell::Count(takeovers.most_alive),
    );
    row(
        "Session Present right",
        "in the CONNACKs whose answer was certain beforehand",
        Cell::Count(takeovers.session_present_right),
    );
    row(
        "Session Present wrong",
        "",
        Cell::Bad(takeovers.session_present_wrong),
    );
    table
}
