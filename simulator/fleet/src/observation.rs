//! What a device saw or did, as the ledger and the metrics hear it.
//!
//! Devices report facts of their own side only: nothing here is an inference about the broker.
//! Times are those of the application: after the inbound link's delay, before the outbound one's.

use std::time::Duration;

use squall_protocol::{
    Instant, PacketId, QoS, ReasonCode, Version,
    packet::{Publish, PublishProperties, Will},
};
use squall_scenario::{ClientKey, DeviceId, FaultId};

use crate::drive::{OpenError, PeerClose, SocketId};
use crate::payload;
use crate::stamp::Stamp;

/// One fact, at the `now` it is reported with.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// Whose.
    pub device: DeviceId,
    /// Which Session it concerns.
    pub client: ClientKey,
    /// The Network Connection it concerns. Facts without one use the next or last attempt's.
    pub socket: SocketId,
    /// What.
    pub fact: Fact<'a>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// The transport was asked for.
    OpenStarted,
    /// The transport could not be had.
    OpenFailed(OpenError),
    /// CONNECT was handed to the link.
    ConnectSent {
        /// Clean Start (5.0) or Clean Session (3.1.1).
        clean_start: bool,
        /// Whether the Session outlives this connection.
        is_persistent: bool,
        /// Protocol of the connection.
        version: Version,
        /// Keep Alive; zero is none.
        keep_alive: Duration,
        /// The will that the connection carries.
        will: Option<&'a Will>,
    },
    /// CONNACK with success came.
    Connected {
        /// As the broker said.
        session_present: bool,
        /// When the transport was asked for.
        opened_at: Instant,
    },
    /// CONNACK with an error came.
    ConnectRefused(ReasonCode),
    /// The Network Connection ended, or, for a silent drop, the device fell silent.
    Ended(EndCause),
    /// SUBSCRIBE was handed to the link.
    SubscribeSent {
        /// Topic Filters with the QoS asked for, in order.
        filters: &'a [(String, QoS)],
    },
    /// SUBACK came.
    Subscribed {
        /// As in `SubscribeSent`.
        filters: &'a [(String, QoS)],
        /// One a filter.
        reasons: &'a [ReasonCode],
        /// When SUBSCRIBE was sent.
        sent_at: Instant,
    },
    /// A message fell due and the generator got to it: the difference of `now` and `scheduled` is
    /// the generator's own lateness. `Published` or `PublishSkipped` follows, at once or later.
    PublishDue {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Where to.
        topic: &'a str,
        /// How.
        qos: QoS,
    },
    /// A message was handed to the link for the first time.
    Published {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Where to.
        topic: &'a str,
        /// How.
        qos: QoS,
        /// Whether the broker is to retain it.
        retain: bool,
        /// The payload, stamp included.
        payload: &'a [u8],
    },
    /// A message was due and never handed to the link: no connection, or a full local queue.
    PublishSkipped {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Where it would have gone.
        topic: &'a str,
        /// How.
        qos: QoS,
    },
    /// The exchange of a QoS 1 or 2 message ended: PUBACK, PUBCOMP, or a PUBREC that refused it.
    /// Never reported at QoS 0.
    PublishAcknowledged {
        /// Its identity.
        stamp: Stamp,
        /// Where it went.
        topic: &'a str,
        /// Success, or why the broker refused it.
        reason: ReasonCode,
    },
    /// A leg of a QoS 2 exchange in which the device is the sender (§4.3.3).
    SenderLeg {
        /// Identity of the message.
        stamp: Stamp,
        /// Where it goes.
        topic: &'a str,
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// Which leg.
        leg: SenderLeg,
    },
    /// A leg of a QoS 2 exchange in which the device is the receiver (§4.3.3).
    ReceiverLeg {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// Which leg.
        leg: ReceiverLeg,
    },
    /// The `qos2` block kept an answer back on this connection.
    AnswerWithheld {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// Which answer.
        answer: ReceiverAnswer,
    },
    /// A PUBLISH came and was new to the device's QoS 2 state: the application sees it.
    Delivered {
        /// Topic Name.
        topic: &'a str,
        /// As it came.
        qos: QoS,
        /// As it came.
        dup: bool,
        /// As it came.
        retain: bool,
        /// As it came.
        payload: &'a [u8],
        /// What its payload says of itself: compare it with what was published, since a foreign
        /// payload can look like a stamp.
        stamp: Option<Stamp>,
        /// As they came.
        properties: &'a PublishProperties<'a>,
    },
    /// A fault did what it was configured to do, to this device.
    FaultApplied(FaultId),
    /// A checker, a device that the fleet adds at the end, found a retained message.
    RetainedFound {
        /// Which `[[expect]]` asked, counted from 0 in file order.
        expectation: usize,
        /// Topic Name.
        topic: &'a str,
        /// As stored.
        payload: &'a [u8],
    },
    /// A checker has everything that is retained under its filter.
    RetainedComplete {
        /// Which `[[expect]]` asked, counted from 0 in file order.
        expectation: usize,
    },
    /// A checker could not find out: no connection, no SUBACK, or a refused filter.
    RetainedUnknown {
        /// Which `[[expect]]` asked, counted from 0 in file order.
        expectation: usize,
    },
}

