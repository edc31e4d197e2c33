//! Tiles of the end-to-end latency.

use std::cmp::Reverse;

use squall_run::{CountedFrom, Latency, MetricName, Percentile, Run, Tags, count_text};

use super::{Tile, claims, micros};

/// One tile for each percentile. What limits say about the latency, the last one has: the maximum.
pub(super) fn latencies(run: &Run, latency: &Latency) -> Vec<Tile> {
    let limits = claims::of_metric(run, MetricName::E2eLatency, &Tags::new());
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
    tiles.push(Tile::new("Latency max", micros(latency.max_us), n).claimed(limits));
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
            let limits = claims::of_metric(run, MetricName::E2eLatency, &population.tags);
            let tile = match latency.percentile_us(Percentile::P99) {
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
            Some(tile.claimed(limits))
        })
        .collect()
}
