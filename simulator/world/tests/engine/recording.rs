//! A sink that keeps every fact, and a way to run a scenario with it.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use squall_core::{Broker, Config};
use squall_fleet::{
    About, BrokerFact, ConnectionFact, DeliveredFact, Departure, EndCause, ExchangeFact, Fact,
    Fleet, LegFact, LinkAtEnd, LinkFact, Observation, Outcome, PeerClose, Phase, Planned,
    ProvocationFact, PublicationFact, ReceiverAnswer, ReceiverLeg, RepeatedPacket, RetainedFact,
    RunTag, SenderLeg, SilenceFact, Sink, SocketId, Stamp, SubscriptionFact, Way,
};
use squall_protocol::{Instant, PacketId, QoS, ReasonCode};
use squall_scenario::{DeviceId, FaultId};
use squall_world::{Tamper, World};

use crate::harness;

/// One fact, without what it borrowed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) about: About,
    pub(crate) what: What,
}

impl Seen {
    pub(crate) fn device(&self) -> Option<DeviceId> {
        match self.about {
            About::Device { device, .. } => Some(device),
            About::Run => None,
        }
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
        match self.about {
            About::Device { socket, .. } => Some(socket),
            About::Run => None,
        }
    }
}

/// What happened, as far as the tests ask.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    OpenStarted,
    OpenFailed,
    ConnectSent,
    Connected {
        session_present: bool,
    },
    Refused(ReasonCode),
    Ended(EndCause),
    SubscribeSent,
    Subscribed,
    UnsubscribeSent,
    Unsubscribed,
    Due(Stamp),
    Published(Stamp, QoS),
    Skipped(Stamp),
    Acknowledged(Stamp),
    Repeated(RepeatedPacket, QoS),
    PubrecAfterEnd,
    Asked(Stamp),
    /// The stamp of the request.
    Answered(Stamp),
    Sender(Stamp, SenderLeg),
    Receiver(PacketId, ReceiverLeg),
    Withheld(ReceiverAnswer),
    Delivered {
        topic: String,
        payload: Vec<u8>,
        stamp: Option<Stamp>,
    },
    Begun(Planned, Instant),
    StoodStill(Instant),
    LeftLink(Departure),
    CloseArrived(PeerClose),
    LinkAtEnd(LinkAtEnd),
    StillOnLink(Way),
    Silence(SilenceFact),
    Link(LinkFact),
    Provocation(ProvocationFact),
    Broker(BrokerFact),
    ReadingStopped(FaultId),
    ReadingResumed {
        since: Instant,
    },
    QuotaExceeded,
    FaultApplied(FaultId),
    RetainedFound {
        topic: String,
        payload: Vec<u8>,
    },
    RetainedComplete,
    RetainedBroken,
    RetainedUnknown,
}

impl What {
    fn of(fact: &Fact<'_>) -> Self {
        match fact {
            Fact::Connection(fact) => Self::of_connection(fact),
            &Fact::Silence(fact) => Self::Silence(fact),
            &Fact::Link(fact) => Self::Link(fact),
            &Fact::Provocation(fact) => Self::Provocation(fact),
            &Fact::Broker(fact) => Self::Broker(fact),
            Fact::Subscription(SubscriptionFact::Sent { .. }) => Self::SubscribeSent,
            Fact::Subscription(SubscriptionFact::Answered { .. }) => Self::Subscribed,
            Fact::Subscription(SubscriptionFact::UnsubscribeSent { .. }) => Self::UnsubscribeSent,
            Fact::Subscription(SubscriptionFact::UnsubscribeAnswered { .. }) => Self::Unsubscribed,
            &Fact::Publication(PublicationFact::Due { stamp, .. }) => Self::Due(stamp),
            &Fact::Publication(PublicationFact::Sent { stamp, qos, .. }) => {
                Self::Published(stamp, qos)
            }
            &Fact::Publication(PublicationFact::Skipped { stamp, .. }) => Self::Skipped(stamp),
            &Fact::Publication(PublicationFact::Acknowledged { stamp, .. }) => {
                Self::Acknowledged(stamp)
            }
            &Fact::Publication(PublicationFact::Repeated { packet, qos, .. }) => {
                Self::Repeated(packet, qos)
            }
            Fact::Leg(LegFact::PubrecAfterEnd { .. }) => Self::PubrecAfterEnd,
            &Fact::Leg(LegFact::Sender { stamp, leg, .. }) => Self::Sender(stamp, leg),
            &Fact::Leg(LegFact::Receiver { id, leg }) => Self::Receiver(id, leg),
            &Fact::Leg(LegFact::Withheld { answer, .. }) => Self::Withheld(answer),
            &Fact::Exchange(ExchangeFact::Asked { stamp, .. }) => Self::Asked(stamp),
            &Fact::Exchange(ExchangeFact::Answered { request, .. }) => Self::Answered(request),
            Fact::Delivered(DeliveredFact {
                topic,
                payload,
                stamp,
                ..
            }) => Self::Delivered {
                topic: (*topic).to_owned(),
                payload: payload.to_vec(),
                stamp: *stamp,
            },
            &Fact::StoodStill { since, .. } => Self::StoodStill(since),
            &Fact::Begun { what, due } => Self::Begun(what, due),
            &Fact::FaultApplied(fault) => Self::FaultApplied(fault),
            Fact::Retained(RetainedFact::Found { topic, payload, .. }) => Self::RetainedFound {
                topic: (*topic).to_owned(),
                payload: payload.to_vec(),
            },
            Fact::Retained(RetainedFact::Broken { .. }) => Self::RetainedBroken,
            Fact::Retained(RetainedFact::Complete { .. }) => Self::RetainedComplete,
            Fact::Retained(RetainedFact::Unknown { .. }) => Self::RetainedUnknown,
        }
    }

