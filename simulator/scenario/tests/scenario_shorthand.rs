//! Short forms: each means what its long form means, and what could mean two things is refused.

use squall_scenario::{Scenario, ScenarioErrors};

/// A scenario in long forms only.
const LONG: &str = r#"
version = 1
name = "test"
[[group]]
name = "g"
count = 9
[group.will]
topic = "w"
payload = { text = "gone" }
[group.birth]
topic = "b"
payload = { text = "here" }
[[group.publish]]
topic = "t"
every = "1s"
payload = { text = "on {seq}" }
[[group.subscribe]]
filter = "w"
qos = 1
[[group.subscribe]]
filter = "a/#"
qos = 1
[[fault]]
name = "kill"
at = "1s"
group = "g"
select = { count = 3 }
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["kill"]
within = { rst = "1s" }
[thresholds]
e2e_latency = ["avg < 1s"]
"#;

/// Long forms, and the short form of each.
const FORMS: [(&str, &str); 8] = [
    ("payload = { text = \"here\" }", "payload = \"here\""),
    ("payload = { text = \"gone\" }", "payload = \"gone\""),
    (
        "payload = { text = \"on {seq}\" }",
        "payload = \"on {seq}\"",
    ),
    ("select = { count = 3 }", "select = 3"),
    ("after = [\"kill\"]", "after = \"kill\""),
    ("within = { rst = \"1s\" }", "within = \"1s\""),
    (
        "filter = \"w\"\nqos = 1\n[[group.subscribe]]\nfilter = \"a/#\"\n",
        "filter = [\"w\", \"a/#\"]\n",
    ),
    ("avg < 1s", "mean < 1s"),
];

fn parse(text: &str) -> Result<Scenario, ScenarioErrors> {
    Scenario::parse("test.toml", text, &[])
}

/// What is said about `text` with `long` written as `short`.
fn refusal(long: &str, short: &str) -> String {
    assert!(LONG.contains(long), "{long}");
    match parse(&LONG.replace(long, short)) {
        Ok(_) => format!("{short} was accepted"),
        Err(errors) => errors.to_string(),
    }
}

/// The scenario is the same, whichever form it is written in.
#[test]
fn a_short_form_means_what_its_long_form_means() {
    let expected = parse(LONG).unwrap().to_resolved_toml();

    for (long, short) in FORMS {
        assert!(LONG.contains(long), "{long}");
        let found = parse(&LONG.replace(long, short)).unwrap_or_else(|errors| panic!("{errors}"));

        let found = found.to_resolved_toml().replace("mean <", "avg <");
        assert_eq!(found, expected, "{short}");
    }
}

/// A text that reads as a size could mean either.
#[test]
fn a_payload_that_could_be_a_size_is_refused() {
    let said = refusal("payload = { text = \"gone\" }", "payload = \"64B\"");

    assert!(
        said.contains("`{ size = \"64B\" }` or `{ text = \"64B\" }`"),
        "{said}"
    );
}

/// One limit is for the drops of the claim: without a drop it would mean nothing.
#[test]
fn a_limit_for_no_drop_is_refused() {
    let fault = "action = \"drop\"\nhow = \"rst\"\n";
    let text = LONG.replace(fault, "action = \"disconnect\"\nreason = \"with_will\"\n");
    let text = text.replace("within = { rst = \"1s\" }", "within = \"1s\"");

    let said = parse(&text).unwrap_err().to_string();

    assert!(
        said.contains("`within` goes with a fault of `action = \"drop\"`"),
        "{said}"
    );
}

/// Ranges hold for short forms, and what does not fit is told with both forms and an example.
#[test]
fn a_wrong_value_is_told_with_the_forms_that_fit() {
    for (long, short, expected) in [
        ("select = { count = 3 }", "select = 0", "at least 1"),
        (
            "select = { count = 3 }",
            "select = \"3\"",
            "an integer or a table",
        ),
        (
            "select = { count = 3 }",
            "select = \"3\"",
            "example: select = { fraction = 0.2 }",
        ),
        (
            "after = [\"kill\"]",
            "after = \"kil\"",
            "no fault is named \"kil\"",
        ),
        ("after = [\"kill\"]", "after = []", "at least 1"),
        ("filter = \"a/#\"", "filter = [\"a/#\", \"b#\"]", "\"b#\""),
        (
            "count = 9",
            "count = 9\nkeep_alive = 90",
            "example: keep_alive = \"90s\"",
        ),
        (
            "count = 9",
            "count = 9\nprotocol = \"4.0\"",
            "`protocol = \"3.1.1\"`",
        ),
        (
            "count = 9",
            "count = 9\nprotocol = \"3.1\"",
            "`protocol = \"3.1.1\"`",
        ),
        (
            "e2e_latency = [\"avg < 1s\"]",
            "publish_rate = [\"50\"]",
            "write it like `avg > 50`",
        ),
        ("avg < 1s", "1s", "write it like `p99 < 250ms`"),
    ] {
        let said = refusal(long, short);

        assert!(said.contains(expected), "{short}: {said}");
    }
}
