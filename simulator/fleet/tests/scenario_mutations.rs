//! A scenario file with anything changed in it is read or refused, and never half understood: what is
//! accepted can be planned and begun.

#![expect(
    clippy::disallowed_methods,
    reason = "the crate reads no file, these tests read the repository's"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;
use squall_fleet::{Actions, Fleet, Input, Observation, Phase, RunTag, Sink};
use squall_protocol::Instant;
use squall_scenario::{Override, Plan, Problem, Scenario};

/// The shipped scenario `name`.
fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    std::fs::read_to_string(folder.join(name).with_extension("toml")).unwrap()
}

/// Values of every kind and of odd sizes.
fn value() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "0",
        "-1",
        "1.5",
        "1.0",
        "1e-20",
        "1e20",
        "inf",
        "nan",
        "9223372036854775807",
        "true",
        "\"\"",
        "\"{index}\"",
        "\"{\"",
        "\"1s\"",
        "\"0s\"",
        "\"365d\"",
        "\"1KiB\"",
        "\"drop\"",
        "[]",
        "[1, \"a\"]",
        "{}",
        "{ dist = \"constant\", value = \"1s\" }",
        "{ fraction = 0.1, count = 2 }",
        "1979-05-27",
    ])
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn observe(&mut self, _now: Instant, _observation: &Observation<'_>) {}

    fn enter_phase(&mut self, _at: Instant, _phase: Phase) {}
}

/// Makes the fleet and lets the first thing happen that is due.
fn begin(scenario: Scenario) {
    // A million devices would take a second.
    if scenario.device_count() <= 10_000 {
        let tag = RunTag::of_seed(scenario.seed);
        let mut fleet = Fleet::new(Rc::new(scenario), tag, Deaf);
        fleet.handle(Instant::ZERO, Input::DeadlinePassed, &mut Actions::new());
    }
}

/// Parses a changed scenario, and checks what the errors say if it is refused.
fn read(text: &str, overrides: &[Override]) -> Result<(), TestCaseError> {
    let errors = match Scenario::parse("changed.toml", text, overrides) {
        Ok(scenario) => {
            // What is accepted can be planned: no number is beyond what a time can hold.
            let plan = Plan::of(&scenario);
            prop_assert!(plan.total() >= scenario.run.duration);
            begin(scenario);
            return Ok(());
        }
        Err(errors) => errors,
    };
    for error in errors.iter() {
        // The schema refuses whatever the types would.
        let is_unreadable = matches!(error.problem, Problem::Unreadable { .. });
        prop_assert!(!is_unreadable, "{errors}\n{text}");
        prop_assert!(error.line() >= 1 && error.column() >= 1);
    }
    prop_assert!(errors.to_string().starts_with("error: "));
    Ok(())
}

proptest! {
    /// One value of the file is another one, of any kind.
    #[test]
    fn any_value_may_be_any_other(
        name in prop::sample::select(vec!["smoke", "duplicate-client-ids", "network-jitter"]),
        line in any::<prop::sample::Index>(),
        value in value(),
    ) {
        // Fewer devices, for the sake of speed.
        let text = shipped(name).replace("5000", "50");
        let lines: Vec<&str> = text.lines().collect();
        let settings: Vec<usize> =
            (0..lines.len()).filter(|&n| lines[n].contains(" = ")).collect();
        let chosen = settings[line.index(settings.len())];
        let key = lines[chosen].split(" = ").next().unwrap();
        let changed = format!("{key} = {value}");
        let mut lines = lines.clone();
        lines[chosen] = &changed;

        read(&lines.join("\n"), &[])?;
    }

    /// One byte of the file is another one.
    #[test]
    fn any_byte_may_be_any_other(
        name in prop::sample::select(vec!["smoke", "qos2-retries", "abrupt-drops-lwt"]),
        position in any::<prop::sample::Index>(),
        byte in any::<char>(),
    ) {
        let text = shipped(name);
        let mut chars: Vec<char> = text.chars().collect();
        let position = position.index(chars.len());
        chars[position] = byte;

        read(&chars.into_iter().collect::<String>(), &[])?;
    }

    /// Any key is set from the command line to anything.
    #[test]
    fn any_override_is_applied_or_refused(
        key in "[a-z_.\\[\\]0-9\"]{0,12}|group\\.sensors\\.[a-z_]{1,12}|fault\\.crash\\.(at|how|select)|run\\.[a-z]{1,9}",
        value in value(),
    ) {
        if let Ok(entry) = format!("{key}={value}").parse() {
            read(&shipped("smoke"), &[entry])?;
        }
    }
}
