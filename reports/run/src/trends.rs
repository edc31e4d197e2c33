//! Runs over time: what a folder has collected of each scenario, and where the newest run stands among those before it.
//!
//! Nothing is called better or worse here: that takes repeats, and [`crate::SideBySide`] does it. What is told is a rank.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::compare::{Settings, rows_of_scenarios, settings_of_run, told_apart};
use crate::run_set::WITH;
use crate::{ComparedRun, DifferingSetting, Figure, FigureSpread, Outcome, Run, RunSet, VERSION};

/// Fewer runs than this before the newest say nothing of where it stands: of three, one is at an end in two of three cases.
pub const BEFORE_MIN: usize = 3;

/// The axis that runs are in order on.
const ORDER: &str = "run";

/// The runs of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "squall index, version 2")]
pub struct Trends {
    /// Version of this format; the same as that of run files.
    pub version: u32,
    /// Version of squall.
    pub squall: String,
    /// The moment, as RFC 3339 has it, before which runs that began are left out; `null` where all are in.
    pub since: Option<String>,
    /// How many runs began earlier.
    pub earlier: u32,
    /// By the name of the scenario.
    pub scenarios: Vec<History>,
    /// Files that could not be read.
    pub unread: Vec<Unread>,
}

/// A run file that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Unread {
    /// Its path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// The runs of one scenario, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct History {
    /// Its name.
    pub name: String,
    /// The question that the newest run asks.
    pub question: Option<String>,
    /// What tells runs apart that are not to be set beside one another: target and settings, in the order of their first runs.
    pub with: Vec<String>,
    /// Settings in which these differ, with their values in the order of `with`.
    pub differing: Vec<DifferingSetting>,
    /// The runs.
    pub runs: Vec<PastRun>,
    #[serde(skip)]
    settings: Vec<(String, Settings)>,
}

/// A run of a history.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PastRun {
    /// When it began, as RFC 3339 has it.
    pub started_at: String,
    /// The place of its target and settings in `with`.
    pub with: usize,
    /// The target's product and version, or else its command or address.
    pub target: String,
    /// Version of the squall that ran it.
    pub squall: String,
    /// Verdict, claims and figures.
    pub run: ComparedRun,
}

/// Where a figure of the newest run is among those of the runs before it with the same target and settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Newest {
    /// The figure.
    pub figure: Figure,
    /// Of the newest run.
    pub value: f64,
    /// Of those before it that are not INVALID.
    pub before: FigureSpread,
    /// How many these are.
    pub count: usize,
    /// Where it stands.
    pub place: Place,
}

/// A place beside a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below all.
    Below,
    /// Within the range, its ends included.
    Within,
    /// Above all.
    Above,
}

impl Default for Trends {
    fn default() -> Self {
        Self {
            version: VERSION,
            squall: env!("CARGO_PKG_VERSION").to_owned(),
            since: None,
            earlier: 0,
            scenarios: Vec::new(),
            unread: Vec::new(),
        }
    }
}

impl Trends {
    /// Without runs; those that begin before `since`, a moment in UTC as RFC 3339 has it, will be left out.
    pub fn since(since: Option<String>) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Takes in a run, and where its report is from the page, if it has one. Runs may come in any order.
    pub fn add(&mut self, run: &Run, report: Option<String>) {
        // Moments of RFC 3339 in UTC are in the order of their text.
        let since = self.since.as_deref();
        if since.is_some_and(|since| run.times.started_at.as_str() < since) {
            self.earlier += 1;
            return;
        }
        let name = &run.identity.name;
        let found = self
            .scenarios
            .binary_search_by(|known| known.name.cmp(name));
        let place = found.unwrap_or_else(|place| {
            self.scenarios.insert(place, History::new(name.clone()));
            place
        });
        self.scenarios[place].add(run, report);
    }

    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.scenarios
            .iter()
            .map(|history| history.runs.len())
            .sum()
    }

    /// The newest run of each scenario with each target and settings.
    pub fn newest(&self) -> impl Iterator<Item = &PastRun> {
        let all = self.scenarios.iter();
        all.flat_map(|history| (0..history.with.len()).filter_map(|with| history.of(with).last()))
    }

    /// The JSON Schema of `index.json`.
    pub fn json_schema() -> schemars::Schema {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}

