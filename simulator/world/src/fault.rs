//! What the fleet calls an error of TLS or WebSocket.

use squall_fleet::LayerFault;
use squall_transport::TransportError;

/// What the fleet calls an error of a device's transport, over sockets and in virtual time alike.
pub fn layer_fault(error: &TransportError) -> LayerFault {
    match error {
        TransportError::UnknownCa | TransportError::WrongSignature => LayerFault::UnknownCa,
        TransportError::CertificateExpired => LayerFault::CertificateExpired,
        TransportError::CertificateNotYetValid => LayerFault::CertificateNotYetValid,
        TransportError::WrongHostName => LayerFault::WrongHostName,
        TransportError::CertificateOfCa | TransportError::CertificateRefused { .. } => {
            LayerFault::CertificateRefused
        }
        // Alerts about a certificate (RFC 8446, section 6.2): the client's is the only one that the broker sees.
        TransportError::Alert {
            number: 42..=46 | 48 | 116,
            ..
        }
        | TransportError::NoCertificate => LayerFault::ClientCertificate,
        TransportError::Alert { .. }
        | TransportError::NotTls
        | TransportError::TlsUnasked
        | TransportError::Tls { .. }
        | TransportError::ClosedInTlsHandshake
        | TransportError::ClosedWithoutAWord
        | TransportError::Closed => LayerFault::Tls,
        TransportError::HttpStatus { .. }
        | TransportError::NotHttp
        | TransportError::NoMqttSubprotocol
        | TransportError::WebSocketRequest { .. }
        | TransportError::TextFrame
        | TransportError::UnmaskedFrame
        | TransportError::FrameTooLong { .. }
        | TransportError::WebSocket { .. }
        | TransportError::ClosedInWebSocketHandshake => LayerFault::WebSocket,
    }
}
