//! Writes a resolved scenario down as a scenario file in which nothing is left to a default.
//!
//! The text reads back as the same scenario; the run file keeps it, so that a run can be repeated
//! even if a default changes. What a file can only leave out is said in a comment.

mod attendance;
mod claims;
mod distribution;
mod login;
mod pacing;
mod payload;
mod respond;
mod special;
mod subscribe;
mod target;
mod text;
mod tls;

use std::time::Duration;

use squall_protocol::{QoS, Version};
use squall_toml::quantity::format_bit_rate;
use squall_toml::quote::{quote, quote_key};
use squall_toml::secret::without_secrets;

use crate::{
    Birth, DeviceFault, Fault, FaultAction, FaultTiming, Group, Loss, Network, Publish, Qos2,
    Retransmit, RunSettings, Scenario, Select, Threshold, Will,
};
use distribution::{backoff, distribution};
use subscribe::write_subscribe;
use text::{Text, array, duration, float, pair, table};

impl Scenario {
    /// The scenario as a file with every default written out, and with `***` in place of every secret.
    pub fn to_resolved_toml(&self) -> String {
        let mut text = Text::default();
        text.pair("version", 1);
        text.pair("name", quote(&self.name));
        text.pair("description", quote(&self.description));
        text.pair("seed", self.seed);
        if !self.extends.is_empty() {
            let bases = self.extends.join(", ");
            text.comment(&format!("with what it does not say from {bases}"));
        }
        if !self.needs.is_empty() {
            let needs = self.needs.iter().map(|needed| quote(needed.name()));
            text.pair("needs", array(needs));
        }
        if !self.vars.is_empty() {
            text.header("[vars]");
            for (name, value) in &self.vars {
                text.pair(&quote_key(name), quote(value));
            }
        }
        self.write_target(&mut text);
        if !self.sources.is_empty() {
            let sources = self.sources.iter();
            text.pair(
                "source",
                array(sources.map(|source| quote(&source.to_string()))),
            );
        }
        login::write(&mut text, &self.login);
        tls::write(&mut text, &self.tls);
        write_run(&mut text, &self.run);
        for network in &self.networks {
            write_network(&mut text, network);
        }
        for group in &self.groups {
            self.write_group(&mut text, group);
        }
        for fault in &self.faults {
            self.write_fault(&mut text, fault);
        }
        for expectation in &self.expectations {
            text.header("[[expect]]");
            text.pair("check", quote(expectation.check_name()));
            self.write_claims(&mut text, expectation);
        }
        if !self.thresholds.is_empty() {
            text.header("[thresholds]");
            for threshold in &self.thresholds {
                write_threshold(&mut text, threshold);
            }
        }
        without_secrets(&text.out)
    }

    fn write_group(&self, text: &mut Text, group: &Group) {
        text.header("[[group]]");
        text.pair("name", quote(&group.name));
        text.pair("count", group.count);
        if let Some(csv) = &group.feed {
            text.pair("feed", format!("{{ csv = {} }}", quote(csv)));
        }
        text.pair("client_id", quote(group.client_id.source()));
        text.pair("protocol", quote(version_name(group.version)));
        login::write_of_group(text, group);
        if self.target.transports().len() > 1 {
            text.pair("transport", quote(group.carriers.of(0, 0).transport.name()));
        }
        tls::write_of_group(text, group.carriers.own_tls.as_ref());
        text.pair("clean_start", group.clean_start);
        if !group.clean_start {
            text.pair("session", quote(group.session.name()));
        }
        if group.version == Version::V5 {
            let expiry = Duration::from_secs(group.session_expiry_interval.into());
            text.pair("session_expiry", duration(expiry));
            text.pair("topic_alias", group.topic_alias);
        }
        text.pair("receive_maximum", group.receive_maximum);
        let keep_alive = Duration::from_secs(group.keep_alive.into());
        text.pair("keep_alive", duration(keep_alive));
        text.pair("connect_rate", float(group.connect_rate));
        attendance::write(text, &group.attendance);
        match group.network {
            Some(id) => text.pair("network", quote(&self.network(id).name)),
            None => text.comment("no network: the link is as it is"),
        }
        write_reconnect_and_qos2(text, group);
        match &group.will {
            Some(will) => write_will(text, will, group.version),
            None => text.comment("no will"),
        }
        match &group.birth {
            Some(birth) => write_birth(text, birth),
            None => text.comment("no birth"),
        }
        for publish in &group.publishes {
            write_publish(text, publish);
        }
        let plain = group.subscribes.len() - group.responds.len();
        for subscribe in &group.subscribes[..plain] {
            write_subscribe(text, subscribe, group.version);
        }
        for respond in &group.responds {
            respond::write(text, respond);
        }
    }

