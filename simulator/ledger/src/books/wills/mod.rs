//! Last Wills: which end of which connection asked for one, and who saw it (§3.1.2.5).
//!
//! A will carries no stamp; it is known by its Topic Name and payload. Devices that share both
//! share a row, and what comes is taken for the oldest end that still waits. Each watching
//! Session, or shared subscription, that certainly asks for the topic when the connection ends
//! must see the will exactly once; others may.
//!
//! Who had to see the will of an end is not written down when it ends: of 10,000 devices that
//! watch each other every end would have 9,999 watchers. An end keeps its time, and each watcher
//! the time since when it has watched without a break; `settle` compares the two at the end.

mod row;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS, packet::Will};
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{ClientKey, DeviceId, DropKind, FaultId};

use self::row::{Row, Taken};
use super::anomalies::{Anomalies, Anomaly, Subject};
use super::event::Event;
use super::memory::{GivenUp, Memory};
use super::roster::Names;
use super::stream::fingerprint;
use super::topics::{FilterKey, Recipient};

pub(crate) use self::settle::Audiences;

/// When the broker notices an end that nothing tells it of: Keep Alive is off.
pub(crate) const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// How a connection with a will ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WillCause {
    /// A fault dropped it.
    Dropped(DropKind),
    /// A fault said goodbye for it.
    Disconnected,
    /// A fault said goodbye with reason 0x04 (§3.14.2.1).
    DisconnectedWithWill,
    /// A cut of the `qos2` block.
    Qos2Cut,
    /// The broker closed it, with or without a reason: a takeover or a fault of the broker.
    ClosedByBroker,
    /// The device gave up: no answer, or a broken protocol.
    GivenUp,
}

/// Whether a will must follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// Exactly one.
    Must,
    /// At most one: the broker may see the end otherwise than the device.
    May,
    /// None [MQTT-3.14.4-3].
    MustNot,
}

/// The end of a connection, as far as wills are concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WillEnd {
    /// The fault behind it, if any.
    pub(crate) fault: Option<FaultId>,
    /// How it ended.
    pub(crate) cause: WillCause,
    /// What must follow.
    pub(crate) due: Due,
    /// When it left the device's link, so that the broker could know of it; `None` before.
    pub(crate) left_at: Option<Instant>,
    /// When the broker has surely noticed.
    pub(crate) noticed_by: Instant,
}

/// The will of a connection.
#[derive(Clone, Debug)]
pub(crate) struct KnownWill {
    /// Will Topic.
    pub(crate) topic: Rc<str>,
    /// Fingerprint of the payload; `None` if it is empty.
    pub(crate) value: Option<u64>,
    /// Will QoS.
    pub(crate) qos: QoS,
    /// Will Retain.
    pub(crate) retain: bool,
}

/// A claim that wills come in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WillLimit {
    /// Which `[[expect]]`.
    pub(crate) expectation: usize,
    /// After which fault.
    pub(crate) fault: FaultId,
    /// After which kind of drop.
    pub(crate) how: DropKind,
    /// Longest time from the end to the will.
    pub(crate) limit: Duration,
}

/// What became of wills after one fault and one way of ending.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WillTally {
    /// Connections with a will that ended so.
    pub ended: u64,
    /// Ends times watchers that had a verdict: watchers that went away have none.
    pub watched: u64,
    /// Of those, by how often the will was seen; the last entry stands for more.
    pub seen: [u64; 4],
    /// Ends times watchers whose will had not come, but might have come still when the books were
    /// closed: the broker need not have noticed the end by then.
    pub undecided: u64,
    /// How much longer the run would have had to go on to decide all of those.
    pub short_by: Duration,
    /// Longest time to a will.
    pub slowest: Option<Duration>,
}

/// A will that was seen for the first time by one watcher.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WillSeen {
    /// The fault before it, if any.
    pub(crate) fault: Option<FaultId>,
    /// How the connection ended.
    pub(crate) cause: WillCause,
    /// Time since that left the device's link, until the will reached the watcher's machine.
    pub(crate) after: Duration,
}

