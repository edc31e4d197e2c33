//! The report in a few lines of Markdown: for a merge request or a chat.

use squall_run::Run;

use crate::tile;
use crate::verdict;
use crate::violations;

/// What `summary.md` holds.
pub fn markdown_summary(run: &Run) -> String {
    summary(run)
}

/// The summary.
pub(crate) fn summary(run: &Run) -> String {
    let identity = &run.identity;
    let mut text = format!(
        "# {}: {}\n\n{}\n",
        escaped(&identity.name),
        run.verdict.outcome.as_str(),
        verdict::sentence(run)
    );
    if let Some(answer) = run.answer() {
        text.push_str(&format!("\n**{}**\n", escaped(&answer)));
    }
    for refusal in run.refusals() {
        text.push_str(&format!("\n{}\n", escaped(&refusal)));
    }
    for part in run.told() {
        if let Some(heading) = part.weight.heading() {
            text.push_str(&format!("\n{heading}:\n"));
        }
        text.push('\n');
        for line in &part.lines {
            text.push_str(&format!("- {}: {}\n", line.label, escaped(&line.text)));
        }
    }
    if let Some(found) = violations::first(run) {
        text.push_str(&format!("\n{}:\n\n", escaped(&capital(&found.heading))));
        for line in found.lines {
            text.push_str(&format!("- {}\n", escaped(&line)));
        }
    }
    for note in run.notes().into_iter().chain(run.observations()) {
        text.push_str(&format!("\nNote: {}\n", escaped(&note)));
    }
    text.push_str(&claims(run));
    let tiles = tile::tiles(run);
    if !tiles.is_empty() {
        text.push_str("\n| figure | value | |\n| --- | ---: | --- |\n");
        for tile in tiles {
            text.push_str(&format!(
                "| {} | {} | {} |\n",
                escaped(&tile.label),
                tile.value,
                escaped(&tile.detail)
            ));
        }
    }
    if let Some(claims) = verdict::proposal(run) {
        let fence = fence(&claims, 3);
        text.push_str(&format!("\n{fence}toml\n{claims}{fence}\n"));
    }
    text.push_str(&format!(
        "\n{}\n",
        escaped(&capital(&verdict::exit_code(run)))
    ));
    text.push_str(&format!("\nAgain: {}\n", code(&identity.replay)));
    text
}

/// A row for each claim: what is broken first.
fn claims(run: &Run) -> String {
    let lines = run.claim_lines();
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "\n| | claim | found | limit |\n| --- | --- | --- | --- |\n".to_owned();
    for line in lines {
        let headroom = line.headroom().map(|headroom| format!(" ({headroom})"));
        text.push_str(&format!(
            "| {} | {} | {} | {}{} |\n",
            line.result.word(),
            escaped(&line.about),
            escaped(&line.found),
            escaped(&line.limit.unwrap_or_default()),
            headroom.unwrap_or_default()
        ));
    }
    text
}

/// `text` with its first letter as a capital.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// `text` on one line, without anything that Markdown or HTML would take for markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                safe.push('\\');
                safe.push(letter);
            }
            _ => safe.push(letter),
        }
    }
    safe
}

/// At least `least` backticks, and more than stand together anywhere in `text`.
fn fence(text: &str, least: usize) -> String {
    let mut longest = 0;
    let mut current = 0;
    for letter in text.chars() {
        current = if letter == '`' { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    "`".repeat(least.max(longest + 1))
}

/// `text` as inline code, with as many backticks around it as it needs.
fn code(text: &str) -> String {
    let fence = fence(text, 1);
    let pad = if fence.len() > 1 { " " } else { "" };
    format!(
        "{fence}{pad}{}{pad}{fence}",
        text.replace(['\n', '\r'], " ")
    )
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// The summary has the verdict, the reasons and the way to run it again.
    #[test]
    fn the_summary_is_complete() {
        let text = summary(&sample::failing());

        assert!(text.starts_with("# network-jitter: FAIL\n"));
        assert!(text.contains("- invariant: delivery (qos 1): lost should be 0, was 7\n"));
        assert!(text.contains("| Lost | 7 |"));
        assert!(text.ends_with("Again: `squall run scenarios/network-jitter.toml --seed 42 --set group.sensors.count=5000`\n"));
    }

    /// Names cannot break out of their line, their cell or their code.
    #[test]
    fn markup_is_escaped() {
        assert_eq!(escaped("a|b\n<i>*"), "a\\|b &lt;i&gt;\\*");
        assert_eq!(code("a `b` c"), "`` a `b` c ``");
        assert_eq!(fence("a\n```\nb", 3), "````");
    }
}
