//! Blocks of a section: tables, charts, facts, notes.

use maud::{Markup, PreEscaped, html};

use crate::chart::figure::Frame;
use crate::chart::{Canvas, Chart, ChartError, Surface};
use crate::section::{Block, appendix};
use crate::table::{Cell, Column, ColumnKind, Table};

/// More rows than this are in the CSV file alone.
const ROWS_SHOWN: usize = 200;

/// Tables with more columns than this are set smaller, so that they fit a page.
const DENSE_FROM: usize = 10;

/// And those with more columns than this smaller still.
const DENSEST_FROM: usize = 14;

/// Whether a page has files of its charts and tables beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// It has, in `charts/` and `tables/`.
    Beside,
    /// It stands alone.
    None,
}

/// A block.
pub(super) fn body(block: &Block, files: Files) -> Result<Markup, ChartError> {
    Ok(match block {
        Block::Note(text) => html! { p .note { (text) } },
        Block::Warning(text) => html! { p .warning role="note" { (text) } },
        Block::Chart(chart, numbers) => chart_body(chart, numbers, files)?,
        Block::Table(table) => html! {
            h3 id={ "table-" (table.id) } {
                (table.title)
                @if files == Files::Beside { (super::anchor(&format!("table-{}", table.id))) (csv(table)) }
            }
            (table_body(table, files))
        },
        Block::Folded(table) => folded_for_screen(&table.title, &table_body(table, files)),
        Block::Trace(table) => trace_body(table, files),
        Block::Facts(facts) => facts_body(facts),
        Block::Text(title, text) => folded_for_screen(title, &html! { pre { code { (text) } } }),
    })
}

fn folded(title: &str, content: &Markup) -> Markup {
    html! {
        details {
            summary { (title) }
            (content)
        }
    }
}

/// The name is inside the fold: a link to it opens the fold (HTML, 7.4.6.4, ancestor revealing).
fn trace_body(table: &Table, files: Files) -> Markup {
    folded(
        &table.title,
        &html! {
            div .trace id={ "table-" (table.id) } {
                @if files == Files::Beside { p { (csv(table)) } }
                (table_body(table, files))
            }
        },
    )
}

/// A link to a table's file.
fn csv(table: &Table) -> Markup {
    html! { span .files { a href={ "tables/" (table.id) ".csv" } aria-label={ (table.title) " as CSV" } { "CSV" } } }
}

/// Folded on a screen, where it can be opened; open on paper.
fn folded_for_screen(title: &str, content: &Markup) -> Markup {
    html! {
        details .paper {
            summary { (title) }
            (content)
        }
    }
}

fn chart_files(chart: &Chart, numbers: &Table) -> Markup {
    html! {
        span .files {
            @for (ending, name) in [("png", "PNG"), ("svg", "SVG")] {
                a href={ "charts/" (chart.id) "." (ending) } aria-label={ (chart.title) " as " (name) } { (name) } " "
            }
            a href={ "tables/" (numbers.id) ".csv" } aria-label={ (chart.title) " as CSV" } { "CSV" }
        }
    }
}

fn chart_body(chart: &Chart, numbers: &Table, files: Files) -> Result<Markup, ChartError> {
    let canvas = match chart.figure.frame {
        Frame::Own => Canvas::wide(Surface::Vector),
        Frame::OverTime => Canvas::column(),
    };
    let wide = chart.to_inline_svg(&canvas)?;
    let narrow = chart.to_inline_svg(&Canvas::narrow())?;
    let numbers_of = format!("{}: numbers", chart.title);
    Ok(html! {
        figure id={ "chart-" (chart.id) } {
            h3 {
                (chart.title)
                @if files == Files::Beside { (super::anchor(&format!("chart-{}", chart.id))) (chart_files(chart, numbers)) }
            }
            div .chart.wide { (PreEscaped(wide)) }
            div .chart.narrow { (PreEscaped(narrow)) }
            figcaption {
                p { (chart.caption) }
                (folded("Numbers", &table_named(numbers, &numbers_of, files)))
            }
        }
    })
}

