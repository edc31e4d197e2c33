//! What charts over time share: the axis, the phases, the faults, and lines over intervals.
//!
//! Zero is where measuring begins, and the axis ends with the drain: the goodbye of all devices at
//! once would be the highest value of every chart. Faults stand at the moment that the scenario
//! names; an interval begins there or a little before, never after.

mod lines;
mod stretch;

use std::collections::{BTreeMap, BTreeSet};

use squall_run::{PhaseKind, Population, Run, count_text};

use super::figure::{Axis, Band, Figure, Frame, Mark, MarkLine};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;
use crate::clock::Clock;

pub(crate) use lines::{
    Process, Series, counts, is_loaded, level, online, percentiles, process, processes, rate,
    under_way,
};
pub(crate) use stretch::{Stretch, stretches};

/// Points of a line over time, and rows of its table, at most.
pub(crate) const POINTS: usize = 180;

/// More faults than this are shown as ticks without names.
const NAMED_FAULTS: usize = 12;

/// A figure over the time of `run`, with its phases shaded and its faults marked.
pub(crate) fn figure(run: &Run, y: Axis) -> Figure {
    let clock = Clock::of(run);
    let scale = Scale::Linear(clock.start(), clock.end().max(clock.start() + 1e-3));
    let mut figure = Figure::new(Axis::new(&clock.title(), scale, Unit::RunTime), y);
    figure.frame = Frame::OverTime;
    figure.bands = phases(run);
    mark_faults(run, &mut figure);
    figure
}

/// Which messages a chart of a population shows, to begin a caption with.
pub(crate) fn messages_of(population: &Population) -> String {
    if population.tags.is_empty() {
        "All messages".to_owned()
    } else {
        format!("Messages to {population}")
    }
}

fn phases(run: &Run) -> Vec<Band> {
    let clock = Clock::of(run);
    let name = |kind| match kind {
        PhaseKind::Connect => Some("connect"),
        PhaseKind::Warmup => Some("warm-up"),
        PhaseKind::Measure => None,
        PhaseKind::Drain => Some("drain"),
    };
    let phases = run
        .times
        .phases
        .iter()
        .filter(|phase| phase.end_s > phase.start_s);
    phases
        .filter_map(|phase| {
            Some(Band {
                span: Span::new(clock.at(phase.start_s), clock.at(phase.end_s)),
                label: name(phase.kind)?.to_owned(),
                ink: Ink::Phase,
            })
        })
        .collect()
}

fn mark_faults(run: &Run, figure: &mut Figure) {
    let faults = &run.measured.faults;
    if faults.len() > NAMED_FAULTS {
        let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut words = format!(
            "{} faults: {}",
            count_text(faults.len() as u64),
            names.join(", ")
        );
        for fault in faults {
            // The first tick speaks for all.
            let label = std::mem::take(&mut words);
            figure.marks.push(Mark {
                line: MarkLine::Tick(fault.planned_s),
                label,
                ink: Ink::Fault,
            });
        }
        return;
    }
    for fault in faults {
        if let Some(lasts_s) = fault.lasts_s {
            figure.bands.push(Band {
                span: Span::new(fault.planned_s, fault.planned_s + lasts_s),
                label: String::new(),
                ink: Ink::Fault,
            });
        }
    }
    // Faults of one moment share a line: their names would lie on each other.
    let mut moments: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for fault in faults {
        moments
            .entry((fault.planned_s.max(0.0) * 1000.0) as u64)
            .or_default()
            .push(&fault.name);
    }
    for (at_ms, names) in moments {
        figure.marks.push(Mark {
            line: MarkLine::Flag(at_ms as f64 / 1000.0),
            label: names.join(", "),
            ink: Ink::Fault,
        });
    }
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    fn count_axis() -> Axis {
        Axis::new("", Scale::from_zero(1.0), Unit::Count)
    }

    /// Zero is where measuring begins, and the picture ends with the drain: the goodbye after it
    /// neither shows nor widens the axis.
    #[test]
    fn the_axis_is_that_of_the_scenario() {
        let run = sample::passing();

        let figure = figure(&run, count_axis());

        assert_eq!(figure.x.scale, Scale::Linear(-20.0, 115.0));
        assert_eq!(figure.x.title, "Since measuring began, 20.0 s into the run");
        let drain = figure.bands.iter().find(|band| band.label == "drain");
        assert_eq!(drain.unwrap().span, Span::new(100.0, 115.0));
    }

    /// A fault stands at the moment that the file names, whatever the generator's lag.
    #[test]
    fn a_fault_stands_where_the_file_names_it() {
        let mut run = sample::passing();
        for fault in &mut run.measured.faults {
            fault.at_s += 0.037;
        }

        let figure = figure(&run, count_axis());

        let places: Vec<MarkLine> = figure.marks.iter().map(|mark| mark.line).collect();
        assert_eq!(places, [MarkLine::Flag(20.0), MarkLine::Flag(60.0)]);
    }

    /// Faults of one moment share one line, and many faults lose their names.
    #[test]
    fn faults_are_marked() {
        let mut run = sample::passing();

        let few = figure(&run, count_axis());
        let one = run.measured.faults[0].clone();
        run.measured.faults = vec![one; 100];
        let many = figure(&run, count_axis());

        let labels: Vec<&str> = few.marks.iter().map(|mark| mark.label.as_str()).collect();
        assert_eq!(labels, ["power-cut, socket-reset", "socket-close, polite"]);
        assert_eq!(many.marks.len(), 100);
        assert_eq!(many.marks[0].label, "100 faults: power-cut");
        assert!(many.marks[1..].iter().all(|mark| mark.label.is_empty()));
    }
}
