//! The ledger: what became of every message, will, connection and exchange of a run.
//!
//! It hears what devices observe, in order, and keeps books; checks read them at the end. Nothing
//! here knows what a scenario claims, but for limits that must be compared as things happen.
//! What the broker did is inferred only where the observations leave no other way.
//!
//! - `deliveries`: messages, from their sending to every recipient.
//! - `wills`, `retained`: messages that the broker publishes or keeps on its own account.
//! - `connections`, `takeovers`: Network Connections, and those that share a Client Identifier.
//! - `handshakes`: QoS 2 exchanges, leg by leg.
//!
//! Memory is bounded by `limits`, not by the length of a run. Only the first anomalies of each
//! kind are kept whole; all are counted.

mod anomalies;
mod connections;
mod deliveries;
mod event;
mod handshakes;
mod limits;
mod observe;
mod retained;
mod roster;
mod sequences;
mod session;
mod share;
mod stream;
mod takeovers;
mod tallies;
mod topics;
mod wills;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use squall_fleet::SocketId;
use squall_protocol::Instant;

use self::deliveries::Deliveries;
use self::handshakes::Handshakes;
use self::observe::OpenConnection;
use self::retained::Retained;
use self::takeovers::Takeovers;
use self::wills::Wills;

pub use anomalies::{Anomalies, Anomaly, Scope};
pub use connections::{EndKind, ErrorArea, ErrorTally, GroupCounts};
pub use handshakes::HandshakeCounts;
pub use roster::{BrokerHistory, Roster};
pub use takeovers::TakeoverCounts;
pub use tallies::{Books, Excuse, Publications, Tally, TallyKey};
pub use wills::{WillCause, WillTally};

pub(crate) use connections::{Connections, reason_text};
pub(crate) use deliveries::Wait;
pub(crate) use handshakes::HandshakeTime;
pub(crate) use observe::{Finding, is_taken};
pub(crate) use retained::Found;
pub(crate) use stream::fingerprint;
pub(crate) use takeovers::TakeoverLimits;
pub(crate) use tallies::QOS;
pub(crate) use wills::WillLimit;

/// Claims that must be compared while a run goes on.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub(crate) wills: Vec<WillLimit>,
    pub(crate) takeovers: Vec<TakeoverLimits>,
}

/// All books of a run.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) roster: Roster,
    pub(crate) deliveries: Deliveries,
    pub(crate) wills: Wills,
    pub(crate) retained: Retained,
    pub(crate) connections: Connections,
    pub(crate) takeovers: Takeovers,
    pub(crate) handshakes: Handshakes,
    pub(crate) anomalies: Anomalies,
    open: HashMap<SocketId, OpenConnection>,
    closed_at: Option<Instant>,
}

impl Ledger {
    /// Empty books for the devices of `roster`, with the claims that must be watched.
    pub fn new(roster: Roster, limits: Limits) -> Self {
        let groups = roster.groups();
        Self {
            deliveries: Deliveries::new(groups),
            wills: Wills::new(limits.wills),
            retained: Retained::default(),
            connections: Connections::new(groups),
            takeovers: Takeovers::new(roster.history(), limits.takeovers),
            handshakes: Handshakes::default(),
            anomalies: Anomalies::default(),
            open: HashMap::new(),
            roster,
            closed_at: None,
        }
    }

    /// What devices published and Sessions were owed. Balanced once the books are closed.
    pub fn books(&self) -> &Books {
        self.deliveries.books()
    }

    /// Everything that should not have happened.
    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// When the books were closed.
    pub fn closed_at(&self) -> Option<Instant> {
        self.closed_at
    }

    /// Closes the books: what has not come by `now` never will. What devices observe later, while
    /// they leave, changes nothing.
    ///
    /// Panics if the books do not balance: a bug of the ledger, not of the broker.
    pub fn close(&mut self, now: Instant) {
        if self.closed_at.is_some() {
            return;
        }
        self.closed_at = Some(now);
        let anomalies = &mut self.anomalies;
        self.deliveries.close(now, anomalies);
        self.wills.close(now, anomalies);
        self.takeovers.close(now, anomalies);
        let connections = &self.connections;
        self.handshakes
            .close(now, |device| connections.is_online(device), anomalies);
    }
}
