//! Several runs side by side: of a matrix, of repeats, of a suite.
//!
//! What is kept of a run is what a table shows of it; everything else is in its run file. Nothing is concluded
//! from differences between runs here: a spread is told, and no more.

mod figure;
mod judgement;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

pub use figure::{Figure, FigureSpread, FigureUnit, Figures};
pub use judgement::Judgement;
use judgement::judgements;

use crate::{Outcome, Run, Summary, VERSION, worst_exit_code};

/// The exit code where a signal kept a run from running.
const STOPPED_CODE: u8 = 4;

/// The axis of runs that are told apart by their scenario: its values need no name beside them.
pub const SCENARIO: &str = "scenario";

/// The axis of targets and settings of a history, whose values need no name beside them either.
pub(crate) const WITH: &str = "with";

/// Runs that belong together, in the order in which they ran.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "squall runs, version 2")]
pub struct RunSet {
    /// Version of this format; the same as that of the run files of its runs.
    pub version: u32,
    /// Name of the scenario, or of the suite.
    pub name: String,
    /// The question that the runs are to answer, if it is written down.
    pub question: Option<String>,
    /// Version of squall.
    pub squall: String,
    /// What the runs differ in: keys of the scenario, or `scenario`.
    pub axes: Vec<String>,
    /// The runs. Those that a signal kept from running are among them.
    pub runs: Vec<ComparedRun>,
}

/// One run of several.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ComparedRun {
    /// Its value on each axis, as a reader sees it.
    pub values: Vec<String>,
    /// Which one it is of those with these values, counted from 1.
    pub number: u32,
    /// Its seed.
    pub seed: u64,
    /// How far it came.
    pub state: RunState,
    /// What follows from it; left out without a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The exit code that it asks for; `null` if it was not run.
    pub exit_code: Option<u8>,
    /// Why it did not pass, in a sentence each; empty if it did.
    pub reasons: Vec<String>,
    /// Path of its report from the folder of this file; left out without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Its claims and thresholds, in file order.
    pub judgements: Vec<Judgement>,
    /// Its figures, with the unit in each name: `_us` microseconds, `_per_s` a second, `_cores`, `_bytes`. `null` where it
    /// has no such figure.
    pub figures: Figures,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It has a verdict.
    Judged,
    /// It failed before there was one.
    Failed,
    /// Its target lacks what the scenario is about.
    Skipped,
    /// A signal ended the command before it began.
    NotRun,
}

/// The runs with the same values.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// The values, by axis.
    pub values: &'a [String],
    /// The runs, at least one.
    pub runs: Vec<&'a ComparedRun>,
}

impl RunSet {
    /// One without runs.
    pub fn new(name: String, question: Option<String>, axes: Vec<String>) -> Self {
        Self {
            version: VERSION,
            name,
            question,
            squall: env!("CARGO_PKG_VERSION").to_owned(),
            axes,
            runs: Vec::new(),
        }
    }

