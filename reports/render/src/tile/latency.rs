//! Tiles of the end-to-end latency.

use std::cmp::Reverse;

use squall_run::{Aggregate, CountedFrom, Latency, MetricName, Percentile, Run, Tags, count_text};

use super::{Tile, claims, micros};

/// One tile for each percentile, with what the limits on it came to. The maximum comes last, with what those
/// on figures without a tile came to.
pub(super) fn latencies(run: &Run, latency: &Latency) -> Vec<Tile> {
    const SHOWN: [Percentile; 3] = [Percentile::P50, Percentile::P99, Percentile::P99_9];
    let n = format!("end to end, n = {}", count_text(latency.count));
    let limits = |is_meant: &dyn Fn(Aggregate) -> bool| {
        claims::of_aggregates(run, MetricName::E2eLatency, &Tags::new(), is_meant)
    };
    let mut tiles: Vec<Tile> = SHOWN
        .into_iter()
        .filter_map(|percentile| {
            let us = latency.percentile_us(percentile)?;
            let tile = Tile::new(format!("Latency {percentile}"), micros(us), n.clone());
            let own = Aggregate::Percentile(percentile);
            let limit = claims::limit(run, MetricName::E2eLatency, &Tags::new(), own);
            Some(
                tile.claimed(limits(&|aggregate| aggregate == own))
                    .limited(limit),
            )
        })
        .collect();
    let has_tile = |aggregate| {
        let mut shown = SHOWN
            .into_iter()
            .filter(|&percentile| latency.percentile_us(percentile).is_some());
        shown.any(|percentile| aggregate == Aggregate::Percentile(percentile))
    };
    let rest = limits(&|aggregate| !has_tile(aggregate));
    let limit = claims::limit(run, MetricName::E2eLatency, &Tags::new(), Aggregate::Max);
    let tile = Tile::new("Latency max", micros(latency.max_us), n);
    tiles.push(tile.claimed(rest).limited(limit));
    tiles
}

/// Populations with a tile of their own, at most: the section on latency has them all.
const POPULATIONS: usize = 4;

/// One tile for each group and QoS, the slowest first.
pub(super) fn latencies_of(run: &Run) -> Vec<Tile> {
    let metrics = &run.measured.metrics;
    let mut populations = metrics.populations(MetricName::E2eLatency, CountedFrom::Scheduled);
    populations.sort_by_key(|population| Reverse(population.histogram.max_us()));
    populations
        .iter()
        .take(POPULATIONS)
        .filter_map(|population| {
            let latency = Latency::of(&population.histogram)?;
            let p50 = latency.percentile_us(Percentile::P50);
            let p50 = p50.map(|us| format!("p50 {}, ", micros(us)));
            let p50 = p50.unwrap_or_default();
            let (max, n) = (micros(latency.max_us), count_text(latency.count));
            let (metric, samples) = (MetricName::E2eLatency, latency.count);
            let limits = claims::of_population(run, metric, &population.tags, samples);
            let p99 = latency.percentile_us(Percentile::P99);
            let shown = match p99 {
                Some(_) => Aggregate::Percentile(Percentile::P99),
                None => Aggregate::Max,
            };
            let limit =
                claims::limit_of_population(run, metric, &population.tags, (shown, samples));
            let tile = match p99 {
                Some(p99_us) => Tile::new(
                    format!("Latency p99, {population}"),
                    micros(p99_us),
                    format!("{p50}max {max}, n = {n}"),
                ),
                None => Tile::new(
                    format!("Latency max, {population}"),
                    max,
                    format!("{p50}n = {n}"),
                ),
            };
            Some(tile.claimed(limits).limited(limit))
        })
        .collect()
}

/// The figure of several populations together that uses up most of its limit, if such figures have limits.
pub(super) fn of_several(run: &Run) -> Option<Tile> {
    let metrics = &run.measured.metrics;
    let populations = metrics.populations(MetricName::E2eLatency, CountedFrom::Scheduled);
    let samples: Vec<(&Tags, u64)> = populations
        .iter()
        .map(|population| (&population.tags, population.histogram.count()))
        .collect();
    let threshold = claims::over_several(run, MetricName::E2eLatency, &samples)?;
    let group = threshold.tags.get("group").map_or("all", String::as_str);
    let qos = threshold.tags.get("qos");
    let qos = qos.map_or_else(String::new, |qos| format!(" QoS {qos}"));
    let tile = Tile::new(
        format!("Latency {}, {group}{qos}", threshold.aggregate),
        threshold.actual.as_ref()?.to_string(),
        format!("n = {}", count_text(threshold.samples)),
    );
    let limit = claims::limit_of(threshold);
    Some(tile.claimed([threshold.claim_result()]).limited(limit))
}
