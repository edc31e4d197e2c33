//! What nothing overtook and had not come at the end: lost, or on its way still.
//!
//! A later message of its stream that came proves that an earlier one is lost, for whose order it is too late then
//! [MQTT-4.6.0-6]. What is last of its stream, or goes to a shared subscription, has no such proof, and the protocol knows no
//! time within which a broker must deliver. It is taken for lost once it has been under way for as long as [`patience`] needs
//! against the slowest delivery to its group; where nothing came to the group at all, for `run.connect_timeout` if that is
//! longer. Before that it could come still.

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::GroupId;

use super::case::Case;
use super::{Deliveries, session};
use crate::books::patience;
use crate::books::roster::Roster;
use crate::books::standstill::Standstill;
use crate::books::stream::OpenPledge;
use crate::books::topics::Recipient;

/// How long deliveries took at most.
#[derive(Debug)]
pub(super) struct Slowest {
    /// By group; `None` if nothing that was owed came.
    by_group: Vec<Option<Duration>>,
    /// How long a message is waited for where nothing came.
    without_any: Duration,
    /// While the generator does nothing, what came lies unread.
    standstill: Standstill,
}

impl Slowest {
    /// Nothing has come yet.
    pub(super) fn new(roster: &Roster) -> Self {
        Self {
            by_group: vec![None; roster.groups()],
            without_any: roster.connect_timeout(),
            standstill: Standstill::default(),
        }
    }

    /// The generator did nothing from `since` until `until`.
    pub(super) fn note_standstill(&mut self, since: Instant, until: Instant) {
        self.standstill.note(since, until);
    }

    /// A delivery to a group took so long.
    pub(super) fn note(&mut self, group: GroupId, took: Duration) {
        let slowest = &mut self.by_group[usize::from(group.0)];
        *slowest = (*slowest).max(Some(took));
    }

    /// How long a message to a group may be under way, by what came; zero if nothing did.
    pub(super) fn may_take(&self, group: GroupId) -> Duration {
        let slowest = self.by_group[usize::from(group.0)];
        slowest.map_or(Duration::ZERO, patience::may_take)
    }

    /// How long a message to a group must have been under way to be taken for lost.
    fn lost_after(&self, group: GroupId) -> Duration {
        patience::needed(self.by_group[usize::from(group.0)], self.without_any)
    }

    /// How much longer the run would have had to go on after `now` to tell of something that is under way to a group
    /// since `since`; `None` if it can be told.
    pub(super) fn short_by(
        &self,
        group: GroupId,
        since: Instant,
        now: Instant,
    ) -> Option<Duration> {
        patience::short_by(self.lost_after(group), since, now)
    }

    /// Whether something that is under way to a group since `since` has been so for long: longer than a broker that
    /// is idle takes, and than the deliveries to the group before.
    pub(super) fn is_long(&self, group: GroupId, since: Instant, now: Instant) -> bool {
        let read_until = self.standstill.lay_since(now).unwrap_or(now).min(now);
        let slowest = self.by_group[usize::from(group.0)];
        patience::is_long(read_until.saturating_since(since), slowest)
    }
}

impl Deliveries {
    /// The generator did nothing from `since` until `until`.
    pub(crate) fn handle_stood_still(&mut self, since: Instant, until: Instant) {
        self.slowest.note_standstill(since, until);
    }

    /// A message that was owed to a group came: how long it took, unless something else than the broker may have held it. What
    /// waited for its Session was under way from the CONNACK on, and what a lost member had from when that was noticed.
    pub(super) fn note_took(&mut self, case: &Case<'_>, group: GroupId) {
        let Some(given_at) = self.given_since(case) else {
            return;
        };
        let record = self.streams[case.stream].record(case.sequence());
        let was_released_late = record.is_none_or(|record| {
            record.qos == QoS::ExactlyOnce && self.releases_late[usize::from(record.group.0)]
        });
        let row = session(&self.sessions, case.event.client);
        let since = row.map_or(given_at, |row| row.connected_at.max(given_at));
        let arrived = case.event.arrived;
        if was_released_late || self.broker_times.touches(since, arrived) {
            return;
        }
        self.slowest.note(group, arrived.saturating_since(since));
    }

    /// Since when a message is on its way to a recipient that is there, if nothing shows that it is lost.
    pub(super) fn coming_since(&self, recipient: Recipient, open: &OpenPledge) -> Option<Instant> {
        let had_since = open.record.surely_had_since();
        match recipient {
            Recipient::Session(_) if open.lost_by_order_at().is_some() => None,
            Recipient::Session(client) => {
                let session = session(&self.sessions, client)?;
                Some(session.connected_at.max(had_since))
            }
            Recipient::Share(filter) => self.coming_to_share_since(filter, &open.record),
        }
    }
}
