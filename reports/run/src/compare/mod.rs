//! Sides set side by side: verdicts, figures with the noise of their repeats, and what else differs.
//!
//! `squall compare` reads run files into [`Side`]s; everything that its page, its tables and `compare.json` say follows from
//! [`SideBySide::of`]. The first side is the base that the others are compared with.

mod answer;
mod comparable;
mod differing;
mod figures;
mod noise;
mod resolved;
mod side;
#[cfg(test)]
mod tests;
mod uncompared;
mod worse;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

pub use answer::{Answer, Certainty};
pub use comparable::{MustAgree, NotComparable};
pub use differing::{DifferingSetting, that_follow};
pub(crate) use differing::{Settings, rows_of_scenarios, settings_of_run, told_apart};
pub use figures::FigurePart;
pub(crate) use figures::grain_of;
pub use noise::{Better, Difference, FAMILY_ERROR, Finding, RUNS_NEEDED, Scale};
pub(crate) use noise::{Grain, Rule};
pub use side::{RunOfSide, Side};
pub(crate) use uncompared::{Uncompared, compared};
pub use worse::{
    Choosable, Chosen, NotChosen, Worsening, chosen_of, is_margin_within_noise, worsenings,
};

use crate::{ComparedRun, FigureSpread, FigureUnit, RunSet, VERSION, duration_text};
use figures::{FigureOfRun, figures_of};

/// The axis of runs that are told apart by their side.
pub const SIDE: &str = "side";

/// Several sides, compared.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "squall comparison, version 2")]
pub struct SideBySide {
    /// Version of this format; the same as that of run files.
    pub version: u32,
    /// Name of the scenario.
    pub name: String,
    /// The question that it asks.
    pub question: Option<String>,
    /// Version of squall that compared.
    pub squall: String,
    /// The sides, the base first.
    pub sides: Vec<SideSummary>,
    /// What it comes to for each side after the base: by how much they differ in what decides between two brokers.
    pub answer: Vec<Answer>,
    /// What must be known beside the figures, a sentence each.
    pub notes: Vec<String>,
    /// How many differences were tested; the chance of a false one is divided among them.
    pub tested: u32,
    /// The chance that this page calls anything different where nothing differs.
    pub family_error: f64,
    /// The figures, part by part.
    pub figures: Vec<ComparedFigure>,
    /// Settings in which the sides differ.
    pub settings: Vec<DifferingSetting>,
    /// The runs, side by side; `values` holds the side's label.
    pub runs: Vec<ComparedRun>,
}

/// One side in short.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SideSummary {
    /// What it is called.
    pub label: String,
    /// Its target.
    pub target: String,
    /// Where its runs are.
    pub run_files: Vec<String>,
    /// How many of its runs are compared.
    pub compared: u32,
    /// Its other runs, and why they are left out, a sentence each.
    pub left_out: Vec<String>,
}

/// A figure on all sides.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ComparedFigure {
    /// As a program knows it: `e2e_latency.p99`.
    pub key: String,
    /// As a reader does.
    pub name: String,
    /// What it is about.
    pub part: FigurePart,
    /// What its numbers count.
    pub unit: FigureUnit,
    /// Which way it is better.
    pub better: Better,
    /// Its number in each run of each side, in the order of the runs; empty where a side has no such figure.
    pub sides: Vec<Vec<f64>>,
    /// What lies between the base and each further side; `null` where one of the two has no such figure.
    pub differences: Vec<Option<Difference>>,
}

impl ComparedFigure {
    /// How far apart the runs of a side are; `None` where it has no such figure.
    pub fn spread(&self, side: usize) -> Option<FigureSpread> {
        FigureSpread::of(self.sides[side].iter().copied())
    }

    /// Whether it says anything: what is zero everywhere does not.
    pub fn is_of_interest(&self) -> bool {
        self.unit != FigureUnit::Count || self.sides.iter().flatten().any(|number| *number != 0.0)
    }
}

impl SideBySide {
    /// Compares `sides`, of which the first is the base.
    ///
    /// # Errors
    /// [`NotComparable`] with why they are not.
    pub fn of(sides: &[Side]) -> Result<Self, NotComparable> {
        Self::of_chosen(sides, &[])
    }

    /// As [`Self::of`], of the figures that are `chosen` alone; of all, if none is. The fewer there are, the narrower are
    /// their intervals.
    ///
    /// # Errors
    /// As there.
    pub fn of_chosen(sides: &[Side], chosen: &[Chosen]) -> Result<Self, NotComparable> {
        comparable::check(sides)?;
        let (figures, tested) = figures(sides, chosen);
        let identity = &sides[0].first().identity;
        let settings = differing::differing(sides);
        let summaries: Vec<SideSummary> = sides.iter().map(summary).collect();
        Ok(Self {
            version: VERSION,
            name: identity.name.clone(),
            question: identity.question.clone(),
            squall: env!("CARGO_PKG_VERSION").to_owned(),
            notes: notes(sides, &settings),
            answer: answer::answers(&summaries, &figures),
            sides: summaries,
            tested,
            family_error: FAMILY_ERROR,
            figures,
            settings,
            runs: sides.iter().flat_map(runs_of).collect(),
        })
    }

    /// The runs as those of a table: a row for each side.
    pub fn run_set(&self) -> RunSet {
        RunSet {
            runs: self.runs.clone(),
            ..RunSet::new(
                self.name.clone(),
                self.question.clone(),
                vec![SIDE.to_owned()],
            )
        }
    }

