//! The end of an account of wills: who must have seen which, and who has.

use std::collections::BTreeMap;
use std::rc::Rc;

use squall_protocol::{Instant, QoS};
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{ClientKey, DropKind};

use super::ended::End;
use super::row::Row;
use super::{Due, NEVER, WillCause, WillEnd, WillLimit, WillTally, Wills};
use crate::books::anomalies::{Anomaly, Subject};
use crate::books::delay::Delay;
use crate::books::deliveries::{Deliveries, Watcher};
use crate::books::memory::MemoryLimit;
use crate::books::topics::{FilterKey, Recipient};

/// Since when each Session has watched, for one set of filters and one QoS.
#[derive(Debug)]
struct Audience {
    /// In ascending order.
    since: Vec<Instant>,
    /// By Session; [`NEVER`] if it does not watch.
    by_client: Vec<Instant>,
}

/// Who watches what, when accounts are settled: looked up once for topics with the same watchers.
pub(crate) struct Audiences<'a> {
    deliveries: &'a Deliveries,
    known: BTreeMap<(Vec<FilterKey>, QoS), Rc<Audience>>,
}

/// How many watchers had to see the will of one end, and did not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Unseen {
    sessions: u64,
    shares: u64,
}

impl<'a> Audiences<'a> {
    /// Those of this moment.
    pub(crate) fn new(deliveries: &'a Deliveries) -> Self {
        Self {
            deliveries,
            known: BTreeMap::new(),
        }
    }

    fn of(&mut self, topic: &str, qos: QoS) -> Rc<Audience> {
        let deliveries = self.deliveries;
        let filters = deliveries.filters_of(topic).to_vec();
        let audience = self.known.entry((filters, qos));
        let audience = audience.or_insert_with_key(|(filters, qos)| {
            Rc::new(Audience::of(&deliveries.watchers(filters, *qos)))
        });
        Rc::clone(audience)
    }

    /// Watchers without a break since `end` that have not seen its will.
    fn unseen(&mut self, end: &End, topic: &str, qos: QoS) -> Unseen {
        let audience = self.of(topic, qos);
        let had_to = audience.since.partition_point(|&since| since <= end.at) as u64;
        let deliveries = self.deliveries;
        let whole = end
            .seen
            .whole()
            .filter_map(|(recipient, _)| match recipient {
                Recipient::Session(client) => Some(client),
                Recipient::Share(_) => None,
            });
        let saw = end.seen.plain().chain(whole);
        let have = saw.filter(|&client| audience.has_watched_since(client, end.at));
        let shares = end.shares.iter().filter(|&&share| {
            !end.seen.contains(Recipient::Share(share))
                && deliveries.is_undisturbed_since(share, end.at)
        });
        Unseen {
            sessions: had_to.saturating_sub(have.count() as u64),
            shares: shares.count() as u64,
        }
    }
}

impl Audience {
    fn of(watchers: &[Watcher]) -> Self {
        let mut since: Vec<Instant> = watchers.iter().map(|watcher| watcher.since).collect();
        since.sort_unstable();
        let clients = watchers.iter().map(|watcher| watcher.client.0 as usize);
        let mut by_client = vec![NEVER; clients.max().map_or(0, |last| last + 1)];
        for watcher in watchers {
            by_client[watcher.client.0 as usize] = watcher.since;
        }
        Self { since, by_client }
    }

    fn has_watched_since(&self, client: ClientKey, at: Instant) -> bool {
        let since = self.by_client.get(client.0 as usize);
        since.is_some_and(|&since| since <= at)
    }
}

impl WillTally {
    /// Counts who saw the will of an end of which this became due.
    fn add_seen(&mut self, end: &End, due: Due) {
        if due == Due::Must {
            let uncertain = end.seen.whole().filter(|(_, seen)| !seen.is_certain);
            self.optional += uncertain.count() as u64;
        }
        let before = self.seen[1];
        let certain = end.seen.whole().filter(|(_, seen)| seen.is_certain);
        for (_, seen) in certain {
            let times = (seen.times() as usize).min(self.seen.len() - 1);
            self.watched += 1;
            self.seen[times] += 1;
        }
        let plain = end.seen.plain_count();
        self.watched += plain;
        self.seen[1] += plain;
        if end.end.due == Due::AtEdge {
            self.at_edge += self.seen[1] - before;
        }
    }
}

impl Wills {
    /// Ends the account: what has not come by `now` is missing.
    pub(crate) fn close(&mut self, now: Instant, mut audiences: Audiences<'_>) {
        self.give_up_early(now);
        for row in 0..self.rows.len() {
            while let Some(end) = self.on_row(row, Row::pop) {
                self.settle(row, &end, now, &mut audiences);
            }
        }
    }

    /// Whether accounts must be settled early to save memory.
    pub(crate) fn is_full(&self) -> bool {
        self.kept > self.kept_max
    }

    /// Settles what nothing is missing of until half of the memory is free, beginning where it ended the
    /// last time. If that leaves less than a quarter, the oldest of the rest is given up: so that this is
    /// needed again only after many more.
    pub(crate) fn make_room(&mut self, now: Instant, mut audiences: Audiences<'_>) {
        let first = self.next_to_settle;
        let rows = self.rows.len();
        for row in (first..rows).chain(0..first) {
            if self.kept <= self.kept_max / 2 {
                break;
            }
            self.next_to_settle = (row + 1) % rows;
            // The last end of a row stays: what comes again is compared with it.
            while self.rows[row].ends.len() > 1 && self.is_complete(row, now, &mut audiences) {
                if let Some(end) = self.on_row(row, Row::pop) {
                    self.settle(row, &end, now, &mut audiences);
                }
            }
        }
        if self.kept <= self.kept_max / 4 * 3 {
            // Enough is free: this is needed again only after a quarter of the memory.
            return;
        }
        for row in 0..self.rows.len() {
            while self.kept > self.kept_max / 2 {
                if self.on_row(row, Row::pop).is_none() {
                    break;
                }
                self.rows[row].has_given_up = true;
                self.given_up.add(MemoryLimit::WillEnds, 1);
            }
        }
    }