/// What a delivery has to do with wills.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WillDelivery {
    /// Nothing: it is not a will of this run.
    NoWill,
    /// It is a will, and there is nothing to measure.
    Counted,
    /// It is a will, seen for the first time by this watcher.
    First(WillSeen),
}

/// All wills of a run.
#[derive(Debug)]
pub(crate) struct Wills {
    names: Names,
    rows: Vec<Row>,
    /// By fingerprints of topic and payload.
    keys: HashMap<(u64, u64), usize>,
    /// The row of each open connection that has a will.
    armed: HashMap<SocketId, usize>,
    /// Row and number of each end that has not left its device's link.
    on_link: HashMap<SocketId, (usize, u64)>,
    /// The row and the number of the last end of each Session that has not been connected since.
    last_ends: HashMap<ClientKey, (usize, u64)>,
    tallies: BTreeMap<(Option<FaultId>, WillCause), WillTally>,
    limits: Vec<WillLimit>,
    /// Wills later than a limit, by `[[expect]]`, fault and kind of drop.
    late: BTreeMap<(usize, FaultId, DropKind), u64>,
    /// Undecided wills that a limit had passed for, likewise.
    overdue: BTreeMap<(usize, FaultId, DropKind), u64>,
    /// Wills of connections that had not ended.
    unprovoked: u64,
    /// Ends, and arrivals of wills, that are kept.
    kept: usize,
    kept_max: usize,
    /// The row that settling early begins with.
    next_to_settle: usize,
    given_up: GivenUp,
    anomalies: Anomalies,
}

/// A message that may be a will, as one recipient saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WillArrival<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// The whole payload.
    pub(crate) payload: &'a [u8],
    /// Whether it came from the store, for a new subscription.
    pub(crate) is_from_store: bool,
    /// Whether DUP at QoS 1 says that it may be a copy that the recipient had before.
    pub(crate) is_marked_as_repeat: bool,
    /// Who it was for.
    pub(crate) recipient: Recipient,
    /// Since when that one has certainly watched without a break; `None` if it does not.
    pub(crate) watched_since: Option<Instant>,
    /// Copies that its subscriptions allow.
    pub(crate) copies: u8,
}

impl Wills {
    /// No connection has a will yet.
    pub(crate) fn new(limits: Vec<WillLimit>, names: Names, memory: Memory) -> Self {
        Self {
            names,
            rows: Vec::new(),
            keys: HashMap::new(),
            armed: HashMap::new(),
            on_link: HashMap::new(),
            last_ends: HashMap::new(),
            tallies: BTreeMap::new(),
            limits,
            late: BTreeMap::new(),
            overdue: BTreeMap::new(),
            unprovoked: 0,
            kept: 0,
            kept_max: memory.will_ends,
            next_to_settle: 0,
            given_up: GivenUp::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
        }
    }

    /// A connection with a will was asked for.
    pub(crate) fn arm(&mut self, socket: SocketId, will: &Will) {
        let topic = will.topic.as_str();
        let key = (fingerprint(topic.as_bytes()), fingerprint(&will.payload));
        let row = *self.keys.entry(key).or_insert_with(|| {
            self.rows.push(Row::new(KnownWill {
                topic: topic.into(),
                value: (!will.payload.is_empty()).then(|| fingerprint(&will.payload)),
                qos: will.qos,
                retain: will.retain,
            }));
            self.rows.len() - 1
        });
        self.armed.insert(socket, row);
    }

    /// The will of an open connection.
    pub(crate) fn will_of(&self, socket: SocketId) -> Option<KnownWill> {
        let &row = self.armed.get(&socket)?;
        Some(self.rows[row].will.clone())
    }

