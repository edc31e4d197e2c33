//! The report in a few lines for a terminal.

use squall_run::{ClaimResult, Outcome, Run};

use crate::tile;
use crate::verdict;

/// Whether a terminal's text may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// ANSI escapes.
    Ansi,
    /// None: for files, pipes and `NO_COLOR`.
    None,
}

/// More reasons than this are counted, not printed: the report has them all.
const REASONS_SHOWN: usize = 10;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const GREY: &str = "90";

/// The verdict, the reasons, the figures that matter and the way to run it again.
pub fn terminal_summary(run: &Run, colours: Colours) -> String {
    let paint = |code: &str, text: &str| match colours {
        Colours::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        Colours::None => text.to_owned(),
    };
    let outcome = run.verdict.outcome;
    let tone = match outcome {
        Outcome::Pass => GREEN,
        Outcome::NoClaims => GREY,
        Outcome::Fail => RED,
        Outcome::Invalid => YELLOW,
    };
    let word = paint(&format!("{BOLD};{tone}"), outcome.as_str());
    let mut text = format!(
        "{word}  {}  {}\n",
        printable(&run.identity.name),
        verdict::sentence(run)
    );
    text.push_str(&reasons(run, &paint(tone, "-")));
    let tiles = tile::tiles(run);
    let label_width = tiles
        .iter()
        .map(|tile| tile.label.chars().count())
        .max()
        .unwrap_or(0);
    let value_width = tiles
        .iter()
        .map(|tile| tile.value.chars().count())
        .max()
        .unwrap_or(0);
    if !tiles.is_empty() {
        text.push('\n');
    }
    for tile in tiles {
        let value = format!("{:>value_width$}", tile.value);
        let value = if tile.held == Some(ClaimResult::Broken) {
            paint(RED, &value)
        } else {
            value
        };
        let label = printable(&tile.label);
        let line = format!(
            "  {label:<label_width$}  {value}  {}",
            paint(DIM, &printable(&tile.detail))
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if let Some(claims) = verdict::proposal(run) {
        text.push_str("\n  claims to paste into the scenario file:\n\n");
        for line in claims.lines() {
            text.push_str(format!("  {}", printable(line)).trim_end());
            text.push('\n');
        }
    }
    text.push_str(&format!("\n  again: {}\n", printable(&run.identity.replay)));
    text
}

/// What kept devices out, and why the run did not pass, a line each after `bullet`.
fn reasons(run: &Run, bullet: &str) -> String {
    let mut text = String::new();
    for refusal in verdict::refusals(run) {
        text.push_str(&format!("  {}\n", printable(&refusal)));
    }
    for reason in run.verdict.reasons.iter().take(REASONS_SHOWN) {
        text.push_str(&format!("  {} {}\n", bullet, printable(reason.text())));
    }
    let more = run.verdict.reasons.len().saturating_sub(REASONS_SHOWN);
    if more > 0 {
        text.push_str(&format!("  and {more} more\n"));
    }
    for note in run.measured.notes() {
        text.push_str(&format!("  note: {}\n", printable(&note)));
    }
    text
}

/// `text` without control characters: a name must not move the cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// A failed run says what broke before anything else.
    #[test]
    fn the_verdict_comes_first() {
        let text = terminal_summary(&sample::failing(), Colours::None);

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "FAIL  network-jitter  2 of 8 invariants broken, 1 of 3 thresholds broken."
        );
        assert_eq!(lines[1], "  - delivery (qos 1): lost should be 0, was 7");
        assert!(text.contains("  Lost"));
        assert!(lines.last().unwrap().starts_with("  again: squall run"));
    }

    /// Plain text has no escapes, not even those of a hostile name.
    #[test]
    fn plain_text_has_no_escapes() {
        let mut run = sample::failing();
        run.identity.name = "evil\u{1b}[2J\r\n".to_owned();

        let plain = terminal_summary(&run, Colours::None);
        let coloured = terminal_summary(&run, Colours::Ansi);

        assert!(!plain.contains('\u{1b}') && !plain.contains('\r'));
        assert!(coloured.contains("\u{1b}[1;31mFAIL"));
        assert!(!coloured.contains("\u{1b}[2J"));
    }

    /// A run that claims nothing shows claims to paste, also in summary.md.
    #[test]
    fn claims_are_proposed() {
        let mut run = sample::passing();
        run.measured.checks.clear();
        run.measured.thresholds.clear();
        run.verdict = squall_run::Verdict::judge(&[], &[], squall_run::Extent::Whole, []);

        let text = terminal_summary(&run, Colours::None);
        let markdown = crate::markdown::summary(&run);

        assert!(text.starts_with("NO CLAIMS  network-jitter  The scenario claims nothing"));
        assert!(text.contains("\n  [[expect]]\n  check = \"delivery\"\n  lost = 0\n"));
        assert!(text.lines().all(|line| line == line.trim_end()));
        assert!(markdown.contains("\n```toml\n[[expect]]\ncheck = \"delivery\"\n"));
    }
}
