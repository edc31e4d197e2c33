//! An earlier bench, suite or search that a later one is held against, figure by figure, with the noise of their repeats.
//!
//! What is compared is the same load on the same target. The rule is that of runs (`compare`). A trial whose generator was held up
//! is left out, since its figures are those of what else the machine did.

mod read;

use std::fmt;

use read::{FoundTarget, read};

use super::figure::Figure;
use super::result::About;
use crate::compare::{Grain, Rule, Uncompared, compared, grain_of};
use crate::{Choosable, ComparedFigure, bytes_text, count_text, rate_text};

/// What a closed loop carries is measured, and has the noise of a measure, as a share.
const SHARE_OF_CLOSED_LOOPS: f64 = 0.02;
/// A search ends with what held and what did not 5 % apart.
const SHARE_OF_SEARCHES: f64 = 0.05;

/// A file, or what was measured, cannot be held against the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is another kind of file.
    #[error("it is not what `squall bench` writes with --json, nor a suite.json: {0}")]
    NotABench(String),
    /// It ends in the middle.
    #[error("it is cut off at line {line}, column {column}: make it again")]
    CutOff {
        /// The place of its end, from 1.
        line: usize,
        /// See `line`.
        column: usize,
    },
    /// Nothing of it can be compared.
    #[error(
        "other processes held up the generator of all its trials: make it again on a quieter machine"
    )]
    HeldUp,
    /// It has no such load.
    #[error("it has no `{wanted}`; it has {}", has.join("; "))]
    OtherLoad {
        /// The load that is to be measured.
        wanted: String,
        /// The loads that it has.
        has: Vec<String>,
    },
    /// It has none of the targets.
    #[error("it has no target {}; it has {}", wanted.join(", "), has.join(", "))]
    OtherTargets {
        /// Those that are to be measured.
        wanted: Vec<String>,
        /// Those that it has.
        has: Vec<String>,
    },
}

/// What tells one load from another.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    about: About,
    /// Of a search, what must hold.
    bound: Option<String>,
    /// Of a row of a suite, its name.
    row: Option<String>,
}

/// What a bench is to be held against: a load and a target each.
pub struct Baseline {
    entries: Vec<Entry>,
    /// Loads and targets that it does not have, a sentence each.
    missing: Vec<String>,
}

struct Entry {
    load: Load,
    base: FoundTarget,
    /// What the baseline was measured on.
    base_about: About,
    /// `{row=pairs-qos0,target=squall}`, or nothing where there is one.
    tags: String,
    /// The same for a reader.
    of: String,
}

impl Load {
    /// That of a bench.
    pub fn of(about: About) -> Self {
        Self {
            about,
            bound: None,
            row: None,
        }
    }

    /// That of a search for the highest rate at which `bound` holds.
    pub fn with_bound(self, bound: String) -> Self {
        Self {
            bound: Some(bound),
            ..self
        }
    }

    /// That of a row of a suite.
    pub fn in_row(self, row: String) -> Self {
        Self {
            row: Some(row),
            ..self
        }
    }

    /// Whether it is the same work for a broker, wherever it was measured.
    fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (&self.about, &other.about);
        // The rate of a search is where it begins, and an earlier file does not have the version.
        let rate = one.rate == two.rate || self.bound.is_some();
        let protocol =
            one.protocol == two.protocol || one.protocol.is_empty() || two.protocol.is_empty();
        let of = |about: &About| {
            (
                about.publishers,
                about.subscribers,
                about.qos,
                about.payload_bytes,
                about.window,
            )
        };
        one.bench == two.bench
            && of(one) == of(two)
            && rate
            && protocol
            && self.bound == other.bound
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = &self.about;
        write!(
            f,
            "{} {} to {}, QoS {}, {}",
            about.bench,
            about.publishers,
            about.subscribers,
            about.qos,
            bytes_text(about.payload_bytes)
        )?;
        if let Some(window) = about.window {
            write!(f, ", window {}", count_text(window.into()))?;
        }
        if let (Some(rate), None) = (about.rate, &self.bound) {
            write!(f, ", {}", rate_text(rate))?;
        }
        if !about.protocol.is_empty() {
            write!(f, ", MQTT {}", about.protocol)?;
        }
        match &self.bound {
            Some(bound) => write!(f, ", highest rate at which {bound}"),
            None => Ok(()),
        }
    }
}

