//! Thresholds and invariants: what was asked, what was found.

use std::collections::{BTreeMap, BTreeSet};

use squall_run::{
    AllowedRange, Anomaly, CheckOutcome, ClaimResult, MetricName, Outcome, Run, Tags,
    ThresholdResult, count_text,
};

use super::{Absent, Block, Section, packets, section_of};
use crate::clock::Clock;
use crate::on_links;
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let measured = &run.measured;
    let mut blocks = Vec::new();
    if !measured.checks.is_empty() {
        let (shown, folded): (Vec<&CheckOutcome>, Vec<&CheckOutcome>) =
            measured.checks.iter().partition(|check| !is_folded(check));
        blocks.push(Block::Table(invariants(run, &shown, &folded)));
        if !folded.is_empty() {
            blocks.push(Block::Folded(claims_of_folded(run, &folded)));
        }
    }
    let violations = violations(run);
    if !violations.rows.is_empty() {
        let total: u64 = measured
            .checks
            .iter()
            .map(|check| check.violations_total)
            .sum();
        blocks.push(Block::Note(format!(
            "Violations in all: {}. Some of each kind are listed, of as many devices as have any.",
            count_text(total)
        )));
        blocks.push(Block::Table(violations));
        blocks.extend(packets::of_violations(run));
        let by_device = violations_by_device(&measured.checks);
        if !by_device.rows.is_empty() {
            blocks.push(Block::Table(by_device));
        }
    }
    if !measured.thresholds.is_empty() {
        blocks.push(Block::Table(thresholds(run)));
        blocks.extend(left_out(run).map(Block::Note));
    }
    section_of(
        "judgement",
        "Invariants and thresholds",
        blocks,
        "the scenario claims nothing",
    )
}

/// What something was judged of: of a claim perhaps a part of what its check was narrowed to.
fn judged_of(selection: &BTreeMap<String, String>, part: Option<&str>) -> Cell {
    let selected = selection
        .iter()
        .map(|(key, value)| format!("{key} {value}"));
    let parts: Vec<String> = selected.chain(part.map(str::to_owned)).collect();
    if parts.is_empty() {
        Cell::text("everything")
    } else {
        Cell::text(parts.join(", "))
    }
}

/// What became of a claim. Where nothing follows from the run, nothing held for good.
fn result(run: &Run, result: ClaimResult) -> Cell {
    match (run.verdict.outcome, result, run.times.stopped) {
        (Outcome::Invalid, ClaimResult::Held, Some(_)) => Cell::HeldInVain("held so far"),
        (Outcome::Invalid, ClaimResult::Held, None) => Cell::HeldInVain("held, proves nothing"),
        (_, other, _) => Cell::Result(other),
    }
}

/// Claims of one check that take a row each, even if all held.
const CLAIMS_SHOWN: usize = 6;

/// Whether all that a check claims is one row: the figures of a link profile, which the section about the network has again.
fn is_folded(check: &CheckOutcome) -> bool {
    check.claims.len() > CLAIMS_SHOWN
        && check
            .claims
            .iter()
            .all(|claim| claim.result() == ClaimResult::Held)
}

/// Each claim of those that have one row in the table of invariants.
fn claims_of_folded(run: &Run, folded: &[&CheckOutcome]) -> Table {
    let mut table = invariants_table("invariants-in-full", "Invariants in full");
    for check in folded {
        add_claims(&mut table, run, check);
    }
    table
}

/// All of `shown`, claim by claim, and a row for each of `folded`.
fn invariants(run: &Run, shown: &[&CheckOutcome], folded: &[&CheckOutcome]) -> Table {
    let mut table = invariants_table("invariants", "Invariants");
    for check in shown {
        add_claims(&mut table, run, check);
    }
    for check in folded {
        table.row(vec![
            result(run, ClaimResult::Held),
            Cell::text(&check.check),
            Cell::Text(format!("{} figures", check.claims.len())),
            Cell::text("each as allowed"),
            Cell::text("all are"),
            Cell::None,
            judged_of(&check.selection, None),
        ]);
    }
    table
}

