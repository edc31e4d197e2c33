//! The few figures that matter, as a page's tiles and a terminal's lines.

mod claims;
mod events;
mod hero;
mod in_doubt;
mod latency;

use squall_run::{
    Aggregate, ClaimResult, ErrorCount, MetricName, Outcome, Run, Summary, Tags, bytes_text,
    count_text, duration_text, rate_text,
};

use crate::table::{cores_text, percent};

pub(crate) use hero::{Ranked, ranked};

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tile {
    /// What it is.
    pub(crate) label: String,
    /// The figure.
    pub(crate) value: String,
    /// What it is to be seen beside.
    pub(crate) detail: String,
    /// Whether it speaks for or against the broker, if it does.
    pub(crate) held: Option<ClaimResult>,
    /// The upper limit that a threshold sets to the very figure.
    pub(crate) limit: Option<Limit>,
}

/// An upper limit of a figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    /// How much of it is used up, as a share: above 1 if it is broken.
    pub(crate) used: f64,
    /// The same in words: `66 % of the limit 4.00 s`.
    pub(crate) text: String,
}

impl Tile {
    fn new(label: impl Into<String>, value: String, detail: String) -> Self {
        Self {
            label: label.into(),
            value,
            detail,
            held: None,
            limit: None,
        }
    }

    fn judged(self, held: bool) -> Self {
        Self {
            held: Some(if held {
                ClaimResult::Held
            } else {
                ClaimResult::Broken
            }),
            ..self
        }
    }
}

/// The figures of `run`, in order. Those it has no data for are left out.
pub(crate) fn tiles(run: &Run) -> Vec<Tile> {
    let summary = Summary::of(run);
    let mut tiles = Vec::new();
    tiles.extend(rate(run, &summary));
    if summary.expected > 0 {
        let delivery = |key| claims::of_check(run, "delivery", &[key]);
        let rate = claims::of_metric(run, MetricName::DeliveryRate, &Tags::new());
        tiles.push(delivered(run, &summary).claimed(rate));
        tiles.push(lost(&summary).claimed(delivery("lost")));
        tiles.extend(in_doubt::in_doubt(&summary));
        tiles.push(duplicated(run).claimed(delivery("duplicated")));
        let order = ["reordered", "misrouted", "corrupted", "mislabelled"];
        let order = claims::of_check(run, "delivery", &order);
        tiles.push(reordered(&summary).claimed(order));
    }
    tiles.extend(errors(run, &summary));
    match &summary.e2e_latency {
        Some(latency) => tiles.extend(latency::latencies(run, latency)),
        None => tiles.extend(latency::latencies_of(run)),
    }
    tiles.extend(events::round_trips(run));
    tiles.extend(events::wills(run));
    tiles.extend(events::takeovers(run));
    tiles.extend(events::handshakes(run));
    tiles.extend(connections(run, &summary));
    tiles.extend(broker(run, &summary));
    match run.verdict.outcome {
        Outcome::Pass | Outcome::Fail => {}
        // Where nothing follows from a run, no figure of it may be green.
        Outcome::Invalid | Outcome::NoClaims => {
            for tile in &mut tiles {
                tile.held = tile.held.filter(|held| *held != ClaimResult::Held);
            }
        }
    }
    tiles
}

/// How fast messages were sent within the measured part, and whether all were in the end.
fn rate(run: &Run, summary: &Summary) -> Option<Tile> {
    let (offered, achieved) = (summary.offered_per_s?, summary.achieved_per_s?);
    if summary.scheduled == 0 {
        return None;
    }
    let mut detail = format!(
        "of {} offered while measuring; in the whole run {} of {} scheduled",
        rate_text(offered),
        count_text(summary.sent),
        count_text(summary.scheduled)
    );
    if summary.to_no_subscriber > 0 {
        let count = count_text(summary.to_no_subscriber);
        detail.push_str(&format!("; {count} went to no subscriber"));
    }
    let metrics = [MetricName::PublishRate, MetricName::Dropped];
    let claimed = metrics.map(|metric| claims::of_metric(run, metric, &Tags::new()));
    let mut publications = run.measured.accounting.publications.iter();
    let unexplained = publications.any(|entry| entry.unsent_unexplained > 0);
    // What was to be sent and was not is missing from every other figure.
    let doubt = unexplained.then_some(ClaimResult::NotJudged);
    let tile = Tile::new("Sent", rate_text(achieved), detail);
    Some(tile.claimed(claimed.into_iter().flatten().chain(doubt)))
}

