//! What a device saw or did, as it is told to the ledger and the metrics.
//!
//! Devices report facts of their own side only: nothing here is an inference about the broker.
//! Times are those of the application: after the inbound link's delay, before the outbound one's. What
//! a link holds back is told beside them, so that the broker is charged only for what it had.

mod broker;
mod exchange;
mod leg;
mod link;
mod provocation;
mod retained;
mod silence;
mod skipped;
mod subscription;
mod wanted;

use std::time::Duration;

use squall_protocol::{
    Instant, QoS, ReasonCode, Version,
    packet::{Publish, PublishProperties, Will},
};
use squall_scenario::{ClientKey, DeviceId, Farewell, FaultId, StampPlace};

use crate::drive::{OpenError, PeerClose, SocketId, Standstill};
use crate::progress::Phase;
use crate::stamp::Stamp;

pub use broker::BrokerFact;
pub use exchange::ExchangeFact;
pub use leg::{LegFact, ReceiverAnswer, ReceiverLeg, SenderLeg};
pub use link::{Departure, LinkAtEnd, LinkFact, Way};
pub use provocation::ProvocationFact;
pub use retained::{RetainedFact, Unchecked};
pub use silence::SilenceFact;
pub use skipped::{NoLine, SkipCause};
pub use subscription::SubscriptionFact;
pub use wanted::Wanted;

/// One fact. The moment of it is the `now` that it is told with.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The device or the run that it is about.
    pub about: About,
    /// What happened there.
    pub fact: Fact<'a>,
    /// How long what tells it waited for the generator: to be read, and to be released from the link.
    /// `None` if that is not known, and for what the device did by itself.
    pub waited: Option<Duration>,
    /// How long the device's link held what tells it, after it had reached the device's machine; zero
    /// without a link, and for what the device did by itself.
    pub on_link: Duration,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum About {
    /// One device of a group.
    Device {
        /// The device that saw or did it.
        device: DeviceId,
        /// The Session it concerns.
        client: ClientKey,
        /// The Network Connection it concerns. Facts without one use the next or last attempt's.
        socket: SocketId,
    },
    /// The run as a whole: no device of a group saw or did it.
    Run,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// Something happened to a Network Connection.
    Connection(ConnectionFact<'a>),
    /// Something happened to the device's subscriptions.
    Subscription(SubscriptionFact<'a>),
    /// Something happened to a message that the device publishes.
    Publication(PublicationFact<'a>),
    /// A fault does something to the device's link, or is over.
    Link(LinkFact),
    /// A device fell silent on a connection that it leaves open, or the broker closed that.
    Silence(SilenceFact),
    /// A message that was sent asks for a response, or is one.
    Exchange(ExchangeFact<'a>),
    /// A packet of a QoS 2 exchange was sent, received or withheld.
    Leg(LegFact<'a>),
    /// A PUBLISH came and was new to the device's QoS 2 state: the application sees it.
    Delivered(DeliveredFact<'a>),
    /// The generator got to something that it had planned: the difference of `now` and `due` is the
    /// generator's own lateness. What follows from it is told by other facts. A message has
    /// [`PublicationFact::Due`] instead.
    Begun {
        /// The thing that it got to.
        what: Planned,
        /// The moment that it was planned for.
        due: Instant,
    },
    /// A malformed packet was sent, or the broker did something about it.
    Provocation(ProvocationFact),
    /// A fault did what it was configured to do, to this device.
    FaultApplied(FaultId),
    /// The generator did nothing from `since` until now, though something was due, or did not look at its
    /// sockets: what came in meanwhile was not read; or it did not carry out what it had decided. About the run. No two of
    /// one kind overlap.
    StoodStill {
        /// When it was last heard of, or when it should have been back after that.
        since: Instant,
        /// What it did not do.
        what: Standstill,
    },
    /// A fault does something to the broker, or is over. About the run.
    Broker(BrokerFact),
    /// A checker, a device that the fleet adds at the end, asked what is retained. About the run.
    Retained(RetainedFact<'a>),
}

/// Something that happens at a planned moment, beside publishing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Planned {
    /// It asks for its first transport.
    Connect,
    /// It asks for another transport, after its back-off.
    Reconnect,
    /// It subscribes or unsubscribes, as its group's `start`, `until` or `churn` wants.
    Subscription,
    /// A fault that chose it does its work on it.
    Fault(FaultId),
    /// The run enters a phase whose moment the scenario tells. About the run.
    Phase(Phase),
}

/// How a device gets to the broker.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Path {
    /// Without a link: what is sent is on its way at once.
    Direct,
    /// Over a link: [`ConnectionFact::LeftLink`] follows.
    OverLink,
}

/// A step in the life of a Network Connection.
#[derive(Clone, Debug)]
pub enum ConnectionFact<'a> {
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
        /// How it gets to the broker, and all that follows on this connection.
        path: Path,
    },
    /// CONNACK with success came.
    Connected {
        /// As the broker said.
        session_present: bool,
        /// When the system had been asked for the transport.
        opened_at: Instant,
    },
    /// CONNACK with an error came.
    Refused(ReasonCode),
    /// The Network Connection ended, or, for a silent drop, the device fell silent.
    Ended(EndCause),
    /// What the device did before has left its link: from now on the broker is to act on it. Told of
    /// each connection that runs over a link, and of none without.
    LeftLink(Departure),
    /// The FIN or RST of the broker has reached the device's machine: the broker has ended the connection.
    /// The device hears of it when it has crossed the link. Told of each connection that runs over a
    /// link, and of none without.
    CloseArrived(PeerClose),
    /// What the link had let pass of this connection when the broker's end of it was at the device's
    /// machine, or when the device gave up waiting for an answer. Told then, and before that is, of each
    /// connection that runs over a link.
    LinkAtEnd(LinkAtEnd),
    /// A fault stops the device from reading it.
    ReadingStopped {
        /// The fault that does.
        fault: FaultId,
        /// How many times it fired before.
        number: u64,
    },
    /// The device reads on, and has what came meanwhile before it.
    ReadingResumed {
        /// When it had stopped.
        since: Instant,
    },
    /// The broker had more messages of QoS 1 and 2 in flight than Receive Maximum allows [MQTT-3.3.4-9].
    QuotaExceeded {
        /// As many as that at least.
        in_flight: usize,
    },
    /// Devices are about to leave, and the link still holds something of this connection that way.
    StillOnLink(Way),
}

/// What makes a message due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// Its time came, by the scenario.
    Schedule,
    /// The broker answered the one before it, so that it is due when it is written: it tells nothing of the generator's lag.
    ClosedLoop,
}

/// A step in the life of a message, on its publisher's side.
#[derive(Clone, Debug)]
pub enum PublicationFact<'a> {
    /// It fell due and the generator got to it: the difference of `now` and `scheduled` is the
    /// generator's own lateness. `Sent` or `Skipped` follows, at once or later.
    Due {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// QoS of the PUBLISH.
        qos: QoS,
        /// What made it due.
        pace: Pace,
    },
    /// It was handed to the link for the first time.
    Sent {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// QoS of the PUBLISH.
        qos: QoS,
        /// Whether the broker is to retain it.
        retain: bool,
        /// The payload, stamp included.
        payload: &'a [u8],
        /// The properties of the PUBLISH.
        properties: &'a PublishProperties<'a>,
        /// When the generator got to it, as in [`Self::Due`].
        reached_at: Instant,
        /// Message Expiry Interval, if it has one.
        expiry: Option<Duration>,
        /// Where its recipients find its identity.
        stamp_place: StampPlace,
    },
    /// It was due and never handed to the link.
    Skipped {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// QoS of the PUBLISH.
        qos: QoS,
        /// Why it was not.
        cause: SkipCause,
    },
    /// A packet of its exchange was sent again on the same connection, as `retransmit = "same_connection"` asks.
    Repeated {
        /// Identity of the message.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// QoS of the PUBLISH.
        qos: QoS,
        /// What was sent again.
        packet: RepeatedPacket,
    },
    /// The exchange of a QoS 1 or 2 message ended: PUBACK, PUBCOMP, or a PUBREC that refused it.
    /// Never reported at QoS 0.
    Acknowledged {
        /// Identity of the message.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// Success, or why the broker refused it.
        reason: ReasonCode,
    },
}

/// The last packet of an exchange, which waits for its answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RepeatedPacket {
    /// PUBLISH, with DUP.
    Publish,
    /// PUBREL.
    Pubrel,
}

