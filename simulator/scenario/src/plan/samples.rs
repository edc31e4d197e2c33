//! How many samples a run can bring a metric.

use squall_protocol::QoS;
use squall_run::MetricName;

use super::{GroupPlan, Plan, StreamPlan};
use crate::{MetricSelector, Scenario, StampPlace};

impl Plan {
    /// Samples that the measured part can bring a selector of messages at the most: an estimate where topics or
    /// arrivals are random. `None` for a metric whose samples the plan does not know.
    pub fn samples_max(&self, scenario: &Scenario, selector: &MetricSelector) -> Option<f64> {
        let has_others = self
            .groups
            .iter()
            .any(|group| !group.responds.is_empty() || group.birth.is_some());
        // Births and responses are messages as well, and how many there are depends on what happens; of a closed loop there are
        // as many as the broker answers.
        let is_open = has_others && selector.metric != MetricName::RoundTrip;
        if is_open || self.has_closed_loops() {
            return None;
        }
        match selector.metric {
            // A mean of topics that are drawn may be too small; no request has a part of a response.
            MetricName::RoundTrip => {
                Some(self.sum(
                    |group, stream| match is_of_group(group, scenario, selector) {
                        true => stream.measured * stream.responses.ceil(),
                        false => 0.0,
                    },
                ))
            }
            // Its group is that of the subscribers. Without a stamp it is not known when a message was sent.
            MetricName::E2eLatency | MetricName::ServiceLatency | MetricName::BrokerTime => {
                Some(self.sum(|_, stream| {
                    let is_timed = stream.stamp != StampPlace::None;
                    match (is_timed && is_of_qos(stream, selector), selector.tags.group) {
                        (true, Some(group)) => {
                            stream.measured * stream.fan_out_by_group[usize::from(group.0)]
                        }
                        (true, None) => stream.measured * stream.fan_out,
                        (false, _) => 0.0,
                    }
                }))
            }
            MetricName::AckLatency => Some(self.published(scenario, selector, |qos| match qos {
                QoS::AtLeastOnce | QoS::ExactlyOnce => true,
                QoS::AtMostOnce => false,
            })),
            MetricName::Qos2Handshake
            | MetricName::Qos2Pubrec
            | MetricName::Qos2Pubrel
            | MetricName::Qos2Pubcomp => {
                Some(self.published(scenario, selector, |qos| match qos {
                    QoS::ExactlyOnce => true,
                    QoS::AtMostOnce | QoS::AtLeastOnce => false,
                }))
            }
            MetricName::ConnectLatency
            | MetricName::SubscribeLatency
            | MetricName::TimeToWill
            | MetricName::TakeoverTime
            | MetricName::ReconnectDelay
            | MetricName::ScheduleLag
            | MetricName::PublishRate
            | MetricName::DeliveryRate
            | MetricName::ConnectRate
            | MetricName::Errors
            | MetricName::Dropped
            | MetricName::BrokerCpu
            | MetricName::BrokerRss
            | MetricName::BrokerRssPerConnection => None,
        }
    }

    /// Messages that the group of `selector` publishes at its QoS, of those that `is_wanted`.
    fn published(
        &self,
        scenario: &Scenario,
        selector: &MetricSelector,
        is_wanted: impl Fn(QoS) -> bool,
    ) -> f64 {
        self.sum(|group, stream| {
            let is_one = is_wanted(stream.qos)
                && is_of_qos(stream, selector)
                && is_of_group(group, scenario, selector);
            match is_one {
                true => stream.measured,
                false => 0.0,
            }
        })
    }

    fn sum(&self, count: impl Fn(&GroupPlan, &StreamPlan) -> f64) -> f64 {
        let groups = self.groups.iter();
        let streams =
            groups.flat_map(|group| group.streams.iter().map(move |stream| (group, stream)));
        streams.map(|(group, stream)| count(group, stream)).sum()
    }
}

fn is_of_qos(stream: &StreamPlan, selector: &MetricSelector) -> bool {
    selector.tags.qos.is_none_or(|wanted| wanted == stream.qos)
}

fn is_of_group(group: &GroupPlan, scenario: &Scenario, selector: &MetricSelector) -> bool {
    let wanted = selector.tags.group.map(|wanted| scenario.group(wanted));
    wanted.is_none_or(|wanted| wanted.name == group.name)
}
