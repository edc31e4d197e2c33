//! The sections of a report, in order: one file a section, each from a run to [`Block`]s.
//!
//! A section says what is shown; `html`, `markdown` and `text` decide how it looks.

mod accounting;
pub(crate) mod appendix;
mod connections;
mod errors;
mod faults;
mod generator;
mod judgement;
mod latency;
mod malformed;
mod network;
mod packets;
mod qos2;
mod resources;
mod responses;
mod retained;
mod run_card;
mod silences;
mod spent;
mod takeover;
mod timeline;
mod wills;

use squall_run::Run;

use crate::chart::Chart;
use crate::table::{Cell, Table};

/// A part of a report under one heading.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    /// Name in links.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// What it shows, in order.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// A sentence or two.
    Note(String),
    /// A sentence that must not be missed.
    Warning(String),
    /// A chart with the numbers behind it.
    Chart(Box<Chart>, Table),
    /// A table.
    Table(Table),
    /// A table behind a fold: long, and not needed to understand the section.
    Folded(Table),
    /// Packets around an anomaly, behind a fold.
    Trace(Table),
    /// Names with values.
    Facts(Vec<(&'static str, Vec<Cell>)>),
    /// A long text behind a fold: its name and itself.
    Text(&'static str, String),
}

/// A section that has nothing to show, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Absent {
    /// Its heading.
    pub(crate) title: &'static str,
    /// Why, as a clause after it.
    pub(crate) why: &'static str,
}

/// Makes one section of a run, or says why there is none.
type Maker = fn(&Run) -> Result<Section, Absent>;

/// All sections that `run` has something for, and those it has not.
pub(crate) fn sections(run: &Run) -> (Vec<Section>, Vec<Absent>) {
    let makers: [Maker; 18] = [
        judgement::section,
        accounting::section,
        latency::section,
        timeline::section,
        qos2::section,
        connections::section,
        wills::section,
        takeover::section,
        malformed::section,
        responses::section,
        network::section,
        retained::section,
        resources::section,
        generator::section,
        faults::section,
        errors::section,
        run_card::section,
        appendix::section,
    ];
    let mut sections = Vec::new();
    let mut absent = Vec::new();
    for maker in makers {
        match maker(run) {
            Ok(section) => sections.push(section),
            Err(missing) => absent.push(missing),
        }
    }
    (sections, absent)
}

/// A section with `blocks`, or none if there are none.
fn section_of(
    id: &'static str,
    title: &'static str,
    blocks: Vec<Block>,
    why_absent: &'static str,
) -> Result<Section, Absent> {
    if blocks.is_empty() {
        Err(Absent {
            title,
            why: why_absent,
        })
    } else {
        Ok(Section { id, title, blocks })
    }
}

/// A chart with its numbers, if there is one.
fn chart_block(chart: Option<Chart>, numbers: impl FnOnce() -> Table) -> Option<Block> {
    chart.map(|chart| Block::Chart(Box::new(chart), numbers()))
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// A run with something of everything has every section, each with something in it.
    #[test]
    fn a_full_run_has_every_section() {
        let (sections, absent) = sections(&sample::failing());

        assert_eq!(sections.len(), 18);
        assert_eq!(absent, []);
        assert!(sections.iter().all(|section| !section.blocks.is_empty()));
    }

    /// What a run has nothing of is left out and named.
    #[test]
    fn an_empty_run_names_what_is_missing() {
        let (sections, absent) = sections(&sample::empty());

        let shown: Vec<&str> = sections.iter().map(|section| section.id).collect();
        assert_eq!(shown, ["run", "appendix"]);
        assert_eq!(absent.len(), 16);
        assert!(absent.iter().all(|missing| !missing.why.is_empty()));
    }

    /// Each table has a name of its own: it becomes a file.
    #[test]
    fn tables_have_distinct_names() {
        let (sections, _) = sections(&sample::failing());

        let mut ids: Vec<String> = sections
            .iter()
            .flat_map(|section| &section.blocks)
            .filter_map(|block| match block {
                Block::Chart(_, table)
                | Block::Table(table)
                | Block::Folded(table)
                | Block::Trace(table) => Some(table.id.clone()),
                Block::Note(_) | Block::Warning(_) | Block::Facts(_) | Block::Text(..) => None,
            })
            .collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();

        assert_eq!(ids.len(), count);
    }
}
