//! How many devices will be connected: the curve of a group, as far as the scenario says.

use std::time::Duration;

use crate::{Attendance, Group, LoadBegin, RunSettings};

/// Parts of the load that are looked at to weigh a rate with who is there.
const STEPS: u32 = 1_000;

/// When the devices of a group are connected, if every answer comes at once and nothing goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    attendance: Attendance,
    devices: u32,
    connect_rate: f64,
    run: RunSettings,
}

impl Presence {
    /// Of one group.
    pub(super) fn of(group: &Group, run: &RunSettings) -> Self {
        Self {
            attendance: group.attendance.clone(),
            devices: group.count,
            connect_rate: group.connect_rate,
            run: *run,
        }
    }

    /// Whether all of them are connected from the beginning of the load to its end.
    pub fn is_whole(&self) -> bool {
        self.attendance == Attendance::default() && self.run.begin == LoadBegin::Connected
    }

    /// The share of the group that is connected at `moment`, counted from the beginning of the load; of devices that come
    /// and go by themselves, the one that is expected.
    pub fn share_at(&self, moment: Duration) -> f64 {
        let time = moment.as_secs_f64() - self.run.warmup.as_secs_f64();
        let Attendance {
            start,
            leave,
            availability,
            online,
        } = &self.attendance;
        if leave.is_some_and(|leave| time >= leave.as_secs_f64()) {
            return 0.0;
        }
        let begun = match (start, self.run.begin) {
            (Some(start), _) => self.ramp(time - start.as_secs_f64()),
            (None, LoadBegin::AtOnce) => self.ramp(moment.as_secs_f64()),
            (None, LoadBegin::Connected) => 1.0,
        };
        let up = availability.as_ref().map_or(1.0, |availability| {
            let [up, down] = [&availability.up, &availability.down].map(|of| {
                let mean = of.mean().unwrap_or_else(|| of.median());
                mean.as_secs_f64()
            });
            up / (up + down).max(f64::MIN_POSITIVE)
        });
        let online = online.as_ref().map_or(1.0, |share| share.at(time));
        (begun * up).min(online)
    }

    /// Devices that are connected at `moment`, counted from the beginning of the load.
    pub fn devices_at(&self, moment: Duration) -> f64 {
        self.share_at(moment) * f64::from(self.devices)
    }

    /// The share of what comes due at `rate`, which takes a moment of the load, that comes due at devices that are there.
    pub(super) fn weighs(&self, rate: impl Fn(Duration) -> f64) -> f64 {
        if self.is_whole() {
            return 1.0;
        }
        let step = (self.run.warmup + self.run.duration) / STEPS;
        let (mut due, mut there) = (0.0, 0.0);
        for n in 0..STEPS {
            let moment = step * n + step / 2;
            let rate = rate(moment);
            due += rate;
            there += rate * self.share_at(moment);
        }
        if due > 0.0 { there / due } else { 1.0 }
    }

    /// The share that has begun to connect so many seconds after the first.
    fn ramp(&self, seconds: f64) -> f64 {
        if seconds < 0.0 {
            return 0.0;
        }
        ((seconds * self.connect_rate + 1.0) / f64::from(self.devices)).min(1.0)
    }
}
