//! What the owner of a client chooses once.

use std::time::Duration;

/// How a client behaves where the specification leaves it a choice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Who sends acknowledgements.
    pub answers: Answers,
    /// From CONNECT to CONNACK.
    pub connack_timeout: Duration,
    /// From PINGREQ to PINGRESP (§3.1.2.10: "a reasonable amount of time").
    pub pingresp_timeout: Duration,
    /// Session Present where the client has no Session State.
    pub unexpected_session: UnexpectedSession,
    /// QoS 1 and QoS 2 messages in flight at most; the server's receive maximum may be lower.
    pub in_flight_max: u16,
    /// Topic Aliases to use at most; the server's Topic Alias Maximum may be lower. 0 uses none.
    pub topic_aliases_max: u16,
}

impl Default for Settings {
    /// Automatic answers, 30 s for CONNACK and PINGRESP, no aliases, the server's limits.
    fn default() -> Self {
        Self {
            answers: Answers::Automatic,
            connack_timeout: Duration::from_secs(30),
            pingresp_timeout: Duration::from_secs(30),
            unexpected_session: UnexpectedSession::Close,
            in_flight_max: u16::MAX,
            topic_aliases_max: 0,
        }
    }
}

/// Who sends PUBACK, PUBREC, PUBREL and PUBCOMP.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Answers {
    /// The client: each is queued before its event is returned.
    Automatic,
    /// The owner, with `send_puback`, `send_pubrec`, `send_pubrel` and `send_pubcomp`, when it
    /// likes or never. What is resent after a reconnect, and PUBREL for a PUBREC that answers
    /// nothing, goes without asking.
    Manual,
}

/// What to do about CONNACK with Session Present if the client has no Session State.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UnexpectedSession {
    /// Close the connection [MQTT-3.2.2-4].
    Close,
    /// Go on: another client with this Client Identifier may have made the Session. It is still
    /// an error after Clean Start.
    Accept,
}
