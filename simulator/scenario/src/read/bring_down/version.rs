//! Blocks of MQTT 5.0 in MQTT 3.1.1.

use squall_protocol::{Malformation, Version};
use squall_toml::node::{Node, Value};

use super::changes::Changes;
use super::fields::{items_of, items_of_mut, put, text_of, texts_of};

/// Keys of a group that 3.1.1 does not have, with what each is called.
const OF_GROUP: [(&str, &str); 1] = [("topic_alias", "Topic Alias")];
/// Those of a stream of messages.
const OF_PUBLISH: [(&str, &str); 5] = [
    ("message_expiry", "Message Expiry Interval"),
    ("content_type", "Content Type"),
    ("response_topic", "Response Topic"),
    ("user_properties", "User Properties"),
    ("topic_alias", "Topic Alias"),
];
/// Those of a subscription.
const OF_SUBSCRIBE: [(&str, &str); 4] = [
    ("no_local", "No Local"),
    ("retain_as_published", "Retain As Published"),
    ("retain_handling", "Retain Handling"),
    ("subscription_identifier", "Subscription Identifier"),
];

/// Brings groups and faults of `document` down.
pub(super) fn bring_down(document: &mut Node, changes: &mut Changes) {
    for group in items_of_mut(document, "group") {
        bring_group_down(group, changes);
    }
    for fault in items_of_mut(document, "fault") {
        bring_fault_down(fault, changes);
    }
}

/// Faults that break rules of 5.0 and no others: without them the scenario would ask nothing.
pub(super) fn breaks_5_0_alone(document: &Node) -> Vec<String> {
    let faults = items_of(document, "fault").iter();
    faults
        .filter(|fault| {
            let kinds = texts_of(fault, "kind");
            !kinds.is_empty() && kinds.into_iter().all(is_of_5_0)
        })
        .map(|fault| {
            format!(
                "fault {} breaks rules that MQTT 3.1.1 does not have",
                text_of(fault, "name")
            )
        })
        .collect()
}

/// Streams whose messages could not be told apart: the User Property that has their stamp does not exist, and their payload
/// has no room for it.
pub(super) fn stamped_by_property_alone(document: &Node) -> Vec<String> {
    let groups = items_of(document, "group").iter();
    groups
        .filter(|group| {
            let mut publishes = items_of(group, "publish").iter();
            publishes.any(|publish| has_property_stamp(publish) && !takes_a_stamp(publish))
        })
        .map(|group| {
            format!(
                "group {} has its stamps in a User Property, which MQTT 3.1.1 does not have, and payloads that take none",
                text_of(group, "name")
            )
        })
        .collect()
}

fn has_property_stamp(publish: &Node) -> bool {
    text_of(publish, "stamp") == "property"
}

/// Whether the stamp can be a part of the payload: a text, or a member of an object.
fn takes_a_stamp(publish: &Node) -> bool {
    publish.get("payload").is_none_or(|payload| {
        payload.as_str().is_some() || payload.get("text").is_some() || payload.get("json").is_some()
    })
}

/// Whether the kind of malformed packet is one of 5.0 alone.
fn is_of_5_0(kind: &str) -> bool {
    let mut known = Malformation::ALL.into_iter();
    known.any(|known| known.name() == kind && !known.exists_in(Version::V3_1_1))
}

fn bring_group_down(group: &mut Node, changes: &mut Changes) {
    if text_of(group, "protocol") == "3.1.1" {
        return;
    }
    let name = text_of(group, "name");
    let of_group = format!("group {name}");
    changes.note(&of_group, "MQTT 3.1.1 in place of 5.0");
    put(group, "protocol", Value::String("3.1.1".to_owned()));
    bring_session_down(group, &of_group, changes);
    if group.get("receive_maximum").is_some() {
        changes.note(
            &of_group,
            "receive_maximum is kept by the device itself, for what it publishes: MQTT 3.1.1 has no Receive Maximum",
        );
    }
    leave_out(group, &OF_GROUP, &of_group, changes);
    for publish in items_of_mut(group, "publish") {
        if has_property_stamp(publish) {
            publish.remove("stamp");
            let what = "stamps are in the payload, MQTT 3.1.1 has no User Properties";
            changes.note(&of_group, what);
        }
    }
    let lists = [
        ("publish", &OF_PUBLISH[..]),
        ("subscribe", &OF_SUBSCRIBE[..]),
        ("respond", &OF_PUBLISH[..]),
    ];
    for (list, keys) in lists {
        for block in items_of_mut(group, list) {
            leave_out(block, keys, &of_group, changes);
        }
    }
}

/// 3.1.1 has one bit in place of Clean Start and Session Expiry Interval: a Session is kept for good, or it begins
/// and ends with its connection [3.1.1: MQTT-3.1.2-6].
fn bring_session_down(group: &mut Node, of_group: &str, changes: &mut Changes) {
    let expiry = group.remove("session_expiry");
    let expiry = expiry.and_then(|entry| entry.node.as_str().map(str::to_owned));
    let is_kept = expiry.as_deref().is_some_and(|text| {
        !text
            .trim_start_matches('0')
            .starts_with(char::is_alphabetic)
    });
    let resumes = matches!(
        group.get("clean_start").map(|node| &node.value),
        Some(Value::Bool(false))
    );
    match (resumes, is_kept, expiry) {
        (true, true, Some(expiry)) => changes.note(
            of_group,
            format!("Clean Session 0 in place of session_expiry = {expiry}: the Session has no end"),
        ),
        (true, false, _) | (true, true, None) => {
            put(group, "clean_start", Value::Bool(true));
            group.remove("session");
            changes.note(
                of_group,
                "Clean Session 1 in place of a Session that ends with its connection",
            );
        }
        (false, true, Some(expiry)) => changes.note(
            of_group,
            format!(
                "Clean Session 1 in place of session_expiry = {expiry}, since each connection begins a new Session"
            ),
        ),
        (false, false, _) | (false, true, None) => {}
    }
}

/// 3.1.1 has no DISCONNECT that leaves the will due, for which an end without DISCONNECT does the same, and fewer rules
/// to break.
fn bring_fault_down(fault: &mut Node, changes: &mut Changes) {
    let place = format!("fault {}", text_of(fault, "name"));
    if text_of(fault, "reason") == "with_will" {
        fault.remove("reason");
        put(fault, "action", Value::String("drop".to_owned()));
        put(fault, "how", Value::String("fin".to_owned()));
        changes.note(
            &place,
            "a close without DISCONNECT in place of DISCONNECT with will",
        );
    }
    let Some(kinds) = fault.get_mut("kind") else {
        return;
    };
    if let Value::Array(kinds) = &mut kinds.value {
        kinds.retain(|kind| {
            let kind = kind.as_str().unwrap_or_default();
            if is_of_5_0(kind) {
                changes.note(
                    &place,
                    format!("{kind} is left out, MQTT 3.1.1 has no such rule to break"),
                );
            }
            !is_of_5_0(kind)
        });
    }
}

fn leave_out(block: &mut Node, keys: &[(&str, &str)], place: &str, changes: &mut Changes) {
    for (key, called) in keys {
        if block.remove(key).is_some() {
            changes.note(
                place,
                format!("{key} is left out, MQTT 3.1.1 has no {called}"),
            );
        }
    }
}
