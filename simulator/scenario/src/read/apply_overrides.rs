//! Puts the values of `--set` into the document of the file.

use squall_toml::at::KeyPath;
use squall_toml::node::{Node, Value};
use squall_toml::source::Sources;

use super::matrix::{self, Matrix};
use super::put::{Change, set, split_key};
use crate::error::Diagnostics;
use crate::overrides::Override;

/// Puts every override into `document`, in order. What the document sweeps is taken out of it, narrowed to what the
/// overrides say of it.
pub(super) fn apply(
    document: &mut Node,
    overrides: &[Override],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Matrix {
    let changes = changes(overrides, sources, diagnostics);
    let of_matrix = |change: &&Change| change.keys[0] == matrix::KEY;
    let put = |document: &mut Node, change: &Change, diagnostics: &mut Diagnostics| {
        let outcome = set(
            document,
            &change.keys,
            change.value.clone(),
            &change.key_span,
        );
        if let Err(error) = outcome {
            diagnostics.push(change.key_span.clone(), KeyPath::default(), error);
        }
    };
    for change in changes.iter().filter(of_matrix) {
        put(document, change, diagnostics);
    }
    let mut matrix = Matrix::take(document, diagnostics);
    for change in changes.iter().filter(|change| !of_matrix(change)) {
        match matrix.narrow(change, document) {
            Ok(true) => {}
            Ok(false) => put(document, change, diagnostics),
            Err(problem) => {
                diagnostics.push(change.key_span.clone(), KeyPath::default(), problem);
            }
        }
    }
    matrix
}

/// The overrides in their parts. A key that cannot be read is noted.
fn changes(
    overrides: &[Override],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, entry) in overrides.iter().enumerate() {
        let base = sources.override_base(index);
        let key_span = base..base + entry.key.len();
        match split_key(&entry.key) {
            Ok(keys) => changes.push(Change {
                key: entry.key.clone(),
                keys,
                value: parse_value(&entry.value, base + entry.key.len() + 1),
                key_span,
            }),
            Err(error) => diagnostics.push(key_span, KeyPath::default(), error),
        }
    }
    changes
}

/// A TOML value, or else the text itself.
fn parse_value(text: &str, base: usize) -> Node {
    Node::parse_value(text, base).unwrap_or_else(|_| Node {
        span: base..base + text.len(),
        value: Value::String(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::OverrideError;

    const FILE: &str = r#"
seed = 1
[target]
spawn = "mosquitto -p {port}"
[[group]]
name = "sensors"
count = 5
[[group.publish]]
every = "10s"
[[group]]
name = "backend"
[[group.publish]]
qos = 0
[[group.publish]]
qos = 1
"#;

    /// The document after `--set` with each of `arguments`.
    fn set_all(arguments: &[&str]) -> Result<Node, String> {
        let overrides: Vec<Override> = arguments
            .iter()
            .map(|argument| argument.parse().unwrap())
            .collect();
        let settings: Vec<String> = overrides.iter().map(Override::to_string).collect();
        let sources = Sources::new("a.toml", FILE, &settings);
        let mut document = Node::parse_document(FILE, 0).unwrap();
        let mut diagnostics = Diagnostics::default();
        apply(&mut document, &overrides, &sources, &mut diagnostics);
        match diagnostics.finish(&sources) {
            Ok(()) => Ok(document),
            Err(errors) => Err(errors.to_string()),
        }
    }

    fn integer(node: Option<&Node>) -> Option<i64> {
        let Value::Integer(value) = node?.value else {
            return None;
        };
        Some(value)
    }

    #[test]
    fn a_block_of_many_is_set_by_name() {
        let document = set_all(&["group.sensors.count=200", "seed=7"]).unwrap();

        let sensors = &document.get("group").unwrap().items()[0];
        assert_eq!(integer(sensors.get("count")), Some(200));
        assert_eq!(integer(document.get("seed")), Some(7));
    }

    #[test]
    fn a_key_that_the_file_does_not_have_is_added() {
        let document = set_all(&["run.duration=2m"]).unwrap();

        let duration = document.get("run").unwrap().get("duration").unwrap();
        assert_eq!(duration.as_str(), Some("2m"));
    }

    /// `--set target.url=…` of a file that spawns its target asks for the url.
    #[test]
    fn setting_one_alternative_takes_the_others_out() {
        let document = set_all(&[
            "target.url=mqtt://localhost:1883",
            "group.sensors.publish.rate=5",
        ])
        .unwrap();

        let target = document.get("target").unwrap();
        assert!(target.get("spawn").is_none());
        assert!(target.get("url").is_some());
        let sensors = &document.get("group").unwrap().items()[0];
        let publish = &sensors.get("publish").unwrap().items()[0];
        assert!(publish.get("every").is_none());
        assert_eq!(integer(publish.get("rate")), Some(5));
    }

    #[test]
    fn a_quoted_key_may_hold_dots_and_equal_signs() {
        let document = set_all(&["thresholds.\"e2e_latency{qos=1}\"=[\"p99.9 < 2s\"]"]).unwrap();

        let thresholds = document.get("thresholds").unwrap();
        let conditions = thresholds.get("e2e_latency{qos=1}").unwrap();
        assert_eq!(conditions.items()[0].as_str(), Some("p99.9 < 2s"));
    }

    #[test]
    fn a_block_without_a_name_is_set_by_index() {
        let document = set_all(&["group.backend.publish[1].qos=2"]).unwrap();

        let backend = &document.get("group").unwrap().items()[1];
        let publish = &backend.get("publish").unwrap().items()[1];
        assert_eq!(integer(publish.get("qos")), Some(2));
    }

    #[test]
    fn a_block_that_does_not_exist_is_an_error_with_a_suggestion() {
        let report = set_all(&["group.sensor.count=200"]).unwrap_err();

        assert!(
            report.contains("the scenario has no group \"sensor\""),
            "{report}"
        );
        assert!(report.contains("--> --set:1:1"), "{report}");
        assert!(report.contains("did you mean `sensors`?"), "{report}");
    }

    #[test]
    fn one_of_many_has_to_be_chosen() {
        let report = set_all(&["group.backend.publish.qos=2"]).unwrap_err();

        assert!(
            report.contains("the scenario has 2 of publish: say which"),
            "{report}"
        );
    }

    #[test]
    fn a_malformed_override_is_an_error() {
        assert_eq!("seed".parse::<Override>(), Err(OverrideError::Malformed));
        assert_eq!("=7".parse::<Override>(), Err(OverrideError::Malformed));
        assert!(set_all(&["group..count=7"]).is_err());
        assert!(set_all(&["seed.x=7"]).is_err());
    }
}
