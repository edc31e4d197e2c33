//! How values become places on an axis, and where its ticks are.

use crate::chart::figure::Unit;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// Evenly, from a value to a value.
    Linear(f64, f64),
    /// By the logarithm, from a value above zero to a value. Lower values go to the lower end.
    Log(f64, f64),
    /// A quantile `q` at `log10(1 / (1 - q))`, from zero to so many nines.
    Nines(f64),
}

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Its place from 0 to 1.
    pub(crate) place: f64,
    /// Its label; empty for a minor tick, which has a fainter line.
    pub(crate) label: String,
}

impl Scale {
    /// From zero to a little above `highest`.
    pub(crate) fn from_zero(highest: f64) -> Self {
        let top = if highest.is_finite() && highest > 0.0 {
            highest * 1.06
        } else {
            1.0
        };
        Self::Linear(0.0, top)
    }

    /// By the logarithm around all of `values` above zero, with some room on both sides.
    pub(crate) fn log_around(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values {
            if value.is_finite() && value > 0.0 {
                low = low.min(value);
                high = high.max(value);
            }
        }
        if low > high {
            return Self::Log(1.0, 10.0);
        }
        // At least half a decade is shown, and always one labelled tick at each end of a wide range.
        let (low, high) = (low / 1.25, high * 1.25);
        let spread = (high / low).max(6.0);
        let middle = (low * high).sqrt();
        Self::Log(
            (middle / spread.sqrt()).min(low),
            (middle * spread.sqrt()).max(high),
        )
    }

    /// The place of `value`, from 0 to 1; beyond the ends it is the end.
    pub(crate) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear(low, high) => (value - low) / (high - low),
            Self::Log(low, _) if value <= low => 0.0,
            Self::Log(low, high) => (value / low).ln() / (high / low).ln(),
            Self::Nines(nines) => nines_of(value) / nines,
        };
        if place.is_finite() {
            place.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// About `count` ticks with labels, and minor ones where they help.
    pub(crate) fn ticks(self, unit: &Unit, count: usize) -> Vec<Tick> {
        match (self, unit) {
            (_, Unit::Names(names)) => self.name_ticks(names),
            (Self::Linear(low, high), Unit::RunTime) => self.time_ticks(high - low, count),
            (Self::Linear(low, high), _) => {
                self.linear_ticks(unit, (high - low) / count.max(1) as f64)
            }
            (Self::Log(low, high), _) => self.log_ticks(unit, (low, high), count),
            (Self::Nines(nines), _) => self.nines_ticks(nines),
        }
    }

    fn name_ticks(self, names: &[String]) -> Vec<Tick> {
        let tick = |(index, name): (usize, &String)| Tick {
            place: self.place(index as f64),
            label: name.clone(),
        };
        names.iter().enumerate().map(tick).collect()
    }

    fn linear_ticks(self, unit: &Unit, at_least: f64) -> Vec<Tick> {
        let Self::Linear(low, high) = self else {
            return Vec::new();
        };
        let step = match unit {
            Unit::Bytes => binary_step(at_least),
            Unit::Count => decimal_step(at_least).max(1.0),
            _ => decimal_step(at_least),
        };
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .map(|value| Tick {
                place: self.place(value),
                label: label(unit, value, step),
            })
            .collect()
    }

    fn time_ticks(self, length_s: f64, count: usize) -> Vec<Tick> {
        const STEPS_S: [f64; 17] = [
            1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
            3600.0, 7200.0, 14_400.0, 21_600.0,
        ];
        let Self::Linear(low, high) = self else {
            return Vec::new();
        };
        let at_least = length_s / count.max(1) as f64;
        let step = STEPS_S
            .into_iter()
            .find(|step| *step >= at_least)
            .unwrap_or_else(|| decimal_step(at_least / 3600.0) * 3600.0);
        let step = if at_least < 0.5 {
            decimal_step(at_least)
        } else {
            step
        };
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .map(|value| Tick {
                place: self.place(value),
                label: run_time(value, step),
            })
            .collect()
    }

    fn log_ticks(self, unit: &Unit, (low, high): (f64, f64), count: usize) -> Vec<Tick> {
        let decades = (high / low).log10();
        // Few decades: label 2 and 5 as well. Many: label every second or third one.
        let labelled: &[u32] = if decades < 1.2 {
            &[1, 2, 3, 5, 7]
        } else if decades < 2.6 {
            &[1, 2, 5]
        } else {
            &[1]
        };
        let every = (decades / count.max(1) as f64).ceil().max(1.0) as i32;
        let mut ticks = Vec::new();
        let first = low.log10().floor() as i32;
        let last = high.log10().ceil() as i32;
        for decade in first..=last {
            for digit in 1..10_u32 {
                let value = f64::from(digit) * 10_f64.powi(decade);
                if value < low || value > high {
                    continue;
                }
                let is_labelled = labelled.contains(&digit) && decade.rem_euclid(every) == 0;
                let label = if is_labelled {
                    label(unit, value, value)
                } else {
                    String::new()
                };
                ticks.push(Tick {
                    place: self.place(value),
                    label,
                });
            }
        }
        ticks
    }

    fn nines_ticks(self, nines: f64) -> Vec<Tick> {
        const SHOWN: [(f64, &str); 9] = [
            (0.0, "min"),
            (0.5, "p50"),
            (0.9, "p90"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (0.9999, "p99.99"),
            (0.999_99, "p99.999"),
            (0.999_999, "p99.9999"),
            (0.999_999_9, "p99.99999"),
        ];
        SHOWN
            .iter()
            .filter(|(quantile, _)| nines_of(*quantile) <= nines + 1e-9)
            .map(|(quantile, label)| Tick {
                place: self.place(*quantile),
                label: (*label).to_owned(),
            })
            .collect()
    }
}

/// `log10(1 / (1 - q))`: 0.9 is 1, 0.99 is 2.
pub(crate) fn nines_of(quantile: f64) -> f64 {
    -(1.0 - quantile).max(f64::MIN_POSITIVE).log10()
}

/// The smallest of 1, 2, 5 times a power of ten that is `at_least`.
fn decimal_step(at_least: f64) -> f64 {
    if !at_least.is_finite() || at_least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powi(at_least.log10().floor() as i32);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|step| *step >= at_least * 0.999)
        .unwrap_or(10.0 * power)
}

