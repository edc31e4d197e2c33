//! The same scenarios with payloads that commands give, too slowly at times, and some of which end early.

use std::ops::Range;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::LinesId;
use squall_world::Script;

use crate::generate;
use crate::trial::{Trial, judge, with_claims};

/// Seeds of the scenarios.
const SEEDS: Range<u64> = 0..60;

/// Lines of a command, one each 30 ms.
const LINES: u32 = 300;

/// Every third message of all streams together, or so, has no line when it is due.
pub(crate) fn script(id: LinesId) -> Script {
    let at = |number: u32| Instant::ZERO + Duration::from_millis(30) * number;
    let numbers = (0..LINES).filter(|number| !(100..150).contains(number));
    let script = numbers.fold(Script::new(), |script, number| {
        script.writes(at(number), number.to_string().as_bytes())
    });
    match id.0 % 2 {
        0 => script,
        _ => script.ends(at(LINES)),
    }
}

/// The scenario whose streams all have a command.
fn with_commands(text: &str) -> String {
    let mut streams = text.split("[[group.publish]]\n");
    let mut all = streams.next().unwrap_or_default().to_owned();
    for stream in streams {
        all += "[[group.publish]]\npayload = { command = \"./gen\" }\n";
        let end = stream.find("\n[").map_or(stream.len(), |end| end + 1);
        let (keys, rest) = stream.split_at(end);
        for key in keys.lines().filter(|key| !key.starts_with("payload")) {
            all += &format!("{key}\n");
        }
        all += rest;
    }
    all
}

/// What a command does not give in time is not held against the broker, and the books balance.
#[test]
fn random_scenarios_hold_with_commands_that_are_late_or_end() {
    let mut ran = 0;
    for seed in SEEDS {
        let Ok(text) = with_claims(&generate::scenario(seed)) else {
            continue;
        };
        let text = with_commands(&text);

        let trial = judge(&text);

        let complaints = trial.complaints();
        assert!(complaints.is_empty(), "seed {seed}: {complaints:?}\n{text}");
        ran += u32::from(text.contains("command = ") && matches!(trial, Trial::Sound(_)));
    }
    assert!(ran > 30, "{ran}");
}