impl History {
    fn new(name: String) -> Self {
        Self {
            name,
            question: None,
            with: Vec::new(),
            differing: Vec::new(),
            runs: Vec::new(),
            settings: Vec::new(),
        }
    }

    fn add(&mut self, run: &Run, report: Option<String>) {
        let own = settings_of_run(run);
        let known = self.settings.iter().position(|(_, known)| *known == own);
        let with = known.unwrap_or_else(|| {
            let target = run.target.called().to_owned();
            self.settings.push((target, own));
            self.name_apart();
            self.settings.len() - 1
        });
        let judged = ComparedRun::not_run(Vec::new(), 1, run.identity.seed);
        let past = PastRun {
            started_at: run.times.started_at.clone(),
            with,
            target: run.target.shown().to_owned(),
            squall: run.identity.squall.version.clone(),
            run: ComparedRun {
                report,
                ..judged.judged(run, String::new())
            },
        };
        let place = self
            .runs
            .partition_point(|known| known.started_at <= past.started_at);
        self.runs.insert(place, past);
        if place + 1 == self.runs.len() {
            self.question.clone_from(&run.identity.question);
        }
    }

    /// What each target with its settings is called, and what they differ in.
    fn name_apart(&mut self) {
        self.with = told_apart(&self.settings);
        let settings = self.settings.iter().map(|(_, settings)| settings.clone());
        self.differing = rows_of_scenarios(&settings.collect::<Vec<_>>());
    }

    /// The runs with number `with` of [`Self::with`].
    pub fn of(&self, with: usize) -> impl DoubleEndedIterator<Item = &PastRun> {
        self.runs.iter().filter(move |run| run.with == with)
    }

    /// The runs as a set along two axes: their order, and, where there is more than one, what they ran with.
    pub fn run_set(&self) -> RunSet {
        let has_several = self.with.len() > 1;
        let mut axes = vec![ORDER.to_owned()];
        axes.extend(has_several.then(|| WITH.to_owned()));
        let mut set = RunSet::new(self.name.clone(), self.question.clone(), axes);
        for (order, past) in (1..).zip(&self.runs) {
            let mut values = vec![u32::to_string(&order)];
            values.extend(has_several.then(|| self.with[past.with].clone()));
            set.runs.push(ComparedRun {
                values,
                ..past.run.clone()
            });
        }
        set
    }

