//! Why a Network Connection ends, and what follows from each reason: the last packet, the will, and
//! what a log line says.
//!
//! | ending | last packet | will |
//! | --- | --- | --- |
//! | DISCONNECT with 0x00 | none | discarded [MQTT-3.14.4-3] |
//! | DISCONNECT with any other code | none | published |
//! | lost, keep alive, protocol error, does not read | DISCONNECT in 5.0 | published |
//! | taken over | DISCONNECT 0x8E in 5.0 | published, unless it is delayed and the Session goes on [MQTT-3.1.3-9] |
//! | shutdown | DISCONNECT 0x8B in 5.0 | deferred: not published (§3.1.2.5) |
//!
//! Published means after the Will Delay Interval, or when the Session ends if that is sooner.

use squall_protocol::packet::Disconnect;
use squall_protocol::{ProtocolError, ReasonCode};

use crate::CloseCause;

/// Why a Network Connection ends.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// The client said so.
    Disconnect(Disconnect),
    /// The client broke the protocol or sent a Malformed Packet.
    Protocol(ProtocolError),
    /// CONNECT is refused with this code.
    Refused(ReasonCode),
    /// The client does not take a packet as large as our answer [MQTT-3.1.2-24].
    AnswerTooLarge,
    /// A Topic Name has more levels than we take (§4.13).
    TopicTooDeep { levels: usize },
    /// CONNECT did not come in time.
    ConnectTimeout,
    /// One and a half times the Keep Alive passed in silence [MQTT-3.1.2-22].
    KeepAliveTimeout,
    /// More waits for its socket than we keep.
    DoesNotRead,
    /// Another connection took the Session, which goes on.
    TakenOver,
    /// Another connection has the Client Identifier, and the Session ends.
    TakenOverByNewSession,
    /// The shell reported that the connection is gone.
    Lost,
    /// The server stops, and closes every connection.
    Shutdown,
}

impl From<ProtocolError> for Ending {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

/// What happens to the will.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WillFate {
    /// After its delay, unless a connection that continues the Session comes first.
    Published,
    Discarded,
}

impl Ending {
    /// The code of our DISCONNECT or refusing CONNACK; `None` if nothing is sent.
    pub(super) fn reason(&self) -> Option<ReasonCode> {
        match self {
            Self::Protocol(error) => Some(error.reason()),
            Self::Refused(reason) => Some(*reason),
            Self::TopicTooDeep { .. } => Some(ReasonCode::TopicNameInvalid),
            Self::AnswerTooLarge => Some(ReasonCode::PacketTooLarge),
            Self::KeepAliveTimeout => Some(ReasonCode::KeepAliveTimeout),
            Self::DoesNotRead => Some(ReasonCode::QuotaExceeded),
            Self::TakenOver | Self::TakenOverByNewSession => Some(ReasonCode::SessionTakenOver),
            Self::Shutdown => Some(ReasonCode::ServerShuttingDown),
            Self::Disconnect(_) | Self::ConnectTimeout | Self::Lost => None,
        }
    }

    pub(super) fn will_fate(&self) -> WillFate {
        match self {
            Self::Disconnect(disconnect) if disconnect.reason == ReasonCode::Success => {
                WillFate::Discarded
            }
            Self::Shutdown => WillFate::Discarded,
            Self::Disconnect(_)
            | Self::Protocol(_)
            | Self::Refused(_)
            | Self::AnswerTooLarge
            | Self::TopicTooDeep { .. }
            | Self::ConnectTimeout
            | Self::KeepAliveTimeout
            | Self::DoesNotRead
            | Self::TakenOver
            | Self::TakenOverByNewSession
            | Self::Lost => WillFate::Published,
        }
    }

    /// What the log says of it.
    pub(super) fn close_cause(&self, topic_levels_max: usize) -> CloseCause {
        match self {
            Self::Disconnect(disconnect) => CloseCause::Disconnect(disconnect.reason),
            Self::Protocol(error) => CloseCause::Protocol(*error),
            Self::Refused(reason) => CloseCause::Refused(*reason),
            Self::AnswerTooLarge => CloseCause::AnswerTooLarge,
            Self::TopicTooDeep { levels } => CloseCause::TopicTooDeep {
                levels: *levels,
                limit: topic_levels_max,
            },
            Self::ConnectTimeout => CloseCause::ConnectTimeout,
            Self::KeepAliveTimeout => CloseCause::KeepAliveTimeout,
            Self::DoesNotRead => CloseCause::DoesNotRead,
            Self::TakenOver | Self::TakenOverByNewSession => CloseCause::TakenOver,
            Self::Shutdown => CloseCause::Shutdown,
            Self::Lost => CloseCause::TransportEnded,
        }
    }
}
