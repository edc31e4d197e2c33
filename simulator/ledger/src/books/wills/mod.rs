//! Last Wills: which end of which connection asked for one, and who saw it (§3.1.2.5).
//!
//! A will carries no stamp; it is known by its Topic Name and payload. Devices that share both
//! share a row, and what comes is taken for the oldest end that still waits. Each watching
//! Session, or shared subscription, that certainly asks for the topic when the connection ends
//! must see the will exactly once; others may.
//!
//! Who had to see the will of an end is not written down when it ends: of 10,000 devices that
//! watch each other every end would have 9,999 watchers. An end keeps its time, and each watcher
//! the time since when it has watched without a break; `settle` compares the two at the end. Who saw a will is
//! a bit for each watcher (`sightings`).

mod announcers;
mod arrival;
mod deliver;
mod early;
mod end;
mod ended;
mod holders;
mod progress;
mod row;
mod seen;
mod settle;
mod sightings;
mod taken;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{BrokerFact, SocketId};
use squall_protocol::{Instant, QoS, packet::Will};
use squall_scenario::{BrokerHistory, ClientKey, DropKind, FaultId};

use self::holders::Holders;
use self::row::Row;
use super::anomalies::Anomalies;
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::{GivenUp, Memory};
use super::roster::{Names, Roster};
use super::stream::fingerprint;
use super::topics::FilterKey;

pub(crate) use self::arrival::WillArrival;
pub(crate) use self::deliver::WillDelivery;
pub use self::end::WillCause;
pub(crate) use self::end::{Due, WillEnd};
pub(crate) use self::seen::WillSeen;
pub(crate) use self::settle::Audiences;

/// When the broker notices an end that nothing tells it of: Keep Alive is off.
pub(crate) const NEVER: Instant = Instant::from_nanos(u64::MAX);

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

/// The will of an open connection.
#[derive(Clone, Copy, Debug)]
struct Armed {
    /// The row of its Topic Name and payload.
    row: usize,
    qos: QoS,
    retain: bool,
    /// When its CONNACK reached the device's machine; `None` before.
    connected_at: Option<Instant>,
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
    /// Longest time from when the will is due to the will.
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
    /// Wills that came to watchers that need not have had them, such as one that subscribed after the end.
    pub optional: u64,
    /// How much longer the run would have had to go on to decide all of those.
    pub short_by: Duration,
    /// Longest time to a will.
    pub slowest: Option<Duration>,
    /// Of the ends, those without a will because a connection resumed the Session before it was due.
    pub cancelled: u64,
    /// Of those seen once, the ones of ends whose Sessions were resumed about when the will was due: none would have been
    /// right too.
    pub at_edge: u64,
    /// Of the ends, those of connections that the broker left open after a malformed packet: it publishes the will when it
    /// closes them (§3.1.2.5).
    pub left_open: u64,
    /// Wills that came though a connection had resumed the Session in time, and wills that came before they were due.
    pub premature: u64,
}

/// All wills of a run.
#[derive(Debug)]
pub(crate) struct Wills {
    names: Names,
    /// What the broker may know that is not of the run.
    history: BrokerHistory,
    rows: Vec<Row>,
    /// By fingerprints of topic and payload.
    keys: HashMap<(u64, u64), usize>,
    /// The row of each open connection that has a will.
    armed: HashMap<SocketId, Armed>,
    /// Row and number of each end that has not left its device's link.
    on_link: HashMap<SocketId, (usize, u64)>,
    /// The row and the number of the last end of each Session that has not been connected since.
    last_ends: HashMap<ClientKey, (usize, u64)>,
    /// The last connection of each Session.
    holders: Holders,
    tallies: BTreeMap<(Option<FaultId>, WillCause), WillTally>,
    limits: Vec<WillLimit>,
    /// Wills later than a limit, by `[[expect]]`, fault and kind of drop.
    late: BTreeMap<(usize, FaultId, DropKind), u64>,
    /// Undecided wills that a limit had passed for, likewise.
    overdue: BTreeMap<(usize, FaultId, DropKind), u64>,
    /// Wills of connections that had not ended.
    unprovoked: u64,
    /// Messages with the Topic Name and payload of a will that no end asked for, on a broker where
    /// another client may have sent them.
    unclear: u64,
    /// Of those, the ones whose will several devices announce.
    unclear_of_several: u64,
    /// Ends and early wills that are kept, words of sightings, and sightings that are kept whole.
    kept: usize,
    kept_max: usize,
    /// The row that settling early begins with.
    next_to_settle: usize,
    given_up: GivenUp,
    anomalies: Anomalies,
    /// When faults had the broker away.
    broker_times: BrokerTimes,
}

