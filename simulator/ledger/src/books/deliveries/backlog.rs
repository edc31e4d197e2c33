//! What was owed to Sessions while no connection held them, and whether it came once one did (§4.1).

use squall_protocol::QoS;
use squall_scenario::ClientKey;

use super::case::{Case, Wait};
use super::{Deliveries, session};
use crate::books::stream::OpenPledge;
use crate::books::topics::Recipient;

/// What waited for Sessions that were away, at QoS 1 and 2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct BacklogCounts {
    /// Messages that came after their Session was connected again.
    pub(crate) came: u64,
    /// Messages that never did, without an excuse.
    pub(crate) lost: u64,
    /// Messages that could come still when the run ended.
    pub(crate) coming: u64,
    /// Messages that did not come, of which it is not known whether the broker had lost them.
    pub(crate) late: u64,
}

impl Deliveries {
    /// What waited for Sessions that were away.
    pub(crate) fn backlog(&self) -> BacklogCounts {
        self.backlog
    }

    /// A message that was owed came, and had perhaps waited while its Session was away.
    pub(super) fn note_waited(&mut self, case: &Case<'_>, owed: QoS) {
        let Some(sent_at) = case.sent_at.filter(|_| case.wait == Wait::Offline) else {
            return;
        };
        let session = self.sessions.get_mut(case.event.client.0 as usize);
        let Some(session) = session.and_then(Option::as_mut) else {
            return;
        };
        if owed > QoS::AtMostOnce && session.was_away_at(sent_at) {
            self.backlog.came += 1;
        }
        if let Some(away) = session.away.as_mut().filter(|away| sent_at >= away.from) {
            away.came += 1;
        }
    }

    /// Whether a pledge that is open at the end was made while its Session was away.
    pub(super) fn has_waited(&self, recipient: Recipient, open: &OpenPledge) -> bool {
        let was_away = |client: ClientKey| {
            session(&self.sessions, client)
                .is_some_and(|session| session.was_away_at(open.record.sent_at))
        };
        match recipient {
            Recipient::Session(client) => open.owed > QoS::AtMostOnce && was_away(client),
            Recipient::Share(_) => false,
        }
    }
}
