//! A client's and a server's transport, joined in memory, and the certificates that they show.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use squall_transport::{
    ClientCertificates, ClientIdentity, Listener, TlsClient, TlsServer, TlsServerSettings,
    TlsSettings, TlsVersions, Transport, TransportError, Trust, WebSocketService, WebSocketTarget,
};

/// The name of every server here.
pub(crate) const NAME: &str = "broker.test";
/// The longest frame of every WebSocket here.
pub(crate) const FRAME_BYTES_MAX: usize = 100_000;

/// In 2023.
pub(crate) fn today() -> Duration {
    Duration::from_secs(1_700_000_000)
}

/// A CA that signs for one test.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let key = key_pair();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("it works").der().clone();
        let issuer = Issuer::new(params, key);
        Self {
            issuer,
            certificate,
        }
    }

    /// A certificate for [`NAME`] of a subject, and its key.
    pub(crate) fn sign(&self, subject: &str) -> ClientIdentity {
        let key = key_pair();
        let mut params = CertificateParams::new([NAME.to_owned()]).expect("it works");
        params.distinguished_name.push(DnType::CommonName, subject);
        let certificate = params.signed_by(&key, &self.issuer).expect("it works");
        ClientIdentity {
            certificates: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        }
    }

    pub(crate) fn server(&self, clients: ClientCertificates, versions: TlsVersions) -> TlsServer {
        let ClientIdentity { certificates, key } = self.sign("broker");
        let settings = TlsServerSettings {
            certificates,
            key,
            clients,
            versions,
            wall_clock: today,
        };
        TlsServer::new(settings).expect("it works")
    }

    /// A client that trusts this CA.
    pub(crate) fn client(
        &self,
        identity: Option<ClientIdentity>,
        wall_clock: fn() -> Duration,
    ) -> TlsClient {
        let settings = TlsSettings {
            trust: Trust::Ca(vec![self.certificate.clone()]),
            identity,
            wall_clock,
        };
        TlsClient::new(settings).expect("it works")
    }
}

fn key_pair() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("it works")
}

/// A WebSocket at `/mqtt`.
pub(crate) fn service() -> Arc<WebSocketService> {
    Arc::new(WebSocketService {
        paths: vec!["/mqtt".to_owned(), "/ws".to_owned()],
        frame_bytes_max: FRAME_BYTES_MAX,
    })
}

/// Two ends, and the MQTT that came to each.
pub(crate) struct Joined {
    pub(crate) client: Transport,
    pub(crate) server: Transport,
    pub(crate) to_client: Vec<u8>,
    pub(crate) to_server: Vec<u8>,
}

/// What each end makes of the connection.
pub(crate) type Results = [Result<(), TransportError>; 2];

impl Joined {
    /// A client of `tls` and a server of `listener`, with a WebSocket where the listener has one.
    pub(crate) fn new(tls: Option<&TlsClient>, listener: &Listener) -> Self {
        let client = match tls {
            Some(tls) => Transport::tls(tls, NAME).expect("it works"),
            None => Transport::plain(),
        };
        let client = match listener.web_socket {
            Some(_) => {
                let target = WebSocketTarget {
                    host: NAME.to_owned(),
                    path: "/mqtt".to_owned(),
                };
                client.with_web_socket(&target).expect("it works")
            }
            None => client,
        };
        Self {
            client,
            server: Transport::accept(listener),
            to_client: Vec::new(),
            to_server: Vec::new(),
        }
    }

    /// Carries bytes both ways until neither end says anything, cut into pieces of these lengths, in turn; what the
    /// client and the server make of it.
    pub(crate) fn carry(&mut self, pieces: &[usize]) -> Results {
        let mut pieces = pieces.iter().copied().cycle();
        let mut results: Results = [Ok(()), Ok(())];
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            self.client.take_wire(&mut up);
            self.server.take_wire(&mut down);
            if up.is_empty() && down.is_empty() {
                return results;
            }
            for (end, wire, app, result) in [
                (&mut self.server, up, &mut self.to_server, 1),
                (&mut self.client, down, &mut self.to_client, 0),
            ] {
                let mut rest = &wire[..];
                while !rest.is_empty() && results[result].is_ok() {
                    let count = pieces.next().unwrap_or(usize::MAX).min(rest.len());
                    results[result] = end.feed(&rest[..count], app);
                    rest = &rest[count..];
                }
            }
        }
    }

    /// The same, in one piece.
    pub(crate) fn agree(&mut self) -> Results {
        self.carry(&[usize::MAX])
    }
}