impl Wills {
    /// No connection has a will yet.
    pub(crate) fn new(limits: Vec<WillLimit>, roster: &Roster, memory: Memory) -> Self {
        Self {
            names: roster.names(),
            history: roster.history(),
            rows: Vec::new(),
            keys: HashMap::new(),
            armed: HashMap::new(),
            on_link: HashMap::new(),
            last_ends: HashMap::new(),
            holders: Holders::default(),
            tallies: BTreeMap::new(),
            limits,
            late: BTreeMap::new(),
            overdue: BTreeMap::new(),
            unprovoked: 0,
            unclear: 0,
            unclear_of_several: 0,
            kept: 0,
            kept_max: memory.will_ends,
            next_to_settle: 0,
            given_up: GivenUp::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            broker_times: BrokerTimes::default(),
        }
    }

    /// A connection with a will was asked for.
    pub(crate) fn arm(&mut self, event: &Event, will: &Will) {
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
        self.rows[row].armed += 1;
        let row_of_will = &mut self.rows[row];
        row_of_will.announcers = row_of_will.announcers.and(event.device);
        let armed = Armed {
            row,
            qos: will.qos,
            retain: will.retain,
            connected_at: None,
        };
        self.armed.insert(event.socket, armed);
    }

    /// The will of an open connection.
    pub(crate) fn will_of(&self, socket: SocketId) -> Option<KnownWill> {
        let &Armed {
            row, qos, retain, ..
        } = self.armed.get(&socket)?;
        // Others may announce the same message otherwise.
        Some(KnownWill {
            qos,
            retain,
            ..self.rows[row].will.clone()
        })
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

    /// Since when a will may have been published, as far as its ends are known; `None` if it has none.
    pub(crate) fn published_since(&self, topic: &str, payload: &[u8]) -> Option<Instant> {
        self.rows[self.row_of(topic, payload)?].published_since()
    }

    /// A connection ended. `shares` are the shared subscriptions that certainly ask for the topic
    /// of its will now.
    ///
    /// Returns who had seen its will before that was known.
    pub(crate) fn handle_ended(
        &mut self,
        event: &Event,
        end: WillEnd,
        shares: Vec<FilterKey>,
    ) -> Vec<WillSeen> {
        let connected_at = self.armed.get(&event.socket);
        let connected_at = connected_at.and_then(|armed| armed.connected_at);
        let Some(row) = self.disarm(event.socket) else {
            return Vec::new();
        };
        let displacer = self.holders.displacer_of(event, connected_at);
        let number = self.on_row(row, |row| row.push(event, end, shares));
        if self
            .broker_times
            .ended_process(event.arrived, event.arrived)
        {
            self.rows[row].note_forgetting(event.now);
        }
        if end.left_at.is_none() {
            self.on_link.insert(event.socket, (row, number));
        }
        // A Clean Start has made the will due at once: one that was read before the close is not too early.
        if let Some(displacer) = displacer {
            self.rows[row].note_asked(number, displacer.asked_at, Duration::ZERO);
        }
        let seen = match end.cause {
            WillCause::ClosedByBroker => self.match_early(row, event.arrived),
            WillCause::Dropped(_)
            | WillCause::Disconnected
            | WillCause::DisconnectedWithWill
            | WillCause::Qos2Cut
            | WillCause::GivenUp => Vec::new(),
        };
        match displacer.and_then(|displacer| displacer.connected_at) {
            // The Session may have had a later end since then: that one stays its last.
            Some(back_at) => self.rows[row].note_back(number, back_at),
            None => {
                self.last_ends.insert(event.client, (row, number));
            }
        }
        seen
    }

    /// CONNECT was sent for a Session, or has left its device's link.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event) {
        let at = event.now;
        self.holders.handle_connect_sent(event);
        if let Some(&(row, number)) = self.last_ends.get(&event.client) {
            let ended_at = self.rows[row].ended_at(number).unwrap_or(at);
            let away = self.broker_times.away_between(ended_at, at);
            self.rows[row].note_asked(number, at, away);
        }
    }

