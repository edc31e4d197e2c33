//! From text to scenario, step by step: TOML, overrides, shape, types, meaning.

mod apply_overrides;
mod shape;

use serde::Deserialize as _;

use crate::Scenario;
use crate::error::{Diagnostics, Problem, ScenarioErrors};
use crate::file::ScenarioFile;
use crate::file::schema::json_schema;
use crate::overrides::Override;
use crate::resolve::resolve;
use crate::text::document::{Node, SyntaxError};
use crate::text::location::{At, KeyPath};
use crate::text::source::Sources;

impl Scenario {
    /// Reads the scenario `text`, with `overrides` put in, in order.
    ///
    /// `file_name` is what errors call the text. Everything that is wrong is told at once, as far
    /// as one mistake does not hide another: text that is no TOML hides all others, and a value of
    /// the wrong shape hides what it would contradict.
    pub fn parse(
        file_name: &str,
        text: &str,
        overrides: &[Override],
    ) -> Result<Self, ScenarioErrors> {
        let settings: Vec<String> = overrides.iter().map(Override::to_string).collect();
        let sources = Sources::new(file_name, text, &settings);
        let mut document = parse_toml(text, &sources)?;
        let mut diagnostics = Diagnostics::default();
        apply_overrides::apply(&mut document, overrides, &sources, &mut diagnostics);
        shape::check(&document, &json_schema(), &mut diagnostics);
        diagnostics.finish(&sources)?;

        let mut diagnostics = Diagnostics::default();
        let file = ScenarioFile::deserialize(&document);
        let scenario = match file {
            Ok(file) => Some(resolve(file, &At::root(&document), &mut diagnostics)),
            Err(error) => {
                let message = error.to_string();
                let problem = Problem::Unreadable { message };
                diagnostics.push(0..0, KeyPath::default(), problem);
                None
            }
        };
        diagnostics.finish(&sources)?;
        Ok(scenario.expect("a scenario without errors was resolved"))
    }
}

fn parse_toml(text: &str, sources: &Sources) -> Result<Node, ScenarioErrors> {
    Node::parse_document(text, 0).map_err(|errors| {
        let mut diagnostics = Diagnostics::default();
        for SyntaxError { message, span } in errors {
            diagnostics.push(span, KeyPath::default(), Problem::Syntax { message });
        }
        diagnostics
            .finish(sources)
            .expect_err("a parser that fails says why")
    })
}
