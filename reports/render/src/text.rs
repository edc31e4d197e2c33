//! The report in a few lines for a terminal.

use std::collections::BTreeSet;

use squall_run::{ClaimResult, Line, Outcome, Run, Weight};

use crate::tile::{self, Tile};
use crate::verdict;
use crate::violations;
use crate::wrap::{Margins, wrapped};

/// Whether a terminal's text may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// ANSI escapes.
    Ansi,
    /// None: for files, pipes and `NO_COLOR`.
    None,
}

/// What shows a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Whether it has colours.
    pub colours: Colours,
    /// How wide it is, in columns; `None` for a file or a pipe, whose lines are not broken.
    pub columns: Option<usize>,
}

/// More lines of one weight than this are counted, not printed: the report has them all.
const LINES_SHOWN: usize = 10;
/// A figure's detail stands beside it only if it has this much room, in columns.
const DETAIL_COLUMNS_MIN: usize = 24;

const BOLD: &str = "1";
const DIM: &str = "2";
pub(crate) const RED: &str = "31";
pub(crate) const GREEN: &str = "32";
pub(crate) const YELLOW: &str = "33";
const GREY: &str = "90";

impl Screen {
    /// `text` in a colour, where there are colours.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        match self.colours {
            Colours::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colours::None => text.to_owned(),
        }
    }

    /// `text` after `first` columns, in lines of this screen, the further ones after `next`. Control
    /// characters are gone before escapes come in.
    pub(crate) fn lines(self, text: &str, first: usize, next: usize) -> String {
        let columns = self.columns;
        let margins = Margins {
            first,
            next,
            columns,
        };
        wrapped(&printable(text), margins)
    }
}

/// The verdict, the reasons, the figures that matter and the way to run it again.
pub fn terminal_summary(run: &Run, screen: Screen) -> String {
    let outcome = run.verdict.outcome;
    let word = outcome.as_str();
    let name = &run.identity.name;
    let head = format!("{word}  {name}  {}", verdict::sentence(run));
    let head = screen.lines(&head, 0, word.len() + 2);
    let tone = tone_of(outcome);
    let mut text = screen.paint(&format!("{BOLD};{tone}"), word);
    text.push_str(&head[word.len()..]);
    // What is broken has a line below, which a sentence about it would only say again.
    let answer = run.answer().filter(|_| outcome != Outcome::Fail);
    if let Some(answer) = answer {
        text.push_str(&screen.lines(&answer, 2, 2));
    }
    text.push_str(&claims(run, screen));
    text.push_str(&reasons(run, screen));
    text.push_str(&figures(run, screen));
    if let Some(claims) = verdict::proposal(run) {
        text.push_str("\n  claims to paste into the scenario file:\n\n");
        for line in claims.lines() {
            text.push_str(format!("  {}", printable(line)).trim_end());
            text.push('\n');
        }
    }
    text.push('\n');
    text.push_str(&screen.lines(&verdict::exit_code(run), 2, 4));
    // A command is not broken: it is there to be copied.
    text.push_str(&format!("  again: {}\n", printable(&run.identity.replay)));
    text
}

const fn tone_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => GREEN,
        Outcome::NoClaims => GREY,
        Outcome::Fail => RED,
        Outcome::Invalid => YELLOW,
    }
}

/// What kept devices out, why the run did not pass beside the claims that are broken, by weight, and what must be known
/// beside it.
fn reasons(run: &Run, screen: Screen) -> String {
    let broken = told_as_claims(run);
    let mut text = String::new();
    for refusal in run.refusals() {
        text.push_str(&screen.lines(&refusal, 2, 4));
    }
    for part in run.told() {
        if let Some(heading) = part.weight.heading() {
            text.push_str(&screen.lines(&format!("{heading}:"), 2, 2));
        }
        let tone = match part.weight {
            Weight::Decides => tone_of(run.verdict.outcome),
            Weight::Beside => YELLOW,
            Weight::Follows | Weight::ProvesNothing => GREY,
        };
        let decides = part.weight == Weight::Decides;
        let lines = part.lines.iter();
        let lines: Vec<&Line> = lines
            .filter(|line| !(decides && broken.contains(&line.text)))
            .collect();
        for line in lines.iter().take(LINES_SHOWN) {
            let told = screen.lines(&format!("- {}: {}", line.label, line.text), 2, 4);
            let bullet = screen.paint(tone, "-");
            text.push_str(&told.replacen('-', &bullet, 1));
        }
        let more = lines.len().saturating_sub(LINES_SHOWN);
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
    }
    if let Some(found) = violations::first(run) {
        text.push_str(&screen.lines(&format!("{}:", found.heading), 2, 2));
        for line in found.lines {
            text.push_str(&screen.lines(&format!("- {line}"), 2, 4));
        }
    }
    for note in run.notes().into_iter().chain(run.observations()) {
        text.push_str(&screen.lines(&format!("note: {note}"), 2, 4));
    }
    match text.is_empty() {
        true => text,
        false => format!("\n{text}"),
    }
}

