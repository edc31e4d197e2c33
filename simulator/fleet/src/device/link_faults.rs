//! Faults of a device's link: another profile for a while, or a partition, in which nothing passes and nothing is
//! closed.

use std::rc::Rc;

use squall_scenario::NetworkId;

use super::Device;
use super::turn::Turn;
use crate::fault_plan::Hit;
use crate::firing::Firing;
use crate::observation::{Fact, LinkFact};

impl Device {
    /// From now on nothing passes the link, until the fault is over.
    pub(super) fn begin_partition(&mut self, turn: &mut Turn<'_>, hit: Hit) {
        let (Some(link), Some(until)) = (&mut self.link, hit.until) else {
            turn.note_inapplicable(hit.firing.fault);
            return;
        };
        link.partition(hit.firing, turn.now, until);
        for connection in &mut self.connections {
            if let Some(lanes) = connection.lanes.as_deref_mut() {
                lanes.up.hold_until(until);
                lanes.down.hold_until(until);
            }
        }
        self.tell_link_fault(turn, hit.firing, LinkFact::Partitioned);
    }

    /// The partition of this firing is over: what it has held passes now.
    pub(super) fn end_partition(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let Some(link) = &mut self.link else { return };
        let Some(planned) = link.heal(firing, turn.now) else {
            return;
        };
        // It is over sooner than planned where the run was stopped.
        let sooner_by = planned.saturating_since(turn.now);
        if !sooner_by.is_zero() {
            for connection in &mut self.connections {
                if let Some(lanes) = connection.lanes.as_deref_mut() {
                    lanes.up.bring_forward(planned, sooner_by);
                    lanes.down.bring_forward(planned, sooner_by);
                }
            }
        }
        self.tell(turn, self.current_socket(), Fact::Link(LinkFact::Healed));
        self.carry(turn);
    }

    /// The link has another profile from now on, for what is sent from now on.
    pub(super) fn begin_network(&mut self, turn: &mut Turn<'_>, firing: Firing, id: NetworkId) {
        let network = Rc::clone(&turn.shared.networks[usize::from(id.0)]);
        let Some(link) = &mut self.link else {
            turn.note_inapplicable(firing.fault);
            return;
        };
        let report = &mut turn.shared.links[usize::from(link.network().0)];
        link.change(firing, turn.now, (id, network), report);
        self.tell_link_fault(turn, firing, LinkFact::Changed);
    }

    /// The change of this firing is over: the link has its group's profile again.
    pub(super) fn end_network(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let Some(link) = &mut self.link else { return };
        let report = &mut turn.shared.links[usize::from(link.network().0)];
        if link.restore(firing, turn.now, report) {
            self.tell(turn, self.current_socket(), Fact::Link(LinkFact::Restored));
        }
    }

    fn tell_link_fault(&mut self, turn: &mut Turn<'_>, firing: Firing, fact: LinkFact) {
        let socket = self.current_socket();
        self.note_applied(turn, socket, firing);
        self.tell(turn, socket, Fact::Link(fact));
    }
}
