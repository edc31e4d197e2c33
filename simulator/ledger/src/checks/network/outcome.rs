//! One direction of a network as the run file has it.

use squall_fleet::DirectionReport;
use squall_run::{Direction, Histogram, Quantile};

use crate::checks::delay::Delay;

/// Quantiles of the configured delay that a report draws, in thousandths, beside every fiftieth.
const TAILS: [u32; 4] = [1, 10, 990, 999];

/// What the links of a network did in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// Up or down.
    pub(super) direction: Direction,
    /// What the links counted.
    pub(super) report: &'a DirectionReport,
}

/// The quantiles of a configured delay that a report draws.
pub(super) fn configured_delay(one_way: &Delay) -> Vec<Quantile> {
    let mut thousandths: Vec<u32> = (20..1000).step_by(20).chain(TAILS).collect();
    thousandths.sort_unstable();
    thousandths
        .into_iter()
        .map(|thousandth| {
            let quantile = f64::from(thousandth) / 1000.0;
            Quantile {
                quantile,
                value_us: one_way.quantile(quantile).as_secs_f64() * 1e6,
            }
        })
        .collect()
}

/// A histogram of nanoseconds as the run file has it.
pub(crate) fn micros(nanos: &hdrhistogram::Histogram<u64>) -> Histogram {
    let mut micros = Histogram::new();
    for value in nanos.iter_recorded() {
        let rounded = value.value_iterated_to().saturating_add(500) / 1000;
        micros.record_us_times(rounded, value.count_at_value());
    }
    micros
}
