//! What a server speaks at one of its ports: checked once, then shared by all the connections that it accepts.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::error::SettingsError;
use crate::settings::WallClock;

/// What a server speaks between TCP and MQTT. A clone is cheap.
///
/// A connection takes it when it is accepted ([`crate::Transport::accept`]) and keeps it: a server that makes a new
/// one, with a renewed certificate, uses it for the connections that come from then on.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// TLS, if it is spoken.
    pub tls: Option<TlsServer>,
    /// WebSocket, if it is spoken.
    pub web_socket: Option<Arc<WebSocketService>>,
}

/// What a server takes for a WebSocket of MQTT.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebSocketService {
    /// The paths at which it is served, with their slash: `/mqtt`. A query after them is not looked at.
    pub paths: Vec<String>,
    /// The longest frame in bytes, without its header. Frames need not begin with packets: this limits neither the
    /// memory of a connection nor its packets.
    pub frame_bytes_max: usize,
}

/// Whose certificates a server asks its clients for.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    /// None.
    Unasked,
    /// One that one of these CAs has signed; a client that shows none is accepted too.
    Welcome(Vec<CertificateDer<'static>>),
    /// One that one of these CAs has signed.
    Required(Vec<CertificateDer<'static>>),
}

/// Which versions of TLS a server speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    All,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

impl TlsVersions {
    fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        const ALL: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
        const ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
        const ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];
        match self {
            Self::All => ALL,
            Self::Only12 => ONLY_12,
            Self::Only13 => ONLY_13,
        }
    }
}

/// How a server speaks TLS.
#[derive(Debug)]
pub struct TlsServerSettings {
    /// The server's certificate first, then those that lead to its CA.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
    /// What clients have to show.
    pub clients: ClientCertificates,
    /// Which versions are spoken.
    pub versions: TlsVersions,
    /// Time since the Unix epoch, against which certificates are checked.
    pub wall_clock: fn() -> Duration,
}

/// Settings that were checked. A clone is cheap, and shares the sessions that TLS may resume.
#[derive(Clone, Debug)]
pub struct TlsServer {
    pub(crate) config: Arc<ServerConfig>,
}

impl TlsServer {
    /// Checks the settings.
    ///
    /// Errors if a CA certificate cannot be read, or if the server's certificate and key do not belong together.
    pub fn new(settings: TlsServerSettings) -> Result<Self, SettingsError> {
        let TlsServerSettings {
            certificates,
            key,
            clients,
            versions,
            wall_clock,
        } = settings;
        let provider = Arc::new(ring::default_provider());
        let clock = Arc::new(WallClock(wall_clock));
        let verifier = verifier(clients, &provider)?;
        let config = ServerConfig::builder_with_details(provider, clock)
            .with_protocol_versions(versions.supported())
            .expect("ring has the ciphers of TLS 1.2 and 1.3")
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates, key);
        let config = config.map_err(|error| SettingsError::ServerIdentity {
            fault: error.to_string(),
        })?;
        Ok(Self {
            config: Arc::new(config),
        })
    }
}

fn verifier(
    clients: ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, SettingsError> {
    let refused = |fault: String| SettingsError::Ca { fault };
    let of_roots = |certificates: Vec<CertificateDer<'static>>| {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(certificate);
            added.map_err(|error| refused(error.to_string()))?;
        }
        let provider = Arc::clone(provider);
        Ok(WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            provider,
        ))
    };
    let builder = match clients {
        ClientCertificates::Unasked => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Welcome(cas) => of_roots(cas)?.allow_unauthenticated(),
        ClientCertificates::Required(cas) => of_roots(cas)?,
    };
    builder.build().map_err(|error| refused(error.to_string()))
}
