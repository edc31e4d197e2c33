//! Last Wills: which end of which connection asked for one, and who saw it (§3.1.2.5).
//!
//! A will carries no stamp; it is known by its Topic Name and payload. Devices that share both
//! share a row, and what comes is taken for the oldest end that still waits. Each watching
//! Session, or shared subscription, that certainly asks for the topic when the connection ends
//! must see the will exactly once; others may.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS, packet::Will};
use squall_run::AnomalyKind;
use squall_scenario::{ClientKey, DeviceId, DropKind, FaultId};

use super::anomalies::{Anomalies, Anomaly, Scope};
use super::event::Event;
use super::limits::WILL_ENDS_MAX;
use super::stream::fingerprint;
use super::topics::Recipient;

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
    /// Ends times watchers: what was due, or must not be seen.
    pub watched: u64,
    /// Of those, by how often the will was seen; the last entry stands for more.
    pub seen: [u64; 4],
    /// Of those, with no verdict: the watcher went away, or the run ended too early.
    pub excused: u64,
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
    /// Time since then.
    pub(crate) after: Duration,
}

/// What a delivery has to do with wills.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WillDelivery {
    /// Nothing: it is no will of this run.
    NoWill,
    /// It is a will, and there is nothing to measure.
    Counted,
    /// It is a will, seen for the first time by this watcher.
    First(WillSeen),
}

/// All wills of a run.
#[derive(Debug, Default)]
pub(crate) struct Wills {
    rows: Vec<Row>,
    /// By fingerprints of topic and payload.
    keys: HashMap<(u64, u64), usize>,
    /// The row of each open connection that has a will.
    armed: HashMap<SocketId, usize>,
    watchers: HashSet<ClientKey>,
    tallies: BTreeMap<(Option<FaultId>, WillCause), WillTally>,
    limits: Vec<WillLimit>,
    /// Wills later than a limit, by `[[expect]]`, fault and kind of drop.
    late: BTreeMap<(usize, FaultId, DropKind), u64>,
    /// Wills of connections that had not ended.
    unprovoked: u64,
    /// Wills that a new subscription was sent from the store.
    retained_copies: u64,
}

#[derive(Debug)]
struct Row {
    will: KnownWill,
    ends: VecDeque<End>,
}

#[derive(Debug)]
struct End {
    at: Instant,
    device: DeviceId,
    end: WillEnd,
    watches: Vec<Watch>,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    recipient: Recipient,
    /// Whether it certainly asked for the will when the connection ended.
    is_certain: bool,
    is_excused: bool,
    /// Copies that came.
    seen: u32,
    /// Copies that one will may bring, by overlapping subscriptions.
    allowed: u32,
}

impl Wills {
    /// No connection has a will yet.
    pub(crate) fn new(limits: Vec<WillLimit>) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// A connection with a will was asked for.
    pub(crate) fn arm(&mut self, socket: SocketId, will: &Will) {
        let topic = will.topic.as_str();
        let key = (fingerprint(topic.as_bytes()), fingerprint(&will.payload));
        let row = *self.keys.entry(key).or_insert_with(|| {
            self.rows.push(Row {
                will: KnownWill {
                    topic: topic.into(),
                    value: (!will.payload.is_empty()).then(|| fingerprint(&will.payload)),
                    qos: will.qos,
                    retain: will.retain,
                },
                ends: VecDeque::new(),
            });
            self.rows.len() - 1
        });
        self.armed.insert(socket, row);
    }

    /// The will of an open connection.
    pub(crate) fn will_of(&self, socket: SocketId) -> Option<KnownWill> {
        let &row = self.armed.get(&socket)?;
        Some(self.rows[row].will.clone())
    }

    /// Whether a message is a will of this run.
    pub(crate) fn knows(&self, topic: &str, payload: &[u8]) -> bool {
        self.row_of(topic, payload).is_some()
    }

    /// Whether a message may be a will out of the broker's store: `may_be_sent` tells for a time
    /// of publishing. Without any end it is one of an earlier run, or of no connection at all.
    pub(crate) fn may_be_stored(
        &self,
        topic: &str,
        payload: &[u8],
        may_be_sent: impl Fn(Instant) -> bool,
    ) -> bool {
        let Some(row) = self.row_of(topic, payload).map(|row| &self.rows[row]) else {
            return false;
        };
        row.ends.is_empty() || row.ends.iter().any(|end| may_be_sent(end.at))
    }

