//! Filters with wildcards, found without looking at more of them than match.
//!
//! A tree that takes the levels from left to right visits every combination of literals and `+`
//! that agrees with the beginning of a topic: hostile filters make that 2^15 nodes, of which the last
//! level then rules out every one. This tree tests the level that tells most first: each node divides
//! its filters by the position where the fewest of them have `+`, so that few filters are left after
//! few steps. A node with few filters lists them, and each is compared with the topic.
//!
//! The choice of positions comes from adaptive pattern matching (R. Sekar, R. Ramesh, I.
//! Ramakrishnan, "Adaptive Pattern Matching", 1992), where a position that no pattern leaves open is
//! tested first, because the search never has to follow two branches there. A position is chosen for
//! the filters of its node, and chosen again when their number has doubled, up to
//! [`RECHOSEN_FILTERS_MAX`]: beyond that it would take too long at once, and so many filters are
//! enough to have chosen well.
//!
//! Invariants: all filters of a root have the same number of levels, with or without `#` after them;
//! a node but a root holds a filter; a node's filters agree in the positions asked above it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use super::text_map::TextMap;
use crate::keys::FilterKey;

/// Filters above which a list is divided.
const LISTED_FILTERS_MAX: usize = 8;
/// Filters above which a position is not chosen again.
const RECHOSEN_FILTERS_MAX: usize = 1024;
/// Filters that are looked at to tell how many literals a position has.
const SAMPLED_FILTERS: usize = 64;

#[derive(Clone, Debug)]
struct Entry {
    filter: Rc<str>,
    key: FilterKey,
}

#[derive(Debug)]
enum Node {
    /// In the list of free nodes.
    Free,
    List(Vec<Entry>),
    Division(Box<Division>),
}

/// Filters divided by what they have at one position.
#[derive(Debug)]
struct Division {
    position: usize,
    literal: TextMap<Box<str>, u32>,
    /// Those with `+` there.
    open: Option<u32>,
    /// How many filters it divides.
    filters: usize,
    /// Of which the position was chosen.
    chosen_for: usize,
}

/// The positions asked on the way to a node.
#[derive(Clone, Debug, Default)]
struct Asked {
    positions: Vec<usize>,
    /// Whether the last one had the same literal in every filter. Such a position rules out all of
    /// them or none, so a second one in a row would add a step and divide nothing.
    ended_alike: bool,
}

/// All filters with wildcards.
#[derive(Debug, Default)]
pub(crate) struct WildcardTree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// By levels, of filters without `#`.
    roots: HashMap<usize, u32>,
    /// By levels before the `#`.
    multi_roots: BTreeMap<usize, u32>,
    filters: usize,
}

impl WildcardTree {
    pub(crate) fn is_empty(&self) -> bool {
        self.filters == 0
    }

    /// Adds a filter that is not there yet.
    pub(crate) fn insert(&mut self, filter: &Rc<str>, key: FilterKey) {
        self.filters += 1;
        let entry = Entry {
            filter: Rc::clone(filter),
            key,
        };
        let (levels, tail) = split_multi(filter);
        let levels: Vec<&str> = levels.collect();
        let mut at = self.root_or_new(levels.len(), tail);
        let mut asked = Asked::default();
        loop {
            match &mut self.nodes[at as usize] {
                Node::Free => unreachable!("no way leads to a free node"),
                Node::List(entries) => {
                    entries.push(entry);
                    return self.divide(at, asked);
                }
                Node::Division(division) => {
                    division.filters += 1;
                    let filters = division.filters;
                    if filters >= 2 * division.chosen_for && filters <= RECHOSEN_FILTERS_MAX {
                        let mut entries = self.take_below(at);
                        entries.push(entry);
                        self.nodes[at as usize] = Node::List(entries);
                        return self.divide(at, asked);
                    }
                    asked.positions.push(division.position);
                    asked.ended_alike = division.is_alike();
                    let level = levels[division.position];
                    at = match division.child(level) {
                        Some(child) => child,
                        None => self.new_child(at, level),
                    };
                }
            }
        }
    }