/// What is wrong with the claims that are broken, each of which has a line with what was found and its limit.
fn told_as_claims(run: &Run) -> BTreeSet<String> {
    let claims = run.judged_claims().into_iter();
    let broken = claims.filter(|claim| claim.result == ClaimResult::Broken);
    broken.filter_map(|claim| claim.wrong).collect()
}

/// A line for each tile: label, figure, detail. The detail goes below where there is no room beside.
fn figures(run: &Run, screen: Screen) -> String {
    let tiles = tile::tiles(run);
    let widest = |part: fn(&Tile) -> &str| {
        let widths = tiles.iter().map(|tile| part(tile).chars().count());
        widths.max().unwrap_or(0)
    };
    let (label_width, value_width) = (widest(|tile| &tile.label), widest(|tile| &tile.value));
    let detail_at = label_width + value_width + 6;
    let is_beside = screen
        .columns
        .is_none_or(|columns| columns >= detail_at + DETAIL_COLUMNS_MIN);
    // Where columns of figures have no room, each stands behind its label.
    let is_aligned = screen.columns.is_none_or(|columns| columns >= detail_at);
    let (label_width, value_width) = match is_aligned {
        true => (label_width, value_width),
        false => (0, 0),
    };
    let mut text = String::new();
    if !tiles.is_empty() {
        text.push('\n');
    }
    for tile in &tiles {
        let value = format!("{:>value_width$}", tile.value);
        let value = match tile.held {
            Some(ClaimResult::Broken) => screen.paint(RED, &value),
            Some(ClaimResult::NotJudged) => screen.paint(YELLOW, &value),
            Some(ClaimResult::Held) | None => value,
        };
        let label = printable(&tile.label);
        text.push_str(&format!("  {label:<label_width$}  {value}"));
        let at = if is_beside { detail_at } else { 6 };
        let detail = screen.lines(&tile.detail, at, at);
        if tile.detail.is_empty() {
            text.push('\n');
        } else if is_beside {
            let detail = screen.paint(DIM, detail.trim());
            text.push_str(&format!("  {detail}\n"));
        } else {
            text.push_str(&format!("\n      {}\n", screen.paint(DIM, detail.trim())));
        }
    }
    text
}

/// A line for each claim: what is broken first, then what could not be judged, then what held.
fn claims(run: &Run, screen: Screen) -> String {
    let is_proof = match run.verdict.outcome {
        Outcome::Pass | Outcome::Fail => true,
        Outcome::Invalid | Outcome::NoClaims => false,
    };
    let lines = run.claim_lines();
    let lines = lines.iter().map(|line| {
        let (mark, tone) = match line.result {
            ClaimResult::Held if is_proof => ("✓", GREEN),
            ClaimResult::Held => ("✓", GREY),
            ClaimResult::Broken => ("✗", RED),
            ClaimResult::NotJudged => ("?", YELLOW),
        };
        let limit = line.limit.as_ref().map(|limit| format!(", limit {limit}"));
        let headroom = line.headroom().map(|headroom| format!(" ({headroom})"));
        let [limit, headroom] = [limit, headroom].map(Option::unwrap_or_default);
        let text = format!("{mark} {}: {}{limit}{headroom}", line.about, line.found);
        let told = screen.lines(&text, 2, 4);
        told.replacen(mark, &screen.paint(tone, mark), 1)
    });
    let lines: String = lines.collect();
    match lines.is_empty() {
        true => lines,
        false => format!("\n{lines}"),
    }
}

