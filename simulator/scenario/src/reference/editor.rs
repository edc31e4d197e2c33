//! The JSON Schema that editors read: the one that the types have, with what helps a person who writes a file.

use serde_json::Value;

use super::default;
use crate::file::schema::shape_schema;
use crate::read::shape::schema::{choices, referred, words};

/// The JSON Schema (draft 2020-12) of a scenario file, for editors.
pub fn json_schema() -> Value {
    let schema = shape_schema();
    let mut edited = schema.clone();
    add_defaults(&schema, &mut edited);
    edited
}

/// Gives each key the default that its description says, where that is one value.
fn add_defaults(root: &Value, schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                for property in properties.values_mut() {
                    add_default(root, property);
                }
            }
            for member in members.values_mut() {
                add_defaults(root, member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_defaults(root, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn add_default(root: &Value, property: &mut Value) {
    let Some(description) = property.get("description").and_then(Value::as_str) else {
        return;
    };
    let taken = referred(root, property);
    let taken = choices(root, taken).unwrap_or_else(|| vec![taken]);
    let words: Vec<String> = taken.into_iter().flat_map(words).collect();
    let value = default::as_json(&default::of(description, &words));
    if let (Some(value), Value::Object(members)) = (value, property) {
        members.insert("default".to_owned(), value);
    }
}
