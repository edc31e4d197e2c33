//! The page over a folder of runs: of each scenario its runs, the newest first, and how its figures went.

use maud::{Markup, html};
use squall_run::{BEFORE_MIN, History, Newest, Outcome, PastRun, Place, Row, Trends};

use super::claim_cells::counted;
use super::runs::{DRAWN, badge_of, charts_along, figure_cell, figures, linked};
use super::{block, differing, document};
use crate::chart::ChartError;
use crate::chart::against::Spacing;

/// Older runs than these are in `index.json` alone.
const RUNS_SHOWN: usize = 50;

/// The page.
pub(crate) fn page(trends: &Trends, folder: &str) -> Result<String, ChartError> {
    let title = format!("{folder} · {} runs · squall", trends.count());
    let sections = trends.scenarios.iter().zip(1..);
    let sections = sections
        .map(|(history, number)| section(history, number))
        .collect::<Result<Vec<Markup>, ChartError>>()?;
    let body = html! {
        a .skip href="#main" { "Skip to the runs" }
        (header(trends, folder))
        div .page {
            nav aria-label="Scenarios" {
                ul {
                    @for (history, number) in trends.scenarios.iter().zip(1..) {
                        li { a href={ "#" (id(number)) } { (history.name) } }
                    }
                    @if !trends.unread.is_empty() { li { a href="#unread" { "Not read" } } }
                }
            }
            main #main {
                @for section in &sections { (section) }
                (unread(trends))
            }
        }
        footer {
            p {
                "Written by squall " (trends.squall) ". The same is in " code { "index.json" }
                " for programs; " code { "squall compare" } " says what differs beyond noise."
            }
        }
    };
    Ok(document(&title, &trends.squall, &body, super::script::Script::None).into_string())
}

fn id(number: usize) -> String {
    format!("scenario-{number}")
}

fn header(trends: &Trends, folder: &str) -> Markup {
    let of = |outcome: Outcome| {
        let newest = trends.newest();
        newest
            .filter(|past| past.run.outcome == Some(outcome))
            .count()
    };
    let (runs, scenarios) = (trends.count(), trends.scenarios.len());
    let newest = trends.newest().count();
    html! {
        header .verdict.none #verdict {
            div .inner {
                p .line {
                    strong .outcome { "RUNS" }
                    span .scenario { (folder) }
                    span .against { (runs) @if runs == 1 { " run" } @else { " runs" } }
                }
                h1 {
                    (scenarios) @if scenarios == 1 { " scenario" } @else { " scenarios" } ", and how each went over time"
                }
                p .sentence {
                    "The newest run with each target and settings, of " (newest) ": "
                    (of(Outcome::Pass)) " PASS, " (of(Outcome::Fail)) " FAIL, " (of(Outcome::Invalid)) " INVALID"
                    @if of(Outcome::NoClaims) > 0 { ", " (of(Outcome::NoClaims)) " without claims" }
                    "."
                }
                @if let Some(since) = &trends.since {
                    p .note { "Runs that began since " (day_and_time(since)) " UTC; " (trends.earlier) " began earlier." }
                }
            }
        }
    }
}

fn section(history: &History, number: usize) -> Result<Markup, ChartError> {
    let charts = charts(history, number)?;
    Ok(html! {
        section #(id(number)) {
            h2 { (history.name) }
            @if let Some(question) = &history.question { p .note { (question) } }
            (runs(history))
            (settings(history))
            (newest(history))
            @for chart in &charts { (chart) }
        }
    })
}

