//! Things that should not happen: all counted, by device too, and of each kind some kept whole.
//!
//! Some are kept for each scope, so that those of one group or fault leave room for those of another, and each
//! check can show its own. Where one device has many, those that are kept are spread: of twenty devices that
//! lost messages each has one kept, not the first of them twenty.

mod bell;
mod subject;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use squall_protocol::Instant;
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId, Scenario};

use super::hold_ups::{HoldUps, MISSING_FROM, Span};
use super::other_clients::OtherClients;
pub(crate) use bell::Bell;
pub(crate) use subject::Noticed;
use subject::Whose;
pub use subject::{Scope, Subject};

/// One thing that should not have happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Anomaly {
    /// Of which kind.
    pub kind: AnomalyKind,
    /// When it was noticed.
    pub at: Instant,
    /// How many of its kind it stands for that only counts at the end of the run show: at which moment each came about is not
    /// known. `None` for one that was seen.
    pub by_counts: Option<u64>,
    /// The device that it is about: whose message or will it was, or whose connection or Session it concerns.
    pub device: Option<DeviceId>,
    /// The device that the message or will came to, or should have come to.
    pub recipient: Option<DeviceId>,
    /// Topic Name of the message.
    pub topic: Option<String>,
    /// Sequence number of the message in its stream.
    pub sequence: Option<u32>,
    /// What was expected and what came.
    pub explanation: String,
    /// What it belongs to, so that a check finds its own.
    pub scope: Scope,
}

/// The Client Identifier of a device.
pub(crate) fn client_id(scenario: &Scenario, device: DeviceId) -> String {
    let (group, index) = scenario.group_of(device);
    scenario.group(group).client_id_of(index)
}

impl Anomaly {
    fn whose(&self) -> Whose {
        Whose {
            device: self.device,
            recipient: self.recipient,
        }
    }

    /// As the run file has it.
    pub(crate) fn in_run_file(&self, scenario: &Scenario) -> squall_run::Anomaly {
        let name = |device| client_id(scenario, device);
        squall_run::Anomaly {
            kind: self.kind,
            at_s: match self.by_counts {
                None => Some(self.at.as_secs_f64()),
                Some(_) => None,
            },
            times: self.by_counts.unwrap_or(1),
            client_id: self.device.map(name),
            recipient: self.recipient.map(name),
            topic: self.topic.clone(),
            sequence: self.sequence.map(u64::from),
            explanation: self.explanation.clone(),
            trace: None,
        }
    }

    /// The same, after a fault.
    pub(crate) fn after(mut self, fault: Option<FaultId>) -> Self {
        self.scope.fault = fault;
        self
    }
}

/// The anomalies that one book noticed, or those of a whole run.
///
/// Each is weighed when it is noted: a book is told of the generator's hold-ups as they end.
#[derive(Clone, Debug)]
pub struct Anomalies {
    hold_ups: HoldUps,
    other_clients: OtherClients,
    kinds: BTreeMap<AnomalyKind, Kind>,
    /// Of one kind, in one scope.
    kept_max: usize,
    /// The first of each kind that were kept, until they are taken.
    fresh: Vec<Anomaly>,
    bell: Bell,
}

/// The first of a kind that are told as they are noted.
const FRESH_PER_KIND: usize = 20;

#[derive(Clone, Debug, Default)]
struct Kind {
    count: u64,
    /// By the device that they are about.
    counts: BTreeMap<Subject, Count>,
    /// By the device that a message or will came to, or should have come to.
    at_recipients: BTreeMap<Subject, u64>,
    kept: BTreeMap<Scope, Kept>,
    /// How many were told as they were noted.
    fresh: usize,
}

/// How many there were of one kind and subject.
#[derive(Clone, Copy, Debug)]
struct Count {
    count: u64,
    /// Of each the longest hold-up that may have brought it about; of those the shortest. `None` if there is
    /// one that no hold-up explains.
    cause: Option<Duration>,
    /// How many no other client can have brought about.
    beyond_others: u64,
}

impl Kind {
    fn add(&mut self, subject: Subject, more: Count) {
        self.count += more.count;
        match self.counts.entry(subject) {
            Entry::Vacant(entry) => {
                entry.insert(more);
            }
            Entry::Occupied(mut entry) => {
                let sum = entry.get_mut();
                sum.count += more.count;
                sum.beyond_others += more.beyond_others;
                // `None` is less than any time.
                sum.cause = sum.cause.min(more.cause);
            }
        }
    }
}

/// Those of one kind and scope that are kept whole.
#[derive(Clone, Debug, Default)]
struct Kept(Vec<Anomaly>);

