//! Every message, accounted for.
//!
//! Two books. [`Publications`] follows a message from its scheduled time to the end of its
//! exchange with the broker; [`Deliveries`] follows what the broker owed to Sessions. Warm-up is
//! part of both: a message lost in it is lost.
//!
//! Invariant: [`Publications::balance`] and [`Deliveries::balance`] are zero.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The two books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accounting {
    /// One entry for each publishing group and QoS.
    pub publications: Vec<Publications>,
    /// One entry for each subscribing group and QoS.
    pub deliveries: Vec<Deliveries>,
}

/// Messages that one group was to publish at one QoS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publications {
    /// Group of the publishers.
    pub group: String,
    /// QoS of the PUBLISH.
    pub qos: u8,
    /// Messages that were due.
    pub scheduled: u64,
    /// Of those, handed to the link at least once.
    pub sent: u64,
    /// Of those sent, the ones that no subscription asked for when they were sent: they are owed to nothing.
    #[serde(default)]
    pub to_no_subscriber: u64,
    /// Of those sent, acknowledged with success; at QoS 0, all that were sent on a connection that was up.
    pub ok: u64,
    /// Of those scheduled, never sent.
    pub failed: u64,
    /// Those never sent, by why: `not connected (fault power-cut)`. They add up to `failed`.
    #[serde(default)]
    pub unsent: BTreeMap<String, u64>,
    /// Of those never sent, the ones that no fault, network or device of the scenario explains.
    #[serde(default)]
    pub unsent_unexplained: u64,
    /// Of those sent, refused by the broker with an error in PUBACK or PUBREC.
    pub refused: u64,
    /// Of those sent, settled early to save squall's memory: whether they were acknowledged is not
    /// known, and the run is invalid.
    #[serde(default)]
    pub unknown: u64,
    /// Of those sent at QoS 1 and 2, neither acknowledged nor refused when the run ended.
    pub in_doubt: u64,
    /// Of those in doubt, the ones that came to a subscriber all the same.
    #[serde(default)]
    pub in_doubt_came: u64,
    /// Of those in doubt, the ones that their device does not send again: their connection ended, and the
    /// device's Session is not resumed on the next (`clean_start`, or no `session_expiry`).
    #[serde(default)]
    pub forgotten: u64,
}

/// Deliveries to the Sessions of one group, of messages whose granted QoS was `qos`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deliveries {
    /// Group of the subscribers.
    pub group: String,
    /// The lower of the QoS published with and the QoS granted.
    pub qos: u8,
    /// Owed: messages that were *ok* times the Sessions whose subscriptions asked for them.
    pub expected: u64,
    /// Owed and delivered, each counted once.
    pub delivered: u64,
    /// Owed and never delivered, without an excuse.
    pub lost: u64,
    /// Owed and not delivered, and the specification allows it: QoS 0 across a lost connection,
    /// a Session that ended.
    pub excused: u64,
    /// Those excused, by reason: `session ended`, `connection lost`.
    pub excuses: BTreeMap<String, u64>,
    /// Owed, and settled early to save squall's memory: whether they came is not known, and the run
    /// is invalid.
    #[serde(default)]
    pub unknown: u64,
    /// Not owed but allowed, and delivered: messages in doubt, and those that the broker may have had before the
    /// subscription.
    pub optional: u64,
    /// Further copies of a message to the same Session.
    pub duplicated: u64,
    /// Of those, forbidden: at QoS 0 and 2, and at QoS 1 in MQTT 5.0 without DUP, or without a reconnect of the Session since;
    /// all with no reconnect of the publisher since.
    #[serde(default)]
    pub forbidden: u64,
    /// Deliveries that came before an earlier message of the same publisher and topic did.
    pub reordered: u64,
    /// Deliveries with another payload, Content Type or User Properties than was published, or with another payload than
    /// was to be retained. Such a message was not delivered: what was owed stays owed.
    #[serde(default)]
    pub corrupted: u64,
    /// Of all other deliveries, those at another QoS, or with another RETAIN or DUP flag or Subscription
    /// Identifier, than they must have.
    #[serde(default)]
    pub mislabelled: u64,
    /// Deliveries of this run's messages that no subscription asked for.
    pub misrouted: u64,
    /// Deliveries that bear no stamp of this run: of other clients, of earlier runs, or of the
    /// broker itself. Counted, not judged.
    #[serde(default)]
    pub foreign: u64,
    /// Deliveries without a stamp to topics that this run publishes to without (`stamp = "none"`): counted, not told apart.
    #[serde(default)]
    pub unstamped: u64,
    /// Of those, the ones that are not among `delivered` and `duplicated`, because counts do not tell what they are.
    #[serde(default)]
    pub uncounted: u64,
    /// Delivered after the connection was resumed.
    pub late: u64,
    /// Every delivery that the application saw.
    pub received: u64,
}

impl Publications {
    /// What the book does not explain: `scheduled - ok - refused - unknown - in_doubt - failed`.
    pub fn balance(&self) -> i128 {
        i128::from(self.scheduled)
            - i128::from(self.ok)
            - i128::from(self.refused)
            - i128::from(self.unknown)
            - i128::from(self.in_doubt)
            - i128::from(self.failed)
    }
}

impl Deliveries {
    /// Deliveries that the broker had to make: those expected without those excused.
    pub fn owed(&self) -> u64 {
        self.expected.saturating_sub(self.excused)
    }