    /// A connection ended; `watchers` certainly ask for its will's topic now.
    pub(crate) fn handle_ended(
        &mut self,
        event: &Event,
        end: WillEnd,
        watchers: Vec<Recipient>,
        anomalies: &mut Anomalies,
    ) {
        let Some(row) = self.armed.remove(&event.socket) else {
            return;
        };
        let watches: Vec<Watch> = watchers
            .into_iter()
            .map(|recipient| Watch {
                recipient,
                is_certain: true,
                is_excused: false,
                seen: 0,
                allowed: 1,
            })
            .collect();
        self.watchers
            .extend(watches.iter().filter_map(|watch| match watch.recipient {
                Recipient::Session(client) => Some(client),
                Recipient::Share(_) => None,
            }));
        self.rows[row].ends.push_back(End {
            at: event.now,
            device: event.device,
            end,
            watches,
        });
        if self.rows[row].ends.len() > WILL_ENDS_MAX
            && let Some(oldest) = self.rows[row].ends.pop_front()
        {
            self.settle(row, &oldest, event.now, anomalies);
        }
    }

    /// A connection is over, and its will with it, whatever became of it.
    pub(crate) fn disarm(&mut self, socket: SocketId) {
        self.armed.remove(&socket);
    }

    /// A Session that may watch wills is over: what it has not seen it will not see.
    pub(crate) fn excuse_watcher(&mut self, client: ClientKey) {
        if !self.watchers.contains(&client) {
            return;
        }
        let watches = self
            .rows
            .iter_mut()
            .flat_map(|row| &mut row.ends)
            .flat_map(|end| &mut end.watches);
        for watch in watches {
            if watch.recipient == Recipient::Session(client) && watch.seen == 0 {
                watch.is_excused = true;
            }
        }
    }

    /// A message without stamp came to a recipient that may have `copies` of it.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        seen: &Sighting<'_>,
        anomalies: &mut Anomalies,
    ) -> WillDelivery {
        let Some(row) = self.row_of(seen.topic, seen.payload) else {
            return WillDelivery::NoWill;
        };
        if seen.is_from_store {
            self.retained_copies += 1;
            return WillDelivery::Counted;
        }
        let Some(place) = self.rows[row].end_for(seen.recipient) else {
            self.unprovoked += 1;
            note(
                anomalies,
                (AnomalyKind::WillUnexpected, event, seen.topic),
                None,
                "a will of a connection that had not ended (§3.1.2.5)".to_owned(),
            );
            return WillDelivery::Counted;
        };
        let end = &mut self.rows[row].ends[place];
        let after = event.now.saturating_since(end.at);
        let (
            WillEnd {
                fault, cause, due, ..
            },
            at,
        ) = (end.end, end.at);
        let watch = end.watch_mut(seen.recipient);
        if watch.seen > 0 && seen.is_redelivery {
            return WillDelivery::Counted;
        }
        watch.seen += 1;
        watch.allowed = watch.allowed.max(u32::from(seen.copies));
        let (count, times) = (watch.seen, watch.times());
        match due {
            Due::MustNot => note(
                anomalies,
                (AnomalyKind::WillUnexpected, event, seen.topic),
                fault,
                format!("a will after a polite goodbye at {at} [MQTT-3.14.4-3]"),
            ),
            Due::Must | Due::May if times > 1 => note(
                anomalies,
                (AnomalyKind::WillDoubled, event, seen.topic),
                fault,
                format!("will number {times} for one connection that ended at {at} (§3.1.2.5)"),
            ),
            Due::Must | Due::May => {}
        }
        if count > 1 || due == Due::MustNot {
            return WillDelivery::Counted;
        }
        self.check_limits(event, seen.topic, (fault, cause, after), anomalies);
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.slowest = tally.slowest.max(Some(after));
        WillDelivery::First(WillSeen {
            fault,
            cause,
            after,
        })
    }

    /// Ends the account: what has not come by `now` is missing.
    pub(crate) fn close(&mut self, now: Instant, anomalies: &mut Anomalies) {
        for row in 0..self.rows.len() {
            for end in std::mem::take(&mut self.rows[row].ends) {
                self.settle(row, &end, now, anomalies);
            }
        }
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

    /// Wills of connections that had not ended.
    pub(crate) fn unprovoked(&self) -> u64 {
        self.unprovoked
    }

    fn row_of(&self, topic: &str, payload: &[u8]) -> Option<usize> {
        if self.rows.is_empty() {
            return None;
        }
        let key = (fingerprint(topic.as_bytes()), fingerprint(payload));
        self.keys.get(&key).copied()
    }

    fn check_limits(
        &mut self,
        event: &Event,
        topic: &str,
        (fault, cause, after): (Option<FaultId>, WillCause, Duration),
        anomalies: &mut Anomalies,
    ) {
        let (Some(fault), WillCause::Dropped(how)) = (fault, cause) else {
            return;
        };
        for limit in &self.limits {
            if limit.fault != fault || limit.how != how || after <= limit.limit {
                continue;
            }
            *self
                .late
                .entry((limit.expectation, fault, how))
                .or_default() += 1;
            note(
                anomalies,
                (AnomalyKind::WillLate, event, topic),
                Some(fault),
                format!(
                    "the will came {after:?} after the drop, the limit is {:?}",
                    limit.limit
                ),
            );
        }
    }

    fn settle(&mut self, row: usize, end: &End, now: Instant, anomalies: &mut Anomalies) {
        let WillEnd {
            fault,
            cause,
            due,
            noticed_by,
        } = end.end;
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.ended += 1;
        for watch in end.watches.iter().filter(|watch| watch.is_certain) {
            let is_open = watch.seen == 0 && due == Due::Must;
            if watch.is_excused || due == Due::May || (is_open && now < noticed_by) {
                tally.excused += 1;
                continue;
            }
            tally.watched += 1;
            let times = (watch.times() as usize).min(tally.seen.len() - 1);
            tally.seen[times] += 1;
            if is_open {
                let topic = &self.rows[row].will.topic;
                let how = cause.name();
                anomalies.note(AnomalyKind::WillMissing, || Anomaly {
                    kind: AnomalyKind::WillMissing,
                    at: end.at,
                    device: Some(end.device),
                    topic: Some(topic.to_string()),
                    sequence: None,
                    explanation: format!(
                        "the connection ended ({how}) and its will never came (§3.1.2.5)"
                    ),
                    scope: Scope {
                        fault,
                        ..Scope::default()
                    },
                });
            }
        }
    }
}