    /// Where the newest run with number `with` stands among those before it; nothing if it is INVALID, or for figures that
    /// fewer than [`BEFORE_MIN`] of these have.
    pub fn newest(&self, with: usize) -> Vec<Newest> {
        let mut runs = self.of(with).map(|past| &past.run);
        let is_valid = |run: &&ComparedRun| run.outcome != Some(Outcome::Invalid);
        let Some(newest) = runs.next_back().filter(is_valid) else {
            return Vec::new();
        };
        let before: Vec<&ComparedRun> = runs.filter(is_valid).collect();
        let figures = Figure::ALL.into_iter();
        figures
            .filter_map(|figure| {
                let value = newest.figures.get(figure)?;
                let others = before.iter().filter_map(|run| run.figures.get(figure));
                let others: Vec<f64> = others.collect();
                let count = others.len();
                let before = FigureSpread::of(others).filter(|_| count >= BEFORE_MIN)?;
                // What reads the same is not told as beyond it.
                let is_read_as = |end| figure.text(value) == figure.text(end);
                let place = match value {
                    low if low < before.min && !is_read_as(before.min) => Place::Below,
                    high if high > before.max && !is_read_as(before.max) => Place::Above,
                    _ => Place::Within,
                };
                Some(Newest {
                    figure,
                    value,
                    before,
                    count,
                    place,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// A run that began in minute `minute`, on `target`, of devices that are `count`.
    fn run(minute: u32, target: &str, count: u32) -> Run {
        let mut run = sample::passing();
        run.times.started_at = format!("2026-11-29T10:{minute:02}:00Z");
        run.target.name = Some(target.to_owned());
        run.identity.scenario.resolved =
            format!("[target]\nuse = \"{target}\"\n[[group]]\nname = \"a\"\ncount = {count}\n");
        run
    }

    /// Whatever the order in which files are found, runs are in that of their beginnings.
    #[test]
    fn runs_are_in_the_order_in_which_they_began() {
        let mut trends = Trends::default();
        for minute in [3, 1, 2] {
            trends.add(
                &run(minute, "squall", 7),
                Some(format!("{minute}/report.html")),
            );
        }

        let [history] = trends.scenarios.as_slice() else {
            panic!("{trends:?}");
        };
        let reports = history.runs.iter().map(|past| past.run.report.as_deref());
        let reports: Vec<_> = reports.collect();
        assert_eq!(
            reports,
            ["1/report.html", "2/report.html", "3/report.html"].map(Some)
        );
        assert_eq!(history.with, ["squall"]);
        let set = history.run_set();
        assert_eq!(set.axes, ["run"]);
        assert_eq!(set.rows().len(), 3);
    }

    /// What began before the moment is counted and no more.
    #[test]
    fn runs_that_began_earlier_are_left_out() {
        let mut trends = Trends::since(Some("2026-11-29T10:02:00Z".to_owned()));
        for minute in [3, 1, 2] {
            trends.add(&run(minute, "squall", 7), None);
        }

        assert_eq!((trends.count(), trends.earlier), (2, 1));
        let began = trends.scenarios[0].runs.iter();
        assert!(
            began
                .map(|past| past.started_at.as_str())
                .all(|at| at >= "2026-11-29T10:02:00Z")
        );
    }

    /// Another target or another load makes another line, which is called after what is another.
    #[test]
    fn what_is_not_the_same_is_told_apart() {
        let mut trends = Trends::default();
        for (minute, target, count) in [(1, "squall", 7), (2, "mosquitto", 7), (3, "squall", 9)] {
            trends.add(&run(minute, target, count), None);
        }

        let history = &trends.scenarios[0];

        assert_eq!(
            history.with,
            [
                "squall group.a.count=7",
                "mosquitto group.a.count=7",
                "squall group.a.count=9"
            ]
        );
        assert_eq!(trends.newest().count(), 3);
        assert_eq!(history.run_set().axes, ["run", "with"]);
    }

    /// The newest has a place among the others only where there are enough of them and it is valid itself.
    #[test]
    fn the_newest_has_a_place_among_those_before() {
        let mut trends = Trends::default();
        let lost = |minute: u32, lost: u64| {
            let mut run = run(minute, "squall", 7);
            for deliveries in &mut run.measured.accounting.deliveries {
                deliveries.lost = 0;
            }
            run.measured.accounting.deliveries[0].lost = lost;
            run
        };
        for (minute, count) in [(1, 5), (2, 3), (3, 4)] {
            trends.add(&lost(minute, count), None);
        }
        assert!(trends.scenarios[0].newest(0).is_empty());
        let place = |trends: &Trends| {
            let newest = trends.scenarios[0].newest(0);
            let lost = newest.iter().find(|one| one.figure == Figure::Lost);
            lost.map(|one| (one.place, one.count, one.before.min, one.before.max))
        };

        trends.add(&lost(4, 6), None);
        assert_eq!(place(&trends), Some((Place::Above, 3, 3.0, 5.0)));
        trends.add(&lost(5, 6), None);
        assert_eq!(place(&trends), Some((Place::Within, 4, 3.0, 6.0)));
        trends.add(&lost(6, 2), None);
        assert_eq!(place(&trends), Some((Place::Below, 5, 3.0, 6.0)));
        let mut invalid = lost(7, 0);
        invalid.verdict.outcome = Outcome::Invalid;
        trends.add(&invalid, None);
        assert_eq!(place(&trends), None);
    }
}
