//! The server's side of one Network Connection: which packets may come, in what order (§3, §4).
//!
//! A `Connection` knows what CONNECT fixed for the life of the connection and how long it may be
//! silent. What outlives it (`Outbound`, `Inbound`, subscriptions) belongs to the Session, whose
//! owner also decides what CONNACK says. It does no I/O and holds no bytes: `codec::PacketReader`
//! stands beside it and decodes by [`Connection::rules`].
//!
//! Invariants: nothing is accepted after the first error, timeout or DISCONNECT; before CONNACK is
//! sent no packet moves the deadline, so a client that is slow on purpose gains nothing.

use std::time::Duration;

use crate::alias::InboundAliases;
use crate::codec::DecodeRules;
use crate::keep_alive::KeepAlive;
use crate::packet::{
    Auth, Connack, Connect, Disconnect, Packet, PacketType, Puback, Pubcomp, Publish, Pubrec,
    Pubrel, Subscribe, Unsubscribe,
};
use crate::{Instant, ProtocolError, ReasonCode, Version};

/// What the server allows every connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// From the start of the connection to its CONNACK.
    pub connect_timeout: Duration,
    /// Bytes of the largest CONNECT.
    pub connect_size_max: u32,
    /// Bytes of the largest packet after CONNECT, as CONNACK announces it (§3.2.2.3.6).
    pub maximum_packet_size: u32,
    /// Highest Topic Alias that a client may use, as CONNACK announces it (§3.2.2.3.8).
    pub topic_alias_maximum: u16,
}

/// One Network Connection, seen from the server.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Before CONNACK, the connect timeout.
    keep_alive: KeepAlive,
    aliases: InboundAliases,
    connect_size_max: u32,
    maximum_packet_size: u32,
    /// What the client accepts.
    client: ClientLimits,
    /// As CONNECT says, in seconds.
    keep_alive_secs: u16,
    state: State,
    /// `None` before CONNECT.
    version: Option<Version>,
    flags: Flags,
}

