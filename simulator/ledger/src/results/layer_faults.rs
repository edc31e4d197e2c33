//! What keeps TLS and WebSocket from coming about, with a remedy for each.

use squall_fleet::LayerFault;

use crate::books::layer_fault_name;

/// What became of the connections, and what would help, where `name` is that of such a fault.
pub(super) fn sentences(name: &str) -> Option<(&'static str, &'static str)> {
    let fault = LayerFault::ALL
        .into_iter()
        .find(|fault| layer_fault_name(*fault) == name)?;
    Some(match fault {
        LayerFault::UnknownCa => (
            "met a certificate that no trusted CA has signed",
            "name the file of its CA as tls.ca",
        ),
        LayerFault::CertificateExpired => (
            "met an expired certificate",
            "renew the broker's certificate",
        ),
        LayerFault::CertificateNotYetValid => (
            "met a certificate that is not valid yet",
            "look at the clocks of both machines",
        ),
        LayerFault::WrongHostName => (
            "met a certificate for another host name",
            "use a name of the certificate in target.url, or name it as tls.sni",
        ),
        LayerFault::CertificateRefused => (
            "met a certificate that cannot be accepted",
            "have the broker's certificate mended",
        ),
        LayerFault::ClientCertificate => (
            "were refused for their client certificate, or because they have none",
            "set tls.cert and tls.key, signed by a CA that the broker trusts",
        ),
        LayerFault::Tls => (
            "failed in TLS",
            "check which port of the broker has TLS, and its log; it may ask for tls.cert and tls.key",
        ),
        LayerFault::WebSocket => (
            "did not become a WebSocket",
            "check port and path of target.url, and the broker's log",
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What can be done about a fault differs from fault to fault, so no two share a name or a sentence.
    #[test]
    fn each_fault_has_a_name_and_a_sentence_of_its_own() {
        let names = LayerFault::ALL.map(layer_fault_name);

        let told: BTreeSet<_> = names.iter().filter_map(|name| sentences(name)).collect();

        assert_eq!(BTreeSet::from(names).len(), names.len());
        assert_eq!(told.len(), names.len());
        assert_eq!(sentences("refused"), None);
    }
}
