//! The first violations of broken claims, for who reads a terminal or a chat: which device, which message.

use squall_run::{Anomaly, CheckOutcome, Run, count_text};

/// Violations of each check that are named.
const NAMED: usize = 3;

/// Some violations of what is broken.
pub(crate) struct Violations {
    /// What they are, of how many.
    pub(crate) heading: String,
    /// One each.
    pub(crate) lines: Vec<String>,
}

/// The first violations of every check that has some, in file order; `None` if nothing is broken.
pub(crate) fn first(run: &Run) -> Option<Violations> {
    let checks = run.measured.checks.iter();
    let broken: Vec<&CheckOutcome> = checks
        .filter(|check| !check.violations.is_empty())
        .collect();
    let lines: Vec<String> = broken
        .iter()
        .flat_map(|check| check.violations.iter().take(NAMED).map(line))
        .collect();
    let named = broken
        .iter()
        .flat_map(|check| check.violations.iter().take(NAMED));
    let named: u64 = named.map(|violation| violation.times).sum();
    let all: u64 = broken.iter().map(|check| check.violations_total).sum();
    (!lines.is_empty()).then(|| Violations {
        heading: format!(
            "of {} violations, {} (more in the report and its tables/violations.csv)",
            count_text(all),
            count_text(named)
        ),
        lines,
    })
}

/// `lost: message 3 of dev-08, … never came; to ops-0, topic fleet/dev-08`
fn line(violation: &Anomaly) -> String {
    let times = match violation.times {
        1 => String::new(),
        times => format!("{} times ", count_text(times)),
    };
    let mut line = format!(
        "{times}{}: {}",
        violation.kind.label(),
        violation.explanation
    );
    let parts = [
        ("topic", &violation.topic),
        ("recipient", &violation.recipient),
        ("device", &violation.client_id),
    ];
    for (what, name) in parts {
        // Topics and explanations often have the device's name.
        if let Some(name) = name.as_ref().filter(|name| !has_word(&line, name)) {
            line.push_str(&format!("; {what} {name}"));
        }
    }
    line
}

/// Whether `text` has `word`, and not only as a part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_of_name) && !after.is_some_and(is_of_name)
    })
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// A name within another one is not named by it.
    #[test]
    fn a_part_of_a_name_is_not_the_name() {
        assert!(has_word("never came to ops-1, topic a/b", "ops-1"));
        assert!(!has_word("never came to ops-10", "ops-1"));
        assert!(has_word("status/dev-81", "dev-81"));
    }

    /// Who reads of a broken claim reads of which device and message, once each.
    #[test]
    fn a_violation_names_device_and_topic_once() {
        let run = sample::failing();
        let Some(check) = run
            .measured
            .checks
            .iter()
            .find(|check| !check.violations.is_empty())
        else {
            panic!("the sample has violations");
        };
        let violation = &check.violations[0];

        let told = first(&run).expect("there are some");

        let name = violation.client_id.as_ref().expect("it is about a device");
        assert_eq!(
            told.lines[0].matches(name.as_str()).count(),
            1,
            "{:?}",
            told.lines
        );
        assert!(told.lines.len() <= NAMED * run.measured.checks.len());
    }
}
