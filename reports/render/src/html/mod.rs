//! The report as one HTML file: nothing is fetched, nothing is run.
//!
//! The page carries its style, its font and its charts, and forbids everything else by a content
//! security policy. All text from a run is escaped by the template engine. Charts are there
//! twice, wide and narrow, and the stylesheet shows the one that fits.

mod bench_suite;
mod block;
mod claim_cells;
mod compare;
mod differing;
mod figures;
mod runs;
mod script;
mod style;
mod trends;

pub(crate) use bench_suite::page as bench_suite_page;
pub(crate) use compare::page as compare_page;
pub(crate) use runs::page as runs_page;
pub use script::source_of as policy_source;
pub use style::page_style;
pub(crate) use trends::page as trends_page;

use block::Files;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use squall_run::{ClaimResult, Outcome, Part, Run, Weight, duration_text};

use crate::chart::ChartError;
use crate::section::{self, Absent, Section};
use crate::tile;
use crate::verdict;
use script::Script;

/// The page.
pub(crate) fn page(run: &Run) -> Result<String, ChartError> {
    let (sections, absent) = section::sections(run);
    let bodies = sections
        .iter()
        .map(section_body)
        .collect::<Result<Vec<Markup>, ChartError>>()?;
    let outcome = run.verdict.outcome;
    let title = format!("{} · {} · squall", run.identity.name, outcome.as_str());
    let body = html! {
        a .skip href="#main" { "Skip to the report" }
        (header(run))
        div .page {
            (navigation(&sections, &absent))
            main #main {
                (figures::figures(&tile::ranked(run)))
                (figures::observations(run))
                p .note { a href="#appendix" { "What the words and the metrics mean" } }
                @for body in bodies { (body) }
                (missing(&absent))
            }
        }
        (footer(run))
    };
    let version = &run.identity.squall.version;
    Ok(document(&title, version, &body, Script::Inline).into_string())
}

/// A whole page around `body`, written by `version` of squall.
fn document(title: &str, version: &str, body: &Markup, script: Script) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content={ "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:" (script.policy()) };
                meta name="generator" content={ "squall " (version) };
                title { (title) }
                style { (PreEscaped(style::sheet())) }
            }
            body {
                (body)
                @match script {
                    Script::Inline => script { (PreEscaped(script::TEXT)) },
                    Script::None => {}
                }
            }
        }
    }
}

fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::NoClaims => "none",
        Outcome::Fail => "fail",
        Outcome::Invalid => "invalid",
    }
}

fn header(run: &Run) -> Markup {
    let identity = &run.identity;
    let verdict = &run.verdict;
    let target = run.target.shown();
    html! {
        header .verdict.(outcome_class(verdict.outcome)) #verdict {
            div .inner { div {
                p .line {
                    strong .outcome { (verdict.outcome.as_str()) }
                    span .scenario { (identity.name) }
                    span .against { "against " (target) }
                }
                @if let Some(question) = &identity.question { h1 { (question) } }
                @else { h1 { (identity.name) } }
                @if let Some(answer) = run.answer() { p .answer { (answer) } }
                p .sentence { (verdict::sentence(run)) }
                @for refusal in run.refusals() { p .sentence { (refusal) } }
                @for part in run.told() { (reasons(&part)) }
                @for note in run.notes() { p .note { "Note: " (note) } }
                @if let Some(claims) = verdict::proposal(run) {
                    div .proposal {
                        p { "Claims to paste into the scenario file, from what this run saw:" }
                        pre tabindex="0" { code { (claims) } }
                    }
                }
                dl .again {
                    dt { "Run it again" }
                    dd { code { @for word in identity.replay.split(' ') { span { (word) } " " } } }
                }
                p .small {
                    (run.times.started_at.replace('T', " ").replace('Z', " UTC"))
                    " · lasted " (duration_text(run.times.duration_s))
                    " · seed " (identity.seed)
                    " · " (verdict::exit_code(run))
                }
            } (claims(run)) }
        }
    }
}

