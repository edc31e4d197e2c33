//! A CA that is made for one world, and the certificate that it signs for the broker.
//!
//! Keys are drawn anew each time, but nothing has a length that depends on them: signatures of Ed25519 have 64 bytes,
//! and the numbers of the certificates are given. So the bytes of TLS have the same lengths in each run.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair, PKCS_ED25519,
    SerialNumber,
};
use squall_fleet::VIRTUAL_START;
use squall_transport::{
    ClientCertificates, SettingsError, TlsClient, TlsServer, TlsServerSettings, TlsSettings,
    TlsVersions, Trust, certificates, private_key,
};

/// The date in virtual time, of which TLS asks nothing more exact.
fn virtual_date() -> Duration {
    VIRTUAL_START
}

/// A server with a certificate for `names`, and a client that trusts it.
///
/// Errors if a name can be neither that of a host nor an address.
pub(super) fn throwaway(names: Vec<String>) -> Result<(TlsClient, TlsServer), SettingsError> {
    let name = names.join(" or ");
    let (ca, certificate, key) = signed(names).map_err(|_| SettingsError::ServerName { name })?;
    let server = TlsServer::new(TlsServerSettings {
        certificates: certificates(certificate.as_bytes())?,
        key: private_key(key.as_bytes())?,
        clients: ClientCertificates::Unasked,
        versions: TlsVersions::All,
        wall_clock: virtual_date,
    });
    let client = TlsClient::new(TlsSettings {
        trust: Trust::Ca(certificates(ca.as_bytes())?),
        identity: None,
        wall_clock: virtual_date,
    });
    Ok((client?, server?))
}

/// A CA, a certificate that it signed, and the key of that, in PEM.
fn signed(names: Vec<String>) -> Result<(String, String, String), Error> {
    let ca_key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "squall, for one run");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.serial_number = Some(SerialNumber::from(1_u64));
    let ca_certificate = ca.self_signed(&ca_key)?.pem();

    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut params = CertificateParams::new(names)?;
    params.serial_number = Some(SerialNumber::from(2_u64));
    let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key))?;
    Ok((ca_certificate, certificate.pem(), key.serialize_pem()))
}
