//! All subscriptions: filters, their members, and the way from a Topic Name to both.
//!
//! Every filter is found by its text in a hash map, and by a topic there too if it has no wildcard.
//! Filters with wildcards that match a topic are found in a tree behind a bounded cache, which only
//! an added or removed filter makes stale. A Session knows its subscriptions by [`SubscriptionKey`].
//! This index knows Sessions by their keys only: where it must know which of them are connected, or
//! how much waits for them, the broker passes that in.
//!
//! With several shards each shard keeps this index for its own Sessions, and beside it a
//! replica of the other shards' filters that leads to shards in place of members.
//!
//! Invariants: a filter exists exactly while it has a member or a group; a group exactly while
//! it has a member.

mod cache;
mod members;
mod of_session;
mod recipients;
mod shared;
mod text_map;
mod tree;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::rc::Rc;

pub(crate) use members::{Inserted, Member};
pub(crate) use of_session::SessionSubscriptions;
pub(crate) use recipients::{Recipient, Recipients};
pub(crate) use shared::Group;

use crate::keys::{FilterKey, GroupKey, SessionKey, SubscriptionKey};
use cache::MatchCache;
use members::Members;
use shared::{Groups, Left};
use text_map::TextMap;
use tree::WildcardTree;

/// What a Topic Filter asks for, taken apart (§4.8.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// The filter without `$share` and the group.
    pub(crate) filter: &'a str,
    /// Share name of a shared subscription.
    pub(crate) group: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Filter {
    text: Rc<str>,
    members: Members,
    /// By share name: one client can make thousands of them.
    groups: BTreeMap<Box<str>, GroupKey>,
}

/// The subscriptions of every Session.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    filters: Vec<Filter>,
    free: Vec<FilterKey>,
    /// Every filter. A topic is found here only if it is one: it has no wildcards.
    by_text: TextMap<Rc<str>, FilterKey>,
    tree: WildcardTree,
    cache: MatchCache,
    groups: Groups,
    /// Subscriptions of all Sessions.
    len: usize,
    /// Kept for its memory.
    matches: Vec<FilterKey>,
}

impl Subscriptions {
    pub(crate) fn new(match_cache_topics_max: NonZeroUsize) -> Self {
        Self {
            filters: Vec::new(),
            free: Vec::new(),
            by_text: TextMap::default(),
            tree: WildcardTree::default(),
            cache: MatchCache::new(match_cache_topics_max.get()),
            groups: Groups::default(),
            len: 0,
            matches: Vec::new(),
        }
    }

    /// Subscriptions of all Sessions.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Messages that wait in groups, by a look at each.
    pub(crate) fn waiting(&self) -> usize {
        self.groups.waiting()
    }

    pub(crate) fn group(&self, key: GroupKey) -> Option<&Group> {
        self.groups.get(key)
    }

    pub(crate) fn group_mut(&mut self, key: GroupKey) -> Option<&mut Group> {
        self.groups.get_mut(key)
    }

    /// The key of the Session's subscription to `target`, if it has one.
    pub(crate) fn find(&self, target: Target<'_>, session: SessionKey) -> Option<SubscriptionKey> {
        let key = self.find_filter(target.filter)?;
        let filter = &self.filters[key.0 as usize];
        match target.group {
            None => {
                filter.members.get(session)?;
                Some(SubscriptionKey::Filter(key))
            }
            Some(name) => {
                let &group = filter.groups.get(name)?;
                self.groups.get(group)?.member(session)?;
                Some(SubscriptionKey::Group(group))
            }
        }
    }

