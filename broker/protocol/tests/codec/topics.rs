//! Topic Names and Topic Filters (§4.7, §4.8.2): what is one, and what matches what.

use proptest::collection::vec;
use proptest::prelude::*;
use squall_protocol::Version;
use squall_protocol::topic::{Share, TopicError, TopicFilter, TopicName};

fn matches(filter: &str, name: &str) -> bool {
    let filter = TopicFilter::new(filter).expect("a filter");
    filter.matches(&TopicName::new(name).expect("a name"))
}

fn filter_error(text: &str) -> Option<TopicError> {
    TopicFilter::new(text).err()
}

/// The rules of §4.7, word by word, by recursion over lists of levels.
fn naive_matches(filter: &[&str], name: &[&str]) -> bool {
    match (filter, name) {
        ([], []) => true,
        (["#"], _) => true,
        (["+", filter @ ..], [_, name @ ..]) => naive_matches(filter, name),
        ([level, filter @ ..], [other, name @ ..]) => level == other && naive_matches(filter, name),
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

proptest! {
    #[test]
    fn matching_is_what_the_naive_matcher_says(
        filter in vec(prop::sample::select(vec!["a", "b", "é", "", "+", "$s"]), 1..6),
        has_hash in any::<bool>(),
        name in vec(prop::sample::select(vec!["a", "b", "é", "", "$s"]), 1..6),
    ) {
        let mut filter = filter;
        if has_hash {
            filter.push("#");
        }
        let (filter_text, name_text) = (filter.join("/"), name.join("/"));
        prop_assume!(!filter_text.is_empty() && !name_text.is_empty());

        let begins_with_wildcard = filter[0] == "+" || filter[0] == "#";
        let is_hidden = name[0].starts_with('$') && begins_with_wildcard;
        let expected = !is_hidden && naive_matches(&filter, &name);
        prop_assert_eq!(matches(&filter_text, &name_text), expected);
        // A shared subscription matches what its filter does.
        prop_assert_eq!(matches(&format!("$share/g/{filter_text}"), &name_text), expected);
    }

    /// Whatever the text, a check answers and does not panic, cut at no byte.
    #[test]
    fn any_text_is_judged(text in any::<String>(), share in "(\\$share/?)?[+#/é$a]{0,6}") {
        for text in [text, share] {
            if let Ok(name) = TopicName::new(text.as_str()) {
                prop_assert_eq!(name.levels().count(), text.matches('/').count() + 1);
            }
            if let Ok(filter) = TopicFilter::new(text.as_str()) {
                let joined: Vec<&str> = filter.levels().collect();
                prop_assert_eq!(joined.join("/"), filter.unshared().text());
            }
        }
    }
}

/// The examples of §4.7.1.2.
#[test]
fn a_number_sign_matches_the_parent_and_any_number_of_levels() {
    for name in [
        "sport/tennis/player1",
        "sport/tennis/player1/ranking",
        "sport/tennis/player1/score/wimbledon",
    ] {
        assert!(matches("sport/tennis/player1/#", name), "{name}");
    }
    assert!(matches("sport/#", "sport"));
    assert!(matches("#", "sport"));
    assert!(!matches("sport/#", "sports"));
}

/// The examples of §4.7.1.3.
#[test]
fn a_plus_sign_matches_exactly_one_level() {
    assert!(matches("sport/tennis/+", "sport/tennis/player1"));
    assert!(!matches("sport/tennis/+", "sport/tennis/player1/ranking"));
    assert!(!matches("sport/+", "sport"));
    assert!(matches("sport/+", "sport/"));
    assert!(matches("+/+", "/finance"));
    assert!(matches("/+", "/finance"));
    assert!(!matches("+", "/finance"));
}

/// [MQTT-4.7.2-1]
#[test]
fn filters_that_begin_with_a_wildcard_do_not_match_names_that_begin_with_dollar() {
    assert!(!matches("#", "$SYS/uptime"));
    assert!(!matches("+/uptime", "$SYS/uptime"));
    assert!(!matches("$share/g/#", "$SYS/uptime"));
    assert!(matches("$SYS/#", "$SYS/uptime"));
    assert!(matches("$SYS/+", "$SYS/uptime"));
    assert!(matches("a/+", "a/$SYS"));
}

/// [MQTT-4.7.1-1] and [3.1.1: MQTT-4.7.1-2]
#[test]
fn a_number_sign_is_the_last_level_on_its_own() {
    for text in [
        "sport/tennis#",
        "a#",
        "#a",
        "sport/tennis/#/ranking",
        "#/a",
        "##",
    ] {
        assert_eq!(
            filter_error(text),
            Some(TopicError::MisplacedWildcard),
            "{text}"
        );
    }
    for text in ["#", "sport/tennis/#", "/#", "//#"] {
        assert_eq!(filter_error(text), None, "{text}");
    }
}

/// [MQTT-4.7.1-2] and [3.1.1: MQTT-4.7.1-3]
#[test]
fn a_plus_sign_fills_its_level() {
    for text in ["sport+", "+a", "a/b+/c", "a+", "++", "a/+#"] {
        assert_eq!(
            filter_error(text),
            Some(TopicError::MisplacedWildcard),
            "{text}"
        );
    }
    for text in ["+", "+/tennis/#", "sport/+/player1", "/+", "+/"] {
        assert_eq!(filter_error(text), None, "{text}");
    }
}

/// [MQTT-4.7.0-1]
#[test]
fn a_name_has_no_wildcards() {
    for text in ["#", "+", "a/#", "a/+/b", "a+", "a#b"] {
        assert_eq!(
            TopicName::new(text),
            Err(TopicError::WildcardInName),
            "{text}"
        );
    }
}

/// [MQTT-4.7.3-1]
#[test]
fn names_and_filters_have_at_least_one_character() {
    assert_eq!(TopicName::new(""), Err(TopicError::Empty));
    assert_eq!(TopicFilter::new(""), Err(TopicError::Empty));
    assert!(TopicName::new("/").is_ok());
    assert!(TopicName::new(" ").is_ok());
}

/// [MQTT-4.7.3-2]
#[test]
fn names_and_filters_have_no_null_character() {
    assert_eq!(TopicName::new("a\0b"), Err(TopicError::NullCharacter));
    assert_eq!(TopicFilter::new("a\0b"), Err(TopicError::NullCharacter));
    assert_eq!(
        TopicFilter::new("$share/g\0/b"),
        Err(TopicError::NullCharacter)
    );
}

/// [MQTT-4.7.3-3]
#[test]
fn names_and_filters_have_at_most_65535_bytes() {
    let longest = "/".repeat(65_535);
    assert!(TopicName::new(longest.as_str()).is_ok());
    assert!(TopicFilter::new(longest.as_str()).is_ok());

    let bytes = 65_536;
    let too_long = "/".repeat(bytes);
    assert_eq!(
        TopicName::new(too_long.as_str()),
        Err(TopicError::TooLong { bytes })
    );
    assert_eq!(
        TopicFilter::new(too_long.as_str()),
        Err(TopicError::TooLong { bytes })
    );
}

/// [MQTT-4.7.3-4]: case and spaces count, `/` makes levels of its own.
#[test]
fn names_are_compared_character_by_character() {
    assert!(!matches("ACCOUNTS", "Accounts"));
    assert!(!matches("a/b", "a/b/"));
    assert!(!matches("/a", "a"));
    assert!(!matches("a b", "a  b"));
    assert!(matches("é/ü", "é/ü"));
}

/// A first character of several bytes is never cut.
#[test]
fn names_and_filters_may_begin_with_any_character() {
    for text in ["é", "é/a", "𪛔", "\u{feff}a", "$é/ü", "/é"] {
        assert!(matches(text, text), "{text}");
        assert!(!TopicFilter::new(text).unwrap().has_wildcards());
    }
    assert!(matches("#", "é/a"));
    assert!(matches("+/a", "𪛔/a"));
}

/// [MQTT-4.8.2-1], and a filter follows the ShareName [MQTT-4.8.2-2].
#[test]
fn a_shared_subscription_has_a_group_and_a_filter() {
    for text in ["$share/", "$share/g", "$share/g/", "$share//t", "$share//"] {
        assert_eq!(
            filter_error(text),
            Some(TopicError::MalformedShare),
            "{text}"
        );
    }
}

/// [MQTT-4.8.2-2]
#[test]
fn a_share_name_has_no_wildcards() {
    for text in ["$share/a+/t", "$share/+/t", "$share/#/t", "$share/a#/t"] {
        assert_eq!(
            filter_error(text),
            Some(TopicError::MalformedShare),
            "{text}"
        );
    }
}

#[test]
fn a_shared_subscription_is_not_within_another() {
    assert_eq!(
        filter_error("$share/g/$share/h/t"),
        Some(TopicError::MalformedShare)
    );
}

#[test]
fn the_filter_of_a_shared_subscription_is_checked() {
    assert_eq!(
        filter_error("$share/g/a#"),
        Some(TopicError::MisplacedWildcard)
    );
}

/// The example of §4.8.2: a filter that begins with a slash has an empty first level.
#[test]
fn a_shared_subscription_is_split_after_its_group() {
    let filter = TopicFilter::new("$share/consumer1//finance").unwrap();

    let share = filter.share();

    let expected = Share {
        group: "consumer1",
        filter: TopicFilter::new("/finance").unwrap(),
    };
    assert_eq!(share, Some(expected));
    assert_eq!(filter.unshared(), expected.filter);
    assert_eq!(filter.levels().collect::<Vec<_>>(), ["", "finance"]);
    assert!(filter.matches(&TopicName::new("/finance").unwrap()));
    assert_eq!(filter.as_str(), "$share/consumer1//finance");
}

#[test]
fn what_only_looks_like_a_share_is_an_ordinary_filter() {
    for text in [
        "$share",
        "$shared/a",
        "$sharex",
        "a/$share/b",
        "$SHARE/g/t",
        "share/g/t",
    ] {
        let filter = TopicFilter::new(text).unwrap();
        assert_eq!(filter.share(), None, "{text}");
        assert!(matches(text, text));
    }
}

/// 3.1.1 has no shared subscriptions: a malformed `$share/…` is an ordinary filter there, and
/// matches as one (§4.7 of 3.1.1).
#[test]
fn a_malformed_share_is_an_ordinary_filter_in_3_1_1() {
    for (text, topic) in [
        ("$share/g", "$share/g"),
        ("$share/", "$share/"),
        ("$share//a", "$share//a"),
        ("$share/+/a", "$share/x/a"),
        ("$share/#", "$share/x/y"),
        ("$share/g/$share/h/t", "$share/g/$share/h/t"),
    ] {
        let filter = TopicFilter::for_version(text, Version::V3_1_1).unwrap();
        let topic = TopicName::new(topic).unwrap();

        assert_eq!(filter.share(), None, "{text}");
        assert_eq!(filter.levels().next(), Some("$share"), "{text}");
        assert!(filter.matches(&topic), "{text}");
    }
    let misplaced = TopicFilter::for_version("$share/a+/t", Version::V3_1_1);
    assert_eq!(misplaced, Err(TopicError::MisplacedWildcard));
}

#[test]
fn wildcards_are_looked_for_in_the_filter_proper() {
    let has_wildcards = |text| TopicFilter::new(text).unwrap().has_wildcards();

    assert!(!has_wildcards("a/b"));
    assert!(has_wildcards("a/+"));
    assert!(has_wildcards("$share/g/#"));
    assert!(!has_wildcards("$share/g/a"));
}
