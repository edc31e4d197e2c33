//! Links that a fault changes or partitions: what is measured of a link says nothing about its group's profile then.

use std::collections::HashMap;

use squall_fleet::LinkFact;
use squall_protocol::Instant;
use squall_scenario::DeviceId;

use super::event::Event;

/// When faults had to do with links. Bounded by the number of devices.
#[derive(Debug, Default)]
pub(crate) struct LinkFaults {
    of_devices: HashMap<DeviceId, Faulty>,
}

/// What faults did to one link.
#[derive(Clone, Copy, Debug, Default)]
struct Faulty {
    is_changed: bool,
    is_partitioned: bool,
    /// When the last one was over.
    over_at: Option<Instant>,
}

impl LinkFaults {
    /// A fault begins or ends to do something to a link.
    pub(crate) fn handle(&mut self, event: &Event, fact: LinkFact) {
        let faulty = self.of_devices.entry(event.device).or_default();
        match fact {
            LinkFact::Changed => faulty.is_changed = true,
            LinkFact::Partitioned => faulty.is_partitioned = true,
            LinkFact::Restored => faulty.is_changed = false,
            LinkFact::Healed => faulty.is_partitioned = false,
        }
        faulty.over_at = Some(event.now);
    }

    /// Whether the link of a device had the profile of its group, and no partition, from `since` until now.
    pub(crate) fn is_as_configured(&self, device: DeviceId, since: Instant) -> bool {
        let faulty = self.of_devices.get(&device).copied().unwrap_or_default();
        !faulty.is_changed
            && !faulty.is_partitioned
            && faulty.over_at.is_none_or(|over_at| over_at < since)
    }
}