/// What was delivered of what was owed. What is excused is not owed, and says why.
fn delivered(run: &Run, summary: &Summary) -> Tile {
    let owed = summary.expected - summary.excused;
    let mut detail = format!("of {} owed", count_text(owed));
    if summary.lost > 0
        && let Some(share) = percent(summary.delivered as f64, owed as f64)
    {
        detail.push_str(&format!(" ({share})"));
    }
    let excuses = run.measured.accounting.excuses();
    if summary.excused > 0 {
        let reasons: Vec<String> = excuses.into_keys().collect();
        detail.push_str(&format!(", {} excused", count_text(summary.excused)));
        if !reasons.is_empty() {
            detail.push_str(&format!(": {}", reasons.join(", ")));
        }
    }
    let wills: u64 = run.measured.wills.iter().map(|will| will.seen).sum();
    if wills > 0 {
        let count = count_text(wills);
        detail.push_str(&format!("; {count} wills seen are not among these"));
    }
    Tile::new("Delivered", count_text(summary.delivered), detail)
}

fn lost(summary: &Summary) -> Tile {
    let owed = summary.expected - summary.excused;
    let detail = match percent(summary.lost as f64, owed as f64) {
        Some(share) => format!("{share} of what was owed"),
        None => "nothing was owed".to_owned(),
    };
    Tile::new("Lost", count_text(summary.lost), detail).judged(summary.lost == 0)
}

/// Further copies, by what the QoS says about them (§4.3): at QoS 1 one is allowed after a reconnect of the
/// publisher or the Session [MQTT-4.4.0-1], and in MQTT 3.1.1 at any time.
fn duplicated(run: &Run) -> Tile {
    let accounting = &run.measured.accounting;
    let at = |qos: u8| accounting.deliveries_at(qos);
    let allowed_at_1 = at(1).duplicated.saturating_sub(at(1).forbidden);
    let parts = [
        (at(0).duplicated, "at QoS 0"),
        (
            allowed_at_1,
            "at QoS 1 after a reconnect or in MQTT 3.1.1, which is allowed",
        ),
        (
            at(1).forbidden,
            "at QoS 1 without either, which is forbidden",
        ),
        (at(2).duplicated, "at QoS 2, which allows none"),
    ];
    let some = parts.iter().filter(|&&(count, _)| count > 0);
    let parts: Vec<String> = some
        .map(|&(count, what)| format!("{} {what}", count_text(count)))
        .collect();
    let all = [0, 1, 2].map(at);
    let total: u64 = all.iter().map(|entry| entry.duplicated).sum();
    let forbidden: u64 = all.iter().map(|entry| entry.forbidden).sum();
    let tile = Tile::new("Duplicated", count_text(total), parts.join(", "));
    match (total, forbidden) {
        (0, _) => tile.judged(true),
        // Copies that are allowed speak neither for nor against the broker.
        (_, 0) => tile,
        (_, _) => tile.judged(false),
    }
}

fn reordered(summary: &Summary) -> Tile {
    let others = [
        (summary.misrouted, "misrouted"),
        (summary.corrupted, "corrupted"),
        (summary.mislabelled, "mislabelled"),
    ];
    let parts = others.map(|(count, word)| format!("{} {word}", count_text(count)));
    let is_clean = summary.reordered == 0 && others.iter().all(|&(count, _)| count == 0);
    Tile::new("Reordered", count_text(summary.reordered), parts.join(", ")).judged(is_clean)
}

/// That nothing went wrong is the best news of a report: it has a tile, as errors have.
fn errors(run: &Run, summary: &Summary) -> Option<Tile> {
    if summary.peak_online == 0 {
        return None;
    }
    let errors: u64 = run.measured.errors.iter().map(|error| error.count).sum();
    let anomalies = match run.measured.anomaly_counts.values().sum() {
        0 => "no anomaly".to_owned(),
        1 => "1 anomaly".to_owned(),
        many => format!("{} anomalies", count_text(many)),
    };
    let mut detail = causes(&run.measured.errors);
    detail.push_str(&anomalies);
    let tile = Tile::new("Errors", count_text(errors), detail);
    // Errors may be what the scenario asks for; what they mean, the claims say.
    let has_ended = run.verdict.is_about_a_broker_that_ended();
    let tile = match errors {
        _ if has_ended => tile.judged(false),
        0 if run.measured.anomaly_counts.is_empty() => tile.judged(true),
        _ => tile,
    };
    let refused = claims::of_check(run, "connections", &["refused"]);
    let limits = claims::of_metric(run, MetricName::Errors, &Tags::new());
    Some(tile.claimed(refused.into_iter().chain(limits)))
}

