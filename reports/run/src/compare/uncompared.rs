//! Figures of sides that are not compared yet, and the one way to compare them: of runs, and of benches.

use super::noise::{self, Difference, Rule};
use super::{ComparedFigure, FAMILY_ERROR, FigurePart};
use crate::FigureUnit;

/// A figure with its numbers on all sides.
pub(crate) struct Uncompared {
    /// As a program knows it.
    pub(crate) key: String,
    /// As a reader does.
    pub(crate) name: String,
    /// What it is about.
    pub(crate) part: FigurePart,
    /// What its numbers count.
    pub(crate) unit: FigureUnit,
    /// How it is compared.
    pub(crate) rule: Rule,
    /// The numbers of each side, the base first; empty where a side has no such figure.
    pub(crate) sides: Vec<Vec<f64>>,
}

/// Compares every side of each figure with its first one, and says how many differences were tested: the chance of a false one
/// is divided among them.
pub(crate) fn compared(all: Vec<Uncompared>) -> (Vec<ComparedFigure>, u32) {
    let pairs = all.iter().flat_map(|figure| {
        let others = figure.sides[1..].iter();
        others.map(|other| (&figure.sides[0], other))
    });
    let tested = pairs
        .filter(|(base, other)| noise::is_tested(base, other))
        .count();
    let error = FAMILY_ERROR / tested.max(1) as f64;
    let compared = all.into_iter().map(|figure| ComparedFigure {
        differences: differences(&figure.sides, figure.rule, error),
        key: figure.key,
        name: figure.name,
        part: figure.part,
        unit: figure.unit,
        better: figure.rule.better,
        sides: figure.sides,
    });
    (compared.collect(), tested as u32)
}

fn differences(sides: &[Vec<f64>], rule: Rule, error: f64) -> Vec<Option<Difference>> {
    let base = &sides[0];
    let of_other = |other: &Vec<f64>| {
        let has_both = !base.is_empty() && !other.is_empty();
        has_both.then(|| noise::difference(base, other, rule, error))
    };
    sides[1..].iter().map(of_other).collect()
}