/// What was claimed, a line each: what is broken first.
fn claims(run: &Run) -> Markup {
    let lines = run.claim_lines();
    let is_proof = match run.verdict.outcome {
        Outcome::Pass | Outcome::Fail => true,
        Outcome::Invalid | Outcome::NoClaims => false,
    };
    html! {
        @if !lines.is_empty() {
            aside .claims aria-label="Claims" {
                ul {
                    @for line in &lines {
                        li .(claim_class(line.result, is_proof)) {
                            span .mark aria-hidden="true" { (mark(line.result)) } " "
                            span .kind { (line.about) } " " (unbroken(&line.found))
                            @if let Some(limit) = &line.limit { ", limit " (unbroken(limit)) }
                            @if let Some(headroom) = line.headroom() { span .headroom { " (" (headroom) ")" } }
                            span .read { ", " (line.result.word()) }
                        }
                    }
                }
                p .note { a href="#judgement" { "All claims" } }
            }
        }
    }
}

/// Where nothing follows from a run, nothing of it is green.
fn claim_class(result: ClaimResult, is_proof: bool) -> &'static str {
    match (result, is_proof) {
        (ClaimResult::Held, false) => "plain",
        (result, _) => tone_of(result),
    }
}

/// A mark that needs no colour.
fn mark(result: ClaimResult) -> &'static str {
    match result {
        ClaimResult::Held => "✓",
        ClaimResult::Broken => "✗",
        ClaimResult::NotJudged => "?",
    }
}

/// Reasons of one weight under their heading. What only follows from another is folded below it.
fn reasons(part: &Part) -> Markup {
    let (class, heading) = (weight_class(part.weight), part.weight.heading());
    let list = html! {
        ul .reasons.(class) {
            @for line in &part.lines { li { span .kind { (line.label) } " " (line.text) } }
        }
    };
    match (part.weight, heading) {
        (Weight::Follows, Some(heading)) => html! {
            details .weight { summary { (heading) " (" (part.lines.len()) ")" } (list) }
        },
        (_, Some(heading)) => html! { p .weight { (heading) ":" } (list) },
        (_, None) => list,
    }
}

fn weight_class(weight: Weight) -> &'static str {
    match weight {
        Weight::Decides => "decides",
        Weight::Follows => "follows",
        Weight::Beside => "beside",
        Weight::ProvesNothing => "seen",
    }
}

/// Heading of the sections that have nothing to show.
const ABSENT: &str = "Not in this report, and why";

fn navigation(sections: &[Section], absent: &[Absent]) -> Markup {
    html! {
        nav aria-label="Sections" {
            ul {
                li { a href="#verdict" { "Verdict" } }
                @for section in sections {
                    li { a href={ "#" (section.id) } { (section.title) } }
                }
                @if !absent.is_empty() { li { a href="#absent" { (ABSENT) } } }
            }
        }
    }
}

/// `text` whose numbers stay on one line with their units.
fn unbroken(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let keep = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        letters[index] == ' ' && before.is_some_and(char::is_ascii_digit)
    };
    (0..letters.len())
        .map(|index| {
            if keep(index) {
                '\u{a0}'
            } else {
                letters[index]
            }
        })
        .collect()
}

/// How a badge with the word for `result` looks.
fn tone_of(result: ClaimResult) -> &'static str {
    match result {
        ClaimResult::Held => "good",
        ClaimResult::Broken => "bad",
        ClaimResult::NotJudged => "doubt",
    }
}

fn section_body(section: &Section) -> Result<Markup, ChartError> {
    let blocks = section
        .blocks
        .iter()
        .map(|block| block::body(block, Files::Beside))
        .collect::<Result<Vec<Markup>, ChartError>>()?;
    Ok(html! {
        section #(section.id) {
            h2 { (section.title) (anchor(section.id)) }
            @for block in blocks { (block) }
        }
    })
}

/// A link to a heading, to be sent to a colleague.
fn anchor(id: &str) -> Markup {
    html! { a .anchor href={ "#" (id) } aria-label="Link to this part" { "#" } }
}

fn missing(absent: &[Absent]) -> Markup {
    html! {
        @if !absent.is_empty() {
            section #absent {
                h2 { (ABSENT) }
                ul {
                    @for missing in absent { li { b { (missing.title) } ": " (missing.why) "." } }
                }
            }
        }
    }
}

