//! Sizes of payloads as the file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SizeText;

/// A size that is always the same, or a distribution of sizes, of which one is drawn for each message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Sizes")]
pub(crate) enum SizesFile {
    /// Always the same.
    Constant(SizeText),
    /// A distribution, by its name and parameters.
    Shape(SizeShapeFile),
}

/// A distribution of sizes. A draw below `min` or above `max` counts as that.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "dist", rename_all = "lowercase", deny_unknown_fields)]
#[schemars(rename = "SizeShape")]
pub(crate) enum SizeShapeFile {
    /// Always the same.
    Constant {
        /// The size.
        value: SizeText,
    },
    /// Every size of a range is equally likely.
    Uniform {
        /// The smallest size.
        min: SizeText,
        /// The largest size.
        max: SizeText,
    },
    /// Normal.
    Normal {
        /// The mean, at least three times the standard deviation.
        mean: SizeText,
        /// The standard deviation.
        std_dev: SizeText,
        /// The smallest size. Default: that of the stamp.
        min: Option<SizeText>,
        /// The largest size. Default `"1MiB"`.
        max: Option<SizeText>,
    },
    /// Log-normal: many are small, and a few are large.
    Lognormal {
        /// Half of the draws are smaller.
        median: SizeText,
        /// 99 of 100 draws are smaller.
        p99: SizeText,
        /// The smallest size. Default: that of the stamp.
        min: Option<SizeText>,
        /// The largest size. Default `"1MiB"`.
        max: Option<SizeText>,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean: SizeText,
        /// The smallest size. Default: that of the stamp.
        min: Option<SizeText>,
        /// The largest size. Default `"1MiB"`.
        max: Option<SizeText>,
    },
    /// Pareto: few draws are very large.
    Pareto {
        /// The smallest size.
        min: SizeText,
        /// Tail index: the smaller, the longer the tail.
        #[schemars(extend("exclusiveMinimum" = 0), range(max = 1_000))]
        alpha: f64,
        /// The largest size. Default `"1MiB"`.
        max: Option<SizeText>,
    },
    /// Sizes as they were measured.
    Empirical {
        /// The measured sizes.
        #[schemars(length(min = 1))]
        values: Vec<SizeText>,
        /// How often each size comes, relative to the others. By default all are equally frequent.
        weights: Option<Vec<f64>>,
    },
}