    /// Removes a filter that is there, and the nodes that led only to it.
    pub(crate) fn remove(&mut self, filter: &str) {
        let (levels, tail) = split_multi(filter);
        let levels: Vec<&str> = levels.collect();
        let Some(root) = self.root(levels.len(), tail) else {
            return;
        };
        let mut path = Vec::new();
        let mut at = root;
        while let Node::Division(division) = &self.nodes[at as usize] {
            path.push(at);
            match division.child(levels[division.position]) {
                Some(child) => at = child,
                None => return,
            }
        }
        let Node::List(entries) = &mut self.nodes[at as usize] else {
            unreachable!("a way ends with a list");
        };
        let Some(place) = entries.iter().position(|entry| *entry.filter == *filter) else {
            return;
        };
        entries.swap_remove(place);
        let mut is_unused = entries.is_empty();
        self.filters -= 1;
        while let Some(parent) = path.pop() {
            let child = std::mem::replace(&mut at, parent);
            if is_unused {
                self.give_back(child);
                self.lost_child(parent, &levels);
            }
            is_unused = self.lost_filter(parent);
        }
        if is_unused {
            self.give_back(root);
            match tail {
                Tail::Multi => self.multi_roots.remove(&levels.len()),
                Tail::None => self.roots.remove(&levels.len()),
            };
        }
    }

    /// Appends the key of every filter that matches `topic` to `into` (§4.7.1), and returns how many
    /// nodes and filters it looked at.
    ///
    /// A topic that starts with `$` is matched by no filter that starts with a wildcard
    /// [MQTT-4.7.2-1].
    pub(crate) fn find_matches(&self, topic: &str, into: &mut Vec<FilterKey>) -> usize {
        let levels: Vec<&str> = topic.split('/').collect();
        let is_hidden = topic.starts_with('$');
        // `a/#` matches `a` as well (§4.7.1.2).
        let multi_roots = self.multi_roots.range(..=levels.len());
        let roots = self.roots.get(&levels.len()).into_iter();
        let mut visits: Vec<u32> = roots
            .chain(multi_roots.map(|(_, root)| root))
            .copied()
            .collect();
        let mut looked_at = 0;
        while let Some(at) = visits.pop() {
            looked_at += 1;
            match &self.nodes[at as usize] {
                Node::Free => unreachable!("no way leads to a free node"),
                Node::List(entries) => {
                    looked_at += entries.len();
                    let matching = entries.iter().filter(|entry| {
                        let starts_open = entry.filter.starts_with(['+', '#']);
                        !(is_hidden && starts_open) && matches_levels(&entry.filter, &levels)
                    });
                    into.extend(matching.map(|entry| entry.key));
                }
                Node::Division(division) => {
                    let is_open_hidden = is_hidden && division.position == 0;
                    visits.extend(division.literal.get(levels[division.position]));
                    visits.extend(division.open.filter(|_| !is_open_hidden));
                }
            }
        }
        looked_at
    }

    fn root(&self, levels: usize, tail: Tail) -> Option<u32> {
        match tail {
            Tail::Multi => self.multi_roots.get(&levels).copied(),
            Tail::None => self.roots.get(&levels).copied(),
        }
    }

    fn root_or_new(&mut self, levels: usize, tail: Tail) -> u32 {
        if let Some(root) = self.root(levels, tail) {
            return root;
        }
        let root = self.new_list(Vec::new());
        match tail {
            Tail::Multi => self.multi_roots.insert(levels, root),
            Tail::None => self.roots.insert(levels, root),
        };
        root
    }

    fn new_list(&mut self, entries: Vec<Entry>) -> u32 {
        let list = Node::List(entries);
        match self.free.pop() {
            Some(node) => {
                self.nodes[node as usize] = list;
                node
            }
            None => {
                self.nodes.push(list);
                self.nodes.len() as u32 - 1
            }
        }
    }

    fn new_child(&mut self, parent: u32, level: &str) -> u32 {
        let child = self.new_list(Vec::new());
        if let Node::Division(division) = &mut self.nodes[parent as usize] {
            match level {
                "+" => division.open = Some(child),
                literal => division.literal.insert(literal.into(), child),
            }
        }
        child
    }

    fn give_back(&mut self, node: u32) {
        self.nodes[node as usize] = Node::Free;
        self.free.push(node);
    }

    /// The child of `at` on the way of a filter with these levels is gone.
    fn lost_child(&mut self, at: u32, levels: &[&str]) {
        let Node::Division(division) = &mut self.nodes[at as usize] else {
            unreachable!("only a division has a child");
        };
        match levels[division.position] {
            "+" => division.open = None,
            literal => division.literal.remove(literal),
        }
    }

    /// A filter is gone below `at`. Returns whether `at` is now unused.
    fn lost_filter(&mut self, at: u32) -> bool {
        let Node::Division(division) = &mut self.nodes[at as usize] else {
            unreachable!("only a division has a child");
        };
        division.filters -= 1;
        if division.filters <= LISTED_FILTERS_MAX / 2 {
            let entries = self.take_below(at);
            self.nodes[at as usize] = Node::List(entries);
        }
        matches!(&self.nodes[at as usize], Node::List(entries) if entries.is_empty())
    }

