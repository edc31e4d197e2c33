//! Appendix: definitions, and the scenario as it was read and as it was understood.

use squall_run::{MetricName, Run};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let scenario = &run.identity.scenario;
    let as_read = match scenario.has_secrets {
        true => "Scenario, as it was read, with *** in place of secrets",
        false => "Scenario, as it was read",
    };
    let blocks = vec![
        Block::Folded(metrics()),
        Block::Folded(words()),
        Block::Text(
            "Scenario, with every default written out",
            scenario.resolved.clone(),
        ),
        Block::Text(as_read, scenario.original.clone()),
    ];
    section_of("appendix", "Appendix", blocks, "")
}

fn metrics() -> Table {
    let columns = vec![Column::words("Metric"), Column::sentences("Definition")];
    let mut table = Table::new("definitions", "What the metrics mean", columns);
    for metric in MetricName::ALL {
        table.row(vec![
            Cell::Code(metric.to_string()),
            Cell::text(metric.definition()),
        ]);
    }
    table
}

/// Words of the tables, and what they mean.
const WORDS: [(&str, &str); 39] = [
    (
        "ok",
        "acknowledged by the broker; at QoS 0, sent on a connection that was up",
    ),
    (
        "in doubt",
        "sent, and the connection was lost before the acknowledgement; it may arrive or not",
    ),
    (
        "under way",
        "sent, and not yet delivered, but delivered later: one for each subscriber",
    ),
    ("never sent", "due, and no connection or no room to send it"),
    (
        "expected",
        "ok, and asked for by a subscription of a Session",
    ),
    ("owed", "expected, and not excused"),
    (
        "excused",
        "not delivered, and the specification allows it: a Session that ended, QoS 0 across a lost connection",
    ),
    (
        "not owed, came",
        "delivered, and allowed but not owed: messages in doubt, and those that the broker may have had before the subscription",
    ),
    ("lost", "owed and never delivered"),
    ("duplicated", "delivered again to the same Session"),
    (
        "reordered",
        "delivered before an earlier message of the same publisher and topic (§4.6)",
    ),
    (
        "forgotten",
        "in doubt, and not sent again by its device, whose Session ended with the connection",
    ),
    (
        "recipient",
        "of a violation about a message or a will: the device that it came to, or should have come to",
    ),
    (
        "corrupted",
        "delivered with another payload, Content Type or User Properties than was published, or with another payload than was to be retained; it does not count as delivered",
    ),
    (
        "mislabelled",
        "delivered at another QoS, or with another RETAIN or DUP flag or Subscription Identifier, than it must have",
    ),
    (
        "misrouted",
        "a message of this run, delivered where no subscription asked for it",
    ),
    (
        "foreign",
        "delivered, and not sent by this run, since its payload lacks the run's stamp: of another client, an earlier run or the broker; counted, not judged",
    ),
    (
        "unknown",
        "settled early to keep squall within its memory: what became of it is not known, and the run is INVALID",
    ),
    (
        "stamp",
        "what squall puts into each payload, to know again which device sent it, when, and as which message of its topic",
    ),
    ("late", "delivered after the connection was resumed"),
    (
        "response time",
        "counted from the time a message was due, so that what waited is not hidden",
    ),
    (
        "service time",
        "counted from the time a message was really sent",
    ),
    (
        "n",
        "samples; a percentile is shown and judged only if at least ten samples lie beyond it: p99 needs 1,000",
    ),
    (
        "ended unexpectedly",
        "a connection that neither the scenario (a fault, a link, a takeover) nor its device ended",
    ),
    (
        "closed by broker",
        "of wills: the broker ended the connection, by DISCONNECT or without, as when Keep Alive ran out",
    ),
    (
        "given up",
        "of wills: the device closed the connection itself, since an answer of the broker did not come in time",
    ),
    (
        "unexpected",
        "of wills and retained messages: it came, and nothing had asked for it",
    ),
    (
        "invariant",
        "a claim of the scenario that must hold exactly: [[expect]]",
    ),
    (
        "threshold",
        "a limit of the scenario on a figure: [thresholds]",
    ),
    (
        "anomaly",
        "anything that the specification does not allow or that was owed and did not happen, whether a claim is about it or not",
    ),
    ("violation", "an anomaly that breaks an invariant"),
    (
        "error",
        "an answer or an end by which the broker or the system refuses something: a Reason Code, a connection that cannot be opened; whether that is right, the claims say",
    ),
    (
        "warm-up, drain",
        "load before the measured part, left out of the figures; time after it in which nothing new is sent and what is under way may come",
    ),
    (
        "generator",
        "squall itself, which acts as the devices; its lag is how much later it did a thing than the scenario asks",
    ),
    (
        "link, up, down",
        "the simulated network of a device, to the broker and from it; what it holds back is not counted as the broker's",
    ),
    (
        "held",
        "a claim or a threshold that is as the scenario asks",
    ),
    ("broken", "one that is not"),
    (
        "not judged",
        "one about which nothing follows: too few samples, nothing happened that it is about, or squall itself was too late",
    ),
    (
        "INVALID",
        "the generator or the clocks cannot be trusted, or the run was stopped: nothing follows \
         about the broker",
    ),
];

fn words() -> Table {
    let columns = vec![Column::words("Word"), Column::sentences("Meaning")];
    let mut table = Table::new("words", "What the words mean", columns);
    for (word, meaning) in WORDS {
        table.row(vec![Cell::Term(word), Cell::text(meaning)]);
    }
    table
}

/// The word of the glossary that a heading is, and what it means.
pub(crate) fn meaning_of(heading: &str) -> Option<(&'static str, &'static str)> {
    let mut words = WORDS.iter();
    let found = words.find(|(word, _)| word.eq_ignore_ascii_case(heading));
    found.copied()
}
