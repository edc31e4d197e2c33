//! One run of one scenario: its devices, its phases, its faults.
//!
//! The phases, in order: Sessions that an earlier run left are ended; devices connect and subscribe; the load runs, first as warm-up, then
//! measured, while faults fire; the drain, in which late deliveries come and interrupted exchanges
//! end; checkers look at what is retained; devices leave; their Sessions end. `Fleet` only decides when; what a
//! device does is `device`'s.
//!
//! A phase whose end the scenario tells (warm-up, measuring, drain) ends at that very moment, however
//! late the shell comes: the next one begins before anything of that moment or later is heard or
//! done. So a message that is due just when measuring begins is measured.
//!
//! Each device, the faults and the phases have one slot each in one queue of deadlines, so an input
//! or a deadline costs O(log n) for n devices.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{DeviceId, FaultTarget, NetworkId, Scenario};

use crate::clearing::{Clearing, Job, in_order, jobs, sessions_to_clear};
use crate::deadline::Deadlines;
use crate::device::{Device, Shared, Tally, Turn};
use crate::drive::{Actions, Input};
use crate::fault_plan::{FaultPlan, Firing, select};
use crate::link::LinkReport;
use crate::members::{checkers, members, slot};
use crate::observation::{About, Fact, Observation};
use crate::outcome::{Outcome, Sessions};
use crate::progress::{Phase, Progress};
use crate::random::Draws;
use crate::schedule::Load;
use crate::sink::Sink;
use crate::stamp::RunTag;

/// From here on a late call is a standstill: timers and other processes cost less than that on a
/// machine that has room.
const STANDSTILL_MIN: Duration = Duration::from_millis(1);

/// Unix time at the start of a run in virtual time: 2026-01-01T00:00:00Z.
pub const VIRTUAL_START: Duration = Duration::from_secs(1_767_225_600);

/// How long closing connections may take at the end.
const LEAVING_MAX: Duration = Duration::from_secs(5);

/// One run, as a state machine. Its facts go to `S`.
pub struct Fleet<S> {
    scenario: Rc<Scenario>,
    sink: S,
    /// By [`DeviceId`]: those of the scenario, then the checkers.
    devices: Vec<Device>,
    /// Devices of the scenario.
    members: usize,
    shared: Shared,
    clearing: Clearing,
    sessions: Sessions,
    deadlines: Deadlines,
    /// When [`Self::handle`] was called last.
    last_call: Instant,
    phase: Phase,
    phases: Vec<(Phase, Instant)>,
    /// When the phase ends by itself.
    phase_ends: Instant,
    /// The end of the measured part, once the load has begun.
    load_ends: Instant,
}

impl<S: Sink> Fleet<S> {
    /// A run that starts at [`Instant::ZERO`] with the first deadline. Its messages bear `run`.
    pub fn new(scenario: Rc<Scenario>, run: RunTag, sink: S) -> Self {
        let mut devices = members(&scenario);
        let members = devices.len();
        let networks = 0..u16::try_from(scenario.networks.len()).expect("networks fit in 16 bits");
        devices.extend(checkers(&scenario, members));
        let slots = u32::try_from(devices.len() + 3).expect("devices are counted in 32 bits");
        let mut fleet = Self {
            sink,
            members,
            shared: Shared {
                run,
                links: networks.map(|id| LinkReport::new(NetworkId(id))).collect(),
                started_at: VIRTUAL_START,
                faults: FaultPlan::new(&scenario.faults),
                tally: Tally::default(),
                scratch: Vec::new(),
            },
            clearing: Clearing::new(scenario.run.connect_timeout),
            sessions: Sessions::default(),
            deadlines: Deadlines::new(slots),
            last_call: Instant::ZERO,
            phase: Phase::Clearing,
            phases: Vec::new(),
            phase_ends: Instant::ZERO,
            load_ends: Instant::ZERO,
            devices,
            scenario,
        };
        fleet.deadlines.set(fleet.phase_slot(), Some(Instant::ZERO));
        fleet
    }

    /// The same run, whose [`Instant::ZERO`] is the Unix time `started_at`: what `{now_ms}` counts from.
    ///
    /// Without it that is [`VIRTUAL_START`], so that a run in virtual time is the same each time.
    #[must_use]
    pub fn starting_at(mut self, started_at: Duration) -> Self {
        self.shared.started_at = started_at;
        self
    }

