//! When one phase ends and the next begins, and what a phase begins with.
//!
//! Warm-up and measuring end at the very moment that the scenario tells, however late the shell
//! comes: the next phase begins before anything of that moment or later is done. So a message that is
//! due just when measuring begins is measured.
//!
//! The drain is there to do what is left of the load and to read what is on its way. Its time
//! counts from when nothing of the load is undone, and while the shell stands still it does not pass:
//! otherwise a generator that was held up over the end of the load would leave out what was due,
//! and take for lost what it had not read. It ends when its deadline has its turn: what had arrived by
//! then was told before (`drive`).
//!
//! The other phases end when the [`Census`](crate::device::Census) or the clearing says that what they
//! wait for has happened.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::DeviceId;

use super::Fleet;
use crate::clearing::{Job, in_order, jobs, sessions_to_clear};
use crate::device::Device;
use crate::drive::Actions;
use crate::members::slot;
use crate::observation::{Fact, Planned};
use crate::outcome::Cleared;
use crate::progress::Phase;
use crate::schedule::Load;
use crate::sink::Sink;

/// How long closing connections may take at the end.
const LEAVING_MAX: Duration = Duration::from_secs(5);

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

impl<S: Sink> Fleet<S> {
    /// Begins every phase whose time has come, at the moment that the scenario tells where it does.
    pub(super) fn advance(&mut self, now: Instant, actions: &mut Actions) {
        if self.phase == Phase::Draining && self.is_undone_before(self.load_ends) {
            self.drain_until(now + self.scenario.run.drain);
        }
        self.wait_for_links(now);
        while self.is_phase_over(now) {
            match self.phase {
                Phase::Clearing => self.begin_connecting(now),
                Phase::Connecting => self.begin_load(now),
                Phase::WarmingUp => self.begin_measuring(now),
                Phase::Measuring => {
                    self.tell_planned(now, Phase::Draining, self.phase_ends);
                    self.begin_draining(self.phase_ends, now);
                }
                Phase::Draining => self.begin_checking(now),
                Phase::Checking => self.begin_leaving(now, actions),
                Phase::Leaving => self.begin_ending_sessions(now),
                Phase::EndingSessions => {
                    self.sessions.after = self.clearing.report();
                    self.begin(Phase::Finished, now, None);
                }
                Phase::Finished => return,
            }
        }
    }

    fn is_phase_over(&self, now: Instant) -> bool {
        let census = &self.shared.census;
        let has_run_out = self.has_phase_run_out;
        match self.phase {
            Phase::Clearing | Phase::EndingSessions => self.clearing.is_over(),
            Phase::Connecting => has_run_out || census.ready as usize >= self.members,
            Phase::WarmingUp | Phase::Measuring => self.phase_ends <= now,
            Phase::Draining => has_run_out && !self.is_undone_before(self.load_ends),
            Phase::Checking => census.checked as usize >= self.devices.len() - self.members,
            Phase::Leaving => has_run_out || census.connections == 0,
            Phase::Finished => false,
        }
    }

    /// Tells that a phase begins now whose moment the scenario tells.
    fn tell_planned(&mut self, now: Instant, phase: Phase, due: Instant) {
        let what = Planned::Phase(phase);
        self.tell(now, Fact::Begun { what, due });
    }

    /// Begins a phase at `at`, which ends at `ends` at the latest, or by itself only.
    fn begin(&mut self, phase: Phase, at: Instant, ends: Option<Instant>) {
        self.phase = phase;
        self.phases.push((phase, at));
        self.sink.enter_phase(at, phase);
        self.phase_ends = ends.unwrap_or(Instant::from_nanos(u64::MAX));
        self.has_phase_run_out = false;
        self.deadlines.set(self.phase_slot(), ends);
        if phase == Phase::Finished {
            self.deadlines.set(self.fault_slot(), None);
            for place in 0..self.devices.len() {
                self.deadlines.set(slot(place), None);
            }
        }
    }

    /// Begins the first phase that the run needs, at the first call.
    pub(super) fn enter_first_phase(&mut self, now: Instant) {
        if !self.phases.is_empty() {
            return;
        }
        let jobs = sessions_to_clear(&self.scenario);
        if jobs.is_empty() {
            return self.begin_connecting(Instant::ZERO);
        }
        self.clearing.begin(now, jobs);
        self.begin(Phase::Clearing, now, None);
        self.watch_clearing();
    }

    /// Plans the first connect of each device.
    fn begin_connecting(&mut self, now: Instant) {
        self.sessions.before = self.clearing.report();
        let scenario = Rc::clone(&self.scenario);
        let mut last = now;
        for group in &scenario.groups {
            for (index, DeviceId(device)) in (0_u32..).zip(group.devices()) {
                let at = now + group.connects_after(index);
                last = last.max(at);
                let place = device as usize;
                self.devices[place].connect_at(at);
                self.watch_device(place);
            }
        }
        let ends = last + scenario.run.connect_timeout;
        self.begin(Phase::Connecting, now, Some(ends));
    }

    fn begin_load(&mut self, now: Instant) {
        let run = self.scenario.run;
        let measured = now + run.warmup;
        let load = Load {
            begin: now,
            end: measured + run.duration,
        };
        self.load_ends = load.end;
        self.begin(Phase::WarmingUp, now, Some(measured));
        for place in 0..self.members {
            self.devices[place].begin_load(load);
            self.watch_device(place);
        }
    }

