//! What the reference shows is accepted by the parser, and the defaults that it names are the real ones.

use squall_scenario::{Default, ItemKind, Key, Reference, Section};
use toml::Table;

use crate::host::{changed, hosts, hosts_of, joined, read, value_in, value_of, with};

/// Why none of `documents` is accepted; `None` if one is.
fn refusal(documents: &[Table]) -> Option<String> {
    let mut first = "no host has a place for it".to_owned();
    for (n, document) in documents.iter().enumerate() {
        match read(document) {
            Ok(_) => return None,
            Err(errors) if n == 0 => first = errors.to_string(),
            Err(_) => {}
        }
    }
    Some(first)
}

/// The hosts themselves are in order: else nothing that is put into them shows anything.
#[test]
fn every_host_is_accepted() {
    for host in hosts() {
        let scenario = read(&host);

        assert!(scenario.is_ok(), "{}", scenario.unwrap_err());
    }
}

/// Each example is accepted as the value of its key, somewhere in a scenario.
#[test]
fn every_example_is_accepted() {
    let reference = Reference::of_format();
    let mut wrong = Vec::new();

    for section in &reference.sections {
        if let (Some(variant), false) = (&section.variant, section.example.is_empty())
            && let Some(why) = refusal(&hosts_at_all(section))
        {
            wrong.push(told(&format!("{} = {:?}", variant.tag, variant.word), &why));
        }
        for key in &section.keys {
            let Some(example) = &key.example else {
                continue;
            };
            let tries = section.places.iter().flat_map(|block| {
                let place = joined(block, key);
                let value = value_in(example, &place);
                let hosts = hosts_of(section, block);
                let tries = hosts.iter().flat_map(|host| with(host, &place, &value));
                tries.collect::<Vec<_>>()
            });
            let tries: Vec<Table> = tries.collect();
            if let Some(why) = refusal(&tries) {
                wrong.push(told(&section.path_of(key), &why));
            }
        }
    }

    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The hosts with the example of `section`, at each place where it may stand.
fn hosts_at_all(section: &Section) -> Vec<Table> {
    let places = section.places.iter();
    places.flat_map(|place| hosts_of(section, place)).collect()
}

fn told(what: &str, why: &str) -> String {
    format!(
        "the example of `{what}` is accepted in none of simulator/scenario/tests/reference/hosts: mend the example, or \
         put what it needs into a host; in the first host:\n{why}"
    )
}

/// A scenario with a default written out does the same as without the key.
#[test]
fn every_default_is_the_real_one() {
    let reference = Reference::of_format();
    let mut wrong = Vec::new();
    let mut compared = 0;

    for section in &reference.sections {
        for key in &section.keys {
            let Default::Value(default) = &key.default else {
                continue;
            };
            match compare(section, key, default) {
                Compared::Same => compared += 1,
                Compared::Different => wrong.push(format!(
                    "`{}` is not {default} by default, as its doc comment says",
                    section.path_of(key)
                )),
                Compared::Never => wrong.push(format!(
                    "the default {default} of `{}` is accepted in none of simulator/scenario/tests/reference/hosts: \
                     mend it, or put what it needs into a host",
                    section.path_of(key)
                )),
            }
        }
    }

    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(compared >= 20, "{compared}");
}

enum Compared {
    Same,
    Different,
    Never,
}

fn compare(section: &Section, key: &Key, default: &str) -> Compared {
    let value = value_of(default);
    let without = |table: &mut Table, key: &str| {
        table.remove(key);
    };
    let mut result = Compared::Never;
    for block in &section.places {
        let place = joined(block, key);
        for host in hosts_of(section, block) {
            let written = with(&host, &place, &value);
            let absent = changed(&host, &place, &without);
            for (written, absent) in written.iter().zip(&absent) {
                match (read(written), read(absent)) {
                    (Ok(written), Ok(absent)) if written == absent => result = Compared::Same,
                    (Ok(_), Ok(_)) => return Compared::Different,
                    (_, _) => {}
                }
            }
        }
    }
    result
}

/// Each metric and each aggregate is shown in a threshold that is accepted.
#[test]
fn every_threshold_is_accepted() {
    let reference = Reference::of_format();
    let of_thresholds = [ItemKind::Metric, ItemKind::Aggregate];
    let items = reference
        .items
        .iter()
        .filter(|item| of_thresholds.contains(&item.kind));
    let mut count = 0;

    for item in items {
        let mut host = hosts().remove(1);
        host.insert(
            "thresholds".to_owned(),
            toml::Value::Table(item.example.parse().unwrap()),
        );

        let scenario = read(&host);

        assert!(scenario.is_ok(), "{}: {}", item.name, scenario.unwrap_err());
        count += 1;
    }
    assert!(count >= 30, "{count}");
}
