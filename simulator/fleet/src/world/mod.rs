//! A run in memory and in virtual time.

mod tamper;

pub use tamper::{Direction, Passing, Tamper, Tampered, TamperedClose};
