//! What lies between two sides in one figure, and how much of it the noise of the repeats may be.
//!
//! A difference is told between medians. Its interval is the wider of two, at each end:
//!
//! - the percentile bootstrap of the difference of medians. Of few runs it is far too narrow: of three it ends at the
//!   nearest and the farthest runs, which two sides that are equal leave one time in ten;
//! - Welch's interval `d ± t · √(s²₁/n₁ + s²₂/n₂)` around the difference of means (B. L. Welch, Biometrika 34, 1947), with
//!   the degrees of freedom of Satterthwaite. Figures above zero are compared by their logarithms, in which
//!   noise is a share of the figure and its distribution less skewed. To each variance that of the figure's own grain is
//!   added: three runs that agree by chance would otherwise have no noise at all, as where one figure of many is picked
//!   because its variance came out small (V. G. Tusher, R. Tibshirani, G. Chu, PNAS 98, 2001).
//!
//! Both are taken at the level `1 − FAMILY_ERROR / m`, where m is the number of differences on the page (Bonferroni): with a
//! chance of at least `1 − FAMILY_ERROR` no interval of the whole page leaves zero where nothing differs, however the
//! figures depend on each other. With one run on a side, noise is not known and there is no interval.

mod bootstrap;
mod student;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use crate::FigureSpread;

/// The chance that a page on which nothing differs calls anything different.
///
/// Twenty such pages then have more than one that does with a chance of 1.7 %.
pub const FAMILY_ERROR: f64 = 0.01;

/// Runs that a side needs for its noise to be known.
pub const RUNS_NEEDED: usize = 2;

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The lower, the better.
    Lower,
    /// The higher, the better.
    Higher,
    /// Neither: it says what the load or the generator was.
    Neither,
}

/// How two figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// By how many times the other is as large: 1 where they are equal.
    Ratio,
    /// By what lies between them: 0 where they are equal.
    Difference,
}

impl Scale {
    /// What lies between `from` and `to`: the logarithm of a ratio, or the difference.
    pub(super) fn between(self, from: f64, to: f64) -> f64 {
        self.place(to) - self.place(from)
    }

    fn place(self, number: f64) -> f64 {
        match self {
            Self::Ratio => number.ln(),
            Self::Difference => number,
        }
    }

    /// As a reader has it: a ratio instead of its logarithm.
    fn shown(self, between: f64) -> f64 {
        match self {
            Self::Ratio => between.exp(),
            Self::Difference => between,
        }
    }
}

/// What a figure resolves: what of a difference is not noise of the broker but the grain of the figure itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Grain {
    /// As a share of the figure.
    pub(crate) share: f64,
    /// In the unit of the figure.
    pub(crate) step: f64,
    /// Whether it counts things, which come by chance even where all else is the same (Poisson).
    pub(crate) of: GrainOf,
}

/// What a grain is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrainOf {
    /// Something that is measured.
    Measure,
    /// A number of things.
    Count,
}

impl Grain {
    /// The standard deviation that runs have at least, around `level`.
    fn deviation(self, level: f64, scale: Scale) -> f64 {
        let by_chance = match self.of {
            GrainOf::Count => level.max(1.0).sqrt(),
            GrainOf::Measure => 0.0,
        };
        let absolute = (self.step.powi(2) + by_chance.powi(2)).sqrt();
        match scale {
            Scale::Ratio => self.share.hypot(absolute / level),
            Scale::Difference => (self.share * level).hypot(absolute),
        }
    }
}

/// What became of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Better than the base, beyond noise.
    Better,
    /// Worse than the base, beyond noise.
    Worse,
    /// Different from the base beyond noise, in a figure of which neither way is better.
    Differs,
    /// What lies between them may be noise.
    WithinNoise,
    /// All runs of both have the same value.
    Same,
    /// A side has one run: noise is not known.
    NoiseUnknown,
}

