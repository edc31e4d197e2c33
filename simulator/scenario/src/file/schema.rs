//! The JSON Schema of scenario files, made from the types that parse them.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::file::{DescriptionFile, ScenarioFile};

/// The JSON Schema (draft 2020-12) as the types have it, for the check of a file's shape and for the reference.
pub(crate) fn shape_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = Value::from(generator.into_root_schema_for::<ScenarioFile>());
        remove_null(&mut schema);
        schema
    });
    &SCHEMA
}

/// The JSON Schema of a file that describes a target.
pub(crate) fn target_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = Value::from(generator.into_root_schema_for::<DescriptionFile>());
    remove_null(&mut schema);
    schema
}

/// Takes `null` out of every choice of types: TOML has none, an absent key is simply not there.
fn remove_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
                if let [only] = choices.as_slice() {
                    let only = only.clone();
                    members.remove("anyOf");
                    if let Value::Object(only) = only {
                        for (key, value) in only {
                            members.entry(key).or_insert(value);
                        }
                    }
                }
            }
            // A default of null says nothing either.
            if members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            members.values_mut().for_each(remove_null);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
