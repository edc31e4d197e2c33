//! A suite of benches as tables: a row for each workload, a column for each target, and notes that cells point to.
//!
//! `html/bench_suite` and `markdown` here lay the same tables out.

mod markdown;

use std::collections::BTreeMap;

use squall_run::bench::{
    Counted, Figure, Figures, REACHED, Repeat, Suite, SuiteRow, TargetResult, stalls_text,
};
use squall_run::{FigureSpread, count_text};

pub(crate) use markdown::text as markdown_text;

/// All tables of a suite that have a figure, and the notes of all of them.
pub(crate) struct Tables {
    /// In the order in which they are shown.
    pub(crate) tables: Vec<Table>,
    /// Cells point to them by their place, from 1.
    pub(crate) notes: Vec<String>,
}

/// One table.
pub(crate) struct Table {
    /// Of its heading.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: &'static str,
    /// What a reader must know of it.
    pub(crate) about: &'static str,
    /// What its rows are called, and their cells, one for each target.
    pub(crate) rows: Vec<(String, Vec<Cell>)>,
}

/// What a target came to in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    /// The median, or why there is none in a word.
    pub(crate) text: String,
    /// The least and the greatest, where they differ.
    pub(crate) range: Option<String>,
    /// The notes that belong to it.
    pub(crate) notes: Vec<usize>,
    /// What it says of the target.
    pub(crate) kind: CellKind,
}

/// What a cell says of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// A figure.
    Figure,
    /// Nothing: it lacks what the row is about, or the figure could not be had.
    #[default]
    None,
    /// It failed.
    Failed,
}

/// A table before its cells are made.
struct Plan {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    figures: &'static [(Figure, &'static str)],
    of: Of,
}

/// Which rows a table has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Messages,
    Connections,
}

const PLANS: [Plan; 6] = [
    Plan {
        id: "cpu",
        title: "Broker CPU, µs per delivered message",
        about: "Processor time of all the broker's processes, user and system, for each message that reached a subscriber. Lower is \
                better. Where more messages come at once the broker does more of them in one turn, so what each costs depends on the load: \
                compare within a row.",
        figures: &[(Figure::BrokerCpu, "")],
        of: Of::Messages,
    },
    Plan {
        id: "connections",
        title: "Connections",
        about: "What the broker's memory grew by for each client that is connected and idle, and its processor time for each new one. \
                Lower is better.",
        figures: &[
            (Figure::BytesPerConnection, "RSS per idle connection, bytes"),
            (Figure::BrokerCpu, "broker CPU per new connection, µs"),
        ],
        of: Of::Connections,
    },
    Plan {
        id: "delivered",
        title: "Delivered per second",
        about: "Messages that reached subscribers in a second. Higher is better; an open loop has its own rate.",
        figures: &[(Figure::PerSecond, "")],
        of: Of::Messages,
    },
    Plan {
        id: "p99",
        title: "Latency, p99",
        about: "From just before a message is written, or in an open loop from when it was due, to the read that brings it. With a window \
                the broker is at its limit, and this is the time that a message waits behind the window; what a broker with room takes is \
                in the rows of the open loop.",
        figures: &[(Figure::P99, "")],
        of: Of::Messages,
    },
    Plan {
        id: "switches",
        title: "Context switches per delivered message",
        about: "Of all the broker's threads.",
        figures: &[(Figure::Switches, "")],
        of: Of::Messages,
    },
    Plan {
        id: "system-calls",
        title: "System calls per delivered message",
        about: "Of all the broker's threads, counted in a further second of the same load.",
        figures: &[(Figure::Syscalls, "")],
        of: Of::Messages,
    },
];