    fn write_fault(&self, text: &mut Text, fault: &Fault) {
        text.header("[[fault]]");
        text.pair("name", quote(&fault.name));
        match fault.timing {
            FaultTiming::At(at) => text.pair("at", duration(at)),
            FaultTiming::Every { period, until } => {
                text.pair("every", duration(period));
                text.pair("for", duration(until));
            }
        }
        let devices = fault.devices();
        if let Some(devices) = devices {
            self.write_selection(text, devices);
        }
        text.pair("action", quote(fault.target.action_name()));
        if let Some((key, word)) = devices.and_then(|devices| devices.action.detail()) {
            text.pair(key, quote(word));
        }
        if let Some(FaultAction::Network(id)) = devices.map(|devices| devices.action) {
            text.pair("profile", quote(&self.network(id).name));
        }
        if let Some(FaultAction::Takeover(contenders)) = devices.map(|devices| devices.action) {
            text.pair("contenders", contenders.to_string());
        }
        if let Some(FaultAction::Flap(flap)) = devices.map(|devices| devices.action) {
            text.pair("period", duration(flap.period));
        }
        let kinds = devices.iter().flat_map(|devices| &devices.malformations);
        let kinds: Vec<String> = kinds.map(|kind| quote(kind.name())).collect();
        text.option(
            "kind",
            (!kinds.is_empty()).then(|| array(kinds.into_iter())),
        );
        text.option("lasts", fault.lasts.as_ref().map(distribution));
    }

    fn write_selection(&self, text: &mut Text, devices: &DeviceFault) {
        text.pair("group", quote(&self.group(devices.group).name));
        match &devices.select {
            Select::All => text.comment("select: all"),
            Select::Fraction(share) => {
                text.pair("select", format!("{{ fraction = {} }}", float(*share)));
            }
            Select::Count(count) => text.pair("select", format!("{{ count = {count} }}")),
            Select::Match(pattern) => {
                text.pair("select", format!("{{ match = {} }}", quote(pattern)));
            }
        }
    }
}

fn write_run(text: &mut Text, run: &RunSettings) {
    text.header("[run]");
    text.pair("warmup", duration(run.warmup));
    text.pair("begin", quote(run.begin.name()));
    text.pair("duration", duration(run.duration));
    text.pair("drain", duration(run.drain));
    text.pair("connect_timeout", duration(run.connect_timeout));
    text.pair("abort_on_fail", run.abort_on_fail);
    text.pair("repeat", run.repeat);
}

fn write_network(text: &mut Text, network: &Network) {
    text.header("[[network]]");
    text.pair("name", quote(&network.name));
    if let Some(preset) = network.preset {
        text.comment(&format!("Source of the profile: {}.", preset.source()));
        text.pair("preset", quote(preset.name()));
    }
    text.pair("latency", distribution(&network.latency));
    text.pair("jitter", distribution(&network.jitter));
    match network.loss {
        Loss::Independent(probability) => text.pair("loss", float(probability)),
        Loss::GilbertElliott {
            good_to_bad,
            bad_to_good,
        } => text.option(
            "loss",
            table(
                [
                    pair("model", quote("gilbert_elliott")),
                    pair("good_to_bad", float(good_to_bad)),
                    pair("bad_to_good", float(bad_to_good)),
                ]
                .into_iter(),
            ),
        ),
    }
    let timeout = duration(network.retransmission_timeout);
    text.pair("retransmission_timeout", timeout);
    let rate =
        |key: &str, rate: Option<u64>| rate.map(|rate| pair(key, quote(&format_bit_rate(rate))));
    let rates = [
        rate("up", network.bandwidth.up_bits_per_second),
        rate("down", network.bandwidth.down_bits_per_second),
    ];
    match table(rates.into_iter().flatten()) {
        Some(rates) => text.pair("bandwidth", rates),
        None => text.comment("no limit of bandwidth"),
    }
    match &network.outages {
        Some(outages) => text.option(
            "outages",
            table(
                [
                    pair("every", distribution(&outages.every)),
                    pair("lasts", distribution(&outages.lasts)),
                ]
                .into_iter(),
            ),
        ),
        None => text.comment("no outages"),
    }
}

