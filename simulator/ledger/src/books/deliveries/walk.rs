//! A walk over what one recipient is still owed, at a moment that ends some of it.

use squall_protocol::{Instant, QoS};

use super::close::RunEnd;
use super::{Deliveries, StreamId};
use crate::books::stream::OpenPledge;
use crate::books::tallies::Excuse;
use crate::books::topics::Recipient;

/// Every QoS.
pub(super) const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// What becomes of an open pledge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// It stays open.
    Stays,
    /// It ends, and this is why.
    Excused(Excuse),
    /// Its message is lost.
    Lost,
}

impl Deliveries {
    /// Asks of each open pledge of a recipient that is owed at one of `levels` what becomes of it at `now`.
    pub(super) fn walk_open(
        &mut self,
        recipient: Recipient,
        levels: &[QoS],
        now: Instant,
        outcome: impl Fn(&Self, StreamId, &OpenPledge) -> Outcome,
    ) {
        for &owed in levels {
            let open = self.open_cursors_mut(recipient);
            let cursors = open.map(|open| open.take_at(owed)).unwrap_or_default();
            for cursor in cursors {
                let id = cursor.stream;
                let open = self.streams[id].open_pledges(cursor.place, owed);
                let ended: Vec<(OpenPledge, Outcome)> = open
                    .map(|open| (open, outcome(self, id, &open)))
                    .filter(|(_, outcome)| *outcome != Outcome::Stays)
                    .collect();
                for (open, outcome) in ended {
                    self.streams[id].end_pledge(&open);
                    self.note_outcome(id, &open, outcome, now);
                }
                if self.streams[id].stays_listed(cursor.place, owed)
                    && let Some(open) = self.open_cursors_mut(recipient)
                {
                    open.list(owed, cursor);
                }
                self.settle(id);
            }
        }
    }

    /// Asks of each pledge of one message that is open what becomes of it at `now`.
    pub(super) fn walk_open_of(
        &mut self,
        id: StreamId,
        sequence: u32,
        now: Instant,
        outcome: impl Fn(&Self, &OpenPledge) -> Outcome,
    ) {
        let open = self.streams[id].open_pledges_of(sequence);
        let outcomes: Vec<(OpenPledge, Outcome)> =
            open.map(|open| (open, outcome(self, &open))).collect();
        for (open, outcome) in outcomes {
            if outcome != Outcome::Stays {
                self.streams[id].end_pledge(&open);
                self.note_outcome(id, &open, outcome, now);
            }
        }
    }

    fn note_outcome(&mut self, id: StreamId, open: &OpenPledge, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Stays => {}
            Outcome::Excused(excuse) => self.excuse(id, open, excuse),
            Outcome::Lost => self.count_lost(id, open, RunEnd::Drained(now)),
        }
    }
}
