//! One run of one scenario: its devices, its phases, its faults.
//!
//! The phases, in order: Sessions that an earlier run left are ended; devices connect and subscribe;
//! the load runs, first as warm-up, then measured, while faults fire; the drain, in which late
//! deliveries come and interrupted exchanges end; checkers look at what is retained; devices leave;
//! their Sessions end. `Fleet` decides when; `device` does it. `phases` has the rules by which one
//! phase follows another, `drain` those by which the drain ends.
//!
//! Each device, the faults, the phases and the clearing have one slot each in one queue of deadlines, so an input
//! or a deadline costs O(log n) for n devices.

mod broker;
mod drain;
mod lines;
mod phases;

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{
    DeviceFault, DeviceId, Fault, FaultAction, FaultTarget, NetworkId, Scenario,
};

use self::broker::BrokerStrike;
use self::drain::Drain;
pub use self::drain::drain_max;
use crate::clearing::Clearing;
use crate::deadline::Deadlines;
use crate::device::{Census, Device, Figures, Shared, Stage, Turn};
use crate::drive::{Actions, Input, Standstill};
use crate::fault_plan::{Chosen, FaultPlan, Step, length};
use crate::firing::Firing;
use crate::lines::Supplies;
use crate::link::LinkReport;
use crate::members::{checkers, members, slot};
use crate::observation::{About, Fact, Observation};
use crate::outcome::{FaultReport, Outcome, Sessions};
use crate::progress::{Phase, Progress};
use crate::random::Draws;
use crate::selection::select;
use crate::sink::Sink;
use crate::stamp::RunTag;

/// A call that is late by this much or more is a standstill: timers and other processes cost less
/// on a machine that has room.
pub const STANDSTILL_MIN: Duration = Duration::from_millis(1);