impl Baseline {
    /// Of the file's `text`, for `loads` on `targets` that are to be measured.
    ///
    /// # Errors
    /// If the file is another one, or has none of the loads or of the targets.
    pub fn of(text: &str, loads: &[Load], targets: &[String]) -> Result<Self, BaselineError> {
        let found = read(text)?;
        let mut entries = Vec::new();
        let mut missing = Vec::new();
        for load in loads {
            let Some(base) = found.iter().find(|found| found.load.is_same(load)) else {
                missing.push(format!("the baseline has no `{load}`"));
                continue;
            };
            for target in targets {
                match base.targets.iter().find(|one| one.name == *target) {
                    Some(target_base) => {
                        let (tags, of) = named(load, target, loads.len() * targets.len());
                        entries.push(Entry {
                            load: load.clone(),
                            base: target_base.clone(),
                            base_about: base.load.about.clone(),
                            tags,
                            of,
                        });
                    }
                    None => missing.push(format!("the baseline has no {target} with `{load}`")),
                }
            }
        }
        let is_held_up =
            |entry: &Entry| entry.base.held_up > 0 && entry.base.held_up == entry.base.trials;
        if !entries.is_empty() && entries.iter().all(is_held_up) {
            return Err(BaselineError::HeldUp);
        }
        let has_load = |load: &&Load| found.iter().any(|found| found.load.is_same(load));
        match (entries.is_empty(), loads.iter().any(|load| has_load(&load))) {
            (false, _) => Ok(Self { entries, missing }),
            (true, false) => Err(BaselineError::OtherLoad {
                wanted: loads.first().map_or(String::new(), ToString::to_string),
                has: found.iter().map(|found| found.load.to_string()).collect(),
            }),
            (true, true) => {
                let names = found.iter().flat_map(|found| &found.targets);
                let mut has: Vec<String> = names.map(|target| target.name.clone()).collect();
                has.sort_unstable();
                has.dedup();
                Err(BaselineError::OtherTargets {
                    wanted: targets.to_vec(),
                    has,
                })
            }
        }
    }

    /// Its figures, as a user chooses among them.
    pub fn choosable(&self) -> Vec<Choosable> {
        let all = self.entries.iter().flat_map(|entry| {
            let figures = entry.base.numbers.keys();
            figures.map(|figure| Choosable {
                key: format!("{}{}", figure.key(), entry.tags),
                unit: figure.unit(),
                better: figure.better(),
            })
        });
        all.collect()
    }

    /// Compares what was measured, as its own JSON has it, with it; and what a reader must know, a sentence each.
    ///
    /// # Errors
    /// If `measured` is not what a bench writes.
    pub fn against(
        &self,
        measured: &str,
        chosen: &[crate::Chosen],
    ) -> Result<(Vec<ComparedFigure>, Vec<String>), BaselineError> {
        let found = read(measured)?;
        let mut notes = self.missing.clone();
        let mut rows = Vec::new();
        for entry in &self.entries {
            let new = found.iter().find(|found| found.load.is_same(&entry.load));
            let mut targets = new.iter().flat_map(|new| &new.targets);
            let target = targets.find(|one| one.name == entry.base.name);
            // Without one its figures are there all the same, as not measured.
            let nothing = FoundTarget::default();
            let target = target.unwrap_or(&nothing);
            rows.extend(rows_of(entry, target));
            let differing = new.map_or(Vec::new(), |new| {
                differing(&entry.base_about, &new.load.about)
            });
            let left_out = left_out(&entry.base, target, &entry.of);
            for note in differing.into_iter().chain(left_out) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        let is_chosen = |key: &str| chosen.is_empty() || chosen.iter().any(|one| one.takes(key));
        rows.retain(|row| is_chosen(&row.key));
        Ok((compared(rows).0, notes))
    }
}

/// What a figure of `load` on `target` is called beside `count` others, by a program and by a reader.
fn named(load: &Load, target: &str, count: usize) -> (String, String) {
    match (&load.row, count) {
        (Some(row), _) => (
            format!("{{row={row},target={target}}}"),
            format!(", {row} on {target}"),
        ),
        (None, 1) => (String::new(), String::new()),
        (None, _) => (format!("{{target={target}}}"), format!(", {target}")),
    }
}

/// The figures of both sides, one each.
fn rows_of(entry: &Entry, new: &FoundTarget) -> Vec<Uncompared> {
    let numbers = |of: &FoundTarget, figure| of.numbers.get(&figure).cloned().unwrap_or_default();
    let row = |figure: Figure| {
        let mut sides = vec![numbers(&entry.base, figure), numbers(new, figure)];
        if figure == Figure::Held {
            add_at_least(&mut sides, &entry.base, new);
        }
        let has_any = sides.iter().any(|side| !side.is_empty());
        has_any.then(|| Uncompared {
            key: format!("{}{}", figure.key(), entry.tags),
            name: format!("{}{}", figure.name(), entry.of),
            part: figure.part(),
            unit: figure.unit(),
            rule: Rule {
                better: figure.better(),
                grain: grain(figure, &entry.load.about, [&entry.base, new]),
            },
            sides,
        })
    };
    Figure::ALL.into_iter().filter_map(row).collect()
}

/// Adds the rates of searches that the broker did not end and that are not below a rate that it held as its highest: from lower
/// ones nothing would follow.
fn add_at_least(sides: &mut [Vec<f64>], base: &FoundTarget, new: &FoundTarget) {
    for (side, target) in [(0, base), (1, new)] {
        let highest = highest(sides[0].iter());
        let not_below = target.held_at_least.iter().filter(|rate| **rate >= highest);
        sides[side].extend(not_below);
    }
}

fn highest<'a>(rates: impl Iterator<Item = &'a f64>) -> f64 {
    rates.copied().fold(0.0, f64::max)
}

