//! What a shared subscription was owed because of a member that the broker knew to be gone.
//!
//! A link, or a generator that stands still, may keep the end of a connection from its device for long. Where the Session went
//! with it, the broker had no such member any longer, and what it got then was for the others: for none if there were none.

use std::time::Duration;

use squall_protocol::Instant;

use super::Deliveries;
use super::sessions::Ending;
use super::walk::{LEVELS, Outcome};
use crate::books::event::Event;
use crate::books::tallies::Excuse;
use crate::books::topics::{FilterKey, Recipient};

/// An end that is heard of within this is heard of at once: what is owed is not walked for it.
const AT_ONCE: Duration = Duration::from_millis(10);

impl Deliveries {
    /// The last connection of a Session that ends with it is over: excuses what its shared subscriptions were owed since the
    /// broker may have known of that, and before any other member was surely there.
    pub(super) fn excuse_unfounded(
        &mut self,
        event: &Event,
        filters: &[FilterKey],
        ending: &Ending,
    ) {
        if event.now.saturating_since(ending.earliest) <= AT_ONCE {
            return;
        }
        for &filter in filters {
            let share = self.shares.get(&filter);
            // Without any other, all is excused.
            if let Some(until) = share.and_then(|share| share.active_since(&self.sessions, filter))
            {
                self.excuse_share_between(filter, ending.earliest, until);
            }
        }
    }

    /// Excuses what a shared subscription is owed of what was sent from `from` on, and before `until`.
    fn excuse_share_between(&mut self, filter: FilterKey, from: Instant, until: Instant) {
        self.walk_open(
            Recipient::Share(filter),
            &LEVELS,
            until,
            |_, _, open| match from <= open.record.sent_at && open.record.sent_at < until {
                true => Outcome::Excused(Excuse::SessionEnded),
                false => Outcome::Stays,
            },
        );
    }
}
