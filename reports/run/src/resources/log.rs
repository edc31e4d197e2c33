//! Readings of a process, as they come: the samples over time and the figures of the measured part.
//!
//! The samples take the same memory whether a run takes a minute or a day: when there are too many,
//! neighbours are merged. What the measured part used is summed up as the readings come, so that merging
//! does not blur it.

use super::{ProcessRecord, ProcessSample, ProcessUse, Spread};
use crate::PhaseKind;

/// Samples at most; with more, neighbours are merged.
const SAMPLES_MAX: usize = 600;
/// Length of a sample at the start, seconds.
const FIRST_LENGTH_S: f64 = 1.0;
/// The shortest stretch whose processor use counts as a peak, seconds. The system counts processor time
/// in steps of 10 ms, which would be whole cores of a shorter one.
const STRETCH_MIN_S: f64 = 0.5;
/// Share by which a sample may be longer than its length, since readings come late.
const SLACK: f64 = 1.25;

/// One reading of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When, since the start of the run.
    pub at_s: f64,
    /// Processor time since the process began, user and system.
    pub cpu_total_s: f64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

/// All readings of a process.
#[derive(Clone, Debug)]
pub struct ProcessLog {
    length_s: f64,
    samples: Vec<Sample>,
    rss_peak_of_run_bytes: u64,
    window: Window,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    sample: ProcessSample,
    /// It begins or ends the measured part: it is not merged with a later one.
    is_border: bool,
}

/// The measured part in readings.
#[derive(Clone, Debug)]
enum Window {
    Ahead,
    Open(Meter),
    Over(Option<ProcessUse>),
}

#[derive(Clone, Debug)]
struct Meter {
    first: Reading,
    last: Reading,
    readings: u64,
    /// Where the stretch began whose processor use is next.
    stretch: Reading,
    cpu_cores: Option<Spread>,
    rss_bytes: Spread,
    rss_sum: f64,
}

impl Default for ProcessLog {
    fn default() -> Self {
        Self {
            length_s: FIRST_LENGTH_S,
            samples: Vec::new(),
            rss_peak_of_run_bytes: 0,
            window: Window::Ahead,
        }
    }
}

impl ProcessLog {
    /// Takes a reading, taken in `phase`; `None` is after the drain. Readings come in order of time.
    ///
    /// The first one of the measured part begins what that used, and the first one after it ends it.
    pub fn add(&mut self, phase: Option<PhaseKind>, reading: Reading) {
        let is_border = self.meter(phase, reading);
        self.rss_peak_of_run_bytes = self.rss_peak_of_run_bytes.max(reading.rss_bytes);
        let before = self.samples.last();
        let since = before.map_or(reading, |before| Reading {
            at_s: before.sample.at_s,
            cpu_total_s: before.sample.cpu_total_s,
            ..reading
        });
        let sample = ProcessSample {
            at_s: reading.at_s,
            cpu_cores: cores(since, reading).unwrap_or_default(),
            cpu_total_s: reading.cpu_total_s,
            rss_bytes: reading.rss_bytes,
            descriptors: reading.descriptors,
        };
        self.push(Sample { sample, is_border });
        if self.samples.len() > SAMPLES_MAX {
            self.length_s *= 2.0;
            for sample in std::mem::take(&mut self.samples) {
                self.push(sample);
            }
        }
    }

    /// What there is so far, as the run file has it.
    pub fn record(&self) -> ProcessRecord {
        ProcessRecord {
            samples: self.samples.iter().map(|sample| sample.sample).collect(),
            measured: match &self.window {
                Window::Ahead => None,
                Window::Open(meter) => meter.figures(),
                Window::Over(figures) => *figures,
            },
            rss_peak_of_run_bytes: self.rss_peak_of_run_bytes,
        }
    }

