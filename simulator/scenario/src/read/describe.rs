//! `target.use`: puts what is said of a broker once into a scenario's `[target]`.

use serde::Deserialize as _;
use squall_toml::at::{At, KeyPath};
use squall_toml::document::Document;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::Span;

use super::shape;
use crate::error::{Diagnostics, Problem, ScenarioErrors};
use crate::file::DescriptionFile;
use crate::file::schema::target_schema;
use crate::resolve::resolve_description;
use crate::{Surroundings, TargetDescription};

/// Keys of `[target]` that go with a broker that squall starts.
const KEYS_OF_SPAWN: [&str; 7] = [
    "spawn", "ready", "kill", "software", "env", "config", "keeps",
];
/// Keys with which a scenario sets the broker up otherwise: what the description says it keeps does not hold then.
const KEYS_OF_SETUP: [&str; 3] = ["spawn", "env", "config"];

/// A description, and the tree that it was read from.
struct Described {
    description: TargetDescription,
    node: Node,
}

impl TargetDescription {
    /// Reads the file `file_name` that describes a broker.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Self, ScenarioErrors> {
        Ok(read(file_name, bytes)?.description)
    }
}

fn read(file_name: &str, bytes: &[u8]) -> Result<Described, ScenarioErrors> {
    let document = Document::read(file_name, bytes, &[])?;
    let mut diagnostics = Diagnostics::default();
    shape::check(&document.node, &target_schema(), &mut diagnostics);
    diagnostics.finish(&document.sources)?;
    let mut diagnostics = Diagnostics::default();
    let description = match DescriptionFile::deserialize(&document.node) {
        Ok(file) => Some(resolve_description(
            file,
            &document.root(),
            &mut diagnostics,
        )),
        Err(error) => {
            let message = error.to_string();
            diagnostics.push(0..0, KeyPath::default(), Problem::Unreadable { message });
            None
        }
    };
    diagnostics.finish(&document.sources)?;
    Ok(Described {
        description: description.expect("a description without errors was resolved"),
        node: document.node,
    })
}

/// Puts what the description says that `target.use` of `document` names, if it names one, where the scenario itself
/// says nothing. The description itself.
///
/// # Errors
/// Everything that is wrong with the description. What is wrong with `use` itself is noted.
pub(super) fn apply(
    document: &mut Node,
    surroundings: &dyn Surroundings,
    diagnostics: &mut Diagnostics,
) -> Result<Option<TargetDescription>, ScenarioErrors> {
    let root = At::root(document);
    let at_target = root.key("target");
    let at = at_target.key("use");
    let Some(name) = at.node().and_then(Node::as_str) else {
        return Ok(None);
    };
    let bytes = match surroundings.target(name) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = Problem::Unreadable {
                message: error.to_string(),
            };
            diagnostics.value(&at, problem);
            return Ok(None);
        }
    };
    let Described {
        description,
        node: described,
    } = read(&format!("target {name}"), &bytes)?;
    let has_place = ["url", "spawn"]
        .iter()
        .any(|key| at_target.key(key).is_written());
    if description.target.is_none() && !has_place {
        let problem = Problem::Contradiction {
            what: format!(
                "squall does not start {}, and does not know where it is",
                description.about
            ),
            remedy: "`url` beside `use`, or --set target.url=mqtt://HOST:PORT".to_owned(),
        };
        diagnostics.value(&at, problem);
    }
    let span = at.node().expect("it has a name").span.clone();
    let of_target = described.get("target").map_or(&[][..], Node::entries);
    merge(document, of_target, &span);
    Ok(Some(description))
}

/// Adds those of `entries` to `[target]` that it does not have, as if they stood at `span`.
fn merge(document: &mut Node, entries: &[Entry], span: &Span) {
    let Some(target) = document.get_mut("target") else {
        return;
    };
    let has_url = target.get("url").is_some();
    let has_spawn = target.get("spawn").is_some();
    let is_set_up = KEYS_OF_SETUP.iter().any(|key| target.get(key).is_some());
    for entry in entries {
        let key = entry.key.as_str();
        let is_out_of_place = (has_url && KEYS_OF_SPAWN.contains(&key))
            || (has_spawn && key == "url")
            || (is_set_up && key == "keeps");
        if target.get(key).is_some() || is_out_of_place {
            continue;
        }
        let mut entry = entry.clone();
        entry.key_span = span.clone();
        move_to(&mut entry.node, span);
        if let Value::Table(own) = &mut target.value {
            own.push(entry);
        }
    }
}

/// Messages show the scenario's text, of which a description is no part.
fn move_to(node: &mut Node, span: &Span) {
    node.span = span.clone();
    match &mut node.value {
        Value::Table(entries) => {
            for entry in entries {
                entry.key_span = span.clone();
                move_to(&mut entry.node, span);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_to(item, span)),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Datetime => {}
    }
}
