//! Settings that differ, as a table, with those that follow from another behind a fold.

use maud::{Markup, html};
use squall_run::{DifferingSetting, that_follow};

/// A table of those that stand for themselves, with a column for each of `labels`, and a fold for those that follow from one.
pub(super) fn tables(labels: &[&str], all: &[DifferingSetting]) -> Markup {
    let causes: Vec<(&DifferingSetting, usize)> = DifferingSetting::causes(all).collect();
    let own: Vec<&DifferingSetting> = causes.iter().map(|(cause, _)| *cause).collect();
    html! {
        (table("Settings that differ", labels, &own))
        @for (cause, count) in causes.iter().filter(|(_, count)| *count > 0) {
            @let name = format!("{}: {}", cause.name, that_follow(*count));
            details {
                summary { (name) }
                (table(&name, labels, &cause.following(all).collect::<Vec<_>>()))
            }
        }
    }
}

fn table(name: &str, labels: &[&str], rows: &[&DifferingSetting]) -> Markup {
    html! {
        div .box tabindex="0" role="region" aria-label=(name) {
            table .settings.stacks {
                thead { tr {
                    th scope="col" { "setting" }
                    @for label in labels { th scope="col" { (label) } }
                } }
                tbody {
                    @for setting in rows {
                        tr {
                            td .figure data-of="" { (setting.name) }
                            @for (value, label) in setting.values.iter().zip(labels) {
                                td .sentences data-of=(label) {
                                    @match value {
                                        Some(value) => (value),
                                        None => span .faint { "–" },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
