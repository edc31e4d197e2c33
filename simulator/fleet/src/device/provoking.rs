//! What a device that has sent a malformed packet hears of the broker: why it closes, and that it does.

use squall_protocol::client::Displaced;
use squall_protocol::packet::{Disconnect, Packet};

use super::Device;
use super::passing::tell_came;
use super::turn::Turn;
use crate::firing::Firing;
use crate::observation::{Fact, Path, ProvocationFact};

/// What is still read of a connection that a malformed packet must end.
#[derive(Debug)]
pub(super) struct Provoked {
    /// `None` once nothing can be read of it.
    reader: Option<Displaced>,
}

impl Device {
    /// Sends a malformed packet over the connection at `place`, which is left to the broker from then on.
    pub(super) fn provoke(&mut self, turn: &mut Turn<'_>, place: usize, firing: Firing) {
        let Some(malformation) = turn.shared.faults.next_malformation(firing.fault) else {
            return;
        };
        let version = self.profile.version;
        let bytes = malformation.encode(version);
        self.send_foreign(turn, place, &bytes);
        let connection = &mut self.connections[place];
        connection.provoked = Some(Box::new(Provoked {
            reader: Some(self.client.displace()),
        }));
        let path = match connection.lanes {
            Some(_) => Path::OverLink,
            None => Path::Direct,
        };
        let Firing { fault, number, .. } = firing;
        let fact = ProvocationFact::Sent {
            fault,
            number,
            malformation,
            version,
            path,
        };
        let socket = connection.socket;
        self.tell(turn, socket, Fact::Provocation(fact));
    }

    /// Bytes came over a connection that was left to the broker.
    pub(super) fn read_provoked(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let who = self.who;
        let connection = &mut self.connections[place];
        let socket = connection.socket;
        let Some(provoked) = &mut connection.provoked else {
            return;
        };
        let mut input = bytes;
        while let Some(reader) = &mut provoked.reader {
            let polled = reader.poll_packet(&mut input);
            tell_came(turn, socket, &polled);
            match polled {
                Ok(Some(Packet::Disconnect(Disconnect { reason, .. }))) => {
                    let fact = ProvocationFact::Told(reason);
                    who.tell(turn, socket, Fact::Provocation(fact));
                    provoked.reader = None;
                }
                // For the device the connection is over.
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) => provoked.reader = None,
            }
        }
    }

    /// The broker closed the connection at `place`, which was left to it.
    pub(super) fn note_provoked_closed(&mut self, turn: &mut Turn<'_>, place: usize) {
        let connection = &mut self.connections[place];
        if connection.provoked.take().is_some() {
            let socket = connection.socket;
            self.tell(turn, socket, Fact::Provocation(ProvocationFact::Closed));
        }
    }
}
