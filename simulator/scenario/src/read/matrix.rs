//! `[matrix]`: keys that take several values, and the combinations of them.
//!
//! An axis is named as `--set` names a value: `"group.sensors.count" = [100, 1000]`. Tables below `[matrix]` are the
//! same: `group.sensors.count = [100, 1000]`. What `--set` says of the key of an axis narrows that axis, so the text of a
//! file with the settings of one combination stands for that combination alone.

use squall_toml::at::KeyPath;
use squall_toml::mistake::Mistake;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::quote::quote;
use squall_toml::secret::without_secrets;
use squall_toml::source::Span;

use super::put::{self, Change};
use crate::error::{Diagnostics, Problem};
use crate::model::sweep::Setting;
use crate::overrides::Override;

/// The key of the block.
pub(super) const KEY: &str = "matrix";

/// Most runs of one file: combinations, each as often as `run.repeat` says.
pub(super) const RUNS_MAX: u64 = 1_000;

/// Keys that say what the file is, and not what a run does.
const NOT_SWEPT: [&str; 5] = ["version", "name", "description", "extends", KEY];

/// The axes of a file, in file order.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    axes: Vec<Axis>,
    /// Where the block begins.
    span: Span,
}

/// A key, and the values that it takes in turn: at least one.
#[derive(Debug)]
struct Axis {
    /// As it is written, and as `--set` takes it.
    key: String,
    /// The same in its parts.
    keys: Vec<String>,
    /// Where it points to in the file, however it is written.
    place: Vec<String>,
    key_span: Span,
    values: Vec<Node>,
}

impl Matrix {
    /// Takes the block out of `document`. What is wrong with it is noted.
    pub(super) fn take(document: &mut Node, diagnostics: &mut Diagnostics) -> Self {
        let Some(entry) = document.remove(KEY) else {
            return Self::default();
        };
        let path = KeyPath::default().key(KEY);
        let mut matrix = Self {
            axes: Vec::new(),
            span: entry.key_span.clone(),
        };
        let mut written = Vec::new();
        match &entry.node.value {
            Value::Table(entries) => {
                for entry in entries {
                    add_written(None, entry, &path, &mut written);
                }
            }
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Datetime
            | Value::Array(_) => {
                let problem = entry.node.wrong_type("a table");
                diagnostics.push(entry.node.span.clone(), path, problem);
            }
        }
        for Written { key, entry, path } in written {
            match matrix.axis(key, entry, document) {
                Ok(axis) => matrix.axes.push(axis),
                Err((span, problem)) => diagnostics.push(span, path, problem),
            }
        }
        matrix
    }

    /// The axis `key` with the values of `entry`, or what is wrong with it and where.
    fn axis(&self, key: String, entry: &Entry, document: &Node) -> Result<Axis, (Span, Problem)> {
        let of_key = |problem: Problem| (entry.key_span.clone(), problem);
        let contradiction = |what: String, remedy: &str| Problem::Contradiction {
            what,
            remedy: remedy.to_owned(),
        };
        let keys = put::split_key(&key).map_err(|error| of_key(error.into()))?;
        if NOT_SWEPT.contains(&keys[0].as_str()) {
            let what = format!("`{key}` says what the file is: it is the same for all runs");
            let remedy = "a key that changes what a run does, such as \"group.sensors.count\"";
            return Err(of_key(contradiction(what, remedy)));
        }
        if keys == ["run", "repeat"] {
            let what = "`run.repeat` is how often each combination is run".to_owned();
            return Err(of_key(contradiction(what, "`repeat = 3` in `[run]`")));
        }
        if self.axes.iter().any(|axis| axis.keys == keys) {
            let what = format!("`{key}` is an axis twice");
            return Err(of_key(contradiction(what, "each key once")));
        }
        let place = put::place_of(document, &keys);
        if let Some(what) = self.undone_by(&key, &place) {
            return Err(of_key(contradiction(what, "one of them")));
        }
        let of_values = |problem: Problem| (entry.node.span.clone(), problem);
        let Value::Array(values) = &entry.node.value else {
            let problem = entry.node.wrong_type("a list of values");
            return Err(of_values(problem.into()));
        };
        if values.is_empty() {
            let what = format!("`{key}` takes no value, so there is nothing to run");
            return Err(of_values(contradiction(what, "at least one value")));
        }
        let mut known: Vec<String> = Vec::new();
        for value in values {
            let Some(text) = toml_text(value) else {
                let problem = value.wrong_type("a value of this key");
                return Err((value.span.clone(), problem.into()));
            };
            let setting = format!("{key}={text}");
            if without_secrets(&setting) != setting {
                let what = format!("`{key}` is a secret, and the value of an axis is shown");
                return Err(of_key(contradiction(what, "an axis that may be read")));
            }
            if known.contains(&text) {
                let what = format!("`{key}` takes the value {text} twice");
                let remedy = "each value once; `repeat` in `[run]` runs all of them again";
                return Err((value.span.clone(), contradiction(what, remedy)));
            }
            known.push(text);
        }
        Ok(Axis {
            key,
            keys,
            place,
            key_span: entry.key_span.clone(),
            values: values.clone(),
        })
    }

