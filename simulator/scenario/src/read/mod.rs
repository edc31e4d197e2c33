//! From text to scenario, step by step: TOML, overrides, shape, types, meaning.

mod apply_overrides;
mod bring_down;
mod describe;
mod extend;
mod fill_vars;
pub(crate) mod shape;

use serde::Deserialize as _;
use squall_toml::at::KeyPath;
use squall_toml::document::Document;

use crate::error::{Diagnostics, Problem, ScenarioErrors};
use crate::file::ScenarioFile;
use crate::file::schema::shape_schema;
use crate::overrides::Override;
use crate::resolve::resolve;
use crate::{NoSurroundings, Scenario, Surroundings};

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
    /// every other mistake, and a value of the wrong shape hides what it would contradict.
    pub fn parse_bytes(
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
        apply_overrides::apply(node, overrides, sources, &mut diagnostics);
        let schema = shape_schema();
        fill_vars::apply(node, &schema, &mut diagnostics);
        shape::check(node, &schema, &mut diagnostics);
        diagnostics.finish(sources)?;

        let mut diagnostics = Diagnostics::default();
        let described = describe::apply(&mut document.node, surroundings, &mut diagnostics)?;
        let adapted = bring_down::apply(&mut document.node);
        let file = ScenarioFile::deserialize(&document.node);
        let scenario = match file {
            Ok(file) => {
                let root = document.root();
                let mut scenario = resolve(file, &root, surroundings, &mut diagnostics);
                if let Some(described) = described {
                    scenario.traits.name = Some(described.name);
                    scenario.traits.install = described.install;
                }
                scenario.traits.changes = adapted.changes;
                scenario.extends = bases;
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
        diagnostics.finish(&document.sources)?;
        Ok(scenario.expect("a scenario without errors was resolved"))
    }
}
