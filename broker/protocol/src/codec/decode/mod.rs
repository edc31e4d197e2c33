//! Turns the body of a packet into its model, and refuses what breaks the specification (§3).
//!
//! Each packet's file also says which properties and Reason Codes it may carry. Every body is
//! read to its last byte: a packet with bytes left over is malformed.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a packet names the properties that it may carry; every other one is refused (§2.2.2.2)"
)]

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod subscribe;

pub(super) use connect::version as connect_version;
pub use subscribe::{next_filters, next_subscriptions};

use super::fields::Fields;
use super::header::FixedHeader;
use crate::packet::{Packet, PacketType, UndecodedFilters};
use crate::{ProtocolError, Version};

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
        PacketType::Subscribe | PacketType::Unsubscribe => {
            let request = request(&mut fields, version)?;
            let rest = fields.take_rest().to_vec();
            let left = rest.len();
            return Ok(Some(with_rest(
                request,
                UndecodedFilters::new(version, rest, left),
            )));
        }
        PacketType::Suback => Packet::Suback(subscribe::suback(&mut fields, version)?),
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

/// Decodes a SUBSCRIBE or UNSUBSCRIBE that came in parts. It keeps the bytes: they are not copied.
pub(super) fn owned_request(
    header: FixedHeader,
    packet: Vec<u8>,
    version: Version,
) -> Polled<'static> {
    let mut fields = Fields::new(header.packet, &packet[header.header_bytes..]);
    let request = request(&mut fields, version)?;
    let left = fields.len();
    let rest = UndecodedFilters::new(version, packet, left);
    Ok(Some(with_rest(request, rest)))
}

fn request(fields: &mut Fields<'_>, version: Version) -> Result<Packet<'static>, ProtocolError> {
    if fields.packet() == PacketType::Subscribe {
        subscribe::subscribe(fields, version).map(Packet::Subscribe)
    } else {
        subscribe::unsubscribe(fields, version).map(Packet::Unsubscribe)
    }
}

fn with_rest(mut request: Packet<'static>, rest: UndecodedFilters) -> Packet<'static> {
    if let Packet::Subscribe(subscribe) = &mut request {
        subscribe.rest = rest;
    } else if let Packet::Unsubscribe(unsubscribe) = &mut request {
        unsubscribe.rest = rest;
    }
    request
}
