//! From text to scenario, step by step: TOML, overrides, shape, types, meaning.

use serde::Deserialize as _;

use super::Scenario;
use super::document::{Node, SyntaxError};
use super::error::{Diagnostics, Problem, ScenarioErrors};
use super::file::ScenarioFile;
use super::location::{At, KeyPath};
use super::overrides::{self, Override};
use super::resolve::resolve;
use super::schema::json_schema;
use super::shape;
use super::source::Sources;

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
        let sources = Sources::new(file_name, text, overrides);
        let mut document = parse_toml(text, &sources)?;
        let mut diagnostics = Diagnostics::default();
        overrides::apply(&mut document, overrides, &sources, &mut diagnostics);
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
