//! Why a transport fails, told apart by what a user has to do about it.

use crate::request_fault::RequestFault;

/// The connection cannot go on. What [`crate::Transport::take_wire`] still has tells the other end.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// No trusted CA has signed the certificate of the other end.
    #[error("the certificate of the other end is not signed by a CA that is trusted here")]
    UnknownCa,
    /// A signature does not fit its key: perhaps that of another CA of the same name.
    #[error("a signature of the other end's certificate does not fit the CA that is trusted here")]
    WrongSignature,
    /// The certificate's time is over.
    #[error("the certificate of the other end has expired")]
    CertificateExpired,
    /// The certificate's time has not begun; perhaps a clock is wrong.
    #[error("the certificate of the other end is not valid yet")]
    CertificateNotYetValid,
    /// The certificate is for other names.
    #[error("the certificate of the other end is not for this host name")]
    WrongHostName,
    /// The certificate is that of a CA, which may sign others and not serve itself (RFC 5280, section 4.2.1.9).
    #[error("the certificate of the other end is that of a CA, as `openssl req -x509` makes them")]
    CertificateOfCa,
    /// The server asked for a certificate, and the client has none.
    #[error("the other end shows no certificate, and one is required here")]
    NoCertificate,
    /// Any other fault of the certificate.
    #[error("the certificate of the other end is not accepted: {fault}")]
    CertificateRefused {
        /// The fault, as the TLS library names it.
        fault: String,
    },
    /// The other end sent a fatal alert.
    #[error("the other end refused the TLS connection with the alert {name} ({number})")]
    Alert {
        /// The name of the alert in RFC 8446, section 6, without underscores: `UnknownCA`.
        name: String,
        /// Its number in the same place.
        number: u8,
    },
    /// The bytes that came in the handshake are not TLS.
    #[error("the other end does not speak TLS on this port")]
    NotTls,
    /// A TLS record came where no TLS was asked for.
    #[error("the other end speaks TLS on this port")]
    TlsUnasked,
    /// Any other fault of TLS.
    #[error("TLS failed: {fault}")]
    Tls {
        /// The fault, as the TLS library names it.
        fault: String,
    },
    /// An answer to the request for WebSocket other than 101.
    #[error("the other end answered HTTP {status} to the request for a WebSocket")]
    HttpStatus {
        /// The status code of the answer.
        status: u16,
    },
    /// The bytes that came in answer to the request for WebSocket are not HTTP.
    #[error("the other end does not speak HTTP on this port")]
    NotHttp,
    /// The answer does not name the subprotocol `mqtt` [MQTT-6.0.0-4].
    #[error("the other end did not agree to the WebSocket subprotocol `mqtt`")]
    NoMqttSubprotocol,
    /// A client's request that a server does not agree to; the answer has the status code of the fault.
    #[error("the other end asked for no WebSocket of MQTT: {fault}")]
    WebSocketRequest {
        /// What is wrong with the request.
        fault: RequestFault,
    },
    /// A data frame that is not binary [MQTT-6.0.0-1].
    #[error("the other end sent a WebSocket frame of text")]
    TextFrame,
    /// A client's frame without a mask (RFC 6455, section 5.1).
    #[error("the other end sent a WebSocket frame that is not masked")]
    UnmaskedFrame,
    /// A frame that announces more bytes than are taken.
    #[error(
        "the other end announced a WebSocket frame of {length} bytes, and {limit} is the limit"
    )]
    FrameTooLong {
        /// Bytes of its payload.
        length: u64,
        /// The most that a frame may have.
        limit: u64,
    },
    /// Any other fault of WebSocket.
    #[error("WebSocket failed: {fault}")]
    WebSocket {
        /// The fault, as the WebSocket library names it.
        fault: String,
    },
    /// The other end closed the connection before the TLS handshake was over.
    #[error("the other end closed the connection in the TLS handshake")]
    ClosedInTlsHandshake,
    /// The other end closed the connection before it answered the request for WebSocket.
    #[error("the other end closed the connection in the WebSocket handshake")]
    ClosedInWebSocketHandshake,
    /// The other end closed the connection before it sent a byte, where TLS and WebSocket were not asked for.
    #[error("the other end closed the connection without a word")]
    ClosedWithoutAWord,
    /// Bytes were to be sent after the connection was closed.
    #[error("the connection is closed")]
    Closed,
}

/// Why there is no transport: what was configured is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A file of certificates that is not PEM, or has none.
    #[error("there is no certificate in PEM")]
    NoCertificate,
    /// A file that has no private key in PEM, or one that is encrypted.
    #[error("there is no private key in PEM, or it is encrypted")]
    NoPrivateKey,
    /// A CA certificate that cannot be read.
    #[error("a CA certificate cannot be used: {fault}")]
    Ca {
        /// The fault, as the TLS library names it.
        fault: String,
    },
    /// The client certificate and its private key do not belong together, or cannot be used.
    #[error("the client certificate and its key cannot be used: {fault}")]
    Identity {
        /// The fault, as the TLS library names it.
        fault: String,
    },
    /// The server's certificate and its private key do not belong together, or cannot be used.
    #[error("the server's certificate and its key cannot be used: {fault}")]
    ServerIdentity {
        /// The fault, as the TLS library names it.
        fault: String,
    },
    /// Neither a DNS name nor an IP address.
    #[error("'{name}' is neither a DNS name nor an IP address")]
    ServerName {
        /// The name as it was given.
        name: String,
    },
    /// Host and path make no address of a WebSocket.
    #[error("'{host}' and '{path}' make no address of a WebSocket")]
    WebSocketTarget {
        /// Host and port as they were given.
        host: String,
        /// The path as it was given.
        path: String,
    },
}
