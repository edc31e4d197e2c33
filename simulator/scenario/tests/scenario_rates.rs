//! Rates over time: every form is read, printed back as itself and planned; what cannot be is refused with a remedy.

use std::time::Duration;

use squall_scenario::{Plan, Rate, Scenario};

/// A scenario with one stream of `count` devices, and of these keys.
fn text(count: u32, keys: &str) -> String {
    format!(
        "version = 1\nname = \"a\"\n[run]\nwarmup = \"10s\"\nduration = \"40s\"\n\
         [[group]]\nname = \"g\"\ncount = {count}\n[[group.publish]]\ntopic = \"t\"\n{keys}\n"
    )
}

fn read(count: u32, keys: &str) -> Scenario {
    let found = Scenario::parse("a.toml", &text(count, keys), &[]);
    found.unwrap_or_else(|errors| panic!("{errors}"))
}

fn refused(keys: &str) -> String {
    let found = Scenario::parse("a.toml", &text(2, keys), &[]);
    found.expect_err(keys).to_string()
}

const RAMP: &str =
    r#"rate = [{ at = "0s", rate = 10 }, { at = "20s", rate = 50 }, { at = "20s", rate = 0 }]"#;

/// What is printed with every default reads back as the same scenario.
#[test]
fn every_form_of_a_rate_reads_back_as_itself() {
    for keys in [
        "rate = 7",
        RAMP,
        r#"rate_per_device = { repeat = "60s", points = [{ at = "5s", rate = 3 }] }"#,
        r#"rate = { day = { low = 10, high = 500, peak = "14h" } }"#,
        "every = \"2s\"\nburst = 5\ncount = 10\nstart = \"3s\"\nuntil = \"30s\"\narrival = \"poisson\"",
    ] {
        let scenario = read(4, keys);

        let printed = scenario.to_resolved_toml();
        let again = Scenario::parse("b.toml", &printed, &[]);
        let again = again.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(again, scenario, "{printed}");
    }
}

/// The rate of a group is shared by its devices, at every point.
#[test]
fn a_profile_is_shared_by_the_devices_of_a_group() {
    let scenario = read(10, RAMP);

    let Rate::Points(points) = &scenario.groups[0].publishes[0].pacing.rate_per_device else {
        panic!("it is a list of points");
    };
    let rates: Vec<f64> = points.iter().map(|point| point.rate).collect();
    assert_eq!(rates, [1.0, 5.0, 0.0]);
}

/// 10 s of warm-up at 10 a second, then 20 s at 30 on average, then nothing; and the plan draws it so.
#[test]
fn a_plan_counts_what_a_profile_sums_up_to() {
    let scenario = read(10, RAMP);

    let plan = Plan::of(&scenario);

    let stream = &plan.groups[0].streams[0];
    assert!(
        (stream.messages - 700.0).abs() <= 1.0,
        "{}",
        stream.messages
    );
    assert!(
        (stream.measured - 600.0).abs() <= 1.0,
        "{}",
        stream.measured
    );
    let at = |seconds| plan.publish_rate_at(Duration::from_secs(seconds));
    let drawn = [at(0), at(10), at(20), at(29), at(31)];
    for (found, due) in drawn.into_iter().zip([10.0, 10.0, 30.0, 48.0, 0.0]) {
        assert!((found - due).abs() < 1e-6, "{drawn:?}");
    }
}

/// `count` is of each device, and `until` is the moment of the last message.
#[test]
fn a_plan_counts_streams_that_end_by_themselves() {
    let messages = |keys| Plan::of(&read(3, keys)).messages();

    assert_eq!(messages("every = \"1s\"\ncount = 10"), 30.0);
    assert_eq!(
        messages("every = \"10s\"\nstart = \"0s\"\nuntil = \"20s\""),
        7.0
    );
    assert_eq!(messages("every = \"1s\"\nburst = 4\ncount = 6"), 18.0);
}

/// Each refusal says what is wrong and what to write instead.
#[test]
fn what_a_profile_cannot_be_is_refused_with_a_remedy() {
    for (keys, wrong, remedy) in [
        (
            r#"rate = [{ at = "5s", rate = 1 }, { at = "2s", rate = 1 }]"#,
            "the point at 2s comes after the one at 5s",
            "points in the order of their times",
        ),
        (
            r#"rate = [{ at = "0s", rate = 0 }]"#,
            "nothing is ever due",
            "a point with a rate above 0",
        ),
        (
            r#"rate = { repeat = "5s", points = [{ at = "6s", rate = 1 }] }"#,
            "the last point is at 6s and a period lasts 5s",
            "points within one period",
        ),
        (
            r#"rate = { day = { low = 9, high = 5, peak = "14h" } }"#,
            "the lowest rate, 9, is above the highest, 5",
            "a `low` of at most `high`",
        ),
        (
            r#"rate = { day = { low = 1, high = 5, peak = "25h" } }"#,
            "1d1h",
            "below 1d",
        ),
        (
            "rate = 1\nstart = \"9s\"\nuntil = \"8s\"",
            "the stream ends at 8s and begins at 9s",
            "an `until` that is not before `start`",
        ),
    ] {
        let said = refused(keys);

        assert!(said.contains(wrong), "{keys}: {said}");
        assert!(said.contains(remedy), "{keys}: {said}");
    }
}
