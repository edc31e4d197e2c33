//! What keeps counts from telling what became of messages without a stamp: the reasons of a run (`books::doubts`), as far as
//! the scenario shows them before.

use std::fmt;

use squall_protocol::{QoS, Version};
use squall_scenario::{
    DeviceFault, Distribution, Fault, FaultAction, FaultTarget, Group, GroupId, Plan, Publish,
    ReconnectWhen, Scenario, StampPlace, StreamPlan, share_a_topic,
};

use crate::books::doubts::Doubt;
use crate::checks::APART;

/// Which messages a claim is about, and how many of them it allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// The group that hears them.
    pub(super) group: Option<GroupId>,
    pub(super) qos: Option<QoS>,
    pub(super) limit: u64,
}

/// What a claim is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Losses,
    Copies,
}

/// Whether a run is sure to bring it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Certainty {
    Certain,
    /// It depends on the draw, or on the broker.
    Likely,
}

/// Why counts do not judge a claim.
#[derive(Clone, Debug)]
pub(super) struct Hindrance {
    doubt: Doubt,
    pub(super) certainty: Certainty,
    /// What in the scenario brings it about.
    cause: String,
    /// The topic of the messages.
    topic: String,
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, cause, .. } = self;
        write!(
            f,
            "messages with `stamp = \"none\"` are counted, and those of topic `{topic}` {}: {cause}; ",
            self.doubt.text()
        )?;
        if let Some(remedy) = self.doubt.remedy() {
            write!(f, "{remedy}; ")?;
        }
        f.write_str(APART)
    }
}

impl Hindrance {
    /// The first that is certain, or else the first that is likely.
    pub(super) fn find(scenario: &Scenario, question: Question, kind: Kind) -> Option<Self> {
        let plan = Plan::of(scenario);
        let mut found: Vec<Self> = Vec::new();
        let listeners = (0..).map(GroupId).zip(&scenario.groups);
        for (id, listener) in listeners.filter(|(id, _)| question.group.is_none_or(|of| of == *id))
        {
            for (of, plan) in scenario.groups.iter().zip(&plan.groups) {
                for (publish, stream) in of.publishes.iter().zip(&plan.streams) {
                    let heard = Heard {
                        scenario,
                        id,
                        listener,
                        of,
                        publish,
                        stream,
                        limit: question.limit as f64,
                    };
                    if question.qos.is_none_or(|qos| qos == publish.qos) && heard.is_counted(kind) {
                        found.extend(heard.hindrances(kind));
                    }
                }
            }
        }
        found
            .into_iter()
            .min_by_key(|hindrance| hindrance.certainty)
    }
}

/// Why, for what cause, and how sure that is.
type Reason = (Doubt, String, Certainty);

/// A stream, and a group that may hear it.
#[derive(Clone, Copy)]
struct Heard<'a> {
    scenario: &'a Scenario,
    id: GroupId,
    listener: &'a Group,
    /// The group that publishes it.
    of: &'a Group,
    publish: &'a Publish,
    stream: &'a StreamPlan,
    /// How many the claim allows.
    limit: f64,
}

