//! The fifteen control packets (§3) as plain data, one model for MQTT 3.1.1 and 5.0.
//!
//! PUBLISH borrows from the bytes it was decoded from, because it is the packet that comes in
//! millions; all others own their fields. What 3.1.1 cannot say (properties, most Reason Codes)
//! has a default that decoding fills in and that encoding leaves out. The codec checks what a
//! single packet can show; the roles in `client` and `server` check what depends on state.

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod packet_type;
mod publish;
mod subscribe;

pub use acknowledgement::{AckProperties, Puback, Pubcomp, Pubrec, Pubrel};
pub use auth::{Auth, AuthProperties};
pub use connack::{Connack, ConnackProperties};
pub use connect::{Connect, ConnectProperties, Will, WillProperties};
pub use disconnect::{Disconnect, DisconnectProperties};
pub use packet_type::PacketType;
pub use publish::{Publish, PublishProperties};
pub use subscribe::{
    InvalidFilter, RequestedFilter, RetainHandling, Suback, Subscribe, SubscribeProperties,
    Subscription, SubscriptionIdentifier, SubscriptionOptions, UndecodedFilters, Unsuback,
    Unsubscribe,
};

/// Name and value pairs in the order of the packet (§2.2.2.2, user property).
pub type UserProperties = Vec<(String, String)>;

/// Any control packet (§2.1.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Packet<'a> {
    /// CONNECT, client to server (§3.1). Boxed: it is rare and large.
    Connect(Box<Connect>),
    /// CONNACK, server to client (§3.2). Boxed: it is rare and large.
    Connack(Box<Connack>),
    /// PUBLISH, both ways (§3.3).
    Publish(Publish<'a>),
    /// PUBACK, both ways (§3.4).
    Puback(Puback),
    /// PUBREC, both ways (§3.5).
    Pubrec(Pubrec),
    /// PUBREL, both ways (§3.6).
    Pubrel(Pubrel),
    /// PUBCOMP, both ways (§3.7).
    Pubcomp(Pubcomp),
    /// SUBSCRIBE, client to server (§3.8).
    Subscribe(Subscribe),
    /// SUBACK, server to client (§3.9).
    Suback(Suback),
    /// UNSUBSCRIBE, client to server (§3.10).
    Unsubscribe(Unsubscribe),
    /// UNSUBACK, server to client (§3.11).
    Unsuback(Unsuback),
    /// PINGREQ, client to server (§3.12).
    Pingreq,
    /// PINGRESP, server to client (§3.13).
    Pingresp,
    /// DISCONNECT: client to server, and in 5.0 server to client (§3.14).
    Disconnect(Disconnect),
    /// AUTH, both ways, 5.0 only (§3.15).
    Auth(Auth),
}

impl Packet<'_> {
    /// What kind of packet it is.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}