/// The smallest power of two that is `at_least`: bytes are shown in binary units.
fn binary_step(at_least: f64) -> f64 {
    2_f64.powi(at_least.max(1.0).log2().ceil() as i32)
}

fn label(unit: &Unit, value: f64, step: f64) -> String {
    match unit {
        Unit::RunTime => run_time(value, step),
        Unit::Micros => duration(value),
        Unit::Count => short(value),
        Unit::PerSecond => format!("{}/s", short(value)),
        Unit::Bytes => bytes(value),
        Unit::Cores | Unit::Percentile | Unit::Names(_) => trimmed(value),
        Unit::Share => format!("{} %", trimmed(value * 100.0)),
    }
}

/// Seconds, minutes or hours since the start, by the step between ticks.
fn run_time(value_s: f64, step_s: f64) -> String {
    if step_s < 60.0 {
        format!("{} s", trimmed(value_s))
    } else if step_s < 3600.0 {
        format!("{} min", trimmed(value_s / 60.0))
    } else {
        format!("{} h", trimmed(value_s / 3600.0))
    }
}

fn duration(value_us: f64) -> String {
    if value_us < 1e3 {
        format!("{} µs", trimmed(value_us))
    } else if value_us < 1e6 {
        format!("{} ms", trimmed(value_us / 1e3))
    } else {
        format!("{} s", trimmed(value_us / 1e6))
    }
}

/// `750`, `5k`, `1.5M`.
fn short(value: f64) -> String {
    if value < 1e3 {
        trimmed(value)
    } else if value < 1e6 {
        format!("{}k", trimmed(value / 1e3))
    } else if value < 1e9 {
        format!("{}M", trimmed(value / 1e6))
    } else {
        format!("{}G", trimmed(value / 1e9))
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = value;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{} {}", trimmed(amount), UNITS[unit])
}

/// Up to four places, without trailing zeros.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, unit: &Unit, count: usize) -> Vec<String> {
        scale
            .ticks(unit, count)
            .into_iter()
            .map(|tick| tick.label)
            .filter(|label| !label.is_empty())
            .collect()
    }

    /// Steps are round in the unit that is shown.
    #[test]
    fn ticks_are_round() {
        let rate = labels(Scale::Linear(0.0, 5_300.0), &Unit::PerSecond, 5);
        let time = labels(Scale::Linear(0.0, 135.0), &Unit::RunTime, 8);
        let minutes = labels(Scale::Linear(0.0, 900.0), &Unit::RunTime, 6);
        let memory = labels(Scale::Linear(0.0, 60_000_000.0), &Unit::Bytes, 4);

        assert_eq!(rate, ["0/s", "2k/s", "4k/s"]);
        assert_eq!(
            time,
            ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]
        );
        assert_eq!(minutes, ["0 min", "5 min", "10 min", "15 min"]);
        assert_eq!(memory, ["0 B", "16 MiB", "32 MiB", "48 MiB"]);
    }

    /// A logarithmic axis labels decades, and more than those where it has few.
    #[test]
    fn log_ticks_are_decades() {
        let wide = labels(Scale::Log(80.0, 2e7), &Unit::Micros, 8);
        let narrow = labels(Scale::Log(4_000.0, 60_000.0), &Unit::Micros, 8);

        assert_eq!(wide, ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(narrow, ["5 ms", "7 ms", "10 ms", "20 ms", "30 ms", "50 ms"]);
    }

    /// Equal distances on the axis of nines are equal factors of what lies beyond.
    #[test]
    fn nines_are_even() {
        let scale = Scale::Nines(4.0);

        assert!((scale.place(0.9) - 0.25).abs() < 1e-9);
        assert!((scale.place(0.99) - 0.5).abs() < 1e-9);
        assert_eq!(
            labels(scale, &Unit::Percentile, 0).last().unwrap(),
            "p99.99"
        );
    }

    /// No value leaves the axis, not even one that is not a number.
    #[test]
    fn places_stay_within_the_axis() {
        for scale in [
            Scale::Linear(0.0, 1.0),
            Scale::Linear(3.0, 3.0),
            Scale::log_around([]),
            Scale::log_around([5.0]),
            Scale::Nines(0.0),
            Scale::from_zero(f64::NAN),
        ] {
            for value in [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -1.0,
                0.0,
                1.0,
                1e300,
            ] {
                let place = scale.place(value);

                assert!(
                    (0.0..=1.0).contains(&place),
                    "{scale:?} puts {value} at {place}"
                );
            }
        }
    }
}
