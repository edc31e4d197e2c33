//! Blocks that use what the target lacks, in the form that it has.

use squall_toml::node::{Node, Value};

use super::Missing;
use super::changes::Changes;
use super::fields::{integer_of, items_of, items_of_mut, put, text_of, texts_of, texts_of_mut};
use crate::Feature;
use crate::resolve::may_match;

/// What the filter of a shared subscription begins with (§4.8.2).
const SHARE: &str = "$share/";

/// Actions of faults on the broker itself.
const STOPPING: [&str; 3] = ["kill_broker", "pause_broker", "restart_broker"];

/// Brings the groups of `document` down to what the target has.
pub(super) fn bring_down(document: &mut Node, missing: &Missing, changes: &mut Changes) {
    for group in items_of_mut(document, "group") {
        let place = format!("group {}", text_of(group, "name"));
        if missing.has_no(Feature::WillDelay)
            && let Some(will) = group.get_mut("will")
            && will.remove("delay").is_some()
        {
            let what = "the will's delay is left out, the target has no Will Delay Interval";
            changes.note(&place, what);
        }
        if missing.has_no(Feature::SharedSubscriptions) {
            leave_sharing(group, &place, changes);
        }
        if missing.has_no(Feature::Qos2) {
            lower_qos(group, &place, changes);
        }
    }
}

/// Faults that stop a broker which a description reaches by url.
pub(super) fn stops_a_broker_of_others(document: &Node) -> Vec<String> {
    let is_of_others = document
        .get("target")
        .is_some_and(|target| target.get("use").is_some() && target.get("url").is_some());
    let faults = items_of(document, "fault").iter();
    faults
        .filter(|fault| is_of_others && STOPPING.contains(&text_of(fault, "action").as_str()))
        .map(|fault| {
            format!(
                "fault {} stops the broker, which squall did not start",
                text_of(fault, "name")
            )
        })
        .collect()
}

/// Groups whose shared subscription no single reader can take the place of.
pub(super) fn shared_that_must_be(document: &Node) -> Vec<String> {
    let groups = items_of(document, "group").iter();
    groups
        .filter(|group| shares(group) && !may_be_one_reader(document, group))
        .map(|group| {
            format!(
                "group {} needs shared subscriptions, which this target does not have",
                text_of(group, "name")
            )
        })
        .collect()
}

fn shares(group: &Node) -> bool {
    let subscribes = items_of(group, "subscribe").iter();
    let mut filters = subscribes.flat_map(|subscribe| texts_of(subscribe, "filter"));
    filters.any(|filter| filter.starts_with(SHARE))
}

/// Whether the group does nothing but share, and no fault makes a difference between its members.
fn may_be_one_reader(document: &Node, group: &Node) -> bool {
    let subscribes = items_of(group, "subscribe").iter();
    let mut filters = subscribes.flat_map(|subscribe| texts_of(subscribe, "filter"));
    let name = text_of(group, "name");
    let mut faults = items_of(document, "fault").iter();
    filters.all(|filter| filter.starts_with(SHARE))
        && ["publish", "respond", "will", "birth"]
            .iter()
            .all(|key| group.get(key).is_none())
        && !faults.any(|fault| text_of(fault, "group") == name)
}

/// Of those who share, each message reaches one: one reader without a share hears the same.
fn leave_sharing(group: &mut Node, place: &str, changes: &mut Changes) {
    if !shares(group) {
        return;
    }
    for subscribe in items_of_mut(group, "subscribe") {
        for filter in texts_of_mut(subscribe, "filter") {
            let plain = filter
                .strip_prefix(SHARE)
                .and_then(|rest| rest.split_once('/'));
            if let Some((_, plain)) = plain {
                *filter = plain.to_owned();
            }
        }
    }
    let count = integer_of(group, "count").unwrap_or(1);
    put(group, "count", Value::Integer(1));
    changes.note(
        place,
        format!("one reader in place of {count} that share a subscription, which the target does not have"),
    );
}

/// Groups that may subscribe with wildcards when something that matches is retained already.
pub(super) fn retained_for_wildcards(document: &Node) -> Vec<String> {
    let groups = items_of(document, "group");
    let retained: Vec<String> = groups.iter().flat_map(retained_topics).collect();
    let faults = items_of(document, "fault");
    groups
        .iter()
        .filter(|group| {
            let name = text_of(group, "name");
            let comes_later = ["start", "availability", "online", "network"]
                .iter()
                .any(|key| group.get(key).is_some());
            let comes_back = faults.iter().any(|fault| text_of(fault, "group") == name);
            let subscribes = items_of(group, "subscribe").iter();
            let mut filters = subscribes
                .filter(|subscribe| comes_later || comes_back || subscribe.get("start").is_some())
                .flat_map(|subscribe| texts_of(subscribe, "filter"))
                .filter(|filter| filter.contains(['+', '#']));
            filters.any(|filter| retained.iter().any(|topic| may_match(filter, topic)))
        })
        .map(|group| {
            format!(
                "group {} needs {}, which this target does not have",
                text_of(group, "name"),
                Feature::RetainedWildcards.in_sentence()
            )
        })
        .collect()
}

/// Topics to which devices of `group` publish with RETAIN.
fn retained_topics(group: &Node) -> Vec<String> {
    let single = ["will", "birth"].iter().filter_map(|key| group.get(key));
    let blocks = items_of(group, "publish").iter().chain(single);
    blocks
        .filter(|block| {
            matches!(
                block.get("retain").map(|node| &node.value),
                Some(Value::Bool(true))
            )
        })
        .map(|block| text_of(block, "topic"))
        .collect()
}

/// QoS 2 becomes QoS 1, and what goes wrong in its exchanges is left out.
fn lower_qos(group: &mut Node, place: &str, changes: &mut Changes) {
    let mut lowered = group.remove("qos2").is_some();
    for key in ["will", "birth"] {
        lowered |= group.get_mut(key).is_some_and(lower);
    }
    for list in ["publish", "subscribe", "respond"] {
        for block in items_of_mut(group, list) {
            lowered |= lower(block);
        }
    }
    if lowered {
        changes.note(
            place,
            "QoS 1 in place of QoS 2, which the target does not have",
        );
    }
}

/// Whether the block had QoS 2.
pub(super) fn lower(block: &mut Node) -> bool {
    let is_qos2 = integer_of(block, "qos") == Some(2);
    if is_qos2 {
        put(block, "qos", Value::Integer(1));
    }
    is_qos2
}
