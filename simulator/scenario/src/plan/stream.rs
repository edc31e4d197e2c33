//! What a stream of messages will be.

use std::sync::Arc;
use std::time::Duration;

use squall_protocol::QoS;

use super::Presence;
use crate::{
    Content, Group, Pacing, Payload, Publish, RunSettings, Scenario, Sizes, StampPlace, listeners,
};

/// What a stream of messages will be.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPlan {
    /// Its topic as the file writes it.
    pub topic: String,
    /// The QoS that it is published with.
    pub qos: QoS,
    /// Where its messages have their stamps.
    pub stamp: StampPlace,
    /// From the beginning of the load (warm-up included) to where it begins.
    pub begins: Duration,
    /// Messages per second of the whole group, on average while it goes on.
    pub rate: f64,
    /// Messages over the whole load, warm-up included: exact for even arrivals, expected for others.
    pub messages: f64,
    /// Messages of the measured part alone.
    pub measured: f64,
    /// Devices that hear one message, on average; a shared subscription counts once.
    pub fan_out: f64,
    /// The same by group, in file order; a shared subscription counts once for each group that has a part of it.
    pub fan_out_by_group: Vec<f64>,
    /// Responses to one message, on average.
    pub responses: f64,
    /// The share of its messages that no device answers, from 0 to 1: an estimate from a few messages.
    pub unanswered: f64,
    /// Devices that hear one of these responses, times the responses.
    pub response_deliveries: f64,
    /// Devices that publish it.
    pub devices: u32,
    /// When its messages are due.
    pub pacing: Arc<Pacing>,
    /// Which of its devices are there when: of one that is away on purpose none is due.
    presence: Presence,
    /// The sizes of its payloads, where each is drawn.
    pub sizes: Option<Sizes>,
    /// The command whose lines are its payloads, if one gives them.
    pub command: Option<String>,
    /// Bits per second of one device while the stream goes on, on average, as far as they are known.
    pub bits_per_second: f64,
}

impl StreamPlan {
    /// The plan of one stream of `group`.
    pub(super) fn of(publish: &Publish, group: &Group, scenario: &Scenario) -> Self {
        let (pacing, run) = (&publish.pacing, &scenario.run);
        let devices = f64::from(group.count);
        let end = run.duration.as_secs_f64();
        let presence = Presence::of(group, run);
        let (begin, until) = pacing.span(run);
        let there = match pacing.count {
            // Who was away sends as many later.
            Some(_) => 1.0,
            None => presence.weighs(|moment| {
                let time = moment.as_secs_f64() - run.warmup.as_secs_f64();
                match (begin..until).contains(&time) {
                    true => pacing.rate_per_device.at(time),
                    false => 0.0,
                }
            }),
        };
        let messages = pacing.due_before(end, group.count, run) * there;
        let answers = listeners::answers(publish, group, scenario);
        Self {
            topic: publish.topic.source().to_owned(),
            qos: publish.qos,
            stamp: publish.stamp,
            begins: pacing
                .start
                .map_or(Duration::ZERO, |start| run.warmup + start),
            rate: pacing.mean_rate(run) * devices * there,
            messages,
            measured: messages - pacing.due_before(0.0, group.count, run) * there,
            fan_out: listeners::fan_out(publish, group, scenario),
            fan_out_by_group: listeners::fan_out_by_group(publish, group, scenario),
            responses: answers.responses,
            unanswered: answers.unanswered,
            response_deliveries: answers.deliveries,
            devices: group.count,
            pacing: Arc::clone(pacing),
            presence,
            sizes: match &publish.payload {
                Content::Composed(Payload::Size(sizes)) if sizes.as_constant().is_none() => {
                    Some(sizes.clone())
                }
                Content::Composed(
                    Payload::Size(_) | Payload::Text(_) | Payload::Json(_) | Payload::Bytes(_),
                )
                | Content::Lines(_) => None,
            },
            command: match &publish.payload {
                Content::Composed(_) => None,
                Content::Lines(command) => Some(command.text()),
            },
            bits_per_second: publish.bits_per_second(run),
        }
    }

    /// Messages delivered over the whole load, responses included.
    pub fn deliveries(&self) -> f64 {
        self.messages * (self.fan_out + self.response_deliveries)
    }

    /// Messages per second of the whole group and responses to them at `moment`, counted from the beginning of the load.
    pub(super) fn rate_at(&self, moment: Duration, run: &RunSettings) -> f64 {
        let there = self.presence.share_at(moment);
        let moment = moment.as_secs_f64() - run.warmup.as_secs_f64();
        let (begin, end) = self.pacing.span(run);
        match (begin..end).contains(&moment) {
            true => {
                let of_group = self.pacing.rate_per_device.at(moment) * f64::from(self.devices);
                of_group * there * (1.0 + self.responses)
            }
            false => 0.0,
        }
    }
}
