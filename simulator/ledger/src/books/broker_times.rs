//! When faults had the broker away or paused, and what is the fault's and not the broker's of what follows.
//!
//! Every Network Connection ends with the broker's process, nothing connects while it is away, and a paused broker answers
//! late: that is the scenario's. What it had acknowledged it still owes when it is back, and Sessions that outlive their
//! connection are to be there: nothing in MQTT lets a Server forget them because its process ended.

use std::time::Duration;

use squall_fleet::{BrokerFact, EndCause};
use squall_protocol::{Instant, ReasonCode};
use squall_run::duration_text;
use squall_scenario::{BrokerAction, FaultId};

/// How long a broker that goes on after a pause, or has just come back, may be busy with what waited for it.
const CATCHING_UP: Duration = Duration::from_secs(2);

/// How long before a refusal is told the system may have had it: it comes at once.
const REFUSED_AT_ONCE: Duration = Duration::from_secs(1);

/// Every time that a fault had the broker away, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct BrokerTimes {
    times: Vec<BrokerTime>,
}

/// One time that a fault had the broker away. No two overlap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrokerTime {
    fault: FaultId,
    /// How many times the fault had fired before.
    number: u64,
    action: BrokerAction,
    /// Just before its signal was sent.
    began: Instant,
    /// When all its processes had ended, or were stopped.
    halted: Option<Instant>,
    /// When it was back; `None` while it is not.
    until: Option<Instant>,
    pub(crate) effects: BrokerEffects,
}

/// What came of one time that a fault had the broker away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct BrokerEffects {
    /// Connections that ended by it.
    pub(crate) ended: u64,
    /// Attempts to connect that came to nothing by it.
    pub(crate) kept_out: u64,
    /// Sessions that had to be there afterwards and were not.
    pub(crate) forgotten: u64,
    /// Sessions that had to be there afterwards, those that were not among them.
    pub(crate) due: u64,
    /// Messages that were owed, that the process which it ended had taken, and that never came.
    pub(crate) lost_from_before: u64,
    /// The same of the process after it, which had forgotten the Session of the recipient.
    pub(crate) lost_while_forgotten: u64,
    /// The same of the process after it, for another reason.
    pub(crate) lost_otherwise: u64,
}

/// What is known of a message that never came, to tell which process of the broker took it. To take it is to acknowledge it;
/// at QoS 0 it is taken when it is sent.
#[derive(Clone, Debug)]
pub(crate) struct LostMessage {
    /// When the connection began on which it was taken.
    pub(crate) connected_at: Instant,
    /// The recipient, if the broker had forgotten its Session and it had not subscribed again by then.
    pub(crate) forgotten: Option<String>,
}

/// A connection that ended, as far as the broker's process may be the reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndOfConnection {
    pub(crate) cause: EndCause,
    /// When its CONNECT was handed over.
    pub(crate) handed_at: Instant,
    /// When its end was at the device's machine.
    pub(crate) arrived: Instant,
    pub(crate) was_connected: bool,
    /// Zero is none.
    pub(crate) keep_alive: Duration,
    /// How long a device waits for an answer.
    pub(crate) answer_max: Duration,
}

impl BrokerTime {
    /// What it did, in words to stand behind what is missing since.
    pub(crate) fn text(&self) -> String {
        let how = match self.action {
            BrokerAction::Kill => "killed",
            BrokerAction::Restart => "restarted",
            BrokerAction::Pause => "paused",
        };
        let seconds = |at: Instant| duration_text(at.as_secs_f64());
        let until = self.until.map(seconds);
        let until = until.map_or(String::new(), |until| format!(" and was back at {until}"));
        format!("the broker was {how} at {}{until}", seconds(self.began))
    }

    /// Counts a message that is lost since; returns what it had to do with it, in words to stand behind what is lost.
    pub(crate) fn note_lost(&mut self, message: &LostMessage) -> String {
        let of_new_process = |halted| message.connected_at > halted;
        let is_of_new = self.halted.is_some_and(of_new_process);
        let (count, when) = match (is_of_new, &message.forgotten) {
            (false, _) => (
                &mut self.effects.lost_from_before,
                "it had taken this message before".to_owned(),
            ),
            (true, Some(recipient)) => (
                &mut self.effects.lost_while_forgotten,
                format!(
                    "it took this message afterwards, when it had forgotten the Session of {recipient}, which had not \
                     subscribed again yet"
                ),
            ),
            (true, None) => (
                &mut self.effects.lost_otherwise,
                "it took this message afterwards".to_owned(),
            ),
        };
        *count += 1;
        format!("{}: {when}", self.text())
    }

    /// Whether it ended the broker's process.
    fn ends_process(&self) -> bool {
        self.action.ends_process()
    }

    /// Whether it has a part in common with the time from `from` to `until`.
    fn touches(&self, from: Instant, until: Instant) -> bool {
        let over = self.until.is_some_and(|over| over + CATCHING_UP < from);
        self.began <= until && !over
    }

