//! What a message without stamp is to the wills: one of them, a copy, one too many or one too late.

use squall_protocol::Instant;
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::DeviceId;

use super::Wills;
use super::arrival::WillArrival;
use super::end::{Due, WillCause, WillEnd};
use super::seen::WillSeen;
use super::taken::{Taken, TakenFor};
use crate::books::anomalies::{Anomaly, Subject};
use crate::books::event::Event;
use crate::books::hold_ups::NOTICED_AFTER;

/// What a delivery has to do with wills.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WillDelivery {
    /// Nothing: it is not a will of this run.
    NoWill,
    /// It is a will, and there is nothing to measure.
    Counted,
    /// It is a will, seen for the first time by this watcher.
    First(WillSeen),
}

impl Wills {
    /// A message without stamp came to a recipient that may have `copies` of it.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        arrival: &WillArrival<'_>,
    ) -> WillDelivery {
        let Some(row) = self.row_of(arrival.topic, arrival.payload) else {
            return WillDelivery::NoWill;
        };
        if arrival.is_from_store {
            return WillDelivery::Counted;
        }
        let history = self.history;
        let taken = self.on_row(row, |row| row.take(event, arrival, history));
        if matches!(taken, Taken::Early) {
            self.keep_early(row, event, arrival);
        }
        self.account(row, taken, event, arrival)
            .map_or(WillDelivery::Counted, WillDelivery::First)
    }

    /// Writes down what a will of this row was taken for; tells if this recipient saw it for the first time.
    pub(super) fn account(
        &mut self,
        row: usize,
        taken: Taken,
        event: &Event,
        arrival: &WillArrival<'_>,
    ) -> Option<WillSeen> {
        let taken = match taken {
            Taken::For(taken) => taken,
            Taken::Repeat | Taken::Unknown | Taken::Early => return None,
            Taken::Unclear => {
                let is_of_several = self.rows[row].announcers.only().is_none();
                self.unclear += 1;
                self.unclear_of_several += u64::from(is_of_several);
                return None;
            }
            Taken::Unprovoked(device) => {
                self.note_unprovoked(device, event, arrival);
                return None;
            }
        };
        let end = taken.end;
        let WillEnd {
            fault, cause, due, ..
        } = end;
        let is_despite_resume = self.is_despite_resume(&taken, event, arrival);
        if is_despite_resume && self.history.has_other_clients() {
            self.unclear += 1;
            return None;
        }
        if let Some((kind, explanation)) = what_is_wrong(&taken, event.arrived, is_despite_resume) {
            let subject = Subject::after(fault, event.device);
            let noticed = subject.between(event.now - NOTICED_AFTER, event.now);
            let noticed = noticed.with_message_of(taken.device);
            self.anomalies.note(kind, noticed, || Anomaly {
                by_counts: None,
                device: Some(taken.device),
                recipient: Some(event.device),
                explanation: format!("{explanation}; seen by {}", self.names.of(event.device)),
                ..arrival.anomaly(kind, event, String::new()).after(fault)
            });
        }
        if !due.is_possible() || taken.is_too_early(event.arrived) || is_despite_resume {
            let tally = self.tallies.entry((fault, cause)).or_default();
            tally.premature += u64::from(due != Due::MustNot);
        }
        // What it took to one whose process ended meanwhile says nothing of the broker.
        if taken.count > 1 || !due.is_possible() || taken.is_doubtful {
            return None;
        }
        // One that comes before its end has left the link, on a timeout of the broker, comes at once.
        let due_at = taken.due_at(event.arrived);
        let away = self.broker_times.away_between(due_at, event.arrived);
        let after = arrival.room.within(due_at, event.arrived);
        let after = after.saturating_sub(away);
        let seen = WillSeen {
            fault,
            cause,
            after,
            delay: end.delay,
            barred: event.arrived.saturating_since(due_at) - after,
            with_links: event.crossed.saturating_since(taken.ended_at),
        };
        self.check_limits(event, taken.device, arrival, &seen);
        let tally = self.tallies.entry((fault, cause)).or_default();
        tally.slowest = tally.slowest.max(Some(seen.after));
        Some(seen)
    }

    /// Whether a will came although its device was back before it was due, and the broker was not away meanwhile.
    fn is_despite_resume(
        &self,
        taken: &TakenFor,
        event: &Event,
        arrival: &WillArrival<'_>,
    ) -> bool {
        taken.is_despite_resume(arrival, event.arrived)
            && !self.broker_times.touches(taken.ended_at, event.arrived)
    }

    /// A will of a connection that was open: of `device`, if it is known whose.
    fn note_unprovoked(
        &mut self,
        device: Option<DeviceId>,
        event: &Event,
        arrival: &WillArrival<'_>,
    ) {
        if self
            .broker_times
            .touches(event.now - NOTICED_AFTER, event.now)
        {
            // Its connection may have ended with the broker's process.
            self.unclear += 1;
            return;
        }
        self.unprovoked += 1;
        let kind = AnomalyKind::WillUnexpected;
        let noticed = event.after_a_silence_of_another();
        let noticed = device.map_or(noticed, |device| noticed.with_message_of(device));
        self.anomalies.note(kind, noticed, || {
            let what = "a will of a connection that had not ended (§3.1.2.5)";
            let anomaly = arrival.anomaly(kind, event, what.to_owned());
            Anomaly {
                by_counts: None,
                device: device.or(anomaly.device),
                recipient: device.and(anomaly.device),
                ..anomaly
            }
        });
    }

    /// Compares the time to a will of the connection of `device`, as the device of `event` saw it.
    fn check_limits(
        &mut self,
        event: &Event,
        device: DeviceId,
        arrival: &WillArrival<'_>,
        seen: &WillSeen,
    ) {
        let (Some(fault), WillCause::Dropped(how)) = (seen.fault, seen.cause) else {
            return;
        };
        for place in 0..self.limits.len() {
            let limit = self.limits[place];
            if limit.fault != fault || limit.how != how || seen.after <= limit.limit {
                continue;
            }
            *self
                .late
                .entry((limit.expectation, fault, how))
                .or_default() += 1;
            let subject = Subject::after(Some(fault), event.device);
            let ended_at = event.arrived - seen.after - seen.barred;
            let noticed = subject.between(ended_at, event.now);
            let noticed = noticed.beyond(seen.after - limit.limit);
            let noticed = noticed.with_message_of(device);
            self.anomalies
                .note(AnomalyKind::WillLate, noticed, || Anomaly {
                    by_counts: None,
                    device: Some(device),
                    recipient: Some(event.device),
                    explanation: format!(
                        "its will came {} after {}{}, the limit is {}; seen by {}",
                        duration_text(seen.after.as_secs_f64()),
                        seen.since_text(),
                        seen.links_text(),
                        duration_text(limit.limit.as_secs_f64()),
                        self.names.of(event.device)
                    ),
                    ..arrival
                        .anomaly(AnomalyKind::WillLate, event, String::new())
                        .after(Some(fault))
                });
        }
    }
}

