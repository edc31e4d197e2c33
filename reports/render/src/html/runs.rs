//! The page of several runs: a row for each combination of values, and charts along axes of numbers.

use maud::{Markup, html};
use squall_run::{ComparedRun, Figure, FigureSpread, Outcome, Row, RunSet, RunState, SCENARIO};

use super::claim_cells::{counted, judged};
use super::{block, document};
use crate::chart::ChartError;
use crate::chart::against::{self, Spacing};
use crate::section::Block;

/// More claims than this are counted in one column: as many more would push the figures off the page.
const JUDGEMENTS_SHOWN: usize = 8;

/// The figures that are drawn against an axis of numbers.
pub(super) const DRAWN: [Figure; 5] = [
    Figure::Delivered,
    Figure::E2eP99,
    Figure::ConnectP99,
    Figure::BrokerCpu,
    Figure::BrokerRss,
];

/// The page.
pub(crate) fn page(set: &RunSet) -> Result<String, ChartError> {
    let charts = charts(set)?;
    let title = format!("{} · {} runs · squall", set.name, set.runs.len());
    let has_reasons = set.runs.iter().any(|run| !run.reasons.is_empty());
    let links = [
        ("verdict", "Verdict", true),
        ("runs", "Runs", true),
        ("each", "Each run", set.has_repeats()),
        ("charts", "Charts", charts.is_some()),
        ("reasons", "Why runs did not pass", has_reasons),
    ];
    let body = html! {
        a .skip href="#main" { "Skip to the runs" }
        (header(set))
        div .page {
            nav aria-label="Sections" {
                ul {
                    @for (id, title, _) in links.iter().filter(|(_, _, is_there)| *is_there) {
                        li { a href={ "#" (id) } { (title) } }
                    }
                }
            }
            main #main {
                (side_by_side(set))
                @if set.has_repeats() { (each_run(set)) }
                @if let Some(charts) = charts { (charts) }
                @if has_reasons { (reasons(set)) }
            }
        }
        footer {
            p {
                "Written by squall " (set.squall) ". The same is in " code { "runs.csv" } ", a row for each run, and in "
                code { "runs.json" } "; everything about a run is in its own report."
            }
        }
    };
    Ok(document(&title, &set.squall, &body, super::script::Script::None).into_string())
}

/// What the runs come to, as the verdict of one run would be called.
fn outcome(set: &RunSet) -> Outcome {
    let claims_nothing = |run: &ComparedRun| run.outcome == Some(Outcome::NoClaims);
    match set.exit_code() {
        0 if set.runs.iter().all(claims_nothing) => Outcome::NoClaims,
        0 => Outcome::Pass,
        4 => Outcome::Invalid,
        _ => Outcome::Fail,
    }
}

fn header(set: &RunSet) -> Markup {
    let outcome = outcome(set);
    let count =
        |which: &dyn Fn(&ComparedRun) -> bool| set.runs.iter().filter(|run| which(run)).count();
    let passed = count(&|run| run.exit_code == Some(0));
    let not_run = count(&|run| run.state == RunState::NotRun);
    let rows = set.rows().len();
    html! {
        header .verdict.(super::outcome_class(outcome)) #verdict {
            div .inner {
                p .line {
                    strong .outcome { (outcome.as_str()) }
                    span .scenario { (set.name) }
                    span .against {
                        (set.runs.len()) " runs"
                        @if rows > 1 && set.has_repeats() { " of " (rows) " combinations" }
                    }
                }
                @if let Some(question) = &set.question { h1 { (question) } } @else { h1 { (set.name) } }
                p .sentence {
                    (passed) " of " (set.runs.len()) " runs passed"
                    @if not_run > 0 { "; " (not_run) " were not run: the command was stopped" }
                    ". The worst of them decides: exit code " (set.exit_code()) "."
                }
                @if !set.axes.is_empty() && set.axes[0] != SCENARIO {
                    p .small {
                        "The runs differ in "
                        @for (n, axis) in set.axes.iter().enumerate() {
                            @if n > 0 { ", " }
                            code { (axis) }
                        }
                        "."
                    }
                }
            }
        }
    }
}

/// Figures that any run has.
pub(super) fn figures<'a>(runs: impl Iterator<Item = &'a ComparedRun> + Clone) -> Vec<Figure> {
    let has = |figure: &Figure| {
        let mut runs = runs.clone();
        runs.any(|run| run.figures.get(*figure).is_some())
    };
    Figure::ALL.into_iter().filter(has).collect()
}

