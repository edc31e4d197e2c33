//! A distribution or a backoff, written out.

use squall_toml::quote::quote;

use super::text::{array, duration, float, pair, table};
use crate::{Backoff, Distribution};

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

/// The distribution as one value: a duration where it is constant, else an inline table.
pub(super) fn distribution(distribution: &Distribution) -> String {
    let (dist, parameters) = match distribution {
        Distribution::Constant { value } => return duration(*value),
        Distribution::Uniform { min, max } => (
            "uniform",
            vec![pair("min", duration(*min)), pair("max", duration(*max))],
        ),
        Distribution::Normal { mean, std_dev } => (
            "normal",
            vec![
                pair("mean", duration(*mean)),
                pair("std_dev", duration(*std_dev)),
            ],
        ),
        Distribution::Lognormal { median, p99 } => (
            "lognormal",
            vec![
                pair("median", duration(*median)),
                pair("p99", duration(*p99)),
            ],
        ),
        Distribution::Exponential { mean } => ("exponential", vec![pair("mean", duration(*mean))]),
        Distribution::Pareto { min, alpha } => (
            "pareto",
            vec![pair("min", duration(*min)), pair("alpha", float(*alpha))],
        ),
        Distribution::Empirical { values } => (
            "empirical",
            vec![
                pair(
                    "values",
                    array(values.iter().map(|(value, _)| duration(*value))),
                ),
                pair(
                    "weights",
                    array(values.iter().map(|(_, weight)| float(*weight))),
                ),
            ],
        ),
    };
    let parameters = std::iter::once(pair("dist", quote(dist))).chain(parameters);
    table(parameters).unwrap_or_default()
}