impl Kept {
    /// The place of the anomaly that one of `whose` takes the place of, if it takes any: the last of the
    /// devices that have the most, so that each has its share.
    fn to_give_up_for(&self, whose: Whose) -> Option<usize> {
        let mut shares: BTreeMap<Whose, usize> = BTreeMap::new();
        for kept in &self.0 {
            *shares.entry(kept.whose()).or_default() += 1;
        }
        let own = shares.get(&whose).copied().unwrap_or(0);
        let (richest, most) = shares.into_iter().max_by_key(|&(_, share)| share)?;
        (own + 1 < most).then(|| self.0.iter().rposition(|kept| kept.whose() == richest))?
    }

    /// The anomaly, if it is kept.
    fn keep(
        &mut self,
        kept_max: usize,
        whose: Whose,
        describe: impl FnOnce() -> Anomaly,
    ) -> Option<&Anomaly> {
        if self.0.len() >= kept_max {
            let place = self.to_give_up_for(whose)?;
            self.0.remove(place);
        }
        self.0.push(describe());
        self.0.last()
    }
}

impl Anomalies {
    /// None yet; of each kind `kept_max` of one scope will be kept whole.
    pub(crate) fn new(kept_max: usize) -> Self {
        Self {
            hold_ups: HoldUps::default(),
            other_clients: OtherClients::default(),
            kinds: BTreeMap::new(),
            kept_max,
            fresh: Vec::new(),
            bell: Bell::default(),
        }
    }

    /// Has `bell` rung when something is noted that may be taken.
    pub(crate) fn ring(&mut self, bell: &Bell) {
        self.bell = bell.clone();
    }

    /// What is rung then.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// The first anomalies of each kind that were noted since this was called last.
    pub(crate) fn take_fresh(&mut self) -> impl Iterator<Item = Anomaly> {
        self.fresh.drain(..)
    }

