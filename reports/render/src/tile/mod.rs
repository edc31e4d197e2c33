//! The few figures that matter, as a page's tiles and a terminal's lines.

mod claims;
mod events;
mod in_doubt;
mod latency;

use squall_run::{
    ClaimResult, ErrorCount, MetricName, Outcome, Run, Summary, Tags, bytes_text, count_text,
    duration_text, rate_text,
};

use crate::table::{cores_text, percent};

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
    pub(crate) held: Option<ClaimResult>,
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
        "of {} offered; {} of {} scheduled",
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
    let share = percent(summary.lost as f64, owed as f64).unwrap_or_default();
    let detail = format!("{share} of what was owed");
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
        tiles.push(Tile::new("Broker CPU", cores_text(cores), detail).claimed(limits));
    }
    if let Some(bytes) = summary.broker_rss_peak_bytes {
        let detail = summary
            .broker_rss_per_connection_bytes
            .map(|each| format!("{} for each connection", bytes_text(each)));
        let metrics = [MetricName::BrokerRss, MetricName::BrokerRssPerConnection];
        let limits = metrics.map(|metric| claims::of_metric(run, metric, &Tags::new()));
        let detail = detail.unwrap_or_default();
        let tile = Tile::new("Broker memory", bytes_text(bytes), detail);
        tiles.push(tile.claimed(limits.into_iter().flatten()));
    }
    tiles
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    fn tile(run: &Run, label: &str) -> Tile {
        let tiles = tiles(run);
        let found = tiles.into_iter().find(|tile| tile.label == label);
        found.unwrap_or_else(|| panic!("no tile {label}"))
    }

    /// Beside "lost 0" no percentage below 100 stands: what is excused was not owed, and says why.
    #[test]
    fn what_is_excused_is_not_owed() {
        let run = sample::passing();

        let delivered = tile(&run, "Delivered");

        assert_eq!(delivered.value, "604,842");
        assert_eq!(
            delivered.detail,
            "of 604,842 owed, 8 excused: session ended; 1,800 wills seen are not among these"
        );
        assert_eq!(tile(&run, "Lost").value, "0");
    }

    /// Copies that are allowed are neither green nor red, and say why they are; one that is forbidden is red.
    #[test]
    fn duplicates_say_what_their_qos_allows() {
        let mut run = sample::passing();

        let allowed = tile(&run, "Duplicated");
        run.measured.accounting.deliveries[0].forbidden = 3;
        run.measured.accounting.deliveries[1].duplicated = 2;
        run.measured.accounting.deliveries[1].forbidden = 2;
        let forbidden = tile(&run, "Duplicated");

        assert_eq!(
            allowed.detail,
            "23 at QoS 1 after a reconnect or in MQTT 3.1.1, which is allowed"
        );
        assert_eq!(allowed.held, None);
        assert_eq!(
            forbidden.detail,
            "20 at QoS 1 after a reconnect or in MQTT 3.1.1, which is allowed, 3 at QoS 1 without either, which \
             is forbidden, 2 at QoS 2, which allows none"
        );
        assert_eq!(forbidden.held, Some(ClaimResult::Broken));
    }

    /// A time to a will says that it is without the simulated links, and how long it was with them; in a run
    /// whose links held nothing there is nothing to say.
    #[test]
    fn a_time_to_will_over_links_says_what_it_leaves_out() {
        let mut run = sample::passing();
        let cells = &mut run.measured.metrics.cells;
        let is_silent = |cell: &&squall_run::MetricCell| {
            cell.name == squall_run::MetricName::TimeToWill && cell.tags["how"] == "silent"
        };
        let mut with_links = cells.iter().find(is_silent).expect("there is one").clone();
        with_links.counted_from = squall_run::CountedFrom::WithLinks;
        with_links.histogram.record_us(18_000_000);
        cells.push(with_links);

        let silent = tile(&run, "Time to will p99, silent");
        let direct = tile(&run, "Time to will max, rst");

        let words = "less the simulated links and absences, at the watchers max 18.0 s";
        assert!(silent.detail.contains(words), "{}", silent.detail);
        assert!(!direct.detail.contains("links"), "{}", direct.detail);
    }

    /// A figure that a claim is about has what became of the claim, whatever it says by itself.
    #[test]
    fn a_tile_takes_the_worst_of_its_claims() {
        let mut run = sample::passing();
        let before = tile(&run, "Sent").held;
        let mut limit = run.measured.thresholds[0].clone();
        limit.metric = MetricName::PublishRate;
        limit.tags.clear();
        limit.result = squall_run::ThresholdResult::Broken;
        run.measured.thresholds.push(limit);
        let claims = run.measured.checks.iter_mut();
        let mut claims = claims.flat_map(|check| &mut check.claims);
        let lost = claims.find(|claim| claim.key == "lost").expect("it claims");
        lost.actual = None;

        assert_eq!(before, None);
        assert_eq!(tile(&run, "Sent").held, Some(ClaimResult::Broken));
        assert_eq!(tile(&run, "Lost").held, Some(ClaimResult::NotJudged));
    }

    /// Errors have their reasons beside them, with counts, the end of the broker first.
    #[test]
    fn errors_have_their_reasons() {
        let mut run = sample::passing();
        let error = |area: &str, reason: &str, count| ErrorCount {
            area: area.to_owned(),
            reason: reason.to_owned(),
            count,
            first_at_s: 3.0,
        };
        run.measured.errors = vec![
            error("connect", "refused", 3),
            error("publish", "0x97 Quota exceeded", 125),
            error(
                "broker",
                "mosquitto (process 7) was ended by signal: 9 (SIGKILL)",
                1,
            ),
        ];

        let errors = tile(&run, "Errors");

        assert_eq!(
            errors.detail,
            "broker mosquitto (process 7) was ended by signal: 9 (SIGKILL) 1; \
             publish 0x97 Quota exceeded 125; 1 other reasons; no anomaly"
        );
    }

    /// Latencies of groups or QoS that have nothing in common are not thrown together.
    #[test]
    fn each_population_has_its_latency() {
        let tiles = tiles(&sample::passing());

        let labels: Vec<&str> = tiles
            .iter()
            .map(|tile| tile.label.as_str())
            .filter(|label| label.starts_with("Latency"))
            .collect();
        assert_eq!(
            labels,
            ["Latency p99, backend QoS 2", "Latency p99, backend QoS 1"]
        );
    }

    /// A rate below the offered one is seen beside the number of messages that were sent in the end.
    #[test]
    fn sent_has_rate_and_count() {
        let mut run = sample::passing();
        for entry in &mut run.measured.accounting.publications {
            entry.sent = entry.scheduled;
        }

        let sent = tile(&run, "Sent");

        assert_eq!(
            sent.detail,
            "of 4,998/s offered; 604,883 of 604,883 scheduled"
        );
    }

    /// What was sent and is owed to nothing is said, and that wills are no part of what was owed.
    #[test]
    fn what_went_to_no_subscriber_is_said() {
        let mut run = sample::passing();
        run.measured.accounting.publications[0].to_no_subscriber = 486;

        let (sent, delivered) = (tile(&run, "Sent"), tile(&run, "Delivered"));

        let words = "; 486 went to no subscriber";
        assert!(sent.detail.ends_with(words), "{}", sent.detail);
        let words = " wills seen are not among these";
        assert!(delivered.detail.ends_with(words), "{}", delivered.detail);
    }

    /// That nothing went wrong has a green tile of its own.
    #[test]
    fn no_errors_are_shown() {
        let good = tile(&sample::passing(), "Errors");
        let bad = tile(&sample::failing(), "Errors");

        assert_eq!(
            (good.value.as_str(), good.held),
            ("0", Some(ClaimResult::Held))
        );
        assert_eq!(good.detail, "no anomaly");
        assert_eq!(bad.value, "50");
    }
}