/// Reasons of errors that a tile names, at most: the section on errors has them all.
const CAUSES: usize = 2;

/// The most frequent reasons: `publish 0x97 Quota exceeded 125; `. Nothing without errors.
fn causes(errors: &[ErrorCount]) -> String {
    let mut errors: Vec<&ErrorCount> = errors.iter().collect();
    // The end of the broker is one, and before all others.
    errors.sort_by_key(|error| (error.area != "broker", std::cmp::Reverse(error.count)));
    let mut text = String::new();
    for error in errors.iter().take(CAUSES) {
        let count = count_text(error.count);
        text.push_str(&format!("{} {} {count}; ", error.area, error.reason));
    }
    if errors.len() > CAUSES {
        text.push_str(&format!("{} other reasons; ", errors.len() - CAUSES));
    }
    text
}

fn micros(us: u64) -> String {
    duration_text(us as f64 / 1e6)
}

fn connections(run: &Run, summary: &Summary) -> Option<Tile> {
    if summary.peak_online == 0 {
        return None;
    }
    let total = run.measured.connections.total();
    let value = count_text(summary.peak_online);
    let mut detail = format!(
        "at once; {} connections ended unexpectedly",
        count_text(total.unexpected_total())
    );
    let causes = total.unexpected.iter();
    let causes: Vec<String> = causes
        .map(|(cause, count)| format!("{} {cause}", count_text(*count)))
        .collect();
    if !causes.is_empty() {
        detail.push_str(&format!(": {}", causes.join(", ")));
    }
    let explained: u64 = total.explained().values().sum();
    if explained > 0 {
        let count = count_text(explained);
        detail.push_str(&format!(
            "; {count} because of simulated links or takeovers"
        ));
    }
    let unexpected = claims::of_check(run, "connections", &["unexpected_disconnects"]);
    let tile = Tile::new("Devices online", value, detail);
    let doubt = (total.unexpected_total() > 0).then_some(ClaimResult::NotJudged);
    Some(tile.claimed(unexpected.into_iter().chain(doubt)))
}

fn broker(run: &Run, summary: &Summary) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let (Some(cores), Some(peak)) =
        (summary.broker_cpu_mean_cores, summary.broker_cpu_peak_cores)
    {
        let mut detail = format!("measured part; peak {}", cores_text(peak));
        match (
            summary.broker_cpu_s_per_million,
            summary.generator_cpu_mean_cores,
        ) {
            (Some(seconds), _) => {
                let each = format!("; {} per million messages", duration_text(seconds));
                detail.push_str(&each);
            }
            (None, Some(generator)) => {
                detail.push_str(&format!("; generator {}", cores_text(generator)));
            }
            (None, None) => {}
        }
        let limits = claims::of_metric(run, MetricName::BrokerCpu, &Tags::new());
        let limit = claims::limit(run, MetricName::BrokerCpu, &Tags::new(), Aggregate::Avg);
        let tile = Tile::new("Broker CPU", cores_text(cores), detail);
        tiles.push(tile.claimed(limits).limited(limit));
    }
    if let Some(bytes) = summary.broker_rss_peak_bytes {
        let detail = summary
            .broker_rss_per_connection_bytes
            .map(|each| format!("{} for each connection", bytes_text(each)));
        let metrics = [MetricName::BrokerRss, MetricName::BrokerRssPerConnection];
        let limits = metrics.map(|metric| claims::of_metric(run, metric, &Tags::new()));
        let detail = detail.unwrap_or_default();
        let limit = claims::limit(run, MetricName::BrokerRss, &Tags::new(), Aggregate::Max);
        let tile = Tile::new("Broker memory", bytes_text(bytes), detail);
        tiles.push(tile.claimed(limits.into_iter().flatten()).limited(limit));
    }
    tiles
}

#[cfg(test)]
mod tests;
