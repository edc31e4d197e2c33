//! Run files of version 1: every later squall reads them.
//!
//! What version 1 has under another name or in another form is brought into that of today. What it does not have is empty, or
//! zero where it could not happen then. Rates and use of processes of the measured part are computed from the same samples
//! that version 1 computed them from, so to whole intervals.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Event, PhaseKind, ProcessLog, ProcessRecord, ProcessSample, RateEntry, Rates, Reading, Run,
    Tags, VERSION,
};

/// The version of the files that are read here.
pub(crate) const FIRST: u64 = 1;

/// What was sampled of processes, which version 1 has as it is.
#[derive(Deserialize)]
struct Resources {
    broker: Vec<ProcessSample>,
    generator: Vec<ProcessSample>,
}

/// A path, a field and what it is.
type Missing = (&'static str, &'static str, fn() -> Value);

/// Fields that version 1 does not have, as they are where nothing of the kind happened: a path, in which `*` is each item
/// of a list, the field, and what it is.
const MISSING: &[Missing] = &[
    (
        "measured/accounting/publications/*",
        "to_no_subscriber",
        zero,
    ),
    ("measured/accounting/publications/*", "unsent", no_reasons),
    (
        "measured/accounting/publications/*",
        "unsent_unexplained",
        zero,
    ),
    ("measured/accounting/publications/*", "unknown", zero),
    ("measured/accounting/publications/*", "in_doubt_came", zero),
    ("measured/accounting/publications/*", "forgotten", zero),
    ("measured/accounting/deliveries/*", "excuses", no_reasons),
    ("measured/accounting/deliveries/*", "unknown", zero),
    ("measured/accounting/deliveries/*", "forbidden", zero),
    ("measured/accounting/deliveries/*", "corrupted", zero),
    ("measured/accounting/deliveries/*", "mislabelled", zero),
    ("measured/accounting/deliveries/*", "foreign", zero),
    ("measured/accounting/deliveries/*", "unstamped", zero),
    ("measured/accounting/deliveries/*", "uncounted", zero),
    ("measured", "unfinished", nothing),
    ("measured", "rates", no_rates),
    ("measured", "scenario_delays", nothing),
    ("measured", "spent", nothing),
    ("measured", "sessions", no_sessions),
    ("measured", "closed_loops", nothing),
    ("measured", "malformed", nothing),
    ("measured", "anomaly_counts", no_reasons),
    ("measured/connections", "refusals", nothing),
    ("measured/connections/groups/*", "kept_out_by_fault", zero),
    ("measured/connections/groups/*", "online_s", zero_s),
    ("measured/connections/groups/*", "away_s", zero_s),
    ("measured/connections/groups/*", "away_unasked_s", zero_s),
    ("measured/qos2", "repeated", no_reasons),
    ("measured/wills/*", "undecided", zero),
    ("measured/wills/*", "optional", zero),
    ("measured/wills/*", "cancelled", zero),
    ("measured/wills/*", "left_open", zero),
    ("measured/takeovers", "displaced_otherwise", zero),
    ("measured/networks/*/figures/*", "samples_needed", zero),
    ("measured/faults/*", "effects", nothing),
    ("settings/groups/*", "specials", nothing),
];

fn zero() -> Value {
    json!(0)
}

fn zero_s() -> Value {
    json!(0.0)
}

fn nothing() -> Value {
    json!([])
}

fn no_reasons() -> Value {
    json!({})
}

fn no_rates() -> Value {
    json!({ "measured_s": 0.0, "entries": [] })
}

fn no_sessions() -> Value {
    json!(crate::Sessions::default())
}

/// Reads the text of a run file of version 1.
pub(crate) fn read(text: &str) -> Result<Run, serde_json::Error> {
    let mut file: Value = serde_json::from_str(text)?;
    let resources: Resources = Resources::deserialize(&file["resources"])?;
    file["version"] = json!(VERSION);
    file["resources"] = json!(crate::Resources::default());
    say_where_it_stopped(&mut file);
    give_intervals_their_bounds(&mut file["measured"]["series"]);
    name_results(&mut file);
    plan_faults(&mut file);
    give_ends_a_cause(&mut file["measured"]["connections"]);
    for (path, field, value) in MISSING {
        let parts: Vec<&str> = path.split('/').collect();
        fill(&mut file, &parts, field, *value);
    }
    let mut run: Run = Run::deserialize(file)?;
    run.measured.rates = rates(&run);
    run.resources.broker = record(&run, resources.broker);
    run.resources.generator = record(&run, resources.generator);
    Ok(run)
}