    fn of_connection(fact: &ConnectionFact<'_>) -> Self {
        match fact {
            ConnectionFact::OpenStarted => Self::OpenStarted,
            ConnectionFact::OpenFailed(_) => Self::OpenFailed,
            ConnectionFact::ConnectSent { .. } => Self::ConnectSent,
            &ConnectionFact::Connected {
                session_present, ..
            } => Self::Connected { session_present },
            &ConnectionFact::Refused(reason) => Self::Refused(reason),
            &ConnectionFact::Ended(cause) => Self::Ended(cause),
            &ConnectionFact::LeftLink(departure) => Self::LeftLink(departure),
            &ConnectionFact::CloseArrived(how) => Self::CloseArrived(how),
            &ConnectionFact::LinkAtEnd(link) => Self::LinkAtEnd(link),
            &ConnectionFact::StillOnLink(way) => Self::StillOnLink(way),
            &ConnectionFact::ReadingStopped { fault, .. } => Self::ReadingStopped(fault),
            &ConnectionFact::ReadingResumed { since } => Self::ReadingResumed { since },
            ConnectionFact::QuotaExceeded { .. } => Self::QuotaExceeded,
        }
    }
}

/// Every fact of a run, in order.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) seen: Vec<Seen>,
    pub(crate) phases: Vec<(Phase, Instant)>,
    /// Of every fact with all its fields and its time; only where it is asked for.
    hasher: Option<DefaultHasher>,
}

impl Sink for Recording {
    fn observe(&mut self, now: Instant, observation: &Observation<'_>) {
        if let Some(hasher) = &mut self.hasher {
            format!("{now:?} {observation:?}").hash(hasher);
        }
        self.seen.push(Seen {
            at: now,
            about: observation.about,
            what: What::of(&observation.fact),
        });
    }

    fn enter_phase(&mut self, now: Instant, phase: Phase) {
        self.phases.push((phase, now));
    }
}

impl Recording {
    /// Facts of one device.
    pub(crate) fn of(&self, device: u32) -> impl Iterator<Item = &Seen> {
        self.seen
            .iter()
            .filter(move |seen| seen.device() == Some(DeviceId(device)))
    }

    /// Times at which a device told a fact that `wanted` accepts.
    pub(crate) fn times(&self, device: u32, wanted: impl Fn(&What) -> bool) -> Vec<Instant> {
        self.of(device)
            .filter(|seen| wanted(&seen.what))
            .map(|seen| seen.at)
            .collect()
    }

    /// How many facts `wanted` accepts.
    pub(crate) fn count(&self, wanted: impl Fn(&What) -> bool) -> usize {
        self.seen.iter().filter(|seen| wanted(&seen.what)).count()
    }

    /// Stamps that `pick` finds.
    pub(crate) fn stamps(&self, pick: impl Fn(&What) -> Option<Stamp>) -> Vec<Stamp> {
        self.seen
            .iter()
            .filter_map(|seen| pick(&seen.what))
            .collect()
    }

    /// Deliveries of payloads without a stamp of `topic`: wills.
    pub(crate) fn deliveries_on(&self, topic: &str) -> Vec<Instant> {
        let is_on_topic = |what: &What| {
            if let What::Delivered { topic: on, .. } = what {
                on == topic
            } else {
                false
            }
        };
        self.seen
            .iter()
            .filter(|seen| is_on_topic(&seen.what))
            .map(|seen| seen.at)
            .collect()
    }

    /// When a phase began.
    pub(crate) fn phase(&self, wanted: Phase) -> Instant {
        let mut phases = self.phases.iter();
        let found = phases.find(|&&(phase, _)| phase == wanted);
        found.unwrap_or_else(|| panic!("no phase {wanted:?}")).1
    }
}

/// Every stamp once, whatever the order.
pub(crate) fn set(stamps: Vec<Stamp>) -> BTreeSet<Stamp> {
    stamps.into_iter().collect()
}

pub(crate) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The broker core, which publishes nothing of its own.
pub(crate) fn quiet_broker() -> Broker {
    harness::broker(Config {
        sys_interval: None,
        ..Config::default()
    })
}

/// A digest of every fact of a run, with all fields and times, and how many they are.
pub(crate) fn digest(text: &str) -> (u64, usize) {
    let recording = Recording {
        hasher: Some(DefaultHasher::new()),
        ..Recording::default()
    };
    let recording = world_with(text, recording).run().sink;
    let hasher = recording.hasher.expect("it was asked for");
    (hasher.finish(), recording.seen.len())
}

/// The world of a scenario, at its beginning.
pub(crate) fn world(text: &str) -> World<Recording> {
    world_with(text, Recording::default())
}

fn world_with(text: &str, recording: Recording) -> World<Recording> {
    let fleet = Fleet::new(harness::scenario(text), RunTag::of_seed(1), recording);
    World::new(fleet, quiet_broker())
}

/// Runs a scenario to its end.
pub(crate) fn run(text: &str) -> Outcome<Recording> {
    world(text).run()
}

/// Runs a scenario to its end with something in between.
pub(crate) fn run_tampered(text: &str, tamper: impl Tamper + 'static) -> Outcome<Recording> {
    world(text).with_tamper(Box::new(tamper)).run()
}
