//! `[vars]` in place of values that are not texts: `count = "{vars.devices}"`.
//!
//! Where the format takes any text, a text stays what it is: it is a template, or a name. Where it takes a number, a
//! truth value, a quantity or one of several words, `{vars.NAME}` alone stands for the variable's value, which is then
//! checked as if it had been written there.

use serde_json::Value as Json;
use squall_toml::at::KeyPath;
use squall_toml::node::{Node, Value};

use super::shape::schema::{choices, referred, words};
use crate::TemplateError;
use crate::error::Diagnostics;
use crate::file::quantity_of;

/// Puts the values of `[vars]` in, and notes each that there is none of.
pub(super) fn apply(document: &mut Node, schema: &Json, diagnostics: &mut Diagnostics) {
    let vars = document.get("vars").map_or(&[][..], Node::entries);
    let vars: Vec<(String, Node)> = vars
        .iter()
        .map(|entry| (entry.key.clone(), entry.node.clone()))
        .collect();
    let mut filler = Filler {
        root: schema,
        vars,
        diagnostics,
    };
    filler.fill(document, &KeyPath::default(), &[schema]);
}

struct Filler<'a> {
    root: &'a Json,
    /// With where they are written, which is what an error about one of them points at.
    vars: Vec<(String, Node)>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Filler<'a> {
    /// Fills the value at `path`, which one of `schemas` describes.
    fn fill(&mut self, node: &mut Node, path: &KeyPath, schemas: &[&'a Json]) {
        let schemas: Vec<&Json> = schemas
            .iter()
            .flat_map(|&schema| {
                let schema = referred(self.root, schema);
                choices(self.root, schema).unwrap_or_else(|| vec![schema])
            })
            .collect();
        match &mut node.value {
            Value::Table(entries) => {
                for entry in entries {
                    let of_key = |schema: &&'a Json| {
                        let known = schema.get("properties").and_then(|of| of.get(&entry.key));
                        known.or_else(|| schema.get("additionalProperties"))
                    };
                    let inner: Vec<&Json> = schemas.iter().filter_map(of_key).collect();
                    self.fill(&mut entry.node, &path.key(&entry.key), &inner);
                }
            }
            Value::Array(items) => {
                let inner: Vec<&Json> = schemas
                    .iter()
                    .filter_map(|schema| schema.get("items"))
                    .collect();
                for (index, item) in items.iter_mut().enumerate() {
                    let path = path.item(index, item);
                    self.fill(item, &path, &inner);
                }
            }
            Value::String(text) => {
                let is_text = schemas.is_empty() || schemas.iter().any(takes_any_text);
                if let (false, Some(name)) = (is_text, variable(text)) {
                    let found = self.vars.iter().find(|(known, _)| known == name);
                    if let Some((_, value)) = found {
                        *node = value.clone();
                    } else {
                        let error = TemplateError::UnknownVar {
                            name: name.to_owned(),
                            known: self.vars.iter().map(|(known, _)| known.clone()).collect(),
                        };
                        self.diagnostics
                            .push(node.span.clone(), path.clone(), error);
                    }
                }
            }
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Datetime => {}
        }
    }
}

/// The name of the variable that a text is alone. Where the format takes no text, it is one that there is not, once all
/// are filled in.
pub(super) fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{vars.")?.strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

/// Whether a value of `schema` may be any text.
fn takes_any_text(schema: &&Json) -> bool {
    let is_string = schema.get("type").and_then(Json::as_str) == Some("string");
    let format = schema.get("format").and_then(Json::as_str);
    is_string && words(schema).is_empty() && format.and_then(quantity_of).is_none()
}