    /// How many figures of side number `side` (from 1: 0 is the base) came out so.
    pub fn count(&self, side: usize, finding: Finding) -> usize {
        let of_side = |figure: &&ComparedFigure| {
            let difference = figure.differences[side - 1].as_ref();
            difference.is_some_and(|difference| difference.finding == finding)
        };
        let figures = self.figures.iter();
        figures
            .filter(|figure| figure.is_of_interest())
            .filter(of_side)
            .count()
    }

    /// The JSON Schema of `compare.json`.
    pub fn json_schema() -> schemars::Schema {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}

/// Every figure of any side, and how many differences are tested.
fn figures(sides: &[Side], chosen: &[Chosen]) -> (Vec<ComparedFigure>, u32) {
    let of_sides: Vec<Vec<Vec<FigureOfRun>>> = sides
        .iter()
        .map(|side| side.compared().map(|run| figures_of(&run.run)).collect())
        .collect();
    let mut known: Vec<&FigureOfRun> = Vec::new();
    for figure in of_sides.iter().flatten().flatten() {
        let is_chosen = chosen.is_empty() || chosen.iter().any(|chosen| chosen.takes(&figure.key));
        if is_chosen && known.iter().all(|other| other.key != figure.key) {
            known.push(figure);
        }
    }
    // A figure that only a later side has is put with its part.
    known.sort_by_key(|figure| figure.part);
    let numbers = |key: &str, side: &Vec<Vec<FigureOfRun>>| -> Vec<f64> {
        let found = side
            .iter()
            .filter_map(|run| run.iter().find(|figure| figure.key == key));
        found.map(|figure| figure.number).collect()
    };
    let rows = known.into_iter().map(|figure| Uncompared {
        key: figure.key.clone(),
        name: figure.name.clone(),
        part: figure.part,
        unit: figure.unit,
        rule: figure.rule,
        sides: of_sides
            .iter()
            .map(|side| numbers(&figure.key, side))
            .collect(),
    });
    compared(rows.collect())
}

fn summary(side: &Side) -> SideSummary {
    let left_out = side.runs.iter().filter_map(|run| {
        let why = run.left_out()?;
        Some(format!("{} {why}", run.path))
    });
    SideSummary {
        label: side.label.clone(),
        target: side
            .first()
            .target
            .software
            .clone()
            .unwrap_or_else(|| side.target_name()),
        run_files: side.runs.iter().map(|run| run.path.clone()).collect(),
        compared: side.compared().count() as u32,
        left_out: left_out.collect(),
    }
}

fn runs_of(side: &Side) -> impl Iterator<Item = ComparedRun> {
    side.runs.iter().zip(1..).map(|(of_side, number)| {
        let values = vec![side.label.clone()];
        let seed = of_side.run.identity.seed;
        let report = of_side.report.clone();
        let judged = ComparedRun::not_run(values, number, seed).judged(&of_side.run, String::new());
        ComparedRun { report, ..judged }
    })
}

fn notes(sides: &[Side], settings: &[DifferingSetting]) -> Vec<String> {
    let mut notes = Vec::new();
    let counts: Vec<usize> = sides.iter().map(|side| side.compared().count()).collect();
    for (side, count) in sides.iter().zip(&counts) {
        match count {
            0 => notes.push(format!(
                "No run of {} is compared: nothing follows from runs that are INVALID or were stopped.",
                side.label
            )),
            1 => notes.push(format!(
                "{} has one run: noise is unknown, and nothing follows from a difference. Give it more with --repeat 3.",
                side.label
            )),
            _ => {}
        }
    }
    if counts.iter().all(|count| (RUNS_NEEDED..5).contains(count)) {
        notes.push(
            "With so few repeats only great differences stand out from noise: five a side narrow the interval to about half of that \
             of three."
                .to_owned(),
        );
    }
    let apart = sides[1..]
        .iter()
        .filter(|side| one_after_the_other(&sides[0], side));
    for side in apart {
        notes.push(format!(
            "The runs of {} and {} were not in turn, but one after the other: what changed on the machine in between is in their \
             difference. squall compare --scenario FILE runs them in turn.",
            sides[0].label, side.label
        ));
    }
    let of_scenario = DifferingSetting::causes(settings)
        .filter(|(row, _)| !row.name.contains(": ") && !row.name.starts_with("target."));
    let keys: Vec<String> = of_scenario.map(|(row, _)| row.in_words(settings)).collect();
    if !keys.is_empty() {
        notes.push(format!(
            "The scenario is not the same on all sides; what differs: {}.",
            keys.join("; ")
        ));
    }
    if settings.iter().any(|row| row.name.starts_with("machine: ")) {
        notes.push("The sides are of different machines, or of one that has changed: what differs may be the machine.".to_owned());
    }
    let lengths: Vec<f64> = sides
        .iter()
        .map(|side| side.first().measured.rates.measured_s)
        .collect();
    if lengths.iter().all(|length| *length < 10.0) {
        notes.push(format!(
            "Measured for {} a run: short runs are noisy.",
            duration_text(lengths[0])
        ));
    }
    notes
}

/// Whether all runs of one side began before any of the other.
fn one_after_the_other(base: &Side, other: &Side) -> bool {
    let starts = |side: &Side| -> Vec<String> {
        side.compared()
            .map(|run| run.run.times.started_at.clone())
            .collect()
    };
    let (base, other) = (starts(base), starts(other));
    if base.len() < RUNS_NEEDED || other.len() < RUNS_NEEDED {
        return false;
    }
    // Times of ISO 8601 in UTC are in the order of their text.
    let is_before = |one: &[String], two: &[String]| one.iter().max() < two.iter().min();
    is_before(&base, &other) || is_before(&other, &base)
}