    /// Adds a subscription or replaces the Session's subscription to the same filter.
    pub(crate) fn subscribe(
        &mut self,
        target: Target<'_>,
        member: Member,
    ) -> (SubscriptionKey, Inserted) {
        let key = self.filter_or_new(target.filter);
        let (subscription, inserted) = match target.group {
            None => {
                let members = &mut self.filters[key.0 as usize].members;
                (SubscriptionKey::Filter(key), members.insert(member))
            }
            Some(name) => {
                let groups = &mut self.filters[key.0 as usize].groups;
                let group = match groups.get(name) {
                    Some(&group) => group,
                    None => {
                        let group = self.groups.create(key, name);
                        groups.insert(name.into(), group);
                        group
                    }
                };
                let inserted = self.groups.join(group, member);
                (SubscriptionKey::Group(group), inserted)
            }
        };
        if inserted == Inserted::New {
            self.len += 1;
        }
        (subscription, inserted)
    }

    /// Ends a subscription. Returns the group that lost its last member by it, with the
    /// messages that wait there.
    pub(crate) fn unsubscribe(
        &mut self,
        key: SubscriptionKey,
        session: SessionKey,
    ) -> Option<Box<Group>> {
        let (filter, ended) = match key {
            SubscriptionKey::Filter(filter) => {
                self.filters[filter.0 as usize].members.remove(session)?;
                (filter, None)
            }
            SubscriptionKey::Group(group) => match self.groups.leave(group, session) {
                Left::NotThere => return None,
                Left::OthersRemain => {
                    self.len -= 1;
                    return None;
                }
                Left::Ended(ended) => {
                    let groups = &mut self.filters[ended.filter.0 as usize].groups;
                    groups.remove(&*ended.name);
                    (ended.filter, Some(ended))
                }
            },
        };
        self.len -= 1;
        self.drop_unused_filter(filter);
        ended
    }

    /// Fills `into` with all Sessions and groups that get a message published to `topic` by `publisher`.
    pub(crate) fn collect(
        &mut self,
        topic: &str,
        publisher: Option<SessionKey>,
        into: &mut Recipients,
    ) {
        into.clear();
        let mut matches = std::mem::take(&mut self.matches);
        self.find_matches(topic, &mut matches);
        let is_single = matches.len() == 1;
        for key in matches.drain(..) {
            let filter = &self.filters[key.0 as usize];
            for member in filter.members.as_slice() {
                // Own messages are left out [MQTT-3.8.3-3].
                if member.no_local && Some(member.session) == publisher {
                    continue;
                }
                if is_single {
                    into.add(member);
                } else {
                    into.merge(member);
                }
            }
            for &group in filter.groups.values() {
                into.add_group(group);
            }
        }
        self.matches = matches;
    }

    fn find_matches(&mut self, topic: &str, into: &mut Vec<FilterKey>) {
        if !self.tree.is_empty() && !self.cache.find(topic, into) {
            self.tree.find_matches(topic, into);
            self.cache.remember(topic, into);
        }
        into.extend(self.by_text.get(topic));
    }

    fn find_filter(&self, text: &str) -> Option<FilterKey> {
        self.by_text.get(text)
    }

    fn filter_or_new(&mut self, text: &str) -> FilterKey {
        if let Some(key) = self.find_filter(text) {
            return key;
        }
        let key = self.free.pop().unwrap_or_else(|| {
            self.filters.push(Filter::default());
            FilterKey(self.filters.len() as u32 - 1)
        });
        let text: Rc<str> = text.into();
        self.filters[key.0 as usize].text = Rc::clone(&text);
        if has_wildcard(&text) {
            self.tree.insert(&text, key);
            self.cache.invalidate();
        }
        self.by_text.insert(text, key);
        key
    }

    fn drop_unused_filter(&mut self, key: FilterKey) {
        let filter = &mut self.filters[key.0 as usize];
        if !filter.members.is_empty() || !filter.groups.is_empty() {
            return;
        }
        let Filter { text, .. } = std::mem::take(filter);
        if has_wildcard(&text) {
            self.tree.remove(&text);
            self.cache.invalidate();
        }
        self.by_text.remove(&text);
        self.free.push(key);
    }
}

fn has_wildcard(filter: &str) -> bool {
    filter.contains(['+', '#'])
}
