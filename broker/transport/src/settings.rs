//! What a client of TLS trusts and shows: checked once, then shared by all its connections.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore,
    SignatureScheme, SupportedProtocolVersion,
};

use crate::error::SettingsError;

/// The versions that are offered.
const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Sessions that are remembered for a client which one device is: it talks to one server.
const SESSIONS_OF_ONE: usize = 1;

/// Whose certificates are accepted.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that one of these CAs has signed, for the name that was asked for, within their time.
    Ca(Vec<CertificateDer<'static>>),
    /// Any: encrypted, but with an end that may be anyone.
    Anyone,
}

/// What a client shows when the server asks for a certificate.
#[derive(Debug)]
pub struct ClientIdentity {
    /// The client's certificate first, then those that lead to its CA.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

/// How a client speaks TLS.
#[derive(Debug)]
pub struct TlsSettings {
    /// Whose certificates are accepted.
    pub trust: Trust,
    /// What the client shows, if it has something to show.
    pub identity: Option<ClientIdentity>,
    /// Time since the Unix epoch, against which certificates are checked.
    pub wall_clock: fn() -> Duration,
}

/// Settings that were checked. A clone is cheap, and shares the sessions that TLS may resume.
#[derive(Clone, Debug)]
pub struct TlsClient {
    pub(crate) config: Arc<ClientConfig>,
}

impl TlsClient {
    /// Checks the settings.
    ///
    /// Errors if a CA certificate cannot be read, or if the client's certificate and key do not belong
    /// together.
    pub fn new(settings: TlsSettings) -> Result<Self, SettingsError> {
        let provider = Arc::new(ring::default_provider());
        let clock = Arc::new(WallClock(settings.wall_clock));
        let builder = ClientConfig::builder_with_details(provider.clone(), clock)
            .with_protocol_versions(VERSIONS)
            .expect("ring has the ciphers of TLS 1.2 and 1.3");
        let builder = match settings.trust {
            Trust::Ca(certificates) => {
                builder.with_webpki_verifier(ca_verifier(certificates, provider)?)
            }
            Trust::Anyone => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptsAnyone(provider))),
        };
        let config = match settings.identity {
            Some(identity) => {
                let key = certified_key(identity, builder.crypto_provider())?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
            None => builder.with_no_client_auth(),
        };
        let config = Arc::new(config);
        Ok(Self { config })
    }
}

impl TlsClient {
    /// One that trusts whom this one does, and shows `identity`. It shares no sessions with this one.
    ///
    /// Errors if the certificate and the key do not belong together.
    pub fn showing(&self, identity: ClientIdentity) -> Result<Self, SettingsError> {
        let key = certified_key(identity, self.config.crypto_provider())?;
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
        config.resumption = Resumption::in_memory_sessions(SESSIONS_OF_ONE);
        Ok(Self {
            config: Arc::new(config),
        })
    }
}

/// A client certificate and its key, which must belong together. A certificate of X.509 version 1, as `openssl x509 -req` makes
/// them, is shown all the same: whether it is good enough is for the server to say.
fn certified_key(
    identity: ClientIdentity,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, SettingsError> {
    let ClientIdentity { certificates, key } = identity;
    let unusable = |fault: String| SettingsError::Identity { fault };
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|error| unusable(error.to_string()))?;
    let certified = CertifiedKey::new(certificates, key);
    let is_other = match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => true,
        Err(error @ rustls::Error::InvalidCertificate(CertificateError::BadEncoding)) => {
            return Err(unusable(error.to_string()));
        }
        Err(rustls::Error::InvalidCertificate(_)) => !contains_key(&certified),
        // What cannot be compared is for the server to say, too.
        Ok(()) | Err(_) => false,
    };
    match is_other {
        true => Err(unusable(
            "the key is that of another certificate".to_owned(),
        )),
        false => Ok(certified),
    }
}

/// Whether the public key is part of the certificate, which has it as it is (RFC 5280, section 4.1.2.7).
fn contains_key(certified: &CertifiedKey) -> bool {
    let (Some(key), Some(certificate)) = (certified.key.public_key(), certified.cert.first())
    else {
        return true;
    };
    certificate
        .windows(key.len())
        .any(|window| window == key.as_ref())
}

fn ca_verifier(
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SettingsError> {
    let refused = |fault: String| SettingsError::Ca { fault };
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|error| refused(error.to_string()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| refused(error.to_string()))
}

/// The certificates of a PEM file, in its order.
///
/// Errors if there is none, or if one is damaged.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| SettingsError::NoCertificate)?;
    match certificates.is_empty() {
        true => Err(SettingsError::NoCertificate),
        false => Ok(certificates),
    }
}

/// The first private key of a PEM file: PKCS #8, PKCS #1 or SEC 1.
///
/// Errors if there is none, or if it is encrypted.
pub fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, SettingsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| SettingsError::NoPrivateKey)
}

/// The caller's clock, as the TLS library asks for it.
#[derive(Debug)]
pub(crate) struct WallClock(pub(crate) fn() -> Duration);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch((self.0)()))
    }
}

/// Accepts every certificate whose key the other end has.
#[derive(Debug)]
struct AcceptsAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptsAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
