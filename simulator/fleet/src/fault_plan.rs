//! When faults fire and which devices they take. `device` does them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use squall_protocol::{Instant, Malformation};
use squall_scenario::{DeviceId, Fault, FaultId};

use crate::firing::Firing;
use crate::outcome::{FaultReport, Strike};
use crate::random::{Draws, Purpose};

/// All firings of all faults of a run, and what became of them.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    /// Sorted: by time, then in file order.
    firings: Vec<Firing>,
    /// The first one that has not fired.
    next: usize,
    /// Devices that the last firing chose, or that the last end is about, and that have not had their turn.
    hits: VecDeque<Hit>,
    /// Firings that last and have not ended, each with the devices that it chose.
    ends: BTreeMap<End, Vec<DeviceId>>,
    /// When what lasts ends at the latest: with the measured part.
    last_end: Instant,
    reports: Vec<FaultReport>,
    /// By fault, the rules that its malformed packets break.
    malformations: Vec<Vec<Malformation>>,
}

/// One device that a firing chose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// The firing that chose it.
    pub(crate) firing: Firing,
    /// The device that it chose.
    pub(crate) device: DeviceId,
    /// Whether it begins there or ends.
    pub(crate) step: Step,
    /// When what begins there is over; `None` if it is done in a moment, or ends now.
    pub(crate) until: Option<Instant>,
}

/// What becomes of a fault at a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// It is done, or begins.
    Begin,
    /// It lasted, and is over.
    End,
}

/// When a firing that lasts is over. Those of one moment end in the order of their firings.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct End {
    at: Instant,
    firing: Firing,
}

/// What a firing chose, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen<'a> {
    /// The devices, in the order of their ids.
    pub(crate) devices: &'a [DeviceId],
    /// How long it lasts; `None` if it is done in a moment.
    pub(crate) lasts: Option<Duration>,
}

