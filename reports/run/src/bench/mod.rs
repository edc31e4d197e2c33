//! What `squall bench` and `squall bench suite` find: their files for programs, and how one is held against an earlier one.
//!
//! A bench is not a run: it has no scenario, no claims and no verdict, and its figures are those of a broker at a load. What it
//! measures is made in the runner; here is what is kept of it, so that the page, the schema and a later comparison read the
//! same types that were written.

mod baseline;
mod figure;
mod figures;
mod result;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
mod suite;

pub use baseline::{Baseline, BaselineError, Load};
pub use figure::Figure;
pub use figures::{AccountFigures, BUSY, Counted, Figures, Latency, ROOM};
pub use result::{About, BenchResult, REACHED, Repeat, TargetResult, stalls_text};
pub use suite::{Suite, SuiteMachine, SuiteRow};
