//! Publishes the will of a connection that ended, when it is due (§3.1.2.5).

use super::{Broker, Turn};
use crate::keys::SessionKey;
use crate::will;

impl Broker {
    /// Publishes the Session's will.
    pub(super) fn publish_will(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if let Some(will) = session.take_will() {
            self.counters.wills_published += 1;
            self.publish(turn, &mut will::to_publish(&will), Some(key));
        }
    }
}
