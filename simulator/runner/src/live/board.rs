//! What is known of the command's runs: told to pages as it comes, and as a whole to one that is opened late.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::history::{Change, History};
use super::look::{Intervals, Look};
use super::news::{Head, News, Over};
use super::point::{Outstanding, PointText};
use super::status::Status;

/// A server-sent event.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub event: &'static str,
    /// Its data: JSON on one line.
    pub data: Arc<str>,
}

/// The runs of a command, up to now.
#[derive(Debug, Default)]
pub struct Board {
    head: Option<Head>,
    history: History,
    look: Option<Box<Look>>,
    status: Option<Told>,
    over: Option<Over>,
    /// The folder of the last report.
    report: Option<PathBuf>,
    has_ended: bool,
}

/// Points from a moment on; what a page has from there on is no longer so.
#[derive(Serialize)]
struct PointsText<'a> {
    points: Vec<&'a PointText>,
    whole: bool,
}

/// How a run ended.
#[derive(Serialize)]
struct OverText<'a> {
    outcome: Option<&'a str>,
    why: Option<&'a str>,
}

/// The runs are over.
#[derive(Serialize)]
struct EndText {
    /// Where the page goes then.
    report: Option<&'static str>,
}

impl Board {
    /// Takes something that happened, and gives what pages are told of it.
    pub fn hear(&mut self, news: News) -> Vec<Told> {
        match news {
            News::Begin(head) => {
                let report = self.report.take();
                *self = Self {
                    head: Some(head),
                    report,
                    ..Self::default()
                };
                self.begun().into_iter().collect()
            }
            News::Look(look) => self.hear_look(look),
            News::Over(over) => {
                self.report = over.report.clone();
                self.over = Some(over);
                self.told_over().into_iter().collect()
            }
            News::End => {
                self.has_ended = true;
                self.told_end().into_iter().collect()
            }
        }
    }

    /// All that a page must know that was just opened.
    pub fn whole(&self) -> Vec<Told> {
        let mut all: Vec<Told> = self.begun().into_iter().collect();
        all.push(self.points(Change::All));
        all.extend(self.status.clone());
        all.extend(self.told_over());
        all.extend(self.told_end());
        all
    }

    /// The run that goes on, or was last.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The last look at it.
    pub fn look(&self) -> Option<&Look> {
        self.look.as_deref()
    }

    /// How it ended.
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// First deliveries of the run.
    pub fn first_deliveries(&self) -> u64 {
        self.history.first_deliveries()
    }

    /// The folder of the last report.
    pub fn report(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    fn hear_look(&mut self, look: Box<Look>) -> Vec<Told> {
        let borders: Vec<f64> = look
            .phases
            .iter()
            .map(|(_, start)| start.as_secs_f64())
            .collect();
        let outstanding = Outstanding {
            count: look.counts.outstanding,
            at: look.at,
        };
        let change = match &look.intervals {
            Intervals::From(intervals) => self.history.tell(intervals, outstanding, &borders),
            Intervals::Whole(intervals) => {
                self.history.tell(intervals, outstanding, &borders);
                Change::All
            }
        };
        let status = Status::of(&look, self.history.first_deliveries());
        let status = told("status", &status);
        self.status = Some(status.clone());
        self.look = Some(look);
        vec![self.points(change), status]
    }

    fn begun(&self) -> Option<Told> {
        self.head.as_ref().map(|head| told("begin", head))
    }

    fn points(&self, change: Change) -> Told {
        let (place, whole) = match change {
            Change::From(place) => (place, false),
            Change::All => (0, true),
        };
        let points = self.history.from(place);
        told("points", &PointsText { points, whole })
    }

    fn told_over(&self) -> Option<Told> {
        let over = self.over.as_ref()?;
        let text = OverText {
            outcome: over.outcome.as_deref(),
            why: over.why.as_deref(),
        };
        Some(told("over", &text))
    }

    fn told_end(&self) -> Option<Told> {
        let report = self.report.is_some().then_some("/report/");
        self.has_ended.then(|| told("end", &EndText { report }))
    }
}

fn told(event: &'static str, data: &impl Serialize) -> Told {
    let data = serde_json::to_string(data).expect("texts and numbers can be written");
    Told {
        event,
        data: data.into(),
    }
}
