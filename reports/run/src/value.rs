//! A value that a claim allows or that was found, with its unit.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value that a claim allows or that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A number of things.
    Count(u64),
    /// A duration in seconds.
    Seconds(f64),
    /// A share: 0.1 is ten per cent.
    Ratio(f64),
    /// Events a second.
    PerSecond(f64),
    /// Bits a second.
    BitsPerSecond(f64),
    /// A number of bytes.
    Bytes(u64),
    /// Processor cores: 1.0 is one core fully busy.
    Cores(f64),
    /// Yes or no.
    Flag(bool),
    /// A word, such as a Reason Code.
    Text(String),
}

impl Value {
    /// The plain number of a quantity, in its unit; `None` for what has no order.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(number) | Self::Bytes(number) => Some(*number as f64),
            Self::Seconds(number)
            | Self::Ratio(number)
            | Self::PerSecond(number)
            | Self::BitsPerSecond(number)
            | Self::Cores(number) => Some(*number),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{}", crate::count_text(*count)),
            Self::Seconds(seconds) => write!(f, "{}", crate::duration_text(*seconds)),
            Self::Ratio(ratio) => write!(f, "{}", crate::share_text(*ratio)),
            Self::PerSecond(rate) => write!(f, "{}", crate::rate_text(*rate)),
            Self::BitsPerSecond(rate) => write!(f, "{}", crate::bit_rate_text(*rate)),
            Self::Bytes(bytes) => write!(f, "{}", crate::bytes_text(*bytes)),
            Self::Cores(cores) => write!(f, "{cores:.2} cores"),
            Self::Flag(flag) => write!(f, "{}", if *flag { "yes" } else { "no" }),
            Self::Text(text) => f.write_str(text),
        }
    }
}
