//! What is concluded from a run: books of every message, checks, metrics and results.
//!
//! A [`Recorder`] hears every fact of a run and feeds books and metrics; [`judge`] turns both into
//! checks, thresholds and the fleet's part of the run file. Books hear facts, checks read books.
//! [`advice`] says before a run which claims it may leave without a verdict.

mod advice;
mod books;
mod checks;
mod metrics;
mod recorder;
mod results;
mod so_far;
mod traces;

pub use advice::{advice, never_judged};
pub use books::{
    Anomalies, Anomaly, Books, EndKind, ErrorArea, ErrorTally, Excuse, GivenUp, GroupCounts,
    HandshakeCounts, Imbalance, Ledger, Memory, MemoryLimit, Publications, Roster, Scope, Subject,
    TakeoverCounts, Tally, TallyKey, Unjudged, WatchedClaims, WillCause, WillTally,
};
pub use checks::{ClaimSoFar, StateSoFar};
pub use recorder::{Recorder, SHUT_OUT_AFTER};
pub use results::{Judgement, judge};
pub use so_far::{CountsSoFar, MeasuredSoFar, SoFar};
