//! Settings in which sides differ, and which of them only follow from another.
//!
//! A broker of MQTT 3.1.1 has a row for each key that only 5.0 has, of each group: what a reader wants to know is the version.

mod card;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::resolved::settings_of;
use super::side::Side;
use crate::Run;
use card::card;

/// The row of what squall changed in a scenario for its target.
const CHANGED: &str = "target: scenario changed for it";
/// The row of the version of MQTT, where all groups differ in it alike.
const PROTOCOL: &str = "protocol";
/// The version that lacks what follows.
const OLD: &str = "\"3.1.1\"";
/// Last parts of keys of a group that MQTT 3.1.1 does not have.
const OF_5_0: [&str; 12] = [
    "session_expiry",
    "topic_alias",
    "will.delay",
    "no_local",
    "retain_as_published",
    "retain_handling",
    "subscription_identifier",
    "message_expiry",
    "content_type",
    "response_topic",
    "user_properties",
    "stamp",
];

/// A setting that differs between sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DifferingSetting {
    /// Its key, as `--set` has it, or a line of the run card: `machine: processor`.
    pub name: String,
    /// Its value on each side, in the order of the sides; `null` where there is none.
    pub values: Vec<Option<String>>,
    /// The setting in this list that it follows from: it differs because that one does. `null` for one that stands for itself.
    pub follows_from: Option<String>,
}

impl DifferingSetting {
    /// Those of `all` that stand for themselves, each with how many follow from it.
    pub fn causes(all: &[Self]) -> impl Iterator<Item = (&Self, usize)> {
        let own = all.iter().filter(|row| row.follows_from.is_none());
        own.map(|cause| (cause, cause.following(all).count()))
    }

    /// Those of `all` that follow from this one.
    pub fn following<'a>(&'a self, all: &'a [Self]) -> impl Iterator<Item = &'a Self> {
        all.iter()
            .filter(|row| row.follows_from.as_ref() == Some(&self.name))
    }

    /// `group.a.count`, or with what follows: `protocol 3.1.1 instead of 5.0, and 12 settings that follow from it`.
    pub fn in_words(&self, all: &[Self]) -> String {
        let text = match (self.name == PROTOCOL, self.values.as_slice()) {
            (true, [Some(base), Some(other)]) => format!("{PROTOCOL} {other} instead of {base}"),
            (_, _) => self.name.clone(),
        };
        match self.following(all).count() {
            0 => text,
            count => format!("{text}, and {}", that_follow(count)),
        }
    }
}

/// `1 setting that follows from it`, `12 settings that follow from it`
pub fn that_follow(count: usize) -> String {
    match count {
        1 => "1 setting that follows from it".to_owned(),
        more => format!("{more} settings that follow from it"),
    }
}

/// Settings by their keys.
pub(crate) type Settings = BTreeMap<String, String>;

/// The settings of a run that tell it from others: those of its scenario, and what was changed in it for its target.
pub(crate) fn settings_of_run(run: &Run) -> Settings {
    let mut settings = settings_of(&run.identity.scenario.resolved);
    settings.extend(changed(run).map(|changes| (CHANGED.to_owned(), changes)));
    settings
}