    /// Whether the measured part begins or ends with this reading.
    fn meter(&mut self, phase: Option<PhaseKind>, reading: Reading) -> bool {
        let is_measured = phase == Some(PhaseKind::Measure);
        let is_over = phase.is_none_or(|phase| phase > PhaseKind::Measure);
        match &mut self.window {
            Window::Ahead if is_measured => {
                self.window = Window::Open(Meter::new(reading));
                true
            }
            Window::Open(meter) => {
                meter.add(reading);
                if is_over {
                    self.window = Window::Over(meter.figures());
                }
                is_over
            }
            Window::Ahead | Window::Over(_) => false,
        }
    }

    /// Appends a sample, merged with the one before it where both fit in one.
    fn push(&mut self, mut next: Sample) {
        if let [.., start, last] = &self.samples[..]
            && !last.is_border
            && next.sample.at_s - start.sample.at_s <= self.length_s * SLACK
        {
            next.sample = merged(start.sample, last.sample, next.sample);
            self.samples.pop();
        }
        self.samples.push(next);
    }
}

/// The sample that stands for `last` and `next`, of which the first begins at `start`.
fn merged(start: ProcessSample, last: ProcessSample, next: ProcessSample) -> ProcessSample {
    let seconds = next.at_s - start.at_s;
    let cpu_s = next.cpu_total_s - start.cpu_total_s;
    ProcessSample {
        cpu_cores: if seconds > 0.0 { cpu_s / seconds } else { 0.0 },
        rss_bytes: next.rss_bytes.max(last.rss_bytes),
        descriptors: next.descriptors.max(last.descriptors),
        ..next
    }
}

/// Processor use between two readings; `None` if no time is between them.
fn cores(from: Reading, to: Reading) -> Option<f64> {
    let seconds = to.at_s - from.at_s;
    (seconds > 0.0).then(|| (to.cpu_total_s - from.cpu_total_s) / seconds)
}

impl Meter {
    fn new(first: Reading) -> Self {
        Self {
            first,
            last: first,
            readings: 1,
            stretch: first,
            cpu_cores: None,
            rss_bytes: Spread::of(first.rss_bytes as f64),
            rss_sum: first.rss_bytes as f64,
        }
    }

    fn add(&mut self, reading: Reading) {
        let rss = reading.rss_bytes as f64;
        self.last = reading;
        self.readings += 1;
        self.rss_bytes.add(rss);
        self.rss_sum += rss;
        if reading.at_s - self.stretch.at_s >= STRETCH_MIN_S
            && let Some(cores) = cores(self.stretch, reading)
        {
            match &mut self.cpu_cores {
                Some(spread) => spread.add(cores),
                none => *none = Some(Spread::of(cores)),
            }
            self.stretch = reading;
        }
    }

    /// `None` without a second reading.
    fn figures(&self) -> Option<ProcessUse> {
        let mean = cores(self.first, self.last)?;
        // A part that is shorter than a stretch is one.
        let cpu_cores = self.cpu_cores.unwrap_or(Spread::of(mean));
        Some(ProcessUse {
            from_s: self.first.at_s,
            to_s: self.last.at_s,
            readings: self.readings,
            cpu_s: self.last.cpu_total_s - self.first.cpu_total_s,
            cpu_cores: Spread { mean, ..cpu_cores },
            rss_bytes: Spread {
                mean: self.rss_sum / self.readings as f64,
                ..self.rss_bytes
            },
        })
    }
}

impl Spread {
    fn of(number: f64) -> Self {
        Self {
            least: number,
            mean: number,
            peak: number,
            last: number,
        }
    }

    /// Takes a further number in everything but the mean.
    fn add(&mut self, number: f64) {
        self.least = self.least.min(number);
        self.peak = self.peak.max(number);
        self.last = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at_s: f64, cpu_total_s: f64, mib: u64) -> Reading {
        Reading {
            at_s,
            cpu_total_s,
            rss_bytes: mib << 20,
            descriptors: 9,
        }
    }

