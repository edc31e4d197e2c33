//! Messages that were owed and had not come at the end of a run, for books beside that of deliveries.

use squall_fleet::Stamp;
use squall_protocol::QoS;
use squall_scenario::DeviceId;

use super::stream::fingerprint;

/// Names a message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct MessageKey {
    device: DeviceId,
    /// Its number among those of the device to its topic.
    pub(crate) sequence: u32,
    /// A fingerprint of the Topic Name.
    topic: u64,
}

impl MessageKey {
    pub(crate) fn of(stamp: Stamp, topic: &str) -> Self {
        Self::new(stamp.device, stamp.sequence, topic)
    }

    pub(crate) fn new(device: DeviceId, sequence: u32, topic: &str) -> Self {
        Self {
            device,
            sequence,
            topic: fingerprint(topic.as_bytes()),
        }
    }
}

/// A message that was owed to a recipient and had not come at the end, as the book of deliveries sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing {
    pub(crate) key: MessageKey,
    /// `None` for any member of a shared subscription.
    pub(crate) recipient: Option<DeviceId>,
    pub(crate) owed: QoS,
    pub(crate) fate: Fate,
}

/// What is known of a message that had not come at the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is lost.
    Lost,
    /// It may have been under way.
    UnderWay,
}
