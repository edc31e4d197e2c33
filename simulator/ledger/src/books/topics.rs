//! Who may hear what: Topic Names, the Topic Filters that match them, and who subscribed.
//!
//! Matching is done once for each pair of a Topic Name and a Topic Filter, when the younger of the
//! two is first heard of; a message then only walks the places of its topic. A topic has places
//! from its first message on: those of wills have none, so that devices that watch each other's
//! wills do not cost their square. Places are added and never removed, so their numbers stay
//! valid; whether a place is owed a message is the business of its Session.

use std::collections::HashMap;
use std::rc::Rc;

use squall_protocol::{
    Version,
    topic::{TopicFilter, TopicName},
};
use squall_scenario::{ClientKey, TopicKey};

/// Places of a topic that are searched one by one; with more there is an index.
const LINEAR_SEARCH_MAX: usize = 8;

/// A Topic Filter as subscribed, `$share` and group included, interned.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct FilterKey(pub(crate) u32);

/// To whom a message is owed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Recipient {
    /// A Session, by its own subscriptions.
    Session(ClientKey),
    /// A shared subscription: one of its members (§4.8.2).
    Share(FilterKey),
}

/// One recipient of one topic.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The Session or shared group that receives.
    pub(crate) recipient: Recipient,
    /// By which filters, at least one.
    pub(crate) filters: Vec<FilterKey>,
}

/// All topics and filters of a run.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    topic_keys: HashMap<Rc<str>, TopicKey>,
    topics: Vec<Topic>,
    filter_keys: HashMap<Rc<str>, FilterKey>,
    filters: Vec<Filter>,
    /// Filters without wildcards, by the Topic Name they name.
    exact: HashMap<Rc<str>, Vec<FilterKey>>,
    /// Filters with wildcards.
    wild: Vec<FilterKey>,
}

#[derive(Debug)]
struct Topic {
    text: Rc<str>,
    /// Filters that match it, shared subscriptions apart.
    filters: Vec<FilterKey>,
    /// Shared subscriptions that match it.
    shared_filters: Vec<FilterKey>,
    /// Whether a message was sent to it: then every recipient has a place.
    has_places: bool,
    /// Whether it ever had a message retained.
    has_retained: bool,
    places: Vec<Place>,
    /// Place numbers by recipient, once there are many.
    index: HashMap<Recipient, usize>,
    /// Numbers of the places that are shared subscriptions.
    shares: Vec<usize>,
}

#[derive(Debug)]
struct Filter {
    /// Without `$share` and group.
    filter: TopicFilter<Rc<str>>,
    is_shared: bool,
    /// Bytes before the first wildcard: a Topic Name that does not begin with them does not match.
    literal_bytes: usize,
    /// Topics with places that it matches.
    topics: Vec<TopicKey>,
    /// Topics that it matches and that ever had a message retained: a SUBSCRIBE walks them.
    retained: Vec<TopicKey>,
    recipients: Vec<Recipient>,
}

impl Topics {
    /// The key of a Topic Name, made now if need be.
    pub(crate) fn intern_topic(&mut self, text: &str) -> TopicKey {
        if let Some(&key) = self.topic_keys.get(text) {
            return key;
        }
        let key = TopicKey(count(self.topics.len()));
        let (shared_filters, filters) = self
            .filters_of(text)
            .into_iter()
            .partition(|&filter| self.is_shared(filter));
        let text: Rc<str> = text.into();
        self.topic_keys.insert(Rc::clone(&text), key);
        self.topics.push(Topic {
            text,
            filters,
            shared_filters,
            has_places: false,
            has_retained: false,
            places: Vec::new(),
            index: HashMap::new(),
            shares: Vec::new(),
        });
        key
    }

