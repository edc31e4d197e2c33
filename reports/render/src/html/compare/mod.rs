//! The page of a comparison: verdicts, figures, spectra, charts over time, what broke and what else differs, side by side.

mod figures;

use maud::{Markup, PreEscaped, html};
use squall_run::{Certainty, ClaimResult, Side, SideBySide};

use super::claim_cells::{counted, judged};
use super::{block, differing, document, runs};
use crate::chart::sides::{self, Multiples};
use crate::chart::{Canvas, ChartError};
use crate::compare::{broken_sentence, sentence};
use crate::section::Block;

/// The page.
pub(crate) fn page(sides: &[Side], all: &SideBySide) -> Result<String, ChartError> {
    let spectra = spectra(sides)?;
    let over_time = over_time(sides)?;
    let title = format!("{} · {} · squall", all.name, labels(all).join(" against "));
    let links = [
        ("verdict", "In short", true),
        ("runs", "Verdicts", true),
        ("figures", "Figures", true),
        ("spectra", "Spectra", spectra.is_some()),
        ("over-time", "Over time", over_time.is_some()),
        ("broken", "What each broke", true),
        ("settings", "Settings that differ", true),
        ("files", "Run files", true),
    ];
    let body = html! {
        a .skip href="#main" { "Skip to the figures" }
        (header(all))
        div .page {
            nav aria-label="Sections" {
                ul {
                    @for (id, title, _) in links.iter().filter(|(_, _, is_there)| *is_there) {
                        li { a href={ "#" (id) } { (title) } }
                    }
                }
            }
            main #main {
                (verdicts(all))
                (figures::table(all))
                @if let Some(spectra) = spectra { (spectra) }
                @if let Some(over_time) = over_time { (over_time) }
                (broken(all))
                (settings(all))
                (files(all))
            }
        }
        footer {
            p {
                "Written by squall " (all.squall) ". The same is in " code { "compare.md" } " and, for programs, in "
                code { "compare.json" } "."
            }
        }
    };
    Ok(document(&title, &all.squall, &body, super::script::Script::None).into_string())
}

fn labels(all: &SideBySide) -> Vec<&str> {
    all.sides.iter().map(|side| side.label.as_str()).collect()
}

fn header(all: &SideBySide) -> Markup {
    html! {
        header .verdict.none #verdict {
            div .inner {
                p .line {
                    strong .outcome { "COMPARE" }
                    span .scenario { (all.name) }
                    span .against { (labels(all).join(" against ")) }
                }
                @let broken = broken_sentence(all);
                @let sure = all.answer.first().filter(|answer| answer.certainty == Certainty::BeyondNoise);
                @let first = sure.filter(|_| broken.is_empty());
                h1 {
                    @if let Some(answer) = first { (super::unbroken(&answer.text)) }
                    @else if broken.is_empty() { (labels(all).join(" against ")) }
                    @else { (broken) }
                }
                @if let Some(question) = &all.question { p .sentence { "The scenario asks: " (question) } }
                @for part in all.answer.iter().skip(usize::from(first.is_some())) {
                    @match part.certainty {
                        Certainty::BeyondNoise => p .answer { (super::unbroken(&part.text)) },
                        Certainty::WithinNoise | Certainty::NoiseUnknown => p .sentence { (super::unbroken(&part.text)) },
                    }
                }
                @for sentence in (1..all.sides.len()).filter_map(|side| sentence(all, side)) { p .sentence { (sentence) } }
                @for note in &all.notes { p .note { "Note: " (note) } }
            }
        }
    }
}

fn verdicts(all: &SideBySide) -> Markup {
    let set = all.run_set();
    html! {
        section #runs {
            h2 { "Verdicts" }
            div .box tabindex="0" role="region" aria-label="Verdicts" {
                table .stacks {
                    thead { tr {
                        th scope="col" { "side" } th scope="col" { "target" } th scope="col" { "verdict" }
                        th scope="col" { "claims" } th scope="col" .quantity { "runs compared" }
                    } }
                    tbody {
                        @for (row, side) in set.rows().iter().zip(&all.sides) {
                            tr {
                                td data-of="" { (side.label) }
                                td data-of="target" { (side.target) }
                                td data-of="verdict" { (runs::verdict(row)) }
                                td data-of="claims" { (counted(row)) }
                                td .quantity data-of="runs compared" { (side.compared) " of " (row.runs.len()) }
                            }
                        }
                    }
                }
            }
            @for left_out in all.sides.iter().flat_map(|side| &side.left_out) {
                p .note { "Left out: " (left_out) "." }
            }
        }
    }
}

