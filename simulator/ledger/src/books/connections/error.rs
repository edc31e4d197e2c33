//! Errors of connections, and what reports call them.

use squall_fleet::{LayerFault, OpenError};
use squall_protocol::{Instant, ReasonCode};

/// Where an error happened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ErrorArea {
    /// CONNACK.
    Connect,
    /// PUBACK, PUBREC or PUBCOMP.
    Publish,
    /// SUBACK.
    Subscribe,
    /// Broken protocol, by either side's judgement.
    Protocol,
    /// The transport.
    Transport,
}

/// Errors of one area and reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorTally {
    /// Errors of this area and reason.
    pub count: u64,
    /// When the first came.
    pub first_at: Instant,
}

impl ErrorArea {
    /// Its name in run files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Protocol => "protocol",
            Self::Transport => "transport",
        }
    }
}

/// A Reason Code as reports write it: `0x87 Not authorized`.
pub(crate) fn reason_text(reason: ReasonCode) -> String {
    format!("0x{:02X} {}", reason as u8, reason.name())
}

/// The name of an error in run files.
pub(crate) const fn open_error_name(error: OpenError) -> &'static str {
    match error {
        OpenError::Refused => "refused",
        OpenError::TimedOut => "timed_out",
        OpenError::LocalLimit => "local_limit",
        OpenError::Layer(fault) => layer_fault_name(fault),
        OpenError::Other => "other",
    }
}

/// The name of a fault of TLS or WebSocket in run files.
pub(crate) const fn layer_fault_name(fault: LayerFault) -> &'static str {
    match fault {
        LayerFault::UnknownCa => "tls_unknown_ca",
        LayerFault::CertificateExpired => "tls_certificate_expired",
        LayerFault::CertificateNotYetValid => "tls_certificate_not_yet_valid",
        LayerFault::WrongHostName => "tls_wrong_host_name",
        LayerFault::CertificateRefused => "tls_certificate_refused",
        LayerFault::ClientCertificate => "tls_client_certificate",
        LayerFault::Tls => "tls",
        LayerFault::WebSocket => "websocket",
    }
}