/// A message that may be a will, as one recipient saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// Payload.
    pub(crate) payload: &'a [u8],
    /// Whether it came from the store, for a new subscription.
    pub(crate) is_from_store: bool,
    /// Whether it may be the same copy again: DUP at QoS 1.
    pub(crate) is_redelivery: bool,
    /// Who it was for.
    pub(crate) recipient: Recipient,
    /// Copies that its subscriptions allow.
    pub(crate) copies: u8,
}

impl Sighting<'_> {
    /// Whether DUP and QoS of a PUBLISH allow that it is the same copy again.
    pub(crate) fn may_be_redelivery(dup: bool, qos: QoS) -> bool {
        dup && qos == QoS::AtLeastOnce
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

impl Row {
    /// The end that a will is taken for: the oldest that still waits for it, else the last.
    fn end_for(&self, recipient: Recipient) -> Option<usize> {
        let waiting = self.ends.iter().position(|end| {
            end.end.due != Due::MustNot
                && end
                    .watches
                    .iter()
                    .find(|watch| watch.recipient == recipient)
                    .is_none_or(|watch| watch.seen == 0)
        });
        waiting.or_else(|| self.ends.len().checked_sub(1))
    }
}

impl Watch {
    /// How often the will was seen, copies of one will taken for one.
    fn times(&self) -> u32 {
        match self.seen {
            0 => 0,
            seen => 1 + seen.saturating_sub(self.allowed),
        }
    }
}

impl End {
    fn watch_mut(&mut self, recipient: Recipient) -> &mut Watch {
        let place = self
            .watches
            .iter()
            .position(|watch| watch.recipient == recipient)
            .unwrap_or_else(|| {
                self.watches.push(Watch {
                    recipient,
                    is_certain: false,
                    is_excused: false,
                    seen: 0,
                    allowed: 1,
                });
                self.watches.len() - 1
            });
        &mut self.watches[place]
    }
}

fn note(
    anomalies: &mut Anomalies,
    (kind, event, topic): (AnomalyKind, &Event, &str),
    fault: Option<FaultId>,
    explanation: String,
) {
    anomalies.note(kind, || Anomaly {
        kind,
        at: event.now,
        device: Some(event.device),
        topic: Some(topic.to_owned()),
        sequence: None,
        explanation,
        scope: Scope {
            fault,
            group: Some(event.group),
            ..Scope::default()
        },
    });
}
