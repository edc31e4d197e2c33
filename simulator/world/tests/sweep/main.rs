//! Random scenarios over the real broker core: whatever their features, nothing is held against a broker that does
//! nothing wrong, and the books balance.
//!
//! Each seed makes a scenario of small groups. What one of them shows is reduced to the fewest lines that show it still;
//! once that is mended it goes to `found`.

mod commands;
mod coverage;
mod dishonest;
mod draw;
mod faults;
mod found;
mod found_last;
mod found_later;
mod found_too;
mod generate;
mod group;
#[expect(dead_code, reason = "these tests parse by themselves")]
#[path = "../harness/mod.rs"]
mod harness;
mod reduce;
mod streams;
mod transports;
mod trial;

use std::ops::Range;

use coverage::Coverage;
use trial::{Trial, judge, with_claims};

/// Seeds of the scenarios.
const SEEDS: Range<u64> = 0..200;

/// Whatever the seed, a broker that does nothing wrong breaks nothing, and most of what is claimed is judged.
#[test]
fn random_scenarios_hold_nothing_against_an_honest_broker() {
    let (mut sound, mut refused, mut coverage) = (0, 0, Coverage::default());
    for seed in SEEDS {
        let Ok(text) = with_claims(&generate::scenario(seed)) else {
            refused += 1;
            continue;
        };
        match judge(&text) {
            Trial::Refused | Trial::TooLong => refused += 1,
            Trial::Sound(fates) => {
                sound += 1;
                coverage.add(&fates);
            }
            Trial::Wrong(complaints) => {
                let kind = &complaints[0];
                let shows = |text: &str| judge(text).complaints().contains(kind);
                let small = reduce::reduce(&text, shows);
                panic!("seed {seed}: {complaints:?}; {kind} by\n{small}");
            }
        }
    }
    assert!(refused * 20 < sound, "{refused} scenarios were not run");
    let total = coverage.total();
    assert!(total.held > 10 * sound, "{sound} scenarios: {total:?}");
    assert!(total.unjudged * 33 < total.held, "{coverage:#?}");
    let seldom = coverage.judged_less_often_than(3);
    assert!(seldom.is_empty(), "{seldom:?}");
}

/// Seeds of the scenarios whose devices send again what is not answered in time.
const REPEATING_SEEDS: Range<u64> = 0..60;

/// What a client of MQTT 3.1 does is not held against the broker either.
#[test]
fn random_scenarios_hold_with_clients_that_send_again_on_the_same_connection() {
    for seed in REPEATING_SEEDS {
        let Ok(text) = with_claims(&generate::scenario(seed)) else {
            continue;
        };
        let plain = judge(&text);
        let repeating = judge(&with_repeats(&text));
        assert!(
            !matches!(repeating, Trial::Refused) || matches!(plain, Trial::Refused),
            "seed {seed} is refused:\n{}",
            with_repeats(&text)
        );
        let (plain, repeating) = (plain.complaints().to_vec(), repeating.complaints().to_vec());
        assert_eq!(repeating, plain, "seed {seed}:\n{}", with_repeats(&text));
    }
}

/// The scenario with `retransmit = "same_connection"` in each group that publishes at QoS 1 or 2.
fn with_repeats(text: &str) -> String {
    const RULE: &str = "retransmit = \"same_connection\"\nretransmit_after = \"200ms\"\n";
    let mut groups = text.split("[[group]]\n");
    let mut all = groups.next().unwrap_or_default().to_owned();
    for group in groups {
        let publishes = group.split("[[group.publish]]").skip(1);
        let is_answered = publishes
            .map(|stream| stream.split("[[").next().unwrap_or_default())
            .any(|stream| stream.contains("qos = 1") || stream.contains("qos = 2"));
        all += "[[group]]\n";
        all += &match (is_answered, group.contains("[group.qos2]\n")) {
            (false, _) => group.to_owned(),
            (true, true) => group.replace("[group.qos2]\n", &format!("[group.qos2]\n{RULE}")),
            (true, false) => group.replacen(
                "[[group.publish]]",
                &format!("[group.qos2]\n{RULE}[[group.publish]]"),
                1,
            ),
        };
    }
    all
}

/// Seeds of the scenarios in which some messages bear no stamp.
const UNSTAMPED_SEEDS: Range<u64> = 0..150;

/// Messages that are counted only are not held against the broker, nor are those beside them.
#[test]
fn random_scenarios_hold_with_messages_without_a_stamp() {
    let mut counted = 0;
    for seed in UNSTAMPED_SEEDS {
        let Ok(text) = with_claims(&generate::scenario(seed)) else {
            continue;
        };
        let (plain, unstamped) = (judge(&text), without_stamps(&text));
        if unstamped == text {
            continue;
        }
        let trial = judge(&unstamped);
        // A stream that devices answer bears stamps.
        let may_refuse = matches!(plain, Trial::Refused) || text.contains("[[group.respond]]");
        let is_refused = matches!(trial, Trial::Refused);
        assert!(!is_refused || may_refuse, "seed {seed}:\n{unstamped}");
        counted += usize::from(!is_refused);
        let known = plain.complaints();
        let new: Vec<_> = trial
            .complaints()
            .iter()
            .filter(|it| !known.contains(it))
            .collect();
        assert!(new.is_empty(), "seed {seed}: {new:?}\n{unstamped}");
    }
    assert!(counted > 50, "{counted} scenarios had such messages");
}

/// The scenario with every other stream that may be without stamps without them.
fn without_stamps(text: &str) -> String {
    const STREAM: &str = "[[group.publish]]\n";
    let mut parts = text.split(STREAM);
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        let block = part.split("\n[").next().unwrap_or_default();
        let needs_stamp = ["retain", "response_topic", "stamp"]
            .iter()
            .any(|key| block.contains(key));
        changed += STREAM;
        if number % 2 == 0 && !needs_stamp {
            changed += "stamp = \"none\"\n";
        }
        changed += part;
    }
    changed
}
