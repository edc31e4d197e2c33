//! How values become places on an axis, and where its ticks are.

use crate::chart::unit::Unit;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// Evenly, from a value to a value.
    Linear(f64, f64),
    /// By the logarithm, from a value above zero to a value. Lower values go to the lower end.
    Log(f64, f64),
    /// A quantile `q` at `log10(1 / (1 - q))`, from zero to the given number of nines.
    Nines(f64),
}

/// A stretch of an axis, in units of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// Its lower end.
    pub(crate) low: f64,
    /// Its upper end.
    pub(crate) high: f64,
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

    /// The same, where it begins with zero up to the tick above its end: what is highest then has a tick above it.
    pub(crate) fn up_to_a_tick(self, unit: &Unit, count: usize) -> Self {
        match (self, unit) {
            (_, Unit::Names(_)) | (Self::Log(..) | Self::Nines(_), _) => self,
            (Self::Linear(low, high), _) => {
                let step = unit.step((high - low) / count.max(1) as f64);
                match low == 0.0 {
                    true => Self::Linear(low, (high / step - 1e-9).ceil() * step),
                    false => self,
                }
            }
        }
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
        if let Unit::Names(names) = unit {
            return self.name_ticks(names);
        }
        match self {
            Self::Linear(low, high) => self.linear_ticks(unit, Span { low, high }, count),
            Self::Log(low, high) => self.log_ticks(unit, Span { low, high }, count),
            Self::Nines(nines) => self.nines_ticks(nines),
        }
    }

    fn name_ticks(self, names: &[String]) -> Vec<Tick> {
        let tick = |(index, name): (usize, &String)| Tick {
            place: self.place(index as f64),
            label: name.clone(),
        };
        names.iter().enumerate().map(tick).collect()
    }

    fn linear_ticks(self, unit: &Unit, span: Span, count: usize) -> Vec<Tick> {
        let step = unit.step((span.high - span.low) / count.max(1) as f64);
        let first = (span.low / step).ceil() as i64;
        let last = (span.high / step).floor() as i64;
        (first..=last)
            .map(|n| n as f64 * step)
            .map(|value| Tick {
                place: self.place(value),
                label: unit.label(value, step),
            })
            .collect()
    }

    fn log_ticks(self, unit: &Unit, span: Span, count: usize) -> Vec<Tick> {
        let decades = (span.high / span.low).log10();
        // Few decades: label 2 and 5 as well. Many: label every second or third one.
        let labelled: &[u32] = if decades < 1.2 {
            &[1, 2, 3, 5, 7]
        } else if decades < 2.6 {
            &[1, 2, 5]
        } else {
            &[1]
        };
        let every = (decades / count.max(1) as f64).ceil().max(1.0) as i32;
        let first = span.low.log10().floor() as i32;
        let last = span.high.log10().ceil() as i32;
        let mut ticks = Vec::new();
        for decade in first..=last {
            for digit in 1..10_u32 {
                let value = f64::from(digit) * 10_f64.powi(decade);
                if !span.holds(value) {
                    continue;
                }
                let is_labelled = labelled.contains(&digit) && decade.rem_euclid(every) == 0;
                ticks.push(Tick {
                    place: self.place(value),
                    label: if is_labelled {
                        unit.label(value, value)
                    } else {
                        String::new()
                    },
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

impl Span {
    /// From one value to another that is not below it.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// Whether `value` is within, the ends included.
    pub(crate) fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// How long it is.
    pub(crate) fn length(self) -> f64 {
        self.high - self.low
    }
}

/// `log10(1 / (1 - q))`: 0.9 is 1, 0.99 is 2.
pub(crate) fn nines_of(quantile: f64) -> f64 {
    -(1.0 - quantile).max(f64::MIN_POSITIVE).log10()
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
        let from_warmup = labels(Scale::Linear(-12.0, 33.0), &Unit::RunTime, 4);
        assert_eq!(from_warmup, ["0 s", "15 s", "30 s"]);
        let early = labels(Scale::Linear(-22.0, 60.0), &Unit::RunTime, 5);
        assert_eq!(early, ["−20 s", "0 s", "20 s", "40 s", "60 s"]);
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
