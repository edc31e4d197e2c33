//! A comparison in Markdown: for a merge request or a chat.

use squall_run::{Certainty, ClaimResult, DifferingSetting, SideBySide, that_follow};

use super::{about_noise, band, broken_sentence, cell, change, sentence, shown};
use crate::markdown::escaped;

/// The whole text.
pub(crate) fn text(all: &SideBySide) -> String {
    let labels: Vec<&str> = all.sides.iter().map(|side| side.label.as_str()).collect();
    let mut text = format!(
        "# {}: {}\n",
        escaped(&all.name),
        escaped(&labels.join(", "))
    );
    let broken_first = broken_sentence(all);
    if !broken_first.is_empty() {
        text.push_str(&format!("\n**{}**\n", escaped(&broken_first)));
    }
    for part in &all.answer {
        let sentence = escaped(&part.text);
        text.push_str(&match part.certainty {
            Certainty::BeyondNoise => format!("\n**{sentence}**\n"),
            Certainty::WithinNoise | Certainty::NoiseUnknown => format!("\n{sentence}\n"),
        });
    }
    for sentence in (1..all.sides.len()).filter_map(|side| sentence(all, side)) {
        text.push_str(&format!("\n{}\n", escaped(&sentence)));
    }
    for note in &all.notes {
        text.push_str(&format!("\nNote: {}\n", escaped(note)));
    }
    text.push_str(&verdicts(all));
    text.push_str(&figures(all));
    text.push_str(&broken(all));
    text.push_str(&settings(all));
    text
}

/// A table with its head; the first column is of words, the others of quantities.
fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> = (0..head.len())
        .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
        .collect();
    let rows = rows.iter().map(|row| line(row));
    format!(
        "\n{}{}{}",
        line(head),
        line(&rule),
        rows.collect::<String>()
    )
}

fn head(first: &str, all: &SideBySide) -> Vec<String> {
    let labels = all.sides.iter().map(|side| escaped(&side.label));
    std::iter::once(first.to_owned()).chain(labels).collect()
}

fn verdicts(all: &SideBySide) -> String {
    let set = all.run_set();
    let rows = set.rows();
    let verdict = rows.iter().map(|row| {
        let verdicts = row.runs.iter().map(|run| run.verdict());
        verdicts.collect::<Vec<_>>().join(", ")
    });
    let targets = all.sides.iter().map(|side| escaped(&side.target));
    let compared = all
        .sides
        .iter()
        .zip(&rows)
        .map(|(side, row)| format!("{} of {}", side.compared, row.runs.len()));
    let row = |name: &str, cells: Vec<String>| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    table(
        &head("", all),
        &[
            row("target", targets.collect()),
            row("verdicts", verdict.collect()),
            row("runs compared", compared.collect()),
        ],
    )
}

fn figures(all: &SideBySide) -> String {
    let mut head = head("figure", all);
    for side in &all.sides[1..] {
        head.push(format!(
            "{} from {}",
            escaped(&side.label),
            escaped(&all.sides[0].label)
        ));
        head.push("noise".to_owned());
        head.push(String::new());
    }
    let rows = shown(all).map(|figure| {
        let mut row = vec![escaped(&figure.name)];
        row.extend((0..all.sides.len()).map(|side| match cell(figure, side) {
            Some((median, Some(range))) => format!("{median} ({range})"),
            Some((median, None)) => median,
            None => "–".to_owned(),
        }));
        for difference in &figure.differences {
            let (change, band, word) = match difference {
                None => ("–".to_owned(), None, String::new()),
                Some(found) => (
                    change(found, figure.unit),
                    band(found, figure.unit),
                    found.finding.words().to_owned(),
                ),
            };
            let is_apart = difference.is_some_and(|found| found.finding.is_beyond_noise());
            row.push(change);
            row.push(band.unwrap_or_else(|| "–".to_owned()));
            row.push(if is_apart {
                format!("**{word}**")
            } else {
                word
            });
        }
        row
    });
    let table = table(&head, &rows.collect::<Vec<_>>());
    format!("{table}\n{}\n", escaped(&about_noise(all)))
}

/// What each side broke, or did not get judged.
fn broken(all: &SideBySide) -> String {
    let set = all.run_set();
    let rows = set.rows();
    let mut lines = Vec::new();
    for name in set.judgements() {
        let of_rows: Vec<Vec<&squall_run::Judgement>> =
            rows.iter().map(|row| row.judgements(name)).collect();
        if of_rows
            .iter()
            .flatten()
            .all(|one| one.result == ClaimResult::Held)
        {
            continue;
        }
        let mut line = vec![escaped(name)];
        line.extend(of_rows.iter().map(|judgements| {
            let of = |result| judgements.iter().filter(|one| one.result == result).count();
            let (held, broken) = (of(ClaimResult::Held), of(ClaimResult::Broken));
            match (judgements.len(), broken) {
                (0, _) => "–".to_owned(),
                (total, 0) => format!("held in {held} of {total}"),
                (total, broken) => format!("**broken** in {broken} of {total}"),
            }
        }));
        lines.push(line);
    }
    match lines.is_empty() {
        true => "\nNo side broke a claim.\n".to_owned(),
        false => table(&head("claim", all), &lines),
    }
}

fn settings(all: &SideBySide) -> String {
    if all.settings.is_empty() {
        return "\nAll settings are the same.\n".to_owned();
    }
    let rows = DifferingSetting::causes(&all.settings).map(|(setting, following)| {
        let values = setting.values.iter();
        let values = values.map(|value| value.as_deref().map_or_else(|| "–".to_owned(), escaped));
        let name = match following {
            0 => setting.name.clone(),
            count => format!("{}, and {}", setting.name, that_follow(count)),
        };
        std::iter::once(escaped(&name)).chain(values).collect()
    });
    table(&head("setting", all), &rows.collect::<Vec<_>>())
}