impl Heard<'_> {
    /// Whether its messages are counted for a claim of this kind.
    fn is_counted(&self, kind: Kind) -> bool {
        let load = self.scenario.run.duration.as_secs_f64();
        let is_owed = match kind {
            Kind::Losses => {
                let mut subscribes = self.listener.subscribes.iter();
                self.publish.qos > QoS::AtMostOnce
                    && subscribes.all(|it| it.options.qos > QoS::AtMostOnce)
            }
            Kind::Copies => true,
        };
        self.publish.stamp == StampPlace::None
            && self.fan_out() > 0.0
            && self.sent_before(load) >= 1.0
            && is_owed
    }

    fn hindrances(&self, kind: Kind) -> Vec<Hindrance> {
        let reasons = [
            self.of_topic(),
            self.of_broker_faults(),
            self.of_subscriptions(),
            self.of_attendance(),
            self.of_faults(),
            match kind {
                Kind::Losses => self.of_losses(),
                Kind::Copies => self.of_copies(),
            },
            match kind {
                Kind::Losses => None,
                Kind::Copies => self.of_publishers(),
            },
        ];
        let found = reasons.into_iter().flatten();
        found
            .map(|(doubt, cause, certainty)| Hindrance {
                doubt,
                certainty,
                cause,
                topic: self.stream.topic.clone(),
            })
            .collect()
    }

    /// Devices of the group that hear a message.
    fn fan_out(&self) -> f64 {
        self.stream.fan_out_by_group[usize::from(self.id.0)]
    }

    /// Messages before a moment, in seconds from the start of the measured part; in a closed loop, the first of each device.
    fn sent_before(&self, moment: f64) -> f64 {
        let run = &self.scenario.run;
        let pacing = &self.publish.pacing;
        if pacing.window.is_some() {
            let has_begun = pacing.begins(run.warmup) < moment;
            return if has_begun { self.of.count.into() } else { 0.0 };
        }
        let load = run.duration.as_secs_f64();
        let all = pacing.due_before(load, self.of.count, run);
        // Less what devices that are away do not send.
        let there = self.stream.messages / all.max(f64::MIN_POSITIVE);
        pacing.due_before(moment, self.of.count, run) * there
    }

    /// Another stream, or an expiry, that makes counts of the topic incomparable.
    fn of_topic(&self) -> Option<Reason> {
        let topic = &self.stream.topic;
        if self.publish.properties.message_expiry.is_some() {
            let cause =
                format!("`message_expiry` of topic `{topic}` lets the broker leave some out");
            return Some((Doubt::Mixed, cause, Certainty::Certain));
        }
        let own = (self.of, self.publish);
        for group in &self.scenario.groups {
            for publish in &group.publishes {
                let is_alike = publish.stamp == StampPlace::None && publish.qos == self.publish.qos;
                if is_alike || !share_a_topic(own, (group, publish)) {
                    continue;
                }
                let how = match publish.stamp {
                    StampPlace::None => format!("at QoS {}", publish.qos as u8),
                    StampPlace::Payload | StampPlace::Property => "with a stamp".to_owned(),
                };
                let cause = format!(
                    "group `{}` publishes to the same topic, `{}`, {how}",
                    group.name,
                    publish.topic.source()
                );
                return Some((Doubt::Mixed, cause, Certainty::Certain));
            }
        }
        None
    }

    fn of_broker_faults(&self) -> Option<Reason> {
        let mut faults = self.scenario.faults.iter();
        faults.find_map(|fault| match &fault.target {
            FaultTarget::Devices(_) => None,
            FaultTarget::Broker(_) => {
                let sent = self.sent_before(fault.timing.last().as_secs_f64());
                let is_certain = sent >= 1.0 && sent * self.fan_out() > self.limit;
                is_certain.then(|| {
                    let cause = named(fault);
                    (Doubt::BrokerFault, cause, Certainty::Certain)
                })
            }
        })
    }

    /// Subscriptions that are given up while the load goes on.
    fn of_subscriptions(&self) -> Option<Reason> {
        let duration = self.scenario.run.duration;
        let group = &self.listener.name;
        self.listener.subscribes.iter().find_map(|subscribe| {
            let times = &subscribe.times;
            let filter = subscribe.filter.source();
            let (key, at) = match (&times.churn, times.until) {
                (Some(churn), _) => (
                    "churn",
                    times.start.unwrap_or_default() + longest(&churn.on),
                ),
                (None, Some(until)) => ("until", until),
                (None, None) => return None,
            };
            let is_sure = at < duration && self.is_heard_before(at.as_secs_f64());
            let cause =
                format!("`{key}` of group `{group}` gives its subscription to `{filter}` up");
            is_sure.then_some((Doubt::Disturbed, cause, Certainty::Certain))
        })
    }

    /// Devices that come late or go before the end.
    fn of_attendance(&self) -> Option<Reason> {
        let duration = self.scenario.run.duration;
        let attendance = &self.listener.attendance;
        let group = &self.listener.name;
        let cause = |key: &str| format!("`{key}` of group `{group}`");
        if let Some(leave) = attendance.leave
            && leave < duration
            && self.is_heard_before(leave.as_secs_f64())
        {
            return Some((Doubt::Disturbed, cause("leave"), Certainty::Certain));
        }
        if attendance.availability.is_some() {
            return Some((Doubt::Disturbed, cause("availability"), Certainty::Likely));
        }
        if attendance.online.is_some() {
            return Some((Doubt::Disturbed, cause("online"), Certainty::Likely));
        }
        let start = attendance.start?;
        let is_late = self.sent_before(start.as_secs_f64()) >= 1.0;
        is_late.then(|| (Doubt::Late, cause("start"), Certainty::Likely))
    }

    /// Faults of the group that hears the messages.
    fn of_faults(&self) -> Option<Reason> {
        let faults = self.scenario.faults.iter();
        let reasons = faults.filter_map(|fault| {
            let devices = fault.devices().filter(|it| it.group == self.id)?;
            let certainty = self.strikes(fault, devices)?;
            let certainty = certainty.max(match devices.action {
                FaultAction::Drop(_)
                | FaultAction::Disconnect(_)
                | FaultAction::Takeover(_)
                | FaultAction::Stall
                | FaultAction::Flap(_) => Certainty::Certain,
                // The broker has to end the connection first.
                FaultAction::Mute | FaultAction::Partition => Certainty::Likely,
                FaultAction::Network(_) => return None,
            });
            let cause = format!("{} strikes group `{}`", named(fault), self.listener.name);
            Some((Doubt::Disturbed, cause, certainty))
        });
        reasons.min_by_key(|(_, _, certainty)| *certainty)
    }

    /// Whether a fault finds a device that has heard more than the claim allows.
    fn strikes(&self, fault: &Fault, devices: &DeviceFault) -> Option<Certainty> {
        let moment = fault.timing.last().as_secs_f64();
        let count = f64::from(self.listener.count);
        let wanted = devices.select.wanted(self.listener.count);
        let heard = self.sent_before(moment) * self.fan_out();
        if heard < 1.0 {
            return None;
        }
        let by_struck = heard * wanted.map_or(1.0, f64::from) / count;
        let is_heard_by_all = self.fan_out() >= count - 0.5 && wanted >= Some(1);
        let is_certain = wanted == Some(self.listener.count) || is_heard_by_all;
        match is_certain && by_struck > self.limit {
            true => Some(Certainty::Certain),
            false => Some(Certainty::Likely),
        }
    }

    /// Whether a device of the group has heard more than the claim allows before a moment.
    fn is_heard_before(&self, moment: f64) -> bool {
        let heard = self.sent_before(moment) * self.fan_out();
        heard >= 1.0 && heard > self.limit
    }

    /// Faults of the group that publishes the messages, after which it may send some again.
    fn of_publishers(&self) -> Option<Reason> {
        let comes_back = match self.of.reconnect.when {
            ReconnectWhen::Always => true,
            ReconnectWhen::Never | ReconnectWhen::Unexpected => false,
        };
        self.scenario.faults.iter().find_map(|fault| {
            let devices = fault.devices()?;
            let connects_again = match devices.action {
                FaultAction::Drop(_) | FaultAction::Disconnect(_) => comes_back,
                FaultAction::Takeover(_) | FaultAction::Flap(_) => true,
                FaultAction::Stall
                | FaultAction::Mute
                | FaultAction::Network(_)
                | FaultAction::Partition => false,
            };
            let is_of_publisher = std::ptr::eq(self.scenario.group(devices.group), self.of);
            let sent = self.sent_before(fault.timing.last().as_secs_f64());
            if !connects_again || !is_of_publisher || sent < 1.0 {
                return None;
            }
            let is_certain = devices.select.wanted(self.of.count) == Some(self.of.count)
                && sent * self.fan_out() > self.limit;
            let certainty = match is_certain {
                true => Certainty::Certain,
                false => Certainty::Likely,
            };
            let cause = format!("{} strikes group `{}`", named(fault), self.of.name);
            Some((Doubt::SentAgain, cause, certainty))
        })
    }

    fn of_losses(&self) -> Option<Reason> {
        if self.is_all_shared() {
            return Some(self.shared());
        }
        self.listener.network.map(|_| {
            let group = &self.listener.name;
            let cause = format!("what has not come may be on the links of group `{group}` still");
            (Doubt::Link, cause, Certainty::Certain)
        })
    }

    fn of_copies(&self) -> Option<Reason> {
        if self.scenario.target.history().has_other_clients() {
            let cause = "the broker is given by `url`".to_owned();
            return Some((Doubt::OtherClients, cause, Certainty::Certain));
        }
        if self.is_all_shared() {
            return Some(self.shared());
        }
        let mut subscribes = self.listener.subscribes.iter();
        let is_at_least_once = match self.publish.qos {
            QoS::AtMostOnce => false,
            QoS::AtLeastOnce => subscribes.all(|it| it.options.qos >= QoS::AtLeastOnce),
            QoS::ExactlyOnce => subscribes.all(|it| it.options.qos == QoS::AtLeastOnce),
        };
        (is_at_least_once && self.listener.version == Version::V3_1_1).then(|| {
            let cause = format!("`protocol = \"3.1.1\"` of group `{}`", self.listener.name);
            (Doubt::MayComeAgain, cause, Certainty::Certain)
        })
    }

    /// Whether all that the devices of the group subscribe to is shared.
    fn is_all_shared(&self) -> bool {
        let mut subscribes = self.listener.subscribes.iter();
        subscribes.all(|subscribe| subscribe.filter.source().starts_with("$share/"))
    }

    fn shared(&self) -> Reason {
        let group = &self.listener.name;
        let cause = format!(
            "group `{group}` shares its subscriptions, and each message goes to any of its members"
        );
        (Doubt::Overlap, cause, Certainty::Certain)
    }
}

fn named(fault: &Fault) -> String {
    format!("fault `{}` ({})", fault.name, fault.target.action_name())
}

/// What is drawn from a distribution is hardly ever longer.
fn longest(of: &Distribution) -> std::time::Duration {
    of.quantile(0.999)
}

#[cfg(test)]
mod tests;