/// Unix time at the start of a run in virtual time: 2026-01-01T00:00:00Z.
pub const VIRTUAL_START: Duration = Duration::from_secs(1_767_225_600);

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
    /// End of the last standstill that was told, of each kind.
    still_until: Instant,
    unwritten_until: Instant,
    phase: Phase,
    phases: Vec<(Phase, Instant)>,
    /// When the phase ends by itself.
    phase_ends: Instant,
    /// Whether that deadline has had its turn: what was due before is done.
    has_phase_run_out: bool,
    /// The end of the measured part, once the load has begun; earlier if the run is stopped.
    load_ends: Instant,
    drain: Drain,
    /// What a fault has done to the broker that is not over.
    broker: Option<BrokerStrike>,
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
                networks: scenario.networks.iter().cloned().map(Rc::new).collect(),
                links: networks.map(|id| LinkReport::new(NetworkId(id))).collect(),
                started_at: VIRTUAL_START,
                stage: Stage::Whole,
                faults: FaultPlan::new(&scenario.faults),
                supplies: Supplies::new(&scenario),
                census: Census::default(),
                figures: Figures::default(),
                scratch: Vec::new(),
            },
            clearing: Clearing::new(scenario.run.connect_timeout),
            sessions: Sessions::default(),
            deadlines: Deadlines::new(slots),
            last_call: Instant::ZERO,
            still_until: Instant::ZERO,
            unwritten_until: Instant::ZERO,
            phase: Phase::Clearing,
            phases: Vec::new(),
            phase_ends: Instant::ZERO,
            has_phase_run_out: false,
            load_ends: Instant::ZERO,
            drain: Drain::default(),
            broker: None,
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

    /// What the run does.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Takes `input`, which happened at `now`, and appends what follows from it to `actions`.
    ///
    /// `now` never goes backwards. Inputs about a socket that the fleet closed change nothing.
    /// [`Input::DeadlinePassed`] does one thing that is due, and nothing if none is: what follows
    /// from it happens at `now`, so the caller carries the actions out and reads its clock again
    /// before the next.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, actions: &mut Actions) {
        self.tell_standstill(now, input);
        self.enter_first_phase(now, actions);
        self.advance(now, actions);
        match input {
            Input::Opened { socket, .. }
            | Input::OpenFailed { socket, .. }
            | Input::Received { socket, .. }
            | Input::Full { socket }
            | Input::Drained { socket }
            | Input::Closed { socket, .. } => match socket.device() {
                Some(device) => {
                    self.with_device(now, actions, device.0 as usize, |device, turn| {
                        device.handle_input(turn, socket, input);
                    });
                }
                None => {
                    self.clearing.handle_input(now, input, actions);
                    self.watch_clearing();
                }
            },
            Input::DeadlinePassed => self.handle_deadline(now, actions),
            Input::StoodStill { .. } => {}
            Input::Broker(event) => self.handle_broker(now, event),
            Input::Lines { of, event } => self.handle_lines(now, of, event, actions),
            Input::Stop => self.stop(now, actions),
        }
        self.advance(now, actions);
    }

    /// When [`Input::DeadlinePassed`] is due next; `None` once the run is over.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Whether the next deadline is the one from which the run concludes that nothing more comes.
    pub fn is_drain_next_to_end(&self) -> bool {
        self.phase == Phase::Draining && self.deadlines.next_slot() == Some(self.phase_slot())
    }

    /// Whether the run is over: no later input changes anything.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// What the run does now.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The figures of the moment.
    pub fn progress(&self, now: Instant) -> Progress {
        let figures = self.shared.figures;
        Progress {
            phase: self.phase,
            time_left: self.time_left(now),
            links_awaited: match self.phase == Phase::Draining {
                true => self.drain.links_awaited,
                false => 0,
            },
            devices: u32::try_from(self.members).expect("devices are counted in 32 bits"),
            online: figures.online,
            published: figures.published,
            delivered: figures.delivered,
            faults_applied: self.shared.faults.applied(),
        }
    }

    /// What became of each fault up to now, in file order.
    pub fn faults(&self) -> &[FaultReport] {
        self.shared.faults.reports()
    }

    /// The receiver of the facts, for figures of the moment.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Ends the run at `now` and gives what it leaves behind.
    pub fn finish(mut self, now: Instant) -> Outcome<S> {
        if !self.is_finished() {
            self.sessions.after = self.sessions_left();
        }
        for place in 0..self.devices.len() {
            // The run is over: what the device still asks for is not carried out.
            self.with_device(now, &mut Actions::new(), place, |device, turn| {
                device.finish_link(turn);
            });
        }
        let used = |network: NetworkId| {
            let mut groups = self.scenario.groups.iter();
            let mut faults = self.scenario.faults.iter().filter_map(Fault::devices);
            groups.any(|group| group.network == Some(network))
                || faults.any(|devices| devices.action == FaultAction::Network(network))
        };
        let mut links = self.shared.links;
        links.retain(|link| used(link.network));
        Outcome {
            sink: self.sink,
            phases: self.phases,
            links,
            faults: self.shared.faults.into_reports(),
            sessions: self.sessions,
            drain: self.drain.extension,
            lines: self.shared.supplies.into_reports(),
        }
    }

    /// Lends the device at `place` everything it needs, and asks for its next deadline afterwards.
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
            waited: None,
            on_link: Duration::ZERO,
            asking: 0,
            actions,
            sink: &mut self.sink,
            shared: &mut self.shared,
        };
        work(device, &mut turn);
        self.watch_device(place);
    }

    /// Asks for the next deadline of the device at `place`.
    fn watch_device(&mut self, place: usize) {
        let next = self.devices[place].next_deadline();
        self.deadlines.set(slot(place), next);
    }

    /// Asks for the next deadline of the faults.
    fn watch_faults(&mut self) {
        let next = self.shared.faults.next_due();
        self.deadlines.set(self.fault_slot(), next);
    }

    /// Asks for the next deadline of the connections that end Sessions.
    fn watch_clearing(&mut self) {
        let next = self.clearing.next_due();
        self.deadlines.set(self.clearing_slot(), next);
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
        } else {
            self.has_phase_run_out = true;
        }
    }

    /// Does the next part of what faults ask for: lets the next firing choose its devices, if those of
    /// the last one have had theirs, then does it to one device.
    ///
    /// One device a call, so that the shell carries out what follows, and reads its clock, before
    /// the next.
    fn do_faults(&mut self, now: Instant, actions: &mut Actions) {
        let faults = &mut self.shared.faults;
        if !faults.has_hits() {
            if let Some(ended) = faults.end_next(now) {
                self.end_at_broker(ended, actions);
            } else if let Some(firing) = faults.poll(now) {
                self.fire(now, firing, actions);
            }
        }
        if let Some(hit) = self.shared.faults.poll_hit() {
            let scenario = Rc::clone(&self.scenario);
            if let Some(devices) = scenario.fault(hit.firing.fault).devices() {
                let place = hit.device.0 as usize;
                self.with_device(now, actions, place, |device, turn| match hit.step {
                    Step::Begin => device.apply(turn, hit, devices.action),
                    Step::End => device.end_fault(turn, hit.firing, devices.action),
                });
            }
        }
        self.watch_faults();
    }

    fn fire(&mut self, now: Instant, firing: Firing, actions: &mut Actions) {
        let scenario = Rc::clone(&self.scenario);
        let fault = scenario.fault(firing.fault);
        let draws = Draws::of_fault(scenario.seed, &fault.name);
        let lasts = length(fault, draws, firing);
        match &fault.target {
            FaultTarget::Devices(wanted) => {
                let devices = &self.choose(firing, wanted, draws);
                let chosen = Chosen { devices, lasts };
                self.shared.faults.note_fired(firing, now, chosen);
            }
            FaultTarget::Broker(action) => {
                let strike = BrokerStrike {
                    firing,
                    action: *action,
                };
                self.strike_broker(now, strike, lasts, actions);
            }
        }
    }

    /// The devices that a firing takes.
    fn choose(&self, firing: Firing, wanted: &DeviceFault, draws: Draws) -> Vec<DeviceId> {
        let group = self.scenario.group(wanted.group);
        let candidates = group.devices().filter_map(|id| {
            let device = &self.devices[id.0 as usize];
            device.is_here().then(|| (id, device.client_id()))
        });
        select(&wanted.select, group.count, draws, firing, candidates)
    }

    /// Tells if the caller did nothing for long, by its own word or though something was due.
    fn tell_standstill(&mut self, now: Instant, input: Input<'_>) {
        let last = std::mem::replace(&mut self.last_call, now);
        let (since, what) = match input {
            Input::StoodStill { since, what } => (since, what),
            Input::Opened { .. }
            | Input::OpenFailed { .. }
            | Input::Received { .. }
            | Input::Full { .. }
            | Input::Drained { .. }
            | Input::Closed { .. }
            | Input::DeadlinePassed
            | Input::Broker(_)
            | Input::Lines { .. }
            | Input::Stop => match self.deadlines.next() {
                Some(due) => (due.max(last), Standstill::Whole),
                None => return,
            },
        };
        let told_until = match what {
            Standstill::Whole => &mut self.still_until,
            Standstill::Writing => &mut self.unwritten_until,
        };
        let since = since.max(*told_until);
        if now.saturating_since(since) >= STANDSTILL_MIN {
            *told_until = now;
            self.tell(now, Fact::StoodStill { since, what });
            self.prolong_drain(since, now);
        }
    }

    /// Tells a fact about the run.
    fn tell(&mut self, now: Instant, fact: Fact<'_>) {
        let observation = Observation {
            about: About::Run,
            fact,
            waited: None,
            on_link: Duration::ZERO,
        };
        self.sink.observe(now, &observation);
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