fn facts_body(facts: &[(&'static str, Vec<Cell>)]) -> Markup {
    html! {
        dl .facts {
            @for (name, cells) in facts {
                dt { (name) }
                dd { @for cell in cells { span .fact { (cell_content(cell)) } " " } }
            }
        }
    }
}

/// Where a table says what its cells are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// In the heading of the column.
    InHeadings,
    /// Also in each cell, for rows that are stacked.
    InEachCell,
}

/// A table in a box of its own, which scrolls where the page is narrow; one with sentences is stacked there,
/// a block for each row.
fn table_body(table: &Table, files: Files) -> Markup {
    table_named(table, &table.title, files)
}

/// The same with a name of its own, where several tables have one title.
fn table_named(table: &Table, name: &str, files: Files) -> Markup {
    let beyond = table.rows.len().saturating_sub(ROWS_SHOWN);
    let shown: Vec<usize> = (0..table.columns.len())
        .filter(|&index| table.has_anything_in(index))
        .collect();
    let naming = match table.has_sentences() {
        true => Naming::InEachCell,
        false => Naming::InHeadings,
    };
    html! {
        section .box tabindex="0" aria-label=(name) {
            table .dense[shown.len() > DENSE_FROM] .densest[shown.len() > DENSEST_FROM] .stacks[naming == Naming::InEachCell] {
                thead { tr { @for &index in &shown { (heading(&table.columns[index], files)) } } }
                tbody {
                    @for row in table.rows.iter().take(ROWS_SHOWN) {
                        tr {
                            @for &index in &shown {
                                (cell_body(&table.columns[index], &row[index], naming))
                            }
                        }
                    }
                }
            }
        }
        @if beyond > 0 {
            p .note { (beyond) " further rows are in " code { "tables/" (table.id) ".csv" } "." }
        }
    }
}

/// A heading that the glossary explains leads there, where the page has one.
fn heading(column: &Column, files: Files) -> Markup {
    let meaning = appendix::meaning_of(&column.heading).filter(|_| files == Files::Beside);
    html! {
        th scope="col" .(class_of(column.kind)) {
            @if column.heading.is_empty() { span .read { "Result" } }
            @else if let Some((word, meaning)) = meaning {
                a .word href={ "#" (anchor_of(word)) } title=(meaning) { (column.heading) }
            }
            @else { (column.heading) }
        }
    }
}

/// `word-not-owed-came`
fn anchor_of(word: &str) -> String {
    let parts = word.split(|letter: char| !letter.is_ascii_alphanumeric());
    let parts: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    format!("word-{}", parts.join("-"))
}

fn class_of(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Words => "words",
        ColumnKind::Sentences => "sentences",
        ColumnKind::Quantity => "quantity",
    }
}

fn cell_body(column: &Column, cell: &Cell, naming: Naming) -> Markup {
    let tone = match cell {
        Cell::Bad(count) if *count > 0 => "bad",
        Cell::None | Cell::Percentile(None) => "faint",
        Cell::Bad(_)
        | Cell::Text(_)
        | Cell::Code(_)
        | Cell::Count(_)
        | Cell::Micros(_)
        | Cell::Percentile(Some(_))
        | Cell::At(_)
        | Cell::Seconds(_)
        | Cell::PerSecond(_)
        | Cell::Bytes(_)
        | Cell::Cores(_)
        | Cell::Quantile(_)
        | Cell::Result(_)
        | Cell::HeldInVain(_)
        | Cell::Value(_)
        | Cell::Offset(_)
        | Cell::Mark(_)
        | Cell::Term(_)
        | Cell::Link(..) => "plain",
    };
    let name = (naming == Naming::InEachCell).then_some(&column.heading);
    html! { td .(class_of(column.kind)).(tone) data-of=[name] { (cell_content(cell)) } }
}

fn cell_content(cell: &Cell) -> Markup {
    match cell {
        Cell::Code(text) => html! { code { (text) } },
        Cell::Result(result) => html! { span .badge.(super::tone_of(*result)) { (result.word()) } },
        Cell::HeldInVain(words) => html! { span .badge { (words) } },
        Cell::Mark(words) => html! { span .badge.doubt { (words) } },
        Cell::Term(word) => html! { dfn id=(anchor_of(word)) { (word) } },
        Cell::Link(words, table) => {
            html! { a href={ "#table-" (table) } { (super::unbroken(words)) } }
        }
        Cell::None
        | Cell::Text(_)
        | Cell::Count(_)
        | Cell::Bad(_)
        | Cell::Micros(_)
        | Cell::Percentile(_)
        | Cell::At(_)
        | Cell::Seconds(_)
        | Cell::PerSecond(_)
        | Cell::Bytes(_)
        | Cell::Cores(_)
        | Cell::Quantile(_)
        | Cell::Value(_)
        | Cell::Offset(_) => html! { (super::unbroken(&cell.shown())) },
    }
}
