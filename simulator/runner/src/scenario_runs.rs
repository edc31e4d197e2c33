//! The runs that one scenario file asks for: one for each combination of its matrix, each as often as it says.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use squall_run::{RunSet, duration_text};
use squall_scenario::{Combination, Plan, Sweep};

use crate::cli::OverrideArgs;
use crate::exit::Failure;
use crate::scenario_file::{Around, ScenarioFile, name_of, parse_override, read_bounded};
use crate::shipped::{self, Shipped};
use crate::targets;

/// The combinations of a scenario file.
pub struct ScenarioRuns {
    /// Keys that take several values; none without a matrix.
    pub axes: Vec<String>,
    /// How often each combination is run.
    pub repeat: u32,
    /// One for each combination, at least one.
    pub combinations: Vec<ScenarioFile>,
}

impl ScenarioRuns {
    /// Reads, overrides and checks every scenario that a file stands for; every error names its place and the
    /// remedy. `-` is standard input, which can be read once. Where there is no file, a shipped scenario of that
    /// name is meant.
    pub fn read(path: PathBuf, changes: &OverrideArgs) -> Result<Self, Failure> {
        let shipped = shipped::find_path(&path);
        let (mut runs, same_name) = match shipped {
            Some(shipped) if path.is_dir() => (
                Self::shipped(shipped, changes)?,
                Some(format!(
                    "`{0}` is the scenario that squall brings, not the folder {0}",
                    shipped.name
                )),
            ),
            // Also a link that leads nowhere is a file: it was put there.
            Some(shipped) if path.symlink_metadata().is_err() => {
                (Self::shipped(shipped, changes)?, None)
            }
            Some(_) | None => {
                let bytes = read_bounded(&path)?;
                let same_name = shipped.map(|shipped| {
                    format!(
                        "`{0}` is the file {0}, not the scenario of this name that squall brings",
                        shipped.name
                    )
                });
                (Self::parse(path, bytes, changes)?, same_name)
            }
        };
        // Said once, whatever the number of runs.
        runs.combinations[0].same_name = same_name;
        Ok(runs)
    }

    /// A scenario of the program, overridden and checked.
    pub fn shipped(shipped: &Shipped, changes: &OverrideArgs) -> Result<Self, Failure> {
        Self::parse(PathBuf::from(shipped.name), shipped.text.into(), changes)
    }

    fn parse(path: PathBuf, bytes: Vec<u8>, changes: &OverrideArgs) -> Result<Self, Failure> {
        let mut overrides = Vec::new();
        if let Some(target) = &changes.target {
            overrides.push(targets::override_of(target)?);
        }
        for change in &changes.set {
            overrides.push(parse_override(change)?);
        }
        if let Some(seed) = changes.seed {
            overrides.push(parse_override(&format!("seed={seed}"))?);
        }
        let sweep =
            Sweep::parse_bytes(&name_of(&path), &bytes, &overrides, &Around { file: &path })
                .map_err(Failure::Scenario)?;
        let text = String::from_utf8(bytes).expect("a scenario that was read is text");
        let text: Rc<str> = text.into();
        let repeat = sweep.repeat();
        let combinations = sweep.combinations.into_iter();
        let of_one = |combination: Combination| {
            let settings = combination.settings.iter();
            let settings = settings.map(|setting| setting.change.clone());
            ScenarioFile {
                path: path.clone(),
                same_name: None,
                text: text.clone(),
                overrides: overrides.iter().cloned().chain(settings).collect(),
                settings: combination.settings,
                number: 1,
                scenario: combination.scenario,
            }
        };
        Ok(Self {
            axes: sweep.axes,
            repeat,
            combinations: combinations.map(of_one).collect(),
        })
    }

    /// The first combination: what there is to say of a file as a whole.
    pub fn first(&self) -> &ScenarioFile {
        &self.combinations[0]
    }

    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.combinations.len() * self.repeat as usize
    }

    /// How long all runs take, as far as their plans can say.
    pub fn total(&self) -> Duration {
        let of_one = |file: &ScenarioFile| Plan::of(&file.scenario).total();
        let once: Duration = self.combinations.iter().map(of_one).sum();
        once.saturating_mul(self.repeat)
    }

    /// `6 combinations, 3 times each: 18 runs, 9 min 20 s`
    pub fn in_words(&self) -> String {
        let total = duration_text(self.total().as_secs_f64());
        let combinations = self.combinations.len();
        match (combinations, self.repeat) {
            (1, repeat) => format!("{repeat} runs, {total}"),
            (_, 1) => format!("{combinations} combinations, {total}"),
            (_, repeat) => format!(
                "{combinations} combinations, {repeat} times each: {} runs, {total}",
                self.count()
            ),
        }
    }

    /// What tables call each combination; empty for one without a matrix.
    pub fn labels(&self) -> Vec<String> {
        let set = RunSet::new(String::new(), None, self.axes.clone());
        let label = |file: &ScenarioFile| {
            let values = file.settings.iter().map(|setting| setting.shown.clone());
            set.label_of(&values.collect::<Vec<_>>())
        };
        self.combinations.iter().map(label).collect()
    }

    /// Every run, in the order in which they run: all combinations, then all of them again, so that a machine that
    /// gets slower in between does so for all combinations alike.
    ///
    /// The first round has the scenario's seed, each further one the next number: what differs between rounds
    /// is also what the seed draws, and within a round nothing does.
    pub fn into_runs(self) -> Result<Vec<ScenarioFile>, Failure> {
        let mut runs = Vec::new();
        for number in 1..=self.repeat {
            for combination in &self.combinations {
                runs.push(combination.numbered(number)?);
            }
        }
        Ok(runs)
    }
}
