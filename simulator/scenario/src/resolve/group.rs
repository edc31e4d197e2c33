//! `[[group]]`: fleets of devices.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::time::Duration;

use squall_protocol::{QoS, Version, topic::TopicName};
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::file::{
    BackoffFile, DurationText, GroupFile, ProtocolWord, Qos2File, ReconnectFile, RetransmitWord,
    SessionWord, WhenWord, WillFile,
};
use crate::id::DeviceId;
use crate::template::Use;
use crate::{
    Backoff, CutAfter, DeviceTemplate, Distribution, Group, Qos2, Reconnect, ReconnectWhen,
    Retransmit, SessionStart, Will, Withhold,
};

/// `keep_alive` unless the file says otherwise.
const KEEP_ALIVE_DEFAULT: Duration = Duration::from_secs(60);

/// `connect_rate` unless the file says otherwise.
const CONNECT_RATE_DEFAULT: f64 = 1_000.0;

/// `reconnect.backoff` unless the file says otherwise.
const BACKOFF_DEFAULT: Backoff = Backoff::Drawn(Distribution::Uniform {
    min: Duration::from_millis(100),
    max: Duration::from_secs(1),
});

impl Resolver<'_> {
    /// Resolves every group, in order, and compares their Client Identifiers.
    pub(super) fn resolve_groups(&mut self, files: &[GroupFile], at: &At<'_>) {
        let mut first_device = 0_u32;
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (index, file) in files.iter().enumerate() {
            let at = at.item(index);
            let is_twice = self.groups.iter().any(|group| group.name == file.name);
            let group = self.resolve_group(file, DeviceId(first_device), &at);
            first_device = first_device.saturating_add(group.count);
            // Two groups of one name have the same ids by default: one mistake, not two.
            if !is_twice {
                self.check_client_ids(&group, &mut taken, &at.key("client_id"));
            }
            self.check_login(&group, &at);
            self.resolve_streams(group, file, &at);
        }
    }

    /// Resolves what a group is, without its streams of messages.
    fn resolve_group(&mut self, file: &GroupFile, first_device: DeviceId, at: &At<'_>) -> Group {
        let names = self.group_names();
        self.check_unique("group", &file.name, names.iter(), &at.key("name"));
        self.resolve_feed(file.feed.as_ref(), &at.key("feed"));
        let version = match file.protocol {
            Some(ProtocolWord::V3_1_1) => Version::V3_1_1,
            Some(ProtocolWord::V5) | None => Version::V5,
        };
        let clean_start = file.clean_start.unwrap_or(true);
        if version == Version::V3_1_1 {
            self.misplaced(at, "session_expiry", "`protocol = \"5.0\"`");
            self.misplaced(at, "topic_alias", "`protocol = \"5.0\"`");
        }
        let session_expiry = self.whole_seconds(
            file.session_expiry.map(|text| text.0).unwrap_or_default(),
            u32::MAX - 1,
            &at.key("session_expiry"),
        );
        let keep_alive = self.whole_seconds(
            file.keep_alive.map_or(KEEP_ALIVE_DEFAULT, |text| text.0),
            u16::MAX.into(),
            &at.key("keep_alive"),
        );
        let client_id = self.resolve_client_id(file, &at.key("client_id"));
        Group {
            name: file.name.clone(),
            count: file.count,
            first_device,
            version,
            login: self.resolve_login(file, at),
            carriers: self.resolve_carriers(file, &client_id, at),
            client_id,
            clean_start,
            session_expiry_interval: match version {
                Version::V5 => session_expiry,
                Version::V3_1_1 if clean_start => 0,
                Version::V3_1_1 => u32::MAX,
            },
            session: self.resolve_session(file, at),
            feed: file.feed.as_ref().map(|feed| feed.csv.clone()),
            // Checked to fit; the fallback comes with a note.
            keep_alive: u16::try_from(keep_alive).unwrap_or(u16::MAX),
            topic_alias: file.topic_alias.unwrap_or_default(),
            receive_maximum: file
                .receive_maximum
                .and_then(NonZeroU16::new)
                .unwrap_or(NonZeroU16::MAX),
            connect_rate: file.connect_rate.unwrap_or(CONNECT_RATE_DEFAULT),
            attendance: self.resolve_attendance(file, at),
            network: file
                .network
                .as_deref()
                .and_then(|name| self.network_named(name, &at.key("network"))),
            will: None,
            birth: None,
            publishes: Vec::new(),
            subscribes: Vec::new(),
            responds: Vec::new(),
            reconnect: self.resolve_reconnect(&file.reconnect, &at.key("reconnect")),
            qos2: self.resolve_qos2(&file.qos2, &at.key("qos2")),
        }
    }

    fn resolve_session(&mut self, file: &GroupFile, at: &At<'_>) -> SessionStart {
        match file.session {
            None | Some(SessionWord::Fresh) => SessionStart::Fresh,
            Some(SessionWord::Resume) => {
                if file.clean_start.unwrap_or(true) {
                    self.misplaced(at, "session", "`clean_start = false`");
                }
                SessionStart::Resume
            }
        }
    }

    /// Adds the streams and the will to a group and keeps it.
    fn resolve_streams(&mut self, mut group: Group, file: &GroupFile, at: &At<'_>) {
        group.will = file
            .will
            .as_ref()
            .map(|will| self.resolve_will(will, &group, &at.key("will")));
        group.birth = file
            .birth
            .as_ref()
            .map(|birth| self.resolve_birth(birth, &group, &at.key("birth")));
        let at_publishes = at.key("publish");
        for (index, publish) in file.publish.iter().enumerate() {
            let publish = self.resolve_publish(publish, &group, &at_publishes.item(index));
            group.publishes.push(publish);
        }
        let at_subscribes = at.key("subscribe");
        for (index, subscribe) in file.subscribe.iter().enumerate() {
            let subscribes = self.resolve_subscribe(subscribe, &group, &at_subscribes.item(index));
            group.subscribes.extend(subscribes);
        }
        let at_responds = at.key("respond");
        for (index, respond) in file.respond.iter().enumerate() {
            let at = at_responds.item(index);
            let (respond, subscribe) = self.resolve_respond(respond, &group, &at);
            group.responds.push(respond);
            group.subscribes.push(subscribe);
        }
        self.check_filters_differ(&group, file, at);
        self.check_qos2_is_used(&group, &at.key("qos2"));
        self.groups.push(group);
    }

    fn resolve_client_id(&mut self, file: &GroupFile, at: &At<'_>) -> DeviceTemplate {
        let text = file.client_id.as_deref().unwrap_or("{group}-{index}");
        let fixed = self.fixed(&file.name);
        let template = DeviceTemplate::parse(text, Use::ClientId, &fixed);
        self.or_note(template, at)
            .unwrap_or_else(|| DeviceTemplate::literal(&file.name))
    }

    /// Client Identifiers are UTF-8 strings of 1 to 65,535 bytes (§3.1.3.1). Groups do not share
    /// them: it would be a slip, and a fight is written as one group with `{index % N}`.
    fn check_client_ids(&mut self, group: &Group, taken: &mut BTreeSet<String>, at: &At<'_>) {
        let own: BTreeSet<String> = (0..group.count).map(|n| group.client_id_of(n)).collect();
        let malformed = own
            .iter()
            .find(|id| id.is_empty() || id.len() > usize::from(u16::MAX) || id.contains('\0'));
        if let Some(id) = malformed {
            let problem = Mistake::OutOfRange {
                value: format!("client id {id:?}"),
                range: "1 to 65535 bytes without the null character".to_owned(),
            };
            self.diagnostics.value(at, problem);
        }
        if let Some(id) = own.intersection(taken).next() {
            let what = format!("client id {id:?} belongs to an earlier group");
            let remedy = "ids of its own, or one group with `{index % N}` to fight over ids";
            self.contradiction(at, what, remedy.to_owned());
        }
        taken.extend(own);
    }

    fn resolve_will(&mut self, file: &WillFile, group: &Group, at: &At<'_>) -> Will {
        let fixed = self.fixed(&group.name);
        let at_topic = at.key("topic");
        let topic = DeviceTemplate::parse(&file.topic, Use::DeviceText, &fixed);
        let topic = self
            .or_note(topic, &at_topic)
            .unwrap_or_else(|| DeviceTemplate::literal("will"));
        self.check_device_texts(&topic, group, &at_topic, |text| {
            TopicName::new(text).map(drop)
        });
        Will {
            topic,
            payload: self.resolve_will_payload(
                file.payload.as_ref(),
                &group.name,
                &at.key("payload"),
            ),
            qos: resolve_qos(file.qos),
            retain: file.retain.unwrap_or(false),
            delay_interval: self.resolve_will_delay(file, group, at),
        }
    }

    /// The Will Delay Interval, in seconds.
    fn resolve_will_delay(&mut self, file: &WillFile, group: &Group, at: &At<'_>) -> u32 {
        let at_delay = at.key("delay");
        if group.version == Version::V3_1_1 {
            self.misplaced(at, "delay", "`protocol = \"5.0\"`");
        }
        let delay = time(file.delay).unwrap_or_default();
        let seconds = self.whole_seconds(delay, u32::MAX, &at_delay);
        if seconds > 0 && !group.is_persistent() {
            let what = "a will waits at most until the Session ends, and this one ends with its connection \
                        (§3.1.3.2.2)";
            let remedy = format!("`session_expiry = {:?}` or more", format_duration(delay));
            self.contradiction(&at_delay, what.to_owned(), remedy);
        }
        seconds
    }

    fn resolve_reconnect(&mut self, file: &ReconnectFile, at: &At<'_>) -> Reconnect {
        let when = match file.when {
            Some(WhenWord::Never) => ReconnectWhen::Never,
            Some(WhenWord::Always) => ReconnectWhen::Always,
            Some(WhenWord::Unexpected) | None => ReconnectWhen::Unexpected,
        };
        let backoff = match &file.backoff {
            None => BACKOFF_DEFAULT,
            Some(BackoffFile::Drawn(drawn)) => {
                Backoff::Drawn(self.resolve_distribution(Some(drawn), &at.key("backoff")))
            }
            Some(BackoffFile::Growing(growing)) => {
                Backoff::Growing(self.resolve_growing(growing, &at.key("backoff")))
            }
        };
        Reconnect { when, backoff }
    }

    fn resolve_qos2(&mut self, file: &Qos2File, at: &At<'_>) -> Qos2 {
        let default = Withhold::default();
        let reconnect_after = file
            .withhold
            .reconnect_after
            .map_or(default.reconnect_after, |text| text.0);
        self.check_above_zero(reconnect_after, &at.key("withhold").key("reconnect_after"));
        let delay_pubrel = file
            .delay_pubrel
            .as_ref()
            .map(|delay| self.resolve_distribution(Some(delay), &at.key("delay_pubrel")));
        Qos2 {
            retransmit: self.resolve_retransmit(file, at),
            cut_after: CutAfter {
                publish: file.cut_after.publish.unwrap_or(0.0),
                pubrec: file.cut_after.pubrec.unwrap_or(0.0),
                pubrel: file.cut_after.pubrel.unwrap_or(0.0),
            },
            delay_pubrel,
            withhold: Withhold {
                pubrec: file.withhold.pubrec.unwrap_or(0.0),
                pubcomp: file.withhold.pubcomp.unwrap_or(0.0),
                reconnect_after,
            },
        }
    }

    fn resolve_retransmit(&mut self, file: &Qos2File, at: &At<'_>) -> Retransmit {
        let after = file
            .retransmit_after
            .map_or(Retransmit::AFTER_DEFAULT, |text| text.0);
        let key = at.key("retransmit_after");
        self.check_above_zero(after, &key);
        match file.retransmit {
            Some(RetransmitWord::SameConnection) => Retransmit::SameConnection { after },
            Some(RetransmitWord::OnReconnect) | None => {
                if file.retransmit_after.is_some() {
                    self.misplaced(at, "retransmit_after", "`retransmit = \"same_connection\"`");
                }
                Retransmit::OnReconnect
            }
        }
    }

    /// Faults in exchanges that a group never has would be ignored silently.
    fn check_qos2_is_used(&mut self, group: &Group, at: &At<'_>) {
        let publishes = group.publishes_at(QoS::ExactlyOnce);
        let subscribes = group
            .subscribes
            .iter()
            .any(|s| s.options.qos == QoS::ExactlyOnce);
        let is_answered = publishes || group.publishes_at(QoS::AtLeastOnce);
        if group.qos2.retransmit != Retransmit::OnReconnect && !is_answered {
            self.misplaced(at, "retransmit", "a `publish` with `qos = 1` or `2`");
        }
        if !publishes {
            self.misplaced(at, "cut_after", "a `publish` with `qos = 2`");
            self.misplaced(at, "delay_pubrel", "a `publish` with `qos = 2`");
        }
        if !subscribes {
            self.misplaced(at, "withhold", "a `subscribe` with `qos = 2`");
        }
    }

    /// `duration` in whole seconds, as MQTT carries it, at most `max`.
    pub(super) fn whole_seconds(&mut self, duration: Duration, max: u32, at: &At<'_>) -> u32 {
        let seconds = u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        if duration.subsec_nanos() > 0 || seconds > max {
            let problem = Mistake::OutOfRange {
                value: format_duration(duration),
                range: format!("whole seconds, at most {max}s"),
            };
            self.diagnostics.value(at, problem);
        }
        seconds
    }
}

/// A level that the schema has checked; 0 if there is none.
pub(super) fn resolve_qos(qos: Option<u8>) -> QoS {
    qos.and_then(QoS::from_bits).unwrap_or_default()
}

/// The time that a file gives, if it gives one.
pub(super) fn time(text: Option<DurationText>) -> Option<Duration> {
    text.map(|text| text.0)
}
