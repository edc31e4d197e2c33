//! An exchange in which the device is the sender, and whose turn it is.
//!
//! The broker answers each PUBLISH that comes before PUBREL with a PUBREC [MQTT-4.3.3-10], in their order: so the
//! first PUBREC of a connection answers the first PUBLISH of it, and is the answer to a repeat if that one was.

use std::time::Duration;

use squall_fleet::{SenderLeg, Stamp};
use squall_protocol::{Instant, QoS};
use squall_scenario::{DeviceId, GroupId};

use crate::books::event::Event;
use crate::books::unanswered::Pending;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    pub(super) stamp: Stamp,
    pub(super) group: GroupId,
    /// First leg, or the leg that the device has done last.
    pub(super) last: SenderLeg,
    pub(super) published_at: Instant,
    pub(super) pubrec_at: Instant,
    pub(super) pubrel_at: Instant,
    /// Waited for the broker in the first leg.
    pub(super) pubrec_took: Duration,
    /// What it sent on this connection.
    here: SentHere,
}

/// Packets of an exchange that its device sent on one connection, as far as they are not answered.
#[derive(Clone, Copy, Debug, Default)]
struct SentHere {
    /// PUBLISH without DUP, which is to be answered first.
    has_original: bool,
    /// PUBLISH with DUP, after a reconnect: it is the first of its connection.
    has_resent: bool,
    /// PUBLISH with DUP that followed another one on this connection.
    repeats: u64,
    /// When the last of those was sent.
    repeated_at: Instant,
    has_pubrel: bool,
}

/// Answers that are due to a PUBLISH which was sent again before its exchange ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateAnswers {
    pub(super) group: GroupId,
    /// When the exchange began.
    pub(super) since: Instant,
    count: u64,
    repeated_at: Instant,
}

impl LateAnswers {
    /// An answer came: 1 if one was due.
    pub(super) fn take(&mut self) -> u64 {
        let taken = self.count.min(1);
        self.count -= taken;
        taken
    }

    /// Answers that are overdue at `now`, after `needed`.
    pub(super) fn overdue(&self, now: Instant, needed: Duration) -> u64 {
        match self.repeated_at + needed <= now {
            true => self.count,
            false => 0,
        }
    }
}

impl Sending {
    pub(super) fn begin(event: &Event, stamp: Stamp) -> Self {
        Self {
            stamp,
            group: event.group,
            last: SenderLeg::PublishSent,
            published_at: event.now,
            pubrec_at: event.now,
            pubrel_at: event.now,
            pubrec_took: Duration::ZERO,
            here: SentHere {
                has_original: true,
                ..SentHere::default()
            },
        }
    }

    /// PUBLISH was sent again: after a reconnect, or on the same connection.
    pub(super) fn note_resent(&mut self, now: Instant) {
        self.last = SenderLeg::PublishResent;
        if self.here.has_original || self.here.has_resent {
            self.here.repeats += 1;
            self.here.repeated_at = now;
            return;
        }
        self.here.has_resent = true;
        // The time between was the device's own: the broker's begins again.
        self.published_at = now;
    }

    /// PUBREL was sent, perhaps again. Tells what was last before.
    pub(super) fn note_pubrel(&mut self, now: Instant) -> SenderLeg {
        if !std::mem::replace(&mut self.here.has_pubrel, true) {
            // The device sends it, when it has come to that.
            self.pubrel_at = now;
        }
        std::mem::replace(&mut self.last, SenderLeg::PubrelSent)
    }

    /// PUBREC came. Tells whether it answers a PUBLISH that was sent again.
    pub(super) fn takes_for_repeat(&mut self) -> bool {
        if std::mem::take(&mut self.here.has_original) {
            return false;
        }
        if std::mem::take(&mut self.here.has_resent) {
            return true;
        }
        let is_awaited = self.here.repeats > 0;
        self.here.repeats -= u64::from(is_awaited);
        is_awaited
    }

    /// Repeats that were not answered yet.
    pub(super) fn awaited_repeats(&self) -> u64 {
        self.here.repeats + u64::from(self.here.has_resent)
    }

    /// Of those, the ones that are overdue at `now`, after `needed`.
    pub(super) fn overdue_repeats(&self, now: Instant, needed: Duration) -> u64 {
        let is_overdue = |sent_at: Instant| sent_at + needed <= now;
        let repeats = match is_overdue(self.here.repeated_at) {
            true => self.here.repeats,
            false => 0,
        };
        repeats + u64::from(self.here.has_resent && is_overdue(self.published_at))
    }

    /// Answers to repeats that are due though the exchange has ended.
    pub(super) fn late_answers(&self) -> Option<LateAnswers> {
        let late = LateAnswers {
            group: self.group,
            since: self.published_at,
            count: self.here.repeats,
            repeated_at: self.here.repeated_at,
        };
        (late.count > 0).then_some(late)
    }

    /// What was sent on the connection that ended need not be answered.
    pub(super) fn connection_lost(&mut self) {
        self.here = SentHere::default();
    }

    pub(super) fn pending(&self, device: DeviceId, answered_until: Instant) -> Pending {
        Pending {
            device,
            group: self.group,
            qos: QoS::ExactlyOnce,
            reached_at: self.stamp.scheduled,
            asked_at: self.asked_at(),
            is_overtaken: self.awaits_pubrec() && self.published_at < answered_until,
        }
    }

    /// When the device sent what the broker is to answer.
    pub(super) fn asked_at(&self) -> Instant {
        match self.awaits_pubrec() {
            true => self.published_at,
            false => self.pubrel_at,
        }
    }

    fn awaits_pubrec(&self) -> bool {
        self.last < SenderLeg::PubrecReceived
    }

    pub(super) fn is_brokers_turn(&self) -> bool {
        self.last != SenderLeg::PubrecReceived
    }

    pub(super) const fn state(&self) -> &'static str {
        match self.last {
            SenderLeg::PublishSent | SenderLeg::PublishResent => "sender awaits PUBREC",
            SenderLeg::PubrecReceived => "sender has not sent PUBREL",
            SenderLeg::PubrelSent | SenderLeg::PubcompReceived => "sender awaits PUBCOMP",
        }
    }
}
