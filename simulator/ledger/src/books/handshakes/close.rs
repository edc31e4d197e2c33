//! What becomes of exchanges that wait for the broker when a connection, a Session or the run ends.
//!
//! A broker may have been about to go on with what was under way for a short time only: at the end of the run that could come
//! still, and when a Session ends it is nothing. What had waited for as long as [`Pace::needed`], on a connection that was up
//! all the time, the broker has given up. What had waited for long and not for so long is not judged, nor is what a link may
//! have held back when its connection or the run ended.

use squall_protocol::{Instant, PacketId};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, GroupId};

use super::open::{Open, What};
use super::pace::Pace;
use super::sending::Repeats;
use super::{Exchanges, Handshakes};
use crate::books::patience;

/// Of what had waited for long at the end of a connection or a Session, so much is kept until it is known how slow the broker was
/// at most. More than that is not judged.
pub(super) const ENDED_MAX: usize = 10_000;

/// Whether a device can have what the broker sends when the run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AtEnd {
    /// It is connected, and no link holds anything of it.
    Online,
    /// It is connected, and its link holds something, which may be an answer.
    OnLink,
    /// It has no connection.
    Offline,
}

impl Exchanges {
    /// Exchanges that waited for the broker until `until`.
    fn waiting(&self, pace: &Pace, device: DeviceId, until: Instant) -> Vec<Open> {
        let sending = self.sending.iter().filter(|(_, it)| it.is_brokers_turn());
        let sending = sending.map(|(&id, it)| (id, it.group, it.state(), it.asked_at));
        let receiving = self.receiving.iter().filter(|(_, it)| it.is_brokers_turn());
        let receiving = receiving.map(|(&id, it)| (id, it.group, it.state(), it.asked_at));
        let asked = sending
            .chain(receiving)
            .filter_map(|(id, group, state, asked_at)| {
                let what = What::Exchange(state);
                Some(open(pace, device, (group, id, what), [asked_at?, until]))
            });
        asked.collect()
    }

    /// Answers to repeats of PUBLISH packets that were waited for until `until`.
    fn unanswered(&self, pace: &Pace, device: DeviceId, until: Instant) -> Vec<Open> {
        let of_open = self
            .sending
            .iter()
            .flat_map(|(&id, it)| it.repeats().map(|repeats| (id, it.group, repeats)));
        let of_ended = self.late.iter().map(|(&id, it)| (id, it.group, it.repeats));
        let asked = of_open
            .chain(of_ended)
            .filter(|(_, _, repeats)| repeats.count > 0)
            .filter_map(|(id, group, Repeats { asked_at, count })| {
                let what = What::Repeats(count);
                Some(open(pace, device, (group, id, what), [asked_at?, until]))
            });
        asked.collect()
    }
}

fn open(
    pace: &Pace,
    device: DeviceId,
    (group, id, what): (GroupId, PacketId, What),
    [since, until]: [Instant; 2],
) -> Open {
    Open {
        since,
        until,
        waited: pace.waited(device, since, until),
        device,
        group,
        id,
        what,
    }
}

impl Handshakes {
    /// The connection of a device is over, or its Session has gone to another one, at `now`: what was sent on it is not answered
    /// any longer.
    pub(crate) fn end_connection(&mut self, device: DeviceId, now: Instant) {
        let until = self.pace.read_until(now);
        let Some(exchanges) = self.devices.get_mut(&device) else {
            return;
        };
        if exchanges.ended_at.is_some() {
            return;
        }
        exchanges.ended_at = Some(until);
        let unanswered = exchanges.unanswered(&self.pace, device, until);
        exchanges.late.clear();
        exchanges.held.clear();
        for exchange in exchanges.sending.values_mut() {
            exchange.connection_lost();
        }
        self.keep_ended(unanswered);
    }

    /// The Session of a device is over at `now`, or another device had it since, and its exchanges with it.
    pub(crate) fn end_session(&mut self, device: DeviceId, now: Instant) {
        self.end_connection(device, now);
        if let Some(exchanges) = self.devices.remove(&device)
            && let Some(until) = exchanges.ended_at
        {
            let waiting = exchanges.waiting(&self.pace, device, until);
            let waiting = waiting.into_iter().filter(|open| self.may_be_long(open));
            let waiting: Vec<Open> = waiting.collect();
            for open in &waiting {
                if let What::Exchange(state) = open.what {
                    *self.counts.open.entry(state).or_default() += 1;
                }
            }
            self.keep_ended(waiting);
        }
    }

