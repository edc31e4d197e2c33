//! What the end of a broker's process has to do with a message that is lost.

use squall_protocol::Instant;

use super::{Deliveries, session};
use crate::books::broker_times::LostMessage;
use crate::books::stream::OpenPledge;
use crate::books::topics::Recipient;

impl Deliveries {
    /// Counts a lost message with the fault that ended the broker's process before it was missed; returns what that had to
    /// do with it. `None` if there was no such fault.
    pub(super) fn note_forgetting(
        &mut self,
        recipient: Recipient,
        open: &OpenPledge,
        missed_at: Instant,
    ) -> Option<String> {
        let record = &open.record;
        // What was sent again is taken on a later connection.
        let taken_from = record.sent_at.max(record.connected_at);
        let since = self.forgotten_since(recipient, taken_from);
        let message = LostMessage {
            connected_at: record.connected_at,
            forgotten: since
                .and_then(|_| self.device_of(recipient))
                .map(|device| self.names.of(device)),
        };
        let since = since.map_or(record.sent_at, |since| since.min(record.sent_at));
        let time = self.broker_times.forgetting(since, missed_at)?;
        Some(time.note_lost(&message))
    }

    /// Since when the broker had forgotten a Session, if it did not know it when a message was taken.
    fn forgotten_since(&self, recipient: Recipient, taken_at: Instant) -> Option<Instant> {
        let Recipient::Session(client) = recipient else {
            return None;
        };
        let (since, until) = session(&self.sessions, client)?.forgotten?;
        let is_in_it = since <= taken_at && until.is_none_or(|until| taken_at <= until);
        is_in_it.then_some(since)
    }
}