    /// A message is sent to a topic: its recipients get their places, those to come too.
    pub(crate) fn open_places(&mut self, topic: TopicKey) {
        let row = &mut self.topics[topic.0 as usize];
        if std::mem::replace(&mut row.has_places, true) {
            return;
        }
        for filter in [&row.filters[..], &row.shared_filters[..]].concat() {
            let filter_row = &mut self.filters[index(filter)];
            filter_row.topics.push(topic);
            for &recipient in &filter_row.recipients {
                self.topics[topic.0 as usize].add(recipient, filter);
            }
        }
    }

    /// Whether a message was ever sent to a topic.
    pub(crate) fn has_places(&self, topic: TopicKey) -> bool {
        self.topics[topic.0 as usize].has_places
    }

    /// A message is retained at a topic for the first time.
    pub(crate) fn note_retained(&mut self, topic: TopicKey) {
        let row = &mut self.topics[topic.0 as usize];
        if std::mem::replace(&mut row.has_retained, true) {
            return;
        }
        for &filter in &row.filters {
            self.filters[index(filter)].retained.push(topic);
        }
    }

    /// Topics that a filter matches and that ever had a message retained; none of a shared subscription.
    pub(crate) fn topics_retained(&self, filter: FilterKey) -> &[TopicKey] {
        &self.filters[index(filter)].retained
    }

    /// Filters that match a topic, shared subscriptions apart.
    pub(crate) fn filters(&self, topic: TopicKey) -> &[FilterKey] {
        &self.topics[topic.0 as usize].filters
    }

    /// Shared subscriptions that match a topic.
    pub(crate) fn shared_filters(&self, topic: TopicKey) -> &[FilterKey] {
        &self.topics[topic.0 as usize].shared_filters
    }

    /// Sessions that ever subscribed to a filter; for a shared subscription, itself.
    pub(crate) fn recipients(&self, filter: FilterKey) -> &[Recipient] {
        &self.filters[index(filter)].recipients
    }

    /// The key of a Topic Name that was heard of before.
    pub(crate) fn topic(&self, text: &str) -> Option<TopicKey> {
        self.topic_keys.get(text).copied()
    }

    /// The text of a Topic Name.
    pub(crate) fn text(&self, topic: TopicKey) -> &Rc<str> {
        &self.topics[topic.0 as usize].text
    }

    /// The key of a Topic Filter, made now if need be; `None` if it is malformed, in 3.1.1 too.
    pub(crate) fn intern_filter(&mut self, text: &str) -> Option<FilterKey> {
        if let Some(&key) = self.filter_keys.get(text) {
            return Some(key);
        }
        let whole = TopicFilter::for_version(text, Version::V3_1_1).ok()?;
        let own: Rc<str> = whole.unshared().as_str().into();
        let filter = TopicFilter::for_version(Rc::clone(&own), Version::V3_1_1).ok()?;
        let key = FilterKey(count(self.filters.len()));
        let is_shared = whole.share().is_some();
        let mut topics = self.topics_of(&filter);
        for &topic in &topics {
            let row = &mut self.topics[topic.0 as usize];
            if is_shared {
                row.shared_filters.push(key);
            } else {
                row.filters.push(key);
            }
        }
        let has_retained = |topic: &&TopicKey| self.topics[topic.0 as usize].has_retained;
        let retained = match is_shared {
            true => Vec::new(),
            false => topics.iter().filter(has_retained).copied().collect(),
        };
        topics.retain(|topic| self.topics[topic.0 as usize].has_places);
        if filter.has_wildcards() {
            self.wild.push(key);
        } else {
            self.exact.entry(own).or_default().push(key);
        }
        self.filter_keys.insert(text.into(), key);
        self.filters.push(Filter {
            is_shared,
            literal_bytes: literal_bytes(filter.as_str()),
            filter,
            topics,
            retained,
            recipients: Vec::new(),
        });
        Some(key)
    }

    /// Whether it is a shared subscription.
    pub(crate) fn is_shared(&self, filter: FilterKey) -> bool {
        self.filters[index(filter)].is_shared
    }