    /// Whether it explains such an end.
    fn explains(&self, end: &EndOfConnection) -> bool {
        let is_in_it = self.touches(end.arrived, end.arrived);
        match end.cause {
            EndCause::TimedOut => self.touches(end.arrived - end.answer_max, end.arrived),
            EndCause::PeerClosed(_) if self.ends_process() => {
                self.has_ended(end) || (is_in_it && !end.was_connected)
            }
            EndCause::ServerDisconnect(reason) if self.action == BrokerAction::Restart => {
                self.has_ended(end) && reason != ReasonCode::SessionTakenOver
            }
            EndCause::PeerClosed(_) => is_in_it && self.starves(end.keep_alive),
            EndCause::ServerDisconnect(reason) => {
                reason == ReasonCode::KeepAliveTimeout && is_in_it && self.starves(end.keep_alive)
            }
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::Refused
            | EndCause::RunEnded => false,
        }
    }

    /// Whether the connection was one of the process that it ended.
    fn has_ended(&self, end: &EndOfConnection) -> bool {
        let was_there = self.halted.is_none_or(|halted| end.handed_at <= halted);
        was_there && end.arrived >= self.began
    }

    /// Whether a broker that was paused may take a client with this Keep Alive for silent: what it says at the Keep Alive
    /// lies unread until one and a half of it has passed.
    fn starves(&self, keep_alive: Duration) -> bool {
        let paused = self.until.map(|until| until.saturating_since(self.began));
        self.action == BrokerAction::Pause
            && !keep_alive.is_zero()
            && paused.is_none_or(|paused| paused >= keep_alive / 2)
    }
}

impl BrokerTimes {
    /// A fault does something to the broker, or is over.
    pub(crate) fn handle(&mut self, now: Instant, fact: BrokerFact) {
        match fact {
            BrokerFact::Struck {
                fault,
                number,
                action,
            } => self.times.push(BrokerTime {
                fault,
                number,
                action,
                began: now,
                halted: None,
                until: None,
                effects: BrokerEffects::default(),
            }),
            BrokerFact::Halted => {
                if let Some(last) = self.times.last_mut() {
                    last.halted = Some(now);
                }
            }
            BrokerFact::Back => {
                if let Some(last) = self.times.last_mut() {
                    last.until = Some(now);
                }
            }
            BrokerFact::Lost => {}
        }
    }

    /// The fault that ended a connection with the broker's process, or made its broker or its device give it up; `None` if
    /// none did.
    pub(crate) fn cause_of_end(&mut self, end: &EndOfConnection) -> Option<FaultId> {
        let mut latest = self.times.iter_mut().rev();
        let time = latest.find(|time| time.explains(end))?;
        time.effects.ended += u64::from(end.was_connected);
        time.effects.kept_out += u64::from(!end.was_connected);
        Some(time.fault)
    }

    /// The fault by which a connection was refused at `at`; `None` if none had the broker away then. Without an answer it
    /// was waited for for `waited`.
    pub(crate) fn cause_of_refusal(
        &mut self,
        at: Instant,
        waited: Option<Duration>,
    ) -> Option<FaultId> {
        let from = at - waited.unwrap_or(REFUSED_AT_ONCE);
        let mut latest = self.times.iter_mut().rev();
        let time = latest.find(|time| {
            // A broker that is paused refuses nothing.
            (time.ends_process() || waited.is_some()) && time.touches(from, at)
        })?;
        time.effects.kept_out += 1;
        Some(time.fault)
    }

    /// Whether the broker was away or paused, or caught up with that, at some time from `from` to `until`.
    pub(crate) fn touches(&self, from: Instant, until: Instant) -> bool {
        let mut latest = self.times.iter().rev();
        latest.any(|time| time.touches(from, until))
    }

    /// How long it was away or paused, or caught up with that, from `from` to `until`.
    pub(crate) fn away_between(&self, from: Instant, until: Instant) -> Duration {
        let parts = self.times.iter().filter(|time| time.touches(from, until));
        let lengths = parts.map(|time| {
            let over = time.until.map_or(until, |over| over + CATCHING_UP);
            over.min(until).saturating_since(time.began.max(from))
        });
        lengths.sum()
    }

    /// The first time from `from` to `until` that a fault ended the broker's process: what is missing since may have been
    /// forgotten then.
    pub(crate) fn forgetting(&mut self, from: Instant, until: Instant) -> Option<&mut BrokerTime> {
        let mut ends = self.times.iter_mut().filter(|time| time.ends_process());
        ends.find(|time| {
            let back = time.until.unwrap_or(time.began);
            from <= back && time.began <= until
        })
    }

    /// Whether a fault ended the broker's process at some time from `from` to `until`.
    pub(crate) fn ended_process(&self, from: Instant, until: Instant) -> bool {
        let mut ends = self.times.iter().filter(|time| time.ends_process());
        ends.any(|time| time.touches(from, until))
    }

    /// What came of the time that a fault struck after `number` others, as far as this book counts it; `None` if it did
    /// nothing to the broker.
    pub(crate) fn effects(&self, fault: FaultId, number: u64) -> Option<BrokerEffects> {
        let mut times = self.times.iter();
        let time = times.find(|time| time.fault == fault && time.number == number)?;
        Some(time.effects)
    }
}
