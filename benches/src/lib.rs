//! Criterion benches of squall's crates.
