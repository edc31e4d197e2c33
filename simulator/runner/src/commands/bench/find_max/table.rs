//! A search for the terminal: a row for each target, and below what a reader must know of the rates.

use std::io;

use squall_run::FigureSpread;
use squall_run::bench::Figures;

use super::result::{FindMaxResult, SearchedTarget};
use super::searched::Searched;
use super::step::{Step, per_second};
use crate::commands::bench::table::{aligned, micros};
use crate::output::columns;

/// The table of the targets of which something was found, and the sentences below it; nothing without any.
pub fn text(result: &FindMaxResult) -> String {
    let of = result.find_max.of.name();
    let heading = [
        "target".to_owned(),
        "held msg/s".to_owned(),
        "failed msg/s".to_owned(),
        format!("{of} held"),
        format!("{of} failed"),
        "broker µs/msg".to_owned(),
        "cores".to_owned(),
        "generator cores".to_owned(),
    ];
    let mut rows = vec![heading.to_vec()];
    let found = |target: &&SearchedTarget| {
        let mut repeats = target.repeats.iter();
        repeats.any(|one| one.held_per_s.or(one.failed_per_s).is_some())
    };
    rows.extend(result.targets.iter().filter(found).map(row));
    if rows.len() == 1 {
        return String::new();
    }
    let mut text = format!(
        "{}: the highest rate at which `{}` holds and nothing is lost\n",
        result.about.bench,
        result.find_max.text(),
    );
    text.push_str(&aligned(&rows, columns(io::stdout())));
    for warning in &result.warnings {
        text.push_str(&format!("{warning}\n"));
    }
    text
}

fn row(target: &SearchedTarget) -> Vec<String> {
    let cell = |value: &dyn Fn(&Searched) -> Option<f64>, text: fn(f64) -> String| {
        let spread = FigureSpread::of(target.repeats.iter().filter_map(value));
        spread.map_or("-".to_owned(), |spread| spread.text(text))
    };
    let bound_us = |step: Option<&Step>| Some(step?.bound_us? as f64);
    let held = |figure: fn(&Figures) -> Option<f64>| {
        move |one: &Searched| one.at_held().and_then(|step| figure(&step.figures))
    };
    let at_least = target.repeats.iter().any(|one| one.is_at_least);
    let at_least = if at_least { "≥ " } else { "" };
    let rate = cell(&|one| one.held_per_s, per_second);
    vec![
        target.name.clone(),
        format!("{at_least}{rate}"),
        cell(&|one| one.failed_per_s, per_second),
        cell(&|one| bound_us(one.at_held()), micros),
        cell(&|one| bound_us(one.at_failed()), micros),
        cell(&held(|figures| figures.broker_cpu_us_per_message), |us| {
            format!("{us:.3}")
        }),
        cell(&held(|figures| figures.broker_cores), cores),
        cell(&held(|figures| Some(figures.generator_cores)), cores),
    ]
}

fn cores(cores: f64) -> String {
    format!("{cores:.2}")
}

#[cfg(test)]
mod tests {
    use super::super::search::Found;
    use super::super::step::tests::{figures, plan, step};
    use super::*;
    use crate::bound::Bound;
    use crate::commands::bench::IsPinned;

    /// A target has a row with both ends, and one of which nothing was found has none.
    #[test]
    fn a_row_has_both_ends() {
        let bound = Bound::parse("p99 < 5ms").expect("it is one");
        let mut failing = figures();
        failing.latency.p99_us = Some(7000);
        let steps = vec![step(1000.0, 0, figures()), step(1040.0, 0, failing)];
        let found = Found::Between {
            held: 1000.0,
            failed: 1040.0,
        };
        let mut target = SearchedTarget::new("broker".to_owned());
        target.add(Searched::new(found, steps, &bound));
        let targets = vec![target, SearchedTarget::new("none".to_owned())];
        let result = FindMaxResult::new(&plan(), &bound, targets, IsPinned::No, "now".to_owned());

        let text = text(&result);

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "pairs: the highest rate at which `p99 < 5ms` holds and nothing is lost"
        );
        let words: Vec<&str> = lines[2].split_whitespace().collect();
        assert_eq!(
            words,
            [
                "broker", "1,000", "1,040", "2.00", "ms", "7.00", "ms", "5.000", "0.50", "0.50"
            ]
        );
        assert_eq!(lines.len(), 3, "{text}");
    }
}