    /// Gives `recipient` a place in every topic with places that `filter` matches, now and later.
    /// To be called once for each pair of them.
    pub(crate) fn subscribe(&mut self, recipient: Recipient, filter: FilterKey) {
        let row = &mut self.filters[index(filter)];
        row.recipients.push(recipient);
        for &topic in &row.topics {
            self.topics[topic.0 as usize].add(recipient, filter);
        }
    }

    /// The places of a topic; their numbers count from 0.
    pub(crate) fn places(&self, topic: TopicKey) -> &[Place] {
        &self.topics[topic.0 as usize].places
    }

    /// Number of the place of a Session's own subscriptions.
    pub(crate) fn session_place(&self, topic: TopicKey, client: ClientKey) -> Option<usize> {
        self.topics[topic.0 as usize].find(Recipient::Session(client))
    }

    /// Numbers of the places of shared subscriptions.
    pub(crate) fn share_places(&self, topic: TopicKey) -> &[usize] {
        &self.topics[topic.0 as usize].shares
    }

    fn filters_of(&self, topic: &str) -> Vec<FilterKey> {
        let Ok(name) = TopicName::new(topic) else {
            return Vec::new();
        };
        let exact = self.exact.get(topic).into_iter().flatten();
        let wild = self
            .wild
            .iter()
            .filter(|&&key| self.filters[index(key)].matches(&name));
        exact.chain(wild).copied().collect()
    }

    fn topics_of(&self, filter: &TopicFilter<Rc<str>>) -> Vec<TopicKey> {
        if !filter.has_wildcards() {
            return self.topic(filter.as_str()).into_iter().collect();
        }
        let literal = &filter.as_str()[..literal_bytes(filter.as_str())];
        (0..)
            .zip(&self.topics)
            .filter(|(_, topic)| topic.text.starts_with(literal))
            .filter(|(_, topic)| {
                TopicName::new(Rc::clone(&topic.text)).is_ok_and(|name| filter.matches(&name))
            })
            .map(|(key, _)| TopicKey(key))
            .collect()
    }
}

impl Topic {
    fn add(&mut self, recipient: Recipient, filter: FilterKey) {
        if let Some(place) = self.find(recipient) {
            self.places[place].filters.push(filter);
            return;
        }
        let place = self.places.len();
        self.places.push(Place {
            recipient,
            filters: vec![filter],
        });
        if let Recipient::Share(_) = recipient {
            self.shares.push(place);
        }
        if self.places.len() > LINEAR_SEARCH_MAX {
            let missing = (self.index.len()..).zip(&self.places[self.index.len()..]);
            self.index
                .extend(missing.map(|(place, row)| (row.recipient, place)));
        }
    }

    fn find(&self, recipient: Recipient) -> Option<usize> {
        if self.places.len() > LINEAR_SEARCH_MAX {
            return self.index.get(&recipient).copied();
        }
        self.places
            .iter()
            .position(|place| place.recipient == recipient)
    }
}

impl Filter {
    fn matches(&self, topic: &TopicName<&str>) -> bool {
        let literal = &self.filter.as_str()[..self.literal_bytes];
        topic.as_str().starts_with(literal) && self.filter.matches(topic)
    }
}

/// Bytes that every match begins with. `sport/#` matches `sport` too (§4.7.1.2), so the
/// separator before a wildcard is left out.
fn literal_bytes(filter: &str) -> usize {
    let wildcard = filter.find(['+', '#']).unwrap_or(filter.len());
    filter[..wildcard].trim_end_matches('/').len()
}

