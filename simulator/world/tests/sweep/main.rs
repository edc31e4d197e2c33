//! Random scenarios over the real broker core: whatever their features, nothing is held against a broker that does
//! nothing wrong, and the books balance.
//!
//! Each seed makes a scenario of small groups. What one of them shows is reduced to the fewest lines that show it still;
//! once that is mended it goes to `found`.

mod draw;
mod found;
mod found_too;
mod generate;
mod group;
#[expect(dead_code, reason = "these tests parse by themselves")]
#[path = "../harness/mod.rs"]
mod harness;
mod reduce;
mod trial;

use std::ops::Range;

use trial::{Trial, judge, with_claims};

/// Seeds of the scenarios.
const SEEDS: Range<u64> = 0..114;

/// Whatever the seed, a broker that does nothing wrong breaks nothing.
#[test]
fn random_scenarios_hold_nothing_against_an_honest_broker() {
    let mut sound = 0;
    for seed in SEEDS {
        let Ok(text) = with_claims(&generate::scenario(seed)) else {
            continue;
        };
        match judge(&text) {
            Trial::Refused | Trial::TooLong => {}
            Trial::Sound(_) => sound += 1,
            Trial::Wrong(complaints) => {
                let kind = &complaints[0];
                let shows = |text: &str| judge(text).complaints().contains(kind);
                let small = reduce::reduce(&text, shows);
                panic!("seed {seed}: {complaints:?}; {kind} by\n{small}");
            }
        }
    }
    assert!(sound > 60, "{sound} scenarios were run");
}
