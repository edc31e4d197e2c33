//! From text to scenario, step by step: TOML, overrides, shape, types, meaning.

mod apply_overrides;
mod bring_down;
mod describe;
mod extend;
mod fill_vars;
mod matrix;
mod partition;
mod put;
pub(crate) mod shape;

use serde::Deserialize as _;
use serde_json::Value as Json;
use squall_toml::at::{At, KeyPath};
use squall_toml::document::Document;
use squall_toml::node::Node;

use matrix::Matrix;

use crate::error::{Diagnostics, Problem, ScenarioErrors};
use crate::file::ScenarioFile;
use crate::file::schema::shape_schema;
use crate::overrides::Override;
use crate::resolve::resolve;
use crate::{Combination, NoSurroundings, Scenario, Surroundings, Sweep};

impl Scenario {
    /// Reads the scenario `text`, as [`Self::parse_bytes`] does, without surroundings.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        file_name: &str,
        text: &str,
        overrides: &[Override],
    ) -> Result<Self, ScenarioErrors> {
        Self::parse_bytes(file_name, text.as_bytes(), overrides, &NoSurroundings)
    }

    /// Reads the scenario in the bytes of a file, with `overrides` put in, in order.
    ///
    /// `file_name` is what errors call it; `surroundings` have the variables and the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong, as far as one mistake does not hide another: a syntax error hides
    /// every other mistake, and a value of the wrong shape hides what it would contradict. A `[matrix]` with
    /// several combinations is an error too: [`Sweep::parse_bytes`] reads those.
    pub fn parse_bytes(
        file_name: &str,
        bytes: &[u8],
        overrides: &[Override],
        surroundings: &dyn Surroundings,
    ) -> Result<Self, ScenarioErrors> {
        let opened = Opened::open(file_name, bytes, overrides, surroundings)?;
        let combinations = opened.matrix.combinations();
        if combinations > 1 {
            let problem = Problem::Contradiction {
                what: format!("the matrix has {combinations} combinations, and this takes one"),
                remedy: "--set KEY=VALUE for each axis, to choose one".to_owned(),
            };
            return Err(opened.wrong(problem));
        }
        Ok(opened.combination(0, surroundings)?.scenario)
    }
}

impl Sweep {
    /// Reads every scenario that a file stands for, as [`Scenario::parse_bytes`] does one.
    ///
    /// # Errors
    /// Everything that is wrong with the file, or with the first combination that something is wrong with.
    pub fn parse_bytes(
        file_name: &str,
        bytes: &[u8],
        overrides: &[Override],
        surroundings: &dyn Surroundings,
    ) -> Result<Self, ScenarioErrors> {
        let opened = Opened::open(file_name, bytes, overrides, surroundings)?;
        let count = opened.matrix.combinations();
        if count > matrix::RUNS_MAX {
            return Err(opened.wrong(matrix::too_many(count, 1)));
        }
        let combinations = (0..count).map(|number| opened.combination(number, surroundings));
        let sweep = Self {
            axes: opened.matrix.axes(),
            combinations: combinations.collect::<Result<_, _>>()?,
        };
        if sweep.runs() > matrix::RUNS_MAX {
            return Err(opened.wrong(matrix::too_many(count, sweep.repeat())));
        }
        Ok(sweep)
    }
}

/// A file with its bases and the overrides put in, before the values of its matrix are.
struct Opened {
    document: Document,
    bases: Vec<String>,
    matrix: Matrix,
    schema: &'static Json,
}

impl Opened {
    fn open(
        file_name: &str,
        bytes: &[u8],
        overrides: &[Override],
        surroundings: &dyn Surroundings,
    ) -> Result<Self, ScenarioErrors> {
        let settings: Vec<String> = overrides.iter().map(Override::to_string).collect();
        let mut document = Document::read(file_name, bytes, &settings)?;
        let mut diagnostics = Diagnostics::default();
        let Document { node, sources } = &mut document;
        let bases = extend::apply(node, sources, surroundings, &mut diagnostics)?;
        let matrix = apply_overrides::apply(node, overrides, sources, &mut diagnostics);
        let opened = Self {
            document,
            bases,
            matrix,
            schema: shape_schema(),
        };
        if diagnostics.is_empty() {
            return Ok(opened);
        }
        // One report for all: the rest is looked at as the file has it.
        let mut node = opened.document.node.clone();
        fill_vars::apply(&mut node, opened.schema, &mut diagnostics);
        shape::check(&node, opened.schema, &mut diagnostics);
        diagnostics.finish(&opened.document.sources)?;
        Ok(opened)
    }

    /// An error of the matrix as a whole.
    fn wrong(&self, problem: Problem) -> ScenarioErrors {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(
            self.matrix.span(),
            KeyPath::default().key(matrix::KEY),
            problem,
        );
        diagnostics.into_errors(&self.document.sources)
    }

    /// Combination `number` of the matrix.
    fn combination(
        &self,
        number: u64,
        surroundings: &dyn Surroundings,
    ) -> Result<Combination, ScenarioErrors> {
        let mut diagnostics = Diagnostics::default();
        let (settings, node) = self
            .matrix
            .apply(number, &self.document.node, &mut diagnostics);
        let scenario = self.resolve(node, surroundings, diagnostics);
        match scenario {
            Ok(scenario) => Ok(Combination { settings, scenario }),
            Err(errors) if self.matrix.combinations() == 1 => Err(errors),
            Err(errors) => {
                let settings = settings.iter().map(|setting| setting.change.to_string());
                let problem = Problem::InCombination {
                    settings: settings.collect(),
                };
                Err(errors.and(self.wrong(problem)))
            }
        }
    }

    /// What the document `node` means.
    fn resolve(
        &self,
        mut node: Node,
        surroundings: &dyn Surroundings,
        mut diagnostics: Diagnostics,
    ) -> Result<Scenario, ScenarioErrors> {
        let sources = &self.document.sources;
        fill_vars::apply(&mut node, self.schema, &mut diagnostics);
        shape::check(&node, self.schema, &mut diagnostics);
        diagnostics.finish(sources)?;

        let mut diagnostics = Diagnostics::default();
        partition::apply(&mut node, &mut diagnostics);
        let described = describe::apply(&mut node, surroundings, &mut diagnostics)?;
        let adapted = bring_down::apply(&mut node);
        let file = ScenarioFile::deserialize(&node);
        let scenario = match file {
            Ok(file) => {
                let root = At::root(&node);
                let mut scenario = resolve(file, &root, surroundings, &mut diagnostics);
                if let Some(described) = described {
                    scenario.traits.name = Some(described.name);
                    scenario.traits.install = described.install;
                }
                scenario.traits.changes = adapted.changes;
                scenario.extends.clone_from(&self.bases);
                if !adapted.skipped_because.is_empty() {
                    scenario.traits.skipped_because = adapted.skipped_because;
                }
                Some(scenario)
            }
            Err(error) => {
                let message = error.to_string();
                let problem = Problem::Unreadable { message };
                diagnostics.push(0..0, KeyPath::default(), problem);
                None
            }
        };
        diagnostics.finish(sources)?;
        Ok(scenario.expect("a scenario without errors was resolved"))
    }
}
