//! The JSON Schema that editors read: the one that the types have, with what helps a person who writes a file.

use serde_json::{Map, Value, json};
use squall_run::MetricName;

use super::default;
use super::walk::GOES_WITH;
use crate::file::schema::shape_schema;
use crate::model::threshold::example_condition;
use crate::read::shape::schema::{choices, common_tag, known_keys, referred, tag_word, words};

/// The JSON Schema (draft 2020-12) of a scenario file, for editors.
pub fn json_schema() -> Value {
    let schema = shape_schema();
    let mut edited = schema.clone();
    edit(schema, &mut edited);
    name_metrics(&mut edited["properties"]["thresholds"]);
    edited
}

/// Edits `schema` and everything within it; `root` has the definitions that it refers to.
fn edit(root: &Value, schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                for property in properties.values_mut() {
                    add_default(root, property);
                }
            }
            for member in members.values_mut() {
                edit(root, member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| edit(root, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    tell_variants_apart(schema);
    list_words(schema);
    bind_to_actions(root, schema);
}

/// Gives a key the default that its description says, where that is one value.
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

/// A choice of words becomes a list of them: editors and validators say more about an `enum` than about a
/// `oneOf` of constants.
fn list_words(schema: &mut Value) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let listed: Option<Vec<String>> = choices
        .iter()
        .map(|choice| Some(choice.get("const")?.as_str()?.to_owned()))
        .collect();
    let Some(listed) = listed else { return };
    let meanings: Vec<Value> = choices
        .iter()
        .map(|choice| choice.get("description").cloned().unwrap_or_default())
        .collect();
    if let Value::Object(members) = schema {
        members.remove("oneOf");
        members.insert("type".to_owned(), json!("string"));
        members.insert("enum".to_owned(), json!(listed));
        members.insert(
            "x-taplo".to_owned(),
            json!({ "docs": { "enumValues": meanings } }),
        );
    }
}

/// Variants that a word tells apart become one table, whose keys depend on the word by `if` and `then`. All keys
/// are named beside that too, for editors that do not know `if`.
fn tell_variants_apart(schema: &mut Value) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else {
        return;
    };
    let variants = variants.clone();
    let variants: Vec<&Value> = variants.iter().collect();
    let Some(tag) = common_tag(&variants) else {
        return;
    };
    let mut all = Map::new();
    let mut told = json!(true);
    for variant in variants.iter().rev() {
        let word = tag_word(variant, tag).unwrap_or_default();
        let then = json!({
            "propertyNames": { "enum": known_keys(variant) },
            "properties": variant["properties"],
            "required": variant["required"],
        });
        told = json!({ "if": is_word(tag, &word), "then": then, "else": told });
        for (key, property) in variant["properties"].as_object().into_iter().flatten() {
            if key != tag {
                add_form(&mut all, key, property);
            }
        }
    }
    let words: Vec<String> = variants
        .iter()
        .filter_map(|variant| tag_word(variant, tag))
        .collect();
    let meanings: Vec<&Value> = variants
        .iter()
        .map(|variant| &variant["description"])
        .collect();
    let docs = json!({ "docs": { "enumValues": meanings } });
    let which = json!({ "type": "string", "description": format!("Which {tag} it is: the other keys depend on it."), "enum": words, "x-taplo": docs });
    all.insert(tag.to_owned(), which);
    let required = json!([tag]);
    if let Value::Object(members) = schema {
        members.remove("oneOf");
        members.insert("type".to_owned(), json!("object"));
        members.insert("properties".to_owned(), Value::Object(all));
        members.insert("required".to_owned(), required);
        members.insert("additionalProperties".to_owned(), json!(false));
        merge(members, &told);
    }
}

fn is_word(key: &str, word: &str) -> Value {
    json!({ "properties": { key: { "const": word } }, "required": [key] })
}

/// Adds what `key` takes in one more variant.
fn add_form(all: &mut Map<String, Value>, key: &str, property: &Value) {
    let Some(known) = all.get_mut(key) else {
        all.insert(key.to_owned(), property.clone());
        return;
    };
    if let Some(Value::Array(forms)) = known.get_mut("anyOf") {
        forms.push(property.clone());
    } else if known != property {
        *known = json!({ "anyOf": [known, property], "description": property["description"] });
    }
}

fn merge(members: &mut Map<String, Value>, added: &Value) {
    for (key, value) in added.as_object().into_iter().flatten() {
        members.insert(key.clone(), value.clone());
    }
}

/// Keys that go with some actions only are refused with the others.
fn bind_to_actions(root: &Value, schema: &mut Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let bound: Vec<(String, Value)> = properties
        .iter()
        .filter_map(|(key, property)| {
            Some((key.clone(), property.get(GOES_WITH)?["action"].clone()))
        })
        .collect();
    if bound.is_empty() {
        return;
    }
    let mut told = json!(true);
    let actions = choices(root, referred(root, &properties["action"])).unwrap_or_default();
    for word in actions.into_iter().flat_map(words) {
        let mut refused = Map::new();
        for (key, actions) in &bound {
            if !actions
                .as_array()
                .is_some_and(|actions| actions.contains(&json!(word)))
            {
                refused.insert(key.clone(), json!(false));
            }
        }
        told = json!({ "if": is_word("action", &word), "then": { "properties": refused }, "else": told });
    }
    if let Value::Object(members) = schema {
        merge(members, &told);
    }
}

/// Names each metric, with what it means, beside the pattern of those with tags.
fn name_metrics(thresholds: &mut Value) {
    let form = thresholds["additionalProperties"].clone();
    let named = MetricName::ALL.map(|metric| {
        let mut property = form.clone();
        property["description"] = json!(metric.definition());
        property["examples"] = json!([[example_condition(metric.as_str())]]);
        (metric.to_string(), property)
    });
    thresholds["properties"] = Value::Object(Map::from_iter(named));
}
