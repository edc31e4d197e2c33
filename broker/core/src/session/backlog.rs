//! What waits in a Session to be sent: its queue, and the retained messages that it asked for.
//!
//! Invariant: once all that waited is sent, there is no backlog, and new messages need not wait.

use squall_protocol::{Instant, QoS};

use super::Session;
use crate::config::QueueLimits;
use crate::message::{Copied, CopyOptions};
use crate::queue::{Pushed, Queue};
use crate::replays::{ReplaySlice, Replays};
use crate::retained::{Found, RetainedStore};

/// Messages that wait for quota, for the socket or for a connection, and retained messages that
/// a subscription asked for.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) queue: Queue,
    pub(super) replays: Replays,
}

/// What a Session's backlog has next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Waiting {
    Queued,
    Replay,
    Nothing,
}

/// What was taken out of a backlog.
#[derive(Debug)]
pub(crate) enum Polled {
    /// This message is to be sent.
    Message(Copied),
    /// A queued message, which expired while it waited.
    Expired,
    /// Nothing, as a replay is over.
    Nothing,
    /// Nothing: what is next waits for an acknowledgement.
    Blocked,
    /// Nothing: the budget is used up.
    Paused,
}

impl Session {
    /// Messages that wait in its queue.
    pub(crate) fn queued(&self) -> usize {
        self.backlog.as_ref().map_or(0, |b| b.queue.len())
    }

    /// Whether a new QoS 1 or QoS 2 message must wait behind others or for the send quota.
    pub(crate) fn holds_back(&self) -> bool {
        self.backlog.is_some() || !self.outbound.can_send()
    }

    /// Whether its queue has room for a message of `bytes` bytes.
    pub(crate) fn has_room_for(&self, bytes: usize, limits: &QueueLimits) -> bool {
        match &self.backlog {
            Some(backlog) => backlog.queue.has_room_for(bytes, limits),
            None => Queue::default().has_room_for(bytes, limits),
        }
    }

    /// Whether retained messages wait, so that everything later must wait behind them.
    pub(crate) fn is_replaying(&self) -> bool {
        self.backlog.as_ref().is_some_and(|b| !b.replays.is_empty())
    }

    /// Queues a message within the limits.
    pub(crate) fn enqueue(&mut self, copied: Copied, limits: &QueueLimits) -> Pushed {
        let backlog = self.backlog.get_or_insert_default();
        backlog.queue.push(copied, limits)
    }

    /// Looks what is next in the backlog, and frees it if it is empty.
    pub(crate) fn poll_waiting(&mut self) -> Waiting {
        let Some(backlog) = &self.backlog else {
            return Waiting::Nothing;
        };
        match backlog.replays.front() {
            Some(replay) if backlog.queue.left() >= replay.behind => Waiting::Replay,
            _ if !backlog.queue.is_empty() => Waiting::Queued,
            Some(_) => Waiting::Replay,
            None => {
                self.backlog = None;
                Waiting::Nothing
            }
        }
    }

    /// Takes the message that waits longest, unless it needs a quota and there is none. One that
    /// has expired needs none.
    pub(crate) fn poll_queued(&mut self, now: Instant) -> Polled {
        let Some(backlog) = &mut self.backlog else {
            return Polled::Nothing;
        };
        let is_due = |copied: &Copied| !copied.message.is_expired(now);
        let needs_quota = |copied: &Copied| copied.options.qos() != QoS::AtMostOnce;
        match backlog.queue.front() {
            Some(copied) if is_due(copied) && needs_quota(copied) && !self.outbound.can_send() => {
                return Polled::Blocked;
            }
            Some(_) | None => {}
        }
        match backlog.queue.pop() {
            Some(copied) if is_due(&copied) => Polled::Message(copied),
            Some(_) => Polled::Expired,
            None => Polled::Nothing,
        }
    }

    /// Takes the next retained message of the first replay, unless it needs a quota and there is
    /// none. The looks at `store` are of `slice`.
    pub(crate) fn poll_retained(
        &mut self,
        store: &RetainedStore,
        now: Instant,
        slice: &mut ReplaySlice,
    ) -> Polled {
        let Some(backlog) = &mut self.backlog else {
            return Polled::Nothing;
        };
        let Some(replay) = backlog.replays.front_mut() else {
            return Polled::Nothing;
        };
        let (topic, message) = match store.find_next(replay, now, &mut slice.budget) {
            Found::Message { topic, message } => (topic, message),
            Found::Paused => return Polled::Paused,
            Found::End => {
                backlog.replays.end_front(slice);
                return Polled::Nothing;
            }
        };
        let qos = message.qos().min(replay.qos);
        if qos != QoS::AtMostOnce && !self.outbound.can_send() {
            return Polled::Blocked;
        }
        replay.advance(topic);
        Polled::Message(Copied {
            message,
            // A new subscription sees that it is a retained message, whatever it asks for otherwise.
            options: CopyOptions::new(qos, true, replay.identifier),
            group: None,
        })
    }

    /// Records that the Session waits for its turn. True if the caller must put it in the line, false
    /// if it stands there already.
    pub(crate) fn wait_for_turn(&mut self) -> bool {
        !std::mem::replace(&mut self.is_unfinished, true)
    }

    /// Records that it is out of the line: its turn has come.
    pub(crate) fn handle_turn(&mut self) {
        self.is_unfinished = false;
    }
}