fn write_reconnect_and_qos2(text: &mut Text, group: &Group) {
    text.header("[group.reconnect]");
    text.pair("when", quote(group.reconnect.when.name()));
    text.pair("backoff", backoff(&group.reconnect.backoff));
    let Qos2 {
        retransmit,
        cut_after,
        delay_pubrel,
        withhold,
    } = &group.qos2;
    if group.qos2 == Qos2::default() {
        text.comment("no faults in QoS 2 exchanges");
        return;
    }
    text.header("[group.qos2]");
    match retransmit {
        Retransmit::OnReconnect => text.pair("retransmit", quote("on_reconnect")),
        Retransmit::SameConnection { after } => {
            text.pair("retransmit", quote("same_connection"));
            text.pair("retransmit_after", duration(*after));
        }
    }
    // Each goes with streams of its direction only, so it is written if it says something.
    let cuts = [
        ("publish", cut_after.publish),
        ("pubrec", cut_after.pubrec),
        ("pubrel", cut_after.pubrel),
    ];
    if cuts.iter().any(|(_, probability)| *probability > 0.0) {
        let cuts = cuts.iter();
        let cuts = cuts.map(|(step, probability)| pair(step, float(*probability)));
        text.option("cut_after", table(cuts));
    }
    text.option("delay_pubrel", delay_pubrel.as_ref().map(distribution));
    if *withhold != Qos2::default().withhold {
        let withhold = [
            pair("pubrec", float(withhold.pubrec)),
            pair("pubcomp", float(withhold.pubcomp)),
            pair("reconnect_after", duration(withhold.reconnect_after)),
        ];
        text.option("withhold", table(withhold.into_iter()));
    }
}

fn write_will(text: &mut Text, will: &Will, version: Version) {
    text.header("[group.will]");
    text.pair("topic", quote(will.topic.source()));
    text.pair("payload", payload::of_will(&will.payload));
    text.pair("qos", qos(will.qos));
    text.pair("retain", will.retain);
    if version == Version::V5 {
        let delay = Duration::from_secs(will.delay_interval.into());
        text.pair("delay", duration(delay));
    }
}

fn write_birth(text: &mut Text, birth: &Birth) {
    text.header("[group.birth]");
    text.pair("topic", quote(birth.topic.source()));
    text.pair("payload", payload::of_message(&birth.payload));
    text.pair("qos", qos(birth.qos));
    text.pair("retain", birth.retain);
}

fn write_publish(text: &mut Text, publish: &Publish) {
    text.header("[[group.publish]]");
    text.pair("topic", quote(publish.topic.source()));
    text.pair("qos", qos(publish.qos));
    text.pair("retain", publish.retain);
    pacing::write(text, &publish.pacing);
    text.pair("payload", payload::of_stream(&publish.payload));
    text.pair("stamp", quote(publish.stamp.name()));
    respond::write_properties(text, &publish.properties);
}

fn write_threshold(text: &mut Text, threshold: &Threshold) {
    let conditions = threshold.conditions.iter();
    let conditions = conditions.map(|condition| quote(&condition.text));
    text.pair(&quote(&threshold.selector.text), array(conditions));
}

fn version_name(version: Version) -> &'static str {
    match version {
        Version::V3_1_1 => "3.1.1",
        Version::V5 => "5.0",
    }
}

fn qos(qos: QoS) -> u8 {
    qos as u8
}
