//! Definitions of the schema that keys refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::read::shape::schema::referred;

/// Definitions of tables that several keys refer to.
pub(super) fn shared_definitions(root: &Json) -> BTreeSet<&str> {
    let mut counts = BTreeMap::new();
    count_references(root, &mut counts);
    let is_table = |name: &&str| has_table(root, &root["$defs"][name]);
    let several = counts.into_iter().filter(|(_, count)| *count > 1);
    several.map(|(name, _)| name).filter(is_table).collect()
}

/// Whether `schema` is a table, or a choice of which one is.
fn has_table(root: &Json, schema: &Json) -> bool {
    let choices = schema.get("oneOf").or(schema.get("anyOf"));
    let mut choices = choices.and_then(Json::as_array).into_iter().flatten();
    schema.get("type") == Some(&Json::from("object"))
        || choices.any(|choice| has_table(root, referred(root, choice)))
}

fn count_references<'s>(schema: &'s Json, counts: &mut BTreeMap<&'s str, usize>) {
    match schema {
        Json::Object(members) => {
            if let Some(name) = reference(schema) {
                *counts.entry(name).or_default() += 1;
            }
            for member in members.values() {
                count_references(member, counts);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| count_references(item, counts)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The name of the definition that `schema` refers to.
pub(super) fn reference(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}
