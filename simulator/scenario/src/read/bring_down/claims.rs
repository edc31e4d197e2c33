//! Claims and thresholds that the target cannot keep, for what it does not have.

use squall_toml::node::{Node, Value};

use super::Missing;
use super::changes::Changes;
use super::features::lower;
use super::fields::{integer_of, items_of, text_of, texts_of};
use crate::Feature;

/// Keys of an `[[expect]]` that claim nothing by themselves.
const NO_CLAIMS: [&str; 6] = ["check", "group", "qos", "after", "tolerance", "filter"];

/// Takes out of `document` what is claimed of things that its target does not have.
pub(super) fn bring_down(document: &mut Node, missing: &Missing, changes: &mut Changes) {
    let dropped = faults_that_drop(document);
    let qos_1_alone = delivers_at_qos_1_alone(document);
    if let Some(Node {
        value: Value::Array(expectations),
        ..
    }) = document.get_mut("expect")
    {
        expectations.retain_mut(|expectation| {
            let mut claims = Claims {
                place: format!("check {}", text_of(expectation, "check")),
                expectation,
                changes,
                has_lost_one: false,
                qos_1_alone,
            };
            claims.bring_down(missing, &dropped);
            claims.are_left()
        });
    }
    if missing.has_no(Feature::Qos2)
        && let Some(Node {
            value: Value::Table(thresholds),
            ..
        }) = document.get_mut("thresholds")
    {
        thresholds.retain_mut(|threshold| {
            let is_left = !threshold.key.starts_with("qos2_");
            if !is_left {
                let what = "left out, the target has no QoS 2";
                changes.note(&format!("threshold {}", threshold.key), what);
            }
            threshold.key = threshold.key.replace("qos=2", "qos=1");
            is_left
        });
    }
}

/// Names of the faults that end connections without a goodbye.
fn faults_that_drop(document: &Node) -> Vec<String> {
    let faults = items_of(document, "fault").iter();
    faults
        .filter(|fault| text_of(fault, "action") == "drop")
        .map(|fault| text_of(fault, "name"))
        .collect()
}

/// Whether every delivery of the scenario is at QoS 1: the lower one of what is published and what is asked for.
fn delivers_at_qos_1_alone(document: &Node) -> bool {
    let qos_in = |list: &str| -> Vec<i64> {
        let groups = items_of(document, "group").iter();
        let blocks = groups.flat_map(|group| items_of(group, list));
        blocks
            .map(|block| integer_of(block, "qos").unwrap_or_default())
            .collect()
    };
    let published = qos_in("publish");
    let subscribed = [qos_in("subscribe"), qos_in("respond")].concat();
    let has = |qos: i64| published.contains(&qos) || subscribed.contains(&qos);
    let both_have_2 = published.contains(&2) && subscribed.contains(&2);
    !has(0) && !both_have_2
}

/// What one `[[expect]]` claims.
struct Claims<'a> {
    expectation: &'a mut Node,
    /// What it is called among the changes.
    place: String,
    changes: &'a mut Changes,
    /// Whether one was taken out.
    has_lost_one: bool,
    /// Whether all messages of the scenario may come again, if QoS 1 allows it.
    qos_1_alone: bool,
}

impl Claims<'_> {
    fn bring_down(&mut self, missing: &Missing, dropped: &[String]) {
        let check = text_of(self.expectation, "check");
        if missing.is_3_1_1_only {
            self.bring_down_to_3_1_1(&check);
        }
        if missing.has_no(Feature::Qos2) {
            self.bring_down_to_qos_1(&check);
        }
        if missing.has_no(Feature::SharedSubscriptions) && check == "shared" {
            let why = "the target has no shared subscriptions";
            self.leave_out(&["exactly_one", "redistributed"], why);
        }
        let has_wildcards = text_of(self.expectation, "filter").contains(['+', '#']);
        if missing.has_no(Feature::RetainedWildcards) && check == "retained" && has_wildcards {
            let why = "the target sends no retained message for a filter with wildcards";
            self.leave_out(&["equals"], why);
        }
        let follows_a_drop = || {
            let mut after = texts_of(self.expectation, "after").into_iter();
            after.any(|name| dropped.iter().any(|known| known == name))
        };
        // A will without a delay is published though its device is back at once.
        if missing.has_no(Feature::WillDelay)
            && check == "will"
            && integer_of(self.expectation, "exactly") == Some(0)
            && follows_a_drop()
        {
            self.leave_out(&["exactly"], "without a delay the will is due at once");
        }
    }

    fn bring_down_to_3_1_1(&mut self, check: &str) {
        match check {
            "takeover" => self.leave_out(
                &["reason"],
                "a broker of MQTT 3.1.1 closes without DISCONNECT",
            ),
            "malformed" => self.leave_out(
                &["reason"],
                "a broker of MQTT 3.1.1 tells no reason when it closes",
            ),
            "response" => self.leave_out(
                &["misdirected", "within"],
                "MQTT 3.1.1 has no Response Topic and no Correlation Data",
            ),
            "expiry" => self.leave_out(
                &["never_after", "remaining"],
                "MQTT 3.1.1 has no Message Expiry Interval",
            ),
            "quota" => {
                self.leave_out(&["receive_maximum"], "MQTT 3.1.1 has no Receive Maximum");
            }
            "delivery" => {
                let qos = integer_of(self.expectation, "qos");
                if qos == Some(1) || qos.is_none() && self.qos_1_alone {
                    self.leave_out(&["duplicated"], "QoS 1 of MQTT 3.1.1 allows duplicates");
                }
            }
            _ => {}
        }
    }

    fn bring_down_to_qos_1(&mut self, check: &str) {
        let why = "the target has no QoS 2";
        if check == "qos2_handshake" {
            let keys = [
                "incomplete",
                "dup_answered_with_pubrec",
                "no_publish_after_pubrel",
            ];
            self.leave_out(&keys, why);
        }
        if check == "delivery" && lower(self.expectation) {
            self.changes.note(&self.place, "of QoS 1 in place of QoS 2");
            self.leave_out(&["duplicated"], why);
        }
    }

    /// Takes these claims out.
    fn leave_out(&mut self, keys: &[&str], why: &str) {
        for key in keys {
            if self.expectation.remove(key).is_some() {
                self.has_lost_one = true;
                self.changes
                    .note(&self.place, format!("{key} is not claimed, {why}"));
            }
        }
    }

    fn are_left(&self) -> bool {
        let mut keys = self.expectation.entries().iter();
        !self.has_lost_one || keys.any(|entry| !NO_CLAIMS.contains(&entry.key.as_str()))
    }
}
