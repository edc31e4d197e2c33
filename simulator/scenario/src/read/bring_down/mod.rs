//! Brings a scenario down to what its target has, and tells what that changed: `target.protocol = "3.1.1"` and
//! `target.lacks`.
//!
//! The document is changed before its types read it, so that what is left is a scenario as its author might have
//! written it for that broker, and everything that is checked there is checked here. A scenario whose question is about
//! something that the broker lacks is left as it is, with the reason to skip it.

mod changes;
mod claims;
mod features;
mod fields;
mod version;

use squall_toml::node::Node;

use crate::Feature;
use changes::Changes;
use fields::items_of;

/// What became of a scenario.
pub(super) struct Adapted {
    /// What was changed or left out, a sentence each.
    pub(super) changes: Vec<String>,
    /// Why it cannot be run against its target, a sentence each; empty if it can.
    pub(super) skipped_because: Vec<String>,
}

/// What the target of a scenario does not have.
struct Missing {
    /// All but MQTT 3.1.1.
    is_3_1_1_only: bool,
    features: Vec<Feature>,
}

impl Missing {
    fn of(document: &Node) -> Self {
        let target = document.get("target");
        let of_target = |key| target.and_then(|target| target.get(key));
        let is_3_1_1_only = of_target("protocol").and_then(Node::as_str) == Some("3.1.1");
        let lacks = of_target("lacks").map_or(&[][..], Node::items);
        let mut features: Vec<Feature> = lacks.iter().filter_map(feature).collect();
        if is_3_1_1_only && !features.contains(&Feature::WillDelay) {
            features.push(Feature::WillDelay);
        }
        Self {
            is_3_1_1_only,
            features,
        }
    }