fn changed(run: &Run) -> Option<String> {
    let changes = &run.target.changes;
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// Every setting in which the sides differ: of the run cards first, then of the scenario.
pub(super) fn differing(sides: &[Side]) -> Vec<DifferingSetting> {
    let cards: Vec<Settings> = sides.iter().map(|side| card(side.first())).collect();
    let scenarios = sides.iter().map(|side| settings_of_run(side.first()));
    let mut rows = rows_of(&cards);
    rows.extend(rows_of_scenarios(&scenarios.collect::<Vec<_>>()));
    rows
}

/// Every setting in which scenarios differ, with what it follows from.
pub(crate) fn rows_of_scenarios(scenarios: &[Settings]) -> Vec<DifferingSetting> {
    // How a target is started and stopped follows from which one it is.
    let is_told = |name: &str| match name.strip_prefix("target.") {
        Some(of_target) => ["spawn", "url", "config"].contains(&of_target),
        None => true,
    };
    let mut rows = rows_of(scenarios);
    rows.retain(|row| is_told(&row.name));
    let groups: BTreeSet<&str> = scenarios
        .iter()
        .flat_map(|settings| settings.keys().filter_map(|key| group_of_protocol(key)))
        .collect();
    let mut rows = folded(rows, groups.len());
    // As a line of the run card it stands with those.
    rows.sort_by_key(|row| row.name != CHANGED);
    rows
}

fn rows_of(sides: &[Settings]) -> Vec<DifferingSetting> {
    let keys: BTreeSet<&String> = sides.iter().flat_map(BTreeMap::keys).collect();
    let rows = keys.into_iter().map(|key| DifferingSetting {
        name: key.clone(),
        values: sides.iter().map(|side| on_one_line(side, key)).collect(),
        follows_from: None,
    });
    rows.filter(|row| {
        row.name != "description" && row.values.iter().any(|value| *value != row.values[0])
    })
    .collect()
}

/// A value as a cell of a table has it.
fn on_one_line(side: &Settings, key: &str) -> Option<String> {
    side.get(key).map(|value| value.replace('\n', " "))
}

/// The rows with what they follow from: keys of 5.0 alone from the version that their group speaks, claims that are not made
/// from what was changed for the target. Where the versions of all groups, so many, differ alike, one row stands for them.
fn folded(mut rows: Vec<DifferingSetting>, groups: usize) -> Vec<DifferingSetting> {
    let versions: Vec<(String, Vec<Option<String>>)> = rows
        .iter()
        .filter_map(|row| {
            let group = group_of_protocol(&row.name)?;
            Some((group.to_owned(), row.values.clone()))
        })
        .collect();
    let is_one =
        versions.len() == groups && versions.iter().all(|(_, values)| *values == versions[0].1);
    let has_changes = rows.iter().any(|row| row.name == CHANGED);
    for row in &mut rows {
        if has_changes && row.name.starts_with("expect.") && is_left_out(row) {
            row.follows_from = Some(CHANGED.to_owned());
        }
        for (group, values) in &versions {
            let own = format!("group.{group}.{PROTOCOL}");
            let is_version = row.name == own;
            let cause = if is_one { PROTOCOL.to_owned() } else { own };
            if (is_version && is_one) || follows(row, group, values) {
                row.follows_from = Some(cause);
            }
        }
    }
    if let Some((_, values)) = versions.first().filter(|_| is_one) {
        let plain = |value: &Option<String>| {
            let value = value.as_ref()?;
            Some(value.trim_matches('"').to_owned())
        };
        let cause = DifferingSetting {
            name: PROTOCOL.to_owned(),
            values: values.iter().map(plain).collect(),
            follows_from: None,
        };
        rows.insert(0, cause);
    }
    rows
}

/// Whether a setting is missing on a side, and the same wherever it is not.
fn is_left_out(row: &DifferingSetting) -> bool {
    let values: BTreeSet<&Option<String>> = row.values.iter().collect();
    values.contains(&None) && values.len() == 2
}

/// `a` for `group.a.protocol`
fn group_of_protocol(key: &str) -> Option<&str> {
    key.strip_prefix("group.")?
        .strip_suffix(PROTOCOL)?
        .strip_suffix('.')
}

/// Whether a setting differs only because `group` speaks these versions: it is not there where the version is 3.1.1, and the
/// same wherever it is not.
fn follows(row: &DifferingSetting, group: &str, versions: &[Option<String>]) -> bool {
    let of_group = row.name.strip_prefix("group.");
    let of_group = of_group.and_then(|rest| rest.strip_prefix(group)?.strip_prefix('.'));
    let Some(key) = of_group else {
        return false;
    };
    let is_of_5_0 = OF_5_0.iter().any(|one| {
        let before = key.strip_suffix(one);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    let is_old = |version: &Option<String>| version.as_deref() == Some(OLD);
    let sides = || row.values.iter().zip(versions);
    let mut of_old = sides().filter(|(_, version)| is_old(version));
    let of_new: Vec<&Option<String>> = sides()
        .filter(|(_, version)| !is_old(version))
        .map(|(value, _)| value)
        .collect();
    is_of_5_0
        && of_old.all(|(value, _)| value.is_none())
        && of_new.iter().all(|value| *value == of_new[0])
}

/// What each of several settings is called, with the name of its target: what tells it from the others, without what follows
/// from that; with it, where the names would be the same. The name of the target, where nothing tells it.
pub(crate) fn told_apart(all: &[(String, Settings)]) -> Vec<String> {
    let settings: Vec<Settings> = all.iter().map(|(_, settings)| settings.clone()).collect();
    let rows = rows_of_scenarios(&settings);
    let short = names(all, &rows, |row| row.follows_from.is_none());
    let named = match is_distinct(&short) {
        true => short,
        false => names(all, &rows, |row| row.name != PROTOCOL),
    };
    let named = named.into_iter().zip(all);
    let named = named.map(|(name, (target, _))| match name.is_empty() {
        true => target.clone(),
        false => name,
    });
    numbered(&named.collect::<Vec<_>>())
}

fn is_distinct(names: &[String]) -> bool {
    let known: BTreeSet<&String> = names.iter().collect();
    known.len() == names.len()
}

/// Names that come again with a number: `squall (2)`.
fn numbered(names: &[String]) -> Vec<String> {
    let one = |(place, name): (usize, &String)| {
        let earlier = names[..place].iter().filter(|other| *other == name);
        match earlier.count() {
            0 => name.clone(),
            count => format!("{name} ({})", count + 1),
        }
    };
    names.iter().enumerate().map(one).collect()
}

fn names(
    all: &[(String, Settings)],
    rows: &[DifferingSetting],
    is_named: impl Fn(&DifferingSetting) -> bool,
) -> Vec<String> {
    let has_targets = all.iter().any(|(_, own)| {
        let of_target = |settings: &Settings| -> Vec<(String, String)> {
            let settings = settings.iter();
            let of_target = settings.filter(|(key, _)| key.starts_with("target."));
            of_target
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        of_target(own) != of_target(&all[0].1)
    });
    let is_word = |row: &&DifferingSetting| {
        !row.name.starts_with("target.") && !row.name.contains(": ") && is_named(row)
    };
    let named = all.iter().enumerate().map(|(place, (target, _))| {
        let target = has_targets.then(|| target.clone());
        let others = rows.iter().filter(is_word).filter_map(|row| {
            let value = row.values[place].as_ref()?;
            Some(format!("{}={}", row.name, value.trim_matches('"')))
        });
        target.into_iter().chain(others).collect::<Vec<_>>()
    });
    named.map(|words| words.join(" ")).collect()
}
