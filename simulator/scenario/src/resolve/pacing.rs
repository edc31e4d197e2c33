//! When the messages of a `[[group.publish]]` are due.

use std::sync::Arc;
use std::time::Duration;

use squall_protocol::QoS;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use super::group::{resolve_qos, time};
use crate::file::{ArrivalFile, ArrivalWord, PublishFile, RateFile, RatePointFile, WindowFile};
use crate::{Arrival, Group, Pacing, Points, Rate, RatePoint};

/// Most messages per second of one device.
const RATE_PER_DEVICE_MAX: f64 = 1_000_000.0;

/// What a profile of a day takes.
const DAY: Duration = Duration::from_secs(86_400);

impl Resolver<'_> {
    /// When the messages of one stream of `group` are due.
    pub(super) fn resolve_pacing(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> Arc<Pacing> {
        let (start, until) = (time(file.start), time(file.until));
        self.check_span(start, until, at);
        let window = match file.arrival {
            Some(ArrivalFile::Window(WindowFile { window })) => Some(window),
            Some(ArrivalFile::Word(_)) | None => None,
        };
        if window.is_some() {
            self.check_closed_loop(file, at);
        }
        Arc::new(Pacing {
            rate_per_device: match window {
                Some(_) => Rate::Constant(0.0),
                None => self.resolve_rate(file, group, at),
            },
            window,
            arrival: match file.arrival {
                Some(ArrivalFile::Word(ArrivalWord::Poisson)) => Arrival::Poisson,
                Some(ArrivalFile::Word(ArrivalWord::Even) | ArrivalFile::Window(_)) | None => {
                    Arrival::Even
                }
            },
            burst: file.burst.unwrap_or(1),
            count: file.count,
            start,
            until,
        })
    }

    /// A closed loop has no rate, and goes by answers.
    fn check_closed_loop(&mut self, file: &PublishFile, at: &At<'_>) {
        for key in ["rate", "rate_per_device", "every", "burst"] {
            self.misplaced(at, key, "a schedule: `arrival = \"even\"` or `\"poisson\"`");
        }
        if resolve_qos(file.qos) == QoS::AtMostOnce {
            let what =
                "a broker answers no message of QoS 0, so none of them is unanswered".to_owned();
            let remedy = "`qos = 1`, or a rate".to_owned();
            self.contradiction(&at.key("arrival"), what, remedy);
        }
    }

    fn check_span(&mut self, start: Option<Duration>, until: Option<Duration>, at: &At<'_>) {
        if let (Some(start), Some(until)) = (start, until)
            && until < start
        {
            let what = format!(
                "the stream ends at {} and begins at {}",
                format_duration(until),
                format_duration(start)
            );
            let remedy = "an `until` that is not before `start`".to_owned();
            self.contradiction(&at.key("until"), what, remedy);
        }
    }

    /// Messages per second of one device.
    fn resolve_rate(&mut self, file: &PublishFile, group: &Group, at: &At<'_>) -> Rate {
        self.exactly_one("`publish`", &["rate", "rate_per_device", "every"], at);
        let devices = f64::from(group.count);
        match (&file.rate, &file.rate_per_device, time(file.every)) {
            (Some(rate), _, _) => self.resolve_rate_file(rate, devices, &at.key("rate")),
            (None, Some(rate), _) => self.resolve_rate_file(rate, 1.0, &at.key("rate_per_device")),
            (None, None, Some(Duration::ZERO)) => {
                self.check_above_zero(Duration::ZERO, &at.key("every"));
                Rate::Constant(1.0)
            }
            (None, None, Some(every)) => {
                let rate = every.as_secs_f64().recip();
                self.check_rate(rate, &at.key("every"));
                Rate::Constant(rate)
            }
            (None, None, None) => Rate::Constant(1.0),
        }
    }

    /// What `file` says for `devices` devices, as the rate of one of them.
    fn resolve_rate_file(&mut self, file: &RateFile, devices: f64, at: &At<'_>) -> Rate {
        match file {
            RateFile::Constant(rate) => {
                let rate = rate / devices;
                self.check_rate(rate, at);
                Rate::Constant(rate)
            }
            RateFile::Points(points) => {
                self.check_points(points, at);
                Rate::Points(self.resolve_points(points, devices, at))
            }
            RateFile::Repeat(repeat) => {
                let (period, at_points) = (repeat.repeat.0, at.key("points"));
                self.check_above_zero(period, &at.key("repeat"));
                self.check_points(&repeat.points, &at_points);
                let last = repeat.points.last().map(|point| point.at.0);
                self.check_period(period, last, &at_points);
                Rate::Repeat {
                    period,
                    points: self.resolve_points(&repeat.points, devices, &at_points),
                }
            }
            RateFile::Day(profile) => {
                let (day, at) = (profile.day, at.key("day"));
                self.check_rate(day.high / devices, &at.key("high"));
                if day.low > day.high {
                    let what = format!(
                        "the lowest rate, {}, is above the highest, {}",
                        day.low, day.high
                    );
                    self.contradiction(&at, what, "a `low` of at most `high`".to_owned());
                }
                self.check_peak(day.peak.0, &at.key("peak"));
                Rate::Day {
                    low: day.low / devices,
                    high: day.high / devices,
                    peak: day.peak.0,
                }
            }
        }
    }

    /// Notes points that go back in time, and a profile without any message.
    fn check_points(&mut self, points: &[RatePointFile], at: &At<'_>) {
        let times: Vec<Duration> = points.iter().map(|point| point.at.0).collect();
        self.check_order(&times, at);
        if points.iter().all(|point| point.rate <= 0.0) {
            let what = "the rate is 0 at every point, so that nothing is ever due".to_owned();
            self.contradiction(at, what, "a point with a rate above 0".to_owned());
        }
    }

    /// Notes points that go back in time.
    pub(super) fn check_order(&mut self, times: &[Duration], at: &At<'_>) {
        for (index, pair) in times.windows(2).enumerate() {
            if pair[1] < pair[0] {
                let what = format!(
                    "the point at {} comes after the one at {}",
                    format_duration(pair[1]),
                    format_duration(pair[0])
                );
                let remedy = "points in the order of their times".to_owned();
                self.contradiction(&at.item(index + 1).key("at"), what, remedy);
            }
        }
    }

    /// Notes a last point that is not within its period.
    pub(super) fn check_period(&mut self, period: Duration, last: Option<Duration>, at: &At<'_>) {
        if let Some(last) = last.filter(|&last| last > period) {
            let what = format!(
                "the last point is at {} and a period lasts {}",
                format_duration(last),
                format_duration(period)
            );
            let remedy = "points within one period".to_owned();
            self.contradiction(at, what, remedy);
        }
    }

    /// Notes a peak that is not within a day.
    pub(super) fn check_peak(&mut self, peak: Duration, at: &At<'_>) {
        if peak >= DAY {
            let problem = Mistake::OutOfRange {
                value: format_duration(peak),
                range: "below 1d".to_owned(),
            };
            self.diagnostics.value(at, problem);
        }
    }

    fn resolve_points(&mut self, points: &[RatePointFile], devices: f64, at: &At<'_>) -> Points {
        let mut resolved = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            let rate = point.rate / devices;
            self.check_rate(rate, &at.item(index).key("rate"));
            resolved.push(RatePoint {
                at: point.at.0,
                rate,
            });
        }
        // Noted above; a sum over time needs an order.
        resolved.sort_by_key(|point| point.at);
        Points::new(&resolved)
    }

    fn check_rate(&mut self, rate_per_device: f64, at: &At<'_>) {
        if rate_per_device > RATE_PER_DEVICE_MAX {
            let problem = Mistake::OutOfRange {
                value: format!("{rate_per_device} messages per second and device"),
                range: format!("at most {RATE_PER_DEVICE_MAX}"),
            };
            self.diagnostics.value(at, problem);
        }
    }
}
