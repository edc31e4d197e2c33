//! Which keys of `[[fault]]` belong to which action.

use squall_scenario::{Problem, Reference};

use crate::host::{hosts_of, joined, read, value_in, with};

/// A key of a fault is refused with an action to which the reference says that it does not belong, and not
/// with the others.
#[test]
fn a_key_belongs_to_the_actions_that_the_reference_names() {
    let reference = Reference::of_format();
    let fault = reference
        .sections
        .iter()
        .find(|section| section.path == "fault")
        .unwrap();
    let action = fault.keys.iter().find(|key| key.name == "action").unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;

    for word in &action.words {
        let condition = format!("action = \"{}\"", word.word);
        let Some(example) = reference.example_of("action", &word.word) else {
            wrong.push(format!(
                "`{condition}` has no example: add one to VARIANTS in simulator/scenario/src/file/variant_examples.rs"
            ));
            continue;
        };
        let mut with_action = fault.clone();
        with_action.example = example;
        with_action.variant = Some(squall_scenario::Variant {
            tag: "action".to_owned(),
            word: word.word.clone(),
        });
        let hosts = hosts_of(&with_action, "fault");
        if !hosts.iter().any(|host| read(host).is_ok()) {
            let refused = read(&hosts[0]).unwrap_err();
            wrong.push(format!(
                "the example of `{condition}` is accepted in no host; in the first:\n{refused}"
            ));
            continue;
        }
        for key in fault.keys.iter().filter(|key| key.name != "action") {
            let Some(example) = &key.example else {
                continue;
            };
            let place = joined("fault", key);
            let value = value_in(example, &place);
            let tries = hosts.iter().flat_map(|host| with(host, &place, &value));
            let is_refused = tries
                .filter_map(|document| read(&document).err())
                .any(|errors| {
                    errors
                        .iter()
                        .any(|error| is_misplaced(&error.problem, &key.name))
                });
            let belongs = key.goes_with.is_empty() || key.goes_with.contains(&condition);
            if is_refused == belongs {
                wrong.push(format!(
                    "`fault.{}` is {} with `{condition}`, and the reference says otherwise: name the actions that it \
                     goes with by `#[schemars(extend(\"x-squall-with\" = {{ \"action\": [\"…\"] }}))]`",
                    key.name,
                    if is_refused { "refused" } else { "accepted" }
                ));
            }
            compared += 1;
        }
    }

    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(compared >= 20, "{compared}");
}

fn is_misplaced(problem: &Problem, name: &str) -> bool {
    matches!(problem, Problem::Misplaced { key, condition } if key == name && condition.contains("action"))
}