fn invariants_table(id: &str, title: &str) -> Table {
    let mut table = Table::new(
        id,
        title,
        vec![
            Column::words(""),
            Column::words("Invariant"),
            Column::words("Claim"),
            Column::count("Asked for"),
            Column::count("Found"),
            Column::sentences("Allowed"),
            Column::sentences("Of"),
        ],
    );
    table.columns[0].key = "result".to_owned();
    table
}

fn add_claims(table: &mut Table, run: &Run, check: &CheckOutcome) {
    for claim in &check.claims {
        let actual = claim.actual.clone();
        table.row(vec![
            result(run, claim.result()),
            Cell::text(&check.check),
            Cell::text(&claim.key),
            Cell::Value(claim.limit.clone()),
            actual.map_or(Cell::text("nothing to judge by"), Cell::Value),
            claim.range.as_ref().map_or(Cell::None, allowed),
            judged_of(&check.selection, claim.of.as_deref()),
        ]);
    }
}

/// What the figure may be, and what makes the range.
fn allowed(range: &AllowedRange) -> Cell {
    Cell::text(range.to_string())
}

fn violations(run: &Run) -> Table {
    let mut table = anomaly_table("violations", "First violations", "Invariant");
    for check in &run.measured.checks {
        for violation in &check.violations {
            let listed = Listed {
                first: &check.check,
                in_all: check.violations_total,
            };
            add_anomaly(&mut table, &listed, violation, run);
        }
    }
    table
}

fn violations_by_device(checks: &[CheckOutcome]) -> Table {
    let mut table = Table::new(
        "violations-by-device",
        "Violations by device",
        vec![
            Column::words("Invariant"),
            Column::words("Client id"),
            Column::count("Violations about it"),
            Column::count("As recipient"),
        ],
    );
    for check in checks {
        for device in &check.by_device {
            table.row(vec![
                Cell::text(&check.check),
                Cell::Code(device.client_id.clone()),
                Cell::Count(device.count),
                Cell::Count(device.as_recipient),
            ]);
        }
    }
    table
}

/// A table of anomalies; `first` heads the first column.
pub(super) fn anomaly_table(id: &str, title: &str, first: &str) -> Table {
    Table::new(
        id,
        title,
        vec![
            Column::words(first),
            Column::count("In all"),
            Column::count("Alike"),
            Column::quantity("At", "s"),
            Column::quantity("Since the run began", "s"),
            Column::words("What"),
            Column::words("Client id"),
            Column::words("Recipient"),
            Column::words("Topic"),
            Column::count("Sequence"),
            Column::sentences("Explanation"),
            Column::words("Packets"),
        ],
    )
}

/// What an anomaly is listed under.
pub(super) struct Listed<'a> {
    /// The first cell of its row.
    pub(super) first: &'a str,
    /// How many there are of which it is one: a table has some of them, and who counts its rows must see that.
    pub(super) in_all: u64,
}

/// Adds an anomaly to a table made by [`anomaly_table`].
///
/// It has the time of the charts, which counts from the start of measuring, and that of its
/// explanation, which counts from the start of the run; neither, where only counts at the end show it.
pub(super) fn add_anomaly(table: &mut Table, listed: &Listed<'_>, anomaly: &Anomaly, run: &Run) {
    let clock = Clock::of(run);
    let code = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Code);
    let at = |moment: Option<f64>| moment.map_or(Cell::None, Cell::At);
    table.row(vec![
        Cell::text(listed.first),
        Cell::Count(listed.in_all),
        Cell::Count(anomaly.times),
        at(anomaly.at_s.map(|at_s| clock.at(at_s))),
        at(anomaly.at_s),
        Cell::text(anomaly.kind.label()),
        code(&anomaly.client_id),
        code(&anomaly.recipient),
        code(&anomaly.topic),
        anomaly.sequence.map_or(Cell::None, Cell::Count),
        Cell::text(&anomaly.explanation),
        packets::link(run, anomaly),
    ]);
}

