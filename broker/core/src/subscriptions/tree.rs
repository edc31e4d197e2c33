//! Filters with wildcards in a tree of levels.
//!
//! Matching is iterative and looks at each node at most once, so its cost is bounded by the
//! tree's size and by the topic's levels, never by their combinations.
//!
//! Invariant: every node but the root leads to at least one filter.

use hashbrown::HashMap;

use super::FilterKey;

const ROOT: u32 = 0;

#[derive(Debug, Default)]
struct Node {
    parent: u32,
    /// Child for a level that is this text.
    literal: HashMap<Box<str>, u32>,
    /// Child for `+`.
    single: Option<u32>,
    /// The filter that ends with `#` below this node.
    multi: Option<FilterKey>,
    /// The filter that ends here.
    filter: Option<FilterKey>,
}

impl Node {
    fn is_unused(&self) -> bool {
        self.literal.is_empty()
            && self.single.is_none()
            && self.multi.is_none()
            && self.filter.is_none()
    }
}

/// A place where matching goes on.
#[derive(Clone, Copy, Debug)]
struct Visit {
    node: u32,
    /// Byte of the topic where the next level starts; `None` behind the last level.
    rest: Option<u32>,
}

/// All filters with wildcards, each at its path of levels.
#[derive(Debug)]
pub(crate) struct WildcardTree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    filters: usize,
}

impl WildcardTree {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            free: Vec::new(),
            filters: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filters == 0
    }

    /// The key that `filter` was inserted with.
    pub(crate) fn get(&self, filter: &str) -> Option<FilterKey> {
        let (levels, is_multi) = split_multi(filter);
        let node = &self.nodes[self.find(levels)? as usize];
        if is_multi { node.multi } else { node.filter }
    }

    /// Adds a filter that is not there yet.
    pub(crate) fn insert(&mut self, filter: &str, key: FilterKey) {
        let (levels, is_multi) = split_multi(filter);
        let mut at = ROOT;
        for level in levels.into_iter().flat_map(|levels| levels.split('/')) {
            at = self.child_or_new(at, level);
        }
        let node = &mut self.nodes[at as usize];
        let place = if is_multi {
            &mut node.multi
        } else {
            &mut node.filter
        };
        assert!(place.is_none(), "a filter has one key");
        *place = Some(key);
        self.filters += 1;
    }

    /// Removes a filter that is there, and the nodes that led only to it.
    pub(crate) fn remove(&mut self, filter: &str) {
        let (levels, is_multi) = split_multi(filter);
        let Some(mut at) = self.find(levels) else {
            return;
        };
        let node = &mut self.nodes[at as usize];
        let place = if is_multi {
            &mut node.multi
        } else {
            &mut node.filter
        };
        if place.take().is_none() {
            return;
        }
        self.filters -= 1;
        let levels = levels.into_iter().flat_map(|levels| levels.rsplit('/'));
        for level in levels {
            if !self.nodes[at as usize].is_unused() {
                return;
            }
            let parent = self.nodes[at as usize].parent;
            let node = &mut self.nodes[parent as usize];
            if level == "+" {
                node.single = None;
            } else {
                node.literal.remove(level);
            }
            self.nodes[at as usize] = Node::default();
            self.free.push(at);
            at = parent;
        }
    }

    /// Appends the key of every filter that matches `topic` to `into` (§4.7.1).
    ///
    /// A topic that starts with `$` is matched by no filter that starts with a wildcard
    /// [MQTT-4.7.2-1].
    pub(crate) fn find_matches(&self, topic: &str, into: &mut Vec<FilterKey>) {
        let mut visits = vec![Visit {
            node: ROOT,
            rest: Some(0),
        }];
        while let Some(Visit { node, rest }) = visits.pop() {
            let is_hidden = node == ROOT && topic.starts_with('$');
            let node = &self.nodes[node as usize];
            if !is_hidden {
                // `a/#` matches `a` as well (§4.7.1.2).
                into.extend(node.multi);
            }
            let Some(start) = rest else {
                into.extend(node.filter);
                continue;
            };
            let levels = &topic[start as usize..];
            let (level, rest) = match levels.find('/') {
                Some(slash) => (&levels[..slash], Some(start + slash as u32 + 1)),
                None => (levels, None),
            };
            if let Some(&child) = node.literal.get(level) {
                visits.push(Visit { node: child, rest });
            }
            if let Some(child) = node.single.filter(|_| !is_hidden) {
                visits.push(Visit { node: child, rest });
            }
        }
    }

    fn find(&self, levels: Option<&str>) -> Option<u32> {
        let mut at = ROOT;
        for level in levels.into_iter().flat_map(|levels| levels.split('/')) {
            let node = &self.nodes[at as usize];
            at = if level == "+" {
                node.single?
            } else {
                *node.literal.get(level)?
            };
        }
        Some(at)
    }

    fn child_or_new(&mut self, parent: u32, level: &str) -> u32 {
        let node = &self.nodes[parent as usize];
        let existing = if level == "+" {
            node.single
        } else {
            node.literal.get(level).copied()
        };
        if let Some(child) = existing {
            return child;
        }
        let child = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.nodes.len() as u32 - 1
        });
        self.nodes[child as usize].parent = parent;
        let node = &mut self.nodes[parent as usize];
        if level == "+" {
            node.single = Some(child);
        } else {
            node.literal.insert(level.into(), child);
        }
        child
    }
}