/// The notes of a suite, each once.
#[derive(Default)]
struct Notes {
    texts: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Notes {
    /// The place of a note, from 1.
    fn place(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        self.texts.push(text.clone());
        let place = self.texts.len();
        self.places.insert(text, place);
        place
    }
}

impl Tables {
    /// Those of a suite.
    pub(crate) fn of(suite: &Suite) -> Self {
        let mut notes = Notes::default();
        let mut tables = Vec::new();
        for plan in PLANS {
            let rows: Vec<(String, Vec<Cell>)> = suite
                .rows
                .iter()
                .filter(|row| (row.result.about.bench == "conn") == (plan.of == Of::Connections))
                .flat_map(|row| plan.figures.iter().map(move |of| (row, of)))
                .map(|(row, (figure, name))| {
                    let name = if name.is_empty() { &row.title } else { *name };
                    (name.to_owned(), cells(row, *figure, &mut notes))
                })
                .collect();
            if !rows.is_empty() {
                tables.push(Table {
                    id: plan.id,
                    title: plan.title,
                    about: plan.about,
                    rows,
                });
            }
        }
        Self {
            tables,
            notes: notes.texts,
        }
    }
}

/// Product and version of a target, if any row knows it.
pub(crate) fn software<'a>(suite: &'a Suite, name: &str) -> Option<&'a str> {
    let results = suite.rows.iter().flat_map(|row| &row.result.targets);
    let mut known = results
        .filter(|target| target.name == name)
        .filter_map(|target| target.software.as_deref());
    known.next()
}

fn cells(row: &SuiteRow, figure: Figure, notes: &mut Notes) -> Vec<Cell> {
    let targets = row.result.targets.iter();
    targets
        .map(|target| cell(row, target, figure, notes))
        .collect()
}

fn cell(row: &SuiteRow, target: &TargetResult, figure: Figure, notes: &mut Notes) -> Cell {
    let mut cell = Cell::default();
    let told = failures(row, target);
    cell.notes
        .extend(told.into_iter().map(|text| notes.place(text)));
    let numbers = target.figures().filter_map(|figures| figure.of(figures));
    if let Some(spread) = FigureSpread::of(numbers) {
        let text = |number| figure.text(number);
        cell.kind = CellKind::Figure;
        cell.text = text(spread.median);
        cell.range = (text(spread.min) != text(spread.max))
            .then(|| format!("{} … {}", text(spread.min), text(spread.max)));
        let about = about_figures(row, target).into_iter();
        cell.notes.extend(about.map(|text| notes.place(text)));
        return cell;
    }
    let has_figures = target.figures().next().is_some();
    let is_skipped = target
        .repeats
        .iter()
        .any(|repeat| matches!(repeat, Repeat::Skipped { .. }));
    (cell.text, cell.kind) = match has_figures || is_skipped {
        true => ("–".to_owned(), CellKind::None),
        false => ("failed".to_owned(), CellKind::Failed),
    };
    if has_figures {
        cell.notes.push(notes.place(missing(target, figure)));
    }
    cell
}

/// Why trials have no figures: what a target lacks, or how the first of those failed that did.
fn failures(row: &SuiteRow, target: &TargetResult) -> Option<String> {
    let skipped = target.repeats.iter().find_map(|repeat| match repeat {
        Repeat::Skipped { skipped } => Some(skipped),
        Repeat::Failed { .. } | Repeat::Measured(_) => None,
    });
    if let Some(why) = skipped {
        return Some(format!("{}: {}.", target.name, why.join("; ")));
    }
    let mut failed = (1..)
        .zip(&target.repeats)
        .filter_map(|(number, repeat)| match repeat {
            Repeat::Failed { error, .. } => Some((number, error)),
            Repeat::Skipped { .. } | Repeat::Measured(_) => None,
        });
    let (number, error): (u32, _) = failed.next()?;
    let others = match failed.count() {
        0 => String::new(),
        others => format!(
            " ({} more of its repeats failed)",
            count_text(others as u64)
        ),
    };
    Some(format!(
        "{}, {}, repeat {number}{others}: {error}",
        target.name, row.id
    ))
}

