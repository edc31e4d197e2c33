//! What a file of a bench, a suite or a search has that can be compared.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::figure::Figure;
use super::super::figures::Figures;
use super::super::result::{About, BenchResult, TargetResult};
use super::super::suite::Suite;
use super::{BaselineError, Load};

/// The system brings processor time up to date with each tick of its scheduler, 10 ms at most.
const STEP_CPU_US: f64 = 10_000.0;

/// A load, and what was found of each target.
pub(super) struct Found {
    pub(super) load: Load,
    pub(super) targets: Vec<FoundTarget>,
}

/// What was found of a target.
#[derive(Clone, Default)]
pub(super) struct FoundTarget {
    pub(super) name: String,
    pub(super) numbers: BTreeMap<Figure, Vec<f64>>,
    /// Rates of searches that the broker did not end: it may carry more.
    pub(super) held_at_least: Vec<f64>,
    /// All that have something to compare.
    pub(super) trials: usize,
    /// Trials that are left out, because their generator was held up.
    pub(super) held_up: usize,
    /// The grain of the processor time for each message.
    pub(super) cpu_step_us: f64,
}

/// The file of a search, as far as it is compared.
#[derive(Deserialize)]
struct Search {
    #[serde(flatten)]
    about: About,
    find_max: String,
    targets: Vec<SearchedTarget>,
}

#[derive(Deserialize)]
struct SearchedTarget {
    name: String,
    repeats: Vec<Searched>,
}

#[derive(Deserialize)]
struct Searched {
    held_per_s: Option<f64>,
    #[serde(default)]
    is_at_least: bool,
    /// Of one that did not come to its end, or whose broker broke a promise.
    error: Option<String>,
}

/// All that a file has.
pub(super) fn read(text: &str) -> Result<Vec<Found>, BaselineError> {
    /// What kind of file it is.
    #[derive(Deserialize)]
    struct Kind {
        rows: Option<serde::de::IgnoredAny>,
        find_max: Option<serde::de::IgnoredAny>,
    }
    let error = |error: serde_json::Error| match error.classify() {
        serde_json::error::Category::Eof if !text.trim().is_empty() => BaselineError::CutOff {
            line: error.line(),
            column: error.column(),
        },
        serde_json::error::Category::Eof
        | serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Data => BaselineError::NotABench(error.to_string()),
    };
    let kind: Kind = serde_json::from_str(text).map_err(error)?;
    match (kind.rows, kind.find_max) {
        (Some(_), _) => {
            let suite: Suite = serde_json::from_str(text).map_err(error)?;
            let rows = suite.rows.into_iter();
            Ok(rows.map(|row| of_bench(row.result)).collect())
        }
        (None, Some(_)) => {
            let search: Search = serde_json::from_str(text).map_err(error)?;
            Ok(vec![of_search(search)])
        }
        (None, None) => {
            let result: BenchResult = serde_json::from_str(text).map_err(error)?;
            Ok(vec![of_bench(result)])
        }
    }
}

fn of_bench(result: BenchResult) -> Found {
    Found {
        load: Load::of(result.about),
        targets: result.targets.iter().map(of_target).collect(),
    }
}

fn of_target(target: &TargetResult) -> FoundTarget {
    let (held_up, all): (Vec<&Figures>, Vec<&Figures>) = target
        .figures()
        .partition(|figures| figures.held_up_text().is_some());
    let mut numbers = BTreeMap::new();
    for figure in Figure::ALL {
        let of_figure: Vec<f64> = all.iter().filter_map(|one| figure.of(one)).collect();
        if !of_figure.is_empty() {
            numbers.insert(figure, of_figure);
        }
    }
    let fewest = all.iter().map(|one| one.messages).min().unwrap_or_default();
    FoundTarget {
        name: target.name.clone(),
        numbers,
        held_at_least: Vec::new(),
        trials: all.len() + held_up.len(),
        held_up: held_up.len(),
        cpu_step_us: STEP_CPU_US / fewest.max(1) as f64,
    }
}

fn of_search(search: Search) -> Found {
    let target = |target: SearchedTarget| {
        let rates = |at_least: bool| {
            let repeats = target.repeats.iter();
            let found = repeats.filter(|one| one.is_at_least == at_least);
            let whole = found.filter(|one| one.error.is_none());
            whole.filter_map(|one| one.held_per_s).collect()
        };
        FoundTarget {
            numbers: BTreeMap::from([(Figure::Held, rates(false))]),
            held_at_least: rates(true),
            trials: target.repeats.len(),
            name: target.name,
            ..FoundTarget::default()
        }
    };
    Found {
        load: Load::of(search.about).with_bound(search.find_max),
        targets: search.targets.into_iter().map(target).collect(),
    }
}
