//! Later messages that came to a recipient while an earlier one was open.

use std::collections::VecDeque;

use squall_fleet::SocketId;
use squall_protocol::Instant;

use super::Record;

/// A message that came before one that was sent earlier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overtaker {
    /// When it came.
    pub(crate) at: Instant,
    /// When it was handed to the link for the first time: the broker did not have it before.
    pub(crate) sent_at: Instant,
    /// The connection it was handed to.
    pub(crate) socket: SocketId,
}

impl Overtaker {
    /// The message of this record came at `now`.
    pub(super) fn new(record: &Record, now: Instant) -> Self {
        Self {
            at: now,
            sent_at: record.sent_at,
            socket: record.socket,
        }
    }
}

/// What overtook a message that is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overtaken {
    /// What came first of all that was sent later.
    pub(crate) first: Overtaker,
    /// What was sent last of all that came.
    pub(crate) last: Overtaker,
}

/// What overtook the open messages of one recipient that have one QoS.
#[derive(Debug, Default)]
pub(super) struct Overtakers {
    /// Sequences up to which everything open was overtaken, and by what.
    first: VecDeque<(u32, Overtaker)>,
    /// The one of them that was sent last.
    last: Option<Overtaker>,
}

impl Overtakers {
    /// Everything that is open up to `highest` was overtaken; whether some of it was not before. `most` of such are kept.
    pub(super) fn note(&mut self, highest: u32, by: Overtaker, most: usize) -> bool {
        if self.last.is_none_or(|last| last.sent_at < by.sent_at) {
            self.last = Some(by);
        }
        if self.first.back().is_some_and(|&(to, _)| to >= highest) {
            return false;
        }
        self.first.push_back((highest, by));
        if self.first.len() > most {
            // The oldest count as overtaken by what overtook the next.
            self.first.pop_front();
        }
        true
    }

    /// What overtook an open message, if anything did.
    pub(super) fn of(&self, sequence: u32) -> Option<Overtaken> {
        let place = self.first.partition_point(|&(to, _)| to < sequence);
        let &(_, first) = self.first.get(place)?;
        Some(Overtaken {
            first,
            last: self.last?,
        })
    }
}