    /// Adds those of another book.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (&kind, theirs) in &other.kinds {
            let ours = self.kinds.entry(kind).or_default();
            for (&subject, &count) in &theirs.counts {
                ours.add(subject, count);
            }
            for (&subject, &count) in &theirs.at_recipients {
                *ours.at_recipients.entry(subject).or_default() += count;
            }
            for (&scope, kept) in &theirs.kept {
                let of_scope = ours.kept.entry(scope).or_default();
                for anomaly in &kept.0 {
                    of_scope.keep(self.kept_max, anomaly.whose(), || anomaly.clone());
                }
            }
        }
    }

    /// The generator was held up for `length` until `until`.
    pub(crate) fn note_hold_up(&mut self, length: Duration, until: Instant) {
        self.hold_ups.note(length, until);
    }

    /// For how much of the time from `since` to `until` the generator was held up.
    pub(crate) fn held_up_within(&self, since: Instant, until: Instant) -> Duration {
        self.hold_ups.time_within(since, until)
    }

    /// Another client may have displaced a connection of `device`.
    pub(crate) fn note_displaced(&mut self, device: DeviceId) {
        self.other_clients.note_displaced(device);
    }

    /// Counts an anomaly; `describe` is asked for the whole of it only if it is kept.
    pub fn note(
        &mut self,
        kind: AnomalyKind,
        noticed: impl Into<Noticed>,
        describe: impl FnOnce() -> Anomaly,
    ) {
        self.note_alike(kind, 1, noticed, describe);
    }

    /// Counts so many anomalies that nothing tells apart, and keeps them as one.
    pub(crate) fn note_alike(
        &mut self,
        kind: AnomalyKind,
        times: u64,
        noticed: impl Into<Noticed>,
        describe: impl FnOnce() -> Anomaly,
    ) {
        let noticed = noticed.into();
        let Noticed {
            subject,
            span,
            publisher,
        } = noticed;
        let about = noticed.about();
        let others = &self.other_clients;
        let one = Count {
            count: times,
            cause: span.and_then(|span| self.hold_ups.cause_of(kind, span)),
            beyond_others: match others.may_explain(kind, subject.device, publisher) {
                true => 0,
                false => times,
            },
        };
        let entry = self.kinds.entry(kind).or_default();
        entry.add(about, one);
        if publisher.is_some() {
            *entry.at_recipients.entry(subject).or_default() += times;
        }
        let of_scope = entry.kept.entry(subject.scope).or_default();
        let kept = of_scope.keep(self.kept_max, noticed.whose(), describe);
        if let Some(kept) = kept
            && entry.fresh < FRESH_PER_KIND
        {
            entry.fresh += 1;
            self.fresh.push(kept.clone());
            self.bell.ring();
        }
    }

    /// How many of this kind there were about messages and wills, by the device that these came to or should
    /// have come to.
    pub(crate) fn at_recipients(
        &self,
        kind: AnomalyKind,
    ) -> impl Iterator<Item = (Subject, u64)> + '_ {
        let of_kind = self.kinds.get(&kind).into_iter();
        let counts = of_kind.flat_map(|of_kind| &of_kind.at_recipients);
        counts.map(|(&subject, &count)| (subject, count))
    }

    /// How many of this kind there were, by what they are about.
    pub fn counts_of(&self, kind: AnomalyKind) -> impl Iterator<Item = (Subject, u64)> + '_ {
        let counts = self.kinds.get(&kind).into_iter();
        counts.flat_map(|entry| {
            entry
                .counts
                .iter()
                .map(|(&subject, count)| (subject, count.count))
        })
    }

    /// By what they are about, the shortest of the hold-ups that explain those of this kind; `None` where one is
    /// not explained.
    pub(crate) fn causes_of(
        &self,
        kind: AnomalyKind,
    ) -> impl Iterator<Item = (Scope, Option<Duration>)> + '_ {
        let of_kind = self.kinds.get(&kind).into_iter();
        let counts = of_kind.flat_map(|of_kind| &of_kind.counts);
        counts.map(|(subject, count)| (subject.scope, count.cause))
    }

    /// By what they are about, how many of this kind no other client can have brought about.
    pub(crate) fn beyond_others(
        &self,
        kind: AnomalyKind,
    ) -> impl Iterator<Item = (Scope, u64)> + '_ {
        let of_kind = self.kinds.get(&kind).into_iter();
        let counts = of_kind.flat_map(|of_kind| &of_kind.counts);
        counts.map(|(subject, count)| (subject.scope, count.beyond_others))
    }

    /// The longest hold-up by which something may be missing that was due between two moments.
    pub(crate) fn cause_of_missing(&self, since: Instant, until: Instant) -> Option<Duration> {
        let excess = Duration::ZERO;
        let span = Span {
            since,
            until,
            excess,
        };
        self.hold_ups.longest_within(span, MISSING_FROM)
    }

    /// How many of this kind there were.
    pub fn count(&self, kind: AnomalyKind) -> u64 {
        self.kinds.get(&kind).map_or(0, |entry| entry.count)
    }

    /// How many of each kind there were.
    pub(crate) fn counts(&self) -> BTreeMap<AnomalyKind, u64> {
        self.kinds
            .iter()
            .map(|(&kind, entry)| (kind, entry.count))
            .collect()
    }

    /// Those of this kind that are kept whole, in order of time: some of each scope that `is_chosen`.
    pub fn kept_in(&self, kind: AnomalyKind, is_chosen: impl Fn(Scope) -> bool) -> Vec<&Anomaly> {
        let scopes = self
            .kinds
            .get(&kind)
            .into_iter()
            .flat_map(|of_kind| &of_kind.kept);
        let mut kept: Vec<&Anomaly> = scopes
            .filter(|&(&scope, _)| is_chosen(scope))
            .flat_map(|(_, kept)| &kept.0)
            .collect();
        kept.sort_by_key(|anomaly| anomaly.at);
        kept
    }

    /// Those of this kind that are kept whole, of all scopes, in order of time.
    pub fn kept(&self, kind: AnomalyKind) -> Vec<&Anomaly> {
        self.kept_in(kind, |_| true)
    }

    /// Of each kind as many as are kept of one scope, in order of time.
    pub fn some_of_each(&self) -> Vec<&Anomaly> {
        let kinds = self.kinds.keys();
        let mut all: Vec<&Anomaly> = kinds
            .flat_map(|&kind| spread(self.kept(kind), self.kept_max))
            .collect();
        all.sort_by_key(|anomaly| anomaly.at);
        all
    }
}

/// At most `most` of them, in order of time: the first of each device, then the second of each, until there
/// are enough.
pub(crate) fn spread(mut anomalies: Vec<&Anomaly>, most: usize) -> Vec<&Anomaly> {
    anomalies.sort_by_key(|anomaly| anomaly.at);
    let mut of_each: BTreeMap<Whose, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, &Anomaly)> = anomalies
        .into_iter()
        .map(|anomaly| {
            let rank = of_each.entry(anomaly.whose()).or_default();
            *rank += 1;
            (*rank, anomaly)
        })
        .collect();
    // Stable: within one rank the order of time stays.
    ranked.sort_by_key(|&(rank, _)| rank);
    ranked.truncate(most);
    let mut shown: Vec<&Anomaly> = ranked.into_iter().map(|(_, anomaly)| anomaly).collect();
    shown.sort_by_key(|anomaly| anomaly.at);
    shown
}
