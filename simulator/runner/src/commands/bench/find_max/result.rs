//! What searches found: of each target every repeat, and what is to be said of it.

use serde::Serialize;
use squall_run::bench::About;
use squall_run::{FigureSpread, worst_exit_code};

use super::searched::Searched;
use super::step::Step;
use crate::bound::Bound;
use crate::commands::bench::IsPinned;
use crate::commands::bench::about;
use crate::commands::bench::plan::BenchPlan;

/// All of a search.
#[derive(Debug, Serialize)]
pub struct FindMaxResult {
    /// What was done, and where; its rate is the first that was tried.
    #[serde(flatten)]
    pub about: About,
    /// The bound.
    pub find_max: Bound,
    /// When it began, as UTC in ISO 8601.
    pub started_at: String,
    /// The version of squall.
    pub squall: &'static str,
    /// In the order of the command line.
    pub targets: Vec<SearchedTarget>,
    /// What a reader must know of the figures, a sentence each.
    pub warnings: Vec<String>,
    /// That of the command.
    pub exit_code: u8,
}

/// What was found of one target.
#[derive(Debug, Serialize)]
pub struct SearchedTarget {
    /// As on the command line.
    pub name: String,
    /// Product and version, as far as it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was changed for it, a sentence each.
    pub changes: Vec<String>,
    /// The highest rates that held, of the repeats in which one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_per_s: Option<FigureSpread>,
    /// One for each search.
    pub repeats: Vec<Searched>,
}
impl SearchedTarget {
    /// Of a target that was not searched yet.
    pub fn new(name: String) -> Self {
        Self {
            name,
            software: None,
            changes: Vec::new(),
            held_per_s: None,
            repeats: Vec::new(),
        }
    }

    /// Notes what a search found.
    pub fn add(&mut self, searched: Searched) {
        self.repeats.push(searched);
        let held = self.repeats.iter().filter_map(|one| one.held_per_s);
        self.held_per_s = FigureSpread::of(held);
    }

    /// Whether anything was tried on it.
    pub fn has_steps(&self) -> bool {
        self.repeats.iter().any(|one| !one.steps.is_empty())
    }

    /// What is wrong, a sentence each.
    pub fn errors(&self) -> Vec<String> {
        let repeats = (1..).zip(&self.repeats);
        let errors = repeats.filter_map(|(number, one)| Some((number, one.error.as_ref()?)));
        errors
            .map(|(number, error): (u32, _)| format!("{}, repeat {number}: {error}", self.name))
            .collect()
    }

    fn warnings(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (number, one) in (1_u32..).zip(&self.repeats) {
            if let Some(warning) = &one.warning {
                told.push(format!(
                    "warning: {}, repeat {number}: {warning}",
                    self.name
                ));
            }
        }
        let is_unknown = |step: &Step| step.figures.broker_cores.is_none();
        if self
            .repeats
            .iter()
            .flat_map(|one| &one.steps)
            .any(is_unknown)
        {
            told.push(format!(
                "warning: {}: squall did not start this broker, so what it used is not known: --target-pid N names its process",
                self.name
            ));
        }
        let changes = self.changes.iter();
        told.extend(
            changes.map(|change| format!("note: {}: changed for the target: {change}", self.name)),
        );
        told
    }
}

impl FindMaxResult {
    /// Of what was found, with the sentences that belong to it.
    pub fn new(
        plan: &BenchPlan,
        bound: &Bound,
        targets: Vec<SearchedTarget>,
        is_pinned: IsPinned,
        started_at: String,
    ) -> Self {
        let codes = targets.iter().flat_map(|target| &target.repeats);
        Self {
            about: about::of(plan, is_pinned),
            find_max: bound.clone(),
            started_at,
            squall: env!("CARGO_PKG_VERSION"),
            exit_code: worst_exit_code(codes.map(|one| one.exit_code)),
            warnings: targets.iter().flat_map(SearchedTarget::warnings).collect(),
            targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::{Range, Search};
    use super::super::searched::tests::found;
    use super::*;
    use crate::exit::Failure;

    const RANGE: Range = Range {
        first: 1000.0,
        floor: 100.0,
        cap: 1e6,
    };

    /// Several searches have a middle and two ends.
    #[test]
    fn repeats_have_a_spread() {
        let mut target = SearchedTarget::new("broker".to_owned());
        for _ in 0..2 {
            target.add(found(0.5, 0.99));
        }
        target.add(Searched::failed(
            &Search::new(RANGE),
            &Failure::Unreachable("it died".to_owned()),
            Vec::new(),
        ));

        let spread = target.held_per_s.expect("two have one");
        assert_eq!((spread.median, spread.count), (1000.0, 2));
        assert_eq!(target.errors(), ["broker, repeat 3: it died"]);
    }
}
