//! When faults fire and which devices they take. `device` does them.

use std::collections::VecDeque;

use rand::RngExt;
use squall_protocol::Instant;
use squall_scenario::{DeviceId, Fault, FaultId, Select, fits_pattern};

use crate::outcome::{FaultReport, Strike};
use crate::random::{Draws, Purpose};

/// All firings of all faults of a run, and what became of them.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    /// Sorted: by time, then in file order.
    firings: Vec<Firing>,
    /// The first one that has not fired.
    next: usize,
    /// Devices that the last firing chose and that have not been hit yet.
    hits: VecDeque<Hit>,
    reports: Vec<FaultReport>,
}

/// One device that a firing chose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// The firing that chose it.
    pub(crate) firing: Firing,
    /// The device that it chose.
    pub(crate) device: DeviceId,
}

/// One time that one fault fires.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Firing {
    /// The planned moment.
    pub(crate) at: Instant,
    /// The fault that fires.
    pub(crate) fault: FaultId,
    /// How many times it fired before.
    pub(crate) number: u64,
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
        Self {
            firings: Vec::new(),
            next: 0,
            hits: VecDeque::new(),
            reports,
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
    }

    /// When there is something to do next: the next hit, or else the next firing.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let hit = self.hits.front().map(|hit| hit.firing.at);
        hit.or_else(|| self.firings.get(self.next).map(|firing| firing.at))
    }

    /// Whether devices that the last firing chose have not been hit yet.
    pub(crate) fn has_hits(&self) -> bool {
        !self.hits.is_empty()
    }

    /// Takes out the next device to hit.
    pub(crate) fn poll_hit(&mut self) -> Option<Hit> {
        self.hits.pop_front()
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

    /// The run is stopped: drops the firings that have not come, and the devices that the last one chose
    /// and has not hit.
    pub(crate) fn stop(&mut self) {
        self.next = self.firings.len();
        for hit in std::mem::take(&mut self.hits) {
            self.note_inapplicable(hit.firing.fault);
        }
    }

    /// A firing came at `now` and chose `devices`: they wait to be hit.
    pub(crate) fn note_fired(&mut self, firing: Firing, now: Instant, devices: &[DeviceId]) {
        self.report_mut(firing.fault).strikes.push(Strike {
            at: now,
            selected: devices.len() as u64,
            applied: 0,
        });
        let hits = devices.iter().map(|&device| Hit { firing, device });
        self.hits.extend(hits);
    }

    /// A fault did its work on one device that `firing` chose: a takeover perhaps after the next
    /// firing, since its transport has to be opened first.
    pub(crate) fn note_applied(&mut self, firing: Firing) {
        let report = self.report_mut(firing.fault);
        report.applied += 1;
        // Every firing before this one has a strike, too: they fire in the order of their numbers.
        let place = usize::try_from(firing.number).expect("a fault has at most 100,000 times");
        report.strikes[place].applied += 1;
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

    /// One report for each fault, in file order.
    pub(crate) fn into_reports(self) -> Vec<FaultReport> {
        self.reports
    }
}

/// The devices that one firing of a fault takes, in the order of their ids.
///
/// `candidates` are the devices of the fault's group, which has `count`, that a fault may take, in
/// the order of their ids, each with its Client Identifier. A firing that asks for more than there
/// are takes them all. `draws` are the fault's.
pub(crate) fn select<'a>(
    select: &Select,
    count: u32,
    draws: Draws,
    firing: Firing,
    candidates: impl Iterator<Item = (DeviceId, &'a str)>,
) -> Vec<DeviceId> {
    if let Select::Match(pattern) = select {
        return candidates
            .filter(|&(_, client_id)| fits_pattern(pattern, client_id))
            .map(|(device, _)| device)
            .collect();
    }
    let mut devices: Vec<DeviceId> = candidates.map(|(device, _)| device).collect();
    let wanted = select.wanted(count).unwrap_or(count) as usize;
    if wanted < devices.len() {
        let mut rng = draws.generator(Purpose::FaultSelection, firing.number);
        // The first steps of a Fisher-Yates shuffle: every subset is as likely as any other.
        for place in 0..wanted {
            let other = rng.random_range(place..devices.len());
            devices.swap(place, other);
        }
        devices.truncate(wanted);
        devices.sort_unstable();
    }
    devices
}

fn with_ids(faults: &[Fault]) -> impl Iterator<Item = (FaultId, &Fault)> {
    (0..).map(FaultId).zip(faults)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use squall_scenario::GroupId;
    use squall_scenario::{DeviceFault, DropKind, FaultAction, FaultTarget, FaultTiming};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fault(timing: FaultTiming) -> Fault {
        Fault {
            name: "test".to_owned(),
            timing,
            target: FaultTarget::Devices(DeviceFault {
                group: GroupId(0),
                select: Select::All,
                action: FaultAction::Drop(DropKind::Rst),
            }),
        }
    }

    fn firing(number: u64) -> Firing {
        Firing {
            at: Instant::ZERO,
            fault: FaultId(0),
            number,
        }
    }

    /// The devices that `select` takes of a group of 100 of which the first `alive` are not gone.
    fn selected(select: Select, number: u64, alive: u32) -> Vec<DeviceId> {
        let draws = Draws::of_fault(7, "test");
        let candidates = (0..alive).map(|device| (DeviceId(device), "dev"));
        super::select(&select, 100, draws, firing(number), candidates)
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
        plan.note_fired(first, now, &[DeviceId(0), DeviceId(1)]);
        let second = plan.poll(now).expect("due after 4 s");
        plan.note_fired(second, now, &[DeviceId(2)]);

        plan.note_applied(second);
        plan.note_applied(first);
        plan.note_applied(first);

        let reports = plan.into_reports();
        let applied: Vec<u64> = reports[0].strikes.iter().map(|s| s.applied).collect();
        assert_eq!(applied, [2, 1]);
    }

    /// A fraction is one of the group, not of those that are left.
    #[test]
    fn a_fraction_takes_that_share_of_the_group() {
        let select = Select::Fraction(0.2);

        assert_eq!(selected(select.clone(), 0, 100).len(), 20);
        assert_eq!(selected(select.clone(), 0, 50).len(), 20);
        assert_eq!(selected(select.clone(), 0, 10).len(), 10);
    }

    /// The seed decides, and each firing draws afresh.
    #[test]
    fn a_selection_is_repeatable_and_differs_between_firings() {
        let select = Select::Count(10);

        assert_eq!(
            selected(select.clone(), 3, 100),
            selected(select.clone(), 3, 100)
        );
        assert_ne!(
            selected(select.clone(), 3, 100),
            selected(select.clone(), 4, 100)
        );
    }

    /// Every device is as likely to be taken as any other.
    #[test]
    fn a_selection_favours_no_device() {
        let select = Select::Count(10);
        let mut taken = [0_u32; 100];

        for number in 0..2_000 {
            for device in selected(select.clone(), number, 100) {
                taken[device.0 as usize] += 1;
            }
        }

        // 200 on average, with a standard deviation of 13.
        assert!(
            taken.iter().all(|&count| (130..270).contains(&count)),
            "{taken:?}"
        );
    }
}
