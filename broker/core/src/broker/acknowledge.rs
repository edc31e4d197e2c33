//! PUBACK, PUBREC and PUBCOMP from a client: they advance or end an exchange of ours, and the next
//! message may be sent (§4.3).

use squall_protocol::outbound::Step;
use squall_protocol::packet::{Packet, Puback, Pubcomp, Pubrec, Pubrel};

use super::ending::Ending;
use super::{Broker, Peer, Turn};
use crate::message::Copied;

impl Broker {
    /// Applies a PUBACK, whatever its Reason Code: the message is not sent again (§4.3.2).
    pub(super) fn handle_puback(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        puback: &Puback,
    ) -> Result<(), Ending> {
        let step = self.session_of(peer).handle_puback(puback)?;
        self.take_step(turn, peer, step);
        Ok(())
    }

    /// Applies a PUBREC: PUBREL follows, unless the client refused the message [MQTT-4.3.3-4].
    pub(super) fn handle_pubrec(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        pubrec: &Pubrec,
    ) -> Result<(), Ending> {
        let step = self.session_of(peer).handle_pubrec(pubrec)?;
        self.take_step(turn, peer, step);
        Ok(())
    }

    /// Applies a PUBCOMP: the exchange is over.
    pub(super) fn handle_pubcomp(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        pubcomp: &Pubcomp,
    ) -> Result<(), Ending> {
        let step = self.session_of(peer).handle_pubcomp(pubcomp)?;
        self.take_step(turn, peer, step);
        Ok(())
    }

    fn take_step(&mut self, turn: &mut Turn<'_>, peer: Peer, step: Step<Copied>) {
        match step {
            Step::Finished(_) => {}
            Step::SendPubrel { id, reason } => {
                let pubrel = Packet::Pubrel(Pubrel::new(id, reason));
                self.send(turn, peer.connection, peer.version, &pubrel);
            }
            Step::Ignored => return,
        }
        self.feed(turn, peer.session);
    }
}