    /// Takes all filters out of `at`, and gives back the nodes below it.
    fn take_below(&mut self, at: u32) -> Vec<Entry> {
        let mut taken = Vec::new();
        let mut visits = vec![at];
        while let Some(node) = visits.pop() {
            match std::mem::replace(&mut self.nodes[node as usize], Node::Free) {
                Node::Free => unreachable!("no way leads to a free node"),
                Node::List(mut entries) => taken.append(&mut entries),
                Node::Division(division) => {
                    visits.extend(division.literal.values());
                    visits.extend(division.open);
                }
            }
            if node != at {
                self.free.push(node);
            }
        }
        taken
    }

    /// Divides the list at `at`, and what comes of it, until every list is short.
    fn divide(&mut self, at: u32, asked: Asked) {
        let mut lists = vec![(at, asked)];
        while let Some((at, mut asked)) = lists.pop() {
            let Node::List(entries) = &mut self.nodes[at as usize] else {
                unreachable!("only lists are divided");
            };
            if entries.len() <= LISTED_FILTERS_MAX {
                continue;
            }
            let entries = std::mem::take(entries);
            let position = choose(&entries, &asked).expect("filters that differ do so somewhere");
            let filters = entries.len();
            let mut parts: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
            for entry in entries {
                let level = split_multi(&entry.filter).0.nth(position);
                let level = level.expect("all have the position").to_owned();
                parts.entry(level).or_default().push(entry);
            }
            asked.positions.push(position);
            asked.ended_alike = parts.len() == 1;
            self.nodes[at as usize] = Node::Division(Box::new(Division {
                position,
                literal: TextMap::default(),
                open: None,
                filters,
                chosen_for: filters,
            }));
            for (level, part) in parts {
                let child = self.new_child(at, &level);
                self.nodes[child as usize] = Node::List(part);
                lists.push((child, asked.clone()));
            }
        }
    }
}

impl Division {
    /// The way of filters that have `level` at the position.
    fn child(&self, level: &str) -> Option<u32> {
        match level {
            "+" => self.open,
            literal => self.literal.get(literal),
        }
    }

    /// Whether all filters have the same there.
    fn is_alike(&self) -> bool {
        self.literal.len() + usize::from(self.open.is_some()) == 1
    }
}

/// The position that tells most about `entries`: where the fewest have `+`, and of those the one with
/// the most different literals. `None` if none tells anything.
fn choose(entries: &[Entry], asked: &Asked) -> Option<usize> {
    let rows: Vec<Vec<&str>> = entries
        .iter()
        .map(|entry| split_multi(&entry.filter).0.collect())
        .collect();
    let positions = 0..rows.first().map_or(0, Vec::len);
    let candidates = positions.filter_map(|position| {
        if asked.positions.contains(&position) {
            return None;
        }
        let column = || rows.iter().map(|row| row[position]);
        let open = column().filter(|&level| level == "+").count();
        let is_alike = column().all(|level| level == rows[0][position]);
        if open == rows.len() || (is_alike && asked.ended_alike) {
            return None;
        }
        let literals: HashSet<&str> = column().take(SAMPLED_FILTERS).collect();
        Some((open, Reverse(literals.len()), position))
    });
    candidates.min().map(|(_, _, position)| position)
}

/// Whether a filter of as many levels, before its `#` if it has one, matches the topic.
fn matches_levels(filter: &str, topic: &[&str]) -> bool {
    let (mut levels, _) = split_multi(filter);
    let mut topic = topic.iter();
    levels.all(|level| {
        topic
            .next()
            .is_some_and(|name| level == "+" || level == *name)
    })
}

/// What a filter has after its last level that is not `#`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tail {
    /// Nothing: the filter matches topics of as many levels.
    None,
    /// `#`: it matches topics of more levels too (§4.7.1.2).
    Multi,
}

/// The levels before a final `#`, and what follows them.
fn split_multi(filter: &str) -> (impl Iterator<Item = &str>, Tail) {
    let (levels, tail) = match filter.strip_suffix('#') {
        Some("") => (None, Tail::Multi),
        Some(levels) => (levels.strip_suffix('/'), Tail::Multi),
        None => (Some(filter), Tail::None),
    };
    (
        levels.into_iter().flat_map(|levels| levels.split('/')),
        tail,
    )
}

#[cfg(test)]
mod tests;
