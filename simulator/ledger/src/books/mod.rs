//! The ledger: what became of every message, will, connection and exchange of a run.
//!
//! It hears what devices observe, in order, and keeps books; checks read them at the end. Nothing
//! here knows what a scenario claims, but for limits that must be compared as things happen.
//! What the broker did is inferred only where the observations leave no other way.
//!
//! - `deliveries`: messages, from their sending to every recipient.
//! - `wills`, `retained`: messages that the broker publishes or keeps on its own account.
//! - `connections`, `takeovers`: Network Connections, and those that share a Client Identifier.
//! - `silences`: devices that fell silent and left their connections open.
//! - `handshakes`: QoS 2 exchanges, leg by leg.
//! - `unanswered`: packets that the broker left without an answer.
//! - `responses`: messages that ask for another one.
//! - `provocations`: malformed packets that faults sent.
//! - `stalls`: devices that a fault stops from reading.
//! - `broker_times`: when faults had the broker away or paused.
//! - `link_faults`: links that a fault changes or partitions.
//! - `windows`: when a device's link may have kept the broker from sending to it.
//!
//! Memory is bounded by `memory`, not by the length of a run. `watched_claims` are those that books
//! compare as things happen. Only the first anomalies of each
//! kind are kept whole; all are counted.

mod anomalies;
mod broker_times;
mod connections;
mod delay;
mod deliveries;
pub(crate) mod doubts;
mod event;
mod handshakes;
mod hold_ups;
mod link_faults;
mod memory;
mod missing;
mod mutes;
mod observe;
mod of_link;
mod other_clients;
mod patience;
mod provocations;
mod quotas;
mod replays;
mod responses;
mod retained;
mod roster;
mod sequences;
mod session;
mod share;
mod silences;
mod stalls;
mod standstill;
mod stream;
mod takeovers;
mod tallies;
mod times;
mod topics;
mod unanswered;
mod unsent;
mod watched_claims;
mod wills;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::DeviceId;

use self::anomalies::Bell;
use self::broker_times::BrokerTimes;
use self::deliveries::{Deliveries, RunEnd};
use self::handshakes::{AtEnd, Handshakes};
use self::link_faults::LinkFaults;
use self::observe::{Departing, OpenConnection};
use self::of_link::LinkPart;
use self::quotas::Quotas;
use self::responses::Responses;
use self::retained::Retained;
use self::silences::Silences;
use self::stalls::Stalls;
use self::standstill::Standstill;
use self::takeovers::Takeovers;
use self::unanswered::Unanswered;
use self::unsent::UnsentMessages;
use self::wills::Audiences;
use self::windows::Windows;

pub use anomalies::{Anomalies, Anomaly, Scope, Subject};
pub use connections::{EndKind, ErrorArea, ErrorTally, GroupCounts};
pub use handshakes::{HandshakeCounts, Unjudged};
pub use memory::{GivenUp, Memory, MemoryLimit};
pub use roster::Roster;
pub use takeovers::TakeoverCounts;
pub use tallies::{Books, Excuse, Imbalance, Publications, Tally, TallyKey};
pub use watched_claims::WatchedClaims;
pub use wills::{WillCause, WillTally};

pub(crate) use self::provocations::Provocations;
pub(crate) use anomalies::{client_id, spread};
pub(crate) use connections::{
    Away, Connections, OPENING_ON_LINK, PEER_CLOSES, layer_fault_name, open_error_name, reason_text,
};
pub(crate) use deliveries::{Acknowledged, FirstDelivery, ShareCounts, Suspicion, Wait};
pub(crate) use handshakes::HandshakeTime;
pub(crate) use hold_ups::{ByLag, MISSING_FROM};
pub(crate) use observe::{Finding, is_taken, noticing_time};
pub(crate) use quotas::QuotaCounts;
pub(crate) use responses::{Answered, ResponseCounts};
pub(crate) use retained::{Before, Found, Values};
pub(crate) use silences::SilenceCounts;
#[cfg(test)]
pub(crate) use stream::CursorKey;
pub(crate) use stream::fingerprint;
pub(crate) use tallies::QOS;
pub(crate) use unanswered::{Request, UnderWay, Waiting};
pub(crate) use unsent::Unsent;
pub(crate) use wills::{WillSeen, Wills};