    /// The will of this run that a message is, if it is one.
    pub(crate) fn known(&self, topic: &str, payload: &[u8]) -> Option<&KnownWill> {
        self.row_of(topic, payload).map(|row| &self.rows[row].will)
    }

    /// Whether a message may be a will out of the broker's store: `may_be_sent` tells for a time
    /// of publishing. Without any end it is one of an earlier run, or of no connection at all.
    pub(crate) fn may_be_stored(
        &self,
        topic: &str,
        payload: &[u8],
        may_be_sent: impl Fn(Instant) -> bool,
    ) -> bool {
        let row = self.row_of(topic, payload).map(|row| &self.rows[row]);
        row.is_some_and(|row| row.may_be_stored(may_be_sent))
    }

    /// A connection ended. `shares` are the shared subscriptions that certainly ask for the topic
    /// of its will now.
    pub(crate) fn handle_ended(&mut self, event: &Event, end: WillEnd, shares: Vec<FilterKey>) {
        let Some(row) = self.armed.remove(&event.socket) else {
            return;
        };
        let number = self.rows[row].push(event, end, shares);
        self.last_ends.insert(event.client, (row, number));
        if end.left_at.is_none() {
            self.on_link.insert(event.socket, (row, number));
        }
        self.kept += 1;
    }

    /// A Session is connected again.
    pub(crate) fn handle_connected(&mut self, event: &Event) {
        if let Some((row, number)) = self.last_ends.remove(&event.client) {
            self.rows[row].note_back(number, event.arrived);
        }
    }

    /// The end of a connection left the device's link at `event`: the broker has surely noticed by
    /// `noticed_by`.
    pub(crate) fn handle_left(&mut self, event: &Event, noticed_by: Instant) {
        if let Some((row, number)) = self.on_link.remove(&event.socket) {
            self.rows[row].handle_left(number, event.now, noticed_by);
        }
    }

    /// A connection is over, and its will with it, whatever became of it.
    pub(crate) fn disarm(&mut self, socket: SocketId) {
        self.armed.remove(&socket);
    }