/// A figure of one run, with its unit.
pub(super) fn figure_cell(run: &ComparedRun, figure: Figure) -> Markup {
    match run.figures.get(figure) {
        Some(number) => html! { (super::unbroken(&figure.text(number))) },
        None => html! { span .faint { "–" } },
    }
}

/// `text` as a link to the report of a run, if it has one.
pub(super) fn linked(run: &ComparedRun, text: &Markup) -> Markup {
    match &run.report {
        Some(report) => html! { a href=(report) { (text) } },
        None => text.clone(),
    }
}

fn side_by_side(set: &RunSet) -> Markup {
    let names = set.judgements();
    let shown = match names.len() > JUDGEMENTS_SHOWN {
        true => &[][..],
        false => &names[..],
    };
    let figures = figures(set.runs.iter());
    let columns = set.axes.len() + shown.len() + figures.len() + 2;
    html! {
        section #runs {
            h2 { "Runs side by side" }
            @if set.has_repeats() {
                p .note {
                    "A row for all runs with the same values. A figure is the median of those that are not INVALID, and under it \
                     the least and the greatest. Nothing is concluded from a difference between rows: compare it with the spread within them."
                }
            }
            div .box tabindex="0" role="region" aria-label="Runs side by side" {
                table .dense[columns > 10] {
                    thead { tr {
                        @for axis in set.short_axes() { th scope="col" { (axis) } }
                        th scope="col" { "verdict" }
                        @if shown.is_empty() && !names.is_empty() { th scope="col" { "claims" } }
                        @for name in shown { th scope="col" .judged { (name) } }
                        @for figure in &figures { th scope="col" .quantity { (figure.heading()) } }
                    } }
                    tbody {
                        @for row in set.rows() {
                            tr {
                                @for value in row.values { td { (value) } }
                                td { (verdict(&row)) }
                                @if shown.is_empty() && !names.is_empty() { td { (counted(&row)) } }
                                @for name in shown { td .judged { (judged(&row.judgements(name))) } }
                                @for figure in &figures { td .quantity { (spread(*figure, figure_of(&row, *figure))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The figure of a single run, which stands beside its verdict; of several, how far apart the valid ones are.
fn figure_of(row: &Row<'_>, figure: Figure) -> Option<FigureSpread> {
    match row.runs.as_slice() {
        [only] => FigureSpread::of(only.figures.get(figure)),
        _ => row.spread(figure),
    }
}

/// The worst verdict of a row, with links to the reports of its runs.
pub(super) fn verdict(row: &Row<'_>) -> Markup {
    let worst = row.runs.iter().find(|run| run.code() == row.exit_code());
    let badge = worst.map(|run| html! { span .badge.(tone_of_run(run)) { (run.verdict()) } });
    match row.runs.as_slice() {
        [only] => linked(only, &badge_of(only)),
        several => html! {
            @if let Some(badge) = badge { (badge) }
            br;
            span .links {
                @for run in several {
                    @match &run.report {
                        Some(report) => { a href=(report) title=(run.verdict()) { (run.number) } " " }
                        None => { span title=(run.verdict()) { (run.number) } " " }
                    }
                }
            }
            @if row.invalid() > 0 {
                br;
                span .range { (row.invalid()) " INVALID left out" }
            }
        },
    }
}

pub(super) fn badge_of(run: &ComparedRun) -> Markup {
    html! { span .badge.(tone_of_run(run)) { (run.verdict()) } }
}

fn tone_of_run(run: &ComparedRun) -> &'static str {
    match run.outcome {
        Some(Outcome::Pass) => "good",
        Some(Outcome::Fail) => "bad",
        Some(Outcome::Invalid) => "invalid",
        Some(Outcome::NoClaims) | None => "plain",
    }
}

fn spread(figure: Figure, spread: Option<FigureSpread>) -> Markup {
    let text = |number| super::unbroken(&figure.text(number));
    match spread {
        None => html! { span .faint { "–" } },
        Some(spread) if text(spread.min) == text(spread.max) => html! { (text(spread.median)) },
        Some(spread) => html! {
            (text(spread.median))
            br;
            span .range { (text(spread.min)) " … " (text(spread.max)) }
        },
    }
}

/// A row for each run, in the order in which they ran.
fn each_run(set: &RunSet) -> Markup {
    let figures = figures(set.runs.iter());
    html! {
        section #each {
            h2 { "Each run" }
            div .box tabindex="0" role="region" aria-label="Each run" {
                table .dense[figures.len() > 6] {
                    thead { tr {
                        th scope="col" { "run" } th scope="col" { "seed" } th scope="col" { "verdict" }
                        @for figure in &figures { th scope="col" .quantity { (figure.heading()) } }
                    } }
                    tbody {
                        @for run in &set.runs {
                            tr {
                                td { (set.label(run)) }
                                td { (run.seed) }
                                td { (linked(run, &badge_of(run))) }
                                @for figure in &figures { td .quantity { (figure_cell(run, *figure)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Charts of every axis of numbers; `None` without one.
fn charts(set: &RunSet) -> Result<Option<Markup>, ChartError> {
    let mut bodies = Vec::new();
    for axis in 0..set.axes.len() {
        for block in charts_along(set, (axis, Spacing::OfValues), &DRAWN, "") {
            bodies.push(block::body(&block, block::Files::None)?);
        }
    }
    let section = html! {
        section #charts {
            h2 { "Charts" }
            @for body in &bodies { (body) }
        }
    };
    Ok((!bodies.is_empty()).then_some(section))
}

/// Charts along one axis, or why there are none, with ids that begin with `prefix`; nothing for an axis of words.
pub(super) fn charts_along(
    set: &RunSet,
    (axis, spacing): (usize, Spacing),
    figures: &[Figure],
    prefix: &str,
) -> Vec<Block> {
    match against::charts(set, axis, spacing, figures) {
        Ok(charts) => {
            let charts = charts.into_iter();
            charts
                .map(|(mut chart, mut numbers)| {
                    chart.id.insert_str(0, prefix);
                    numbers.id.insert_str(0, prefix);
                    Block::Chart(Box::new(chart), numbers)
                })
                .collect()
        }
        Err(why) => {
            let name = &set.axes[axis];
            vec![Block::Note(format!(
                "Nothing is drawn against {name}: the other axes make {why}."
            ))]
        }
    }
}

fn reasons(set: &RunSet) -> Markup {
    html! {
        section #reasons {
            h2 { "Why runs did not pass" }
            @for run in set.runs.iter().filter(|run| !run.reasons.is_empty()) {
                h3 {
                    (linked(run, &html! { (set.label(run)) }))
                    " " (badge_of(run))
                }
                ul { @for reason in &run.reasons { li { (reason) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    fn set(axis: &str, values: &[&str]) -> RunSet {
        let mut set = RunSet::new("s".to_owned(), None, vec![axis.to_owned()]);
        for (place, value) in values.iter().enumerate() {
            let number = values[..place]
                .iter()
                .filter(|known| *known == value)
                .count() as u32
                + 1;
            let run = ComparedRun::not_run(vec![(*value).to_owned()], number, 7);
            let report = format!("{value}/run-{number}/report.html");
            set.runs.push(run.judged(&sample::passing(), report));
        }
        set
    }

    /// Each run is linked, charts are drawn along numbers, and nothing is fetched.
    #[test]
    fn every_run_is_linked_and_nothing_is_fetched() {
        let set = set("group.a.count", &["10", "200", "10", "200"]);

        let page = page(&set).unwrap();

        for report in ["10/run-1", "10/run-2", "200/run-1", "200/run-2"] {
            assert!(
                page.contains(&format!("href=\"{report}/report.html\"")),
                "{report}"
            );
        }
        assert!(page.contains("against count"));
        assert!(page.contains("group.a.count"));
        for forbidden in ["http://", "https://", "src=", "<script", "<link", "<iframe"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    /// Runs that are INVALID are in no median, and the row says how many.
    #[test]
    fn a_row_says_how_many_runs_it_leaves_out() {
        let mut set = set("target.use", &["a", "a", "a"]);
        set.runs[1].outcome = Some(Outcome::Invalid);

        let page = page(&set).unwrap();

        assert!(page.contains("1 INVALID left out"));
    }

    /// What was not run is there, and the page does not call that passed.
    #[test]
    fn what_was_not_run_is_told() {
        let mut set = set("target.use", &["a"]);
        set.runs
            .push(ComparedRun::not_run(vec!["b".to_owned()], 1, 7));

        let page = page(&set).unwrap();

        assert!(page.contains("1 of 2 runs passed; 1 were not run"));
        assert!(page.contains("verdict invalid"));
        assert!(page.contains(">not run<"));
    }

    /// Values come from a file and a command line, and cannot become markup.
    #[test]
    fn hostile_values_are_escaped() {
        let set = set("</style><img src=x>", &["\"><img src=x onerror=alert(1)>"]);

        let page = page(&set).unwrap();

        assert!(!page.contains("<img"));
        assert_eq!(page.matches("</style>").count(), 1);
    }
}