/// What is wrong with a will whatever its time, if anything is.
fn what_is_wrong(
    taken: &TakenFor,
    arrived: Instant,
    is_despite_resume: bool,
) -> Option<(AnomalyKind, String)> {
    match taken.end.due {
        Due::MustNot => Some((
            AnomalyKind::WillUnexpected,
            format!(
                "a will after a polite goodbye at {} [MQTT-3.14.4-3]",
                seconds(taken.ended_at)
            ),
        )),
        Due::Cancelled => Some(despite_resume(taken)),
        Due::AtEdge if is_despite_resume => Some(despite_resume(taken)),
        Due::Must | Due::May | Due::AtEdge if taken.is_too_early(arrived) => Some((
            AnomalyKind::WillUnexpected,
            format!(
                "a will of a connection that ended at {}, before the Will Delay of {} had passed [MQTT-3.1.2-8]",
                seconds(taken.ended_at),
                duration_text(taken.end.delay.time().as_secs_f64())
            ),
        )),
        Due::Must | Due::May | Due::AtEdge if taken.times > 1 => Some((
            AnomalyKind::WillDoubled,
            format!(
                "will number {} for one connection that ended at {} (§3.1.2.5)",
                taken.times,
                seconds(taken.ended_at)
            ),
        )),
        Due::Must | Due::May | Due::AtEdge => None,
    }
}

fn despite_resume(taken: &TakenFor) -> (AnomalyKind, String) {
    let what = format!(
        "a will of a connection that ended at {}, though another one resumed its Session before Will Delay had passed \
         [MQTT-3.1.3-9]",
        seconds(taken.ended_at)
    );
    (AnomalyKind::WillUnexpected, what)
}

fn seconds(at: Instant) -> String {
    duration_text(at.as_secs_f64())
}
