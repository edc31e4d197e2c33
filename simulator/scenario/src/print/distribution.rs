//! A distribution or a backoff, written out.

use squall_toml::quote::quote;

use super::text::{array, duration, float, pair, table};
use crate::{Backoff, Distribution, Measure, Sizes};

/// The backoff as one value.
pub(super) fn backoff(backoff: &Backoff) -> String {
    match backoff {
        Backoff::Drawn(drawn) => distribution(drawn),
        Backoff::Growing(growing) => {
            let parameters = [
                pair("initial", duration(growing.initial)),
                pair("factor", float(growing.factor)),
                pair("cap", duration(growing.cap)),
                pair("jitter", quote(growing.jitter.name())),
            ];
            table(parameters.into_iter()).unwrap_or_default()
        }
    }
}

/// The distribution as one value: a measure where it is constant, else an inline table.
pub(super) fn distribution<T: Measure>(distribution: &Distribution<T>) -> String {
    match distribution {
        Distribution::Constant { value } => measure(*value),
        varying @ (Distribution::Uniform { .. }
        | Distribution::Normal { .. }
        | Distribution::Lognormal { .. }
        | Distribution::Exponential { .. }
        | Distribution::Pareto { .. }
        | Distribution::Empirical { .. }) => table(pairs(varying).into_iter()).unwrap_or_default(),
    }
}

/// Sizes as one value: a size where they are constant, else an inline table with the bounds.
pub(super) fn sizes(sizes: &Sizes) -> String {
    if let Some(size) = sizes.as_constant() {
        return measure(size);
    }
    let (min, max) = (sizes.min, sizes.max);
    let bounds = match &sizes.drawn {
        Distribution::Constant { .. }
        | Distribution::Uniform { .. }
        | Distribution::Empirical { .. } => vec![],
        Distribution::Pareto { .. } => vec![pair("max", measure(max))],
        Distribution::Normal { .. }
        | Distribution::Lognormal { .. }
        | Distribution::Exponential { .. } => {
            vec![pair("min", measure(min)), pair("max", measure(max))]
        }
    };
    let parameters = pairs(&sizes.drawn).into_iter().chain(bounds);
    table(parameters).unwrap_or_default()
}

fn measure(measure: impl Measure) -> String {
    quote(&measure.text())
}

/// Kind and parameters, as in an inline table.
fn pairs<T: Measure>(distribution: &Distribution<T>) -> Vec<String> {
    let (dist, parameters) = match distribution {
        Distribution::Constant { value } => ("constant", vec![pair("value", measure(*value))]),
        Distribution::Uniform { min, max } => (
            "uniform",
            vec![pair("min", measure(*min)), pair("max", measure(*max))],
        ),
        Distribution::Normal { mean, std_dev } => (
            "normal",
            vec![
                pair("mean", measure(*mean)),
                pair("std_dev", measure(*std_dev)),
            ],
        ),
        Distribution::Lognormal { median, p99 } => (
            "lognormal",
            vec![pair("median", measure(*median)), pair("p99", measure(*p99))],
        ),
        Distribution::Exponential { mean } => ("exponential", vec![pair("mean", measure(*mean))]),
        Distribution::Pareto { min, alpha } => (
            "pareto",
            vec![pair("min", measure(*min)), pair("alpha", float(*alpha))],
        ),
        Distribution::Empirical { values } => (
            "empirical",
            vec![
                pair(
                    "values",
                    array(values.iter().map(|(value, _)| measure(*value))),
                ),
                pair(
                    "weights",
                    array(values.iter().map(|(_, weight)| float(*weight))),
                ),
            ],
        ),
    };
    let kind = std::iter::once(pair("dist", quote(dist)));
    kind.chain(parameters).collect()
}