    /// Keeps what may have waited for long at the end of a connection, until it is known how slow the broker is to its group.
    fn keep_ended(&mut self, ended: Vec<Open>) {
        for open in ended {
            if !self.may_be_long(&open) {
                continue;
            }
            if self.ended.len() < ENDED_MAX {
                self.ended.push(open);
            } else if self.is_long(&open) {
                self.note_left(&open);
            }
        }
    }

    /// Whether something had waited for long at the end of its connection, by what its group was answered: where that was nothing
    /// yet, the slowest answer to another group says nothing for good.
    fn may_be_long(&self, open: &Open) -> bool {
        self.pace.may_be_long(open.group, open.waited)
    }

    /// Whether something had waited for long at the end of its connection. Over a link, what waits for less than it takes to tell
    /// may be under way on that.
    fn is_long(&self, open: &Open) -> bool {
        match self.pace.is_on_link(open.group) {
            true => open.waited >= self.pace.needed(open.group),
            false => self.pace.is_long(open.group, open.waited),
        }
    }

    /// Ends the account: exchanges that wait for the broker are incomplete, or could be gone on with still.
    pub(crate) fn close(&mut self, now: Instant, at_end: impl Fn(DeviceId) -> AtEnd) {
        let devices: std::collections::BTreeMap<DeviceId, Exchanges> =
            self.devices.drain().collect();
        let (mut open, mut ended) = (Vec::new(), Vec::new());
        for (&device, exchanges) in &devices {
            for state in exchanges.states() {
                *self.counts.open.entry(state).or_default() += 1;
            }
            if let Some(until) = exchanges.ended_at {
                ended.extend(exchanges.waiting(&self.pace, device, until));
                continue;
            }
            let judged = match at_end(device) {
                AtEnd::Online => &mut open,
                AtEnd::OnLink => &mut ended,
                AtEnd::Offline => continue,
            };
            judged.extend(exchanges.unanswered(&self.pace, device, now));
            judged.extend(exchanges.waiting(&self.pace, device, now));
        }
        self.keep_ended(ended);
        for open in std::mem::take(&mut self.ended) {
            self.judge_ended(&open);
        }
        for open in &open {
            self.judge_open(open);
        }
    }

    /// Judges what waited for the broker when the run ended.
    fn judge_open(&mut self, open: &Open) {
        let needed = self.pace.needed(open.group);
        let since = open.until - open.waited;
        let Some(short_by) = patience::short_by(needed, since, open.until) else {
            return self.note_given_up(open);
        };
        match open.what {
            What::Exchange(_) => self.counts.coming.add(1, short_by),
            What::Repeats(count) => self.counts.dup_coming.add(count, short_by),
        }
    }

    /// Judges what had waited for long when its connection ended, now that it is known how slow the broker was.
    fn judge_ended(&mut self, open: &Open) {
        let needed = self.pace.needed(open.group);
        if open.waited >= needed && !self.pace.is_on_link(open.group) {
            self.note_given_up(open);
        } else if self.is_long(open) {
            self.note_left(open);
        }
    }

    fn note_left(&mut self, open: &Open) {
        match open.what {
            What::Exchange(_) => self.counts.left += 1,
            What::Repeats(count) => self.counts.dup_left += count,
        }
    }

    /// The broker has given something up that it had to go on with.
    fn note_given_up(&mut self, open: &Open) {
        let (kind, count) = match open.what {
            What::Exchange(_) => {
                self.counts.incomplete += 1;
                (AnomalyKind::Qos2Incomplete, 1)
            }
            What::Repeats(count) => {
                self.counts.dup_unanswered += count;
                (AnomalyKind::Qos2DupUnanswered, count)
            }
        };
        for _ in 0..count {
            self.anomalies.note(kind, open.noticed(), || open.anomaly());
        }
    }
}