impl FaultPlan {
    /// No fault fires before [`Self::begin`].
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let reports = with_ids(faults)
            .map(|(fault, _)| FaultReport {
                fault,
                strikes: Vec::new(),
                applied: 0,
                inapplicable: 0,
            })
            .collect();
        let malformations = faults.iter().map(|fault| {
            let devices = fault.devices();
            devices.map_or(Vec::new(), |devices| devices.malformations.clone())
        });
        Self {
            firings: Vec::new(),
            next: 0,
            hits: VecDeque::new(),
            ends: BTreeMap::new(),
            last_end: Instant::ZERO,
            reports,
            malformations: malformations.collect(),
        }
    }

    /// The measured part begins at `begin` and ends at `end`: plans every firing in between.
    pub(crate) fn begin(&mut self, faults: &[Fault], begin: Instant, end: Instant) {
        for (id, fault) in with_ids(faults) {
            let firings = (0..).zip(fault.times()).map(|(number, time)| Firing {
                at: begin + time,
                fault: id,
                number,
            });
            self.firings
                .extend(firings.take_while(|firing| firing.at <= end));
        }
        self.firings.sort_unstable();
        self.last_end = end;
    }

    /// When there is something to do next: the next hit, or else the next end or firing.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let hit = self.hits.front().map(|hit| hit.firing.at);
        hit.or_else(|| {
            let firing = self.firings.get(self.next).map(|firing| firing.at);
            let end = self.ends.keys().next().map(|end| end.at);
            firing.into_iter().chain(end).min()
        })
    }

    /// Whether devices that the last firing chose have not been hit yet.
    pub(crate) fn has_hits(&self) -> bool {
        !self.hits.is_empty()
    }

    /// Takes out the next device to hit.
    pub(crate) fn poll_hit(&mut self) -> Option<Hit> {
        self.hits.pop_front()
    }

    /// Ends the next firing that lasts, if that is due by `now` and no other fires before: its devices wait for
    /// their turn. `None` if none is.
    pub(crate) fn end_next(&mut self, now: Instant) -> Option<Firing> {
        let (&end, _) = self.ends.first_key_value()?;
        let fires_before = self
            .firings
            .get(self.next)
            .is_some_and(|next| next.at < end.at);
        if end.at > now || fires_before {
            return None;
        }
        let devices = self.ends.remove(&end).unwrap_or_default();
        let hits = devices.into_iter().map(|device| Hit {
            firing: end.firing,
            device,
            step: Step::End,
            until: None,
        });
        self.hits.extend(hits);
        self.note_ended(end.firing, Some(now));
        Some(end.firing)
    }

    /// A firing was over then, or is not over yet.
    pub(crate) fn note_ended(&mut self, firing: Firing, at: Option<Instant>) {
        self.strike_mut(firing).ended = at;
    }

    /// All processes of the broker had ended, or were stopped, by a firing.
    pub(crate) fn note_halted(&mut self, firing: Firing, at: Instant) {
        self.strike_mut(firing).halted = Some(at);
    }

    /// Takes out the next firing if it is due by `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Firing> {
        let firing = *self.firings.get(self.next)?;
        if firing.at > now {
            return None;
        }
        self.next += 1;
        Some(firing)
    }

    /// The run is stopped at `now`: drops the firings that have not come, and the devices that the last one chose
    /// and has not hit. What lasts ends now.
    pub(crate) fn stop(&mut self, now: Instant) {
        self.next = self.firings.len();
        let (begin, end): (Vec<_>, Vec<_>) = std::mem::take(&mut self.hits)
            .into_iter()
            .partition(|hit| hit.step == Step::Begin);
        for hit in begin {
            self.note_inapplicable(hit.firing.fault);
        }
        self.hits.extend(end);
        let ends = std::mem::take(&mut self.ends).into_iter();
        self.ends = ends
            .map(|(End { at, firing }, devices)| {
                let at = at.min(now);
                (End { at, firing }, devices)
            })
            .collect();
    }

    /// A firing came at `now` and chose devices: they wait to be hit.
    pub(crate) fn note_fired(&mut self, firing: Firing, now: Instant, chosen: Chosen<'_>) {
        let Chosen { devices, lasts } = chosen;
        self.note_strike(firing.fault, now, devices.len() as u64);
        let until = lasts.map(|lasts| (firing.at + lasts).min(self.last_end).max(firing.at));
        let hits = devices.iter().map(|&device| Hit {
            firing,
            device,
            step: Step::Begin,
            until,
        });
        self.hits.extend(hits);
        if let Some(at) = until {
            self.ends.insert(End { at, firing }, devices.to_vec());
        }
    }

    /// A firing came at `now` that does something to the broker, for as long as it `lasts`.
    pub(crate) fn note_fired_at_broker(
        &mut self,
        firing: Firing,
        now: Instant,
        lasts: Option<Duration>,
    ) {
        self.note_strike(firing.fault, now, 1);
        if let Some(lasts) = lasts {
            let at = (firing.at + lasts).min(self.last_end).max(firing.at);
            self.ends.insert(End { at, firing }, Vec::new());
        }
    }

    fn note_strike(&mut self, fault: FaultId, now: Instant, selected: u64) {
        self.report_mut(fault).strikes.push(Strike {
            at: now,
            selected,
            applied: 0,
            halted: None,
            ended: None,
            connections: 0,
        });
    }

    /// A fault did its work on one device that `firing` chose: a takeover perhaps after the next
    /// firing, since its transport has to be opened first.
    pub(crate) fn note_applied(&mut self, firing: Firing) {
        self.report_mut(firing.fault).applied += 1;
        self.strike_mut(firing).applied += 1;
    }

    /// A fault ended one more connection of a device that `firing` chose, or opened it.
    pub(crate) fn note_connection(&mut self, firing: Firing) {
        self.strike_mut(firing).connections += 1;
    }

    /// The rule that the next malformed packet of a fault breaks: one after the other, over all devices that it hits.
    pub(crate) fn next_malformation(&self, fault: FaultId) -> Option<Malformation> {
        let place = usize::from(fault.0);
        let kinds = &self.malformations[place];
        let sent = self.reports[place].applied;
        let turn = sent.checked_rem(kinds.len() as u64)?;
        kinds.get(usize::try_from(turn).ok()?).copied()
    }

    fn strike_mut(&mut self, firing: Firing) -> &mut Strike {
        // Every firing before this one has a strike, too: they fire in the order of their numbers.
        let place = usize::try_from(firing.number).expect("a fault has at most 100,000 times");
        &mut self.report_mut(firing.fault).strikes[place]
    }

    fn report_mut(&mut self, fault: FaultId) -> &mut FaultReport {
        &mut self.reports[usize::from(fault.0)]
    }

    /// A fault could not do its work on a device that it took.
    pub(crate) fn note_inapplicable(&mut self, fault: FaultId) {
        self.report_mut(fault).inapplicable += 1;
    }

    /// Devices on which faults did their work, over all faults.
    pub(crate) fn applied(&self) -> u64 {
        self.reports.iter().map(|report| report.applied).sum()
    }

    /// One report for each fault up to now, in file order.
    pub(crate) fn reports(&self) -> &[FaultReport] {
        &self.reports
    }

    /// One report for each fault, in file order.
    pub(crate) fn into_reports(self) -> Vec<FaultReport> {
        self.reports
    }
}

/// How long a firing of `fault` lasts; `None` if that is done in a moment. `draws` are the fault's.
pub(crate) fn length(fault: &Fault, draws: Draws, firing: Firing) -> Option<Duration> {
    let lasts = fault.lasts.as_ref()?;
    let mut rng = draws.generator(Purpose::FaultLength, firing.number);
    Some(lasts.sample(&mut rng))
}

