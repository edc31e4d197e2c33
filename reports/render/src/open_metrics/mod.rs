//! `openmetrics.txt`: the final figures of a run in the text format of OpenMetrics 1.0, for Prometheus and what speaks as it does.
//!
//! The names are those of the fields in `summary.json`, with `squall_` before them and the unit written out: `_s` is
//! `_seconds`, `_per_s` is `_per_second`, and times in microseconds are seconds. What they mean is told in the words of the schema
//! of `summary.json`. A distribution is a summary with quantiles; a figure that was not measured is left out.

mod family;

use serde_json::{Map, Value};
use squall_run::{ClaimResult, Outcome, Run, Summary, SummaryFile};

pub use family::{Family, Sample, open_metrics_text, sample};

/// The file.
pub(crate) const OPEN_METRICS_FILE: &str = "openmetrics.txt";

/// Microseconds in a second.
const US_PER_S: f64 = 1e6;

/// Units that the name of a field ends with, and how OpenMetrics writes them. The first that fits counts.
const UNITS: [(&str, &str, Option<&str>); 5] = [
    ("_s_per_million", "_seconds_per_million", None),
    ("_per_s", "_per_second", None),
    ("_s", "_seconds", Some("seconds")),
    ("_bytes", "_bytes", Some("bytes")),
    ("_cores", "_cores", Some("cores")),
];

/// The text of `run`.
pub(crate) fn text(run: &Run) -> String {
    let Ok(Value::Object(figures)) = serde_json::to_value(Summary::of(run)) else {
        unreachable!("a summary is an object")
    };
    let mut families = vec![of_run(run), verdict(run), claims(run)];
    families.extend(of_figures(&figures));
    open_metrics_text(&families)
}

/// Figures under the names that they have in `summary.json`, or some of them, as families with the names and the words of the
/// final file.
pub fn of_figures(figures: &Map<String, Value>) -> Vec<Family> {
    let schema = SummaryFile::json_schema().to_value();
    let help = |field: &str| {
        let described = &schema["$defs"]["Summary"]["properties"][field]["description"];
        described.as_str().unwrap_or_default().to_owned()
    };
    let families = figures.iter();
    families
        .map(|(field, figure)| family(field, figure, &help(field)))
        .collect()
}

/// What the run is told apart by.
fn of_run(run: &Run) -> Family {
    let (identity, target) = (&run.identity, &run.target);
    let software = target.software.clone().unwrap_or_default();
    let labels = vec![
        ("scenario", identity.name.clone()),
        ("seed", identity.seed.to_string()),
        ("version", identity.squall.version.clone()),
        ("target", target.url.clone()),
        ("software", software),
        ("started_at", run.times.started_at.clone()),
    ];
    Family {
        kind: "info",
        samples: vec![Sample {
            suffix: "_info",
            labels,
            number: 1.0,
        }],
        ..Family::gauge("run", "What ran, and against what.", Vec::new())
    }
}

fn verdict(run: &Run) -> Family {
    let all = [
        Outcome::Pass,
        Outcome::NoClaims,
        Outcome::Fail,
        Outcome::Invalid,
    ];
    let state = |outcome: Outcome| {
        let is_it = if outcome == run.verdict.outcome {
            1.0
        } else {
            0.0
        };
        sample(vec![("squall_verdict", outcome.as_str().to_owned())], is_it)
    };
    Family {
        kind: "stateset",
        ..Family::gauge(
            "verdict",
            "What follows from the run.",
            all.map(state).into(),
        )
    }
}

fn claims(run: &Run) -> Family {
    let claims = run.judged_claims().into_iter().map(|claim| {
        let number = match claim.result {
            ClaimResult::Held => 1.0,
            ClaimResult::Broken => 0.0,
            ClaimResult::NotJudged => f64::NAN,
        };
        sample(vec![("claim", claim.name)], number)
    });
    let help = "Whether a claim or a threshold held: 1 it did, 0 it is broken, NaN it could not be judged.";
    Family::gauge("claim_held", help, claims.collect())
}

/// A field of the summary; without samples if it has no number.
fn family(field: &str, figure: &Value, help: &str) -> Family {
    match figure {
        Value::Number(number) => {
            let (name, unit) = named(field);
            let number = number.as_f64().unwrap_or(f64::NAN);
            Family {
                unit,
                ..Family::gauge(&name, help, vec![sample(Vec::new(), number)])
            }
        }
        // A distribution.
        Value::Object(parts) if parts.contains_key("percentiles_us") => Family {
            samples: quantiles(&[], parts),
            ..distribution(field, help)
        },
        // Counts by reason.
        Value::Object(counts) => {
            let counts = counts.iter().filter_map(|(reason, count)| {
                Some(sample(vec![("reason", reason.clone())], count.as_f64()?))
            });
            Family::gauge(field, help, counts.collect())
        }
        Value::Array(populations) => {
            let of_one = populations
                .iter()
                .filter_map(Value::as_object)
                .flat_map(|parts| {
                    // A flag is written as it is, and what is null as nothing.
                    let label = |name: &str| match (parts[name].as_str(), parts[name].as_bool()) {
                        (Some(text), _) => text.to_owned(),
                        (None, Some(flag)) => flag.to_string(),
                        (None, None) => String::new(),
                    };
                    let labels = ["group", "qos", "late"].map(|name| (name, label(name)));
                    quantiles(&labels, parts)
                });
            Family {
                samples: of_one.collect(),
                ..distribution(field, help)
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Family::gauge(field, help, Vec::new()),
    }
}

fn distribution(field: &str, help: &str) -> Family {
    Family {
        kind: "summary",
        unit: Some("seconds"),
        ..Family::gauge(&format!("{field}_seconds"), help, Vec::new())
    }
}

/// The quantiles that have enough samples, the greatest as that of 1, the sum and the count.
fn quantiles(labels: &[(&'static str, String)], parts: &Map<String, Value>) -> Vec<Sample> {
    let number = |name: &str| parts[name].as_f64().unwrap_or(f64::NAN);
    let shown = parts["percentiles_us"].as_object();
    let shown = shown.into_iter().flatten().filter_map(|(name, us)| {
        let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
        Some((percent / 100.0, us.as_f64()?))
    });
    let mut quantiles: Vec<(f64, f64)> = shown.collect();
    quantiles.push((1.0, number("max_us")));
    quantiles.sort_by(|one, other| one.0.total_cmp(&other.0));
    let quantiles = quantiles.into_iter().map(|(quantile, us)| {
        let mut labels = labels.to_vec();
        // As short as it is exact.
        labels.push(("quantile", format!("{}", (quantile * 1e6).round() / 1e6)));
        sample(labels, us / US_PER_S)
    });
    let mut samples: Vec<Sample> = quantiles.collect();
    let sum_s = number("mean_us") * number("count") / US_PER_S;
    for (suffix, number) in [("_count", number("count")), ("_sum", sum_s)] {
        samples.push(Sample {
            suffix,
            labels: labels.to_vec(),
            number,
        });
    }
    samples
}

/// The name of a field with its unit written out, and the unit if OpenMetrics has one there.
fn named(field: &str) -> (String, Option<&'static str>) {
    let unit = UNITS.iter().find_map(|(ends, written, unit)| {
        let plain = field.strip_suffix(ends)?;
        Some((format!("{plain}{written}"), *unit))
    });
    unit.unwrap_or((field.to_owned(), None))
}

#[cfg(test)]
mod tests;
