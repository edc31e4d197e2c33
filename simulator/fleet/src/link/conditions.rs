//! What a link is like: the profile that it has, and the draws and times that belong to that.

use std::rc::Rc;

use squall_protocol::Instant;
use squall_scenario::{Network, NetworkId};

use super::loss::LossProcess;
use super::outage::OutageTrack;
use super::{LinkReport, Way};
use crate::random::{Draws, Generator, Purpose};

/// A profile that a link has, or had until a fault gave it another.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) id: NetworkId,
    pub(super) network: Rc<Network>,
    pub(super) outages: OutageTrack,
    pub(super) up: Chance,
    pub(super) down: Chance,
    /// Since when the link has it.
    since: Instant,
}

/// What one direction draws.
#[derive(Debug)]
pub(super) struct Chance {
    pub(super) latency: Generator,
    pub(super) losses: LossProcess,
}

impl Conditions {
    /// The profile `network` from `since` on, after so many `changes` of the link.
    pub(super) fn new(
        (id, network): (NetworkId, Rc<Network>),
        draws: Draws,
        changes: u64,
        since: Instant,
    ) -> Self {
        // Two draws a change for each purpose: none of them is used twice.
        let chance = |way: Way| {
            let number = 2 * changes + way as u64;
            Chance {
                latency: draws.generator(Purpose::Latency, number),
                losses: LossProcess::new(draws.generator(Purpose::Loss, number)),
            }
        };
        let rng = draws.generator(Purpose::Outages, changes);
        Self {
            id,
            outages: OutageTrack::new(network.outages.clone(), rng, since),
            up: chance(Way::Up),
            down: chance(Way::Down),
            network,
            since,
        }
    }

    /// Adds how long the link had this profile until `now`, and how long it was out in that time.
    pub(super) fn count_until(&mut self, now: Instant, report: &mut LinkReport) {
        let (outages, outage_time) = self.outages.take_total(now);
        report.outages += outages;
        report.outage_time += outage_time;
        report.link_time += now.saturating_since(self.since);
    }

    /// The link has this profile again from `now` on.
    pub(super) fn resume(&mut self, now: Instant) {
        // What was drawn for the time in between was not to be.
        let _ = self.outages.take_total(now);
        self.since = now;
    }
}
