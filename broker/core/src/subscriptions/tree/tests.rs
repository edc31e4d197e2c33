//! The tree against a naive matcher, and what it costs.

use proptest::prelude::*;

use super::*;
use crate::keys::FilterKey;

/// §4.7.1 word by word: levels compared one by one, without a tree.
fn matches_naively(filter: &str, topic: &str) -> bool {
    let hidden = topic.starts_with('$') && filter.starts_with(['+', '#']);
    let filter: Vec<&str> = filter.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    let (fixed, is_multi) = match filter.split_last() {
        Some((&"#", fixed)) => (fixed, true),
        _ => (filter.as_slice(), false),
    };
    let fits = if is_multi {
        topic.len() >= fixed.len()
    } else {
        topic.len() == fixed.len()
    };
    !hidden && fits && fixed.iter().zip(&topic).all(|(f, t)| *f == "+" || f == t)
}

fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b", "é", "$c", "+"])
}

fn filter() -> impl Strategy<Value = String> {
    let levels = prop::collection::vec(level(), 0..5);
    (levels, any::<bool>()).prop_map(|(mut levels, is_multi)| {
        if is_multi || levels.is_empty() {
            levels.push("#");
        }
        levels.join("/")
    })
}

fn topic() -> impl Strategy<Value = String> {
    prop::collection::vec(level(), 1..6).prop_map(|levels| levels.join("/").replace('+', "b"))
}

fn matches(tree: &WildcardTree, topic: &str) -> Vec<FilterKey> {
    let mut keys = Vec::new();
    tree.find_matches(topic, &mut keys);
    keys.sort();
    keys
}

proptest! {
    /// The tree finds exactly what a level by level comparison finds, also after removals.
    #[test]
    fn the_tree_agrees_with_a_naive_matcher(
        filters in prop::collection::btree_set(filter(), 1..120),
        removed in prop::collection::vec(any::<bool>(), 120),
        topics in prop::collection::vec(topic(), 1..20),
    ) {
        let mut tree = WildcardTree::default();
        let filters: Vec<String> = filters.into_iter().collect();
        for (filter, key) in filters.iter().zip(0..) {
            tree.insert(&Rc::from(filter.as_str()), FilterKey(key));
        }
        for (filter, _) in filters.iter().zip(&removed).filter(|&(_, &removed)| removed) {
            tree.remove(filter);
        }

        for topic in &topics {
            let expected: Vec<FilterKey> = (0..)
                .zip(filters.iter().zip(&removed))
                .filter(|(_, (filter, removed))| !**removed && matches_naively(filter, topic))
                .map(|(key, _)| FilterKey(key))
                .collect();
            prop_assert_eq!(matches(&tree, topic), expected, "topic {:?}", topic);
        }
    }

    /// A tree whose filters are all removed keeps no node in use.
    #[test]
    fn removal_frees_every_node(filters in prop::collection::btree_set(filter(), 1..120)) {
        let mut tree = WildcardTree::default();
        for (filter, key) in filters.iter().zip(0..) {
            tree.insert(&Rc::from(filter.as_str()), FilterKey(key));
        }

        for filter in &filters {
            tree.remove(filter);
        }

        prop_assert!(tree.is_empty());
        prop_assert_eq!(tree.free.len(), tree.nodes.len());
        prop_assert!(tree.roots.is_empty() && tree.multi_roots.is_empty());
    }
}

/// `sport/#` matches `sport` itself (§4.7.1.2).
#[test]
fn a_multi_level_wildcard_includes_its_parent_level() {
    let mut tree = WildcardTree::default();
    tree.insert(&Rc::from("sport/#"), FilterKey(1));

    assert_eq!(matches(&tree, "sport"), [FilterKey(1)]);
    assert_eq!(matches(&tree, "sport/tennis/player1"), [FilterKey(1)]);
    assert_eq!(matches(&tree, "sports"), []);
}