fn footer(run: &Run) -> Markup {
    html! {
        footer {
            p {
                "Written by squall " (run.identity.squall.version) " from "
                a href="run.json" { "run.json" } " beside this file, which has everything that is shown here. Figures for programs are in "
                a href="summary.json" { "summary.json" } ", tables in " a href="tables/" { "tables/" }
                " as CSV, charts in " a href="charts/" { "charts/" } " as SVG and PNG."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::{Reason, sample};

    use super::*;

    /// The page asks for nothing beyond itself: no address of another place is in it.
    #[test]
    fn nothing_is_fetched() {
        for run in [sample::passing(), sample::failing(), sample::empty()] {
            let page = page(&run).unwrap();

            for forbidden in [
                "http://", "https://", "src=", "url(h", "@import", "<link", "<iframe", "fetch(",
                "import(",
            ] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
        }
    }

    /// The page has one script, and its policy allows that one by its hash.
    #[test]
    fn the_script_is_allowed_by_its_hash() {
        let page = page(&sample::passing()).unwrap();

        let (_, after) = page.split_once("<script>").unwrap();
        let (script, _) = after.split_once("</script>").unwrap();
        assert_eq!(page.matches("<script").count(), 1);
        let policy = format!("script-src '{}'", script::source_of(script));
        assert!(page.contains(&policy), "{policy}");
    }

    /// The verdict comes first, then the figures, then the sections in order.
    #[test]
    fn parts_are_in_order() {
        let page = page(&sample::failing()).unwrap();

        let parts = [
            "id=\"verdict\"",
            "class=\"claims\"",
            "class=\"tiles\"",
            "id=\"judgement\"",
            "id=\"accounting\"",
            "id=\"latency\"",
            "id=\"time\"",
            "id=\"qos2\"",
            "id=\"connections\"",
            "id=\"wills\"",
            "id=\"takeover\"",
            "id=\"network\"",
            "id=\"retained\"",
            "id=\"resources\"",
            "id=\"generator\"",
            "id=\"faults\"",
            "id=\"errors\"",
            "id=\"run\"",
            "id=\"appendix\"",
        ];
        let places: Vec<Option<usize>> = parts.iter().map(|part| page.find(part)).collect();
        assert!(places.iter().all(Option::is_some), "{places:?}");
        assert!(places.is_sorted(), "{places:?}");
    }

    /// Names from a scenario or a broker cannot become markup, wherever they appear.
    #[test]
    fn hostile_names_are_escaped() {
        let evil = "</style><img src=x onerror=alert(1)>\"'&";
        let mut run = sample::failing();
        run.identity.name = evil.to_owned();
        run.identity.question = Some(evil.to_owned());
        run.identity.replay = evil.to_owned();
        run.identity.scenario.resolved = evil.to_owned();
        run.target.software = Some(evil.to_owned());
        run.target.url = evil.to_owned();
        run.settings.groups[0].name = evil.to_owned();
        run.measured.faults[0].name = evil.to_owned();
        run.measured.networks[0].profile = evil.to_owned();
        run.measured.anomalies[0].topic = Some(evil.to_owned());
        run.measured.checks[0].claims[0].key = evil.to_owned();
        for cell in &mut run.measured.metrics.cells {
            cell.tags.insert("how".to_owned(), evil.to_owned());
        }
        run.verdict = squall_run::Verdict::judge(
            &run.measured.checks,
            &[],
            squall_run::Extent::Whole,
            [Reason::Invalid(evil.to_owned())],
        );

        let page = page(&run).unwrap();

        assert!(!page.contains("<img"));
        assert_eq!(page.matches("</style>").count(), 1);
    }

    /// A run that claims nothing is grey, not green, and shows what it could claim.
    #[test]
    fn no_claims_is_not_a_pass() {
        let mut run = sample::passing();
        run.measured.checks.clear();
        run.measured.thresholds.clear();
        run.verdict = squall_run::Verdict::judge(&[], &[], squall_run::Extent::Whole, []);

        let page = page(&run).unwrap();

        assert!(page.contains("verdict none"));
        assert!(page.contains(">NO CLAIMS<"));
        assert!(page.contains("check = &quot;delivery&quot;"));
        assert!(!page.contains("tile good"));
    }

    /// Sections without data are named at the end rather than shown empty.
    #[test]
    fn what_is_missing_is_named() {
        let page = page(&sample::empty()).unwrap();

        assert!(page.contains("<b>Last Will</b>: no connection with a will ended."));
        assert!(page.contains("<a href=\"#absent\">Not in this report, and why</a>"));
        assert!(!page.contains("id=\"wills\""));
    }
}
