//! When one phase ends and the next begins, and what a phase begins with.
//!
//! Warm-up and measuring end at the very moment that the scenario tells, however late the shell
//! comes: the next phase begins before anything of that moment or later is done. So a message that is
//! due just when measuring begins is measured.
//!
//! The other phases end when the [`Census`](crate::device::Census) or the clearing says that what they
//! wait for has happened.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{DeviceId, LoadBegin, RunSettings};

use super::Fleet;
use crate::clearing::{Job, in_order, jobs, sessions_to_clear};
use crate::device::{Device, Stage};
use crate::drive::Actions;
use crate::members::slot;
use crate::observation::{Fact, Planned, Unchecked};
use crate::outcome::Cleared;
use crate::progress::Phase;
use crate::schedule::Load;
use crate::sink::Sink;

/// How long closing connections may take at the end.
const LEAVING_MAX: Duration = Duration::from_secs(5);

/// How long the look at what is retained takes at most, once the broker has had the time that it has for a
/// SUBACK: as long as the store of a large broker takes over a slow line. Messages with RETAIN may keep
/// coming without end, where other clients publish or a broker errs.
const CHECKING_MAX: Duration = Duration::from_secs(60);

impl<S: Sink> Fleet<S> {
    /// Begins every phase whose time has come, at the moment that the scenario tells where it does.
    pub(super) fn advance(&mut self, now: Instant, actions: &mut Actions) {
        self.hold_drain(now);
        self.wait_for_links(now);
        while self.is_phase_over(now) {
            match self.phase {
                Phase::Clearing => self.begin_connecting(now),
                Phase::Connecting => self.begin_load(now),
                Phase::WarmingUp => self.begin_measuring(now),
                Phase::Measuring => {
                    self.tell_planned(now, Phase::Draining, self.phase_ends);
                    self.shared.supplies.end_load(self.phase_ends);
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
            Phase::Draining => self.is_drained(),
            Phase::Checking => {
                has_run_out || census.checked as usize >= self.devices.len() - self.members
            }
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
    pub(super) fn enter_first_phase(&mut self, now: Instant, actions: &mut Actions) {
        if !self.phases.is_empty() {
            return;
        }
        self.shared.supplies.begin(actions);
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
            let mut turn = 0;
            for DeviceId(device) in group.devices() {
                let place = device as usize;
                let begins = self.devices[place].begins_online(scenario.run.warmup);
                if group.attendance.start.is_some() || !begins {
                    self.devices[place].start_later();
                    self.shared.census.ready += 1;
                    continue;
                }
                let at = now + group.connects_after(turn);
                turn += 1;
                last = last.max(at);
                self.devices[place].connect_at(at);
                self.watch_device(place);
            }
        }
        let ends = last + scenario.run.connect_timeout;
        self.begin(Phase::Connecting, now, Some(ends));
        if scenario.run.begin == LoadBegin::AtOnce {
            self.begin_load(now);
        }
    }

    fn begin_load(&mut self, now: Instant) {
        let run = self.scenario.run;
        let measured = now + run.warmup;
        let load = Load {
            measured,
            warmup: run.warmup,
            from: None,
            end: measured + run.duration,
        };
        self.load_ends = load.end;
        self.begin(Phase::WarmingUp, now, Some(measured));
        for place in 0..self.members {
            self.devices[place].begin_load(now, load);
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
        self.drain.due = at + drain;
        for member in &mut self.devices[..self.members] {
            member.end_responses(at + drain / 2);
        }
        self.begin(Phase::Draining, at, Some(at.max(now) + drain));
    }

    fn begin_checking(&mut self, now: Instant) {
        self.tell_planned(now, Phase::Checking, self.drain.due);
        self.begin(
            Phase::Checking,
            self.phase_ends,
            Some(now + checking_max(&self.scenario.run)),
        );
        for member in &mut self.devices[..self.members] {
            member.end_births();
        }
        for place in self.members..self.devices.len() {
            self.devices[place].connect_at(now);
            self.watch_device(place);
        }
    }

    /// Checkers that have no result get none.
    fn give_checks_up(&mut self, now: Instant, actions: &mut Actions, why: Unchecked) {
        for place in self.members..self.devices.len() {
            self.with_device(now, actions, place, |checker, turn| {
                checker.give_check_up(turn, why);
            });
        }
    }

    fn begin_leaving(&mut self, now: Instant, actions: &mut Actions) {
        let limit = checking_max(&self.scenario.run);
        self.give_checks_up(now, actions, Unchecked::TooLong(limit));
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
            let left = (0_u32..).zip(devices());
            let left = left.filter(move |(_, device)| !ended.contains(device.client_id()));
            jobs(group, left.map(|(index, _)| index))
        });
        in_order(jobs)
    }

    /// Goes to the drain at once, in which no device connects and no fault begins, or ends the look at
    /// what is retained. The drain itself is not cut short: what is on its way would be taken for lost.
    pub(super) fn stop(&mut self, now: Instant, actions: &mut Actions) {
        match self.phase {
            Phase::Clearing | Phase::Connecting | Phase::WarmingUp | Phase::Measuring => {
                self.clearing.stop();
                self.shared.stage = Stage::Stopped;
                for place in 0..self.members {
                    self.devices[place].stop(now);
                    self.watch_device(place);
                }
                self.shared.faults.stop(now);
                self.watch_faults();
                self.load_ends = now;
                self.begin_draining(now, now);
            }
            Phase::Checking => self.give_checks_up(now, actions, Unchecked::Stopped),
            Phase::Draining | Phase::Leaving | Phase::EndingSessions | Phase::Finished => {}
        }
    }

    /// Time until the load and the drain are over, as far as the scenario tells; while checkers look, the
    /// most that they have left.
    pub(super) fn time_left(&self, now: Instant) -> Duration {
        let run = self.scenario.run;
        let rest = self.phase_ends.saturating_since(now);
        match self.phase {
            Phase::Clearing | Phase::Connecting => run.warmup + run.duration + run.drain,
            Phase::WarmingUp => rest + run.duration + run.drain,
            Phase::Measuring => rest + run.drain,
            Phase::Draining | Phase::Checking => rest,
            Phase::Leaving | Phase::EndingSessions | Phase::Finished => Duration::ZERO,
        }
    }
}

/// How long the look at what is retained may take.
fn checking_max(run: &RunSettings) -> Duration {
    run.connect_timeout + CHECKING_MAX
}
