//! `/metrics`: the figures of the run that goes on, under the names of `openmetrics.txt` where they mean the same.
//!
//! What that file does not have is of the moment: devices online, what is outstanding, phase and times, claims so far.

use serde_json::{Map, Value, json};
use squall_ledger::StateSoFar;
use squall_reports::{MetricFamily, figure_metrics, metric_sample, open_metrics_text};
use squall_run::{Latencies, Outcome, PhaseKind};

use super::board::Board;
use super::look::Look;
use super::news::{Head, Over};

/// The phases in order.
const PHASES: [PhaseKind; 4] = [
    PhaseKind::Connect,
    PhaseKind::Warmup,
    PhaseKind::Measure,
    PhaseKind::Drain,
];

/// The whole text.
pub fn metrics_text(board: &Board) -> String {
    let mut families = Vec::new();
    if let Some(head) = board.head() {
        families.push(of_run(head));
    }
    if let Some(over) = board.over() {
        families.push(verdict(over));
    }
    if let Some(look) = board.look() {
        families.extend(figure_metrics(&figures(look)));
        families.extend(of_the_moment(look, board.first_deliveries()));
        families.push(phase(look));
        families.push(claims(look));
    }
    open_metrics_text(&families)
}

fn of_run(head: &Head) -> MetricFamily {
    let labels = vec![
        ("scenario", head.scenario.clone()),
        ("seed", head.seed.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("target", head.target.clone()),
    ];
    let mut sample = metric_sample(labels, 1.0);
    sample.suffix = "_info";
    MetricFamily {
        kind: "info",
        ..MetricFamily::gauge("run", "What runs, and against what.", vec![sample])
    }
}

fn verdict(over: &Over) -> MetricFamily {
    let all = [
        Outcome::Pass,
        Outcome::NoClaims,
        Outcome::Fail,
        Outcome::Invalid,
    ];
    let samples = all.map(|outcome| {
        let is_it = over.outcome.as_deref() == Some(outcome.as_str());
        let labels = vec![("squall_verdict", outcome.as_str().to_owned())];
        metric_sample(labels, f64::from(u8::from(is_it)))
    });
    MetricFamily {
        kind: "stateset",
        ..MetricFamily::gauge("verdict", "What follows from the run.", samples.into())
    }
}

/// What a summary has and is known already, under its names.
fn figures(look: &Look) -> Map<String, Value> {
    let counts = &look.counts;
    let of_counts = json!({
        "scheduled": counts.scheduled,
        "sent": counts.sent,
        "expected": counts.expected,
        "excused": counts.excused,
        "delivered": counts.delivered,
        "lost": counts.lost,
        "duplicated": counts.duplicated,
        "reordered": counts.reordered,
        "corrupted": counts.corrupted,
        "misrouted": counts.misrouted,
        "peak_online": counts.peak_online,
    });
    let latencies = serde_json::to_value(Latencies::of(&look.measured.metrics));
    let mut all = Map::new();
    for part in [of_counts, latencies.unwrap_or_default()] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    all
}

fn of_the_moment(look: &Look, first_deliveries: u64) -> Vec<MetricFamily> {
    let progress = look.progress;
    let gauge = |name: &str, help: &str, number: f64| {
        MetricFamily::gauge(name, help, vec![metric_sample(Vec::new(), number)])
    };
    let seconds = |name: &str, help: &str, number: f64| MetricFamily {
        unit: Some("seconds"),
        ..gauge(name, help, number)
    };
    vec![
        gauge(
            "devices",
            "Devices of all groups.",
            f64::from(progress.devices),
        ),
        gauge(
            "online",
            "Devices that are connected now.",
            f64::from(progress.online),
        ),
        gauge(
            "outstanding",
            "Deliveries that are expected and neither made nor lost nor excused: they may come still.",
            look.counts.outstanding as f64,
        ),
        gauge(
            "first_deliveries",
            "Deliveries without further copies and wills, owed or not: what the rates of deliveries count.",
            first_deliveries as f64,
        ),
        gauge(
            "faults_applied",
            "Devices to which faults were done, over all strikes.",
            progress.faults_applied as f64,
        ),
        seconds(
            "run_time_seconds",
            "Time since the start of the run.",
            look.at.as_secs_f64(),
        ),
        seconds(
            "time_left_seconds",
            "Time until load and drain are over, as far as the scenario tells.",
            progress.time_left.as_secs_f64(),
        ),
        seconds(
            "look_seconds",
            "How long the last look but one at these figures took the thread that stamps packets.",
            look.cost.as_secs_f64(),
        ),
    ]
}

fn phase(look: &Look) -> MetricFamily {
    let now = look.progress.phase.kind();
    let samples = PHASES.map(|kind| {
        let is_it = now == Some(kind);
        let labels = vec![("squall_phase", kind.as_str().to_owned())];
        metric_sample(labels, f64::from(u8::from(is_it)))
    });
    let help = "What the run does; none of these once devices leave.";
    MetricFamily {
        kind: "stateset",
        ..MetricFamily::gauge("phase", help, samples.into())
    }
}

fn claims(look: &Look) -> MetricFamily {
    let claims = look.claims.iter().chain(&look.measured.thresholds);
    let mut samples = Vec::new();
    for claim in claims {
        let number = match claim.state {
            StateSoFar::Held => 1.0,
            StateSoFar::Broken => 0.0,
            StateSoFar::Open | StateSoFar::AtTheEnd => f64::NAN,
        };
        let sample = metric_sample(vec![("claim", claim.name.clone())], number);
        // Two of one name would be one series with two numbers: the first is told.
        let is_taken = |known: &squall_reports::MetricSample| known.labels == sample.labels;
        if !samples.iter().any(is_taken) {
            samples.push(sample);
        }
    }
    let help = "Whether a claim or a threshold held up to now: 1 it is not broken, 0 it is broken, NaN that is known later.";
    MetricFamily::gauge("claim_so_far", help, samples)
}