/// A packet that the client may send now: none of those that only a server sends.
#[derive(Debug)]
pub enum Admitted<'p, 'a> {
    /// CONNECT: the first packet, and the only one of its kind.
    Connect(&'p mut Connect),
    /// PUBLISH, its Topic Alias resolved.
    Publish(&'p mut Publish<'a>),
    /// PUBACK (§3.4).
    Puback(&'p Puback),
    /// PUBREC (§3.5).
    Pubrec(&'p Pubrec),
    /// PUBREL (§3.6).
    Pubrel(&'p Pubrel),
    /// PUBCOMP (§3.7).
    Pubcomp(&'p Pubcomp),
    /// SUBSCRIBE (§3.8): its filters may be taken out.
    Subscribe(&'p mut Subscribe),
    /// UNSUBSCRIBE (§3.10): its filters may be taken out.
    Unsubscribe(&'p mut Unsubscribe),
    /// PINGREQ (§3.12).
    Pingreq,
    /// DISCONNECT: nothing is accepted after it.
    Disconnect(&'p Disconnect),
    /// AUTH of a client that named an authentication method.
    Auth(&'p Auth),
}

/// What a connection has reached.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// Nothing came yet: CONNECT is due.
    AwaitingConnect,
    /// CONNECT named an authentication method: only AUTH and DISCONNECT may come until CONNACK
    /// [MQTT-3.1.2-30].
    Authenticating,
    /// CONNECT came, CONNACK is due. The client may already send what comes next (§3.1.4).
    Connecting,
    /// CONNACK with Success was sent.
    Connected,
    /// A DISCONNECT, an error or a timeout ended it, or its owner did.
    Closing,
}

/// The time limit that a client exceeded.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TimedOut {
    /// CONNECT, or the end of authentication, did not come within the connect timeout (§3.1.4).
    Connect,
    /// Nothing came for one and a half times the Keep Alive [MQTT-3.1.2-22].
    KeepAlive,
}

/// Limits that the client sets in CONNECT.
#[derive(Clone, Copy, Debug)]
struct ClientLimits {
    maximum_packet_size: u32,
    receive_maximum: u16,
    topic_alias_maximum: u16,
}

/// What CONNECT says that takes one bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    names_authentication_method: bool,
    session_ends_with_connection: bool,
    refuses_problem_information: bool,
}

impl Connection {
    /// A connection that was accepted at `now`.
    pub fn new(now: Instant, settings: &Settings) -> Self {
        Self {
            keep_alive: KeepAlive::within(now, settings.connect_timeout),
            aliases: InboundAliases::new(settings.topic_alias_maximum),
            connect_size_max: settings.connect_size_max,
            maximum_packet_size: settings.maximum_packet_size,
            client: ClientLimits {
                maximum_packet_size: u32::MAX,
                receive_maximum: u16::MAX,
                topic_alias_maximum: 0,
            },
            keep_alive_secs: 0,
            state: State::AwaitingConnect,
            version: None,
            flags: Flags::default(),
        }
    }

    /// A connection that has ended: it accepts nothing and is never due.
    pub fn closed() -> Self {
        let mut closed = Self::new(
            Instant::ZERO,
            &Settings {
                connect_timeout: Duration::ZERO,
                connect_size_max: 0,
                maximum_packet_size: 0,
                topic_alias_maximum: 0,
            },
        );
        closed.state = State::Closing;
        closed
    }

    /// How to decode what comes next. Ask before every packet: CONNECT changes it.
    pub fn rules(&self) -> DecodeRules {
        DecodeRules {
            version: self.version,
            maximum_packet_size: match self.version {
                None => self.connect_size_max,
                Some(_) => self.maximum_packet_size,
            },
        }
    }

    /// Applies a packet from the client; an error if the client may not send it now. A PUBLISH comes
    /// back with its Topic Name in place of its Topic Alias.
    ///
    /// Errors are final: answer with the reason where the version has a way, then close.
    ///
    /// The packet stays where it is: to move it would cost more than all that is done here.
    pub fn handle_packet<'p, 'a: 'p>(
        &'a mut self,
        now: Instant,
        packet: &'p mut Packet<'a>,
    ) -> Result<Admitted<'p, 'a>, ProtocolError> {
        let packet_type = packet.packet_type();
        if let Err(error) = self.check_order(packet_type) {
            self.state = State::Closing;
            return Err(error);
        }
        if self.state == State::Connected {
            self.keep_alive.seen(now);
        }
        let admitted = match packet {
            Packet::Publish(publish) => match check_publish(publish) {
                Ok(()) => {
                    return match self.aliases.resolve(publish) {
                        Ok(()) => Ok(Admitted::Publish(publish)),
                        Err(error) => {
                            self.state = State::Closing;
                            Err(error)
                        }
                    };
                }
                Err(error) => Err(error),
            },
            Packet::Puback(puback) => Ok(Admitted::Puback(puback)),
            Packet::Pubrec(pubrec) => Ok(Admitted::Pubrec(pubrec)),
            Packet::Pubrel(pubrel) => Ok(Admitted::Pubrel(pubrel)),
            Packet::Pubcomp(pubcomp) => Ok(Admitted::Pubcomp(pubcomp)),
            Packet::Subscribe(subscribe) => Ok(Admitted::Subscribe(subscribe)),
            Packet::Unsubscribe(unsubscribe) => Ok(Admitted::Unsubscribe(unsubscribe)),
            Packet::Pingreq => Ok(Admitted::Pingreq),
            Packet::Connect(connect) => {
                self.handle_connect(connect);
                Ok(Admitted::Connect(connect))
            }
            Packet::Disconnect(disconnect) => self
                .handle_disconnect(disconnect)
                .map(|()| Admitted::Disconnect(disconnect)),
            Packet::Auth(auth) => self.check_auth(auth).map(|()| Admitted::Auth(auth)),
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                Err(ProtocolError::NotFromClient {
                    packet: packet_type,
                })
            }
        };
        if admitted.is_err() {
            self.state = State::Closing;
        }
        admitted
    }

    /// Records that `bytes` bytes of a packet came that is not whole. They extend the time for Keep
    /// Alive in proportion to their number
    /// ([`PROGRESS_BYTES_PER_SECOND`](crate::keep_alive::PROGRESS_BYTES_PER_SECOND)).
    pub fn handle_partial(&mut self, now: Instant, bytes: usize) {
        if self.state == State::Connected {
            self.keep_alive.progressed(now, bytes);
        }
    }

    /// Records that CONNACK with Success is sent: from here Keep Alive counts, the client's or
    /// the one that CONNACK sets in its place [MQTT-3.2.2-21].
    pub fn accept(&mut self, now: Instant, connack: &Connack) {
        let server_keep_alive = connack.properties.server_keep_alive;
        self.keep_alive = KeepAlive::new(now, server_keep_alive.unwrap_or(self.keep_alive_secs));
        self.state = State::Connected;
    }

    /// Records that the owner ends the connection: nothing more is accepted.
    pub fn close(&mut self) {
        self.state = State::Closing;
    }

    /// When [`Self::handle_timeout`] must be called; later packets may have moved it by then.
    /// `None` for never.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Closing => None,
            State::AwaitingConnect
            | State::Authenticating
            | State::Connecting
            | State::Connected => self.keep_alive.deadline(),
        }
    }

    /// The time limit that has passed by `now`, if any: the connection must be closed.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<TimedOut> {
        self.deadline().filter(|&deadline| deadline <= now)?;
        let was = std::mem::replace(&mut self.state, State::Closing);
        match was {
            State::AwaitingConnect | State::Authenticating | State::Connecting => {
                Some(TimedOut::Connect)
            }
            State::Connected => Some(TimedOut::KeepAlive),
            State::Closing => None,
        }
    }

    /// What the connection has reached.
    pub fn state(&self) -> State {
        self.state
    }

    /// The version that CONNECT chose.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether a packet of `bytes` bytes may be sent to the client [MQTT-3.1.2-24].
    pub fn allows_packet_of(&self, bytes: usize) -> bool {
        u32::try_from(bytes).is_ok_and(|bytes| bytes <= self.client.maximum_packet_size)
    }

    /// How many QoS 1 and QoS 2 messages the client takes at once: 1 to 65,535 (§3.1.2.11.3).
    pub fn receive_maximum(&self) -> u16 {
        self.client.receive_maximum
    }

    /// Highest Topic Alias that the client takes; 0 for none (§3.1.2.11.5).
    pub fn topic_alias_maximum(&self) -> u16 {
        self.client.topic_alias_maximum
    }

    /// Whether Reason Strings and User Properties may be sent with packets other than PUBLISH,
    /// CONNACK and DISCONNECT [MQTT-3.1.2-29].
    pub fn sends_problem_information(&self) -> bool {
        !self.flags.refuses_problem_information
    }

    fn handle_connect(&mut self, connect: &Connect) {
        let properties = &connect.properties;
        self.version = Some(connect.version);
        self.keep_alive_secs = connect.keep_alive;
        self.client = ClientLimits {
            maximum_packet_size: properties.maximum_packet_size.unwrap_or(u32::MAX),
            receive_maximum: properties.receive_maximum.unwrap_or(u16::MAX),
            topic_alias_maximum: properties.topic_alias_maximum.unwrap_or(0),
        };
        self.flags = Flags {
            names_authentication_method: properties.authentication_method.is_some(),
            session_ends_with_connection: properties.session_expiry_interval.unwrap_or(0) == 0,
            refuses_problem_information: properties.request_problem_information == Some(false),
        };
        self.state = if self.flags.names_authentication_method {
            State::Authenticating
        } else {
            State::Connecting
        };
    }

    /// Whether a packet of this type may come now.
    fn check_order(&self, packet: PacketType) -> Result<(), ProtocolError> {
        match (self.state, packet) {
            (State::AwaitingConnect, PacketType::Connect) => Ok(()),
            (State::AwaitingConnect, packet) => Err(ProtocolError::ConnectExpected { packet }),
            (State::Closing, packet) => Err(ProtocolError::AfterDisconnect { packet }),
            (_, PacketType::Connect) => Err(ProtocolError::SecondConnect),
            (State::Authenticating, PacketType::Auth | PacketType::Disconnect) => Ok(()),
            (State::Authenticating, packet) => Err(ProtocolError::DuringAuthentication { packet }),
            (State::Connecting | State::Connected, _) => Ok(()),
        }
    }

    fn handle_disconnect(&mut self, disconnect: &Disconnect) -> Result<(), ProtocolError> {
        self.state = State::Closing;
        self.check_disconnect(disconnect)
    }

    fn check_disconnect(&self, disconnect: &Disconnect) -> Result<(), ProtocolError> {
        let properties = &disconnect.properties;
        if self.flags.session_ends_with_connection
            && let Some(seconds @ 1..) = properties.session_expiry_interval
        {
            return Err(ProtocolError::SessionExpiryFromZero { seconds });
        }
        Ok(())
    }

    fn check_auth(&self, auth: &Auth) -> Result<(), ProtocolError> {
        if !self.flags.names_authentication_method {
            return Err(ProtocolError::AuthWithoutMethod);
        }
        match (self.state, auth.reason) {
            (State::Authenticating, ReasonCode::ContinueAuthentication)
            | (State::Connected, ReasonCode::ContinueAuthentication | ReasonCode::ReAuthenticate) => {
                Ok(())
            }
            (_, reason) => Err(ProtocolError::AuthReason { reason }),
        }
    }
}

fn check_publish(publish: &Publish<'_>) -> Result<(), ProtocolError> {
    if publish.properties.subscription_identifiers.is_empty() {
        Ok(())
    } else {
        Err(ProtocolError::SubscriptionIdentifierFromClient)
    }
}