/// What is left out of the comparison of a target, a sentence for each side.
fn left_out(base: &FoundTarget, new: &FoundTarget, of: &str) -> Vec<String> {
    let sides = [("the baseline", base), ("what was measured now", new)];
    let mut told: Vec<String> = sides
        .iter()
        .filter(|(_, side)| side.held_up > 0)
        .map(|(name, side)| {
            format!(
                "left out of {name}{of}: {} of {} trials, since other processes held their generator up",
                side.held_up, side.trials
            )
        })
        .collect();
    let held = base.numbers.get(&Figure::Held).into_iter().flatten();
    let exact = highest(held.clone());
    let below = base.held_at_least.iter().filter(|rate| **rate < exact);
    let below = below.count();
    if below > 0 {
        told.push(format!(
            "left out of the baseline{of}: {below} of {} searches, which ended below the others, and not by the broker's limit",
            base.trials
        ));
    }
    let highest = highest(held.chain(&base.held_at_least));
    let below = new.held_at_least.iter().filter(|rate| **rate < highest);
    let below = below.count();
    if below > 0 {
        told.push(format!(
            "left out of what was measured now{of}: {below} of {} searches, which ended below the baseline, and not by the broker's limit",
            new.trials
        ));
    }
    told
}

fn grain(figure: Figure, about: &About, sides: [&FoundTarget; 2]) -> Grain {
    let of_unit = grain_of(figure.unit());
    match figure {
        Figure::PerSecond if about.rate.is_none() => Grain {
            share: SHARE_OF_CLOSED_LOOPS,
            ..of_unit
        },
        Figure::Held => Grain {
            share: SHARE_OF_SEARCHES,
            ..of_unit
        },
        Figure::BrokerCpu => Grain {
            step: sides[0].cpu_step_us.max(sides[1].cpu_step_us),
            ..of_unit
        },
        Figure::BytesPerConnection => Grain {
            step: of_unit.step / f64::from((about.publishers + about.subscribers).max(1)),
            ..of_unit
        },
        Figure::PerSecond
        | Figure::P50
        | Figure::P99
        | Figure::P999
        | Figure::Rss
        | Figure::Switches
        | Figure::Syscalls
        | Figure::WrittenBytes => of_unit,
    }
}

/// What else than the broker differs, a sentence each.
fn differing(base: &About, new: &About) -> Vec<String> {
    let mut notes = Vec::new();
    if (&base.cpu, base.cores) != (&new.cpu, new.cores) {
        notes.push(format!(
            "the baseline is of another machine ({} × {}): what differs may be the machine",
            base.cores, base.cpu
        ));
    }
    if base.pinned != new.pinned {
        notes.push("one of the two kept broker and generator on a core each (--pin), and the other did not".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests;
