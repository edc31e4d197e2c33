//! The few figures that matter, as a page's tiles and a terminal's lines.

use squall_run::{
    Latency, MetricName, Outcome, Percentile, Run, Summary, Tags, bytes_text, count_text,
    duration_text, rate_text,
};

use crate::table::{Held, cores_text, percent};

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// What it is.
    pub(crate) label: String,
    /// The figure.
    pub(crate) value: String,
    /// What it is to be seen beside.
    pub(crate) detail: String,
    /// Whether it speaks for or against the broker, if it does.
    pub(crate) held: Option<Held>,
}

impl Tile {
    fn new(label: impl Into<String>, value: String, detail: String) -> Self {
        Self {
            label: label.into(),
            value,
            detail,
            held: None,
        }
    }

    fn judged(self, held: bool) -> Self {
        Self {
            held: Some(Held::from(held)),
            ..self
        }
    }
}

/// The figures of `run`, in order. Those it has no data for are left out.
pub(crate) fn tiles(run: &Run) -> Vec<Tile> {
    let summary = Summary::of(run);
    let mut tiles = Vec::new();
    tiles.extend(rate(&summary));
    if summary.expected > 0 {
        tiles.extend(deliveries(&summary));
    }
    if let Some(latency) = &summary.e2e_latency {
        tiles.extend(latencies(latency));
    }
    tiles.extend(wills(run));
    tiles.extend(takeovers(run));
    tiles.extend(handshakes(run));
    tiles.extend(connections(run, &summary));
    tiles.extend(broker(&summary));
    match run.verdict.outcome {
        Outcome::Pass | Outcome::Fail => {}
        // Where nothing follows from a run, no figure of it may be green.
        Outcome::Invalid | Outcome::NoClaims => {
            for tile in &mut tiles {
                tile.held = tile.held.filter(|held| *held == Held::No);
            }
        }
    }
    tiles
}

fn rate(summary: &Summary) -> Option<Tile> {
    let (offered, achieved) = (summary.offered_per_s?, summary.achieved_per_s?);
    let share = percent(achieved, offered)?;
    let detail = format!("of {} offered ({share})", rate_text(offered));
    Some(Tile::new("Sent", rate_text(achieved), detail))
}

fn deliveries(summary: &Summary) -> Vec<Tile> {
    let share = percent(summary.delivered as f64, summary.expected as f64).unwrap_or_default();
    let lost_share = percent(summary.lost as f64, summary.expected as f64).unwrap_or_default();
    vec![
        Tile::new(
            "Delivered",
            count_text(summary.delivered),
            format!("of {} expected ({share})", count_text(summary.expected)),
        ),
        Tile::new(
            "Lost",
            count_text(summary.lost),
            format!("{lost_share} of what was owed"),
        )
        .judged(summary.lost == 0),
        Tile::new(
            "Duplicated",
            count_text(summary.duplicated),
            format!(
                "{} of them at QoS 2",
                count_text(summary.duplicated_at_qos2)
            ),
        )
        .judged(summary.duplicated_at_qos2 == 0),
        Tile::new(
            "Reordered",
            count_text(summary.reordered),
            format!("{} misrouted", count_text(summary.misrouted)),
        )
        .judged(summary.reordered == 0 && summary.misrouted == 0),
    ]
}

fn latencies(latency: &Latency) -> Vec<Tile> {
    let n = format!("end to end, n = {}", count_text(latency.count));
    let mut tiles: Vec<Tile> = [Percentile::P50, Percentile::P99, Percentile::P99_9]
        .into_iter()
        .filter_map(|percentile| {
            let us = latency.percentile_us(percentile)?;
            Some(Tile::new(
                format!("Latency {percentile}"),
                micros(us),
                n.clone(),
            ))
        })
        .collect();
    tiles.push(Tile::new("Latency max", micros(latency.max_us), n));
    tiles
}

fn micros(us: u64) -> String {
    duration_text(us as f64 / 1e6)
}