/// The levels before a final `#`, `None` for no levels at all, and whether there is a `#`.
fn split_multi(filter: &str) -> (Option<&str>, bool) {
    match filter.strip_suffix('#') {
        Some("") => (None, true),
        Some(levels) => (levels.strip_suffix('/'), true),
        None => (Some(filter), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            filters in prop::collection::btree_set(filter(), 1..30),
            removed in prop::collection::vec(any::<bool>(), 30),
            topics in prop::collection::vec(topic(), 1..20),
        ) {
            let mut tree = WildcardTree::new();
            let filters: Vec<String> = filters.into_iter().collect();
            for (filter, key) in filters.iter().zip(0..) {
                tree.insert(filter, FilterKey(key));
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

        /// A tree whose filters are all removed keeps no node but the root in use.
        #[test]
        fn removal_frees_every_node(filters in prop::collection::btree_set(filter(), 1..30)) {
            let mut tree = WildcardTree::new();
            for (filter, key) in filters.iter().zip(0..) {
                tree.insert(filter, FilterKey(key));
            }

            for filter in &filters {
                tree.remove(filter);
            }

            prop_assert!(tree.is_empty());
            prop_assert_eq!(tree.free.len(), tree.nodes.len() - 1);
        }
    }

    /// `sport/#` matches `sport` itself (§4.7.1.2).
    #[test]
    fn a_multi_level_wildcard_includes_its_parent_level() {
        let mut tree = WildcardTree::new();
        tree.insert("sport/#", FilterKey(1));

        assert_eq!(matches(&tree, "sport"), [FilterKey(1)]);
        assert_eq!(matches(&tree, "sport/tennis/player1"), [FilterKey(1)]);
        assert_eq!(matches(&tree, "sports"), []);
    }

    /// A leading wildcard does not match a topic that starts with `$` [MQTT-4.7.2-1].
    #[test]
    fn a_leading_wildcard_does_not_match_dollar_topics() {
        let mut tree = WildcardTree::new();
        tree.insert("#", FilterKey(1));
        tree.insert("+/uptime", FilterKey(2));
        tree.insert("$SYS/#", FilterKey(3));

        assert_eq!(matches(&tree, "$SYS/uptime"), [FilterKey(3)]);
        assert_eq!(matches(&tree, "$SYS"), [FilterKey(3)]);
    }
}
