//! Tiles of wills, takeovers and QoS 2 handshakes.

use squall_run::{MetricName, Percentile, Run, Tags, count_text};

use super::{Tile, claims, micros};
use crate::on_links;

pub(super) fn wills(run: &Run) -> Vec<Tile> {
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
            match sum(|will| will.undecided) {
                0 => format!(
                    "of {} due, {} doubled or unexpected",
                    count_text(due),
                    count_text(wrong - sum(|will| will.missing))
                ),
                undecided => format!(
                    "of {} due, {} undecided when the run ended, {} doubled or unexpected",
                    count_text(due),
                    count_text(undecided),
                    count_text(wrong - sum(|will| will.missing))
                ),
            },
        )
        .judged(wrong == 0)
        .claimed(claims::of_check(run, "will", &["exactly"])),
    ];
    let metrics = &run.measured.metrics;
    for how in metrics.tag_values(MetricName::TimeToWill, "how") {
        let tags = Tags::from([("how".to_owned(), how.clone())]);
        let times = metrics.select(MetricName::TimeToWill, &tags);
        let (Some(max_us), p99) = (times.max_us(), times.percentile_us(Percentile::P99)) else {
            continue;
        };
        let n = format!(
            "n = {}{}",
            count_text(times.count()),
            on_links::words(metrics, MetricName::TimeToWill, &tags)
        );
        let detail = format!("max {}, {n}", micros(max_us));
        let name = how.replace('_', " ");
        let limits = claims::of_metric(run, MetricName::TimeToWill, &tags);
        let within = claims::of_check(run, "will", &[format!("within.{how}").as_str()]);
        let tile = match p99 {
            Some(us) => Tile::new(format!("Time to will p99, {name}"), micros(us), detail),
            None => Tile::new(format!("Time to will max, {name}"), micros(max_us), n),
        };
        tiles.push(tile.claimed(limits.into_iter().chain(within)));
    }
    tiles
}

/// How long requests took to be answered, by the group that asks.
pub(super) fn round_trips(run: &Run) -> Vec<Tile> {
    let metrics = &run.measured.metrics;
    let groups = metrics.tag_values(MetricName::RoundTrip, "group");
    let tiles = groups.into_iter().filter_map(|group| {
        let tags = Tags::from([("group".to_owned(), group.clone())]);
        let times = metrics.select(MetricName::RoundTrip, &tags);
        let max = micros(times.max_us()?);
        let n = format!("n = {}", count_text(times.count()));
        let tile = match times.percentile_us(Percentile::P99) {
            Some(us) => Tile::new(
                format!("Round trip p99, {group}"),
                micros(us),
                format!("max {max}, {n}"),
            ),
            None => Tile::new(format!("Round trip max, {group}"), max, n),
        };
        Some(tile.claimed(claims::of_metric(run, MetricName::RoundTrip, &tags)))
    });
    tiles.collect()
}

pub(super) fn takeovers(run: &Run) -> Option<Tile> {
    let takeovers = run.measured.takeovers.as_ref()?;
    let times = run.measured.metrics.all(MetricName::TakeoverTime);
    let slowest = times.max_us().map(|us| match us {
        0 => ", the displaced closed at once".to_owned(),
        us => format!(", those closed within {} of the CONNECT", micros(us)),
    });
    let detail = format!(
        "at most {} seen alive for an identifier{}{}",
        count_text(takeovers.most_alive),
        slowest.unwrap_or_default(),
        on_links::words(
            &run.measured.metrics,
            MetricName::TakeoverTime,
            &Tags::new()
        )
    );
    let tile = Tile::new("Takeovers", count_text(takeovers.takeovers), detail);
    // Devices may see two alive while a close is on its way: how long is too long, the claims say.
    let keys = [
        "alive_per_client_id",
        "displaced_closed_within",
        "reason",
        "session_present",
    ];
    let claimed = claims::of_check(run, "takeover", &keys);
    let limits = claims::of_metric(run, MetricName::TakeoverTime, &Tags::new());
    Some(tile.claimed(claimed.into_iter().chain(limits)))
}

pub(super) fn handshakes(run: &Run) -> Option<Tile> {
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