fn spectra(sides: &[Side]) -> Result<Option<Markup>, ChartError> {
    let mut bodies = Vec::new();
    for (chart, numbers) in sides::spectra(sides) {
        bodies.push(block::body(
            &Block::Chart(Box::new(chart), numbers),
            block::Files::None,
        )?);
    }
    let section = html! {
        section #spectra {
            h2 { "Spectra" }
            @for body in &bodies { (body) }
        }
    };
    Ok((!bodies.is_empty()).then_some(section))
}

fn over_time(sides: &[Side]) -> Result<Option<Markup>, ChartError> {
    let mut rows = Vec::new();
    for multiples in sides::over_time(sides) {
        rows.push(multiples_body(&multiples)?);
    }
    let section = html! {
        section #over-time {
            h2 { "Over time" }
            @for row in &rows { (row) }
        }
    };
    Ok((!rows.is_empty()).then_some(section))
}

fn multiples_body(multiples: &Multiples) -> Result<Markup, ChartError> {
    let mut charts = Vec::new();
    for (label, chart) in &multiples.charts {
        charts.push((label, chart.to_inline_svg(&Canvas::small())?));
    }
    Ok(html! {
        figure #(multiples.id) {
            h3 { (multiples.title) }
            div .multiples {
                @for (label, svg) in charts {
                    div { p .label { (label) } div .chart { (PreEscaped(svg)) } }
                }
            }
            figcaption { (multiples.caption) }
        }
    })
}

