//! Headline tiles: what they say, and how they are marked.

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

    let words = "with Will Delay, the simulated links and absences, at the watchers, max 18.0 s";
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

/// How long requests took stands beside the latencies, for each group that asks.
#[test]
fn round_trips_have_a_figure() {
    let run = sample::passing();

    let tile = tile(&run, "Round trip p99, backend");

    let tags = Tags::from([("group".to_owned(), "backend".to_owned())]);
    let times = run.measured.metrics.select(MetricName::RoundTrip, &tags);
    let p99 = times
        .percentile_us(squall_run::Percentile::P99)
        .expect("1,190 samples have a p99");
    assert_eq!(tile.value, micros(p99));
    assert!(tile.detail.ends_with("n = 1,190"), "{}", tile.detail);
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
        "of 4,998/s offered while measuring; in the whole run 604,883 of 604,883 scheduled"
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
