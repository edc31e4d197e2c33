//! A Network Connection that lost its Session to a newer one and is only read to its end.

use super::{Client, Journal};
use crate::ProtocolError;
use crate::alias::InboundAliases;
use crate::codec::{DecodeRules, PacketReader};
use crate::packet::Packet;

/// What is left of a connection after [`Client::displace`]: it still takes packets, until the
/// server closes it (in 5.0 with DISCONNECT and Session taken over, §3.1.4), and answers none.
#[derive(Debug)]
pub struct Displaced {
    reader: PacketReader,
    rules: DecodeRules,
    aliases: InboundAliases,
}

impl Displaced {
    /// Takes the next packet from `input`, which is moved on; `None` if `input` is used up. A
    /// PUBLISH has its Topic Name in place of its Topic Alias.
    ///
    /// Errors are final.
    pub fn poll_packet<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Packet<'p>>, ProtocolError> {
        match self.reader.poll_packet(input, &self.rules)? {
            Some(Packet::Publish(mut publish)) => {
                self.aliases.resolve(&mut publish)?;
                Ok(Some(Packet::Publish(publish)))
            }
            other => Ok(other),
        }
    }
}

impl<M, J: Journal<Message = M>> Client<M, J> {
    /// Takes the Session away from the current connection, whose transport stays open, as a
    /// takeover does: like [`Client::connection_lost`], but what comes can still be read.
    pub fn displace(&mut self) -> Displaced {
        let displaced = Displaced {
            reader: std::mem::take(&mut self.reader),
            rules: self.state.link.rules(),
            aliases: std::mem::take(&mut self.state.inbound_aliases),
        };
        self.connection_lost();
        displaced
    }
}
