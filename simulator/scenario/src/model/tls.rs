//! How clients speak TLS: `[target.tls]`.

use std::fmt;
use std::sync::Arc;

/// Whom clients trust and what they show, where the transport has TLS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// CA certificates to trust; `None` for those of the system.
    pub ca: Option<PemFile>,
    /// What clients show to a broker that asks for a certificate.
    pub identity: Option<TlsIdentity>,
    /// The name that the broker is asked for, and that its certificate must be for; `None` for the host of the
    /// URL.
    pub sni: Option<String>,
    /// Whether any certificate is accepted: the other end may be anyone.
    pub is_insecure: bool,
}

/// A client certificate and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsIdentity {
    /// The certificate, and after it those that lead to its CA.
    pub certificate: PemFile,
    /// The private key.
    pub key: PemFile,
}

/// A file in PEM. `Debug` does not show what is in it.
#[derive(Clone, PartialEq)]
pub struct PemFile {
    /// Its path as the scenario has it.
    pub path: String,
    /// What it held when the scenario was read.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PemFile").field(&self.path).finish()
    }
}
