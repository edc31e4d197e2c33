//! `squall explain`: what the format means, without a file.

use crate::{code_and_errors, run};

/// A topic in several words, or none; a slip is a usage error that says what was meant.
#[test]
fn a_topic_is_explained() {
    let check = run(&["explain", "check", "will"]);
    let nothing = run(&["explain"]);
    let slip = run(&["explain", "e2e_latenzy"]);

    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said(&check).contains("after = [\"power-cut\"]"),
        "{}",
        said(&check)
    );
    assert!(said(&nothing).contains("e2e_latency"), "{}", said(&nothing));
    let (code, errors) = code_and_errors(&slip);
    assert_eq!(code, 2);
    assert!(errors.contains("did you mean `e2e_latency`?"), "{errors}");
}