fn runs(history: &History) -> Markup {
    let figures = figures(history.runs.iter().map(|past| &past.run));
    let has_several = history.with.len() > 1;
    let numbered: Vec<(usize, &PastRun)> = (1..).zip(&history.runs).collect();
    let left_out = numbered.len().saturating_sub(RUNS_SHOWN);
    html! {
        div .box tabindex="0" role="region" aria-label={ "Runs of " (history.name) } {
            table .stacks.flow.dense[figures.len() > 6] {
                thead { tr {
                    th scope="col" { "run" } th scope="col" { "began" }
                    @if has_several { th scope="col" { "with" } }
                    th scope="col" { "broker" } th scope="col" { "verdict" } th scope="col" { "claims" }
                    @for figure in &figures { th scope="col" .quantity { (figure.heading()) } }
                } }
                tbody {
                    @for (number, past) in numbered.iter().rev().take(RUNS_SHOWN) {
                        tr {
                            td data-of="run" { (number) }
                            td data-of="" { (linked(&past.run, &html! { (day_and_time(&past.started_at)) })) }
                            @if has_several { td .with data-of="with" { (history.with[past.with]) } }
                            td .with data-of="broker" { (past.target) }
                            td data-of="" { (linked(&past.run, &badge_of(&past.run))) }
                            td .whole data-of="" { (counted(&Row { values: &[], runs: vec![&past.run] })) }
                            @for figure in &figures { td .quantity data-of=(figure.heading()) { (figure_cell(&past.run, *figure)) } }
                        }
                    }
                }
            }
        }
        @if left_out > 0 {
            p .note { (left_out) " older runs are in " code { "index.json" } " and in the charts." }
        }
    }
}

/// What sets the targets and settings apart: their names have of it what the rest does not follow from.
fn settings(history: &History) -> Markup {
    let labels: Vec<&str> = history.with.iter().map(String::as_str).collect();
    html! {
        @if !history.differing.is_empty() {
            details {
                summary { "Settings that differ between these runs" }
                (differing::tables(&labels, &history.differing))
            }
        }
    }
}

/// `2026-11-29 10:02:00` for `2026-11-29T10:02:00Z`: all times are of one zone, which the head of a column need not repeat.
fn day_and_time(rfc_3339: &str) -> String {
    rfc_3339.replace('T', " ").replace('Z', "")
}

/// Where the newest run is beyond all before it.
fn newest(history: &History) -> Markup {
    let of = |with: usize| history.newest(with);
    html! {
        @for (with, name) in history.with.iter().enumerate() {
            @let all = of(with);
            @let beyond: Vec<&Newest> = all.iter().filter(|one| one.place != Place::Within).collect();
            @if let Some(most) = all.iter().map(|one| one.count).max() {
                p .note {
                    "The newest run"
                    @if history.with.len() > 1 { " with " (name) }
                    @if beyond.is_empty() {
                        " is within the range of those before it in all of " (all.len()) " figures."
                    } @else {
                        " is beyond all before it in " (beyond.len()) " of " (all.len()) " figures: "
                        @for (place, one) in beyond.iter().enumerate() {
                            @if place > 0 { "; " }
                            (sentence(one))
                        }
                        ". By chance alone, where nothing changes, a figure is so in 2 of " (most + 1) " runs."
                    }
                }
            }
        }
        @if history.runs.len() > 1 && history.with.iter().enumerate().all(|(with, _)| of(with).is_empty()) {
            p .note {
                "Where the newest run stands among those before it is told from " (BEFORE_MIN)
                " valid runs before it on, with the same target and settings."
            }
        }
    }
}

/// `e2e p99 5.20 ms, above 4.10 ms … 4.90 ms of 6 runs`
fn sentence(newest: &Newest) -> String {
    let text = |number| newest.figure.text(number);
    let beyond = match newest.place {
        Place::Below => "below",
        Place::Above => "above",
        Place::Within => "within",
    };
    format!(
        "{} {}, {beyond} {} … {} of {} runs",
        newest.figure.heading(),
        text(newest.value),
        text(newest.before.min),
        text(newest.before.max),
        newest.count
    )
}

fn charts(history: &History, number: usize) -> Result<Vec<Markup>, ChartError> {
    let mut bodies = Vec::new();
    let prefix = format!("{}-", id(number));
    for block in charts_along(&history.run_set(), (0, Spacing::InOrder), &DRAWN, &prefix) {
        bodies.push(block::body(&block, block::Files::None)?);
    }
    Ok(bodies)
}

