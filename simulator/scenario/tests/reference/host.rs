//! Scenarios into which examples and defaults are put.

use squall_scenario::{
    FileUnreadable, Key, Scenario, ScenarioErrors, Section, Surroundings, Sweep,
};
use toml::{Table, Value};

/// Each is accepted as it is. What an example needs beside it stands in one of them.
pub(crate) const HOSTS: &[&str] = &[
    include_str!("hosts/bare.toml"),
    include_str!("hosts/load.toml"),
    include_str!("hosts/faults.toml"),
    include_str!("hosts/spawned.toml"),
    include_str!("hosts/logins.toml"),
    include_str!("hosts/requests.toml"),
    include_str!("hosts/rates.toml"),
    include_str!("hosts/closed.toml"),
    include_str!("hosts/secured.toml"),
    include_str!("hosts/sessions.toml"),
    include_str!("hosts/lasting.toml"),
];

/// The variables and files that examples name.
struct Around;

impl Surroundings for Around {
    fn variable(&self, name: &str) -> Option<String> {
        ["MQTT_USER", "MQTT_PASSWORD"]
            .contains(&name)
            .then(|| "of-the-variable".to_owned())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        let rows: String = (0..10).map(|n| format!("user-{n},secret-{n}\n")).collect();
        match path {
            pem if pem.ends_with(".pem") || pem.ends_with(".key") => Ok(b"PEM".to_vec()),
            "base.toml" => Ok(b"seed = 7\n".to_vec()),
            "vans.csv" => Ok(b"plate\nB-1\n".to_vec()),
            "reading.bin" => Ok(vec![1, 255, 0]),
            "users.csv" => Ok(format!("username,password\n{rows}").into_bytes()),
            _ => Err(FileUnreadable {
                cause: format!("{path}: no such file"),
            }),
        }
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        match name {
            "rabbitmq" => {
                Ok(include_bytes!("../../../../scenarios/targets/rabbitmq.toml").to_vec())
            }
            "squall" => Ok(include_bytes!("../../../../scenarios/targets/squall.toml").to_vec()),
            "mosquitto" => {
                Ok(include_bytes!("../../../../scenarios/targets/mosquitto.toml").to_vec())
            }
            _ => Err(FileUnreadable {
                cause: format!("{name}: no such target"),
            }),
        }
    }
}

/// Reads a scenario, of several the first.
pub(crate) fn read(document: &Table) -> Result<Scenario, ScenarioErrors> {
    let text = toml::to_string(document).unwrap();
    let mut sweep = Sweep::parse_bytes("host.toml", text.as_bytes(), &[], &Around)?;
    Ok(sweep.combinations.swap_remove(0).scenario)
}

/// Every host, parsed.
pub(crate) fn hosts() -> Vec<Table> {
    HOSTS.iter().map(|text| text.parse().unwrap()).collect()
}

/// What `example` says: a line `key = value`, or a block with its header, as the value of the key `path`.
pub(crate) fn value_in(example: &str, path: &str) -> Value {
    if example.starts_with('{') {
        return value_of(example);
    }
    let table: Table = example
        .parse()
        .unwrap_or_else(|error| panic!("{example}: {error}"));
    let mut value = Value::Table(table);
    let keys: Vec<&str> = match example.starts_with('[') {
        true => path.split('.').collect(),
        false => path.rsplit('.').take(1).collect(),
    };
    for key in keys {
        let first = value.as_array().and_then(|items| items.first()).cloned();
        let table = first.unwrap_or(value);
        // What several keys share is shown with one of them.
        let found = table.get(key).or_else(|| table.as_table()?.values().next());
        value = found
            .unwrap_or_else(|| panic!("{example:?} shows nothing"))
            .clone();
    }
    value
}

/// A text of one value.
pub(crate) fn value_of(text: &str) -> Value {
    let table: Table = format!("value = {text}").parse().unwrap();
    table["value"].clone()
}

/// `document` once for each place of the key `path`, changed there by `change`.
pub(crate) fn changed(
    document: &Table,
    path: &str,
    change: &dyn Fn(&mut Table, &str),
) -> Vec<Table> {
    let mut all = Vec::new();
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if rest.is_empty() {
        let mut copy = document.clone();
        change(&mut copy, first);
        return vec![copy];
    }
    match document.get(first) {
        Some(Value::Table(inner)) => {
            for table in changed(inner, rest, change) {
                let mut copy = document.clone();
                copy.insert(first.to_owned(), Value::Table(table));
                all.push(copy);
            }
        }
        Some(Value::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                let inner = item
                    .as_table()
                    .into_iter()
                    .flat_map(|item| changed(item, rest, change));
                for table in inner {
                    let mut items = items.clone();
                    items[n] = Value::Table(table);
                    let mut copy = document.clone();
                    copy.insert(first.to_owned(), Value::Array(items));
                    all.push(copy);
                }
            }
        }
        Some(_) | None => {}
    }
    all
}

/// `document` once for each place of the key `path`, with `value` there.
pub(crate) fn with(document: &Table, path: &str, value: &Value) -> Vec<Table> {
    let set = |table: &mut Table, key: &str| {
        table.insert(key.to_owned(), value.clone());
    };
    changed(document, path, &set)
}

/// The hosts in which a block of `section` stands at `place`; those of a variant have its example there.
pub(crate) fn hosts_of(section: &Section, place: &str) -> Vec<Table> {
    let hosts = hosts();
    if section.example.is_empty() || place.is_empty() {
        return hosts;
    }
    let value = value_in(&section.example, place);
    let with_example = hosts.iter().flat_map(|host| with(host, place, &value));
    match section.variant.is_some() {
        true => with_example.collect(),
        false => hosts.iter().cloned().chain(with_example).collect(),
    }
}

/// The key `key` of the block at `place`.
pub(crate) fn joined(place: &str, key: &Key) -> String {
    match place.is_empty() {
        true => key.name.clone(),
        false => format!("{place}.{}", key.name),
    }
}
