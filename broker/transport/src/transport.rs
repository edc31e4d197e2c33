//! One end's layers between the socket and MQTT.

use crate::error::{SettingsError, TransportError};
use crate::serving::Listener;
use crate::settings::TlsClient;
use crate::tls::Tls;
use crate::websocket::{WebSocket, WebSocketTarget};

/// The first byte of a TLS alert and of a TLS handshake record (RFC 8446, section 5.1). As the first
/// byte of an MQTT packet neither end may send one of them.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// One end of one connection.
///
/// Each call may queue bytes for the other end: write what [`Self::take_wire`] appends, also after an
/// error, which it tells the other end.
#[derive(Debug)]
pub struct Transport {
    tls: Option<Box<Tls>>,
    web_socket: Option<Box<WebSocket>>,
    first_byte: FirstByte,
}

/// Whether the other end has said anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FirstByte {
    Awaited,
    Seen,
}

impl Transport {
    /// MQTT straight on TCP.
    pub fn plain() -> Self {
        Self {
            tls: None,
            web_socket: None,
            first_byte: FirstByte::Awaited,
        }
    }

    /// MQTT on TLS. The certificate must be for `server_name`, which the ClientHello names (SNI) unless
    /// it is an address.
    ///
    /// Errors if that is neither a DNS name nor an address.
    pub fn tls(client: &TlsClient, server_name: &str) -> Result<Self, SettingsError> {
        let tls = Tls::new(client, server_name)?;
        Ok(Self {
            tls: Some(Box::new(tls)),
            ..Self::plain()
        })
    }

    /// The same with a WebSocket on top, whose request is the first thing that is sent.
    ///
    /// Errors if host and path make no address.
    pub fn with_web_socket(self, target: &WebSocketTarget) -> Result<Self, SettingsError> {
        let web_socket = WebSocket::ask(target)?;
        Ok(Self {
            web_socket: Some(Box::new(web_socket)),
            ..self
        })
    }

    /// The server's end of a connection that was accepted: waits for what the listener speaks.
    pub fn accept(listener: &Listener) -> Self {
        let Listener { tls, web_socket } = listener;
        Self {
            tls: tls.as_ref().map(|tls| Box::new(Tls::accept(tls))),
            web_socket: web_socket
                .as_ref()
                .map(|service| Box::new(WebSocket::accept(service))),
            first_byte: FirstByte::Awaited,
        }
    }

    /// The Common Name in the subject of the certificate that the other end has shown; a server knows it from the end
    /// of the handshakes on. `None` without one.
    pub fn peer_name(&self) -> Option<String> {
        self.tls.as_ref()?.peer_name()
    }

    /// Whether bytes of MQTT can be sent: all handshakes are over.
    pub fn is_ready(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_ready())
            && self.web_socket.as_ref().is_none_or(|ws| ws.is_ready())
    }

    /// Whether the other end said that it sends nothing after this. TCP says it by the end of its stream.
    pub fn has_ended(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_ended())
            || self.web_socket.as_ref().is_some_and(|ws| ws.has_ended())
    }

    /// Takes what came from the socket and appends the bytes of MQTT in it to `app`. Any split of the
    /// same bytes gives the same.
    ///
    /// Errors if the other end cannot be trusted, or breaks the rules of a layer.
    pub fn feed(&mut self, wire: &[u8], app: &mut Vec<u8>) -> Result<(), TransportError> {
        self.look_for_tls(wire)?;
        match (&mut self.tls, &mut self.web_socket) {
            (None, None) => app.extend_from_slice(wire),
            (Some(tls), None) => tls.feed(wire, app)?,
            (None, Some(web_socket)) => web_socket.feed(wire, app)?,
            (Some(tls), Some(web_socket)) => {
                // Not kept: most connections are idle most of the time.
                let mut between = Vec::new();
                let decrypted = tls.feed(wire, &mut between);
                let unpacked = web_socket.feed(&between, app);
                // What came whole before a fault of TLS is still told.
                unpacked.and(decrypted)?;
            }
        }
        Ok(())
    }

    /// Tells that the other end closed the stream.
    ///
    /// Errors if it did so before the handshakes were over, or before it said anything.
    pub fn feed_end(&self) -> Result<(), TransportError> {
        let in_tls = self.tls.as_ref().is_some_and(|tls| !tls.is_ready());
        match (in_tls, self.is_ready()) {
            (true, _) => Err(TransportError::ClosedInTlsHandshake),
            (false, false) => Err(TransportError::ClosedInWebSocketHandshake),
            (false, true) => match self.first_byte {
                FirstByte::Awaited => Err(TransportError::ClosedWithoutAWord),
                FirstByte::Seen => Ok(()),
            },
        }
    }

    /// Appends to `wire` what the socket is to be sent for `app`, after what was queued before.
    ///
    /// Errors if the connection is closed, or not ready yet ([`Self::is_ready`]).
    pub fn wrap(&mut self, app: &[u8], wire: &mut Vec<u8>) -> Result<(), TransportError> {
        if !self.is_ready() {
            return Err(TransportError::Closed);
        }
        self.take_wire(wire);
        match (&mut self.tls, &mut self.web_socket) {
            (None, None) => wire.extend_from_slice(app),
            (Some(tls), None) => tls.wrap(app, wire),
            (None, Some(web_socket)) => web_socket.wrap(app, wire)?,
            (Some(tls), Some(web_socket)) => {
                let mut between = Vec::new();
                web_socket.wrap(app, &mut between)?;
                tls.wrap(&between, wire);
            }
        }
        Ok(())
    }

    /// Appends to `wire` what the layers themselves have to say: handshakes, alerts, answers to pings.
    pub fn take_wire(&mut self, wire: &mut Vec<u8>) {
        match (&mut self.tls, &mut self.web_socket) {
            (None, None) => {}
            (Some(tls), None) => tls.take_wire(wire),
            (None, Some(web_socket)) => web_socket.take_wire(wire),
            (Some(tls), Some(web_socket)) => {
                if tls.is_ready() {
                    let mut between = Vec::new();
                    web_socket.take_wire(&mut between);
                    tls.wrap(&between, wire);
                }
                tls.take_wire(wire);
            }
        }
    }

    /// Appends to `wire` the goodbyes of the layers; after it only the end of the stream is sent.
    pub fn close(&mut self, wire: &mut Vec<u8>) {
        if let Some(web_socket) = &mut self.web_socket {
            web_socket.close();
        }
        self.take_wire(wire);
        if let Some(tls) = &mut self.tls {
            tls.close();
            tls.take_wire(wire);
        }
    }

    /// A TLS record where none was asked for says which port this is.
    fn look_for_tls(&mut self, wire: &[u8]) -> Result<(), TransportError> {
        let Some(first) = wire.first() else {
            return Ok(());
        };
        let seen = std::mem::replace(&mut self.first_byte, FirstByte::Seen);
        match self.tls.is_none() && seen == FirstByte::Awaited && TLS_RECORDS.contains(first) {
            true => Err(TransportError::TlsUnasked),
            false => Ok(()),
        }
    }
}
