//! One message of a stream, for as long as anything about it is open.

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};
use squall_scenario::GroupId;

use super::content::ContentPrint;

/// What is known of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// How far it is.
    pub(crate) state: RecordState,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
    /// Its RETAIN flag.
    pub(crate) retain: bool,
    /// Cursors that still wait for it.
    pub(crate) outstanding: u32,
    /// When it was due.
    pub(crate) due_at: Instant,
    /// When it was handed to the link for the first time.
    pub(crate) sent_at: Instant,
    /// When it left its publisher's link; `None` while it has not, and where that is not known.
    pub(crate) left: Option<Left>,
    /// When its acknowledgement came; the moment of its sending while there is none.
    pub(crate) answered_at: Instant,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// The connection it was handed to.
    pub(crate) socket: SocketId,
    /// When the connection began on which it was acknowledged, or that it was handed to while it is not.
    pub(crate) connected_at: Instant,
    /// Group of the publisher.
    pub(crate) group: GroupId,
    /// What it says.
    pub(crate) content: ContentPrint,
}

/// The moment at which a message left its publisher's link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Left {
    /// When it really left.
    pub(crate) at: Instant,
    /// When the link had let it pass: the generator's lateness lies between.
    pub(crate) passed_at: Instant,
}

/// How far a message is on its way to the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecordState {
    /// Due or not even that: nothing was heard of it yet, but of a later one.
    Unheard,
    /// Given up: it was never sent.
    Skipped,
    /// Sent, not acknowledged. At QoS 0 nothing follows.
    Sent,
    /// Acknowledged with success.
    Acknowledged,
    /// Acknowledged with an error.
    Refused,
}

impl Record {
    pub(super) const UNHEARD: Self = Self {
        state: RecordState::Unheard,
        qos: QoS::AtMostOnce,
        retain: false,
        outstanding: 0,
        due_at: Instant::ZERO,
        sent_at: Instant::ZERO,
        left: None,
        answered_at: Instant::ZERO,
        reached_at: Instant::ZERO,
        socket: SocketId(0),
        connected_at: Instant::ZERO,
        group: GroupId(0),
        content: ContentPrint::NOTHING,
    };

    /// Whether nothing can change from here on.
    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            RecordState::Unheard => false,
            RecordState::Skipped => true,
            RecordState::Sent => self.qos == QoS::AtMostOnce && self.outstanding == 0,
            RecordState::Acknowledged | RecordState::Refused => self.outstanding == 0,
        }
    }

    /// Since when the broker has surely had it, all of its handshake with it: since its acknowledgement, which no link and no
    /// later connection makes too early; at QoS 0 since it left its publisher's link.
    pub(crate) fn surely_had_since(&self) -> Instant {
        match self.qos {
            QoS::AtMostOnce => self.left.map_or(self.sent_at, |left| left.at),
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.answered_at,
        }
    }

    /// Whether it was sent at QoS 1 or 2, and neither acknowledged nor refused.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state == RecordState::Sent && self.qos != QoS::AtMostOnce
    }

    /// Whether the broker has accepted it, as far as can be known: at QoS 0 that is always assumed, and
    /// judged by the connections on the way.
    pub(crate) fn is_ok(&self) -> bool {
        match self.state {
            RecordState::Acknowledged => true,
            RecordState::Sent => self.qos == QoS::AtMostOnce,
            RecordState::Unheard | RecordState::Skipped | RecordState::Refused => false,
        }
    }
}
