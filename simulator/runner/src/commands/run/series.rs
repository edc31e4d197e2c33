//! Runs that belong together: those of one scenario file, or of a suite.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use squall_reports::TestSuite;
use squall_run::{RunSet, SCENARIO};

use super::folders::{self, Folders};
use crate::cli::RunArgs;
use crate::exit::Failure;
use crate::output_args::OutputArgs;
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;

/// The longest that a value is in the name of a folder, in characters.
const VALUE_MAX: usize = 40;

/// Runs that belong together, before they have run.
pub struct Series {
    /// What is known of them: no runs yet.
    pub set: RunSet,
    /// The same as suites of tests: one for each run.
    pub suites: Vec<TestSuite>,
    /// The runs, in the order in which they run.
    pub files: Vec<ScenarioFile>,
    /// Where their results go.
    pub folders: Folders,
}

impl Series {
    /// The runs of a file of `squall run`: one, or those of its matrix and its repeats, which have a folder for all.
    pub fn of_file(runs: ScenarioRuns, args: &RunArgs) -> Result<Self, Failure> {
        let name = runs.first().scenario.name.clone();
        let question = runs.first().question();
        let folders = match runs.count() {
            1 => Folders::of_run(args),
            _ => Folders::of_series(&name, args),
        };
        Ok(Self {
            set: RunSet::new(name, question, runs.axes.clone()),
            suites: Vec::new(),
            files: runs.into_runs()?,
            folders,
        })
    }

    /// The scenarios of a suite, all of them in turn, and again if they are repeated.
    pub fn of_suite(
        name: &str,
        purpose: &str,
        members: Vec<ScenarioRuns>,
        output: &OutputArgs,
    ) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for member in members {
            files.extend(member.into_runs()?);
        }
        // Rounds of all scenarios; within a round the order of the suite.
        files.sort_by_key(|file| file.number);
        Ok(Self {
            set: RunSet::new(
                name.to_owned(),
                Some(purpose.to_owned()),
                vec![SCENARIO.to_owned()],
            ),
            suites: Vec::new(),
            files,
            folders: Folders::of_suite(name, output),
        })
    }

    /// A scenario on several targets, each of whose files is told by one setting: what the target is called.
    pub fn of_targets(
        name: String,
        question: Option<String>,
        files: Vec<ScenarioFile>,
        output: &OutputArgs,
    ) -> Self {
        let folders = Folders::of_suite(&format!("compare-{name}"), output);
        Self {
            set: RunSet::new(name, question, vec!["target".to_owned()]),
            suites: Vec::new(),
            files,
            folders,
        }
    }

    /// The values of `file` on the axes of the series.
    pub fn values_of(&self, file: &ScenarioFile) -> Vec<String> {
        match self.set.axes.first().map(String::as_str) {
            Some(SCENARIO) => vec![file.scenario.name.clone()],
            Some(_) | None => {
                let settings = file.settings.iter();
                settings.map(|setting| setting.shown.clone()).collect()
            }
        }
    }

    /// Where the results of `file` go, below the folder of the series: `count=100,use=squall/run-2`.
    pub fn folder_name_of(&self, file: &ScenarioFile) -> PathBuf {
        let is_repeated = self.files.iter().any(|file| file.number > 1);
        let by_values = match self.set.axes.first().map(String::as_str) {
            Some(SCENARIO) => file.scenario.name.clone(),
            None if is_repeated => String::new(),
            None => file.scenario.name.clone(),
            Some(_) => {
                let values = self.values_of(file);
                let pairs = self.set.short_axes().into_iter().zip(values);
                let pairs = pairs.map(|(axis, value)| {
                    format!("{}={}", for_a_folder(&axis), for_a_folder(&value))
                });
                pairs.collect::<Vec<_>>().join(",")
            }
        };
        match is_repeated {
            true => Path::new(&by_values).join(format!("run-{}", file.number)),
            false => PathBuf::from(by_values),
        }
    }

    /// The folder of all runs, if they have one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.folders {
            Folders::In(folder) if self.files.len() > 1 || self.is_suite() => Some(folder),
            Folders::In(_) | Folders::This(_) | Folders::New => None,
        }
    }

    /// Writes the page of all runs that there are by now, and what stands beside it.
    pub fn write_page(&self) -> Result<(), Failure> {
        let Some(folder) = self.folder() else {
            return Ok(());
        };
        let suites = self.set.runs.iter().zip(&self.suites);
        let suites = suites.map(|(run, suite)| suite.named(&self.set.label(run)));
        let suites: Vec<TestSuite> = suites.collect();
        Ok(squall_reports::write_runs(&self.set, &suites, folder)
            .context("cannot write the page of all runs")?)
    }

    /// The page to open: that of all runs, or the report of the only one, if it has one.
    pub fn page(&self) -> Option<PathBuf> {
        match self.folder() {
            Some(folder) => Some(folder.join(squall_reports::RUNS_PAGE)),
            None => self
                .set
                .runs
                .iter()
                .find_map(|run| run.report.as_ref().map(PathBuf::from)),
        }
    }

    fn is_suite(&self) -> bool {
        self.set.axes.first().is_some_and(|axis| axis == SCENARIO)
    }

    /// Whether the folder of all runs takes their table: found out before anything runs.
    pub fn check_folder(&self, output: &OutputArgs) -> Result<(), Failure> {
        let Some(folder) = self.folder() else {
            return Ok(());
        };
        if folder.join(squall_reports::RUNS_FILE).exists() && !output.force {
            return Err(Failure::Usage(format!(
                "{} holds the results of earlier runs: choose another folder, or replace them with --force",
                folder.display()
            )));
        }
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(())
    }
}

impl Folders {
    /// One folder for all runs of the scenario `name`.
    fn of_series(name: &str, args: &RunArgs) -> Self {
        Self::In(match &args.output.out {
            Some(out) if args.files.len() == 1 => out.clone(),
            Some(out) => out.join(name),
            None => folders::new_folder(name),
        })
    }
}

/// A value as part of the name of a folder, and of a link to it.
fn for_a_folder(value: &str) -> String {
    let is_kept = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
    let kept: String = value
        .chars()
        .map(|letter| if is_kept(letter) { letter } else { '-' })
        .collect();
    let words: Vec<&str> = kept.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(VALUE_MAX).collect();
    match name.trim_matches(['.', '-']) {
        "" => "value".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither a folder above nor a part of a link can come out of a value.
    #[test]
    fn a_value_is_part_of_a_name_of_one_folder() {
        for (value, name) in [
            ("100", "100"),
            ("0.5", "0.5"),
            ("{ size = \"16B\" }", "size-16B"),
            ("mqtt://127.0.0.1:1883", "mqtt-127.0.0.1-1883"),
            ("../../etc", "etc"),
            ("%2e#?", "2e"),
            ("", "value"),
        ] {
            assert_eq!(for_a_folder(value), name);
        }
        assert_eq!(for_a_folder(&"x".repeat(300)).len(), VALUE_MAX);
    }
}