impl Finding {
    /// The words that every output uses.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Differs => "differs",
            Self::WithinNoise => "within noise",
            Self::Same => "same",
            Self::NoiseUnknown => "noise unknown",
        }
    }

    /// Whether it is a difference beyond noise.
    pub const fn is_beyond_noise(self) -> bool {
        match self {
            Self::Better | Self::Worse | Self::Differs => true,
            Self::WithinNoise | Self::Same | Self::NoiseUnknown => false,
        }
    }
}

/// What lies between the base and another side in one figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Whether the numbers are ratios or differences: the latter of counts, and where a run has 0.
    pub scale: Scale,
    /// Between the medians of the runs.
    pub median: f64,
    /// Lower end of the interval that noise alone can bring about; `null` with one run on a side.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// What follows.
    pub finding: Finding,
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) better: Better,
    pub(crate) grain: Grain,
}

/// Compares `other` with `base`; `error` is the chance that equal sides are called different. Both have a run at least.
pub(super) fn difference(base: &[f64], other: &[f64], rule: Rule, error: f64) -> Difference {
    let mut all = base.iter().chain(other);
    let is_positive = all.clone().all(|number| *number > 0.0);
    let scale = match (rule.grain.of, is_positive) {
        (GrainOf::Measure, true) => Scale::Ratio,
        (GrainOf::Measure, false) | (GrainOf::Count, _) => Scale::Difference,
    };
    let between = scale.between(median(base), median(other));
    let without_band = |finding| Difference {
        scale,
        median: scale.shown(between),
        low: None,
        high: None,
        finding,
    };
    if base.len() < RUNS_NEEDED || other.len() < RUNS_NEEDED {
        return without_band(Finding::NoiseUnknown);
    }
    let first = base[0];
    if all.all(|number| *number == first) {
        return without_band(Finding::Same);
    }
    let welch = welch(base, other, scale, rule.grain, error);
    let drawn = bootstrap::interval(base, other, scale, 1.0 - error);
    let (low, high) = (welch.0.min(drawn.0), welch.1.max(drawn.1));
    Difference {
        low: Some(scale.shown(low)),
        high: Some(scale.shown(high)),
        finding: match rule.better {
            _ if low <= 0.0 && high >= 0.0 => Finding::WithinNoise,
            Better::Neither => Finding::Differs,
            Better::Lower if high < 0.0 => Finding::Better,
            Better::Higher if low > 0.0 => Finding::Better,
            Better::Lower | Better::Higher => Finding::Worse,
        },
        ..without_band(Finding::WithinNoise)
    }
}

/// Whether equal sides could be told apart at all: where all runs have one value, or noise is not known, nothing is tested.
pub(super) fn is_tested(base: &[f64], other: &[f64]) -> bool {
    let has_runs = base.len() >= RUNS_NEEDED && other.len() >= RUNS_NEEDED;
    has_runs && base.iter().chain(other).any(|number| *number != base[0])
}

fn median(numbers: &[f64]) -> f64 {
    FigureSpread::of(numbers.iter().copied()).map_or(0.0, |spread| spread.median)
}

fn welch(base: &[f64], other: &[f64], scale: Scale, grain: Grain, error: f64) -> (f64, f64) {
    let all = base.len() + other.len();
    let level = base
        .iter()
        .chain(other)
        .map(|number| number.abs())
        .sum::<f64>()
        / all as f64;
    let grain = grain.deviation(level, scale).powi(2);
    let of_side = |numbers: &[f64]| {
        let count = numbers.len() as f64;
        let places = numbers.iter().map(|number| scale.place(*number));
        let mean = places.clone().sum::<f64>() / count;
        let squares: f64 = places.map(|place| (place - mean).powi(2)).sum();
        let of_mean = (squares / (count - 1.0) + grain) / count;
        (mean, of_mean, of_mean.powi(2) / (count - 1.0))
    };
    let (from, variance_from, share_from) = of_side(base);
    let (to, variance_to, share_to) = of_side(other);
    let variance = variance_from + variance_to;
    if variance <= 0.0 {
        return (to - from, to - from);
    }
    let degrees = (variance.powi(2) / (share_from + share_to)).max(1.0);
    let reach = student::quantile(error, degrees) * variance.sqrt();
    (to - from - reach, to - from + reach)
}