    /// A Session is connected again.
    pub(crate) fn handle_connected(&mut self, event: &Event) {
        self.holders.handle_connected(event);
        if let Some(armed) = self.armed.get_mut(&event.socket) {
            armed.connected_at = Some(event.arrived);
        }
        if let Some((row, number)) = self.last_ends.remove(&event.client) {
            self.rows[row].note_back(number, event.arrived);
        }
    }

    /// The broker has not closed the last connection of this Session, for which its device had done with it.
    pub(crate) fn note_left_open(&mut self, client: ClientKey) {
        if let Some(&(row, number)) = self.last_ends.get(&client) {
            self.rows[row].note_left_open(number);
        }
    }

    /// The end of a connection left the device's link at `event`: the broker has surely noticed by
    /// `noticed_by`.
    pub(crate) fn handle_left(&mut self, event: &Event, noticed_by: Instant) {
        if let Some((row, number)) = self.on_link.remove(&event.socket) {
            self.rows[row].handle_left(number, event.now, noticed_by);
        }
    }

    /// What became of the will of an end that its link still holds is judged otherwise from now on.
    pub(crate) fn set_due(&mut self, event: &Event, due: Due) {
        if let Some(&(row, number)) = self.on_link.get(&event.socket) {
            self.rows[row].set_due(number, due);
        }
    }

    /// A connection is over, and its will with it, whatever became of it. Returns its row.
    pub(crate) fn disarm(&mut self, socket: SocketId) -> Option<usize> {
        let Armed { row, .. } = self.armed.remove(&socket)?;
        self.rows[row].armed -= 1;
        Some(row)
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

    /// Messages with the Topic Name and payload of a will that no end asked for, on a broker where
    /// another client may have sent them: not judged.
    pub(crate) fn unclear(&self) -> u64 {
        self.unclear
    }

    /// Of those, the ones whose will several devices announce: its topic or payload is not one device's own.
    pub(crate) fn unclear_of_several(&self) -> u64 {
        self.unclear_of_several
    }

    /// What is kept, counted against the limit of memory.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// What was wrong with wills.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// A fault does something to the broker, or is over: with its process a broker may forget wills that it has not
    /// published, and goodbyes that it has not read.
    pub(crate) fn handle_broker(&mut self, now: Instant, fact: BrokerFact) {
        self.broker_times.handle(now, fact);
        if self.broker_times.ended_process(now, now) {
            for row in &mut self.rows {
                row.note_forgetting(now);
            }
        }
    }

    /// What was given up to save memory.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    /// Changes a row, and counts what it keeps.
    fn on_row<T>(&mut self, row: usize, change: impl FnOnce(&mut Row) -> T) -> T {
        let row = &mut self.rows[row];
        let before = row.weight();
        let result = change(row);
        self.kept = self.kept + row.weight() - before;
        result
    }

    fn row_of(&self, topic: &str, payload: &[u8]) -> Option<usize> {
        if self.rows.is_empty() {
            return None;
        }
        let key = (fingerprint(topic.as_bytes()), fingerprint(payload));
        self.keys.get(&key).copied()
    }
}
