//! One end of a TLS connection, on buffers in memory.

use std::io::{self, Read as _, Write as _};

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection, Connection, Error, ServerConnection};

use crate::error::{SettingsError, TransportError};
use crate::serving::TlsServer;
use crate::settings::TlsClient;
use crate::subject::common_name;

/// One connection's keys and what it holds of records that are not whole.
#[derive(Debug)]
pub(crate) struct Tls {
    connection: Connection,
    has_ended: bool,
}

impl Tls {
    /// The client's end: queues the ClientHello, which names `server_name` unless that is an address.
    pub(crate) fn new(client: &TlsClient, server_name: &str) -> Result<Self, SettingsError> {
        let name = ServerName::try_from(server_name.to_owned());
        let name = name.map_err(|_| SettingsError::ServerName {
            name: server_name.to_owned(),
        })?;
        let connection = ClientConnection::new(client.config.clone(), name)
            .expect("the configuration was checked when it was made");
        Ok(Self::of(connection.into()))
    }

    /// The server's end: waits for a ClientHello.
    pub(crate) fn accept(server: &TlsServer) -> Self {
        let connection = ServerConnection::new(server.config.clone())
            .expect("the configuration was checked when it was made");
        Self::of(connection.into())
    }

    fn of(connection: Connection) -> Self {
        Self {
            connection,
            has_ended: false,
        }
    }

    /// The Common Name in the certificate that the other end has shown.
    pub(crate) fn peer_name(&self) -> Option<String> {
        common_name(self.connection.peer_certificates()?.first()?)
    }

    /// Whether the handshake is over.
    pub(crate) fn is_ready(&self) -> bool {
        !self.connection.is_handshaking()
    }

    /// Whether the other end said that it sends nothing after this.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Takes what came and appends what it says to `plain`.
    pub(crate) fn feed(
        &mut self,
        mut wire: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        while !wire.is_empty() && !self.has_ended {
            let in_handshake = self.connection.is_handshaking();
            self.connection
                .read_tls(&mut wire)
                .map_err(|error| failed(&error.to_string()))?;
            let state = self.connection.process_new_packets();
            let state = state.map_err(|error| why(&error, in_handshake))?;
            let before = plain.len();
            plain.resize(before + state.plaintext_bytes_to_read(), 0);
            self.connection
                .reader()
                .read_exact(&mut plain[before..])
                .expect("the bytes were counted");
            self.has_ended = state.peer_has_closed();
        }
        // The library keeps a buffer for the longest record that came until it reads again: now, and nothing.
        let _ = self.connection.read_tls(&mut Nothing);
        Ok(())
    }

    /// Encrypts `plain` and appends the records to `wire`.
    pub(crate) fn wrap(&mut self, mut plain: &[u8], wire: &mut Vec<u8>) {
        while !plain.is_empty() {
            let count = self.connection.writer().write(plain);
            plain = &plain[count.expect("memory takes every byte")..];
            self.take_wire(wire);
        }
    }

    /// Appends what the connection itself has to say: handshake, alerts.
    pub(crate) fn take_wire(&mut self, wire: &mut Vec<u8>) {
        while self.connection.wants_write() {
            let written: io::Result<usize> = self.connection.write_tls(wire);
            written.expect("memory takes every byte");
        }
    }

    /// Queues the notice that nothing follows.
    pub(crate) fn close(&mut self) {
        self.connection.send_close_notify();
    }
}

/// Has no bytes now, and may have some later.
struct Nothing;

impl io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// The case of an error of the TLS library.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums are another crate's and grow"
)]
fn why(error: &Error, in_handshake: bool) -> TransportError {
    match error {
        Error::InvalidCertificate(fault) => match fault {
            CertificateError::UnknownIssuer => TransportError::UnknownCa,
            // The second one if the CA here has a key of another kind.
            CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                TransportError::WrongSignature
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TransportError::CertificateExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TransportError::CertificateNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TransportError::WrongHostName
            }
            // The library has no name for it outside of the text.
            other if other.to_string().contains("CaUsedAsEndEntity") => {
                TransportError::CertificateOfCa
            }
            other => TransportError::CertificateRefused {
                fault: other.to_string(),
            },
        },
        Error::NoCertificatesPresented => TransportError::NoCertificate,
        Error::AlertReceived(alert) => TransportError::Alert {
            name: format!("{alert:?}"),
            number: u8::from(*alert),
        },
        Error::InvalidMessage(_) if in_handshake => TransportError::NotTls,
        other => failed(&other.to_string()),
    }
}

fn failed(fault: &str) -> TransportError {
    let fault = fault.to_owned();
    TransportError::Tls { fault }
}
