//! Distributions: parameters that make sense.

use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::Distribution;
use crate::file::{DistributionFile, DurationText, ShapeFile};

impl Resolver<'_> {
    /// The distribution that `file` describes; always zero if the file has none.
    pub(super) fn resolve_distribution(
        &mut self,
        file: Option<&DistributionFile>,
        at: &At<'_>,
    ) -> Distribution {
        match file {
            None => Distribution::zero(),
            Some(DistributionFile::Constant(value)) => Distribution::constant(value.0),
            Some(DistributionFile::Shape(shape)) => self.resolve_shape(shape, at),
        }
    }

    fn resolve_shape(&mut self, shape: &ShapeFile, at: &At<'_>) -> Distribution {
        match *shape {
            ShapeFile::Constant { value } => Distribution::constant(value.0),
            ShapeFile::Uniform { min, max } => {
                self.check_above(max, min.0, &at.key("max"));
                let (min, max) = (min.0, max.0);
                Distribution::Uniform { min, max }
            }
            ShapeFile::Normal { mean, std_dev } => {
                self.check_above(std_dev, Duration::ZERO, &at.key("std_dev"));
                if mean.0 < std_dev.0.saturating_mul(3) {
                    let what = format!(
                        "a normal distribution with mean {} and std_dev {} is often negative",
                        format_duration(mean.0),
                        format_duration(std_dev.0)
                    );
                    let remedy = "a mean of at least three times std_dev, or dist = \"lognormal\"";
                    self.contradiction(at, what, remedy.to_owned());
                }
                let (mean, std_dev) = (mean.0, std_dev.0);
                Distribution::Normal { mean, std_dev }
            }
            ShapeFile::Lognormal { median, p99 } => {
                self.check_above(median, Duration::ZERO, &at.key("median"));
                self.check_above(p99, median.0, &at.key("p99"));
                let (median, p99) = (median.0, p99.0);
                Distribution::Lognormal { median, p99 }
            }
            ShapeFile::Exponential { mean } => {
                self.check_above(mean, Duration::ZERO, &at.key("mean"));
                Distribution::Exponential { mean: mean.0 }
            }
            ShapeFile::Pareto { min, alpha } => {
                self.check_above(min, Duration::ZERO, &at.key("min"));
                Distribution::Pareto { min: min.0, alpha }
            }
            ShapeFile::Empirical {
                ref values,
                ref weights,
            } => self.resolve_empirical(values, weights.as_deref(), at),
        }
    }

    fn resolve_empirical(
        &mut self,
        values: &[DurationText],
        weights: Option<&[f64]>,
        at: &At<'_>,
    ) -> Distribution {
        let weights = weights.map_or_else(|| vec![1.0; values.len()], <[f64]>::to_vec);
        if weights.len() != values.len() {
            let what = format!("{} values have {} weights", values.len(), weights.len());
            let remedy = "one weight for each value".to_owned();
            self.contradiction(&at.key("weights"), what, remedy);
        }
        for (index, weight) in weights.iter().enumerate() {
            if *weight <= 0.0 {
                let problem = Mistake::OutOfRange {
                    value: weight.to_string(),
                    range: "above 0".to_owned(),
                };
                self.diagnostics
                    .value(&at.key("weights").item(index), problem);
            }
        }
        let sum: f64 = weights.iter().sum();
        // Weights that sum to one, up to rounding, are kept, so that a printed scenario reads back as itself.
        let total = if (sum - 1.0).abs() < 1e-9 { 1.0 } else { sum };
        let mut values: Vec<(Duration, f64)> = values
            .iter()
            .zip(&weights)
            .map(|(value, weight)| (value.0, weight / total))
            .collect();
        values.sort_by_key(|(value, _)| *value);
        Distribution::Empirical { values }
    }

    fn check_above(&mut self, value: DurationText, limit: Duration, at: &At<'_>) {
        if value.0 <= limit {
            let problem = Mistake::OutOfRange {
                value: format_duration(value.0),
                range: format!("above {}", format_duration(limit)),
            };
            self.diagnostics.value(at, problem);
        }
    }
}
