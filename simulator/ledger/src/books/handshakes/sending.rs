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
    /// Since when the broker can answer, if it is its turn: what the device sent on this connection has left its link.
    pub(super) asked_at: Option<Instant>,
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
    /// When the last of those had left the device's link.
    repeat_asked_at: Option<Instant>,
    has_pubrel: bool,
}

/// What a packet that a device sent asks of the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asking {
    /// PUBREC for the first PUBLISH of the exchange on its connection.
    Pubrec,
    /// PUBREC for a PUBLISH that followed that one.
    PubrecAgain,
    /// PUBREL for a PUBREC.
    Pubrel,
    /// PUBCOMP for a PUBREL.
    Pubcomp,
}

/// PUBLISH packets that were sent again and await their answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeats {
    /// Since when the broker can answer the last of them; `None` while the device's link holds it.
    pub(super) asked_at: Option<Instant>,
    pub(super) count: u64,
}

/// Answers that are due to a PUBLISH which was sent again before its exchange ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateAnswers {
    pub(super) group: GroupId,
    pub(super) repeats: Repeats,
}

impl LateAnswers {
    /// An answer came: 1 if one was due.
    pub(super) fn take(&mut self) -> u64 {
        let taken = self.repeats.count.min(1);
        self.repeats.count -= taken;
        taken
    }
}

impl Sending {
    pub(super) fn begin(event: &Event, stamp: Stamp, asked_at: Option<Instant>) -> Self {
        Self {
            stamp,
            group: event.group,
            last: SenderLeg::PublishSent,
            published_at: event.now,
            pubrec_at: event.now,
            pubrel_at: event.now,
            asked_at,
            pubrec_took: Duration::ZERO,
            here: SentHere {
                has_original: true,
                ..SentHere::default()
            },
        }
    }

    /// PUBLISH was sent again: after a reconnect, or on the same connection. The broker can answer it from `asked_at` on.
    pub(super) fn note_resent(&mut self, now: Instant, asked_at: Option<Instant>) -> Asking {
        self.last = SenderLeg::PublishResent;
        if self.here.has_original || self.here.has_resent {
            self.here.repeats += 1;
            self.here.repeat_asked_at = asked_at;
            return Asking::PubrecAgain;
        }
        self.here.has_resent = true;
        // The time between was the device's own: the broker's begins again.
        self.published_at = now;
        self.asked_at = asked_at;
        Asking::Pubrec
    }

    /// PUBREL was sent, perhaps again. Tells what was last before.
    pub(super) fn note_pubrel(&mut self, now: Instant, asked_at: Option<Instant>) -> SenderLeg {
        if !std::mem::replace(&mut self.here.has_pubrel, true) {
            // The device sends it, when it has come to that.
            self.pubrel_at = now;
            self.asked_at = asked_at;
        }
        std::mem::replace(&mut self.last, SenderLeg::PubrelSent)
    }

    /// What the device sent has left its link at `now`.
    pub(super) fn note_left(&mut self, what: Asking, now: Instant) {
        let is_awaited = match what {
            Asking::Pubrec => self.awaits_pubrec(),
            Asking::Pubcomp => !self.awaits_pubrec(),
            Asking::PubrecAgain => {
                self.here.repeat_asked_at = Some(now);
                false
            }
            Asking::Pubrel => false,
        };
        if is_awaited {
            self.asked_at.get_or_insert(now);
        }
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

    /// Repeats that were not answered yet: the one after a reconnect, and those that followed on the same connection.
    pub(super) fn repeats(&self) -> [Repeats; 2] {
        let resent = Repeats {
            asked_at: self.asked_at,
            count: u64::from(self.here.has_resent),
        };
        [resent, self.repeats_of_connection()]
    }

    fn repeats_of_connection(&self) -> Repeats {
        Repeats {
            asked_at: self.here.repeat_asked_at,
            count: self.here.repeats,
        }
    }

    /// Answers to repeats that are due though the exchange has ended.
    pub(super) fn late_answers(&self) -> Option<LateAnswers> {
        let late = LateAnswers {
            group: self.group,
            repeats: self.repeats_of_connection(),
        };
        (late.repeats.count > 0).then_some(late)
    }

    /// What was sent on the connection that ended need not be answered on another.
    pub(super) fn connection_lost(&mut self) {
        self.here = SentHere::default();
    }

    pub(super) fn pending(&self, device: DeviceId, answered_until: Instant) -> Pending {
        Pending {
            device,
            group: self.group,
            qos: QoS::ExactlyOnce,
            reached_at: self.stamp.scheduled,
            asked_at: match self.awaits_pubrec() {
                true => self.published_at,
                false => self.pubrel_at,
            },
            is_overtaken: self.awaits_pubrec() && self.published_at < answered_until,
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