/// All books of a run.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) roster: Roster,
    pub(crate) deliveries: Deliveries,
    pub(crate) wills: Wills,
    pub(crate) retained: Retained,
    pub(crate) connections: Connections,
    pub(crate) takeovers: Takeovers,
    pub(crate) silences: Silences,
    pub(crate) handshakes: Handshakes,
    pub(crate) unanswered: Unanswered,
    pub(crate) responses: Responses,
    pub(crate) unsent: UnsentMessages,
    link_faults: LinkFaults,
    pub(crate) broker_times: BrokerTimes,
    pub(crate) quotas: Quotas,
    windows: Windows,
    pub(crate) stalls: Stalls,
    pub(crate) provocations: Provocations,
    /// Messages of other runs that were published while this one went on, by the numbers that their
    /// stamps give their devices.
    pub(crate) messages_of_other_runs: BTreeMap<DeviceId, u64>,
    /// What checks have noticed that no book has.
    pub(crate) noticed_by_checks: Anomalies,
    /// What checks could not judge because a book had given it up.
    pub(crate) given_up_by_checks: GivenUp,
    memory: Memory,
    open: HashMap<SocketId, OpenConnection>,
    /// What the links of connections had let pass that have come to their end and are not over.
    links_at_end: HashMap<SocketId, LinkPart>,
    /// When the generator last did nothing for a while.
    standstill: Standstill,
    /// Ends of connections that have not left their devices' links, in the order of their sockets.
    departing: BTreeMap<SocketId, Departing>,
    /// Devices whose links held something at the end.
    on_link: HashSet<DeviceId>,
    /// When checkers began to look.
    checked_at: Option<Instant>,
    closed_at: Option<Instant>,
    imbalances: Vec<Imbalance>,
    bell: Bell,
}

impl Ledger {
    /// Empty books for the devices of `roster`, with the claims that must be watched.
    pub fn new(roster: Roster, claims: WatchedClaims, memory: Memory) -> Self {
        let mut ledger = Self {
            deliveries: Deliveries::new(&roster, claims.expiries, memory),
            wills: Wills::new(claims.wills, &roster, memory),
            retained: Retained::new(memory),
            connections: Connections::new(&roster, memory),
            takeovers: Takeovers::new(roster.history(), claims.takeovers, memory),
            silences: Silences::new(roster.history(), claims.silences, memory),
            handshakes: Handshakes::new(&roster, memory),
            unanswered: Unanswered::new(roster.connect_timeout()),
            responses: Responses::new(roster.clone(), claims.responses, memory),
            unsent: UnsentMessages::default(),
            stalls: Stalls::default(),
            link_faults: LinkFaults::default(),
            broker_times: BrokerTimes::default(),
            quotas: Quotas::new(&roster),
            provocations: Provocations::new(claims.provocations, memory),
            windows: Windows::default(),
            messages_of_other_runs: BTreeMap::new(),
            noticed_by_checks: Anomalies::new(memory.anomalies_per_kind),
            given_up_by_checks: GivenUp::default(),
            memory,
            open: HashMap::new(),
            links_at_end: HashMap::new(),
            standstill: Standstill::default(),
            departing: BTreeMap::new(),
            roster,
            on_link: HashSet::new(),
            checked_at: None,
            closed_at: None,
            imbalances: Vec::new(),
            bell: Bell::default(),
        };
        let bell = ledger.bell.clone();
        for anomalies in ledger.anomalies_mut() {
            anomalies.ring(&bell);
        }
        ledger
    }

    /// Whether a book has noted something since this was asked last: an anomaly, or a message that may be lost.
    pub(crate) fn has_noted(&self) -> bool {
        self.bell.was_rung()
    }

    /// What devices published and Sessions were owed. Balanced once the books are closed.
    pub fn books(&self) -> &Books {
        self.deliveries.books()
    }

    /// Everything that should not have happened, of all books.
    pub fn anomalies(&self) -> Anomalies {
        let mut all = self.noticed_by_checks.clone();
        for book in [
            self.deliveries.anomalies(),
            self.wills.anomalies(),
            self.connections.anomalies(),
            self.takeovers.anomalies(),
            self.silences.anomalies(),
            self.handshakes.anomalies(),
            self.responses.anomalies(),
            self.provocations.anomalies(),
        ] {
            all.add_all(book);
        }
        all
    }

    /// When faults had the broker away, as each book knows it that judges by it.
    fn broker_times_mut(&mut self) -> [&mut BrokerTimes; 6] {
        [
            &mut self.broker_times,
            self.deliveries.broker_times_mut(),
            self.takeovers.broker_times_mut(),
            self.silences.broker_times_mut(),
            self.handshakes.broker_times_mut(),
            self.provocations.broker_times_mut(),
        ]
    }

