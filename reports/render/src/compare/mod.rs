//! A comparison of sides in words: sentences, cells of tables, Markdown, and what a terminal shows.

mod difference;
mod markdown;
mod text;

use squall_run::{ClaimResult, ComparedFigure, Finding, Judgement, Row, SideBySide};

pub(crate) use difference::{band, change};
pub(crate) use markdown::text as markdown_text;
pub use text::terminal_comparison;

/// A figure of two sides in a line: its key, both medians, their difference and its noise.
pub fn figure_line(figure: &ComparedFigure) -> String {
    let median = |side| cell(figure, side).map_or_else(|| "–".to_owned(), |(median, _)| median);
    let difference = figure.differences.first().and_then(Option::as_ref);
    let told = difference.map_or_else(String::new, |found| {
        let noise = band(found, figure.unit);
        let noise = noise.map_or_else(String::new, |band| format!(" (noise {band})"));
        format!(", {}{noise}", change(found, figure.unit))
    });
    format!("{}: {} → {}{told}", figure.key, median(0), median(1))
}

/// With fewer runs on a side it says little that nothing stands out.
const ENOUGH_RUNS: u32 = 5;
/// Claims that a reader of the first lines is told of.
const CLAIMS_FIRST: usize = 3;

/// What the sides broke, a line for each claim and side; nothing follows from runs that are INVALID.
pub(crate) fn broken_claims(all: &SideBySide) -> Vec<String> {
    let set = all.run_set();
    let mut lines = Vec::new();
    for row in &set.rows() {
        let row = Row {
            values: row.values,
            runs: row.valid().collect(),
        };
        for name in set.judgements() {
            let judgements = row.judgements(name);
            let is_broken = |one: &&&Judgement| one.result == ClaimResult::Broken;
            let broken = judgements.iter().filter(is_broken).count();
            if broken > 0 {
                let runs = judgements.len();
                lines.push(format!(
                    "{} broke {name}, in {broken} of {runs} runs",
                    row.values[0]
                ));
            }
        }
    }
    lines
}

/// Whether [`broken_sentence`] leaves some out.
pub(crate) fn has_more_broken(all: &SideBySide) -> bool {
    broken_claims(all).len() > CLAIMS_FIRST
}

/// The first of them as a sentence; empty if all held.
pub(crate) fn broken_sentence(all: &SideBySide) -> String {
    let mut lines = broken_claims(all);
    let more = lines.len().saturating_sub(CLAIMS_FIRST);
    lines.truncate(CLAIMS_FIRST);
    match (lines.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("{}.", lines.join("; ")),
        (false, more) => format!("{}; and {more} more below.", lines.join("; ")),
    }
}

/// How many figures of side number `side` (from 1) are better and worse than those of the base, in a sentence; `None` where
/// noise is unknown and the answer says so.
pub(crate) fn sentence(all: &SideBySide, side: usize) -> Option<String> {
    let is_unknown = all.count(side, Finding::NoiseUnknown) > 0;
    (!is_unknown || all.answer.is_empty()).then(|| counted(all, side))
}

fn counted(all: &SideBySide, side: usize) -> String {
    let (base, label) = (&all.sides[0].label, &all.sides[side].label);
    let count = |finding| all.count(side, finding);
    if count(Finding::NoiseUnknown) > 0 {
        return format!(
            "What lies between {label} and {base} may all be noise, which is unknown with one run on a side."
        );
    }
    let (better, worse, differs) = (
        count(Finding::Better),
        count(Finding::Worse),
        count(Finding::Differs),
    );
    let alike = count(Finding::WithinNoise) + count(Finding::Same);
    if better + worse + differs + alike == 0 {
        return format!("Nothing of {label} can be compared with {base}.");
    }
    if better + worse + differs == 0 {
        let few = all.sides.iter().map(|side| side.compared).min();
        return match few {
            Some(runs) if runs < ENOUGH_RUNS => format!(
                "So few runs ({runs} on a side) cannot tell {label} from {base} in any of {}: that is not to say that they are alike.",
                figures(alike)
            ),
            Some(_) | None => format!(
                "Nothing sets {label} apart from {base} beyond noise, in any of {}.",
                figures(alike)
            ),
        };
    }
    let apart = match differs {
        0 => String::new(),
        1 => "; 1 more differs, in which neither way is better".to_owned(),
        more => format!("; {more} more differ, in which neither way is better"),
    };
    let rest = match alike {
        0 => String::new(),
        1 => "; 1 is within noise".to_owned(),
        more => format!("; {more} are within noise"),
    };
    format!(
        "Beyond noise, {label} is better than {base} in {}{} and worse in {}{}{apart}{rest}.",
        figures(better),
        names(all, side, Finding::Better),
        figures(worse),
        names(all, side, Finding::Worse)
    )
}

/// The names of the figures of side number `side` of which `finding` was found, in brackets; empty if they are none or many.
fn names(all: &SideBySide, side: usize, finding: Finding) -> String {
    /// More are left to the table.
    const NAMED: usize = 4;
    let found = all.figures.iter().filter(|figure| {
        let difference = figure.differences[side - 1].as_ref();
        difference.is_some_and(|difference| difference.finding == finding)
    });
    let names: Vec<&str> = found.map(|figure| figure.name.as_str()).collect();
    match (1..=NAMED).contains(&names.len()) {
        true => format!(" ({})", names.join("; ")),
        false => String::new(),
    }
}

/// `1 figure`, `7 figures`
fn figures(count: usize) -> String {
    match count {
        1 => "1 figure".to_owned(),
        more => format!("{more} figures"),
    }
}

/// What the noise of the figures means, in a few sentences.
pub(crate) fn about_noise(all: &SideBySide) -> String {
    let tested = match all.tested {
        0 => "There is no figure whose noise is known".to_owned(),
        tested => format!(
            "{tested} differences are tested, and the chance that this page calls any different where nothing differs is at most \
             {} %",
            all.family_error * 100.0
        ),
    };
    format!(
        "A figure is the median of the runs of a side, and under it the least and the greatest. A difference is that of the medians \
         from {}; under it is the interval that noise alone may fill: the wider of a bootstrap over the runs and of Welch's \
         t-interval, with the grain of the figure added. It is called better or worse only where that interval leaves zero. {tested}.",
        all.sides[0].label
    )
}

/// The figures that say something, part by part.
pub(crate) fn shown(all: &SideBySide) -> impl Iterator<Item = &ComparedFigure> {
    all.figures.iter().filter(|figure| figure.is_of_interest())
}

/// A figure of a side: its median, and the range of its runs where they differ.
pub(crate) fn cell(figure: &ComparedFigure, side: usize) -> Option<(String, Option<String>)> {
    let spread = figure.spread(side)?;
    let text = |number| figure.unit.text(number);
    let range = (text(spread.min) != text(spread.max))
        .then(|| format!("{} … {}", text(spread.min), text(spread.max)));
    Some((text(spread.median), range))
}
