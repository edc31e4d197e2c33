//! The sides of a comparison: runs that belong together, each with where it is from.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::figures_of;
use super::resolved::settings_of;
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

    /// Keys of the figures that any compared run has.
    pub fn figure_keys(&self) -> Vec<String> {
        let figures = self.compared().flat_map(|run| figures_of(&run.run));
        let keys: BTreeSet<String> = figures.map(|figure| figure.key).collect();
        keys.into_iter().collect()
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
        let mut groups: Vec<(BTreeMap<String, String>, Vec<RunOfSide>)> = Vec::new();
        for run in runs {
            let settings = settings_of(&run.run.identity.scenario.resolved);
            match groups.iter_mut().find(|(known, _)| *known == settings) {
                Some((_, of_group)) => of_group.push(run),
                None => groups.push((settings, vec![run])),
            }
        }
        let all: Vec<BTreeMap<String, String>> = groups
            .iter()
            .map(|(settings, _)| settings.clone())
            .collect();
        let is_alone = groups.len() == 1;
        let side = |(settings, runs): (BTreeMap<String, String>, Vec<RunOfSide>)| {
            let mut side = Self {
                label: label.to_owned(),
                runs,
            };
            if !is_alone {
                let own = told_apart(&side.target_name(), &settings, &all);
                side.label = format!("{label} {own}");
            }
            side
        };
        groups.into_iter().map(side).collect()
    }
}

/// What tells the runs on `target` with `settings` from those with the others of `all`: the target, and what else differs.
pub(crate) fn told_apart(
    target: &str,
    settings: &BTreeMap<String, String>,
    all: &[BTreeMap<String, String>],
) -> String {
    let differs = |key: &String| all.iter().any(|other| other.get(key) != settings.get(key));
    let is_of_target = |key: &String| key.starts_with("target.");
    let mut keys = all.iter().flat_map(BTreeMap::keys);
    let mut words = Vec::new();
    if keys.any(|key| is_of_target(key) && differs(key)) {
        words.push(target.to_owned());
    }
    for (key, value) in settings
        .iter()
        .filter(|(key, _)| differs(key) && !is_of_target(key))
    {
        words.push(format!("{key}={}", value.trim_matches('"')));
    }
    words.join(" ")
}