impl<'a> Fact<'a> {
    /// The application sees this PUBLISH.
    pub(crate) fn delivered(publish: &'a Publish<'a>) -> Self {
        Self::Delivered {
            topic: publish.topic.as_str(),
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            payload: publish.payload,
            stamp: payload::parse(publish.payload),
            properties: &publish.properties,
        }
    }
}

/// Why a Network Connection ended, as the device knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndCause {
    /// A fault ended it without DISCONNECT.
    Dropped {
        /// Which.
        fault: FaultId,
    },
    /// A fault ended it with DISCONNECT.
    Disconnected {
        /// Which.
        fault: FaultId,
        /// Normal disconnection, or Disconnect with Will Message.
        reason: ReasonCode,
    },
    /// A cut of the `qos2` block ended it without DISCONNECT.
    Qos2Cut {
        /// At which step of an exchange.
        step: CutStep,
    },
    /// The peer closed without a word of MQTT.
    PeerClosed(PeerClose),
    /// The broker sent DISCONNECT (5.0).
    ServerDisconnect(ReasonCode),
    /// The broker broke the protocol; the device sent DISCONNECT with this code and closed.
    ProtocolError(ReasonCode),
    /// CONNACK refused it.
    Refused,
    /// CONNACK, PINGRESP or SUBACK did not come in time.
    TimedOut,
    /// The run is over; the device left politely.
    RunEnded,
}

/// Where a cut of the `qos2` block comes in an exchange.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CutStep {
    /// Right after PUBLISH was sent.
    Publish,
    /// Right after PUBREC came, before PUBREL.
    Pubrec,
    /// Right after PUBREL was sent.
    Pubrel,
    /// Some time after an answer was withheld, so that the broker may ask again.
    Withheld,
}

/// An answer of a QoS 2 receiver.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ReceiverAnswer {
    /// PUBREC.
    Pubrec,
    /// PUBCOMP.
    Pubcomp,
}

/// A leg of QoS 2, sender's side, in order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SenderLeg {
    /// PUBLISH without DUP was sent.
    PublishSent,
    /// PUBLISH with DUP was sent.
    PublishResent,
    /// PUBREC came.
    PubrecReceived,
    /// PUBREL was sent, for the first time or again.
    PubrelSent,
    /// PUBCOMP came.
    PubcompReceived,
}

impl SenderLeg {
    /// Every leg, in order.
    pub const ALL: [Self; 5] = [
        Self::PublishSent,
        Self::PublishResent,
        Self::PubrecReceived,
        Self::PubrelSent,
        Self::PubcompReceived,
    ];
}

/// A leg of QoS 2, receiver's side, in order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ReceiverLeg {
    /// PUBLISH with a new identifier came.
    PublishReceived,
    /// PUBLISH with an identifier that awaits PUBREL came: not delivered again [MQTT-4.3.3-10].
    DuplicateReceived,
    /// PUBREC was sent.
    PubrecSent,
    /// PUBREL came.
    PubrelReceived,
    /// PUBCOMP was sent.
    PubcompSent,
}

impl ReceiverLeg {
    /// Every leg, in order.
    pub const ALL: [Self; 5] = [
        Self::PublishReceived,
        Self::DuplicateReceived,
        Self::PubrecSent,
        Self::PubrelReceived,
        Self::PubcompSent,
    ];
}