    /// A message without stamp came to a recipient that may have `copies` of it.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
    ) -> WillDelivery {
        let Some(row) = self.row_of(arrival.topic, arrival.payload) else {
            return WillDelivery::NoWill;
        };
        if arrival.is_from_store {
            return WillDelivery::Counted;
        }
        let taken = match self.rows[row].take(event, arrival) {
            Taken::For(taken) => taken,
            Taken::Repeat | Taken::Unknown => return WillDelivery::Counted,
            Taken::Unprovoked => {
                self.unprovoked += 1;
                self.anomalies
                    .note(AnomalyKind::WillUnexpected, event.subject(), || {
                        let what = "a will of a connection that had not ended (§3.1.2.5)";
                        arrival.anomaly(AnomalyKind::WillUnexpected, event, what.to_owned())
                    });
                return WillDelivery::Counted;
            }
        };
        let end = taken.end;
        let WillEnd {
            fault, cause, due, ..
        } = end;
        self.kept += usize::from(taken.count == 1);
        let wrong = match due {
            Due::MustNot => Some((
                AnomalyKind::WillUnexpected,
                format!(
                    "a will after a polite goodbye at {} [MQTT-3.14.4-3]",
                    seconds(taken.ended_at)
                ),
            )),
            Due::Must | Due::May if taken.times > 1 => Some((
                AnomalyKind::WillDoubled,
                format!(
                    "will number {} for one connection that ended at {} (§3.1.2.5)",
                    taken.times,
                    seconds(taken.ended_at)
                ),
            )),
            Due::Must | Due::May => None,
        };
        if let Some((kind, explanation)) = wrong {
            let subject = Subject::after(fault, taken.device);
            self.anomalies.note(kind, subject, || Anomaly {
                device: subject.device,
                explanation: format!("{explanation}; seen by {}", self.names.of(event.device)),
                ..arrival.anomaly(kind, event, String::new()).after(fault)
            });
        }
        if taken.count > 1 || due == Due::MustNot {
            return WillDelivery::Counted;
        }
        let seen = WillSeen {
            fault,
            cause,
            // One that comes before, on a timeout of the broker, comes at once.
            after: end
                .left_at
                .map_or(Duration::ZERO, |left| event.arrived.saturating_since(left)),
        };
        self.check_limits((event, taken.device), arrival, &seen);
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.slowest = tally.slowest.max(Some(seen.after));
        WillDelivery::First(seen)
    }

    /// What became of wills, by fault and way of ending.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = (Option<FaultId>, WillCause, &WillTally)> {
        self.tallies
            .iter()
            .map(|(&(fault, cause), tally)| (fault, cause, tally))
    }

    /// Wills that came later than the limit of an `[[expect]]`.
    pub(crate) fn late(&self, expectation: usize, fault: FaultId, how: DropKind) -> u64 {
        self.late
            .get(&(expectation, fault, how))
            .copied()
            .unwrap_or(0)
    }

    /// Wills that had not come when the limit of an `[[expect]]` had passed: for that one they are
    /// missing, although the broker might have published them still.
    pub(crate) fn overdue(&self, expectation: usize, fault: FaultId, how: DropKind) -> u64 {
        self.overdue
            .get(&(expectation, fault, how))
            .copied()
            .unwrap_or(0)
    }

    /// Wills of connections that had not ended.
    pub(crate) fn unprovoked(&self) -> u64 {
        self.unprovoked
    }

    /// Ends, and arrivals of wills, that are kept.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// What was wrong with wills.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// What was given up to save memory.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    fn row_of(&self, topic: &str, payload: &[u8]) -> Option<usize> {
        if self.rows.is_empty() {
            return None;
        }
        let key = (fingerprint(topic.as_bytes()), fingerprint(payload));
        self.keys.get(&key).copied()
    }

    /// Compares the time to a will of the connection of `device`, as the device of `event` saw it.
    fn check_limits(
        &mut self,
        (event, device): (&Event, DeviceId),
        arrival: &WillArrival<'_>,
        seen: &WillSeen,
    ) {
        let (Some(fault), WillCause::Dropped(how)) = (seen.fault, seen.cause) else {
            return;
        };
        for place in 0..self.limits.len() {
            let limit = self.limits[place];
            if limit.fault != fault || limit.how != how || seen.after <= limit.limit {
                continue;
            }
            *self
                .late
                .entry((limit.expectation, fault, how))
                .or_default() += 1;
            let subject = Subject::after(Some(fault), device);
            self.anomalies
                .note(AnomalyKind::WillLate, subject, || Anomaly {
                    device: subject.device,
                    explanation: format!(
                        "its will came {} after the drop, the limit is {}; seen by {}",
                        duration_text(seen.after.as_secs_f64()),
                        duration_text(limit.limit.as_secs_f64()),
                        self.names.of(event.device)
                    ),
                    ..arrival
                        .anomaly(AnomalyKind::WillLate, event, String::new())
                        .after(Some(fault))
                });
        }
    }
}

fn seconds(at: Instant) -> String {
    duration_text(at.as_secs_f64())
}

impl WillArrival<'_> {
    fn anomaly(&self, kind: AnomalyKind, event: &Event, explanation: String) -> Anomaly {
        Anomaly {
            topic: Some(self.topic.to_owned()),
            ..event.anomaly(kind, explanation)
        }
    }
}

impl WillCause {
    /// Its name in reports, and the tag `how`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dropped(kind) => kind.name(),
            Self::Disconnected => "disconnect",
            Self::DisconnectedWithWill => "disconnect_with_will",
            Self::Qos2Cut => "qos2_cut",
            Self::ClosedByBroker => "closed_by_broker",
            Self::GivenUp => "given_up",
        }
    }

    /// Whether a polite goodbye: no will must follow.
    pub const fn is_polite(self) -> bool {
        matches!(self, Self::Disconnected)
    }
}