/// Gives `field` the value `of`, at each place that the path leads to and that does not have it.
fn fill(place: &mut Value, path: &[&str], field: &str, of: fn() -> Value) {
    match (path, place) {
        ([], Value::Object(fields)) => {
            fields.entry(field).or_insert_with(of);
        }
        (["*", rest @ ..], Value::Array(items)) => {
            for item in items {
                fill(item, rest, field, of);
            }
        }
        ([name, rest @ ..], Value::Object(fields)) => {
            if let Some(inner) = fields.get_mut(*name) {
                fill(inner, rest, field, of);
            }
        }
        // What the run did not have, such as QoS 2, is null.
        (_, _) => {}
    }
}

/// Version 1 tells that a user stopped a run, and neither where nor by which signal: at its end, and in a terminal.
fn say_where_it_stopped(file: &mut Value) {
    let times = &mut file["times"];
    let phase = times["phases"].as_array().and_then(|phases| phases.last());
    let stopped = times["stopped_early"].as_bool() == Some(true);
    let stop = phase.filter(|_| stopped).map(|phase| {
        let (at_s, start_s) = (&phase["end_s"], &phase["start_s"]);
        let after_s = at_s.as_f64().unwrap_or(0.0) - start_s.as_f64().unwrap_or(0.0);
        json!({ "by": "SIGINT", "at_s": at_s, "phase": phase["kind"], "after_s": after_s, "planned_s": null })
    });
    times["stopped"] = json!(stop);
}

/// Intervals were of one length, from the start of the run.
fn give_intervals_their_bounds(series: &mut Value) {
    let length_s = series["interval_s"].as_f64().unwrap_or(1.0);
    let Some(intervals) = series["intervals"].as_array_mut() else {
        return;
    };
    for (number, interval) in intervals.iter_mut().enumerate() {
        interval["start_s"] = json!(number as f64 * length_s);
        interval["end_s"] = json!((number + 1) as f64 * length_s);
    }
}

/// Results of thresholds had other words.
fn name_results(file: &mut Value) {
    let thresholds = file["measured"]["thresholds"].as_array_mut();
    for threshold in thresholds.into_iter().flatten() {
        let word = match threshold["result"].as_str() {
            Some("passed") => "held",
            Some("failed") => "broken",
            Some(_) | None => continue,
        };
        threshold["result"] = json!(word);
    }
}

/// Connections that ended unasked were counted and not told apart by their cause.
fn give_ends_a_cause(connections: &mut Value) {
    let groups = connections["groups"].as_array_mut();
    for group in groups.into_iter().flatten() {
        if let Some(count) = group["unexpected"].as_u64() {
            group["unexpected"] = match count {
                0 => no_reasons(),
                _ => json!({ "cause not kept": count }),
            };
        }
    }
}

/// A fault struck when it was planned, counted from the start of measuring.
fn plan_faults(file: &mut Value) {
    let phases = file["times"]["phases"].as_array();
    let measuring =
        phases.and_then(|phases| phases.iter().find(|phase| phase["kind"] == "measure"));
    let zero_s = measuring.and_then(|phase| phase["start_s"].as_f64());
    let faults = file["measured"]["faults"].as_array_mut();
    for fault in faults
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        plan_fault(fault, zero_s.unwrap_or(0.0));
    }
}

fn plan_fault(fault: &mut Map<String, Value>, zero_s: f64) {
    let at_s = fault.get("at_s").and_then(Value::as_f64).unwrap_or(0.0);
    fault
        .entry("planned_s")
        .or_insert_with(|| json!(at_s - zero_s));
}

/// Counts of the intervals within the measured part, as the summary of version 1 had them.
fn rates(run: &Run) -> Rates {
    let measured_s = run.times.phase_length_s(PhaseKind::Measure);
    let intervals = &run.measured.series.intervals;
    let measured = intervals
        .iter()
        .filter(|interval| run.times.phase_at(interval.start_s) == Some(PhaseKind::Measure));
    let mut counts = [0; 3];
    for interval in measured {
        counts[0] += interval.scheduled;
        counts[1] += interval.sent;
        counts[2] += interval.first_deliveries();
    }
    let events = [Event::Due, Event::Sent, Event::Delivered];
    let entries = events
        .into_iter()
        .zip(counts)
        .map(|(event, count)| RateEntry {
            event,
            tags: Tags::new(),
            count,
            count_without_warmup: count,
            emptiest_second: None,
            fullest_second: None,
        });
    Rates {
        measured_s,
        entries: entries.collect(),
    }
}

/// What the samples come to in the measured part.
fn record(run: &Run, samples: Vec<ProcessSample>) -> ProcessRecord {
    let mut log = ProcessLog::default();
    for sample in &samples {
        let reading = Reading {
            at_s: sample.at_s,
            cpu_total_s: sample.cpu_total_s,
            rss_bytes: sample.rss_bytes,
            descriptors: sample.descriptors,
        };
        log.add(run.times.phase_at(sample.at_s), reading);
    }
    ProcessRecord {
        samples,
        ..log.record()
    }
}
