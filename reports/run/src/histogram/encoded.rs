//! A histogram in a file: the base64 of HdrHistogram's V2 compressed encoding, which other tools
//! read, beside figures that a person can read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Counts, Histogram};

const UNIT: &str = "us";

/// A histogram in a run file cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// Its unit is not microseconds.
    #[error("histogram has unit `{unit}`, expected `us`")]
    Unit {
        /// The unit it has.
        unit: String,
    },
    /// It is not base64.
    #[error("histogram is not base64: {reason}")]
    Base64 {
        /// What is wrong.
        reason: String,
    },
    /// It is not an HdrHistogram.
    #[error("histogram is not in HdrHistogram's V2 compressed encoding: {reason}")]
    Encoding {
        /// What is wrong.
        reason: String,
    },
    /// Its counts do not add up.
    #[error("histogram says it has {said} samples and has {found}")]
    Count {
        /// What its `count` says.
        said: u64,
        /// What its data holds.
        found: u64,
    },
}

/// A histogram as it is in a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Histogram")]
pub(super) struct Encoded {
    /// Always `us`: microseconds.
    unit: String,
    /// Samples, those of the overflow included.
    count: u64,
    /// The least sample, exactly.
    min: u64,
    /// The greatest sample, exactly.
    max: u64,
    /// Samples above the range of the encoded data.
    overflow: u64,
    /// HdrHistogram, V2 compressed encoding, base64; empty without samples in its range.
    hdr: String,
}

impl Histogram {
    /// The samples within the range as HdrHistogram's V2 compressed encoding, base64: what
    /// `.hlog` files carry. Empty without such samples.
    pub fn to_hdr_base64(&self) -> String {
        let Some(counts) = &self.counts else {
            return String::new();
        };
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(counts, &mut bytes)
            .expect("counts in memory always fit a Vec");
        BASE64.encode(bytes)
    }
}

impl From<Histogram> for Encoded {
    fn from(histogram: Histogram) -> Self {
        Self {
            unit: UNIT.to_owned(),
            count: histogram.count(),
            min: histogram.min_us,
            max: histogram.max_us,
            overflow: histogram.overflow,
            hdr: histogram.to_hdr_base64(),
        }
    }
}

impl TryFrom<Encoded> for Histogram {
    type Error = HistogramError;

    fn try_from(encoded: Encoded) -> Result<Self, Self::Error> {
        if encoded.unit != UNIT {
            return Err(HistogramError::Unit { unit: encoded.unit });
        }
        let counts = if encoded.hdr.is_empty() {
            None
        } else {
            Some(Box::new(decode(&encoded.hdr)?))
        };
        let histogram = Self {
            counts,
            overflow: encoded.overflow,
            min_us: encoded.min,
            max_us: encoded.max.max(encoded.min),
        };
        let found = histogram.count();
        if found == encoded.count {
            Ok(histogram)
        } else {
            Err(HistogramError::Count {
                said: encoded.count,
                found,
            })
        }
    }
}

fn decode(hdr: &str) -> Result<Counts, HistogramError> {
    let bytes = BASE64.decode(hdr).map_err(|error| HistogramError::Base64 {
        reason: error.to_string(),
    })?;
    let mut counts: Counts = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| HistogramError::Encoding {
            reason: error.to_string(),
        })?;
    counts.auto(true);
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values_us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        for value_us in values_us {
            histogram.record_us(value_us);
        }
        histogram
    }

    /// A file gives back what was written, empty and overflowing distributions too.
    #[test]
    fn encoding_round_trips() {
        for histogram in [
            Histogram::new(),
            of([0]),
            of([0, 1, 5_000_000]),
            of([Histogram::HIGHEST_US, Histogram::HIGHEST_US + 1]),
            of((1..10_000).map(|n| n * n)),
        ] {
            let text = serde_json::to_string(&histogram).unwrap();

            let mut back: Histogram = serde_json::from_str(&text).unwrap();

            assert_eq!(back, histogram);
            back.record_us(Histogram::HIGHEST_US);
            assert_eq!(back.count(), histogram.count() + 1);
        }
    }

    /// Data that another tool could not have meant is refused, each with its own error.
    #[test]
    fn damaged_encodings_are_refused() {
        let encoded = Encoded::from(of([7]));
        let with = |change: fn(&mut Encoded)| {
            let mut damaged = encoded.clone();
            change(&mut damaged);
            Histogram::try_from(damaged).unwrap_err()
        };

        let unit = with(|e| e.unit = "ns".to_owned());
        let base64 = with(|e| e.hdr = "*".to_owned());
        let encoding = with(|e| e.hdr = "AAAA".to_owned());
        let count = with(|e| e.count = 2);

        assert!(matches!(unit, HistogramError::Unit { .. }));
        assert!(matches!(base64, HistogramError::Base64 { .. }));
        assert!(matches!(encoding, HistogramError::Encoding { .. }));
        assert_eq!(count, HistogramError::Count { said: 2, found: 1 });
    }
}
