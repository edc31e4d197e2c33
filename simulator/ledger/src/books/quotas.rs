//! Whether the broker kept to the Receive Maximum of each device (§4.9).

use squall_fleet::EndCause;
use squall_protocol::ReasonCode;
use squall_run::AnomalyKind;
use squall_scenario::GroupId;

use super::anomalies::Anomalies;
use super::event::Event;
use super::roster::Roster;

/// What was seen of the flow control of one group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct QuotaCounts {
    /// Messages of QoS 1 and 2 that came to devices with a Receive Maximum.
    pub(crate) came: u64,
    /// How often the broker had more in flight than that.
    pub(crate) exceeded: u64,
    /// The most that it had in flight then, as far as that is known.
    pub(crate) most: usize,
}

/// The flow control of all groups.
#[derive(Debug)]
pub(crate) struct Quotas {
    /// By group.
    counts: Vec<QuotaCounts>,
    /// By group: whether its devices have a Receive Maximum.
    is_limited: Vec<bool>,
}

impl Quotas {
    /// Nothing came yet.
    pub(crate) fn new(roster: &Roster) -> Self {
        let is_limited = roster.limiting_quotas().to_vec();
        Self {
            counts: vec![QuotaCounts::default(); is_limited.len()],
            is_limited,
        }
    }

    /// What was seen of one group.
    pub(crate) fn of(&self, group: GroupId) -> QuotaCounts {
        self.counts[usize::from(group.0)]
    }

    /// A message of QoS 1 or 2 came.
    pub(crate) fn note_came(&mut self, group: GroupId) {
        let group = usize::from(group.0);
        self.counts[group].came += u64::from(self.is_limited[group]);
    }

    /// The broker had so many messages in flight, more than it may.
    pub(crate) fn note_exceeded(
        &mut self,
        event: &Event,
        in_flight: usize,
        anomalies: &mut Anomalies,
    ) {
        let counts = &mut self.counts[usize::from(event.group.0)];
        counts.exceeded += 1;
        counts.most = counts.most.max(in_flight);
        let kind = AnomalyKind::QuotaExceeded;
        anomalies.note(kind, event.subject(), || {
            let what = format!(
                "{in_flight} messages at QoS 1 and 2 came together or had no answer yet: more than Receive Maximum \
                 allows [MQTT-3.3.4-9]"
            );
            event.anomaly(kind, what)
        });
    }

    /// A connection ended: perhaps because the device had too many messages unacknowledged.
    pub(crate) fn handle_ended(
        &mut self,
        event: &Event,
        cause: EndCause,
        anomalies: &mut Anomalies,
    ) {
        if cause != EndCause::ProtocolError(ReasonCode::ReceiveMaximumExceeded) {
            return;
        }
        let counts = &mut self.counts[usize::from(event.group.0)];
        counts.exceeded += 1;
        let kind = AnomalyKind::QuotaExceeded;
        anomalies.note(kind, event.subject(), || {
            let what = "a message came while as many as Receive Maximum allows had no answer [MQTT-3.3.4-9]";
            event.anomaly(kind, what.to_owned())
        });
    }
}
