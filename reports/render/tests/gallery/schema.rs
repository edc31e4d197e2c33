//! Whether a JSON value keeps to a JSON Schema: the keywords that our own schemas use, and no other.
//!
//! A keyword that is not known here is a failure of the test, never passed over.

use serde_json::{Map, Value};

/// Where `value` breaks `schema`, a line each; `root` holds the definitions.
pub(crate) fn faults(value: &Value, schema: &Value, root: &Value) -> Vec<String> {
    let mut checker = Checker {
        root,
        faults: Vec::new(),
    };
    checker.check(value, schema, "");
    checker.faults
}

struct Checker<'a> {
    root: &'a Value,
    faults: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, value: &Value, schema: &Value, path: &str) {
        if *schema == Value::Bool(true) {
            return;
        }
        let schema = schema.as_object().expect("a schema is an object or `true`");
        for (keyword, wanted) in schema {
            let holds = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "format" => true,
                "$ref" => {
                    let pointer = wanted.as_str().expect("a reference is text");
                    let target = self.root.pointer(pointer.trim_start_matches('#'));
                    self.check(value, target.expect("it refers to something"), path);
                    true
                }
                "type" => types(wanted).iter().any(|name| is_of(value, name)),
                "const" => value == wanted,
                "enum" => wanted.as_array().expect("a list").contains(value),
                // Limits are for numbers alone.
                "minimum" => !value.is_number() || value.as_f64() >= wanted.as_f64(),
                "maximum" => !value.is_number() || value.as_f64() <= wanted.as_f64(),
                "oneOf" => self.fitting(value, wanted) == 1,
                "anyOf" => self.fitting(value, wanted) > 0,
                "required" => has_all(value, wanted),
                "properties" => {
                    self.properties(value, wanted, path);
                    true
                }
                "additionalProperties" => {
                    self.others(value, schema, path);
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(item, wanted, &format!("{path}[{index}]"));
                    }
                    true
                }
                unknown => panic!("{path}: this test does not know the keyword `{unknown}`"),
            };
            if !holds {
                self.faults
                    .push(format!("{path}: {keyword} {wanted}, is {value}"));
            }
        }
    }

    /// How many of `schemas` the value keeps to.
    fn fitting(&self, value: &Value, schemas: &Value) -> usize {
        let schemas = schemas.as_array().expect("a list of schemas");
        let fits = |schema: &&Value| faults(value, schema, self.root).is_empty();
        schemas.iter().filter(fits).count()
    }

    fn properties(&mut self, value: &Value, schemas: &Value, path: &str) {
        let Some(value) = value.as_object() else {
            return;
        };
        for (name, schema) in schemas.as_object().expect("schemas by name") {
            if let Some(part) = value.get(name) {
                self.check(part, schema, &format!("{path}.{name}"));
            }
        }
    }

    fn others(&mut self, value: &Value, schema: &Map<String, Value>, path: &str) {
        let named = schema.get("properties").and_then(Value::as_object);
        let is_named = |name: &String| named.is_some_and(|named| named.contains_key(name));
        for (name, part) in value.as_object().into_iter().flatten() {
            if is_named(name) {
                continue;
            }
            let others = &schema["additionalProperties"];
            if *others == Value::Bool(false) {
                self.faults.push(format!("{path}.{name} is not known"));
            } else {
                self.check(part, others, &format!("{path}.{name}"));
            }
        }
    }
}

fn types(wanted: &Value) -> Vec<&str> {
    let several = wanted.as_array().into_iter().flatten();
    several.chain([wanted]).filter_map(Value::as_str).collect()
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("this test does not know the type `{unknown}`"),
    }
}

fn has_all(value: &Value, names: &Value) -> bool {
    let names = names.as_array().expect("a list of names");
    let mut names = names.iter().filter_map(Value::as_str);
    value
        .as_object()
        .is_some_and(|value| names.all(|name| value.contains_key(name)))
}
