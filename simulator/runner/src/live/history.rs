//! The points of one run, as pages get them.

use squall_run::Interval;

use super::point::{Outstanding, POINTS_MAX, Point, PointText, merge_pairs};

/// The points of a run up to now, ascending.
#[derive(Debug, Default)]
pub struct History {
    points: Vec<(Point, PointText)>,
}

/// What a page must draw anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The points from this place on: those before are as they were.
    From(usize),
    /// All.
    All,
}

impl History {
    /// Takes `intervals`, which replace what was told from the first of them on. `outstanding` is of the moment in which they are
    /// told, `borders` are where phases begin, in seconds since the start of the run.
    pub fn tell(
        &mut self,
        intervals: &[Interval],
        outstanding: Outstanding,
        borders: &[f64],
    ) -> Change {
        let Some(first) = intervals.first() else {
            return Change::From(self.points.len());
        };
        let place = self
            .points
            .partition_point(|(point, _)| point.start_s() < first.start_s);
        let known = self.points.split_off(place);
        for interval in intervals {
            let before = known
                .iter()
                .find(|(point, _)| point.start_s() == interval.start_s);
            let outstanding = before.map_or(outstanding, |(point, _)| point.outstanding());
            self.push(Point::of(interval, outstanding));
        }
        if self.points.len() <= POINTS_MAX {
            return Change::From(place);
        }
        while self.points.len() > POINTS_MAX {
            let points = std::mem::take(&mut self.points).into_iter();
            let points = points.map(|(point, _)| point).collect();
            for point in merge_pairs(points, borders) {
                self.push(point);
            }
        }
        Change::All
    }

    /// The points from a place on.
    pub fn from(&self, place: usize) -> Vec<&PointText> {
        let points = self.points.get(place..).unwrap_or_default();
        points.iter().map(|(_, text)| text).collect()
    }

    /// First deliveries of all points.
    pub fn first_deliveries(&self) -> u64 {
        let points = self.points.iter();
        points.map(|(point, _)| point.first_deliveries()).sum()
    }

    fn push(&mut self, point: Point) {
        let text = point.text();
        self.points.push((point, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(seconds: std::ops::Range<u32>) -> Vec<Interval> {
        let intervals = seconds.map(|second| Interval {
            start_s: f64::from(second),
            end_s: f64::from(second) + 1.0,
            unstamped: 2,
            ..Interval::default()
        });
        intervals.collect()
    }

    fn outstanding(count: u64) -> Outstanding {
        Outstanding {
            count,
            ..Outstanding::default()
        }
    }

    /// What is told again replaces what was told, and how much was outstanding is that of the moment itself.
    #[test]
    fn what_is_told_again_replaces_what_was_told() {
        let mut history = History::default();
        assert_eq!(
            history.tell(&intervals(0..3), outstanding(7), &[]),
            Change::From(0)
        );

        let change = history.tell(&intervals(1..5), outstanding(9), &[]);

        assert_eq!(change, Change::From(1));
        let outstanding: Vec<u64> = history
            .points
            .iter()
            .map(|(point, _)| point.outstanding().count)
            .collect();
        assert_eq!(outstanding, [7, 7, 7, 9, 9]);
        assert_eq!(history.first_deliveries(), 10);
    }

    /// A run of any length fits, and no count is lost.
    #[test]
    fn a_long_run_fits() {
        let mut history = History::default();
        for second in 0..3_000 {
            history.tell(&intervals(second..second + 1), outstanding(0), &[10.0]);
        }

        assert!(history.points.len() <= POINTS_MAX);
        assert_eq!(history.first_deliveries(), 6_000);
        let starts: Vec<f64> = history.from(0).iter().map(|text| text.start_s).collect();
        assert!(starts.contains(&10.0));
        assert!(starts.is_sorted());
    }
}