    /// Takes `input`, which happened at `now`, and appends what follows from it to `actions`.
    ///
    /// `now` never goes backwards. Inputs about a socket that the fleet closed change nothing.
    /// [`Input::DeadlinePassed`] does one thing that is due, and nothing if none is: what follows
    /// from it happens at `now`, so the caller carries the actions out and reads its clock again
    /// before the next.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, actions: &mut Actions) {
        self.tell_standstill(now);
        self.enter_first_phase(now);
        self.advance(now, actions);
        match input {
            Input::Opened { socket, .. }
            | Input::OpenFailed { socket, .. }
            | Input::Received { socket, .. }
            | Input::Full { socket }
            | Input::Drained { socket }
            | Input::Closed { socket, .. }
                if Clearing::owns(socket) =>
            {
                self.clearing.handle_input(now, input, actions);
                self.watch_clearing();
            }
            Input::Opened { socket, .. }
            | Input::OpenFailed { socket, .. }
            | Input::Received { socket, .. }
            | Input::Full { socket }
            | Input::Drained { socket }
            | Input::Closed { socket, .. } => {
                let place = Device::of_socket(socket).0 as usize;
                self.with_device(now, actions, place, |device, turn| {
                    device.handle_input(turn, socket, input);
                });
            }
            Input::DeadlinePassed => self.handle_deadline(now, actions),
            Input::Stop => self.stop(now, actions),
        }
        self.advance(now, actions);
    }

    /// When [`Input::DeadlinePassed`] is due next; `None` once the run is over.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Whether the run is over: no input changes anything any more.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// What the run does now.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The figures of the moment.
    pub fn progress(&self, now: Instant) -> Progress {
        let tally = self.shared.tally;
        Progress {
            phase: self.phase,
            time_left: self.time_left(now),
            devices: u32::try_from(self.members).expect("devices are counted in 32 bits"),
            online: tally.online,
            published: tally.published,
            delivered: tally.delivered,
            faults_applied: self.shared.faults.applied(),
        }
    }

    /// Who hears the facts, for figures of the moment.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Ends the run at `now` and gives what it leaves behind.
    pub fn finish(mut self, now: Instant) -> Outcome<S> {
        for place in 0..self.devices.len() {
            // Nobody is there to do anything any more.
            self.with_device(now, &mut Actions::new(), place, |device, turn| {
                device.finish_link(turn);
            });
        }
        let used = |network: NetworkId| {
            let mut groups = self.scenario.groups.iter();
            groups.any(|group| group.network == Some(network))
        };
        let mut links = self.shared.links;
        links.retain(|link| used(link.network));
        Outcome {
            sink: self.sink,
            phases: self.phases,
            links,
            faults: self.shared.faults.into_reports(),
            sessions: self.sessions,
        }
    }

    /// Lends device `place` everything it needs, and asks for its next deadline afterwards.
    fn with_device(
        &mut self,
        now: Instant,
        actions: &mut Actions,
        place: usize,
        work: impl FnOnce(&mut Device, &mut Turn<'_>),
    ) {
        let Some(device) = self.devices.get_mut(place) else {
            return;
        };
        let mut turn = Turn {
            now,
            actions,
            sink: &mut self.sink,
            shared: &mut self.shared,
        };
        work(device, &mut turn);
        self.deadlines.set(slot(place), device.next_deadline());
    }

    fn handle_deadline(&mut self, now: Instant, actions: &mut Actions) {
        let Some(slot) = self.deadlines.poll(now) else {
            return;
        };
        let place = slot as usize;
        if place < self.devices.len() {
            self.with_device(now, actions, place, Device::handle_deadline);
        } else if slot == self.fault_slot() {
            self.do_faults(now, actions);
        } else if slot == self.clearing_slot() {
            self.clearing.handle_deadline(now, actions);
            self.watch_clearing();
        }
        // The phases' slot needs nothing more: every input looks whether a phase is over.
    }

    /// Does what faults ask for to one device, after the next firing has chosen its devices.
    fn do_faults(&mut self, now: Instant, actions: &mut Actions) {
        if !self.shared.faults.has_hits()
            && let Some(firing) = self.shared.faults.poll(now)
        {
            self.fire(now, firing);
        }
        if let Some(hit) = self.shared.faults.poll_hit() {
            let scenario = Rc::clone(&self.scenario);
            let FaultTarget::Devices(devices) = &scenario.fault(hit.fault).target;
            let place = hit.device.0 as usize;
            self.with_device(now, actions, place, |device, turn| {
                device.apply(turn, hit, devices.action);
            });
        }
        self.deadlines
            .set(self.fault_slot(), self.shared.faults.next_due());
    }

    fn fire(&mut self, now: Instant, firing: Firing) {
        let scenario = Rc::clone(&self.scenario);
        let fault = scenario.fault(firing.fault);
        let FaultTarget::Devices(wanted) = &fault.target;
        let group = scenario.group(wanted.group);
        let candidates = group.devices().filter_map(|id| {
            let device = &self.devices[id.0 as usize];
            device.is_here().then(|| (id, device.client_id()))
        });
        let draws = Draws::of_fault(scenario.seed, &fault.name);
        let taken = select(&wanted.select, group.count, draws, firing, candidates);
        self.shared.faults.note_fired(firing, now, &taken);
    }

    /// Begins every phase whose time has come, at the moment that the scenario tells where it does.
    fn advance(&mut self, now: Instant, actions: &mut Actions) {
        while self.is_phase_over(now) {
            match self.phase {
                Phase::Clearing => self.begin_connecting(now),
                Phase::Connecting => self.begin_load(now),
                Phase::WarmingUp => self.begin_measuring(),
                Phase::Measuring => self.begin_draining(self.phase_ends),
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
        let tally = &self.shared.tally;
        let is_late = self.phase_ends <= now;
        match self.phase {
            Phase::Clearing | Phase::EndingSessions => self.clearing.is_over(),
            Phase::Connecting => is_late || tally.ready as usize >= self.members,
            Phase::WarmingUp | Phase::Measuring | Phase::Draining => is_late,
            Phase::Checking => tally.checked as usize >= self.devices.len() - self.members,
            Phase::Leaving => is_late || tally.connections == 0,
            Phase::Finished => false,
        }
    }

    /// Begins a phase at `at`, which ends at `ends` at the latest, or by itself only.
    fn begin(&mut self, phase: Phase, at: Instant, ends: Option<Instant>) {
        self.phase = phase;
        self.phases.push((phase, at));
        self.sink.enter_phase(at, phase);
        self.phase_ends = ends.unwrap_or(Instant::from_nanos(u64::MAX));
        self.deadlines.set(self.phase_slot(), ends);
        if phase == Phase::Finished {
            self.deadlines.set(self.fault_slot(), None);
            for place in 0..self.devices.len() {
                self.deadlines.set(slot(place), None);
            }
        }
    }

    fn enter_first_phase(&mut self, now: Instant) {
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
                self.deadlines
                    .set(device, self.devices[place].next_deadline());
            }
        }
        let ends = last + scenario.run.connect_timeout;
        self.begin(Phase::Connecting, now, Some(ends));
    }

    /// Tells if the caller did nothing for long though something was due.
    fn tell_standstill(&mut self, now: Instant) {
        let last = std::mem::replace(&mut self.last_call, now);
        let Some(due) = self.deadlines.next() else {
            return;
        };
        let since = due.max(last);
        if now.saturating_since(since) >= STANDSTILL_MIN {
            let fact = Fact::StoodStill { since };
            let about = About::Run;
            self.sink.observe(now, &Observation { about, fact });
        }
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
            let next = self.devices[place].next_deadline();
            self.deadlines.set(slot(place), next);
        }
    }

    fn begin_measuring(&mut self) {
        let (begin, end) = (self.phase_ends, self.load_ends);
        self.begin(Phase::Measuring, begin, Some(end));
        self.shared.faults.begin(&self.scenario.faults, begin, end);
        self.deadlines
            .set(self.fault_slot(), self.shared.faults.next_due());
    }

    fn begin_draining(&mut self, at: Instant) {
        // A fault that was due before strikes all the same, however late.
        let ends = at + self.scenario.run.drain;
        self.begin(Phase::Draining, at, Some(ends));
    }

    fn begin_checking(&mut self, now: Instant) {
        self.begin(Phase::Checking, self.phase_ends, None);
        for place in self.members..self.devices.len() {
            self.devices[place].connect_at(now);
            let next = self.devices[place].next_deadline();
            self.deadlines.set(slot(place), next);
        }
    }

    fn begin_leaving(&mut self, now: Instant, actions: &mut Actions) {
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

    /// Asks for the next deadline of the connections that end Sessions.
    fn watch_clearing(&mut self) {
        self.deadlines
            .set(self.clearing_slot(), self.clearing.next_due());
    }

    /// Goes to the drain at once. The drain itself is not cut short: what is on its way would be
    /// taken for lost.
    fn stop(&mut self, now: Instant, actions: &mut Actions) {
        match self.phase {
            Phase::Clearing | Phase::Connecting | Phase::WarmingUp | Phase::Measuring => {
                self.clearing.stop();
                for place in 0..self.members {
                    self.with_device(now, actions, place, |device, turn| {
                        device.end_load(turn.now);
                    });
                }
                // Devices that a firing chose have it done to them all the same.
                self.shared.faults.end();
                self.deadlines
                    .set(self.fault_slot(), self.shared.faults.next_due());
                self.begin_draining(now);
            }
            Phase::Draining
            | Phase::Checking
            | Phase::Leaving
            | Phase::EndingSessions
            | Phase::Finished => {}
        }
    }

    fn time_left(&self, now: Instant) -> Duration {
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

    fn fault_slot(&self) -> u32 {
        slot(self.devices.len())
    }

    fn phase_slot(&self) -> u32 {
        slot(self.devices.len() + 1)
    }

    fn clearing_slot(&self) -> u32 {
        slot(self.devices.len() + 2)
    }
}
