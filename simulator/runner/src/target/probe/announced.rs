//! What a broker says of itself, in a retained message.

use std::time::Duration;

use tokio::time::timeout;

use squall_protocol::PacketId;
use squall_protocol::packet::{
    Packet, Subscribe, SubscribeProperties, Subscription, SubscriptionOptions, UndecodedFilters,
};
use squall_protocol::topic::TopicFilter;

use super::Door;
use super::talk::Talk;

/// Where Mosquitto and EMQX say which version they are; the specification has no such topics.
const VERSION_FILTERS: [&str; 2] = ["$SYS/broker/version", "$SYS/brokers/+/version"];
/// How long the whole may take.
const TALK_MAX: Duration = Duration::from_secs(2);
/// A retained message comes right behind the SUBACK, or not at all.
const BEHIND_SUBACK_MAX: Duration = Duration::from_millis(300);

/// What the broker says that it is; `None` if it says nothing.
pub(in crate::target) async fn announced_version(door: Door<'_>) -> Option<Vec<u8>> {
    timeout(TALK_MAX, ask(door)).await.ok()?.ok()?
}

async fn ask(door: Door<'_>) -> anyhow::Result<Option<Vec<u8>>> {
    let (mut talk, _) = Talk::begin(door).await?;
    talk.say(&Packet::Subscribe(request())).await?;
    let mut said = None;
    let mut patience = TALK_MAX;
    // The message may come before the SUBACK as well [3.1.1: 3.8.4].
    while said.is_none() {
        let next = talk.next(|packet| Some(payload_of(packet)));
        match timeout(patience, next).await {
            Ok(payload) => said = payload?,
            Err(_) => break,
        }
        patience = BEHIND_SUBACK_MAX;
    }
    talk.end().await;
    Ok(said)
}

fn payload_of(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let Packet::Publish(publish) = packet else {
        return None;
    };
    Some(publish.payload.to_vec())
}

fn request() -> Subscribe {
    let subscriptions = VERSION_FILTERS.map(|filter| Subscription {
        filter: Ok(TopicFilter::new(filter.into()).expect("they are right")),
        options: SubscriptionOptions::default(),
    });
    Subscribe {
        id: PacketId::new(1).expect("1 is one"),
        properties: SubscribeProperties::default(),
        subscriptions: subscriptions.into(),
        rest: UndecodedFilters::default(),
    }
}