    fn begin_measuring(&mut self, now: Instant) {
        self.tell_planned(now, Phase::Measuring, self.phase_ends);
        let (begin, end) = (self.phase_ends, self.load_ends);
        self.begin(Phase::Measuring, begin, Some(end));
        self.shared.faults.begin(&self.scenario.faults, begin, end);
        self.watch_faults();
    }

    /// The load ended at `at`: what was due before and is undone at `now` is still done.
    fn begin_draining(&mut self, at: Instant, now: Instant) {
        let drain = self.scenario.run.drain;
        self.drain_due = at + drain;
        self.begin(Phase::Draining, at, Some(at.max(now) + drain));
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
    fn wait_for_links(&mut self, now: Instant) {
        let is_over = self.phase == Phase::Draining && self.is_phase_over(now);
        if !is_over || self.link_waits == LINK_WAITS_MAX {
            return;
        }
        self.link_waits += 1;
        let arrivals = self.devices.iter().filter_map(Device::in_transit_until);
        if let Some(last) = arrivals.max().filter(|&last| last > now) {
            // The wait is planned, so it is not a lag of the generator.
            self.drain_due = last.min(now + LINK_WAIT_MAX) + FORWARDING_TIME;
            self.drain_until(self.drain_due);
        }
    }

    /// The shell did nothing from `since` until `now`: if it should have drained, it goes on for
    /// longer.
    pub(super) fn prolong_drain(&mut self, since: Instant, now: Instant) {
        let stood_still = now.saturating_since(since);
        if self.phase != Phase::Draining
            || stood_still < DRAIN_STANDSTILL_MIN
            || self.drain_standstills == DRAIN_STANDSTILLS_MAX
        {
            return;
        }
        self.drain_standstills += 1;
        // Even if the drain is over by now, what came meanwhile is read first.
        let reading = stood_still.min(self.scenario.run.drain);
        self.drain_until((self.phase_ends + stood_still).max(now + reading));
    }

    fn begin_checking(&mut self, now: Instant) {
        self.tell_planned(now, Phase::Checking, self.drain_due);
        self.begin(Phase::Checking, self.phase_ends, None);
        for place in self.members..self.devices.len() {
            self.devices[place].connect_at(now);
            self.watch_device(place);
        }
    }

    fn begin_leaving(&mut self, now: Instant, actions: &mut Actions) {
        for place in 0..self.members {
            self.with_device(now, actions, place, Device::tell_in_transit);
        }
        self.begin(Phase::Leaving, now, Some(now + LEAVING_MAX));
        for place in 0..self.devices.len() {
            self.with_device(now, actions, place, Device::leave);
        }
    }

    /// Ends the Sessions that no goodbye ended: of 3.1.1, whose DISCONNECT cannot, and of devices that
    /// were not connected at the end.
    fn begin_ending_sessions(&mut self, now: Instant) {
        let jobs = self.sessions_to_end();
        if jobs.is_empty() {
            return self.begin(Phase::Finished, now, None);
        }
        self.clearing.begin(now, jobs);
        self.begin(Phase::EndingSessions, now, None);
        self.watch_clearing();
    }

    /// What a run leaves behind that is cut short now: Sessions that it would have ended.
    pub(super) fn sessions_left(&self) -> Cleared {
        let (asked, cleared) = match self.phase {
            Phase::EndingSessions => {
                let Cleared { asked, cleared, .. } = self.clearing.report();
                (asked, cleared)
            }
            Phase::Clearing => (0, 0),
            Phase::Connecting
            | Phase::WarmingUp
            | Phase::Measuring
            | Phase::Draining
            | Phase::Checking
            | Phase::Leaving
            | Phase::Finished => (self.sessions_to_end().len() as u64, 0),
        };
        Cleared {
            asked,
            cleared,
            failed: asked - cleared,
        }
    }

    fn sessions_to_end(&self) -> Vec<Job> {
        let jobs = self.scenario.groups_to_leave_clean().flat_map(|group| {
            let devices = || group.devices().map(|id| &self.devices[id.0 as usize]);
            let ended = devices().filter(|device| device.has_ended_session());
            let ended: HashSet<&str> = ended.map(Device::client_id).collect();
            let left = devices().map(Device::client_id);
            jobs(group, left.filter(move |id| !ended.contains(id)))
        });
        in_order(jobs)
    }

    /// Goes to the drain at once. The drain itself is not cut short: what is on its way would be
    /// taken for lost.
    pub(super) fn stop(&mut self, now: Instant, actions: &mut Actions) {
        match self.phase {
            Phase::Clearing | Phase::Connecting | Phase::WarmingUp | Phase::Measuring => {
                self.clearing.stop();
                for place in 0..self.members {
                    self.with_device(now, actions, place, |device, turn| {
                        device.end_load(turn.now);
                    });
                }
                // What the last firing chose devices for is still done to all of them.
                self.shared.faults.end();
                self.watch_faults();
                self.load_ends = now;
                self.begin_draining(now, now);
            }
            Phase::Draining
            | Phase::Checking
            | Phase::Leaving
            | Phase::EndingSessions
            | Phase::Finished => {}
        }
    }

    /// Time until the load and the drain are over, as far as the scenario tells.
    pub(super) fn time_left(&self, now: Instant) -> Duration {
        let run = self.scenario.run;
        let rest = self.phase_ends.saturating_since(now);
        match self.phase {
            Phase::Clearing | Phase::Connecting => run.warmup + run.duration + run.drain,
            Phase::WarmingUp => rest + run.duration + run.drain,
            Phase::Measuring => rest + run.drain,
            Phase::Draining => rest,
            Phase::Checking | Phase::Leaving | Phase::EndingSessions | Phase::Finished => {
                Duration::ZERO
            }
        }
    }
}