    /// The runs by their values, in the order in which the first of each ran.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for run in &self.runs {
            match rows.iter_mut().find(|row| row.values == run.values) {
                Some(row) => row.runs.push(run),
                None => rows.push(Row {
                    values: &run.values,
                    runs: vec![run],
                }),
            }
        }
        rows
    }

    /// Names of all claims and thresholds, each once, in the order of the runs.
    pub fn judgements(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for judgement in self.runs.iter().flat_map(|run| &run.judgements) {
            if !names.contains(&judgement.name.as_str()) {
                names.push(&judgement.name);
            }
        }
        names
    }

    /// The names of the axes as short as tells them apart: `count` for `group.sensors.count`.
    pub fn short_axes(&self) -> Vec<String> {
        let parts: Vec<Vec<&str>> = self.axes.iter().map(|axis| parts_of(axis)).collect();
        let shortened = parts.iter().enumerate().map(|(place, own)| {
            let is_unique = |length: usize| {
                let tail = &own[own.len() - length..];
                let mut others = parts.iter().enumerate();
                !others.any(|(other, parts)| other != place && parts.ends_with(tail))
            };
            let length = (1..=own.len()).find(|length| is_unique(*length));
            own[own.len() - length.unwrap_or(own.len())..].join(".")
        });
        shortened.collect()
    }

    /// What a table calls `run`: `count=100 use=squall`, and which one it is of those where there are several.
    pub fn label(&self, run: &ComparedRun) -> String {
        let mut words = vec![self.label_of(&run.values)];
        words.retain(|word| !word.is_empty());
        if self.has_repeats() {
            words.push(format!("run {}", run.number));
        }
        match words.is_empty() {
            true => self.name.clone(),
            false => words.join(" "),
        }
    }

    /// What a table calls the runs with these values; empty without axes.
    pub fn label_of(&self, values: &[String]) -> String {
        let pairs = self.short_axes().into_iter().zip(values);
        let pairs = pairs.map(|(axis, value)| pair(&axis, value));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// As [`Self::label_of`], of all axes but one: `others` are the values of these.
    pub fn label_of_others(&self, axis: usize, others: &[&str]) -> String {
        let mut axes = self.short_axes();
        axes.remove(axis);
        let pairs = axes.iter().zip(others);
        let pairs = pairs.map(|(axis, value)| pair(axis, value));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// Whether any values were run more than once.
    pub fn has_repeats(&self) -> bool {
        self.runs.iter().any(|run| run.number > 1)
    }

    /// The exit code of all runs: the worst of them.
    pub fn exit_code(&self) -> u8 {
        worst_exit_code(self.runs.iter().map(ComparedRun::code))
    }

    /// The JSON Schema of `runs.json`.
    pub fn json_schema() -> schemars::Schema {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}

impl Row<'_> {
    /// Its runs without those that are INVALID, from which nothing follows.
    pub fn valid(&self) -> impl Iterator<Item = &ComparedRun> {
        let runs = self.runs.iter().copied();
        runs.filter(|run| run.outcome != Some(Outcome::Invalid))
    }

    /// How many of its runs are INVALID: their figures are in no spread.
    pub fn invalid(&self) -> usize {
        self.runs.len() - self.valid().count()
    }

    /// How far apart its valid runs are in `figure`; `None` if none of them has it.
    pub fn spread(&self, figure: Figure) -> Option<FigureSpread> {
        FigureSpread::of(self.valid().filter_map(|run| run.figures.get(figure)))
    }

    /// The exit code of its runs: the worst.
    pub fn exit_code(&self) -> u8 {
        worst_exit_code(self.runs.iter().map(|run| run.code()))
    }

    /// The judgements called `name`, one of each run that has it.
    pub fn judgements(&self, name: &str) -> Vec<&Judgement> {
        let of_run = |run: &&'_ ComparedRun| {
            let mut judgements = run.judgements.iter();
            judgements.position(|judgement| judgement.name == name)
        };
        self.runs
            .iter()
            .filter_map(|run| Some(&run.judgements[of_run(run)?]))
            .collect()
    }
}

impl ComparedRun {
    /// One that did not begin.
    pub fn not_run(values: Vec<String>, number: u32, seed: u64) -> Self {
        Self {
            values,
            number,
            seed,
            state: RunState::NotRun,
            outcome: None,
            exit_code: None,
            reasons: Vec::new(),
            report: None,
            judgements: Vec::new(),
            figures: Figures::default(),
        }
    }

    /// The same with the verdict of `run`, whose report is at `report`.
    #[must_use]
    pub fn judged(mut self, run: &Run, report: String) -> Self {
        let told = run.told();
        let lines = told.iter().flat_map(|part| &part.lines);
        self.reasons = lines
            .map(|line| format!("{}: {}", line.label, line.text))
            .collect();
        self.state = RunState::Judged;
        self.outcome = Some(run.verdict.outcome);
        self.exit_code = Some(run.verdict.exit_code);
        self.report = Some(report);
        self.judgements = judgements(&run.measured.checks, &run.measured.thresholds);
        self.figures = Figures::of(&Summary::of(run));
        self
    }

    /// The exit code that it asks for; of one that was not run, that of a run that was stopped.
    pub fn code(&self) -> u8 {
        self.exit_code.unwrap_or(STOPPED_CODE)
    }

    /// `PASS`, `FAIL (98)`, `skipped (4)`, `no verdict (3)`, `not run`.
    pub fn verdict(&self) -> String {
        let code = self.code();
        match (self.state, self.outcome) {
            (RunState::Judged, Some(outcome)) if code == 0 => outcome.as_str().to_owned(),
            (RunState::Judged, Some(outcome)) => format!("{} ({code})", outcome.as_str()),
            (RunState::Skipped, _) => format!("skipped ({code})"),
            (RunState::Failed, _) | (RunState::Judged, None) => format!("no verdict ({code})"),
            (RunState::NotRun, _) => "not run".to_owned(),
        }
    }
}

/// A value with its axis, if it needs that.
fn pair(axis: &str, value: &str) -> String {
    match axis {
        SCENARIO | WITH => value.to_owned(),
        other => format!("{other}={value}"),
    }
}