/// Claims that a side broke, or that were not judged, and why its runs did not pass.
fn broken(all: &SideBySide) -> Markup {
    let set = all.run_set();
    let rows = set.rows();
    let names = set.judgements();
    let is_held = |name: &&&str| {
        let mut judgements = rows.iter().flat_map(|row| row.judgements(name));
        judgements.all(|one| one.result == ClaimResult::Held)
    };
    let (held, other): (Vec<&&str>, Vec<&&str>) = names.iter().partition(is_held);
    html! {
        section #broken {
            h2 { "What each broke" }
            @if other.is_empty() && names.is_empty() { p { "The scenario claims nothing." } }
            @else if other.is_empty() { p { "Nothing: all " (held.len()) " claims held in every run." } }
            @else {
                div .box tabindex="0" role="region" aria-label="Claims" {
                    table .stacks {
                        thead { tr {
                            th scope="col" { "claim" }
                            @for side in &all.sides { th scope="col" { (side.label) } }
                        } }
                        tbody {
                            @for name in &other {
                                tr {
                                    td .figure data-of="" { (name) }
                                    @for (row, side) in rows.iter().zip(&all.sides) {
                                        td data-of=(side.label) { (judged(&row.judgements(name))) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if !held.is_empty() { p .note { (held.len()) " further claims held in every run of every side." } }
            }
            @for run in set.runs.iter().filter(|run| !run.reasons.is_empty()) {
                details {
                    summary { (run.values[0]) ", run " (run.number) ": " (run.verdict()) }
                    ul { @for reason in &run.reasons { li { (reason) } } }
                }
            }
        }
    }
}

fn settings(all: &SideBySide) -> Markup {
    html! {
        section #settings {
            h2 { "Settings that differ" }
            @if all.settings.is_empty() { p { "None: target, machine, squall and scenario are the same." } }
            @else { (differing::tables(&labels(all), &all.settings)) }
        }
    }
}

fn files(all: &SideBySide) -> Markup {
    let set = all.run_set();
    html! {
        section #files {
            h2 { "Run files" }
            div .box tabindex="0" role="region" aria-label="Run files" {
                table {
                    thead { tr {
                        th scope="col" { "side" } th scope="col" { "run" } th scope="col" { "seed" }
                        th scope="col" { "verdict" } th scope="col" { "file" }
                    } }
                    tbody {
                        @for (row, side) in set.rows().iter().zip(&all.sides) {
                            @for (run, file) in row.runs.iter().zip(&side.run_files) {
                                tr {
                                    td { (side.label) }
                                    td { (run.number) }
                                    td { (run.seed) }
                                    td {
                                        @match &run.report {
                                            Some(report) => a href=(report) { (runs::badge_of(run)) },
                                            None => (runs::badge_of(run)),
                                        }
                                    }
                                    td { code { (file) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::{Run, RunOfSide, sample};

    use super::*;

    fn side(label: &str, runs: Vec<Run>) -> Side {
        let of_side = |run| RunOfSide {
            run,
            path: format!("{label}/run.json"),
            report: Some(format!("{label}/report.html")),
        };
        Side {
            label: label.to_owned(),
            runs: runs.into_iter().map(of_side).collect(),
        }
    }

    fn page_of(sides: &[Side]) -> String {
        page(sides, &SideBySide::of(sides).unwrap()).unwrap()
    }

    fn with_lost(lost: u64) -> Run {
        let mut run = sample::passing();
        run.measured.accounting.deliveries[0].lost += lost;
        run
    }

    /// Every part is there, both reports are linked, and nothing is fetched.
    #[test]
    fn all_parts_are_there_and_nothing_is_fetched() {
        let page = page_of(&[
            side("a", vec![sample::passing(); 2]),
            side("b", vec![sample::failing(); 2]),
        ]);

        for id in [
            "verdict",
            "runs",
            "figures",
            "spectra",
            "over-time",
            "broken",
            "settings",
            "files",
        ] {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
        for report in ["href=\"a/report.html\"", "href=\"b/report.html\""] {
            assert!(page.contains(report), "{report}");
        }
        for forbidden in ["http://", "https://", "src=", "<script", "<link", "<iframe"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    /// What is beyond noise has a colour and a word; nothing else has either.
    #[test]
    fn only_what_is_beyond_noise_is_coloured() {
        let coloured = |page: &str| {
            page.matches("<td class=\"quantity difference good\" ")
                .count()
                + page
                    .matches("<td class=\"quantity difference bad\" ")
                    .count()
        };
        let many = || vec![with_lost(900), with_lost(905), with_lost(910)];

        let apart = page_of(&[side("a", vec![sample::passing(); 3]), side("b", many())]);
        let equal = page_of(&[side("a", many()), side("b", many())]);
        let single = page_of(&[
            side("a", vec![sample::passing()]),
            side("b", vec![with_lost(900)]),
        ]);

        assert_eq!(coloured(&apart), 1);
        assert!(apart.contains("<span class=\"badge bad\">worse</span>"));
        assert_eq!((coloured(&equal), coloured(&single)), (0, 0));
        assert!(
            single.contains("noise unknown") && single.contains("b has one run: noise is unknown")
        );
    }

    /// The answer stands above the tables; what noise does not explain is set apart from what it may.
    #[test]
    fn the_answer_stands_first() {
        let greedy = || {
            let mut run = sample::passing();
            if let Some(used) = &mut run.resources.broker.measured {
                used.rss_bytes.peak *= 3.0;
            }
            run
        };
        let of = |count: usize| {
            page_of(&[
                side("a", vec![sample::passing(); count]),
                side("b", vec![greedy(); count]),
            ])
        };
        let said = "b used 3.00\u{a0}times a's memory at the peak";

        let (single, many) = (of(1), of(5));

        assert!(single.contains(&format!("<p class=\"sentence\">{said}")));
        assert!(!single.contains("<p class=\"answer\">"));
        assert!(many.contains(&format!("<h1>{said}")));
        assert!(many.find(said).unwrap() < many.find("id=\"runs\"").unwrap());
    }

    /// What follows from a version of MQTT is behind a fold.
    #[test]
    fn what_follows_from_another_setting_is_folded() {
        let of = |version: &str, rest: &str| {
            let mut run = sample::passing();
            run.identity.scenario.resolved =
                format!("[[group]]\nname = \"g\"\nprotocol = \"{version}\"\n{rest}");
            run
        };
        let page = page_of(&[
            side(
                "a",
                vec![of("5.0", "session_expiry = \"0s\"\ntopic_alias = 0\n")],
            ),
            side("b", vec![of("3.1.1", "")]),
        ]);

        let fold = page.find("<summary>protocol: 3 settings that follow from it</summary>");
        let fold = fold.expect("there is a fold");
        assert!(page.find("group.g.topic_alias").unwrap() > fold);
        assert!(page.contains(
            "what differs: protocol 3.1.1 instead of 5.0, and 3 settings that follow from it."
        ));
    }

    /// All charts of a row have one scale: the highest value of either side fits in both.
    #[test]
    fn charts_of_a_row_have_the_same_scales() {
        let mut long = sample::passing();
        for interval in &mut long.measured.series.intervals {
            interval.e2e_latency.record_us(3_000_000);
        }
        let rows = sides::over_time(&[side("a", vec![sample::passing()]), side("b", vec![long])]);

        assert!(rows.len() >= 3, "{}", rows.len());
        for row in rows {
            let scales: Vec<_> = row
                .charts
                .iter()
                .map(|(_, chart)| (chart.figure.x.scale, chart.figure.y.scale))
                .collect();
            assert_eq!(scales.len(), 2, "{}", row.id);
            assert_eq!(scales[0], scales[1], "{}", row.id);
        }
    }

    /// Labels come from folders and cannot become markup.
    #[test]
    fn hostile_labels_are_escaped() {
        let page = page_of(&[
            side("<img src=x>", vec![sample::passing()]),
            side("b\"><script>", vec![sample::failing()]),
        ]);

        assert!(!page.contains("<img") && !page.contains("<script"));
    }
}
