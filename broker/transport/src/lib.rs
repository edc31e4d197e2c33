//! Bytes of the wire to bytes of MQTT and back: plain, TLS, WebSocket, and WebSocket over TLS.
//!
//! A [`Transport`] belongs to one Network Connection (§4.2). The caller owns the socket: it hands over
//! what came, and writes what it is given. Deadlines are the caller's too.
//!
//! It reads no clock, socket, file or environment. Two things come from outside all the same, because
//! TLS and WebSocket are not safe without them: unpredictable random numbers of the operating system
//! (keys of TLS, masks of WebSocket frames), and the date, against which certificates are checked; the
//! caller passes it in as a function ([`TlsSettings::wall_clock`]). Neither changes the bytes of MQTT.

mod error;
mod settings;
mod tls;
mod transport;
mod websocket;

pub use error::{SettingsError, TransportError};
pub use settings::{ClientIdentity, TlsClient, TlsSettings, Trust, certificates, private_key};
pub use transport::Transport;
pub use websocket::WebSocketTarget;
