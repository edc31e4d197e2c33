//! Read back with the crate that implements HdrHistogram.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use squall_run::{Percentile, Tags, sample};

use super::*;

fn file<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    let mut all = files.iter();
    let found = all.find(|(own, _)| own == name);
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

fn decoded(base64: &str) -> hdrhistogram::Histogram<u64> {
    let bytes = BASE64.decode(base64).unwrap();
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .unwrap()
}

/// Every interval of the run is in the log, at its time, with all of its samples.
#[test]
fn the_log_is_read_back_whole() {
    let run = sample::passing();
    let files = files(&run);
    let text = file(&files, "e2e_latency.hlog");
    // The crate knows no head of the columns, which the format has.
    let known: String = text
        .lines()
        .filter(|line| !line.starts_with('"'))
        .map(|line| format!("{line}\n"))
        .collect();

    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(known.as_bytes())
        .map(Result::unwrap)
        .collect();

    let start = UNIX_EPOCH + Duration::from_secs(1_767_268_800);
    let LogEntry::StartTime(found) = entries[1] else {
        panic!("{entries:?}")
    };
    assert_eq!(UNIX_EPOCH + found, start, "2026-01-01T12:00:00Z");
    let mut untagged = run
        .measured
        .series
        .intervals
        .iter()
        .filter(|interval| !interval.e2e_latency.is_empty());
    let mut tagged = 0;
    for entry in &entries {
        let LogEntry::Interval(line) = entry else {
            continue;
        };
        if line.tag().is_some() {
            tagged += decoded(line.encoded_histogram()).len();
            continue;
        }
        let interval = untagged.next().expect("as many lines as intervals");
        assert!((line.start_timestamp().as_secs_f64() - interval.start_s).abs() < 0.001);
        let length_s = interval.end_s - interval.start_s;
        assert!((line.duration().as_secs_f64() - length_s).abs() < 0.001);
        let counts = decoded(line.encoded_histogram());
        assert_eq!(counts.len(), interval.e2e_latency.count());
        assert_eq!(
            Some(counts.value_at_quantile(0.5)),
            interval.e2e_latency.quantile_us(0.5)
        );
        assert!((line.max() - counts.max() as f64 / 1_000.0).abs() < 0.001);
    }
    assert!(untagged.next().is_none());
    let all = run
        .measured
        .series
        .intervals
        .iter()
        .flat_map(|interval| &interval.e2e_latency_of);
    assert_eq!(tagged, all.map(|of| of.latency.count()).sum::<u64>());
}

/// A table has a line for each step up to the maximum, in milliseconds, with the percentiles that the report has.
#[test]
fn a_table_has_the_percentiles_of_the_report() {
    let run = sample::passing();
    let populations = run
        .measured
        .metrics
        .populations(MetricName::E2eLatency, CountedFrom::Scheduled);
    let files = files(&run);

    for population in &populations {
        let name = format!("e2e_latency{}.hgrm", suffix(population));
        let text = file(&files, &name);

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("TotalCount 1/(1-Percentile)") && lines[1].is_empty());
        let rows: Vec<Vec<f64>> = lines[2..]
            .iter()
            .take_while(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace()
                    .map(|cell| cell.parse().unwrap())
                    .collect()
            })
            .collect();
        let (last, before) = rows.split_last().unwrap();
        assert!(before.iter().all(|row| row.len() == 4), "{name}");
        assert_eq!(
            (last.len(), last[1], last[2]),
            (3, 1.0, population.histogram.count() as f64)
        );
        let half = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        let median_us = population.histogram.percentile_us(Percentile::P50).unwrap();
        assert!(
            (half[0] * 1_000.0 / median_us as f64 - 1.0).abs() < 0.001,
            "{name}: {half:?}"
        );
        assert_eq!(lines[lines.len() - 3].split('=').count(), 3);
    }
    assert!(!populations.is_empty());
}

/// What is longer than the range is told, not dropped in silence.
#[test]
fn an_overflow_is_told() {
    let mut histogram = Histogram::new();
    histogram.record_us_times(1_000, 5);
    histogram.record_us(Histogram::HIGHEST_US + 1);

    let text = table(&histogram).unwrap();

    assert!(text.ends_with("#[Longer than an hour, not in this table = 1]\n"));
    assert!(text.contains("Total count    =            5]"));
}

/// A name of a group can be no other folder and no other column.
#[test]
fn names_are_of_one_file_and_of_one_tag() {
    let population = Population {
        tags: Tags::from([
            ("group".to_owned(), "../a, b".to_owned()),
            ("qos".to_owned(), "1".to_owned()),
        ]),
        histogram: Histogram::new(),
    };

    assert_eq!(suffix(&population), "-.._a__b-qos1");
}

/// Dates around the ends of years, of leap years too, are the ones that they are.
#[test]
fn dates_are_counted_from_1970() {
    assert_eq!(epoch_s("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(epoch_s("2000-02-29T23:59:59Z"), Some(951_868_799));
    assert_eq!(epoch_s("2026-11-24T06:40:00Z"), Some(1_795_502_400));
    assert_eq!(epoch_s("yesterday"), None);
}