fn index(filter: FilterKey) -> usize {
    filter.0 as usize
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("topics and filters are counted in 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: u32) -> Recipient {
        Recipient::Session(ClientKey(key))
    }

    fn subscribe(topics: &mut Topics, recipient: Recipient, filter: &str) -> FilterKey {
        let key = topics.intern_filter(filter).unwrap();
        topics.subscribe(recipient, key);
        key
    }

    fn published(topics: &mut Topics, topic: &str) -> TopicKey {
        let topic = topics.intern_topic(topic);
        topics.open_places(topic);
        topic
    }

    /// It makes no difference whether the topic or the subscription comes first.
    #[test]
    fn topics_and_filters_meet_in_either_order() {
        let mut topics = Topics::default();
        let before = published(&mut topics, "a/1");
        assert!(topics.places(before).is_empty());

        subscribe(&mut topics, session(7), "a/+");
        let after = published(&mut topics, "a/2");

        assert_eq!(topics.session_place(before, ClientKey(7)), Some(0));
        assert_eq!(topics.session_place(after, ClientKey(7)), Some(0));
        assert_eq!(topics.session_place(after, ClientKey(8)), None);
    }

    /// A topic that only wills have been announced for costs no place, however many watch it.
    #[test]
    fn without_a_message_a_topic_has_no_places() {
        let mut topics = Topics::default();
        let topic = topics.intern_topic("status/1");

        let filter = subscribe(&mut topics, session(7), "status/+");

        assert!(topics.places(topic).is_empty());
        assert_eq!(topics.filters(topic), [filter]);
        assert_eq!(topics.recipients(filter), [session(7)]);
        topics.open_places(topic);
        assert_eq!(topics.places(topic).len(), 1);
    }

    /// Overlapping filters of one Session share its place.
    #[test]
    fn overlapping_filters_are_one_place() {
        let mut topics = Topics::default();
        subscribe(&mut topics, session(1), "a/#");
        subscribe(&mut topics, session(1), "a/b");

        let topic = published(&mut topics, "a/b");

        assert_eq!(topics.places(topic).len(), 1);
        assert_eq!(topics.places(topic)[0].filters.len(), 2);
    }

    /// A multi-level wildcard matches the level above it (§4.7.1.2).
    #[test]
    fn the_parent_level_is_matched() {
        let mut topics = Topics::default();
        subscribe(&mut topics, session(1), "sport/#");

        let topic = published(&mut topics, "sport");

        assert_eq!(topics.places(topic).len(), 1);
    }

    /// What a SUBSCRIBE may bring is kept by filter, whichever of the two comes first.
    #[test]
    fn a_filter_knows_the_topics_with_something_retained() {
        let mut topics = Topics::default();
        let before = topics.intern_filter("a/+").unwrap();
        let (set, _plain) = (published(&mut topics, "a/1"), published(&mut topics, "a/2"));

        topics.note_retained(set);
        topics.note_retained(set);

        let after = topics.intern_filter("#").unwrap();
        let shared = topics.intern_filter("$share/g/#").unwrap();
        assert_eq!(topics.topics_retained(before), [set]);
        assert_eq!(topics.topics_retained(after), [set]);
        assert_eq!(topics.topics_retained(shared), []);
    }

    /// Many places are found by the index as few are by search.
    #[test]
    fn many_places_are_indexed() {
        let mut topics = Topics::default();
        for key in 0..100 {
            subscribe(&mut topics, session(key), "all");
        }

        let topic = published(&mut topics, "all");

        assert_eq!(topics.places(topic).len(), 100);
        assert_eq!(topics.session_place(topic, ClientKey(99)), Some(99));
    }

    /// A shared subscription matches by its filter, not by its whole text (§4.8.2).
    #[test]
    fn shares_match_by_their_filter() {
        let mut topics = Topics::default();
        let key = topics.intern_filter("$share/g/a/+").unwrap();
        topics.subscribe(Recipient::Share(key), key);

        let topic = published(&mut topics, "a/x");

        assert!(topics.is_shared(key));
        assert_eq!(topics.share_places(topic), &[0]);
        assert_eq!(topics.shared_filters(topic), [key]);
    }
}
