//! `reconnect.backoff`, as a distribution and growing.

use std::time::Duration;

use squall_scenario::{Backoff, GrowingBackoff, Jitter, Scenario, ScenarioErrors};

fn parse(backoff: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!(
        "version = 1\nname = \"test\"\n[[group]]\nname = \"g\"\ncount = 1\nreconnect = {{ backoff = {backoff} }}\n"
    );
    Scenario::parse("test.toml", &text, &[])
}

/// Only the first wait has to be written.
#[test]
fn a_growing_backoff_has_defaults() {
    for (backoff, factor, cap, jitter) in [
        ("{ initial = \"1s\" }", 2.0, 120, Jitter::Full),
        ("{ initial = \"5m\" }", 2.0, 300, Jitter::Full),
        (
            "{ initial = \"1s\", factor = 1.5, cap = \"10s\", jitter = \"equal\" }",
            1.5,
            10,
            Jitter::Equal,
        ),
    ] {
        let scenario = parse(backoff).unwrap();

        let Backoff::Growing(found) = &scenario.groups[0].reconnect.backoff else {
            panic!("{backoff}");
        };
        let expected = GrowingBackoff {
            initial: found.initial,
            factor,
            cap: Duration::from_secs(cap),
            jitter,
        };
        assert_eq!(*found, expected, "{backoff}");
    }
}

/// What is printed with every default reads back as the same scenario.
#[test]
fn a_growing_backoff_is_written_out_and_reads_back() {
    let scenario = parse("{ initial = \"1s\", jitter = \"none\" }").unwrap();

    let text = scenario.to_resolved_toml();

    let line = "backoff = { initial = \"1s\", factor = 2.0, cap = \"2m\", jitter = \"none\" }";
    assert!(text.contains(line), "{text}");
    assert_eq!(Scenario::parse("again.toml", &text, &[]), Ok(scenario));
}

/// What cannot be is refused, in the words of the key that is wrong.
#[test]
fn a_backoff_that_cannot_be_is_refused() {
    for (backoff, said) in [
        ("{ initial = \"0s\" }", "above 0s"),
        ("{ initial = \"2d\" }", "at most 1d"),
        ("{ initial = \"5s\", cap = \"1s\" }", "at least 5s"),
        ("{ initial = \"5s\", factor = 0.5 }", "at least 1"),
        (
            "{ initial = \"5s\", jitter = \"half\" }",
            "one of full, equal, none",
        ),
        ("{ cap = \"1s\" }", "backoff` lacks `initial`"),
        ("{ inital = \"1s\" }", "did you mean `initial`?"),
        ("{ initial = \"1s\", max = \"2s\" }", "max"),
        ("{ min = \"1s\", max = \"2s\" }", "backoff` lacks `dist`"),
        ("{ }", "`dist` and `initial`"),
        ("5", "a duration such as"),
    ] {
        let errors = parse(backoff).unwrap_err().to_string();

        assert!(errors.contains(said), "{backoff}: {errors}");
    }
}