    /// The axis whose values those of `key`, at `place`, would take the place of, in a sentence.
    fn undone_by(&self, key: &str, place: &[String]) -> Option<String> {
        let mut axes = self.axes.iter();
        let other = axes.find(|axis| put::replaces(place, &axis.place))?;
        let is = match place == other.place {
            true => "is the same as",
            false => "stands in place of",
        };
        Some(format!(
            "`{key}` {is} `{}`, which is an axis too",
            other.key
        ))
    }

    /// Lets `change`, of the command line, take the place of the values of its axis. False if it is about another key.
    ///
    /// A key that excludes that of an axis, as `target.url` does `target.use`, takes the place of the axis.
    ///
    /// # Errors
    /// A key that points to the place of an axis in other words, or into it: each run has the value of the axis.
    pub(super) fn narrow(&mut self, change: &Change, document: &Node) -> Result<bool, Problem> {
        let place = put::place_of(document, &change.keys);
        let is_narrowed = |axis: &Axis| put::is_in_place_of(&change.keys, &axis.keys);
        let is_lost = |axis: &Axis| {
            put::is_in_place_of(&place, &axis.place) || place.starts_with(&axis.place)
        };
        let mut axes = self.axes.iter_mut();
        let Some(axis) = axes.find(|axis| is_narrowed(axis) || is_lost(axis)) else {
            return Ok(false);
        };
        if !is_narrowed(axis) {
            return Err(Problem::Contradiction {
                what: format!(
                    "the matrix has the axis `{}`, whose values take the place of what `{}` says",
                    axis.key, change.key
                ),
                remedy: format!("`--set {}=…`, which leaves one value of the axis", axis.key),
            });
        }
        *axis = Axis {
            key: change.key.clone(),
            keys: change.keys.clone(),
            place,
            key_span: change.key_span.clone(),
            values: vec![change.value.clone()],
        };
        Ok(true)
    }

    /// The keys of its axes.
    pub(super) fn axes(&self) -> Vec<String> {
        self.axes.iter().map(|axis| axis.key.clone()).collect()
    }

    /// How many combinations there are: one without axes.
    pub(super) fn combinations(&self) -> u64 {
        let counts = self.axes.iter().map(|axis| axis.values.len() as u64);
        counts.fold(1, u64::saturating_mul)
    }

    /// Where the block begins in the text.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The settings of combination `number`, and `document` with them.
    ///
    /// A value that cannot be put in is noted.
    pub(super) fn apply(
        &self,
        number: u64,
        document: &Node,
        diagnostics: &mut Diagnostics,
    ) -> (Vec<Setting>, Node) {
        let mut document = document.clone();
        let mut settings = Vec::new();
        let mut below = self.combinations();
        for axis in &self.axes {
            below /= axis.values.len() as u64;
            let place = usize::try_from(number / below).expect("it is bounded by the runs");
            let value = &axis.values[place % axis.values.len()];
            settings.push(setting(&axis.key, value));
            let done = put::set(&mut document, &axis.keys, value.clone(), &axis.key_span);
            if let Err(error) = done {
                let path = KeyPath::default().key(KEY).key(&axis.key);
                diagnostics.push(axis.key_span.clone(), path, error);
            }
        }
        (settings, document)
    }
}

/// An axis as the file has it.
struct Written<'e> {
    key: String,
    entry: &'e Entry,
    path: KeyPath,
}

/// Adds the axis that `entry` is, or those of the table that it is, below the key `above`.
fn add_written<'e>(
    above: Option<&str>,
    entry: &'e Entry,
    path: &KeyPath,
    written: &mut Vec<Written<'e>>,
) {
    let key = match above {
        None => entry.key.clone(),
        Some(above) if entry.key.contains(['.', '[']) => {
            format!("{above}.{}", quote(&entry.key))
        }
        Some(above) => format!("{above}.{}", entry.key),
    };
    let path = path.key(&entry.key);
    if let Value::Table(entries) = &entry.node.value {
        for entry in entries {
            add_written(Some(&key), entry, &path, written);
        }
        return;
    }
    written.push(Written { key, entry, path });
}

fn setting(key: &str, value: &Node) -> Setting {
    // A value of the command line may be anything: what cannot be written is shown as it failed.
    let text = toml_text(value).unwrap_or_default();
    let shown = match &value.value {
        Value::String(text) => text.clone(),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Datetime
        | Value::Array(_)
        | Value::Table(_) => text.clone(),
    };
    Setting {
        change: Override {
            key: key.to_owned(),
            value: text,
        },
        shown,
    }
}

/// `node` as TOML on one line; `None` with a date in it, of which the format has none.
fn toml_text(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        // With a point, so that it stays one.
        Value::Float(value) => format!("{value:?}"),
        Value::String(text) => quote(text),
        Value::Datetime => return None,
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(toml_text).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Table(entries) => {
            let pairs: Option<Vec<String>> = entries
                .iter()
                .map(|entry| {
                    let key = squall_toml::quote::quote_key(&entry.key);
                    Some(format!("{key} = {}", toml_text(&entry.node)?))
                })
                .collect();
            format!("{{ {} }}", pairs?.join(", "))
        }
    })
}

/// Too many runs: what would be fewer.
pub(super) fn too_many(combinations: u64, repeat: u32) -> Problem {
    let times = match repeat {
        1 => String::new(),
        repeat => format!(", {repeat} times each"),
    };
    Problem::Mistake(Mistake::OutOfRange {
        value: format!("{combinations} combinations{times}"),
        range: format!("at most {RUNS_MAX} runs"),
    })
}
