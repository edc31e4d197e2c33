//! What `squall explain` finds, and what it says of it.

use squall_scenario::Reference;

fn explained(topic: &str) -> String {
    Reference::of_format()
        .explain(topic)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A key is found by its whole path or by its name, in brackets or not.
#[test]
fn a_key_is_found_by_path_and_by_name() {
    let by_path = explained("group.publish.rate");
    let by_name = explained("rate");

    assert!(
        by_path.contains("Messages per second of the whole group."),
        "{by_path}"
    );
    assert!(
        by_path.contains("[[group.publish]]\n    rate = 100"),
        "{by_path}"
    );
    assert!(by_name.contains(&by_path), "{by_name}");
    assert!(by_name.contains("aggregate: rate"), "{by_name}");
    assert_eq!(explained("[[group.publish]]"), explained("group.publish"));
}

/// Metrics, placeholders, checks, actions and units are found as a reader writes them.
#[test]
fn everything_else_is_found_as_it_is_written() {
    for (topic, part) in [
        ("e2e_latency", "Tags: group, qos."),
        ("e2e_latency{group=backend}", "Tags: group, qos."),
        ("p99", "99 of 100 samples"),
        ("{rand.int}", "{rand.int:1..9}"),
        ("{rand.int:1..3}", "{rand.int:1..9}"),
        ("{vars.site}", "A value of `[vars]`."),
        ("check will", "after = [\"power-cut\"]"),
        ("check = \"will\"", "after = [\"power-cut\"]"),
        (
            "action drop",
            "Keys that go with it: `group`, `how`, `kind`, `select`.",
        ),
        ("dist lognormal", "median"),
        ("expect.lost", "check = \"delivery\""),
        ("group.publish.payload.size", "a stamp of 16 bytes"),
        ("duration", "1m30s"),
        ("protocol", "MQTT 3.1.1 (protocol level 4)."),
    ] {
        let text = explained(topic);

        assert!(text.contains(part), "{topic}:\n{text}");
    }
}

/// A word that several keys have is explained with each of its meanings, and each of them can be asked for alone.
#[test]
fn every_meaning_of_a_word_is_explained() {
    let of_will = "check = \"will\"";

    let all = explained("within");

    assert!(all.contains("with check = \"response\""), "{all}");
    assert!(all.contains("rst"), "{all}");
    for topic in ["check response within", "expect.response.within"] {
        let one = explained(topic);
        assert!(all.contains(&one), "{topic}: {one}");
        assert!(one.contains("with check = \"response\""), "{topic}: {one}");
        assert!(!one.contains(of_will), "{topic}: {one}");
    }
}

/// What the overview lists can be asked for as a list, and a value that several keys share as it is written there.
#[test]
fn a_list_can_be_asked_for() {
    for (topic, part) in [
        ("units", "ms"),
        ("unit", "ms"),
        ("metric", "e2e_latency"),
        ("checks", "takeover"),
        ("placeholders", "{rand.int}"),
        ("aggregates", "p99.9"),
        ("actions", "partition"),
        ("rate point", "Messages per second then."),
        ("login text", "login text"),
    ] {
        let text = explained(topic);

        assert!(text.contains(part), "{topic}:\n{text}");
    }
}

/// The keys of a block are listed with what they take and what holds without them.
#[test]
fn a_list_of_keys_has_values_and_defaults() {
    let group = explained("[[group]]");

    let keep_alive = group
        .lines()
        .find(|line| line.trim().starts_with("keep_alive"));
    let keep_alive = keep_alive.expect("it is a key of a group");
    assert!(
        keep_alive.contains("Value: a duration. Default: \"60s\"."),
        "{keep_alive}"
    );
}

/// A slip is told with what was meant, anything else with where to look.
#[test]
fn an_unknown_topic_is_told_what_was_meant() {
    let reference = Reference::of_format();

    let slip = reference.explain("group.publish.rat").unwrap_err();
    let other = reference.explain("xyzzy").unwrap_err();

    assert_eq!(
        slip.to_string(),
        "the format has no \"group.publish.rat\": did you mean `group.publish.rate`?"
    );
    assert!(
        other.to_string().contains("`squall explain` lists"),
        "{other}"
    );
}

/// Whatever the overview lists can be asked for.
#[test]
fn the_overview_lists_what_can_be_asked_for() {
    let reference = Reference::of_format();
    let overview = reference.overview();

    for topic in [
        "[[group.publish]]",
        "qos2_handshake",
        "e2e_latency",
        "{rand.int}",
        "p99.99",
        "drop",
    ] {
        assert!(overview.contains(topic), "{topic}: {overview}");
        assert!(reference.explain(topic).is_ok(), "{topic}");
    }
}
