//! Bytes of the wire to bytes of MQTT and back: plain, TLS, WebSocket, and WebSocket over TLS.
//!
//! A [`Transport`] is one end of one Network Connection (§4.2): a client asks with what its target speaks, a server
//! accepts with a [`Listener`], and from then on both are used alike. The caller owns the socket: it hands over
//! what came, and writes what it is given. Deadlines are the caller's too, that of a handshake as well.
//!
//! It reads no clock, socket, file or environment. Two things come from outside all the same, because
//! TLS and WebSocket are not safe without them: unpredictable random numbers of the operating system
//! (keys of TLS, masks of WebSocket frames), and the date, against which certificates are checked; the
//! caller passes it in as a function ([`TlsSettings::wall_clock`]). Neither changes the bytes of MQTT.

mod error;
mod frames;
mod mask;
mod request;
mod request_fault;
mod serving;
mod settings;
mod subject;
mod tls;
mod transport;
mod websocket;

pub use error::{SettingsError, TransportError};
pub use request_fault::RequestFault;
pub use serving::{
    ClientCertificates, Listener, TlsServer, TlsServerSettings, TlsVersions, WebSocketService,
};
pub use settings::{ClientIdentity, TlsClient, TlsSettings, Trust, certificates, private_key};
pub use transport::Transport;
pub use websocket::WebSocketTarget;
