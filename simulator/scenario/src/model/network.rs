//! Link profiles: what a network does to the bytes of a device.

use std::time::Duration;

use crate::{Bandwidth, Distribution, Preset};

/// One `[[network]]`: the link of each device that names it. Each device has a link of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its name, unique among networks.
    pub name: String,
    /// The shipped profile that it begins with; its own keys came before those of the profile.
    pub preset: Option<Preset>,
    /// Latency one way, drawn per segment; a segment never overtakes the one before it. Default none.
    pub latency: Distribution,
    /// Added to each draw of `latency`. Default none.
    pub jitter: Distribution,
    /// Segments that have to be sent again. TCP loses no bytes: a loss costs time.
    pub loss: Loss,
    /// What a lost segment costs before it is sent again; doubles with each further loss of the
    /// same segment (RFC 6298 §5.5). By default the mean round trip plus 200 ms, as Linux does.
    pub retransmission_timeout: Duration,
    /// Bit rates, each way.
    pub bandwidth: Bandwidth,
    /// Times when nothing passes, although no connection is closed.
    pub outages: Option<Outages>,
}

/// Which segments are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Each segment with this probability, 0 to below 1, whatever happened before; 0 is the default.
    Independent(f64),
    /// A Markov chain of two states that steps once per 10 ms: a segment that is sent in *good*
    /// passes, one that is sent in *bad* is lost. It begins in *good*.
    ///
    /// The chain steps in time and not with the segments, so that a segment which is sent again
    /// after a timeout meets a channel that has moved on.
    ///
    /// Source: E. N. Gilbert, "Capacity of a Burst-Noise Channel", BSTJ 39, 1960.
    GilbertElliott {
        /// Probability of the step from good to bad, above 0, at most 1.
        good_to_bad: f64,
        /// Probability of the step from bad to good, above 0, at most 1.
        bad_to_good: f64,
    },
}

impl Loss {
    /// Share of time, and so of segments, that is lost in the long run.
    pub fn expected(&self) -> f64 {
        match *self {
            Self::Independent(probability) => probability,
            Self::GilbertElliott {
                good_to_bad,
                bad_to_good,
            } => good_to_bad / (good_to_bad + bad_to_good),
        }
    }
}

/// Outages of a link: each device has its own, drawn for it alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Outages {
    /// Time from the end of an outage, or the start of the run, to the beginning of the next.
    pub every: Distribution,
    /// How long an outage lasts.
    pub lasts: Distribution,
}