fn with_ids(faults: &[Fault]) -> impl Iterator<Item = (FaultId, &Fault)> {
    (0..).map(FaultId).zip(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_scenario::GroupId;
    use squall_scenario::{DeviceFault, DropKind, FaultAction, FaultTarget, FaultTiming, Select};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fault(timing: FaultTiming) -> Fault {
        Fault {
            name: "test".to_owned(),
            timing,
            lasts: None,
            target: FaultTarget::Devices(DeviceFault {
                group: GroupId(0),
                select: Select::All,
                action: FaultAction::Drop(DropKind::Rst),
                malformations: Vec::new(),
            }),
        }
    }

    fn chosen(devices: &[DeviceId], lasts: Option<Duration>) -> Chosen<'_> {
        Chosen { devices, lasts }
    }

    /// A plan whose only fault has fired every two seconds until `until` and lasts three each time, in a measured part
    /// of seven.
    fn lasting(until: u64) -> FaultPlan {
        let faults = [fault(FaultTiming::Every {
            period: secs(2),
            until: secs(until),
        })];
        let mut plan = FaultPlan::new(&faults);
        plan.begin(&faults, Instant::ZERO, Instant::ZERO + secs(7));
        plan
    }

    /// What a plan does, in order, each with its moment in seconds: a firing that chooses device 7, or the end of one.
    fn run(plan: &mut FaultPlan) -> Vec<(u64, Step, u64)> {
        let mut done = Vec::new();
        while let Some(now) = plan.next_due() {
            if plan.end_next(now).is_none() {
                let firing = plan.poll(now).expect("it is due");
                plan.note_fired(firing, now, chosen(&[DeviceId(7)], Some(secs(3))));
            }
            while let Some(hit) = plan.poll_hit() {
                done.push((now.since_start().as_secs(), hit.step, hit.firing.number));
            }
        }
        done
    }

    /// A firing that lasts ends at its own time, whatever fires meanwhile, and with the measured part at the latest.
    #[test]
    fn what_lasts_ends_at_its_time() {
        let mut plan = lasting(6);

        let done = run(&mut plan);

        let expected = [
            (2, Step::Begin, 0),
            (4, Step::Begin, 1),
            (5, Step::End, 0),
            (6, Step::Begin, 2),
            (7, Step::End, 1),
            (7, Step::End, 2),
        ];
        assert_eq!(done, expected);
        let ended: Vec<_> = plan.into_reports()[0]
            .strikes
            .iter()
            .map(|s| s.ended)
            .collect();
        assert_eq!(ended, [5, 7, 7].map(|s| Some(Instant::ZERO + secs(s))));
    }

    /// A run that is stopped leaves no device under a fault.
    #[test]
    fn what_lasts_ends_when_the_run_is_stopped() {
        let mut plan = lasting(6);
        let now = Instant::ZERO + secs(2);
        let firing = plan.poll(now).expect("due after 2 s");
        plan.note_fired(firing, now, chosen(&[DeviceId(7)], Some(secs(3))));
        plan.poll_hit().expect("it chose a device");

        plan.stop(Instant::ZERO + secs(3));

        assert_eq!(run(&mut plan), [(3, Step::End, 0)]);
    }

    /// Faults of one moment fire in file order.
    #[test]
    fn firings_come_by_time_and_then_in_file_order() {
        let faults = [
            fault(FaultTiming::At(secs(4))),
            fault(FaultTiming::Every {
                period: secs(2),
                until: secs(5),
            }),
        ];
        let mut plan = FaultPlan::new(&faults);
        plan.begin(&faults, Instant::ZERO + secs(10), Instant::ZERO + secs(20));

        let fired: Vec<(u64, u16)> = std::iter::from_fn(|| plan.poll(Instant::ZERO + secs(99)))
            .map(|firing| (firing.at.since_start().as_secs(), firing.fault.0))
            .collect();

        assert_eq!(fired, [(12, 1), (14, 0), (14, 1)]);
    }

    /// What a takeover does after the next firing counts for the firing that chose its device.
    #[test]
    fn a_late_effect_counts_for_its_own_strike() {
        let faults = [fault(FaultTiming::Every {
            period: secs(2),
            until: secs(5),
        })];
        let mut plan = FaultPlan::new(&faults);
        plan.begin(&faults, Instant::ZERO, Instant::ZERO + secs(20));
        let now = Instant::ZERO + secs(99);
        let first = plan.poll(now).expect("due after 2 s");
        plan.note_fired(first, now, chosen(&[DeviceId(0), DeviceId(1)], None));
        let second = plan.poll(now).expect("due after 4 s");
        plan.note_fired(second, now, chosen(&[DeviceId(2)], None));

        plan.note_applied(second);
        plan.note_applied(first);
        plan.note_applied(first);

        let reports = plan.into_reports();
        let applied: Vec<u64> = reports[0].strikes.iter().map(|s| s.applied).collect();
        assert_eq!(applied, [2, 1]);
    }
}
