//! Sizes of payloads: bounds that hold what a distribution says.

use squall_toml::at::At;

use super::Resolver;
use super::payload::MESSAGE_MAX;
use crate::file::{SizeShapeFile, SizeText, SizesFile};
use crate::{ByteCount, Distribution, Measure as _, Sizes, StampPlace};

/// The largest size of a distribution without a bound of its own: a long tail shall not fill the memory of the broker.
const MAX_DEFAULT: u64 = 1024 * 1024;

/// The bounds of a distribution, where the file has them.
type Bounds = [Option<SizeText>; 2];

impl Resolver<'_> {
    /// The sizes of payloads, which have room for the stamp if that is there.
    pub(super) fn resolve_sizes(
        &mut self,
        file: &SizesFile,
        stamp: StampPlace,
        at: &At<'_>,
    ) -> Sizes {
        let least = stamp.bytes_min();
        let (drawn, bounds) = match file {
            SizesFile::Constant(size) => {
                return Sizes::constant(self.check_size(size.0, least, MESSAGE_MAX, at));
            }
            SizesFile::Shape(shape) => self.resolve_size_shape(shape, least, at),
        };
        let [min, max] = bounds;
        let min = min.map_or(least, |size| size.0);
        let max = max.map_or(MAX_DEFAULT, |size| size.0);
        let sizes = Sizes {
            drawn,
            min: ByteCount(self.check_size(min, least, MESSAGE_MAX, &at.key("min"))),
            max: ByteCount(self.check_size(max, least, MESSAGE_MAX, &at.key("max"))),
        };
        self.check_bounds(&sizes, at);
        Sizes {
            max: sizes.max.max(sizes.min),
            ..sizes
        }
    }

    /// Half of the draws at least must be within the bounds, or the bounds say what the sizes are.
    fn check_bounds(&mut self, sizes: &Sizes, at: &At<'_>) {
        let median = sizes.drawn.median();
        if sizes.min > sizes.max {
            let (min, max) = (sizes.min.text(), sizes.max.text());
            let what = format!("the smallest size, {min}, is above the largest, {max}");
            self.contradiction(at, what, "`min` below `max`".to_owned());
        } else if !(sizes.min..=sizes.max).contains(&median) {
            let (min, max) = (sizes.min.text(), sizes.max.text());
            let median = median.text();
            let what =
                format!("half of the sizes are below {median}, and the bounds are {min} and {max}");
            let remedy = "bounds around the middle of the distribution".to_owned();
            self.contradiction(at, what, remedy);
        }
    }

    fn resolve_size_shape(
        &mut self,
        shape: &SizeShapeFile,
        least: u64,
        at: &At<'_>,
    ) -> (Distribution<ByteCount>, Bounds) {
        let bytes = |size: SizeText| ByteCount(u32::try_from(size.0).unwrap_or(u32::MAX));
        match *shape {
            SizeShapeFile::Constant { value } => {
                let value = self.check_size(value.0, least, MESSAGE_MAX, &at.key("value"));
                let bound = Some(SizeText(value.into()));
                (Distribution::constant(ByteCount(value)), [bound, bound])
            }
            SizeShapeFile::Uniform { min, max } => {
                let drawn = self.resolve_uniform(bytes(min), bytes(max), at);
                (drawn, [Some(min), Some(max)])
            }
            SizeShapeFile::Normal {
                mean,
                std_dev,
                min,
                max,
            } => {
                let drawn = self.resolve_normal(bytes(mean), bytes(std_dev), at);
                (drawn, [min, max])
            }
            SizeShapeFile::Lognormal {
                median,
                p99,
                min,
                max,
            } => {
                let drawn = self.resolve_lognormal(bytes(median), bytes(p99), at);
                (drawn, [min, max])
            }
            SizeShapeFile::Exponential { mean, min, max } => {
                (self.resolve_exponential(bytes(mean), at), [min, max])
            }
            SizeShapeFile::Pareto { min, alpha, max } => {
                (self.resolve_pareto(bytes(min), alpha, at), [Some(min), max])
            }
            SizeShapeFile::Empirical {
                ref values,
                ref weights,
            } => {
                for (index, size) in values.iter().enumerate() {
                    let at = at.key("values").item(index);
                    self.check_size(size.0, least, MESSAGE_MAX, &at);
                }
                let values = values.iter().map(|size| bytes(*size)).collect();
                let drawn = self.resolve_empirical(values, weights.as_deref(), at);
                (drawn, [None, Some(SizeText(MESSAGE_MAX))])
            }
        }
    }
}
