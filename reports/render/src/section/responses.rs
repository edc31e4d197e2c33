//! Requests and responses: what became of each request, and how long the round trips took.

use squall_run::{MetricName, Responses, Run, Tags};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if let Some(responses) = &run.measured.responses {
        blocks.push(Block::Table(counts(responses)));
        blocks.push(Block::Table(round_trips(run)));
    }
    section_of(
        "responses",
        "Requests and responses",
        blocks,
        "no device answered a request",
    )
}

fn counts(responses: &Responses) -> Table {
    let mut table = Table::counts("requests", "Requests, in the whole run");
    let mut row = |what: &str, detail: &str, count: Cell| table.count(what, detail, count);
    row("Requests sent", "", Cell::Count(responses.requests));
    row(
        "Answered",
        "the response came to the device that asked",
        Cell::Count(responses.answered),
    );
    row(
        "Unanswered",
        "the request or its response is lost, or the broker had changed the request",
        Cell::Bad(responses.unanswered),
    );
    row(
        "Under way at the end",
        "the request or its response could have come still",
        Cell::Count(responses.under_way),
    );
    row(
        "Lost at QoS 0",
        "the request or its response, which the broker may lose",
        Cell::Count(responses.lost_at_qos0),
    );
    row(
        "Owed no response",
        "no subscription asked for the request or the response, a Session had ended, a connection was lost, or the device had \
         no time left to answer",
        Cell::Count(responses.not_owed),
    );
    row(
        "Misdirected",
        "requests and responses that came with another Response Topic or Correlation Data",
        Cell::Bad(responses.misdirected),
    );
    table
}

/// By the group that asks.
fn round_trips(run: &Run) -> Table {
    let metrics = &run.measured.metrics;
    let title = "Round trip, from the time a request was due";
    let mut table = Table::of_distributions("round-trip", title, &["Group that asks"]);
    for group in metrics.tag_values(MetricName::RoundTrip, "group") {
        let tags = Tags::from([("group".to_owned(), group.clone())]);
        let times = metrics.select(MetricName::RoundTrip, &tags);
        table.distribution(vec![Cell::text(group)], &times);
    }
    table
}
