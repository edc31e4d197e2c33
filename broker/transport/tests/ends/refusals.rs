//! Certificates that are refused, by either end, and what each end says of it.

use std::time::Duration;

use squall_transport::{ClientCertificates, ClientIdentity, Listener, TlsVersions, TransportError};

use crate::joined::{Ca, Joined, Results, today};

/// After the last day of the certificates here.
fn year_5138() -> Duration {
    Duration::from_secs(100_000_000_000)
}

fn alert(name: &str, number: u8) -> Result<(), TransportError> {
    let name = name.to_owned();
    Err(TransportError::Alert { name, number })
}

/// The client says what is wrong with the server's certificate, and tells the server by an alert (RFC 8446, 6.2).
#[test]
fn both_ends_know_why_the_certificate_of_the_server_is_refused() {
    let ca = Ca::new("ca");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let listener = Listener {
            tls: Some(ca.server(ClientCertificates::Unasked, versions)),
            web_socket: None,
        };
        let agree = |trusted: &Ca, clock| {
            let client = trusted.client(None, clock);
            Joined::new(Some(&client), &listener).agree()
        };

        let foreign = agree(&Ca::new("other"), today);
        let expired = agree(&ca, year_5138);

        let unknown = [Err(TransportError::UnknownCa), alert("UnknownCA", 48)];
        assert_eq!(foreign, unknown);
        let late = [
            Err(TransportError::CertificateExpired),
            alert("CertificateExpired", 45),
        ];
        assert_eq!(expired, late);
    }
}

/// What a server makes of a client that shows this, and the name that it knows it by.
fn shown(
    identity: Option<ClientIdentity>,
    ca: &Ca,
    clients: ClientCertificates,
) -> (Results, Option<String>) {
    let listener = Listener {
        tls: Some(ca.server(clients, TlsVersions::All)),
        web_socket: None,
    };
    let client = ca.client(identity, today);
    let mut ends = Joined::new(Some(&client), &listener);
    let results = ends.agree();
    let name = ends.server.peer_name();
    (results, name)
}

/// A server knows its clients by the name in their certificate, where it asks for one.
#[test]
fn a_server_knows_the_name_in_the_certificate_of_a_client() {
    let ca = Ca::new("ca");
    let trusted = || vec![ca.certificate.clone()];
    let door = || Some(ca.sign("door-7"));
    let name = Some("door-7".to_owned());
    let held = [Ok(()), Ok(())];

    for (identity, clients, known) in [
        (
            door(),
            ClientCertificates::Required(trusted()),
            name.clone(),
        ),
        (door(), ClientCertificates::Welcome(trusted()), name),
        (None, ClientCertificates::Welcome(trusted()), None),
        (door(), ClientCertificates::Unasked, None),
    ] {
        assert_eq!(shown(identity, &ca, clients), (held.clone(), known));
    }
}

/// A client without a certificate, or with one of another CA, is refused and told so.
#[test]
fn both_ends_know_why_the_certificate_of_a_client_is_refused() {
    let ca = Ca::new("ca");
    let required = || ClientCertificates::Required(vec![ca.certificate.clone()]);

    let (without, _) = shown(None, &ca, required());
    let (foreign, _) = shown(Some(Ca::new("other").sign("door-7")), &ca, required());

    assert_eq!(
        without,
        [
            alert("CertificateRequired", 116),
            Err(TransportError::NoCertificate)
        ]
    );
    assert_eq!(
        foreign,
        [alert("UnknownCA", 48), Err(TransportError::UnknownCa)]
    );
}
