//! A few devices whose observations a test tells one by one.

use std::time::Duration;

use squall_fleet::{
    About, ConnectionFact, DeliveredFact, EndCause, Fact, Observation, Pace, PublicationFact,
    RunTag, SocketId, Stamp, Standstill, SubscriptionFact, Wanted, payload,
};
use squall_protocol::{
    Instant, QoS, ReasonCode, Version,
    packet::{PublishProperties, SubscriptionOptions, Will},
};
use squall_run::AnomalyKind;
use squall_scenario::{BrokerHistory, ClientKey, DeviceId, DropKind, FaultId};

use crate::books::delay::Delay;
use crate::books::{Finding, Ledger, Memory, Roster, Tally, WatchedClaims};

/// Group 0: three publishers with Sessions that end with the connection.
pub(super) const PUBLISHER: u32 = 0;
/// Group 1: three subscribers with Sessions that end with the connection.
pub(super) const CLEAN: u32 = 3;
/// Group 2: three subscribers with Sessions of a minute.
pub(super) const KEPT: u32 = 6;

/// Whether a PUBLISH says that it may have come before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dup {
    No,
    Yes,
}

/// Fault 0 resets connections, fault 1 silences devices.
pub(super) const RESET: EndCause = EndCause::Dropped { fault: FaultId(0) };
pub(super) const SILENCE: EndCause = EndCause::Dropped { fault: FaultId(1) };

/// A subscription without options.
pub(super) fn wanted(filter: &str, qos: QoS) -> Wanted {
    Wanted {
        filter: filter.to_owned(),
        options: SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        },
        identifier: None,
    }
}

