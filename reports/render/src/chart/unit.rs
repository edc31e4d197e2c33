//! Units of axes, and how values in them are written beside a tick.

/// The unit of the values on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unit {
    /// Seconds since measuring began, negative before.
    RunTime,
    /// A duration in microseconds.
    Micros,
    /// A number of things.
    Count,
    /// Things a second.
    PerSecond,
    /// A number of bytes, with binary units.
    Bytes,
    /// Processor cores.
    Cores,
    /// A share from 0 to 1.
    Share,
    /// A percentile, on [`super::scale::Scale::Nines`].
    Percentile,
    /// Names, at 0, 1, 2, …
    Names(Vec<String>),
}

impl Unit {
    /// The label of a tick at `value`, where ticks are `step` apart.
    pub(crate) fn label(&self, value: f64, step: f64) -> String {
        match self {
            Self::RunTime => run_time(value, step),
            Self::Micros => duration(value),
            Self::Count => short(value),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::Bytes => bytes(value),
            Self::Cores | Self::Percentile | Self::Names(_) => trimmed(value),
            Self::Share => format!("{} %", trimmed(value * 100.0)),
        }
    }

    /// The smallest round step in this unit that is `at_least`.
    pub(crate) fn step(&self, at_least: f64) -> f64 {
        match self {
            Self::RunTime => time_step(at_least),
            Self::Bytes => binary_step(at_least),
            Self::Count => decimal_step(at_least).max(1.0),
            Self::Micros
            | Self::PerSecond
            | Self::Cores
            | Self::Share
            | Self::Percentile
            | Self::Names(_) => decimal_step(at_least),
        }
    }
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

/// A step in seconds that is round in seconds, minutes or hours, whichever [`run_time`] writes.
fn time_step(at_least: f64) -> f64 {
    const STEPS_S: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0,
        7200.0, 14_400.0, 21_600.0,
    ];
    if at_least < 0.5 {
        return decimal_step(at_least);
    }
    STEPS_S
        .into_iter()
        .find(|step| *step >= at_least)
        .unwrap_or_else(|| decimal_step(at_least / 3600.0) * 3600.0)
}

/// Seconds, minutes or hours, by the step between ticks.
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
    match text {
        "-0" => "0".to_owned(),
        other => other.replace('-', "−"),
    }
}