/// `text` without control characters: a name must not move the cursor.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// A pipe, or a terminal that breaks no lines.
    fn screen(colours: Colours) -> Screen {
        Screen {
            colours,
            columns: None,
        }
    }

    /// A failed run says what broke before anything else.
    #[test]
    fn the_verdict_comes_first() {
        let text = terminal_summary(&sample::failing(), screen(Colours::None));

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "FAIL  network-jitter  2 of 8 invariants broken, 1 of 3 thresholds broken."
        );
        assert_eq!(lines[2], "  ✗ delivery, QoS 1: lost 7, claimed 0");
        assert!(text.contains("  Lost"));
        assert!(lines.last().unwrap().starts_with("  again: squall run"));
    }

    /// Each claim has a line with what was found, and what is broken stands first.
    #[test]
    fn each_claim_has_a_line() {
        let run = sample::failing();

        let text = terminal_summary(&run, screen(Colours::None));

        let marks: Vec<char> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.chars().next())
            .filter(|mark| ['✓', '✗', '?'].contains(mark))
            .collect();
        assert_eq!(marks.len(), run.claim_lines().len());
        assert!(marks.starts_with(&['✗', '✗', '✗', '✓']), "{marks:?}");
        for threshold in &run.measured.thresholds {
            let actual = threshold.actual.as_ref().expect("it was measured");
            let line = format!(
                "{} {}: {actual}, limit",
                threshold.selector(),
                threshold.aggregate
            );
            assert_eq!(text.matches(&line).count(), 1, "{line}: {text}");
        }
    }

    /// What is broken is told once, in the line of its claim; what no claim is about is told beside it.
    #[test]
    fn what_is_broken_is_told_once() {
        let mut run = sample::failing();
        let ended = squall_run::Reason::BrokerEnded("the broker died".to_owned());
        run.verdict.reasons.insert(0, ended);

        let text = terminal_summary(&run, screen(Colours::None));

        let figure = "1.34 s";
        assert_eq!(text.matches(figure).count(), 1, "{text}");
        assert_eq!(text.matches("the broker died").count(), 1, "{text}");
    }

    /// The last line but one says which of the meanings of an exit code it is.
    #[test]
    fn the_exit_code_is_told_with_what_it_means_here() {
        let of = |run: &Run| {
            let text = terminal_summary(run, screen(Colours::None));
            let line = text.lines().find(|line| line.contains("exit code"));
            line.expect("it is there").trim().to_owned()
        };

        assert_eq!(of(&sample::passing()), "exit code 0: passed");
        assert_eq!(
            of(&sample::failing()),
            "exit code 98: an invariant is broken ([[expect]])"
        );
    }

    /// Plain text has no escapes, not even those of a hostile name.
    #[test]
    fn plain_text_has_no_escapes() {
        let mut run = sample::failing();
        run.identity.name = "evil\u{1b}[2J\r\n".to_owned();

        let plain = terminal_summary(&run, screen(Colours::None));
        let coloured = terminal_summary(&run, screen(Colours::Ansi));

        assert!(!plain.contains('\u{1b}') && !plain.contains('\r'));
        assert!(coloured.contains("\u{1b}[1;31mFAIL"));
        assert!(!coloured.contains("\u{1b}[2J"));
    }

    /// No line is wider than the terminal, but for what is there to be copied, and no word is cut.
    #[test]
    fn lines_fit_the_terminal() {
        for columns in [40, 60, 80, 120] {
            let screen = Screen {
                colours: Colours::None,
                columns: Some(columns),
            };

            let text = terminal_summary(&sample::failing(), screen);

            let whole = terminal_summary(&sample::failing(), super::tests::screen(Colours::None));
            let words = |text: &str| -> Vec<String> {
                text.split_whitespace().map(str::to_owned).collect()
            };
            assert_eq!(words(&text), words(&whole));
            for line in text.lines().filter(|line| !line.contains("again:")) {
                let is_one_word = line.split_whitespace().count() == 1;
                assert!(line.chars().count() <= columns || is_one_word, "{line}");
            }
        }
    }

    /// A run that claims nothing shows claims to paste, also in summary.md.
    #[test]
    fn claims_are_proposed() {
        let mut run = sample::passing();
        run.measured.checks.clear();
        run.measured.thresholds.clear();
        run.verdict = squall_run::Verdict::judge(&[], &[], squall_run::Extent::Whole, []);

        let text = terminal_summary(&run, screen(Colours::None));
        let markdown = crate::markdown::summary(&run);

        assert!(text.starts_with("NO CLAIMS  network-jitter  The scenario claims nothing"));
        assert!(text.contains("\n  [[expect]]\n  check = \"delivery\"\n  lost = 0\n"));
        assert!(text.lines().all(|line| line == line.trim_end()));
        assert!(markdown.contains("\n```toml\n[[expect]]\ncheck = \"delivery\"\n"));
    }
}