/// A ledger, a clock, and what each device does next.
pub(super) struct Scene {
    pub(super) ledger: Ledger,
    pub(super) now: Instant,
    /// Keep Alive of the connections to come.
    pub(super) keep_alive: Duration,
    /// Protocol version of the connections to come.
    pub(super) version: Version,
    pub(super) sockets: Vec<u64>,
    next_socket: u64,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with_limits(WatchedClaims::default())
    }

    /// A scene with claims that the ledger must watch.
    pub(super) fn with_limits(limits: WatchedClaims) -> Self {
        Self::with(limits, Memory::default())
    }

    /// A scene whose ledger remembers only so much.
    pub(super) fn with_memory(memory: Memory) -> Self {
        Self::with(WatchedClaims::default(), memory)
    }

    /// A scene with a broker that may know something from before the run.
    pub(super) fn on_broker(history: BrokerHistory) -> Self {
        Self::of_roster(Self::roster().on_broker(history))
    }

    /// A scene with a broker that earlier runs have used, and groups that resume their Sessions.
    pub(super) fn resuming(groups: &[usize]) -> Self {
        let roster = Self::roster().on_broker(BrokerHistory::EarlierRuns);
        let roster = roster.with_resuming(groups);
        Self::of_roster(roster)
    }

    /// A scene whose wills wait so long.
    pub(super) fn with_will_delay(delay: Delay) -> Self {
        Self::of_roster(Self::roster().with_will_delay(delay))
    }

    /// A scene of devices with a Receive Maximum.
    pub(super) fn with_receive_maximum() -> Self {
        Self::of_roster(Self::roster().with_receive_maximum())
    }

    /// A scene with publishers that release QoS 2 messages late.
    pub(super) fn with_late_releases() -> Self {
        Self::of_roster(Self::roster().with_late_releases())
    }

    fn with(limits: WatchedClaims, memory: Memory) -> Self {
        Self::of(Ledger::new(Self::roster(), limits, memory))
    }

    fn of_roster(roster: Roster) -> Self {
        Self::of(Ledger::new(
            roster,
            WatchedClaims::default(),
            Memory::default(),
        ))
    }

    pub(super) fn roster() -> Roster {
        let drops = [Some(DropKind::Rst), Some(DropKind::Silent)];
        Roster::with(&[(3, 0), (3, 0), (3, 60)], &drops)
    }

    pub(super) fn of(ledger: Ledger) -> Self {
        Self {
            ledger,
            now: Instant::ZERO,
            keep_alive: Duration::from_secs(10),
            version: Version::V5,
            sockets: vec![0; 9],
            next_socket: 1,
        }
    }

    /// Publisher 0 and the subscribers, connected and subscribed to `t` at QoS 2.
    pub(super) fn ready(subscribers: &[u32]) -> Self {
        Self::new().made_ready(subscribers)
    }

    /// As [`Self::ready`], in a scene that is there.
    pub(super) fn made_ready(mut self, subscribers: &[u32]) -> Self {
        self.connect(PUBLISHER);
        for &device in subscribers {
            self.connect(device);
            self.subscribe(device, "t", QoS::ExactlyOnce);
        }
        self
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// A fact of a device that is the only one of its client identifier.
    pub(super) fn tell(&mut self, device: u32, fact: Fact<'_>) {
        self.tell_as(device, device, fact);
    }

    /// A fact of a device for a client identifier, and what it means for the metrics.
    pub(super) fn tell_as(&mut self, device: u32, client: u32, fact: Fact<'_>) -> Vec<Finding> {
        let observation = Observation {
            about: About::Device {
                device: DeviceId(device),
                client: ClientKey(client),
                socket: SocketId(self.sockets[device as usize]),
            },
            waited: None,
            on_link: Duration::ZERO,
            fact,
        };
        self.wait(1);
        let mut findings = Vec::new();
        self.ledger.observe(self.now, &observation, &mut findings);
        findings
    }

    /// The generator does nothing for a while.
    pub(super) fn stand_still(&mut self, ms: u64) {
        let since = self.now;
        self.wait(ms);
        let observation = Observation {
            about: About::Run,
            waited: None,
            on_link: Duration::ZERO,
            fact: Fact::StoodStill {
                since,
                what: Standstill::Whole,
            },
        };
        self.ledger.observe(self.now, &observation, &mut Vec::new());
    }

    pub(super) fn connect(&mut self, device: u32) {
        self.connect_as(device, device, false);
    }

    pub(super) fn connect_as(&mut self, device: u32, client: u32, session_present: bool) {
        self.connect_sent(device, client, None);
        self.connected(device, client, session_present);
    }

    /// A device sends CONNECT on a new connection.
    pub(super) fn connect_sent(&mut self, device: u32, client: u32, will: Option<&Will>) {
        self.sockets[device as usize] = self.next_socket;
        self.next_socket += 1;
        let is_kept = device >= KEPT;
        let sent = Fact::Connection(ConnectionFact::ConnectSent {
            version: self.version,
            clean_start: !is_kept,
            is_persistent: is_kept,
            keep_alive: self.keep_alive,
            will,
            path: squall_fleet::Path::Direct,
        });
        self.tell_as(device, client, sent);
    }

    /// CONNACK comes on the newest connection of a device.
    pub(super) fn connected(&mut self, device: u32, client: u32, session_present: bool) {
        let connected = Fact::Connection(ConnectionFact::Connected {
            session_present,
            opened_at: self.now,
        });
        self.tell_as(device, client, connected);
    }

    pub(super) fn end(&mut self, device: u32, cause: EndCause) {
        let client = device;
        self.tell_end_as(device, client, cause);
    }

    pub(super) fn subscribe(&mut self, device: u32, filter: &str, qos: QoS) {
        let filters = [wanted(filter, qos)];
        self.tell(
            device,
            Fact::Subscription(SubscriptionFact::Sent { wanted: &filters }),
        );
        self.suback(device, filter, qos);
    }

    pub(super) fn suback(&mut self, device: u32, filter: &str, qos: QoS) {
        let filters = [wanted(filter, qos)];
        let granted = match qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        };
        let fact = Fact::Subscription(SubscriptionFact::Answered {
            wanted: &filters,
            reasons: &[granted],
            sent_at: self.now,
        });
        self.tell(device, fact);
    }

    /// Publisher 0 sends message `sequence` to `t`.
    pub(super) fn send(&mut self, sequence: u32, qos: QoS) {
        self.send_with(sequence, qos, None);
    }

    /// The same of a message that lives for `expiry`.
    pub(super) fn send_expiring(&mut self, sequence: u32, qos: QoS, expiry: Duration) {
        self.send_with(sequence, qos, Some(expiry));
    }

    fn send_with(&mut self, sequence: u32, qos: QoS, expiry: Option<Duration>) {
        let (stamp, payload) = message(sequence);
        let fact = Fact::Publication(PublicationFact::Due {
            stamp,
            topic: "t",
            qos,
            pace: Pace::Schedule,
        });
        self.tell(PUBLISHER, fact);
        let fact = Fact::Publication(PublicationFact::Sent {
            stamp,
            topic: "t",
            qos,
            retain: false,
            payload: &payload,
            properties: &squall_protocol::packet::PublishProperties::default(),
            reached_at: stamp.scheduled,
            expiry,
            stamp_place: squall_scenario::StampPlace::Payload,
        });
        self.tell(PUBLISHER, fact);
    }

    pub(super) fn acknowledge(&mut self, sequence: u32, reason: ReasonCode) {
        let (stamp, _) = message(sequence);
        let fact = Fact::Publication(PublicationFact::Acknowledged {
            stamp,
            topic: "t",
            reason,
        });
        self.tell(PUBLISHER, fact);
    }

    /// Sends messages and has them acknowledged.
    pub(super) fn publish(&mut self, sequences: std::ops::Range<u32>, qos: QoS) {
        for sequence in sequences {
            self.send(sequence, qos);
            if qos > QoS::AtMostOnce {
                self.acknowledge(sequence, ReasonCode::Success);
            }
        }
    }

    pub(super) fn deliver(&mut self, device: u32, sequence: u32, qos: QoS) {
        self.deliver_as(device, device, sequence, qos);
    }

    pub(super) fn deliver_as(&mut self, device: u32, client: u32, sequence: u32, qos: QoS) {
        let (stamp, payload) = message(sequence);
        let properties = PublishProperties::default();
        let delivered = delivery(stamp, &payload, &properties, qos);
        self.tell_as(device, client, Fact::Delivered(delivered));
    }

    /// Message `sequence` comes to a device with DUP.
    pub(super) fn deliver_again_as(&mut self, device: u32, client: u32, sequence: u32, qos: QoS) {
        self.deliver_changed_as([device, client], sequence, qos, |delivered| {
            delivered.dup = true;
        });
    }

    /// Message `sequence` comes to a device, changed.
    pub(super) fn deliver_changed(
        &mut self,
        device: u32,
        sequence: u32,
        qos: QoS,
        change: impl FnOnce(&mut DeliveredFact<'_>),
    ) -> Vec<Finding> {
        self.deliver_changed_as([device, device], sequence, qos, change)
    }

    /// The same, to a device that has the Session of a client.
    pub(super) fn deliver_changed_as(
        &mut self,
        [device, client]: [u32; 2],
        sequence: u32,
        qos: QoS,
        change: impl FnOnce(&mut DeliveredFact<'_>),
    ) -> Vec<Finding> {
        let (stamp, payload) = message(sequence);
        let properties = PublishProperties::default();
        let mut delivered = delivery(stamp, &payload, &properties, qos);
        change(&mut delivered);
        self.tell_as(device, client, Fact::Delivered(delivered))
    }

    /// Publisher 0 sends message `sequence` to `t`, to be retained, and has it acknowledged.
    pub(super) fn retain(&mut self, sequence: u32, qos: QoS) {
        let (stamp, payload) = message(sequence);
        let due = Fact::Publication(PublicationFact::Due {
            stamp,
            topic: "t",
            qos,
            pace: Pace::Schedule,
        });
        self.tell(PUBLISHER, due);
        let retained = Fact::Publication(PublicationFact::Sent {
            stamp,
            topic: "t",
            qos,
            retain: true,
            payload: &payload,
            properties: &squall_protocol::packet::PublishProperties::default(),
            reached_at: stamp.scheduled,
            expiry: None,
            stamp_place: squall_scenario::StampPlace::Payload,
        });
        self.tell(PUBLISHER, retained);
        self.acknowledge(sequence, ReasonCode::Success);
    }

    /// A message without a stamp comes to a device.
    pub(super) fn deliver_plain(&mut self, device: u32, topic: &str, payload: &[u8]) {
        let fact = Fact::Delivered(DeliveredFact {
            topic,
            qos: QoS::AtLeastOnce,
            dup: false,
            retain: false,
            payload,
            properties: &PublishProperties::default(),
            stamp: payload::parse(payload),
        });
        self.tell(device, fact);
    }

    /// A will comes to a device at QoS 1.
    pub(super) fn deliver_will(&mut self, device: u32, will: &Will, dup: Dup) {
        let fact = Fact::Delivered(DeliveredFact {
            topic: will.topic.as_str(),
            qos: QoS::AtLeastOnce,
            dup: dup == Dup::Yes,
            retain: false,
            payload: &will.payload,
            properties: &PublishProperties::default(),
            stamp: None,
        });
        self.tell(device, fact);
    }

    /// A connection for a client identifier ends.
    pub(super) fn tell_end_as(&mut self, device: u32, client: u32, cause: EndCause) {
        let ended = ConnectionFact::Ended(cause);
        self.tell_as(device, client, Fact::Connection(ended));
    }

    /// Closes the books, which must balance, and adds up all tallies.
    pub(super) fn close(&mut self) -> Tally {
        self.wait(10_000);
        self.ledger.close(self.now);
        assert_eq!(self.ledger.imbalances(), []);
        self.ledger.books().sum(|_| true)
    }

    pub(super) fn count(&self, kind: AnomalyKind) -> u64 {
        self.ledger.anomalies().count(kind)
    }
}

fn delivery<'a>(
    stamp: Stamp,
    payload: &'a [u8],
    properties: &'a PublishProperties<'a>,
    qos: QoS,
) -> DeliveredFact<'a> {
    DeliveredFact {
        topic: "t",
        qos,
        dup: false,
        retain: false,
        payload,
        properties,
        stamp: Some(stamp),
    }
}

/// Message `sequence` of publisher 0: its stamp and payload.
pub(super) fn message(sequence: u32) -> (Stamp, Vec<u8>) {
    let stamp = Stamp {
        run: RunTag::of_seed(1),
        device: DeviceId(PUBLISHER),
        sequence,
        scheduled: Instant::from_nanos(u64::from(sequence)),
    };
    let mut payload = Vec::new();
    payload::append_binary(&mut payload, stamp, payload::STAMP_BYTES);
    (stamp, payload)
}