fn wills(run: &Run) -> Vec<Tile> {
    let wills = &run.measured.wills;
    let sum = |count: fn(&squall_run::WillOutcome) -> u64| wills.iter().map(count).sum::<u64>();
    let (due, seen) = (sum(|will| will.expected), sum(|will| will.seen));
    let wrong = sum(|will| will.missing) + sum(|will| will.doubled) + sum(|will| will.unexpected);
    if wills.is_empty() {
        return Vec::new();
    }
    let mut tiles = vec![
        Tile::new(
            "Last Wills seen",
            count_text(seen),
            format!(
                "of {} due, {} doubled or not due",
                count_text(due),
                count_text(wrong - sum(|will| will.missing))
            ),
        )
        .judged(wrong == 0),
    ];
    let metrics = &run.measured.metrics;
    for how in metrics.tag_values(MetricName::TimeToWill, "how") {
        let tags = Tags::from([("how".to_owned(), how.clone())]);
        let times = metrics.select(MetricName::TimeToWill, &tags);
        let (Some(max_us), p99) = (times.max_us(), times.percentile_us(Percentile::P99)) else {
            continue;
        };
        let detail = format!("max {}, n = {}", micros(max_us), count_text(times.count()));
        let name = how.replace('_', " ");
        tiles.push(match p99 {
            Some(us) => Tile::new(format!("Time to will p99, {name}"), micros(us), detail),
            None => Tile::new(
                format!("Time to will max, {name}"),
                micros(max_us),
                format!("n = {}", times.count()),
            ),
        });
    }
    tiles
}

fn takeovers(run: &Run) -> Option<Tile> {
    let takeovers = run.measured.takeovers.as_ref()?;
    let times = run.measured.metrics.all(MetricName::TakeoverTime);
    let slowest = times.max_us().map(|us| match us {
        0 => ", the displaced gone before the CONNACK".to_owned(),
        us => format!(", the displaced gone within {}", micros(us)),
    });
    let detail = format!(
        "at most {} seen alive for an identifier{}",
        count_text(takeovers.most_alive),
        slowest.unwrap_or_default()
    );
    let tile = Tile::new("Takeovers", count_text(takeovers.takeovers), detail);
    let mut claims = run
        .measured
        .checks
        .iter()
        .filter(|check| check.check == "takeover")
        .flat_map(|check| &check.claims)
        .peekable();
    // Devices may see two alive while a close is on its way: how long is too long, the claims say.
    if claims.peek().is_none() {
        return Some(tile);
    }
    Some(tile.judged(claims.all(|claim| claim.passed)))
}

fn handshakes(run: &Run) -> Option<Tile> {
    let qos2 = run.measured.qos2.as_ref()?;
    let open: u64 = qos2.incomplete.values().sum();
    let cuts: u64 = qos2.cuts.values().sum();
    let value = count_text(qos2.sender_completed + qos2.receiver_completed);
    let detail = format!(
        "{} open at the end, {} cut on purpose",
        count_text(open),
        count_text(cuts)
    );
    Some(Tile::new("QoS 2 handshakes", value, detail))
}

fn connections(run: &Run, summary: &Summary) -> Option<Tile> {
    if summary.peak_online == 0 {
        return None;
    }
    let total = run.measured.connections.total();
    let value = count_text(summary.peak_online);
    let detail = format!(
        "at once; {} connections ended unasked",
        count_text(total.unexpected)
    );
    Some(Tile::new("Devices online", value, detail))
}

fn broker(summary: &Summary) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some(cores) = summary.broker_cpu_cores {
        let detail = match (
            summary.broker_cpu_s_per_million,
            summary.generator_cpu_cores,
        ) {
            (Some(seconds), _) => format!("{} per million messages", duration_text(seconds)),
            (None, Some(generator)) => format!("generator {}", cores_text(generator)),
            (None, None) => String::new(),
        };
        tiles.push(Tile::new("Broker CPU", cores_text(cores), detail));
    }
    if let Some(bytes) = summary.broker_rss_bytes {
        let detail = summary
            .broker_rss_per_connection_bytes
            .map(|each| format!("{} for each connection", bytes_text(each)));
        tiles.push(Tile::new(
            "Broker memory",
            bytes_text(bytes),
            detail.unwrap_or_default(),
        ));
    }
    tiles
}