/// A leading wildcard does not match a topic that starts with `$` [MQTT-4.7.2-1].
#[test]
fn a_leading_wildcard_does_not_match_dollar_topics() {
    let mut tree = WildcardTree::default();
    tree.insert(&Rc::from("#"), FilterKey(1));
    tree.insert(&Rc::from("+/uptime"), FilterKey(2));
    tree.insert(&Rc::from("$SYS/#"), FilterKey(3));

    assert_eq!(matches(&tree, "$SYS/uptime"), [FilterKey(3)]);
    assert_eq!(matches(&tree, "$SYS"), [FilterKey(3)]);
}

/// Every text of `levels` levels that are `a` or `+`, joined.
fn combinations(levels: u32) -> impl Iterator<Item = String> {
    (0..1_u32 << levels).map(move |bits| {
        let level = |place| if bits >> place & 1 == 0 { "a" } else { "+" };
        (0..levels).map(level).collect::<Vec<_>>().join("/")
    })
}

fn tree_of(filters: impl Iterator<Item = String>) -> WildcardTree {
    let mut tree = WildcardTree::default();
    for (filter, key) in filters.zip(0..) {
        tree.insert(&Rc::from(filter), FilterKey(key));
    }
    tree
}

/// Matches, and nodes and filters looked at, for `a/a/…/a` of 12 levels.
fn cost(tree: &WildcardTree) -> (usize, usize) {
    let mut matches = Vec::new();
    let looked_at = tree.find_matches(&["a"; 12].join("/"), &mut matches);
    (matches.len(), looked_at)
}

/// Thousands of filters that agree with a topic in every level but one cost no more than a few
/// looks, wherever that level is and however many others it differs from.
#[test]
fn filters_that_nearly_match_cost_little() {
    let with = |places: &[u32], text: fn(usize) -> String| {
        let places = places.to_vec();
        places.into_iter().flat_map(move |place| {
            combinations(11).enumerate().map(move |(nth, filter)| {
                let mut levels: Vec<String> = filter.split('/').map(String::from).collect();
                levels.insert(place as usize, text(nth));
                levels.join("/")
            })
        })
    };
    for (case, filters) in [
        ("the last level", tree_of(with(&[11], |_| "x".into()))),
        ("the first level", tree_of(with(&[0], |_| "x".into()))),
        ("a level between", tree_of(with(&[6], |_| "x".into()))),
        (
            "a last level of its own",
            tree_of(with(&[11], |nth| format!("x{nth}"))),
        ),
        (
            "a first level of its own",
            tree_of(with(&[0], |nth| format!("x{nth}"))),
        ),
        (
            "some the last, some the first",
            tree_of(with(&[11, 0], |_| "x".into())),
        ),
        (
            "some each of four",
            tree_of(with(&[11, 0, 4, 7], |_| "x".into())),
        ),
    ] {
        let (matches, looked_at) = cost(&filters);

        assert_eq!(matches, 0, "{case}");
        assert!(looked_at <= 4 * 12, "{case}: {looked_at} looked at");
    }
}

/// Filters that all match cost in proportion to their number.
#[test]
fn filters_that_match_cost_in_proportion() {
    let tree = tree_of(combinations(12).skip(1));

    let (matches, looked_at) = cost(&tree);

    assert_eq!(matches, (1 << 12) - 1);
    assert!(looked_at <= 2 * matches, "{looked_at} looked at");
}

/// What fleets subscribe to costs a look at each level at most, however many there are.
#[test]
fn a_filter_of_each_device_costs_a_look_at_each_level() {
    let tree = tree_of((0..65_000).map(|nth| format!("site/{}/device/{nth}/+", nth % 10)));
    let mut matches = Vec::new();

    let looked_at = tree.find_matches("site/7/device/64007/state", &mut matches);

    assert_eq!(matches, [FilterKey(64_007)]);
    assert!(looked_at <= 5, "{looked_at} looked at");
}
