//! The share of a group that is kept connected: `online`.

use std::time::Duration;

use squall_toml::at::At;

use super::Resolver;
use crate::file::{ShareFile, SharePointFile};
use crate::{Points, Rate, RatePoint, Share};

impl Resolver<'_> {
    /// Resolves a share over time.
    pub(super) fn resolve_share(&mut self, file: &ShareFile, at: &At<'_>) -> Share {
        Share::new(match file {
            ShareFile::Constant(share) => Rate::Constant(*share),
            ShareFile::Points(points) => Rate::Points(self.resolve_share_points(points, at)),
            ShareFile::Repeat(repeat) => {
                let (period, at_points) = (repeat.repeat.0, at.key("points"));
                self.check_above_zero(period, &at.key("repeat"));
                let last = repeat.points.last().map(|point| point.at.0);
                self.check_period(period, last, &at_points);
                Rate::Repeat {
                    period,
                    points: self.resolve_share_points(&repeat.points, &at_points),
                }
            }
            ShareFile::Day(profile) => {
                let (day, at) = (profile.day, at.key("day"));
                if day.low > day.high {
                    let what = format!(
                        "the lowest share, {}, is above the highest, {}",
                        day.low, day.high
                    );
                    self.contradiction(&at, what, "a `low` of at most `high`".to_owned());
                }
                self.check_peak(day.peak.0, &at.key("peak"));
                Rate::Day {
                    low: day.low,
                    high: day.high,
                    peak: day.peak.0,
                }
            }
        })
    }

    fn resolve_share_points(&mut self, points: &[SharePointFile], at: &At<'_>) -> Points {
        let times: Vec<Duration> = points.iter().map(|point| point.at.0).collect();
        self.check_order(&times, at);
        if points.iter().all(|point| point.share <= 0.0) {
            let what = "the share is 0 at every point, so that no device ever connects".to_owned();
            self.contradiction(at, what, "a point with a share above 0".to_owned());
        }
        let mut resolved: Vec<RatePoint> = points
            .iter()
            .map(|point| RatePoint {
                at: point.at.0,
                rate: point.share,
            })
            .collect();
        // Noted above; a profile needs an order.
        resolved.sort_by_key(|point| point.at);
        Points::new(&resolved)
    }
}