    /// What the book does not explain, both sides added without sign:
    /// `expected - delivered - lost - excused - unknown`, and
    /// `received - delivered - optional - duplicated - corrupted - misrouted - foreign - uncounted`.
    pub fn balance(&self) -> u128 {
        let owed = i128::from(self.expected)
            - i128::from(self.delivered)
            - i128::from(self.lost)
            - i128::from(self.excused)
            - i128::from(self.unknown);
        let seen = i128::from(self.received)
            - i128::from(self.delivered)
            - i128::from(self.optional)
            - i128::from(self.duplicated)
            - i128::from(self.corrupted)
            - i128::from(self.misrouted)
            - i128::from(self.foreign)
            - i128::from(self.uncounted);
        owed.unsigned_abs() + seen.unsigned_abs()
    }
}

impl Accounting {
    /// Publications of all groups at `qos`; the group is empty.
    pub fn publications_at(&self, qos: u8) -> Publications {
        Self::sum_publications(
            self.publications.iter().filter(|entry| entry.qos == qos),
            qos,
        )
    }

    /// Messages of all groups that were due and never sent, by why.
    pub fn unsent(&self) -> BTreeMap<String, u64> {
        let entries = self.publications.iter();
        entries.fold(BTreeMap::new(), |sum, entry| added(sum, &entry.unsent))
    }

    /// Excused deliveries of all groups and QoS, by reason.
    pub fn excuses(&self) -> BTreeMap<String, u64> {
        let entries = self.deliveries.iter();
        entries.fold(BTreeMap::new(), |sum, entry| added(sum, &entry.excuses))
    }

    /// Deliveries to all groups at `qos`; the group is empty.
    pub fn deliveries_at(&self, qos: u8) -> Deliveries {
        Self::sum_deliveries(self.deliveries.iter().filter(|entry| entry.qos == qos), qos)
    }

    /// The levels of QoS that either book mentions, ascending.
    pub fn qos_levels(&self) -> Vec<u8> {
        let mut levels: Vec<u8> = self
            .publications
            .iter()
            .map(|entry| entry.qos)
            .chain(self.deliveries.iter().map(|entry| entry.qos))
            .collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }

    /// What both books leave unexplained, all entries added without sign: zero, or squall has a bug.
    pub fn balance(&self) -> u128 {
        let publications: u128 = self
            .publications
            .iter()
            .map(|entry| entry.balance().unsigned_abs())
            .sum();
        let deliveries: u128 = self.deliveries.iter().map(Deliveries::balance).sum();
        publications + deliveries
    }

    fn sum_publications<'a>(
        entries: impl Iterator<Item = &'a Publications>,
        qos: u8,
    ) -> Publications {
        let start = Publications {
            qos,
            ..Publications::default()
        };
        entries.fold(start, |sum, entry| Publications {
            group: sum.group,
            qos,
            scheduled: sum.scheduled + entry.scheduled,
            sent: sum.sent + entry.sent,
            to_no_subscriber: sum.to_no_subscriber + entry.to_no_subscriber,
            ok: sum.ok + entry.ok,
            failed: sum.failed + entry.failed,
            unsent: added(sum.unsent, &entry.unsent),
            unsent_unexplained: sum.unsent_unexplained + entry.unsent_unexplained,
            refused: sum.refused + entry.refused,
            unknown: sum.unknown + entry.unknown,
            in_doubt: sum.in_doubt + entry.in_doubt,
            in_doubt_came: sum.in_doubt_came + entry.in_doubt_came,
            forgotten: sum.forgotten + entry.forgotten,
        })
    }

    fn sum_deliveries<'a>(entries: impl Iterator<Item = &'a Deliveries>, qos: u8) -> Deliveries {
        let start = Deliveries {
            qos,
            ..Deliveries::default()
        };
        entries.fold(start, |sum, entry| Deliveries {
            group: sum.group,
            qos,
            expected: sum.expected + entry.expected,
            delivered: sum.delivered + entry.delivered,
            lost: sum.lost + entry.lost,
            excused: sum.excused + entry.excused,
            excuses: added(sum.excuses, &entry.excuses),
            unknown: sum.unknown + entry.unknown,
            optional: sum.optional + entry.optional,
            duplicated: sum.duplicated + entry.duplicated,
            forbidden: sum.forbidden + entry.forbidden,
            reordered: sum.reordered + entry.reordered,
            corrupted: sum.corrupted + entry.corrupted,
            mislabelled: sum.mislabelled + entry.mislabelled,
            misrouted: sum.misrouted + entry.misrouted,
            foreign: sum.foreign + entry.foreign,
            unstamped: sum.unstamped + entry.unstamped,
            uncounted: sum.uncounted + entry.uncounted,
            late: sum.late + entry.late,
            received: sum.received + entry.received,
        })
    }
}

fn added(mut sum: BTreeMap<String, u64>, part: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    for (reason, count) in part {
        *sum.entry(reason.clone()).or_default() += count;
    }
    sum
}

#[cfg(test)]
mod tests {
    use crate::sample;

    /// A delivery that neither came nor is explained unbalances the books, and so does one that
    /// came and is not explained: they do not cancel out.
    #[test]
    fn what_is_not_explained_shows() {
        let mut accounting = sample::passing().measured.accounting;

        accounting.deliveries[0].delivered -= 1;
        accounting.publications[0].scheduled += 1;
        accounting.publications[1].ok += 1;

        assert_eq!(accounting.balance(), 4);
    }

    /// Sums at one QoS leave the others out.
    #[test]
    fn sums_are_per_qos() {
        let accounting = sample::passing().measured.accounting;

        assert_eq!(accounting.qos_levels(), [1, 2]);
        assert_eq!(accounting.publications_at(2).scheduled, 55_010);
        assert_eq!(accounting.deliveries_at(1).expected, 549_852);
        assert_eq!(accounting.deliveries_at(0).expected, 0);
    }
}
