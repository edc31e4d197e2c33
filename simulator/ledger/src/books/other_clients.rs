//! What another client that uses the run's Client Identifiers can bring about.
//!
//! It displaces connections of the run, and whatever becomes of their Sessions may then be its doing: it
//! takes messages, subscribes otherwise, ends the Session. What passes between the broker and a device is out of its
//! reach: no other client makes a broker change a message, send a second copy of one at QoS 2, send another order,
//! or send PUBLISH after the device's PUBREL, as long as neither the Session that received it nor the one that
//! published it was displaced.

use std::collections::HashSet;

use squall_run::AnomalyKind;
use squall_scenario::DeviceId;

/// Devices that another client may have displaced. Bounded by the number of devices.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherClients {
    displaced: HashSet<DeviceId>,
}

impl OtherClients {
    /// The broker ended a connection of `device` that nothing in the run asked for, by a takeover or without a
    /// word.
    pub(super) fn note_displaced(&mut self, device: DeviceId) {
        self.displaced.insert(device);
    }

    /// Whether another client may have brought about something of this kind that a device saw, with a message
    /// of a publisher where it is about one.
    pub(super) fn may_explain(
        &self,
        kind: AnomalyKind,
        seen_by: Option<DeviceId>,
        publisher: Option<DeviceId>,
    ) -> bool {
        let mut involved = seen_by.into_iter().chain(publisher);
        is_within_reach(kind)
            || seen_by.is_none()
            || involved.any(|device| self.displaced.contains(&device))
    }
}

/// Whether another client can bring about an anomaly of this kind though no Session was displaced.
const fn is_within_reach(kind: AnomalyKind) -> bool {
    match kind {
        AnomalyKind::Duplicated
        | AnomalyKind::Reordered
        | AnomalyKind::Corrupted
        | AnomalyKind::Mislabelled
        | AnomalyKind::Qos2PublishAfterPubrel
        | AnomalyKind::ResponseMisdirected
        | AnomalyKind::MalformedTolerated
        // Early closes are not noted where another client may take a connection over.
        | AnomalyKind::ClosedEarly
        | AnomalyKind::ClosedLate
        | AnomalyKind::Expired
        | AnomalyKind::ExpiryWrong
        | AnomalyKind::QuotaExceeded
        | AnomalyKind::ProtocolError => false,
        // A client that publishes again what it received sends stamps of this run to topics of its own.
        AnomalyKind::Misrouted
        // It may clear and replace what is retained, and send CONNECT with an identifier of the run, which
        // decides on wills and Sessions.
        | AnomalyKind::Lost
        | AnomalyKind::ResponseMissing
        | AnomalyKind::ResponseLate
        | AnomalyKind::WillMissing
        | AnomalyKind::WillDoubled
        | AnomalyKind::WillUnexpected
        | AnomalyKind::WillLate
        | AnomalyKind::RetainedWrong
        | AnomalyKind::RetainedAbsent
        | AnomalyKind::TwoAlive
        | AnomalyKind::DisplacedNotClosed
        | AnomalyKind::DisplacedReason
        | AnomalyKind::MalformedReason
        | AnomalyKind::SessionPresent
        | AnomalyKind::ConnectionRefused
        | AnomalyKind::UnexpectedDisconnect
        // An exchange of a Session that it ended is not finished.
        | AnomalyKind::Qos2Incomplete
        | AnomalyKind::Qos2DupUnanswered
        // Links are squall's own.
        | AnomalyKind::NetworkOffProfile => true,
    }
}
