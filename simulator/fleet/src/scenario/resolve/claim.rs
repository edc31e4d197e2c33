//! `[[expect]]`: what must hold.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{QoS, ReasonCode, Version};

use super::Resolver;
use super::group::time;
use crate::id::{FaultId, GroupId, NetworkId};
use crate::scenario::error::Problem;
use crate::scenario::file::{DisplacedReasonWord, ExpectFile, FaultFile, WithinFile};
use crate::scenario::location::At;
use crate::scenario::units::format_duration;
use crate::scenario::{
    ConnectionsClaim, DeliveryClaim, DropKind, Expectation, FaultAction, NetworkClaim,
    Qos2HandshakeClaim, RetainedClaim, RetainedValue, RunSettings, TakeoverClaim, WillClaim,
};

impl Resolver<'_> {
    /// Resolves every expectation, in order.
    pub(super) fn resolve_expectations(
        &mut self,
        files: &[ExpectFile],
        run: &RunSettings,
        at: &At<'_>,
    ) -> Vec<Expectation> {
        files
            .iter()
            .enumerate()
            .filter_map(|(index, file)| self.resolve_expectation(file, run, &at.item(index)))
            .collect()
    }

    fn resolve_expectation(
        &mut self,
        file: &ExpectFile,
        run: &RunSettings,
        at: &At<'_>,
    ) -> Option<Expectation> {
        match file {
            ExpectFile::Delivery { .. } => self.resolve_delivery(file, at),
            ExpectFile::Will {
                after,
                exactly,
                within,
            } => self.resolve_will_claim(after, *exactly, within, run, at),
            ExpectFile::Retained { filter, equals } => self.resolve_retained(filter, equals, at),
            ExpectFile::Takeover { .. } => self.resolve_takeover(file, at),
            ExpectFile::Qos2Handshake { .. } => self.resolve_qos2_handshake(file, at),
            ExpectFile::Network { profile, tolerance } => {
                self.resolve_network_claim(profile, *tolerance, at)
            }
            ExpectFile::Connections { .. } => self.resolve_connections(file, at),
        }
    }

    fn resolve_delivery(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        let ExpectFile::Delivery {
            qos,
            group,
            lost,
            duplicated,
            reordered,
            misrouted,
            late,
        } = file
        else {
            unreachable!("the caller has matched it");
        };
        let keys = ["lost", "duplicated", "reordered", "misrouted", "late"];
        self.check_claims_something(&keys, at);
        Some(Expectation::Delivery(DeliveryClaim {
            qos: qos.and_then(QoS::from_bits),
            group: self.resolve_group_name(group.as_deref(), &at.key("group")),
            lost: *lost,
            duplicated: *duplicated,
            reordered: *reordered,
            misrouted: *misrouted,
            late: *late,
        }))
    }

    fn resolve_connections(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        let ExpectFile::Connections {
            group,
            refused,
            unexpected_disconnects,
        } = file
        else {
            unreachable!("the caller has matched it");
        };
        self.check_claims_something(&["refused", "unexpected_disconnects"], at);
        Some(Expectation::Connections(ConnectionsClaim {
            group: self.resolve_group_name(group.as_deref(), &at.key("group")),
            refused: *refused,
            unexpected_disconnects: *unexpected_disconnects,
        }))
    }

    fn resolve_will_claim(
        &mut self,
        after: &[String],
        exactly: Option<u32>,
        within: &WithinFile,
        run: &RunSettings,
        at: &At<'_>,
    ) -> Option<Expectation> {
        self.check_claims_something(&["exactly", "within"], at);
        let known: Vec<String> = self.faults.iter().map(|fault| fault.name.clone()).collect();
        let at_after = at.key("after");
        let mut faults = Vec::new();
        for (index, name) in after.iter().enumerate() {
            let at = at_after.item(index);
            if let Some(id) = self.look_up("fault", name, known.clone(), &at).map(FaultId) {
                self.check_will_is_due(id, &at);
                faults.push(id);
            }
        }
        let within = resolve_within(within);
        self.check_within(&within, &faults, &at.key("within"));
        self.check_time_is_left(&within, exactly, &faults, run, &at_after);
        Some(Expectation::Will(WillClaim {
            after: faults,
            exactly,
            within,
        }))
    }

    /// A fault after which wills are counted ends connections of devices that have one, and
    /// somebody hears it.
    fn check_will_is_due(&mut self, id: FaultId, at: &At<'_>) {
        let fault = &self.faults[usize::from(id.0)];
        let group = &self.groups[usize::from(fault.group.0)];
        let problem = match (&fault.action, &group.will) {
            (FaultAction::Takeover, _) => Some((
                format!("fault `{}` ends no connection by itself", fault.name),
                "faults of action `drop` or `disconnect`".to_owned(),
            )),
            (FaultAction::Drop(_) | FaultAction::Disconnect(_), None) => Some((
                format!("devices of group `{}` have no will", group.name),
                format!("a `[group.will]` in group `{}`", group.name),
            )),
            (FaultAction::Drop(_) | FaultAction::Disconnect(_), Some(will)) => {
                let topic = will.topic.render(0, &group.client_id_of(0));
                let remedy = format!("a `[[group.subscribe]]` that matches {topic:?}");
                let what = format!("nobody hears the wills of group `{}`", group.name);
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
                !subscribe.filter.is_literal() || TopicFilter::new(text).is_ok_and(matches)
            })
        })
    }

    /// A limit for a kind of drop that no fault of the claim is would be ignored silently.
    fn check_within(
        &mut self,
        within: &BTreeMap<DropKind, Duration>,
        faults: &[FaultId],
        at: &At<'_>,
    ) {
        let kinds: Vec<DropKind> = faults
            .iter()
            .filter_map(|id| match self.faults[usize::from(id.0)].action {
                FaultAction::Drop(kind) => Some(kind),
                FaultAction::Disconnect(_) | FaultAction::Takeover => None,
            })
            .collect();
        for kind in within.keys().filter(|kind| !kinds.contains(kind)) {
            let condition = format!("a fault of `how = {:?}` in `after`", kind.name());
            self.misplaced(at, kind.name(), &condition);
        }
    }

    /// The run must last until the last will that is claimed is due.
    fn check_time_is_left(
        &mut self,
        within: &BTreeMap<DropKind, Duration>,
        exactly: Option<u32>,
        faults: &[FaultId],
        run: &RunSettings,
        at: &At<'_>,
    ) {
        if exactly == Some(0) {
            return;
        }
        for id in faults {
            let fault = &self.faults[usize::from(id.0)];
            let FaultAction::Drop(kind) = fault.action else {
                continue;
            };
            let keep_alive = self.groups[usize::from(fault.group.0)].keep_alive_limit();
            let notice = match kind {
                DropKind::Silent => match within.get(&kind).copied().max(keep_alive) {
                    Some(notice) if keep_alive.is_some() => notice,
                    _ => {
                        let what = format!(
                            "fault `{}` is silent and its group has no keep alive: it is never noticed",
                            fault.name
                        );
                        self.contradiction(at, what, "a `keep_alive` above 0s".to_owned());
                        continue;
                    }
                },
                _ => within.get(&kind).copied().unwrap_or_default(),
            };
            let due = fault.times().last().unwrap_or_default() + notice;
            if due > run.duration + run.drain {
                let what = format!(
                    "wills after `{}` may come until {}, the run ends at {}",
                    fault.name,
                    format_duration(due),
                    format_duration(run.duration + run.drain)
                );
                let remedy = "a longer `run.duration` or `run.drain`".to_owned();
                self.contradiction(at, what, remedy);
            }
        }
    }

    fn resolve_retained(&mut self, filter: &str, equals: &str, at: &At<'_>) -> Option<Expectation> {
        let at_filter = at.key("filter");
        let text = filter;
        let filter = match TopicFilter::new(Box::from(text)) {
            Ok(filter) => filter,
            Err(error) => {
                let text = text.to_owned();
                self.diagnostics
                    .value(&at_filter, Problem::Topic { text, error });
                return None;
            }
        };
        if filter.share().is_some() {
            let what = "a shared subscription is sent no retained message".to_owned();
            let remedy = "the filter without `$share`".to_owned();
            self.contradiction(&at_filter, what, remedy);
        }
        let wills = || self.groups.iter().filter_map(|group| group.will.as_ref());
        let publishes = || self.groups.iter().flat_map(|group| &group.publishes);
        let (equals, is_sent, source) = match equals {
            "last_will" => {
                let is_sent = wills().any(|will| will.retain);
                (RetainedValue::LastWill, is_sent, "will")
            }
            "last_publish" => {
                let is_sent = publishes().any(|publish| publish.retain);
                (RetainedValue::LastPublish, is_sent, "publish")
            }
            text => (RetainedValue::Text(text.to_owned()), true, ""),
        };
        if !is_sent {
            let what = format!("no group has a {source} with retain");
            let remedy = format!("`retain = true` in a `{source}`");
            self.contradiction(&at.key("equals"), what, remedy);
        }
        Some(Expectation::Retained(RetainedClaim { filter, equals }))
    }

    fn resolve_takeover(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        let ExpectFile::Takeover {
            alive_per_client_id,
            displaced_closed_within,
            reason,
            session_present,
        } = file
        else {
            unreachable!("the caller has matched it");
        };
        let keys = [
            "alive_per_client_id",
            "displaced_closed_within",
            "reason",
            "session_present",
        ];
        self.check_claims_something(&keys, at);
        let is_v5 = |group: &super::Group| group.version == Version::V5;
        if !self.groups.iter().any(is_v5) {
            self.misplaced(at, "reason", "`protocol = \"5.0\"`");
        }
        Some(Expectation::Takeover(TakeoverClaim {
            alive_per_client_id: *alive_per_client_id,
            displaced_closed_within: time(*displaced_closed_within),
            reason: reason
                .map(|DisplacedReasonWord::SessionTakenOver| ReasonCode::SessionTakenOver),
            session_present_correct: session_present.is_some(),
        }))
    }

    fn resolve_qos2_handshake(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        let ExpectFile::Qos2Handshake {
            incomplete,
            dup_answered_with_pubrec,
            no_publish_after_pubrel,
        } = *file
        else {
            unreachable!("the caller has matched it");
        };
        let keys = [
            "incomplete",
            "dup_answered_with_pubrec",
            "no_publish_after_pubrel",
        ];
        self.check_claims_something(&keys, at);
        for (key, claim) in [
            (keys[1], dup_answered_with_pubrec),
            (keys[2], no_publish_after_pubrel),
        ] {
            if claim == Some(false) {
                let what = format!("`{key} = false` claims nothing");
                let remedy = "`true`, or no such key".to_owned();
                self.contradiction(&at.key(key), what, remedy);
            }
        }
        let has_qos2 = self
            .groups
            .iter()
            .any(|group| group.publishes.iter().any(|p| p.qos == QoS::ExactlyOnce));
        if !has_qos2 {
            let what = "no group publishes with QoS 2".to_owned();
            let remedy = "a `publish` with `qos = 2`".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        }
        Some(Expectation::Qos2Handshake(Qos2HandshakeClaim {
            incomplete,
            dup_answered_with_pubrec: dup_answered_with_pubrec.is_some(),
            no_publish_after_pubrel: no_publish_after_pubrel.is_some(),
        }))
    }

    fn resolve_network_claim(
        &mut self,
        profile: &str,
        tolerance: f64,
        at: &At<'_>,
    ) -> Option<Expectation> {
        let at = at.key("profile");
        let known: Vec<String> = self.networks.iter().map(|n| n.name.clone()).collect();
        let id = NetworkId(self.look_up("network", profile, known, &at)?);
        if !self.groups.iter().any(|group| group.network == Some(id)) {
            let what = format!("no group is on network `{profile}`");
            let remedy = format!("`network = {profile:?}` in a `[[group]]`");
            self.contradiction(&at, what, remedy);
        }
        Some(Expectation::Network(NetworkClaim {
            profile: id,
            tolerance,
        }))
    }

    fn resolve_group_name(&mut self, name: Option<&str>, at: &At<'_>) -> Option<GroupId> {
        let known = self.group_names();
        self.look_up("group", name?, known, at).map(GroupId)
    }

    fn check_claims_something(&mut self, keys: &[&str], at: &At<'_>) {
        if !keys.iter().any(|key| at.key(key).is_written()) {
            let problem = Problem::MissingKey {
                place: "`expect`".to_owned(),
                keys: keys.iter().map(|&key| key.to_owned()).collect(),
            };
            self.diagnostics.key(at, problem);
        }
    }
}

/// The longest time that a claim gives to what follows from `fault`.
pub(super) fn promised_time(fault: &FaultFile, claims: &[ExpectFile]) -> Option<Duration> {
    let kind = super::fault::drop_kind(fault)?;
    let promised = claims.iter().filter_map(|claim| match claim {
        ExpectFile::Will { after, within, .. } => after
            .iter()
            .any(|name| Some(name) == fault.name.as_ref())
            .then(|| resolve_within(within).get(&kind).copied())
            .flatten(),
        _ => None,
    });
    promised.max()
}

fn resolve_within(file: &WithinFile) -> BTreeMap<DropKind, Duration> {
    let limits = [
        (DropKind::Silent, file.silent),
        (DropKind::Fin, file.fin),
        (DropKind::Rst, file.rst),
        (DropKind::HalfClose, file.half_close),
        (DropKind::MidPacket, file.mid_packet),
        (DropKind::Malformed, file.malformed),
    ];
    limits
        .into_iter()
        .filter_map(|(kind, limit)| Some((kind, time(limit)?)))
        .collect()
}
