//! The schema that editors read offers what the reference says.

use serde_json::{Value, json};
use squall_scenario::{Reference, json_schema};

/// The keys that the schema has for `word`, along its chain of `if`, `then` and `else`.
fn keys_for<'s>(schema: &'s Value, tag: &str, word: &str) -> Option<&'s Value> {
    let mut schema = schema;
    while schema["if"].is_object() {
        if schema["if"]["properties"][tag]["const"] == word {
            return Some(&schema["then"]["propertyNames"]["enum"]);
        }
        schema = &schema["else"];
    }
    None
}

/// A check has its own keys and no others.
#[test]
fn each_check_has_its_own_keys() {
    let schema = json_schema();
    let reference = Reference::of_format();
    let mut checks = 0;

    for section in reference
        .sections
        .iter()
        .filter(|section| section.path == "expect")
    {
        let Some(variant) = &section.variant else {
            continue;
        };
        let mut keys: Vec<String> = section.keys.iter().map(|key| key.name.clone()).collect();
        keys.push("check".to_owned());
        keys.sort();

        let offered = keys_for(&schema["$defs"]["Expect"], "check", &variant.word);

        assert_eq!(offered, Some(&json!(keys)), "{}", variant.word);
        checks += 1;
    }
    assert!(checks >= 7, "{checks}");
}

/// `how` is refused with every action but `drop` and `flap`.
#[test]
fn a_key_of_one_action_is_refused_with_the_others() {
    let schema = json_schema();
    let mut told = &schema["$defs"]["Fault"];
    let mut actions = Vec::new();

    while told["if"].is_object() {
        let action = told["if"]["properties"]["action"]["const"]
            .as_str()
            .unwrap();
        let is_refused = told["then"]["properties"]["how"] == json!(false);
        let has_it = ["drop", "flap"].contains(&action);
        assert_eq!(is_refused, !has_it, "{action}");
        actions.push(action.to_owned());
        told = &told["else"];
    }

    assert!(actions.contains(&"disconnect".to_owned()), "{actions:?}");
}

/// Words are an `enum` with what each means, and defaults are values.
#[test]
fn words_and_defaults_are_for_machines() {
    let schema = json_schema();
    let definitions = &schema["$defs"];

    let protocol = &definitions["Protocol"];
    let group = &definitions["Group"]["properties"];

    assert_eq!(protocol["enum"], json!(["3.1.1", "5.0"]));
    assert_eq!(
        protocol["x-taplo"]["docs"]["enumValues"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(group["protocol"]["default"], "5.0");
    assert_eq!(group["keep_alive"]["default"], "60s");
    assert_eq!(group["clean_start"]["default"], true);
    assert!(schema["properties"]["thresholds"]["properties"]["e2e_latency"].is_object());
}
