//! When a `[[group.publish]]` publishes: its rate over time, where it begins and where it ends.

use std::time::Duration;

use super::rate::Rate;
use super::run::RunSettings;

/// When the messages of one `[[group.publish]]` are due. The model is open, where it has no window: nothing that
/// the broker does moves them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pacing {
    /// Messages of one device: what the file says of the group is divided by its `count`, `every` is
    /// inverted.
    pub rate_per_device: Rate,
    /// Most messages of one device that are unanswered at a time, at least 1: a closed loop, which has no due times and
    /// whose rate is 0. `None` for an open one.
    pub window: Option<u32>,
    /// How due times are spread. Default even.
    pub arrival: Arrival,
    /// Messages of a device that are due at one moment, at least 1; the rate stays the mean. Default 1.
    pub burst: u32,
    /// Messages of each device, after which it publishes no more; default no limit.
    pub count: Option<u64>,
    /// Where the stream begins, from the start of the measured part; by default with the warm-up.
    pub start: Option<Duration>,
    /// The moment of the last due message, from the start of the measured part; by default the load's end.
    pub until: Option<Duration>,
}

/// How due times are spread.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Arrival {
    /// Burst `n` of the device with `{index}` `i` is due when the sum of its rate since the stream began is
    /// `burst * (n + i / count)`: the devices of a group take turns.
    #[default]
    Even,
    /// The sums between bursts are exponential with mean `burst`, drawn for each device: at a constant rate
    /// the gaps are.
    Poisson,
}

impl Pacing {
    /// Where the stream begins, in seconds from the start of the measured part after a warm-up that lasts
    /// `warmup`; negative in the warm-up.
    pub fn begins(&self, warmup: Duration) -> f64 {
        match self.start {
            Some(start) => start.as_secs_f64(),
            None => -warmup.as_secs_f64(),
        }
    }

    /// Messages of a group of `devices` that are due before `moment`, in seconds from the start of the
    /// measured part: exact for even arrivals, expected for others.
    pub fn due_before(&self, moment: f64, devices: u32, run: &RunSettings) -> f64 {
        if self.window.is_some() {
            // How many there are is up to the broker.
            return 0.0;
        }
        let begins = self.begins(run.warmup);
        let until = self.until.map(|until| until.as_secs_f64());
        let until = until.filter(|until| *until < moment);
        let end = until.unwrap_or(moment);
        let before = self.rate_per_device.sum(begins);
        let sum = self.rate_per_device.sum(end) - before;
        if end < begins {
            return 0.0;
        }
        match self.arrival {
            Arrival::Even => {
                let (many, burst) = (f64::from(devices), f64::from(self.burst));
                // Burst j of the group is due at the sum j * burst / devices; rounding must not add one.
                let mut bursts = (sum * many / burst - 1e-9).ceil().max(0.0);
                let next = self
                    .rate_per_device
                    .moment_of(before + bursts * burst / many);
                let is_last = until.zip(next).is_some_and(|(until, next)| {
                    // As exact as times are: to the nanosecond.
                    next <= until + 1e-9
                });
                if is_last {
                    bursts += 1.0;
                }
                let each = (bursts / many).floor();
                let more = bursts - each * many;
                more * self.limited((each + 1.0) * burst)
                    + (many - more) * self.limited(each * burst)
            }
            Arrival::Poisson => f64::from(devices) * self.limited(sum),
        }
    }

    fn limited(&self, messages: f64) -> f64 {
        match self.count {
            Some(count) => messages.min(count as f64),
            None => messages,
        }
    }

    /// From where to where the stream publishes, in seconds from the start of the measured part; about, if
    /// `count` ends it.
    pub fn span(&self, run: &RunSettings) -> (f64, f64) {
        let begins = self.begins(run.warmup);
        let load_ends = run.duration.as_secs_f64();
        let until = self.until.map(|until| until.as_secs_f64());
        let counted = self.count.and_then(|count| {
            let sum = self.rate_per_device.sum(begins) + count as f64;
            self.rate_per_device.moment_of(sum)
        });
        let ends = [until, counted].into_iter().flatten();
        (begins, ends.fold(load_ends, f64::min))
    }

    /// The lowest and the highest rate of one device while the stream publishes.
    pub fn range(&self, run: &RunSettings) -> (f64, f64) {
        let (begin, end) = self.span(run);
        self.rate_per_device.range(begin, end.max(begin))
    }

    /// Messages per second of one device, on average while the stream publishes.
    pub fn mean_rate(&self, run: &RunSettings) -> f64 {
        let (begin, end) = self.span(run);
        let rate = &self.rate_per_device;
        if let Rate::Constant(rate) = rate {
            return *rate;
        }
        match end > begin {
            true => (rate.sum(end) - rate.sum(begin)) / (end - begin),
            false => 0.0,
        }
    }
}
