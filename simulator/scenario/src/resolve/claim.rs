//! `[[expect]]`: what must hold.

use squall_protocol::{
    QoS, ReasonCode, Version,
    topic::{TopicFilter, TopicName},
};
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::nearest::nearest;
use squall_toml::node::Value;

use super::Resolver;
use super::group::time;
use super::keep_alive::keep_alive_claim;
use super::malformed::malformed_claim;
use super::respond::response_claim;
use super::within::resolve_within;
use crate::error::Problem;
use crate::file::{DisplacedReasonWord, ExpectFile};
use crate::id::{FaultId, GroupId};
use crate::{
    ConnectionsClaim, DeliveryClaim, DropKind, Expectation, Fault, FaultAction, Group,
    NetworkClaim, Qos2HandshakeClaim, RetainedClaim, RetainedValue, TakeoverClaim, WillClaim,
};

impl Resolver<'_> {
    /// Resolves every expectation, in order.
    pub(super) fn resolve_expectations(
        &mut self,
        files: &[ExpectFile],
        at: &At<'_>,
    ) -> Vec<Expectation> {
        let mut expectations = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let at = at.item(index);
            if let Some(expectation) = self.resolve_expectation(file, &at) {
                self.check_expectation(&expectation, &at);
                expectations.push(expectation);
            }
        }
        expectations
    }

    /// The expectation, with its names looked up; `None` where one is missing.
    fn resolve_expectation(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        Some(match file {
            ExpectFile::Delivery { .. } => Expectation::Delivery(self.resolve_delivery(file, at)?),
            ExpectFile::Will {
                after,
                exactly,
                within,
            } => {
                let after = self.resolve_fault_names(after, &at.key("after"))?;
                Expectation::Will(WillClaim {
                    within: resolve_within(within, self.drop_kinds(&after).into_iter()),
                    after,
                    exactly: *exactly,
                })
            }
            ExpectFile::Retained { filter, equals } => Expectation::Retained(RetainedClaim {
                filter: self.resolve_filter(filter, &at.key("filter"))?,
                equals: self.resolve_retained_value(equals, &at.key("equals")),
            }),
            ExpectFile::Takeover { .. } => Expectation::Takeover(resolve_takeover(file)?),
            ExpectFile::Qos2Handshake {
                incomplete,
                dup_answered_with_pubrec,
                no_publish_after_pubrel,
            } => Expectation::Qos2Handshake(Qos2HandshakeClaim {
                incomplete: *incomplete,
                dup_answered_with_pubrec: *dup_answered_with_pubrec == Some(true),
                no_publish_after_pubrel: *no_publish_after_pubrel == Some(true),
            }),
            ExpectFile::Network { profile, tolerance } => Expectation::Network(NetworkClaim {
                profile: self.network_named(profile, &at.key("profile"))?,
                tolerance: *tolerance,
            }),
            ExpectFile::KeepAlive { .. } => Expectation::KeepAlive(keep_alive_claim(file)?),
            ExpectFile::Response { .. } => Expectation::Response(response_claim(file)?),
            ExpectFile::Malformed { .. } => Expectation::Malformed(malformed_claim(file)?),
            ExpectFile::Connections {
                group,
                refused,
                unexpected_disconnects,
            } => Expectation::Connections(ConnectionsClaim {
                group: self.resolve_group_name(group.as_deref(), &at.key("group")),
                refused: *refused,
                unexpected_disconnects: *unexpected_disconnects,
            }),
            ExpectFile::Session { .. }
            | ExpectFile::Expiry { .. }
            | ExpectFile::Shared { .. }
            | ExpectFile::Quota { .. } => self.resolve_kept(file, at)?,
        })
    }

    /// The claim of a `delivery`, `None` for any other check.
    fn resolve_delivery(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<DeliveryClaim> {
        let ExpectFile::Delivery {
            qos,
            group,
            lost,
            duplicated,
            reordered,
            misrouted,
            corrupted,
            mislabelled,
            late,
        } = file
        else {
            return None;
        };
        Some(DeliveryClaim {
            qos: qos.and_then(QoS::from_bits),
            group: self.resolve_group_name(group.as_deref(), &at.key("group")),
            lost: *lost,
            duplicated: *duplicated,
            reordered: *reordered,
            misrouted: *misrouted,
            corrupted: *corrupted,
            mislabelled: *mislabelled,
            late: *late,
        })
    }

    pub(super) fn resolve_group_name(
        &mut self,
        name: Option<&str>,
        at: &At<'_>,
    ) -> Option<GroupId> {
        let known = self.group_names();
        self.look_up("group", name?, &known, at).map(GroupId)
    }

    /// Every fault, or nothing if one is not there.
    fn resolve_fault_names(&mut self, names: &[String], at: &At<'_>) -> Option<Vec<FaultId>> {
        let known: Vec<String> = self.faults.iter().map(|fault| fault.name.clone()).collect();
        let ids: Vec<Option<FaultId>> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let at = at.item(index);
                if self.broken_faults.contains(name) {
                    return None;
                }
                let id = self.look_up("fault", name, &known, &at);
                if names[..index].contains(name) {
                    // Counted twice, its wills would be twice as many as there are.
                    let what = format!("fault {name:?} is named twice");
                    self.contradiction(&at, what, "each fault once".to_owned());
                    return None;
                }
                id.map(FaultId)
            })
            .collect();
        ids.into_iter().collect()
    }

    fn resolve_filter(&mut self, text: &str, at: &At<'_>) -> Option<TopicFilter<Box<str>>> {
        match TopicFilter::new(Box::from(text)) {
            Ok(filter) => Some(filter),
            Err(error) => {
                let text = text.to_owned();
                self.diagnostics.value(at, Problem::Topic { text, error });
                None
            }
        }
    }

    /// One of two words, or the text of a payload. A text that is nearly one of the words is a slip:
    /// taken as a payload, it would be compared with what no device sends.
    fn resolve_retained_value(&mut self, text: &str, at: &At<'_>) -> RetainedValue {
        let words = [RetainedValue::LastWill, RetainedValue::LastPublish];
        if let Some(value) = words.iter().find(|value| value.source() == text) {
            return value.clone();
        }
        let known = words.map(|value| value.source().to_owned()).to_vec();
        if nearest(text, &known).is_some() {
            let mistake = Mistake::UnknownValue {
                key: "equals".to_owned(),
                value: text.to_owned(),
                known,
            };
            self.diagnostics.value(at, mistake);
        }
        RetainedValue::Text(text.to_owned())
    }

    /// An expectation claims something, and something that can be judged.
    fn check_expectation(&mut self, expectation: &Expectation, at: &At<'_>) {
        match expectation {
            Expectation::Delivery(claim) => self.check_delivery(claim, at),
            Expectation::Will(claim) => self.check_will(claim, at),
            Expectation::Retained(claim) => self.check_retained(claim, at),
            Expectation::Takeover(_) => self.check_takeover(at),
            Expectation::Qos2Handshake(claim) => self.check_qos2_handshake(claim, at),
            Expectation::Network(claim) => self.check_network(claim, &at.key("profile")),
            Expectation::KeepAlive(_) => self.check_keep_alive(at),
            Expectation::Response(claim) => self.check_response_claim(claim, at),
            Expectation::Session(claim) => self.check_session(claim, at),
            Expectation::Expiry(_) => self.check_expiry(at),
            Expectation::Shared(_) => self.check_shared(at),
            Expectation::Quota(claim) => self.check_quota(claim, at),
            Expectation::Malformed(claim) => self.check_malformed_claim(claim, at),
            Expectation::Connections(_) => {
                self.check_claims_something(&["refused", "unexpected_disconnects"], at);
            }
        }
    }

    pub(super) fn check_claims_something(&mut self, keys: &[&str], at: &At<'_>) {
        if !keys.iter().any(|key| at.key(key).is_written()) {
            let problem = Problem::MissingKey {
                place: "`expect`".to_owned(),
                keys: keys.iter().map(|&key| key.to_owned()).collect(),
            };
            self.diagnostics.key(at, problem);
        }
    }

    fn check_delivery(&mut self, claim: &DeliveryClaim, at: &At<'_>) {
        let keys = [
            "lost",
            "duplicated",
            "reordered",
            "misrouted",
            "corrupted",
            "mislabelled",
            "late",
        ];
        self.check_claims_something(&keys, at);
        // A server of MQTT 5.0 sends again only after a reconnect [MQTT-4.4.0-1].
        let may_fail = self.groups.iter().zip(0..).any(|(group, id)| {
            group.version == Version::V5 && claim.group.is_none_or(|only| only == GroupId(id))
        });
        if claim.qos == Some(QoS::AtLeastOnce) && claim.duplicated.is_some() && !may_fail {
            let what = "QoS 1 of MQTT 3.1.1 allows duplicates: the claim could not fail".to_owned();
            let remedy =
                "`protocol = \"5.0\"`, `qos = 0` or `qos = 2`, or no `duplicated`".to_owned();
            self.contradiction(&at.key("duplicated"), what, remedy);
        }
    }

    fn check_will(&mut self, claim: &WillClaim, at: &At<'_>) {
        self.check_claims_something(&["exactly", "within"], at);
        let at_after = at.key("after");
        for (index, id) in claim.after.iter().enumerate() {
            self.check_will_is_due(*id, &at_after.item(index));
        }
        self.check_within(claim, &at.key("within"));
        if claim.exactly != Some(0) {
            self.check_time_is_left(claim, &at_after);
        }
    }

    /// A fault after which wills are counted ends connections of devices that have a will, and a
    /// device is subscribed to it.
    fn check_will_is_due(&mut self, id: FaultId, at: &At<'_>) {
        let fault = &self.faults[usize::from(id.0)];
        let Some(devices) = fault.devices() else {
            let what = format!("fault `{}` ends no connection by itself", fault.name);
            let remedy = "faults of action `drop` or `disconnect`".to_owned();
            return self.contradiction(at, what, remedy);
        };
        let group = &self.groups[usize::from(devices.group.0)];
        let problem = match (&devices.action, &group.will) {
            (
                FaultAction::Takeover(_)
                | FaultAction::Stall
                | FaultAction::Network(_)
                | FaultAction::Partition,
                _,
            ) => Some((
                format!("fault `{}` ends no connection by itself", fault.name),
                "faults of action `drop` or `disconnect`".to_owned(),
            )),
            (
                FaultAction::Drop(_)
                | FaultAction::Disconnect(_)
                | FaultAction::Flap(_)
                | FaultAction::Mute,
                None,
            ) => Some((
                format!("devices of group `{}` have no will", group.name),
                format!("a `[group.will]` in group `{}`", group.name),
            )),
            (FaultAction::Mute, Some(_)) if self.outlasted(fault).is_some() => {
                self.outlasted(fault)
            }
            (
                FaultAction::Drop(_)
                | FaultAction::Disconnect(_)
                | FaultAction::Flap(_)
                | FaultAction::Mute,
                Some(will),
            ) => {
                let topic = will.topic.render(0, &group.client_id_of(0));
                let remedy = format!("a `[[group.subscribe]]` that matches {topic:?}");
                let what = format!(
                    "no device is subscribed to the wills of group `{}`",
                    group.name
                );
                (!self.is_heard(&topic)).then_some((what, remedy))
            }
        };
        if let Some((what, remedy)) = problem {
            self.contradiction(at, what, remedy);
        }
    }

    /// Whether a device may subscribe to `topic`. Filters that differ from device to device count
    /// as if they did.
    fn is_heard(&self, topic: &str) -> bool {
        let Ok(topic) = TopicName::new(topic) else {
            return true;
        };
        self.groups.iter().any(|group| {
            group.subscribes.iter().any(|subscribe| {
                let text = subscribe.filter.render(0, &group.client_id_of(0));
                let matches = |filter: TopicFilter<String>| filter.matches(&topic);
                !subscribe.filter.is_literal()
                    || TopicFilter::for_version(text, group.version).is_ok_and(matches)
            })
        })
    }

    /// Kinds of the drops among these faults.
    fn drop_kinds(&self, faults: &[FaultId]) -> Vec<DropKind> {
        let faults = faults.iter().map(|id| &self.faults[usize::from(id.0)]);
        faults.filter_map(Fault::drop_kind).collect()
    }

    /// A limit for a kind of drop that is not among the claim's faults would be ignored silently.
    fn check_within(&mut self, claim: &WillClaim, at: &At<'_>) {
        let kinds = self.drop_kinds(&claim.after);
        if kinds.is_empty() && matches!(at.node().map(|node| &node.value), Some(Value::String(_))) {
            let condition = "a fault of `action = \"drop\"` in `after`".to_owned();
            let key = "within".to_owned();
            self.diagnostics
                .key(at, Problem::Misplaced { key, condition });
        }
        for kind in claim.within.keys().filter(|kind| !kinds.contains(kind)) {
            let condition = format!("a fault of `how = {:?}` in `after`", kind.name());
            self.misplaced(at, kind.name(), &condition);
        }
    }

    fn check_retained(&mut self, claim: &RetainedClaim, at: &At<'_>) {
        if claim.filter.share().is_some() {
            let what = "a shared subscription is sent no retained message".to_owned();
            let remedy = "the filter without `$share`".to_owned();
            self.contradiction(&at.key("filter"), what, remedy);
        }
        let mut wills = self.groups.iter().filter_map(|group| group.will.as_ref());
        let mut groups = self.groups.iter();
        let (is_sent, source) = match claim.equals {
            RetainedValue::LastWill => (wills.any(|will| will.retain), "will"),
            RetainedValue::LastPublish => (groups.any(Group::publishes_retained), "publish"),
            RetainedValue::Text(_) => return,
        };
        if !is_sent {
            let what = format!("no group has a {source} with retain");
            let remedy = format!("`retain = true` in a `{source}`");
            self.contradiction(&at.key("equals"), what, remedy);
        }
    }

    fn check_takeover(&mut self, at: &At<'_>) {
        let keys = [
            "alive_per_client_id",
            "displaced_closed_within",
            "reason",
            "session_present",
        ];
        self.check_claims_something(&keys, at);
        if !self.groups.iter().any(|g| g.version == Version::V5) {
            self.misplaced(at, "reason", "`protocol = \"5.0\"`");
        }
    }

    fn check_qos2_handshake(&mut self, claim: &Qos2HandshakeClaim, at: &At<'_>) {
        let flags = [
            ("dup_answered_with_pubrec", claim.dup_answered_with_pubrec),
            ("no_publish_after_pubrel", claim.no_publish_after_pubrel),
        ];
        self.check_claims_something(&["incomplete", flags[0].0, flags[1].0], at);
        for (key, is_claimed) in flags {
            let at = at.key(key);
            if at.is_written() && !is_claimed {
                let what = format!("`{key} = false` claims nothing");
                self.contradiction(&at, what, "`true`, or no such key".to_owned());
            }
        }
        let mut groups = self.groups.iter();
        if !groups.any(|group| group.publishes_at(QoS::ExactlyOnce)) {
            let what = "no group publishes with QoS 2".to_owned();
            let remedy = "a `publish` with `qos = 2`".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        }
    }

    fn check_network(&mut self, claim: &NetworkClaim, at: &At<'_>) {
        let id = claim.profile;
        let mut changes = self.faults.iter().filter_map(Fault::devices);
        let is_used = self.groups.iter().any(|group| group.network == Some(id))
            || changes.any(|devices| devices.action == FaultAction::Network(id));
        if !is_used {
            let name = &self.networks[usize::from(id.0)].name;
            let what = format!("no group is on network `{name}`");
            let remedy = format!("`network = {name:?}` in a `[[group]]`");
            self.contradiction(at, what, remedy);
        }
    }
}

/// The claim of a `takeover`, `None` for any other check.
fn resolve_takeover(file: &ExpectFile) -> Option<TakeoverClaim> {
    let ExpectFile::Takeover {
        alive_per_client_id,
        displaced_closed_within,
        reason,
        session_present,
    } = file
    else {
        return None;
    };
    Some(TakeoverClaim {
        alive_per_client_id: *alive_per_client_id,
        displaced_closed_within: time(*displaced_closed_within),
        reason: reason.map(|DisplacedReasonWord::SessionTakenOver| ReasonCode::SessionTakenOver),
        session_present_correct: session_present.is_some(),
    })
}