    /// Whether the will of the oldest end of a row has come to all that it must come to.
    fn is_complete(&self, row: usize, now: Instant, audiences: &mut Audiences<'_>) -> bool {
        let row = &self.rows[row];
        row.ends.front().is_some_and(|end| {
            let WillEnd {
                due, noticed_by, ..
            } = end.end;
            let unseen = audiences.unseen(end, &row.will.topic, row.will.qos);
            now >= noticed_by && (due != Due::Must || unseen.total() == 0)
        })
    }

    fn settle(&mut self, row: usize, end: &End, now: Instant, audiences: &mut Audiences<'_>) {
        let will = &self.rows[row].will;
        let WillEnd {
            fault,
            cause,
            noticed_by,
            ..
        } = end.end;
        let paused = self.broker_times.away_between(end.at, noticed_by.min(now));
        let noticed_by = if noticed_by == NEVER {
            NEVER
        } else {
            noticed_by + paused
        };
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.ended += 1;
        if end.is_left_open && end.seen.is_empty() && now >= noticed_by {
            tally.left_open += 1;
            return;
        }
        let due = end.due_as_seen();
        match due {
            Due::Must | Due::MustNot | Due::AtEdge => {}
            Due::May => {
                tally.optional += end.seen.plain_count() + end.seen.whole().count() as u64;
                return;
            }
            Due::Cancelled => {
                tally.cancelled += 1;
                return;
            }
        }
        tally.add_seen(end, due);
        let unseen = audiences.unseen(end, &will.topic, will.qos).total();
        if due == Due::Must && now < noticed_by {
            self.leave_undecided(row, end, now, unseen);
            return;
        }
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.watched += unseen;
        tally.seen[0] += unseen;
        if due == Due::Must {
            for _ in 0..unseen {
                self.note_missing(row, end, now, &why_due(end));
            }
        }
    }

    /// The books are closed before the broker has surely noticed an end: only a limit of the
    /// scenario's own says that its will is missing.
    fn leave_undecided(&mut self, row: usize, end: &End, now: Instant, unseen: u64) {
        let WillEnd {
            fault,
            cause,
            noticed_by,
            ..
        } = end.end;
        if unseen == 0 || noticed_by == NEVER {
            return;
        }
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.undecided += unseen;
        tally.short_by = tally.short_by.max(noticed_by.saturating_since(now));
        let (Some(fault), WillCause::Dropped(how)) = (fault, cause) else {
            return;
        };
        if end.is_left_open {
            return;
        }
        let due_at = end.due_at().unwrap_or(now);
        let away = self.broker_times.away_between(due_at, now);
        let waited = now.saturating_since(due_at).saturating_sub(away);
        let passed: Vec<WillLimit> = self
            .limits
            .iter()
            .copied()
            .filter(|limit| limit.fault == fault && limit.how == how && waited > limit.limit)
            .collect();
        for limit in &passed {
            let overdue = self.overdue.entry((limit.expectation, fault, how));
            *overdue.or_default() += unseen;
        }
        let Some(limit) = passed.iter().map(|limit| limit.limit).min() else {
            return;
        };
        let what = format!(
            "its will had not come {} {}, when the run ended; the limit is {}",
            duration_text(waited.as_secs_f64()),
            match end.end.delay {
                Delay::None => "later",
                Delay::UntilResumed(_) | Delay::UntilReplaced(_) => "after it was due",
            },
            duration_text(limit.as_secs_f64())
        );
        for _ in 0..unseen {
            self.note_missing(row, end, now, &what);
        }
    }

    fn note_missing(&mut self, row: usize, end: &End, now: Instant, what: &str) {
        let will = &self.rows[row].will;
        let WillEnd { fault, cause, .. } = end.end;
        let subject = Subject::after(fault, end.device);
        self.anomalies.note(
            AnomalyKind::WillMissing,
            subject.between(end.at, now),
            || Anomaly {
                by_counts: None,
                kind: AnomalyKind::WillMissing,
                at: end.at,
                device: Some(end.device),
                recipient: None,
                topic: Some(will.topic.to_string()),
                sequence: None,
                explanation: format!("the connection ended ({}) and {what}", cause.name()),
                scope: subject.scope,
            },
        );
    }
}

/// What never came, and what asked for it: of a device that was silent and came back, the takeover of
/// its own Session.
fn why_due(end: &End) -> String {
    let is_silent = end.end.cause == WillCause::Dropped(DropKind::Silent);
    let back_at = end
        .back_at
        .filter(|&at| is_silent && at < end.end.noticed_by);
    match back_at {
        Some(at) => format!(
            "its will never came, although the device was back after {}: that closes the connection before, and publishes its \
             will [MQTT-3.1.4-3]",
            duration_text(at.saturating_since(end.at).as_secs_f64())
        ),
        None => "its will never came (§3.1.2.5)".to_owned(),
    }
}

impl Unseen {
    fn total(self) -> u64 {
        self.sessions + self.shares
    }
}