/// What a reader must know of the figures of a cell.
fn about_figures(row: &SuiteRow, target: &TargetResult) -> Vec<String> {
    let mut told = Vec::new();
    let all: Vec<&Figures> = target.figures().collect();
    if all.iter().any(|figures| figures.is_limited_by_generator()) {
        told.push(
            "The generator was the limit here, not the broker: the broker may carry more, at another cost of each message."
                .to_owned(),
        );
    }
    if let Some(held_up) = all.iter().find_map(|figures| figures.held_up_text()) {
        told.push(format!("{}, {}: {held_up}.", target.name, row.id));
    }
    if let Some(pause) = all.iter().find_map(|figures| figures.pause_text()) {
        told.push(format!("{}, {}: {pause}.", target.name, row.id));
    }
    if let Some(lag) = all.iter().find_map(|figures| figures.lag_text()) {
        told.push(format!("{}, {}: {lag}.", target.name, row.id));
    }
    let lost: u64 = all.iter().map(|figures| figures.account.lost).sum();
    if lost > 0 {
        let delivered: u64 = all.iter().map(|figures| figures.account.delivered).sum();
        told.push(format!(
            "{}, {}: {} of {} deliveries were lost, which QoS 0 allows.",
            target.name,
            row.id,
            count_text(lost),
            count_text(lost + delivered)
        ));
    }
    if let Some(rate) = row.result.about.rate
        && all
            .iter()
            .any(|figures| figures.published_per_s < rate * REACHED)
    {
        told.push(format!(
            "{}, {}: the rate was not reached.",
            target.name, row.id
        ));
    }
    if let Some(stalls) = stalls_text(all.iter().map(|figures| figures.stalls).sum()) {
        told.push(format!("{}, {}: {stalls}.", target.name, row.id));
    }
    told
}

/// Why a trial that has figures lacks this one.
fn missing(target: &TargetResult, figure: Figure) -> String {
    let told = target
        .figures()
        .find_map(|figures| figures.broker_syscalls_missing.clone());
    match (figure, told) {
        (Figure::Syscalls, Some(why)) => why,
        (Figure::P50 | Figure::P99 | Figure::P999, _) => {
            "Fewer than ten messages were slower than this percentile.".to_owned()
        }
        (
            Figure::Held
            | Figure::PerSecond
            | Figure::BrokerCpu
            | Figure::Rss
            | Figure::BytesPerConnection
            | Figure::Switches
            | Figure::Syscalls
            | Figure::WrittenBytes,
            _,
        ) => {
            let counted = target.figures().next().map(|figures| figures.counted);
            match counted {
                Some(Counted::Connected) => {
                    "What the broker used is not known, or its clients are too few.".to_owned()
                }
                Some(Counted::Delivered | Counted::Acknowledged | Counted::Published) | None => {
                    "What the broker used is not known, or too few messages came.".to_owned()
                }
            }
        }
    }
}

/// How it was measured, in a sentence or two.
pub(crate) fn method(suite: &Suite) -> String {
    let seconds = |seconds: f64| squall_run::duration_text(seconds);
    format!(
        "Each figure is the median of {} trials, with the least and the greatest where they differ. Each trial is measured for {} after a \
         warm-up of {}; within a row the brokers take turns (A B A B). {} {} All speak MQTT {}.",
        suite.repeat,
        seconds(suite.duration_s),
        seconds(suite.warmup_s),
        where_they_are(suite),
        match suite.pinned {
            true => "Broker and generator had a core each (--pin).",
            false => "Broker and generator were not kept on cores of their own.",
        },
        suite
            .rows
            .first()
            .map_or("", |row| row.result.about.protocol.as_str())
    )
}

/// Which brokers are fresh ones beside the generator, and which ran already.
fn where_they_are(suite: &Suite) -> String {
    let (running, started): (Vec<&str>, Vec<&str>) = suite
        .targets
        .iter()
        .map(String::as_str)
        .partition(|name| ran_already(suite, name));
    let has_running = !running.is_empty();
    let running = format!(
        "{} ran before the suite and through all its trials, wherever that is",
        running.join(", ")
    );
    match (has_running, started.is_empty()) {
        (false, _) => {
            "Each trial is on a fresh broker, on the machine of the generator.".to_owned()
        }
        (true, true) => format!("{running}."),
        (true, false) => format!(
            "Each trial of {} is on a fresh broker, on the machine of the generator; {running}.",
            started.join(", ")
        ),
    }
}

/// Whether squall did not start a target: a URL, or a file that has one, and what it used is not known.
fn ran_already(suite: &Suite, name: &str) -> bool {
    let targets = suite.rows.iter().flat_map(|row| &row.result.targets);
    let mut figures = targets
        .filter(|target| target.name == name)
        .flat_map(TargetResult::figures);
    name.contains("://") || figures.any(|figures| figures.broker_cores.is_none())
}

/// The machine in a line.
pub(crate) fn machine(suite: &Suite) -> String {
    let machine = &suite.machine;
    format!(
        "{} × {}, {}, {}",
        machine.cores,
        machine.cpu,
        squall_run::bytes_text(machine.memory_bytes),
        machine.kernel
    )
}

#[cfg(test)]
mod tests;
