//! Held to the grammar of OpenMetrics 1.0, line by line.

use std::collections::{BTreeMap, BTreeSet};

use squall_run::sample;

use super::*;

/// A sample as it was read.
#[derive(Debug)]
struct Read {
    name: String,
    labels: BTreeMap<String, String>,
    number: f64,
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with(|letter: char| letter.is_ascii_lowercase()) && name.chars().all(is_letter)
}

fn read_labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (key, rest) = text.split_once("=\"").unwrap();
        assert!(is_name(key), "{key}");
        let (mut value, mut letters) = (String::new(), rest.char_indices());
        let end = loop {
            match letters.next().expect("a label ends with a quote") {
                (at, '"') => break at,
                (_, '\\') => value.push(match letters.next().expect("something is escaped").1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(
            labels.insert(key.to_owned(), value).is_none(),
            "{key} twice"
        );
        text = rest[end + 1..].trim_start_matches(',');
    }
    labels
}

/// The samples of a text; what the grammar refuses is an error here.
fn read(text: &str) -> Vec<Read> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with its end");
    let (mut families, mut samples) = (BTreeSet::new(), Vec::new());
    let (mut name, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        assert!(!line.is_empty());
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, of, value) = (
                words.next().unwrap(),
                words.next().unwrap(),
                words.next().unwrap(),
            );
            match word {
                "TYPE" => {
                    assert!(is_name(of) && families.insert(of.to_owned()), "{of}");
                    assert!(
                        ["gauge", "info", "stateset", "summary"].contains(&value),
                        "{line}"
                    );
                    (name, kind) = (of.to_owned(), value.to_owned());
                }
                "UNIT" => assert!(of == name && of.ends_with(&format!("_{value}")), "{line}"),
                "HELP" => assert!(of == name && !value.is_empty(), "{line}"),
                other => panic!("{other}"),
            }
            continue;
        }
        let (head, number) = line.rsplit_once(' ').unwrap();
        let (own, labels) = match head.split_once('{') {
            Some((own, labels)) => (own, read_labels(labels.strip_suffix('}').unwrap())),
            None => (head, BTreeMap::new()),
        };
        let suffixes: &[&str] = match kind.as_str() {
            "info" => &["_info"],
            "summary" => &["", "_count", "_sum"],
            _ => &[""],
        };
        let suffix = own.strip_prefix(&name).unwrap();
        assert!(suffixes.contains(&suffix), "{line}");
        assert_eq!(
            labels.contains_key("quantile"),
            kind == "summary" && suffix.is_empty()
        );
        samples.push(Read {
            name: own.to_owned(),
            labels,
            number: number.parse().unwrap(),
        });
    }
    samples
}

fn one<'a>(samples: &'a [Read], name: &str) -> &'a Read {
    let mut all = samples.iter().filter(|sample| sample.name == name);
    all.next().unwrap_or_else(|| panic!("no {name}"))
}

/// The figures are those of the summary, in base units.
#[test]
fn figures_are_those_of_the_summary() {
    let run = sample::failing();
    let summary = Summary::of(&run);

    let samples = read(&text(&run));

    assert_eq!(one(&samples, "squall_lost").number, summary.lost as f64);
    assert_eq!(
        Some(one(&samples, "squall_offered_per_second").number),
        summary.offered_per_s
    );
    assert_eq!(
        one(&samples, "squall_measured_seconds").number,
        summary.measured_s
    );
    assert_eq!(
        Some(one(&samples, "squall_broker_rss_peak_bytes").number),
        summary.broker_rss_peak_bytes.map(|bytes| bytes as f64)
    );
    let connect = summary.connect_latency.unwrap();
    assert_eq!(
        one(&samples, "squall_connect_latency_seconds_count").number,
        connect.count as f64
    );
    let p99 = samples.iter().find(|sample| {
        sample.name == "squall_connect_latency_seconds" && sample.labels["quantile"] == "0.99"
    });
    let p99_us = connect.percentiles_us[3].unwrap() as f64;
    assert!((p99.unwrap().number * 1e6 - p99_us).abs() < 1e-6);
    let of = samples
        .iter()
        .filter(|sample| sample.name == "squall_e2e_latency_of_seconds_count");
    assert_eq!(of.count(), summary.e2e_latency_of.len());
}

/// Exactly the run's verdict is set, and a claim that is broken is a zero.
#[test]
fn the_verdict_and_the_claims_are_told() {
    let samples = read(&text(&sample::failing()));

    let set: Vec<&str> = samples
        .iter()
        .filter(|sample| sample.name == "squall_verdict" && sample.number == 1.0)
        .map(|sample| sample.labels["squall_verdict"].as_str())
        .collect();
    assert_eq!(set, ["FAIL"]);
    let broken = samples
        .iter()
        .filter(|sample| sample.name == "squall_claim_held" && sample.number == 0.0);
    assert_eq!(broken.count(), 3);
}

/// Quotes, backslashes and line feeds of a name come back as they were.
#[test]
fn labels_are_escaped() {
    let mut run = sample::empty();
    run.target.url = "a\"b\\c\nd}{,=".to_owned();

    let samples = read(&text(&run));

    assert_eq!(
        one(&samples, "squall_run_info").labels["target"],
        run.target.url
    );
}