    /// Those of each book, to be told what may bring about more.
    fn anomalies_mut(&mut self) -> [&mut Anomalies; 9] {
        [
            self.deliveries.anomalies_mut(),
            self.wills.anomalies_mut(),
            self.connections.anomalies_mut(),
            self.takeovers.anomalies_mut(),
            self.silences.anomalies_mut(),
            self.handshakes.anomalies_mut(),
            self.responses.anomalies_mut(),
            self.provocations.anomalies_mut(),
            &mut self.noticed_by_checks,
        ]
    }

    /// The first anomalies of each kind that were noted since this was called last.
    pub(crate) fn take_fresh_anomalies(&mut self) -> impl Iterator<Item = Anomaly> {
        let books = self.anomalies_mut().into_iter();
        books.flat_map(Anomalies::take_fresh)
    }

    /// What was given up to save memory: nothing is concluded from it, and the run is invalid.
    pub fn given_up(&self) -> GivenUp {
        let mut all = self.given_up_by_checks.clone();
        all.add_all(self.deliveries.given_up());
        all.add_all(self.wills.given_up());
        all.add_all(self.takeovers.given_up());
        all.add_all(self.responses.given_up());
        all
    }

    /// The limits of memory that these books keep.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The checkers begin to look: what the broker must have done by now can be seen.
    pub(crate) fn begin_checking(&mut self, now: Instant) {
        self.checked_at = Some(now);
        self.retained.begin_checking(now);
    }

    /// When checkers began to look, or the books were closed.
    pub(crate) fn checked_at(&self) -> Option<Instant> {
        self.checked_at.or(self.closed_at)
    }

    /// When the books were closed.
    pub fn closed_at(&self) -> Option<Instant> {
        self.closed_at
    }

    /// The books that did not balance when they were closed: a fault of squall, not of the broker.
    pub fn imbalances(&self) -> &[Imbalance] {
        &self.imbalances
    }

    /// Closes the books: what has not come by `now` never will. What devices observe later, while
    /// they leave, changes nothing.
    pub fn close(&mut self, now: Instant) {
        if self.closed_at.is_some() {
            return;
        }
        let under_way = self.under_way();
        self.unanswered.close(now, &under_way.exchanges);
        self.close_departing(now);
        self.closed_at = Some(now);
        self.imbalances = self
            .deliveries
            .close(RunEnd::Drained(now), |socket| is_up(&self.open, socket));
        self.responses.close(now, self.deliveries.missing());
        for client in self.provocations.left_open_now() {
            self.wills.note_left_open(client);
        }
        self.wills.close(now, Audiences::new(&self.deliveries));
        self.takeovers.close(now);
        self.silences.close(now);
        self.provocations.close(now);
        self.imbalances.extend(self.takeovers.imbalance());
        self.close_connections(now);
        let (connections, on_link) = (&self.connections, &self.on_link);
        self.handshakes.close(now, |device| {
            match (connections.is_online(device), on_link.contains(&device)) {
                (true, false) => AtEnd::Online,
                (true, true) => AtEnd::OnLink,
                (false, _) => AtEnd::Offline,
            }
        });
    }

    /// Closes the books of a run that was cut short at `now`, if nothing has closed them before: what
    /// was on its way is not lost, a will that had not come is not missing, and a handshake that was
    /// open is not incomplete. What had happened until then stands.
    pub(crate) fn cut(&mut self, now: Instant) {
        if self.closed_at.is_none() {
            self.closed_at = Some(now);
            self.imbalances = self
                .deliveries
                .close(RunEnd::Cut, |socket| is_up(&self.open, socket));
            self.wills.cut(now);
            self.close_connections(now);
        }
    }

    /// Exchanges that the broker is to go on with over connections that are up, and deliveries of their
    /// messages. Nothing once the books are closed.
    pub(crate) fn under_way(&self) -> UnderWay {
        if self.closed_at.is_some() {
            return UnderWay::default();
        }
        let mut under_way = self
            .deliveries
            .under_way(|socket| is_up(&self.open, socket));
        let connections = &self.connections;
        let is_online = |device| connections.is_online(device);
        under_way
            .exchanges
            .extend(self.handshakes.pending(is_online));
        under_way
    }

    fn close_connections(&mut self, now: Instant) {
        self.unsent.close(&self.connections);
        self.connections.close(now);
        self.imbalances
            .extend(self.unsent.imbalances(self.deliveries.books()));
    }
}

/// Whether the connection is open, and CONNACK has come.
fn is_up(open: &HashMap<SocketId, OpenConnection>, socket: SocketId) -> bool {
    open.get(&socket)
        .is_some_and(|connection| connection.was_connected)
}