/// A PUBLISH as the application sees it.
#[derive(Clone, Copy, Debug)]
pub struct DeliveredFact<'a> {
    /// Topic Name.
    pub topic: &'a str,
    /// QoS of this delivery.
    pub qos: QoS,
    /// The DUP flag.
    pub dup: bool,
    /// The RETAIN flag.
    pub retain: bool,
    /// The payload, stamp included.
    pub payload: &'a [u8],
    /// What it says of itself, in a User Property or its payload: compare it with what was published, since a foreign
    /// payload can look like a stamp.
    pub stamp: Option<Stamp>,
    /// The properties of the PUBLISH.
    pub properties: &'a PublishProperties<'a>,
}

impl<'a> Fact<'a> {
    /// The application sees this PUBLISH, which bears `stamp`.
    pub(crate) fn delivered(publish: &'a Publish<'a>, stamp: Option<Stamp>) -> Self {
        Self::Delivered(DeliveredFact {
            topic: publish.topic.as_str(),
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            payload: publish.payload,
            stamp,
            properties: &publish.properties,
        })
    }
}

/// Why a Network Connection ended, as the device knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndCause {
    /// A fault ended it without DISCONNECT.
    Dropped {
        /// The fault that did it.
        fault: FaultId,
    },
    /// A fault ended it with DISCONNECT.
    Disconnected {
        /// The fault that did it.
        fault: FaultId,
        /// Normal disconnection, or Disconnect with Will Message.
        reason: ReasonCode,
    },
    /// The device went, as its group's `availability` or `leave` wants.
    WentAway(Farewell),
    /// A cut of the `qos2` block ended it without DISCONNECT.
    Qos2Cut {
        /// The step of an exchange at which it came.
        step: CutStep,
    },
    /// The broker closed without a DISCONNECT.
    PeerClosed(PeerClose),
    /// The broker sent DISCONNECT (5.0).
    ServerDisconnect(ReasonCode),
    /// The broker broke the protocol; the device sent DISCONNECT with this code and closed.
    ProtocolError(ReasonCode),
    /// CONNACK refused it.
    Refused,
    /// CONNACK, PINGRESP, SUBACK or UNSUBACK did not come in time.
    TimedOut,
    /// The run is over; the device sent DISCONNECT if it could, and closed.
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
