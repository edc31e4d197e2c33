//! The `$SYS` tree: what the broker counts, published as retained messages of QoS 0 every
//! [`Config::sys_interval`](crate::Config::sys_interval).

use squall_protocol::QoS;
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;

use super::{Broker, Turn};
use crate::counters::DropReason;
use crate::timer::NEVER;

impl Broker {
    /// Publishes every topic of the tree and sets when that happens next.
    pub(super) fn publish_sys(&mut self, turn: &mut Turn<'_>) {
        self.sys_due = match self.config.sys_interval {
            Some(interval) => turn.now + interval,
            None => NEVER,
        };
        let counters = self.counters();
        let uptime = turn.now.saturating_since(self.started).as_secs();
        let version = self.config.version.clone();
        self.publish_value(turn, "version", &version);
        self.publish_value(turn, "uptime", &format!("{uptime} seconds"));
        let sum = |by_qos: [u64; 3]| by_qos.iter().sum::<u64>();
        let values = [
            ("clients/connected", counters.clients_connected as u64),
            ("clients/total", counters.sessions as u64),
            ("connections/opened", counters.connections_opened),
            ("connections/current", counters.connections as u64),
            ("connections/takeovers", counters.takeovers),
            (
                "connections/keep_alive_timeouts",
                counters.keep_alive_timeouts,
            ),
            ("connections/protocol_errors", counters.protocol_errors),
            ("messages/received", sum(counters.publishes_received)),
            ("messages/sent", sum(counters.publishes_sent)),
            ("messages/repeated", counters.publishes_repeated),
            ("messages/queued", counters.queued_messages as u64),
            ("messages/dropped", counters.dropped_total()),
            ("bytes/received", counters.bytes_received),
            ("bytes/sent", counters.bytes_sent),
            ("wills/published", counters.wills_published),
            ("retained/messages", counters.retained_messages as u64),
            ("retained/bytes", counters.retained_bytes as u64),
            ("subscriptions/count", counters.subscriptions as u64),
        ];
        for (name, value) in values {
            self.publish_value(turn, name, &value.to_string());
        }
        for reason in DropReason::ALL {
            let name = format!("messages/dropped/{}", reason.name());
            let value = counters.dropped(reason).to_string();
            self.publish_value(turn, &name, &value);
        }
    }

    fn publish_value(&mut self, turn: &mut Turn<'_>, name: &str, value: &str) {
        let topic = format!("$SYS/broker/{name}");
        let topic = TopicName::new(topic.as_str()).expect("a name of the tree is a topic name");
        let mut publish = Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: true,
            topic,
            packet_id: None,
            properties: PublishProperties::default(),
            payload: value.as_bytes(),
        };
        self.publish(turn, &mut publish, None);
    }
}