/// The parts of a dotted key; a quoted one is whole.
fn parts_of(key: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut is_quoted = false;
    for (place, letter) in key.char_indices() {
        is_quoted ^= letter == '"';
        if letter == '.' && !is_quoted {
            parts.push(&key[begin..place]);
            begin = place + 1;
        }
    }
    parts.push(&key[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn run(value: &str, number: u32) -> ComparedRun {
        ComparedRun::not_run(vec![value.to_owned()], number, 7)
    }

    fn set(runs: Vec<ComparedRun>) -> RunSet {
        RunSet {
            runs,
            ..RunSet::new("c".to_owned(), None, vec!["x".to_owned()])
        }
    }

    /// Runs A B A B are two rows of two.
    #[test]
    fn runs_with_the_same_values_are_one_row() {
        let runs = vec![run("a", 1), run("b", 1), run("a", 2), run("b", 2)];
        let set = set(runs);

        let rows = set.rows();

        let shape: Vec<(&str, usize)> = rows
            .iter()
            .map(|row| (row.values[0].as_str(), row.runs.len()))
            .collect();
        assert_eq!(shape, [("a", 2), ("b", 2)]);
        assert!(set.has_repeats());
    }

    /// Of a run that is INVALID nothing follows, and of no figure the median either; it is told that it was left out.
    #[test]
    fn an_invalid_run_is_in_no_spread() {
        let online = |number: u32, peak: u32, outcome: Outcome| {
            let mut sample = sample::passing();
            sample.verdict.outcome = outcome;
            let judged = run("a", number).judged(&sample, "report.html".to_owned());
            let mut summary = Summary::of(&sample);
            summary.peak_online = peak.into();
            ComparedRun {
                figures: Figures::of(&summary),
                ..judged
            }
        };
        let runs = vec![
            online(1, 10, Outcome::Pass),
            online(2, 1, Outcome::Invalid),
            online(3, 20, Outcome::Fail),
        ];
        let set = set(runs);

        let row = &set.rows()[0];

        assert_eq!(row.invalid(), 1);
        let spread = row.spread(Figure::Online).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (10.0, 15.0, 20.0));
    }

    /// A broken invariant of one run outranks everything else, and a run that never began counts as one that was stopped.
    #[test]
    fn the_worst_run_counts() {
        let failing = run("a", 1).judged(&sample::failing(), "a/report.html".to_owned());
        let passing = run("b", 1).judged(&sample::passing(), "b/report.html".to_owned());
        assert_eq!(failing.code(), 98);
        assert_eq!(passing.code(), 0);

        let of = |runs: Vec<ComparedRun>| set(runs).exit_code();

        assert_eq!(of(vec![passing.clone(), failing, run("c", 1)]), 98);
        assert_eq!(of(vec![passing.clone(), run("c", 1)]), 4);
        assert_eq!(of(vec![passing]), 0);
    }

    /// A key is as long as tells it from the others.
    #[test]
    fn axes_are_named_as_short_as_tells_them_apart() {
        let axes = ["group.a.count", "group.b.count", "target.use", "x.\"p.q\""];
        let set = RunSet::new("c".to_owned(), None, axes.map(str::to_owned).to_vec());

        assert_eq!(set.short_axes(), ["a.count", "b.count", "use", "\"p.q\""]);
    }

    /// Each claim is found by its name, also where a scenario makes one twice.
    #[test]
    fn judgements_have_names_of_their_own() {
        let mut sample = sample::failing();
        let again = sample.measured.checks[0].clone();
        sample.measured.checks.push(again);

        let compared = run("a", 1).judged(&sample, "report.html".to_owned());

        let mut names: Vec<&str> = compared
            .judgements
            .iter()
            .map(|judgement| judgement.name.as_str())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().any(|name| name.ends_with(" (2)")), "{names:?}");
    }

    /// The schema describes the file that is written.
    #[test]
    fn every_field_of_the_file_is_in_its_schema() {
        let schema = RunSet::json_schema().to_value();
        let file = serde_json::to_value(set(vec![run("a", 1)])).unwrap();

        for key in file.as_object().unwrap().keys() {
            assert!(schema["properties"].get(key).is_some(), "{key}");
        }
        let of_run = &schema["$defs"]["ComparedRun"]["properties"];
        for key in file["runs"][0].as_object().unwrap().keys() {
            assert!(of_run.get(key).is_some(), "{key}");
        }
    }
}
