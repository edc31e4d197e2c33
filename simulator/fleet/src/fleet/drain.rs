//! When the drain ends.
//!
//! The drain is there to do what is left of the load and to read what is on its way. Its time
//! counts from when nothing of the load is undone, and while the shell stands still it does not pass:
//! otherwise a generator that was held up over the end of the load would leave out what was due,
//! and take for lost what it had not read. It ends when its deadline has its turn: what had arrived by
//! then was told before (`drive`). Then it waits for what the simulated links hold, up to a limit: the
//! broker has delivered that.

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::Scenario;

use super::Fleet;
use crate::device::Device;
use crate::outcome::DrainExtension;
use crate::progress::Phase;
use crate::sink::Sink;

/// A standstill in the drain that lasts this long prolongs it.
const DRAIN_STANDSTILL_MIN: Duration = Duration::from_millis(20);

/// Times that a drain waits for what the links hold: what they hold towards the broker, then what
/// the broker sends on because of it.
const LINK_WAITS_MAX: u32 = 2;

/// Longest time that a drain waits each time for what the links hold: a link may be out for hours.
const LINK_WAIT_MAX: Duration = Duration::from_secs(60);

/// Time for a broker to send on what a link has brought to it.
const FORWARDING_TIME: Duration = Duration::from_millis(100);

/// Standstills that prolong one drain at most: a machine that is always late must not drain without
/// end. The lag of the run tells about such a machine.
const DRAIN_STANDSTILLS_MAX: u32 = 10;

/// How long the drain of a scenario may last on a machine that keeps up: `run.drain`, and where devices
/// have links the time that they are waited for at most.
pub fn drain_max(scenario: &Scenario) -> Duration {
    let has_links = scenario.groups.iter().any(|group| group.network.is_some());
    let waits = if has_links { LINK_WAITS_MAX } else { 0 };
    scenario.run.drain + (LINK_WAIT_MAX + FORWARDING_TIME) * waits
}

/// What is known of the drain.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// When it was to end by plan, waits for links included.
    pub(super) due: Instant,
    /// Times that it was prolonged for the generator's standstills.
    standstills: u32,
    /// Times that it has waited for what the links hold.
    link_waits: u32,
    /// Devices whose links it waits for now.
    pub(super) links_awaited: u32,
    /// By how much it was prolonged, and why.
    pub(super) extension: DrainExtension,
}

impl<S: Sink> Fleet<S> {
    /// While something of the load is undone, or the broker is away, the time of the drain does not pass.
    pub(super) fn hold_drain(&mut self, now: Instant) {
        if self.phase == Phase::Draining && self.is_undone_before(self.load_ends) {
            let ends = now + self.scenario.run.drain;
            self.drain.extension.for_generator += ends.saturating_since(self.phase_ends);
            self.drain_until(ends);
        } else if self.phase == Phase::Draining && self.broker.is_some() {
            // Nothing comes from a broker that is away by the scenario's will.
            let ends = now + self.scenario.run.drain;
            self.drain.due = ends;
            self.drain.extension.for_broker += ends.saturating_since(self.phase_ends);
            self.drain_until(ends);
        }
    }

    /// Whether the deadline of the drain has had its turn, and nothing of the load is undone.
    pub(super) fn is_drained(&self) -> bool {
        self.has_phase_run_out && !self.is_undone_before(self.load_ends)
    }

    /// Whether something that was due before `end` has not been done: a message, a fault, a connect,
    /// an arrival over a link.
    fn is_undone_before(&self, end: Instant) -> bool {
        self.deadlines.next().is_some_and(|due| due < end)
    }

    fn drain_until(&mut self, ends: Instant) {
        self.phase_ends = ends;
        self.has_phase_run_out = false;
        self.deadlines.set(self.phase_slot(), Some(ends));
    }

    /// At the end of the drain: waits for what the links hold. The broker has delivered that; taken
    /// for lost, a simulated link would be the broker's fault.
    pub(super) fn wait_for_links(&mut self, now: Instant) {
        let is_over = self.phase == Phase::Draining && self.is_drained();
        if !is_over || self.drain.link_waits == LINK_WAITS_MAX {
            return;
        }
        self.drain.link_waits += 1;
        let arrivals = self.devices.iter().filter_map(Device::in_transit_until);
        let arrivals: Vec<Instant> = arrivals.filter(|&last| last > now).collect();
        let links = u32::try_from(arrivals.len()).expect("devices are counted in 32 bits");
        self.drain.links_awaited = links;
        if let Some(&last) = arrivals.iter().max() {
            // The wait is planned, so it is not a lag of the generator.
            let ends = last.min(now + LINK_WAIT_MAX) + FORWARDING_TIME;
            self.drain.due = ends;
            let extension = &mut self.drain.extension;
            extension.for_links += ends.saturating_since(now);
            extension.links = extension.links.max(links);
            self.drain_until(ends);
        }
    }

    /// The shell did nothing from `since` until `now`: if it should have drained, it goes on for
    /// longer.
    pub(super) fn prolong_drain(&mut self, since: Instant, now: Instant) {
        let stood_still = now.saturating_since(since);
        if self.phase != Phase::Draining
            || stood_still < DRAIN_STANDSTILL_MIN
            || self.drain.standstills == DRAIN_STANDSTILLS_MAX
        {
            return;
        }
        self.drain.standstills += 1;
        // Even if the drain is over by now, what came meanwhile is read first.
        let reading = stood_still.min(self.scenario.run.drain);
        let ends = (self.phase_ends + stood_still).max(now + reading);
        self.drain.extension.for_generator += ends.saturating_since(self.phase_ends);
        self.drain_until(ends);
    }
}
