//! Turns the body of a packet into its model, and refuses what breaks the specification (§3).
//!
//! Each packet's file also says which properties and Reason Codes it may carry. Every body is
//! read to its last byte: a packet with bytes left over is malformed.

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod subscribe;

pub(super) use connect::version as connect_version;

use super::fields::Fields;
use super::header::FixedHeader;
use crate::packet::{Packet, PacketType};
use crate::{ProtocolError, ReasonCode, Version};

/// What polling a reader gives. All of decoding returns it, although `None` is the reader's: so a
/// packet, which is large, is written once to where the caller wants it.
pub(super) type Polled<'a> = Result<Option<Packet<'a>>, ProtocolError>;

/// Decodes a packet whose fixed header was accepted. `version` is the connection's; CONNECT does
/// not need it.
#[inline]
pub(super) fn packet<'a>(
    header: FixedHeader,
    body: &'a [u8],
    version: Option<Version>,
) -> Polled<'a> {
    let packet = header.packet;
    let fields = Fields::new(packet, body);
    if packet == PacketType::Connect {
        let connect = Box::new(connect::decode(fields)?);
        return Ok(Some(Packet::Connect(connect)));
    }
    let Some(version) = version else {
        return Err(ProtocolError::ConnectExpected { packet });
    };
    if packet == PacketType::Publish {
        return publish::decode(fields, header.flags, version);
    }
    other_packet(fields, version)
}

/// Everything but CONNECT and PUBLISH.
fn other_packet(mut fields: Fields<'_>, version: Version) -> Polled<'static> {
    let packet = match fields.packet() {
        PacketType::Connack => Packet::Connack(Box::new(connack::decode(&mut fields, version)?)),
        PacketType::Puback => Packet::Puback(acknowledgement::puback(&mut fields, version)?),
        PacketType::Pubrec => Packet::Pubrec(acknowledgement::pubrec(&mut fields, version)?),
        PacketType::Pubrel => Packet::Pubrel(acknowledgement::pubrel(&mut fields, version)?),
        PacketType::Pubcomp => Packet::Pubcomp(acknowledgement::pubcomp(&mut fields, version)?),
        PacketType::Subscribe => Packet::Subscribe(subscribe::subscribe(&mut fields, version)?),
        PacketType::Suback => Packet::Suback(subscribe::suback(&mut fields, version)?),
        PacketType::Unsubscribe => {
            Packet::Unsubscribe(subscribe::unsubscribe(&mut fields, version)?)
        }
        PacketType::Unsuback => Packet::Unsuback(subscribe::unsuback(&mut fields, version)?),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(disconnect::decode(&mut fields, version)?),
        PacketType::Auth => Packet::Auth(auth::decode(&mut fields)?),
        PacketType::Connect | PacketType::Publish => unreachable!("decoded by `packet`"),
    };
    fields.finish()?;
    Ok(Some(packet))
}

/// A Reason Code out of those that the packet may carry.
fn reason_code(
    fields: &mut Fields<'_>,
    is_allowed: fn(ReasonCode) -> bool,
) -> Result<ReasonCode, ProtocolError> {
    let code = fields.u8()?;
    match ReasonCode::from_byte(code) {
        Some(reason) if is_allowed(reason) => Ok(reason),
        Some(_) | None => Err(ProtocolError::ReasonCodeNotAllowed {
            packet: fields.packet(),
            code,
        }),
    }
}
