//! A comparison in lines for a terminal.

use squall_run::{ComparedFigure, DifferingSetting, Finding, SideBySide, that_follow};

use super::{
    about_noise, band, broken_claims, broken_sentence, change, has_more_broken, sentence, shown,
};
use crate::text::{GREEN, RED, Screen, YELLOW, printable};

/// What stands where a side has no figure.
const NONE: &str = "–";

/// The answer, verdicts, the figures with their differences, and what each side broke.
pub fn terminal_comparison(all: &SideBySide, screen: Screen) -> String {
    let mut text = screen.lines(&format!("{}: {}", all.name, labels(all).join(", ")), 0, 2);
    for sentence in first_sentences(all) {
        text.push_str(&screen.lines(&sentence, 2, 4));
    }
    text.push_str(&verdicts(all, screen));
    text.push('\n');
    text.push_str(&table(all, screen));
    text.push('\n');
    text.push_str(&broken(all, screen));
    text.push_str(&settings(all, screen));
    for note in &all.notes {
        text.push_str(&screen.lines(&format!("note: {note}"), 2, 4));
    }
    text.push_str(&screen.lines(&about_noise(all), 2, 4));
    text
}

/// What is broken, what decides, and how many figures are better and worse.
fn first_sentences(all: &SideBySide) -> Vec<String> {
    let broken = Some(broken_sentence(all)).filter(|broken| !broken.is_empty());
    let answer = all.answer.iter().map(|part| part.text.clone());
    let counts = (1..all.sides.len()).filter_map(|side| sentence(all, side));
    broken.into_iter().chain(answer).chain(counts).collect()
}

fn labels(all: &SideBySide) -> Vec<&str> {
    all.sides.iter().map(|side| side.label.as_str()).collect()
}

fn verdicts(all: &SideBySide, screen: Screen) -> String {
    let set = all.run_set();
    let mut text = String::new();
    for (row, side) in set.rows().iter().zip(&all.sides) {
        let verdicts: Vec<String> = row.runs.iter().map(|run| run.verdict()).collect();
        let line = format!("{} ({}): {}", side.label, side.target, verdicts.join(", "));
        text.push_str(&screen.lines(&line, 2, 4));
        for left_out in &side.left_out {
            text.push_str(&screen.lines(&format!("left out: {left_out}"), 4, 6));
        }
    }
    text
}

/// A line for each figure; each difference has its interval and a word beside it.
fn table(all: &SideBySide, screen: Screen) -> String {
    let mut head = vec!["figure".to_owned()];
    head.extend(labels(all).into_iter().map(printable));
    for side in &all.sides[1..] {
        let from = match all.sides.len() {
            2 => "difference".to_owned(),
            _ => format!("{} differs by", printable(&side.label)),
        };
        head.extend([from, "noise".to_owned(), String::new()]);
    }
    let rows: Vec<(Option<&ComparedFigure>, Vec<String>)> = std::iter::once((None, head))
        .chain(shown(all).map(|figure| (Some(figure), line(all, figure))))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|(_, row)| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows[0].1.len()).map(width).collect();
    let mut text = String::new();
    for (figure, row) in &rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(
                |(column, (cell, &width))| match finding_in(*figure, column, all.sides.len()) {
                    Some(finding) => screen.paint(tone(finding), &format!("{cell:<width$}")),
                    None if column == 0 => format!("{cell:<width$}"),
                    None => format!("{cell:>width$}"),
                },
            )
            .collect();
        text.push_str(format!("  {}", cells.join("  ")).trim_end());
        text.push('\n');
    }
    text
}

fn line(all: &SideBySide, figure: &ComparedFigure) -> Vec<String> {
    let mut row = vec![printable(&figure.name)];
    row.extend((0..all.sides.len()).map(|side| {
        let median = figure
            .spread(side)
            .map(|spread| figure.unit.text(spread.median));
        median.unwrap_or_else(|| NONE.to_owned())
    }));
    for difference in &figure.differences {
        row.extend(match difference {
            None => [NONE.to_owned(), String::new(), String::new()],
            Some(found) => [
                change(found, figure.unit),
                band(found, figure.unit).unwrap_or_default(),
                found.finding.words().to_owned(),
            ],
        });
    }
    row
}

/// What a column tells of, where it is the word of a difference that is beyond noise.
fn finding_in(figure: Option<&ComparedFigure>, column: usize, sides: usize) -> Option<Finding> {
    let place = column.checked_sub(1 + sides)?;
    let difference = figure?.differences[place / 3].as_ref()?;
    (place % 3 == 2 && difference.finding.is_beyond_noise()).then_some(difference.finding)
}

const fn tone(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => GREEN,
        Finding::Worse => RED,
        Finding::Differs | Finding::WithinNoise | Finding::Same | Finding::NoiseUnknown => YELLOW,
    }
}

fn settings(all: &SideBySide, screen: Screen) -> String {
    let lines = DifferingSetting::causes(&all.settings).map(|(setting, following)| {
        let values = setting.values.iter();
        let values: Vec<&str> = values
            .map(|value| value.as_deref().unwrap_or(NONE))
            .collect();
        let rest = match following {
            0 => String::new(),
            count => format!("; {} are in compare.json", that_follow(count)),
        };
        format!("differs: {}: {}{rest}", setting.name, values.join(" | "))
    });
    lines.map(|line| screen.lines(&line, 2, 4)).collect()
}

/// Each claim that a side broke, where the first lines have no room for all.
fn broken(all: &SideBySide, screen: Screen) -> String {
    if !has_more_broken(all) {
        return String::new();
    }
    let broken = broken_claims(all).into_iter();
    broken.map(|line| screen.lines(&line, 2, 4)).collect()
}
