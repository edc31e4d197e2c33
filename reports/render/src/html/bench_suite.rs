//! The page of a suite of benches: tables of brokers side by side, and how to repeat each row.

use maud::{Markup, html};
use squall_run::bench::Suite;

use super::document;
use super::script::Script;
use crate::bench_suite::{Cell, CellKind, Table, Tables, machine, method, software};

/// The page.
pub(crate) fn page(suite: &Suite) -> String {
    let tables = Tables::of(suite);
    let title = format!("{} brokers side by side · squall", suite.targets.len());
    let warned = suite
        .rows
        .iter()
        .filter(|row| !row.result.warnings.is_empty());
    let body = html! {
        a .skip href="#main" { "Skip to the tables" }
        (header(suite))
        div .page {
            nav aria-label="Tables" {
                ul {
                    @for table in &tables.tables { li { a href={ "#" (table.id) } { (table.title) } } }
                    @if !tables.notes.is_empty() { li { a href="#notes" { "Notes" } } }
                    li { a href="#repeat" { "To repeat a row" } }
                    li { a href="#targets" { "Versions" } }
                    @if warned.clone().count() > 0 { li { a href="#warnings" { "Warnings" } } }
                }
            }
            main #main {
                @for table in &tables.tables { (table_body(suite, table)) }
                (notes(&tables.notes))
                (commands(suite))
                (targets(suite))
                @if warned.clone().count() > 0 {
                    section #warnings {
                        h2 { "Warnings" }
                        @for row in warned {
                            h3 { (row.title) }
                            ul { @for warning in &row.result.warnings { li { (super::unbroken(warning)) } } }
                        }
                    }
                }
            }
        }
        footer {
            p {
                "Written by squall " (suite.squall) ". The same is in " code { "suite.md" } " as Markdown, and all figures of all trials in "
                a href="suite.json" { "suite.json" } " for programs."
            }
        }
    };
    document(&title, &suite.squall, &body, Script::None).into_string()
}

fn header(suite: &Suite) -> Markup {
    html! {
        header .verdict.none #verdict {
            div .inner { div {
                p .line {
                    strong .outcome { "BENCH" }
                    span .scenario { "suite" }
                    span .against { (suite.targets.len()) " brokers, " (suite.rows.len()) " workloads" }
                }
                h1 { "What does a message cost each broker?" }
                p .sentence { (method(suite)) }
                dl .again {
                    dt { "Measure it again" }
                    dd { code { @for word in suite.command.split(' ') { span { (word) } " " } } }
                }
                p .small {
                    (suite.started_at.replace('T', " ").replace('Z', " UTC")) " · squall " (suite.squall) " · " (machine(suite))
                }
            } }
        }
    }
}

fn table_body(suite: &Suite, table: &Table) -> Markup {
    html! {
        section .whole #(table.id) {
            h2 { (table.title) (super::anchor(table.id)) }
            p .note { (table.about) }
            div .box tabindex="0" role="region" aria-label=(table.title) {
                table .dense[suite.targets.len() > 6] {
                    thead { tr {
                        th scope="col" { "workload" }
                        @for target in &suite.targets { th scope="col" .quantity { (target) } }
                    } }
                    tbody {
                        @for (name, cells) in &table.rows {
                            tr {
                                td .sentences { (super::unbroken(name)) }
                                @for cell in cells { (cell_body(cell)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell_body(cell: &Cell) -> Markup {
    let tone = match cell.kind {
        CellKind::Figure => "plain",
        CellKind::None => "faint",
        CellKind::Failed => "bad",
    };
    html! {
        td .quantity.(tone) {
            (super::unbroken(&cell.text))
            @for note in &cell.notes { sup { a href={ "#note-" (note) } { (note) } } " " }
            @if let Some(range) = &cell.range { br; span .range { (super::unbroken(range)) } }
        }
    }
}

fn notes(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section #notes {
                h2 { "Notes" }
                ol { @for (number, note) in (1..).zip(notes) { li #{ "note-" (number) } { (super::unbroken(note)) } } }
            }
        }
    }
}

fn commands(suite: &Suite) -> Markup {
    html! {
        section #repeat {
            h2 { "To repeat a row" (super::anchor("repeat")) }
            dl .again {
                @for row in &suite.rows {
                    dt { (row.title) " (" code { (row.id) } ")" }
                    dd { code { @for word in row.command.split(' ') { span { (word) } " " } } }
                }
            }
        }
    }
}

fn targets(suite: &Suite) -> Markup {
    let changes = |name: &str| {
        let results = suite.rows.iter().flat_map(|row| &row.result.targets);
        let mut changes: Vec<String> = results
            .filter(|target| target.name == name)
            .flat_map(|target| target.changes.iter().cloned())
            .collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    };
    html! {
        section #targets {
            h2 { "Versions" (super::anchor("targets")) }
            dl .facts {
                @for name in &suite.targets {
                    dt { (name) }
                    dd {
                        (software(suite, name).unwrap_or("it does not say"))
                        @for change in changes(name) { br; span .range { (change) } }
                    }
                }
            }
        }
    }
}
