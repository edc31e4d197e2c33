//! What is wrong with a takeover: two that are alive together, a displaced one that is told otherwise or left
//! open, a Session Present that is not right.

use std::time::Duration;

use squall_protocol::{Instant, Version};
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::DeviceId;

use super::row::{Attempt, RecentEnd};
use super::{DISPLACED_GRACE, Takeovers};
use crate::books::anomalies::{Anomaly, Noticed, Scope, Subject};
use crate::books::event::Event;

impl Takeovers {
    /// A connection ended: judges how long it was alive beside others.
    pub(super) fn check_overlap(&mut self, event: &Event, ended: &Attempt) {
        let others = self.row_mut(event).alive();
        if !others.is_empty() {
            self.judge_overlap(ended.over_at(event.arrived), ended, &others);
        }
    }

    /// Judges how long a connection that ends now was alive beside others that go on.
    pub(super) fn judge_overlap(&mut self, now: Instant, ended: &Attempt, others: &[Attempt]) {
        let overlaps: Vec<Duration> = others
            .iter()
            .map(|other| {
                let since = other.connected_at.max(ended.connected_at).unwrap_or(now);
                let away = self.broker_times.away_between(since, now);
                now.saturating_since(since).saturating_sub(away)
            })
            .collect();
        let longest = overlaps.iter().copied().max().unwrap_or_default();
        for place in 0..self.limits.len() {
            let limits = self.limits[place];
            let grace = limits.closed_within.unwrap_or(DISPLACED_GRACE);
            let beside = overlaps.iter().filter(|&&overlap| overlap > grace).count();
            if beside == 0 {
                continue;
            }
            let alive = beside as u64 + 1;
            self.counts.most_alive_too_long = self.counts.most_alive_too_long.max(alive);
            if limits
                .alive
                .is_some_and(|allowed| alive > u64::from(allowed))
            {
                self.violations[place].alive += 1;
                let what = format!(
                    "{alive} connections of one client identifier were alive together for {} (§3.1.4)",
                    duration_text(longest.as_secs_f64())
                );
                let noticed = of(ended.device).between(now - longest, now);
                self.note(
                    AnomalyKind::TwoAlive,
                    now,
                    noticed.beyond(longest - grace),
                    what,
                );
            }
        }
    }

    /// Judges how long a displaced connection was open beside the one that displaced it, whatever
    /// became of that one since.
    pub(super) fn judge_displaced(&mut self, now: Instant, displaced: &Attempt, beside: Duration) {
        let away = self.broker_times.away_between(now - beside, now);
        let beside = beside.saturating_sub(away);
        self.counts.slowest_close = self.counts.slowest_close.max(Some(beside));
        for place in 0..self.limits.len() {
            let limit = self.limits[place].closed_within;
            let Some(limit) = limit.filter(|&limit| beside > limit) else {
                continue;
            };
            self.violations[place].late += 1;
            let what = format!(
                "still open {} after the CONNACK of a newer connection, the limit is {} (§3.1.4)",
                duration_text(beside.as_secs_f64()),
                duration_text(limit.as_secs_f64())
            );
            let noticed = of(displaced.device).between(now - beside, now);
            let noticed = noticed.beyond(beside - limit);
            self.note(AnomalyKind::DisplacedNotClosed, now, noticed, what);
        }
    }

    /// The broker closed connections because of a newer one, before the CONNACK of that one came.
    pub(super) fn note_displaced_early(&mut self, event: &Event, ends: &[RecentEnd]) {
        for end in ends {
            self.counts.takeovers += 1;
            self.note_displaced(event, end, Duration::ZERO);
        }
    }

    /// The broker closed a connection because of a newer one.
    pub(super) fn note_displaced(&mut self, event: &Event, end: &RecentEnd, after: Duration) {
        self.counts.displaced_closed += 1;
        self.judge_displaced(event.now, &end.attempt, after);
        let told = end.told.map(|reason| reason as u8);
        *self.counts.reasons.entry(told).or_default() += 1;
        if end.attempt.sent.version != Version::V5 {
            // 3.1.1 has no DISCONNECT from the server.
            return;
        }
        for place in 0..self.limits.len() {
            let Some(expected) = self.limits[place].reason else {
                continue;
            };
            if end.told == Some(expected) || end.may_have_timed_out() {
                continue;
            }
            self.violations[place].reason += 1;
            let what = match end.told {
                Some(told) => format!("closed with {}, expected {}", told.name(), expected.name()),
                None => format!("closed without DISCONNECT, expected {}", expected.name()),
            };
            self.note(
                AnomalyKind::DisplacedReason,
                event.now,
                of(end.attempt.device).into(),
                what,
            );
        }
    }

    pub(super) fn check_session_present(
        &mut self,
        event: &Event,
        attempt: &Attempt,
        session_present: bool,
    ) {
        let history = self.history;
        let row = self.row_mut(event);
        let expected = row.expects_session(event.now, attempt, history);
        let since = row.established.map(|established| established.connack_at);
        let Some(expected) = expected else {
            return;
        };
        let since = since.filter(|_| expected);
        let forgetting = since.and_then(|since| self.broker_times.forgetting(since, event.now));
        let forgetting = forgetting.map(|time| {
            time.effects.due += 1;
            time.effects.forgotten += u64::from(!session_present);
            format!("; {}", time.text())
        });
        if expected == session_present {
            self.counts.session_present_right += 1;
            return;
        }
        self.counts.session_present_wrong += 1;
        self.counts.sessions_gone += u64::from(expected);
        let what = format!(
            "CONNACK says session present {}, expected {} (§3.2.2.1.1){}",
            u8::from(session_present),
            u8::from(expected),
            forgetting.unwrap_or_default()
        );
        self.note(
            AnomalyKind::SessionPresent,
            event.now,
            of(event.device).into(),
            what,
        );
    }

    fn note(&mut self, kind: AnomalyKind, at: Instant, noticed: Noticed, explanation: String) {
        let subject = noticed.subject();
        self.anomalies.note(kind, noticed, || Anomaly {
            by_counts: None,
            kind,
            at,
            device: subject.device,
            recipient: None,
            topic: None,
            sequence: None,
            explanation,
            scope: subject.scope,
        });
    }
}

fn of(device: DeviceId) -> Subject {
    Subject {
        device: Some(device),
        scope: Scope::default(),
    }
}
