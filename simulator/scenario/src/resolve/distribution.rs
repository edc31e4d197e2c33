//! Distributions: parameters that make sense.

use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use super::Resolver;
use crate::file::{DistributionFile, ShapeFile};
use crate::{Distribution, Measure};

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
            ShapeFile::Uniform { min, max } => self.resolve_uniform(min.0, max.0, at),
            ShapeFile::Normal { mean, std_dev } => self.resolve_normal(mean.0, std_dev.0, at),
            ShapeFile::Lognormal { median, p99 } => self.resolve_lognormal(median.0, p99.0, at),
            ShapeFile::Exponential { mean } => self.resolve_exponential(mean.0, at),
            ShapeFile::Pareto { min, alpha } => self.resolve_pareto(min.0, alpha, at),
            ShapeFile::Empirical {
                ref values,
                ref weights,
            } => {
                let values = values.iter().map(|value| value.0).collect();
                self.resolve_empirical(values, weights.as_deref(), at)
            }
        }
    }

    pub(super) fn resolve_uniform<T: Measure>(
        &mut self,
        min: T,
        max: T,
        at: &At<'_>,
    ) -> Distribution<T> {
        self.check_above(max, min, &at.key("max"));
        Distribution::Uniform { min, max }
    }

    pub(super) fn resolve_normal<T: Measure>(
        &mut self,
        mean: T,
        std_dev: T,
        at: &At<'_>,
    ) -> Distribution<T> {
        self.check_above(std_dev, T::of_number(0.0), &at.key("std_dev"));
        if mean.number() < 3.0 * std_dev.number() {
            let what = format!(
                "a normal distribution with mean {} and std_dev {} is often negative",
                mean.text(),
                std_dev.text()
            );
            let remedy = "a mean of at least three times std_dev, or dist = \"lognormal\"";
            self.contradiction(at, what, remedy.to_owned());
        }
        Distribution::Normal { mean, std_dev }
    }

    pub(super) fn resolve_lognormal<T: Measure>(
        &mut self,
        median: T,
        p99: T,
        at: &At<'_>,
    ) -> Distribution<T> {
        self.check_above(median, T::of_number(0.0), &at.key("median"));
        self.check_above(p99, median, &at.key("p99"));
        Distribution::Lognormal { median, p99 }
    }

    pub(super) fn resolve_exponential<T: Measure>(
        &mut self,
        mean: T,
        at: &At<'_>,
    ) -> Distribution<T> {
        self.check_above(mean, T::of_number(0.0), &at.key("mean"));
        Distribution::Exponential { mean }
    }

    pub(super) fn resolve_pareto<T: Measure>(
        &mut self,
        min: T,
        alpha: f64,
        at: &At<'_>,
    ) -> Distribution<T> {
        self.check_above(min, T::of_number(0.0), &at.key("min"));
        Distribution::Pareto { min, alpha }
    }

    pub(super) fn resolve_empirical<T: Measure>(
        &mut self,
        values: Vec<T>,
        weights: Option<&[f64]>,
        at: &At<'_>,
    ) -> Distribution<T> {
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
        let weights = weights.iter().map(|weight| weight / total);
        let mut values: Vec<(T, f64)> = values.into_iter().zip(weights).collect();
        values.sort_by(|(one, _), (other, _)| one.number().total_cmp(&other.number()));
        Distribution::Empirical { values }
    }

    pub(super) fn check_above<T: Measure>(&mut self, value: T, limit: T, at: &At<'_>) {
        if value <= limit {
            let problem = Mistake::OutOfRange {
                value: value.text(),
                range: format!("above {}", limit.text()),
            };
            self.diagnostics.value(at, problem);
        }
    }
}
