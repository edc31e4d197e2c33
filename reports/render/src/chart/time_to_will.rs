//! How long wills took, by the way connections ended.

use std::collections::BTreeMap;

use squall_run::{MetricName, Run, Tags, duration_text};

use super::Chart;
use super::figure::{Mark, MarkLine};
use super::rows::{self, Row};
use super::scale::Span;
use super::theme::Ink;
use crate::on_links;

/// One histogram for each way of ending, on one axis.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let metrics = &run.measured.metrics;
    let rows: Vec<Row> = metrics
        .tag_values(MetricName::TimeToWill, "how")
        .into_iter()
        .map(|how| {
            let tags = Tags::from([("how".to_owned(), how.clone())]);
            Row {
                histogram: metrics.select(MetricName::TimeToWill, &tags),
                name: how,
            }
        })
        .filter(|row| !row.histogram.is_empty())
        .collect();
    let limits: BTreeMap<&str, f64> = run
        .measured
        .wills
        .iter()
        .filter_map(|will| Some((will.how.as_str(), will.limit_s?)))
        .collect();
    let limits_us = limits.values().map(|limit_s| limit_s * 1e6);
    let mut figure = rows::figure(
        &rows,
        "From when the will was due to its arrival",
        limits_us,
    );
    for (index, row) in rows.iter().enumerate() {
        let Some(limit_s) = limits.get(row.name.as_str()) else {
            continue;
        };
        let middle = (rows.len() - 1 - index) as f64;
        figure.marks.push(Mark {
            line: MarkLine::VerticalPart {
                at: limit_s * 1e6,
                rows: Span::new(middle - 0.45, middle + 0.45),
            },
            label: format!("limit {}", duration_text(*limit_s)),
            ink: Ink::Limit,
        });
    }
    let heights = match rows.len() {
        1 => "",
        _ => "Each row has a height of its own. ",
    };
    Chart::of(
        "time-to-will",
        "Time to will, by the way the connection ended",
        &format!(
            "{heights}A broker notices a silent drop by Keep Alive alone, one and a half times its length after the last \
             packet; the others it can notice at once.{}",
            on_links::sentence(metrics, MetricName::TimeToWill, &Tags::new())
        ),
        figure,
    )
}