/// That thresholds are judged by times without what the simulated links held; `None` if none is.
fn left_out(run: &Run) -> Option<String> {
    let thresholds = run.measured.thresholds.iter();
    let judged: BTreeSet<(MetricName, &Tags)> = thresholds
        .map(|threshold| (threshold.metric, &threshold.tags))
        .collect();
    let sentences = judged
        .into_iter()
        .map(|(name, tags)| on_links::sentence(&run.measured.metrics, name, tags));
    let text: String = sentences.collect();
    (!text.is_empty()).then(|| text.trim_start().to_owned())
}

fn thresholds(run: &Run) -> Table {
    let mut table = Table::new(
        "thresholds",
        "Thresholds",
        vec![
            Column::words(""),
            Column::words("Metric"),
            Column::words("Limit"),
            Column::count("Found"),
            Column::count("n"),
            Column::sentences("Of"),
        ],
    );
    table.columns[0].key = "result".to_owned();
    for threshold in &run.measured.thresholds {
        let actual = match (&threshold.actual, threshold.result) {
            (_, ThresholdResult::TooFewSamples) => Cell::text("too few samples"),
            (Some(actual), ThresholdResult::ExplainedByLag) => {
                Cell::text(format!("{actual}, the generator's lag explains it"))
            }
            (Some(actual), _) => Cell::Value(actual.clone()),
            (None, _) => Cell::text("nothing to judge by"),
        };
        table.row(vec![
            result(run, threshold.claim_result()),
            Cell::Code(threshold.metric.to_string()),
            Cell::Code(threshold.expression.clone()),
            actual,
            Cell::Count(threshold.samples),
            judged_of(&threshold.tags, None),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use squall_run::{Extent, Reason, Verdict, sample};

    use super::*;

    /// Who counts the rows of the CSV sees that they are some of all.
    #[test]
    fn each_violation_says_of_how_many_it_is_one() {
        let mut run = sample::failing();
        let checks = &mut run.measured.checks;
        checks.retain(|check| !check.violations.is_empty());
        checks.truncate(1);
        checks[0].violations_total = 74;

        let table = violations(&run);

        assert_eq!(table.columns[1].heading, "In all");
        assert!(table.rows.iter().all(|row| row[1] == Cell::Count(74)));
        assert_eq!(table.rows.len(), run.measured.checks[0].violations.len());
    }

    /// Ten figures of one profile that all held are one row; one that is broken is not hidden.
    #[test]
    fn figures_that_all_held_are_one_row() {
        let mut run = sample::passing();
        let network = run.measured.checks.pop().unwrap();
        let claims = vec![network.claims[0].clone(); 10];
        run.measured.checks = vec![CheckOutcome { claims, ..network }];
        let rows = |run: &Run| -> usize {
            let section = section(run).unwrap();
            let Some(Block::Table(table)) = section.blocks.first() else {
                panic!("{:?}", section.blocks);
            };
            table.rows.len()
        };

        assert_eq!(rows(&run), 1);
        run.measured.checks[0].claims[3].passed = false;
        assert_eq!(rows(&run), 10);
    }

    /// Where nothing follows from a run, no claim of it is shown as one that held for good.
    #[test]
    fn what_held_in_an_invalid_run_proves_nothing() {
        let mut run = sample::passing();
        let checks = &run.measured.checks;
        let late = Reason::Invalid("the generator was late".to_owned());
        run.verdict = Verdict::judge(checks, &[], Extent::Whole, [late]);

        let checks: Vec<&CheckOutcome> = run.measured.checks.iter().collect();
        let table = invariants(&run, &checks, &[]);

        for row in &table.rows {
            assert_eq!(row[0].shown(), "held, proves nothing");
            assert_eq!(row[0].plain(), "held");
        }
    }
}
