//! What is to be done: who publishes where, who subscribes to what, and how fast.

use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{QoS, Version};

/// A load on one broker.
#[derive(Clone, Debug)]
pub struct Load {
    /// The version that all clients speak.
    pub version: Version,
    /// QoS of messages and subscriptions.
    pub qos: QoS,
    /// Bytes of each payload, at least [`crate::STAMP_BYTES`].
    pub payload_bytes: usize,
    /// How fast.
    pub pace: Pace,
    /// QoS 1 and 2 messages of a publisher that may have no PUBACK or PUBCOMP, 1 to 65,535. A broker of 5.0 may allow fewer.
    pub unacknowledged_max: u16,
    /// Who publishes.
    pub publishers: Vec<PublisherSpec>,
    /// Who subscribes.
    pub subscribers: Vec<SubscriberSpec>,
    /// How long the Sessions of subscribers live.
    pub sessions: Sessions,
    /// User Name of all clients.
    pub user_name: Option<String>,
    /// Password of all clients.
    pub password: Option<Vec<u8>>,
}

/// How fast messages are published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Closed loop: each publisher has at most so many messages under way to their subscribers, at least 1. Without a
    /// subscriber a message is under way until it is acknowledged, and at QoS 0 until it is written.
    Window(u32),
    /// Open loop: messages a second of all publishers together, in turn, above 0. A message is due when it is, and its latency
    /// counts from then.
    Rate(f64),
}

/// One client that publishes.
#[derive(Clone, Debug)]
pub struct PublisherSpec {
    /// Its Client Identifier.
    pub client_id: String,
    /// Where it publishes.
    pub topic: TopicName<String>,
}

/// One client that subscribes.
#[derive(Clone, Debug)]
pub struct SubscriberSpec {
    /// Its Client Identifier.
    pub client_id: String,
    /// What it subscribes to.
    pub filter: TopicFilter<String>,
    /// What of the messages it is to be sent.
    pub share: Share,
}

/// How long the Session of a subscriber lives (§4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sessions {
    /// As long as its connection.
    Clean,
    /// An hour longer, in 3.1.1 until it is ended: the broker has to keep what it has not acknowledged. The load ends it when it leaves.
    Kept,
}

/// What a subscriber is to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Share {
    /// All messages of the publisher at this place, and no other.
    Of(u32),
    /// All messages of all publishers.
    All,
    /// Each message goes to one of all subscribers with this share.
    One,
    /// What others than this load publish: it is counted and not told apart.
    Others,
}

impl Load {
    /// Deliveries that each message is to have.
    pub(crate) fn copies(&self) -> u32 {
        // All subscribers of a load have the same share: with `Of` each publisher has its own, one or several.
        let all = self.subscribers.len() as u32;
        match self.subscribers.first().map(|subscriber| subscriber.share) {
            None | Some(Share::Others) => 0,
            Some(Share::Of(_)) => all / self.publishers.len().max(1) as u32,
            Some(Share::All) => all,
            Some(Share::One) => 1,
        }
    }
}
