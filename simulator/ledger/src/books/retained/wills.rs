//! Wills with RETAIN of one topic.

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::ClientKey;

use super::Value;
use crate::books::delay::Delay;

/// Those that may be there.
#[derive(Debug)]
pub(super) struct Wills {
    /// In the order in which their connections ended.
    candidates: Vec<WillCandidate>,
    /// When the broker surely had the last of those that are no longer kept.
    dropped: Option<Instant>,
    /// When the first one of this run was due.
    pub(super) first_at: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct WillCandidate {
    pub(super) value: Value,
    /// Whose connection ended.
    pub(super) client: ClientKey,
    pub(super) socket: SocketId,
    /// When it ended: the will came after that.
    pub(super) at: Instant,
    /// When the broker surely had it retained.
    pub(super) noticed_by: Instant,
    /// When that end had left the device's link.
    pub(super) left_at: Instant,
    /// Whether it must be published.
    pub(super) is_certain: bool,
    /// How long it waits before it is.
    pub(super) delay: Delay,
}

impl Wills {
    /// None yet; the first is due at `first_at`.
    pub(super) fn new(first_at: Instant) -> Self {
        Self {
            candidates: Vec::new(),
            dropped: None,
            first_at,
        }
    }

    /// Adds one. What the broker has surely overwritten by now goes, and beyond `candidates_max` the
    /// oldest.
    pub(super) fn push(&mut self, will: WillCandidate, candidates_max: usize) {
        let now = will.at;
        let certain = self.candidates.iter();
        let overwritten_to = certain
            .filter(|other| other.is_certain && other.noticed_by <= now)
            .map(|other| other.at)
            .max();
        if let Some(to) = overwritten_to {
            self.candidates
                .retain(|other| other.noticed_by > to || other.at == to);
            self.dropped = self.dropped.filter(|&noticed_by| noticed_by > to);
        }
        self.candidates.push(will);
        if self.candidates.len() > candidates_max {
            let dropped = self.candidates.remove(0);
            self.dropped = self.dropped.max(Some(dropped.noticed_by));
        }
    }

    /// CONNECT was sent for the Session: a will that waits for that may never come.
    pub(super) fn note_asked(&mut self, client: ClientKey) {
        for will in &mut self.candidates {
            if will.client == client && matches!(will.delay, Delay::UntilResumed(_)) {
                will.is_certain = false;
            }
        }
    }

    /// The Session is connected again: the connection before was closed by then, and its will
    /// published (§3.1.4), unless that waited for this.
    pub(super) fn note_back(&mut self, client: ClientKey, now: Instant) {
        self.candidates
            .retain(|will| will.client != client || !will.delay.is_cancelled(will.left_at, now));
        for will in &mut self.candidates {
            if will.client == client {
                will.noticed_by = will.noticed_by.min(now);
            }
        }
    }

    /// Those that may be there; `None` if any were dropped to save memory.
    pub(super) fn candidates(&self) -> Option<&[WillCandidate]> {
        self.dropped.is_none().then_some(&self.candidates)
    }
}
