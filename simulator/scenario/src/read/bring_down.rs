//! `target.protocol = "3.1.1"`: brings a scenario down to MQTT 3.1.1, and tells what that changed.
//!
//! The document is changed before its types read it, so that what is left is a scenario as its author might have
//! written it for 3.1.1, and everything that is checked there is checked here.

use squall_toml::node::{Entry, Node, Value};

/// Keys of a group that 3.1.1 does not have, with what each is called.
const OF_GROUP: [(&str, &str); 2] = [
    ("receive_maximum", "Receive Maximum"),
    ("topic_alias", "Topic Alias"),
];
/// Those of a will.
const OF_WILL: [(&str, &str); 1] = [("delay", "Will Delay Interval")];
/// Those of a stream of messages.
const OF_PUBLISH: [(&str, &str); 5] = [
    ("message_expiry", "Message Expiry Interval"),
    ("content_type", "Content Type"),
    ("response_topic", "Response Topic"),
    ("correlation_data", "Correlation Data"),
    ("user_properties", "User Properties"),
];
/// Those of a subscription.
const OF_SUBSCRIBE: [(&str, &str); 4] = [
    ("no_local", "No Local"),
    ("retain_as_published", "Retain As Published"),
    ("retain_handling", "Retain Handling"),
    ("subscription_identifier", "Subscription Identifier"),
];
/// Checks of what only 5.0 has.
const CHECKS: [&str; 2] = ["quota", "expiry"];
/// Keys of an `[[expect]]` that claim nothing by themselves.
const NO_CLAIMS: [&str; 3] = ["check", "group", "qos"];

/// Brings `document` down if its target asks for it. What was changed, a sentence each.
pub(super) fn apply(document: &mut Node) -> Vec<String> {
    let target = document.get("target");
    let protocol = target.and_then(|target| target.get("protocol"));
    if protocol.and_then(Node::as_str) != Some("3.1.1") {
        return Vec::new();
    }
    let mut changes = Vec::new();
    let groups = document.get_mut("group").map(Node::items_mut);
    for group in groups.into_iter().flatten() {
        bring_group_down(group, &mut changes);
    }
    let faults = document.get_mut("fault").map(Node::items_mut);
    for fault in faults.into_iter().flatten() {
        bring_fault_down(fault, &mut changes);
    }
    if let Some(Node {
        value: Value::Array(expectations),
        ..
    }) = document.get_mut("expect")
    {
        expectations.retain_mut(|expectation| is_left(expectation, &mut changes));
    }
    changes
}

fn bring_group_down(group: &mut Node, changes: &mut Vec<String>) {
    if text_of(group, "protocol") == "3.1.1" {
        return;
    }
    let name = text_of(group, "name");
    let of_group = format!("group {name}");
    changes.push(format!("{of_group}: MQTT 3.1.1 in place of 5.0"));
    put(group, "protocol", Value::String("3.1.1".to_owned()));
    bring_session_down(group, &of_group, changes);
    leave_out(group, &OF_GROUP, &of_group, changes);
    if let Some(will) = group.get_mut("will") {
        let place = format!("{of_group}: will");
        leave_out(will, &OF_WILL, &place, changes);
    }
    let lists = [
        ("publish", &OF_PUBLISH[..]),
        ("subscribe", &OF_SUBSCRIBE[..]),
        ("respond", &OF_PUBLISH[..]),
    ];
    for (list, keys) in lists {
        let blocks = group.get_mut(list).map(Node::items_mut);
        for block in blocks.into_iter().flatten() {
            leave_out(block, keys, &format!("{of_group}: {list}"), changes);
        }
    }
}

/// 3.1.1 has one bit in place of Clean Start and Session Expiry Interval: a Session is kept for good, or it begins
/// and ends with its connection [3.1.1: MQTT-3.1.2-6].
fn bring_session_down(group: &mut Node, of_group: &str, changes: &mut Vec<String>) {
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
        (true, true, Some(expiry)) => changes.push(format!(
            "{of_group}: Clean Session 0 in place of session_expiry = {expiry}: the Session has no end"
        )),
        (true, false, _) | (true, true, None) => {
            put(group, "clean_start", Value::Bool(true));
            group.remove("session");
            changes.push(format!(
                "{of_group}: Clean Session 1 in place of a Session that ends with its connection"
            ));
        }
        (false, true, Some(expiry)) => changes.push(format!(
            "{of_group}: Clean Session 1 in place of session_expiry = {expiry}, since each connection begins \
             a new Session"
        )),
        (false, false, _) | (false, true, None) => {}
    }
}

/// 3.1.1 has no DISCONNECT that leaves the will due; an end without DISCONNECT does the same.
fn bring_fault_down(fault: &mut Node, changes: &mut Vec<String>) {
    if text_of(fault, "reason") != "with_will" {
        return;
    }
    fault.remove("reason");
    put(fault, "action", Value::String("drop".to_owned()));
    put(fault, "how", Value::String("fin".to_owned()));
    let name = text_of(fault, "name");
    changes.push(format!(
        "fault {name}: a close without DISCONNECT in place of DISCONNECT with will"
    ));
}

/// Takes claims out that 3.1.1 cannot keep; whether any is left.
fn is_left(expectation: &mut Node, changes: &mut Vec<String>) -> bool {
    let check = text_of(expectation, "check");
    if CHECKS.contains(&check.as_str()) {
        changes.push(format!(
            "check {check}: skipped, MQTT 3.1.1 has nothing that it checks"
        ));
        return false;
    }
    if check != "takeover" || expectation.remove("reason").is_none() {
        return true;
    }
    changes.push(
        "check takeover: reason is skipped, a broker of MQTT 3.1.1 closes without DISCONNECT"
            .to_owned(),
    );
    let mut keys = expectation.entries().iter().map(|entry| entry.key.as_str());
    keys.any(|key| !NO_CLAIMS.contains(&key))
}

fn leave_out(block: &mut Node, keys: &[(&str, &str)], place: &str, changes: &mut Vec<String>) {
    for (key, called) in keys {
        if block.remove(key).is_some() {
            changes.push(format!(
                "{place}: {key} is left out, MQTT 3.1.1 has no {called}"
            ));
        }
    }
}

fn text_of(node: &Node, key: &str) -> String {
    let text = node.get(key).and_then(Node::as_str);
    text.unwrap_or_default().to_owned()
}

/// Sets `key` of the table `node`, at the place of the old value or of the table.
fn put(node: &mut Node, key: &str, value: Value) {
    if let Some(old) = node.get_mut(key) {
        old.value = value;
        return;
    }
    let span = node.span.clone();
    if let Value::Table(entries) = &mut node.value {
        entries.push(Entry {
            key: key.to_owned(),
            key_span: span.clone(),
            node: Node { span, value },
        });
    }
}
