//! The sides of a comparison: runs that belong together, each with where it is from.

use std::collections::BTreeMap;

use super::differing::{Settings, settings_of_run, told_apart};
use super::figures::figures_of;
use super::worse::Choosable;
use crate::{Outcome, Run};

/// Runs of one scenario on one target, which differ in nothing but chance.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called.
    pub label: String,
    /// The runs, at least one.
    pub runs: Vec<RunOfSide>,
}

/// A run with where it is from.
#[derive(Clone, Debug)]
pub struct RunOfSide {
    /// The run.
    pub run: Run,
    /// Path of its run file, for a reader.
    pub path: String,
    /// Path of its report from the page, if it has one.
    pub report: Option<String>,
}

impl RunOfSide {
    /// Why its figures are left out, if they are: nothing follows from an INVALID run, and one that was stopped measured less.
    pub fn left_out(&self) -> Option<&'static str> {
        match (self.run.verdict.outcome, self.run.times.stopped) {
            (_, Some(_)) => Some("was stopped before its end"),
            (Outcome::Invalid, None) => Some("is INVALID"),
            (Outcome::Pass | Outcome::NoClaims | Outcome::Fail, None) => None,
        }
    }
}

impl Side {
    /// The runs whose figures are compared.
    pub fn compared(&self) -> impl Iterator<Item = &RunOfSide> {
        self.runs.iter().filter(|run| run.left_out().is_none())
    }

    /// The figures that any compared run has, sorted by their keys.
    pub fn choosable(&self) -> Vec<Choosable> {
        let figures = self.compared().flat_map(|run| figures_of(&run.run));
        let by_key: BTreeMap<String, Choosable> = figures
            .map(|figure| {
                let choosable = Choosable {
                    key: figure.key.clone(),
                    unit: figure.unit,
                    better: figure.rule.better,
                };
                (figure.key, choosable)
            })
            .collect();
        by_key.into_values().collect()
    }

    /// The first run: all have its settings.
    pub(super) fn first(&self) -> &Run {
        &self.runs[0].run
    }

    /// The name of its target, as [`Target::called`](crate::Target::called) has it.
    pub fn target_name(&self) -> String {
        self.first().target.called().to_owned()
    }

    /// Runs of one place by what they are of: a side for each combination of target and settings, in the order in which the
    /// first of each comes. With several, what they differ in is behind `label`.
    pub fn of_place(label: &str, runs: Vec<RunOfSide>) -> Vec<Self> {
        let mut groups: Vec<(Settings, Vec<RunOfSide>)> = Vec::new();
        for run in runs {
            let settings = settings_of_run(&run.run);
            match groups.iter_mut().find(|(known, _)| *known == settings) {
                Some((_, of_group)) => of_group.push(run),
                None => groups.push((settings, vec![run])),
            }
        }
        let is_alone = groups.len() == 1;
        let sides = groups.into_iter().map(|(settings, runs)| {
            let label = label.to_owned();
            (settings, Self { label, runs })
        });
        let (settings, mut sides): (Vec<Settings>, Vec<Self>) = sides.unzip();
        let targets = sides.iter().map(Self::target_name);
        let all: Vec<(String, Settings)> = targets.zip(settings).collect();
        if !is_alone {
            for (side, own) in sides.iter_mut().zip(told_apart(&all)) {
                side.label = format!("{label} {own}");
            }
        }
        sides
    }
}