    fn has_no(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

/// Brings `document` down to what its target has.
pub(super) fn apply(document: &mut Node) -> Adapted {
    let missing = Missing::of(document);
    let not_ours = features::stops_a_broker_of_others(document);
    if !not_ours.is_empty() {
        // Of a scenario that is not run nothing is claimed, and such faults are refused where squall starts no broker.
        for key in ["fault", "expect", "thresholds"] {
            document.remove(key);
        }
        return Adapted {
            changes: Vec::new(),
            skipped_because: not_ours,
        };
    }
    let skipped_because = why_not(document, &missing);
    if !skipped_because.is_empty() {
        return Adapted {
            changes: Vec::new(),
            skipped_because,
        };
    }
    let claimed = !items_of(document, "expect").is_empty();
    let mut changes = Changes::default();
    if missing.is_3_1_1_only {
        version::bring_down(document, &mut changes);
    }
    features::bring_down(document, &missing, &mut changes);
    claims::bring_down(document, &missing, &mut changes);
    let is_void = claimed && items_of(document, "expect").is_empty();
    Adapted {
        changes: changes.into_sentences(),
        skipped_because: is_void
            .then(|| "none of its claims can be made of this target".to_owned())
            .into_iter()
            .collect(),
    }
}

/// What the scenario says it needs and the target lacks, and what cannot be brought down.
fn why_not(document: &Node, missing: &Missing) -> Vec<String> {
    let needs = items_of(document, "needs").iter().filter_map(feature);
    let mut reasons: Vec<String> = needs
        .filter(|needed| missing.has_no(*needed))
        .map(|needed| {
            format!(
                "it is about {}, which this target does not have",
                needed.in_sentence()
            )
        })
        .collect();
    if reasons.is_empty() && missing.has_no(Feature::SharedSubscriptions) {
        reasons.extend(features::shared_that_must_be(document));
    }
    if reasons.is_empty() && missing.has_no(Feature::RetainedWildcards) {
        reasons.extend(features::retained_for_wildcards(document));
    }
    if reasons.is_empty() && missing.is_3_1_1_only {
        reasons.extend(version::breaks_5_0_alone(document));
        reasons.extend(version::stamped_by_property_alone(document));
    }
    reasons
}

fn feature(node: &Node) -> Option<Feature> {
    let name = node.as_str()?;
    Feature::ALL
        .into_iter()
        .find(|feature| feature.name() == name)
}

#[cfg(test)]
mod tests {
    use super::fields::text_of;
    use super::*;

    /// The changes, and the reasons to skip it, of a scenario that begins with `[target]`.
    fn adapted(target: &str, rest: &str) -> (Node, Adapted) {
        let text = format!("[target]\n{target}\n{rest}");
        let mut document = Node::parse_document(&text, 0).expect("it is TOML");
        let adapted = apply(&mut document);
        (document, adapted)
    }

    /// A broker of 5.0 that has everything needs no other scenario.
    #[test]
    fn nothing_is_changed_without_need() {
        let (_, adapted) = adapted("", "[[group]]\nname = \"g\"\nsession_expiry = \"1m\"\n");

        assert!(adapted.changes.is_empty());
        assert!(adapted.skipped_because.is_empty());
    }

    /// A Session that outlives its connection has Clean Session 0, and no end [3.1.1: MQTT-3.1.2-4].
    #[test]
    fn a_session_with_an_expiry_becomes_clean_session_0() {
        let group = "[[group]]\nname = \"g\"\nclean_start = false\nsession_expiry = \"5m\"\n";

        let (document, adapted) = adapted("protocol = \"3.1.1\"", group);

        let group = &items_of(&document, "group")[0];
        assert_eq!(text_of(group, "protocol"), "3.1.1");
        assert!(group.get("session_expiry").is_none());
        let told = adapted.changes.join("\n");
        assert!(told.contains("Clean Session 0"), "{told}");
    }

    /// What waits for nothing in 3.1.1 is published at once: a drop from which a device is back soon brings its will.
    #[test]
    fn without_a_delay_wills_are_not_claimed_absent_after_a_drop() {
        let rest = "[[group]]\nname = \"g\"\n[group.will]\ntopic = \"t\"\ndelay = \"2s\"\n\
                    [[fault]]\nname = \"f\"\ngroup = \"g\"\naction = \"drop\"\nhow = \"rst\"\n\
                    [[expect]]\ncheck = \"will\"\nafter = \"f\"\nexactly = 0\n\
                    [[expect]]\ncheck = \"delivery\"\nlost = 0\n";

        let (document, adapted) = adapted("protocol = \"3.1.1\"", rest);

        let left = items_of(&document, "expect");
        assert_eq!(left.len(), 1);
        assert_eq!(text_of(&left[0], "check"), "delivery");
        let told = adapted.changes.join("\n");
        assert!(told.contains("check will"), "{told}");
    }

    /// A scenario about what the broker lacks says nothing about it.
    #[test]
    fn a_scenario_that_needs_what_is_lacking_is_skipped_and_left_as_it_is() {
        let text =
            "[target]\nlacks = [\"qos2\"]\n[[group]]\nname = \"g\"\n[[group.publish]]\nqos = 2\n";
        let mut document = Node::parse_document(text, 0).expect("it is TOML");
        let needs = Node::parse_value("[\"qos2\"]", 0).expect("it is TOML");
        fields::put(&mut document, "needs", needs.value);

        let adapted = apply(&mut document);

        assert_eq!(
            adapted.skipped_because,
            ["it is about QoS 2, which this target does not have"]
        );
        let publish = &items_of(&items_of(&document, "group")[0], "publish")[0];
        assert_eq!(fields::integer_of(publish, "qos"), Some(2));
    }

    /// One reader stands for those who would share, of whom each would take a part.
    #[test]
    fn one_reader_takes_the_place_of_a_shared_subscription() {
        let rest = "[[group]]\nname = \"g\"\ncount = 4\n\
                    [[group.subscribe]]\nfilter = [\"$share/a/b/#\", \"$share/a/c\"]\n";

        let (document, adapted) = adapted("lacks = [\"shared_subscriptions\"]", rest);

        let group = &items_of(&document, "group")[0];
        assert_eq!(fields::integer_of(group, "count"), Some(1));
        let subscribe = &items_of(group, "subscribe")[0];
        let filters: Vec<_> = items_of(subscribe, "filter")
            .iter()
            .filter_map(Node::as_str)
            .collect();
        assert_eq!(filters, ["b/#", "c"]);
        assert_eq!(adapted.changes.len(), 1, "{:?}", adapted.changes);
    }

    /// Where faults take members of the share, a single reader would be another scenario.
    #[test]
    fn a_share_with_faults_is_not_replaced() {
        let rest = "[[group]]\nname = \"g\"\n[[group.subscribe]]\nfilter = \"$share/a/b\"\n\
                    [[fault]]\nname = \"f\"\ngroup = \"g\"\naction = \"drop\"\n";

        let (_, adapted) = adapted("lacks = [\"shared_subscriptions\"]", rest);

        assert_eq!(adapted.skipped_because.len(), 1);
    }

    /// At QoS 1 a message may come again, and there is no handshake of QoS 2 to claim anything about.
    #[test]
    fn qos_2_becomes_qos_1_with_the_claims_that_it_can_keep() {
        let rest = "[[group]]\nname = \"g\"\n[[group.publish]]\ntopic = \"t\"\nqos = 2\n\
                    [[expect]]\ncheck = \"delivery\"\nqos = 2\nlost = 0\nduplicated = 0\n\
                    [[expect]]\ncheck = \"qos2_handshake\"\nincomplete = 0\n\
                    [thresholds]\n\"qos2_handshake\" = [\"p99 < 1s\"]\n\"e2e_latency{qos=2}\" = [\"p99 < 1s\"]\n";

        let (document, adapted) = adapted("lacks = [\"qos2\"]", rest);

        let publish = &items_of(&items_of(&document, "group")[0], "publish")[0];
        assert_eq!(fields::integer_of(publish, "qos"), Some(1));
        let left = items_of(&document, "expect");
        assert_eq!(left.len(), 1);
        assert_eq!(fields::integer_of(&left[0], "qos"), Some(1));
        assert!(left[0].get("lost").is_some() && left[0].get("duplicated").is_none());
        let thresholds = document.get("thresholds").map_or(&[][..], Node::entries);
        assert_eq!(thresholds.len(), 1);
        assert_eq!(thresholds[0].key, "e2e_latency{qos=1}");
        assert!(adapted.skipped_because.is_empty());
    }

    /// A broker that says it sends none for wildcards is not asked for them; exact filters are judged.
    #[test]
    fn retained_messages_are_not_claimed_for_wildcards_where_there_are_none() {
        let rest = "[[expect]]\ncheck = \"retained\"\nfilter = \"a/+\"\nequals = \"last_will\"\n\
                    [[expect]]\ncheck = \"retained\"\nfilter = \"a/b\"\nequals = \"last_will\"\n";

        let (document, adapted) = adapted("lacks = [\"retained_wildcards\"]", rest);

        let left = items_of(&document, "expect");
        assert_eq!(left.len(), 1);
        assert_eq!(text_of(&left[0], "filter"), "a/b");
        assert_eq!(adapted.changes.len(), 1, "{:?}", adapted.changes);
    }

    /// Who subscribes with wildcards when something is retained already would miss it for good.
    #[test]
    fn late_subscribers_need_what_is_retained_for_wildcards() {
        let rest = |start: &str| {
            format!(
                "[[group]]\nname = \"a\"\n[[group.publish]]\ntopic = \"set/{{client_id}}\"\nretain = true\n\
                 [[group]]\nname = \"b\"\n{start}[[group.subscribe]]\nfilter = \"set/+\"\n"
            )
        };
        let lacks = "lacks = [\"retained_wildcards\"]";

        let (_, in_time) = adapted(lacks, &rest(""));
        let (_, late) = adapted(lacks, &rest("start = \"5s\"\n"));

        assert!(
            in_time.skipped_because.is_empty(),
            "{:?}",
            in_time.skipped_because
        );
        assert_eq!(
            late.skipped_because,
            [
                "group b needs retained messages for filters with wildcards, which this target does not have"
            ]
        );
    }

    /// A broker that its description reaches by url runs on when the run is over: squall does not kill it.
    #[test]
    fn a_scenario_that_stops_the_broker_is_skipped_where_squall_did_not_start_it() {
        let rest = "[[fault]]\nname = \"crash\"\naction = \"kill_broker\"\n";

        let (_, by_url) = adapted("use = \"emqx\"\nurl = \"mqtt://localhost\"", rest);
        let (_, spawned) = adapted("use = \"nats\"\nspawn = \"nats-server\"", rest);

        assert_eq!(
            by_url.skipped_because,
            ["fault crash stops the broker, which squall did not start"]
        );
        assert!(spawned.skipped_because.is_empty());
    }

    /// In 3.1.1 a stamp has no other place than the payload.
    #[test]
    fn a_stamp_in_a_property_goes_into_a_payload_that_takes_it() {
        let rest = |payload: &str| {
            format!(
                "[[group]]\nname = \"a\"\n[[group.publish]]\ntopic = \"t\"\nstamp = \"property\"\n{payload}\n"
            )
        };
        let v3 = "protocol = \"3.1.1\"";

        let (document, of_text) = adapted(v3, &rest("payload = { text = \"on\" }"));
        let (_, of_bytes) = adapted(v3, &rest("payload = { hex = \"00ff\" }"));

        let publish = &items_of(&items_of(&document, "group")[0], "publish")[0];
        assert!(publish.get("stamp").is_none());
        assert!(of_text.skipped_because.is_empty());
        assert_eq!(of_bytes.skipped_because.len(), 1);
    }

    /// A run without a claim would say nothing about the broker.
    #[test]
    fn a_scenario_without_a_claim_left_is_skipped() {
        let rest = "[[group]]\nname = \"g\"\n[[expect]]\ncheck = \"expiry\"\nnever_after = true\n";

        let (_, adapted) = adapted("protocol = \"3.1.1\"", rest);

        assert_eq!(
            adapted.skipped_because,
            ["none of its claims can be made of this target"]
        );
    }
}