fn unread(trends: &Trends) -> Markup {
    html! {
        @if !trends.unread.is_empty() {
            section #unread {
                h2 { "Not read" }
                ul { @for file in &trends.unread { li { code { (file.path) } ": " (file.why) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::{Unread, sample};

    use super::*;

    fn trends(targets: &[&str]) -> Trends {
        let mut trends = Trends::default();
        for (minute, target) in targets.iter().enumerate() {
            let mut run = sample::passing();
            run.times.started_at = format!("2026-11-29T10:{minute:02}:00Z");
            run.target.name = Some((*target).to_owned());
            run.identity.scenario.resolved = format!("[target]\nuse = \"{target}\"\n");
            trends.add(&run, Some(format!("{minute}/report.html")));
        }
        trends
    }

    /// Every run is linked, the newest first; figures have charts; nothing is fetched and no id is there twice.
    #[test]
    fn every_run_is_linked_and_drawn() {
        let mut trends = trends(&["squall", "mosquitto", "squall", "squall", "squall"]);
        let mut other = sample::failing();
        other.identity.name = "another".to_owned();
        other.times.started_at = "2026-11-29T11:00:00Z".to_owned();
        trends.add(&other, None);
        other.times.started_at = "2026-11-29T12:00:00Z".to_owned();
        trends.add(&other, None);

        let page = page(&trends, "runs").unwrap();

        let place = |minute: usize| {
            page.find(&format!("href=\"{minute}/report.html\""))
                .unwrap()
        };
        assert!(place(4) < place(3) && place(1) < place(0));
        assert!(page.contains("E2e p99 against run"));
        assert!(page.contains("within the range of those before it"));
        for forbidden in ["http://", "https://", "src=", "<script", "<link", "<iframe"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    /// A run from which nothing follows is neither red nor green, and looks as in its report.
    #[test]
    fn an_invalid_run_has_a_look_of_its_own() {
        let mut trends = Trends::default();
        let mut run = sample::failing();
        run.verdict.outcome = Outcome::Invalid;
        run.verdict.exit_code = 4;
        trends.add(&run, None);

        let page = page(&trends, "runs").unwrap();

        assert!(page.contains("<span class=\"badge invalid\">INVALID (4)</span>"));
        let body = page.split("</style>").nth(1).unwrap();
        assert!(!body.contains("badge bad") && !body.contains("badge good"));
    }

    /// What MQTT 3.1.1 lacks is in no name, and behind a fold of the page.
    #[test]
    fn names_have_the_version_and_not_what_follows_from_it() {
        let mut trends = Trends::default();
        for (minute, version, rest) in [
            (1, "5.0", "session_expiry = \"0s\"\ntopic_alias = 0\n"),
            (2, "3.1.1", ""),
            (3, "3.1.1", ""),
        ] {
            let mut run = sample::passing();
            run.times.started_at = format!("2026-11-29T10:0{minute}:00Z");
            run.identity.scenario.resolved =
                format!("[[group]]\nname = \"g\"\nprotocol = \"{version}\"\n{rest}");
            trends.add(&run, None);
        }

        let page = page(&trends, "runs").unwrap();

        assert_eq!(trends.scenarios[0].with, ["protocol=5.0", "protocol=3.1.1"]);
        assert!(page.contains(">protocol=3.1.1</td>"));
        assert!(page.contains("<summary>protocol: 3 settings that follow from it</summary>"));
        assert!(page.contains("protocol=5.0</text>") && !page.contains("with=protocol"));
    }

    /// What the page leaves out is told.
    #[test]
    fn earlier_runs_are_told_of() {
        let mut trends = Trends::since(Some("2026-11-29T10:02:00Z".to_owned()));
        for minute in [1, 3] {
            let mut run = sample::passing();
            run.times.started_at = format!("2026-11-29T10:0{minute}:00Z");
            trends.add(&run, None);
        }

        let page = page(&trends, "runs").unwrap();

        assert!(page.contains("Runs that began since 2026-11-29 10:02:00 UTC; 1 began earlier."));
    }

    /// What could not be read is told, and cannot become markup.
    #[test]
    fn what_was_not_read_is_told() {
        let mut trends = trends(&["squall"]);
        trends.unread.push(Unread {
            path: "<img src=x>/run.json".to_owned(),
            why: "it ends early".to_owned(),
        });

        let page = page(&trends, "<b>").unwrap();

        assert!(page.contains("it ends early"));
        assert!(!page.contains("<img") && !page.contains("<b>"));
    }
}
