//! Faults in QoS 2 exchanges.

use std::time::Duration;

use crate::Distribution;

/// `[group.qos2]`: faults in QoS 2 exchanges (§4.3.3). By default none.
///
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Qos2 {
    /// When messages are sent again.
    pub retransmit: Retransmit,
    /// The device drops its connection at a step of an exchange.
    pub cut_after: CutAfter,
    /// Time between a PUBREC and the PUBREL of the sender that answers it; `None` is at once.
    pub delay_pubrel: Option<Distribution>,
    /// The receiver does not send an answer.
    pub withhold: Withhold,
}

/// When a device sends an unanswered PUBLISH or PUBREL again, of QoS 1 too.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Retransmit {
    /// After a reconnect only [MQTT-4.4.0-1].
    #[default]
    OnReconnect,
    /// On the same connection too, as clients of MQTT 3.1 did.
    SameConnection {
        /// Time without an answer after which it is sent again. Above zero, default [`Self::AFTER_DEFAULT`].
        after: Duration,
    },
}

impl Retransmit {
    /// Time after which a message is sent again on the same connection, if the scenario does not say.
    pub const AFTER_DEFAULT: Duration = Duration::from_secs(5);
}

/// Probabilities, 0 to 1, that the device resets its connection right after this step of an
/// exchange in which it is the sender; drawn once per message and step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CutAfter {
    /// After it sent PUBLISH.
    pub publish: f64,
    /// After it received PUBREC, before PUBREL.
    pub pubrec: f64,
    /// After it sent PUBREL.
    pub pubrel: f64,
}

/// Probabilities, 0 to 1, that the device does not send this answer in an exchange in which it is
/// the receiver; drawn once per message and answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Withhold {
    /// That it does not send PUBREC.
    pub pubrec: f64,
    /// That it does not send PUBCOMP.
    pub pubcomp: f64,
    /// Time from the first answer that was not sent to the end of the connection, which the device resets
    /// so that the broker may send again [MQTT-4.4.0-1]. Above zero, default 1 s.
    pub reconnect_after: Duration,
}

impl Default for Withhold {
    fn default() -> Self {
        Self {
            pubrec: 0.0,
            pubcomp: 0.0,
            reconnect_after: Duration::from_secs(1),
        }
    }
}