    /// Connecting, warm-up, drain and idle time do not dilute what the measured part used, and the
    /// memory of the drain is in the peak of the run only.
    #[test]
    fn the_measured_part_is_metered_alone() {
        let mut log = ProcessLog::default();
        log.add(Some(PhaseKind::Connect), reading(0.0, 1.0, 1));
        log.add(Some(PhaseKind::Warmup), reading(1.0, 1.9, 2));
        log.add(Some(PhaseKind::Measure), reading(1.5, 2.0, 3));
        log.add(Some(PhaseKind::Measure), reading(2.5, 2.25, 4));
        log.add(Some(PhaseKind::Measure), reading(3.5, 3.0, 6));
        log.add(Some(PhaseKind::Drain), reading(3.6, 3.05, 5));
        log.add(Some(PhaseKind::Drain), reading(5.0, 3.05, 8));
        log.add(None, reading(6.0, 3.05, 1));

        let record = log.record();
        let used = record.measured.unwrap();

        assert_eq!((used.from_s, used.to_s, used.readings), (1.5, 3.6, 4));
        assert!((used.cpu_s - 1.05).abs() < 1e-9);
        assert!((used.cpu_cores.mean - 0.5).abs() < 1e-9);
        // The last tenth of a second is too short to be a peak.
        assert_eq!((used.cpu_cores.least, used.cpu_cores.peak), (0.25, 0.75));
        let mib = |mib: u64| (mib << 20) as f64;
        assert_eq!(
            (used.rss_bytes.least, used.rss_bytes.peak),
            (mib(3), mib(6))
        );
        assert_eq!(
            (used.rss_bytes.mean, used.rss_bytes.last),
            (mib(18) / 4.0, mib(5))
        );
        assert_eq!(record.rss_peak_of_run_bytes, 8 << 20);
    }

    /// A part that has one reading, or none, has no figures.
    #[test]
    fn one_reading_measures_nothing() {
        let mut log = ProcessLog::default();
        log.add(Some(PhaseKind::Connect), reading(0.0, 1.0, 1));
        assert_eq!(log.record().measured, None);

        log.add(Some(PhaseKind::Measure), reading(1.0, 1.0, 1));

        assert_eq!(log.record().measured, None);
    }

    /// A day takes no more memory than ten minutes: neighbours are merged, but not across the borders of
    /// the measured part, and its figures stay those of single seconds.
    #[test]
    fn a_day_fits_in_the_memory_of_ten_minutes() {
        let mut log = ProcessLog::default();
        let mut cpu_total_s = 0.0;
        for second in 0..86_400_u32 {
            let phase = match second {
                0..5 => PhaseKind::Connect,
                5..80_001 => PhaseKind::Measure,
                _ => PhaseKind::Drain,
            };
            // A busy second in the middle.
            cpu_total_s += if second == 40_001 { 0.9 } else { 0.1 };
            let mib = if second == 50_000 { 77 } else { 7 };
            log.add(Some(phase), reading(f64::from(second), cpu_total_s, mib));
        }

        let record = log.record();

        assert!(
            record.samples.len() <= SAMPLES_MAX,
            "{}",
            record.samples.len()
        );
        let times: Vec<f64> = record.samples.iter().map(|sample| sample.at_s).collect();
        assert!(times.is_sorted());
        assert!(times.contains(&5.0) && times.contains(&80_001.0));
        let used = record.measured.unwrap();
        assert_eq!((used.from_s, used.to_s), (5.0, 80_001.0));
        assert!((used.cpu_cores.peak - 0.9).abs() < 1e-6, "{used:?}");
        let most = record.samples.iter().map(|sample| sample.rss_bytes).max();
        assert_eq!(
            (most, record.rss_peak_of_run_bytes),
            (Some(77 << 20), 77 << 20)
        );
        // Nothing of the processor's time is lost in between.
        let pairs = record.samples.windows(2);
        let summed: f64 = pairs
            .map(|pair| pair[1].cpu_cores * (pair[1].at_s - pair[0].at_s))
            .sum();
        assert!((summed - (cpu_total_s - 0.1)).abs() < 1e-3, "{summed}");
    }
}
