//! The table of figures of a comparison: each side's, and how far it is from the base.

use maud::{Markup, html};
use squall_run::{ComparedFigure, Difference, FigurePart, Finding, SideBySide, SideSummary};

use crate::compare::{about_noise, band, cell, change, shown};

/// The figures of each side, and how far each is from the base.
pub(super) fn table(all: &SideBySide) -> Markup {
    let columns = 1 + all.sides.len() + (all.sides.len() - 1);
    let mut part: Option<FigurePart> = None;
    let rows: Vec<(Option<FigurePart>, &ComparedFigure)> = shown(all)
        .map(|figure| {
            let begins = (part != Some(figure.part)).then_some(figure.part);
            part = Some(figure.part);
            (begins, figure)
        })
        .collect();
    html! {
        section #figures {
            h2 { "Figures" }
            div .box tabindex="0" role="region" aria-label="Figures" {
                table .compared.stacks {
                    thead { tr {
                        th scope="col" { "figure" }
                        @for side in &all.sides { th scope="col" .quantity { (side.label) } }
                        @for side in &all.sides[1..] { th scope="col" .quantity { (from(all, side)) } }
                    } }
                    tbody {
                        @for (begins, figure) in &rows {
                            @if let Some(part) = begins {
                                tr .part { th scope="rowgroup" colspan=(columns) { (part.heading()) } }
                            }
                            (figure_row(all, figure))
                        }
                    }
                }
            }
            p .note { (about_noise(all)) }
        }
    }
}

/// The heading of what sets a side apart from the base.
fn from(all: &SideBySide, side: &SideSummary) -> String {
    format!("{} from {}", side.label, all.sides[0].label)
}

fn figure_row(all: &SideBySide, figure: &ComparedFigure) -> Markup {
    html! {
        tr {
            td .figure title=(figure.key) data-of="" { (figure.name) }
            @for (side, summary) in all.sides.iter().enumerate() {
                td .quantity data-of=(summary.label) {
                    @match cell(figure, side) {
                        None => span .faint { "–" },
                        Some((median, range)) => {
                            (super::super::unbroken(&median))
                            @if let Some(range) = range { br; span .range { (super::super::unbroken(&range)) } }
                        },
                    }
                }
            }
            @for (side, difference) in all.sides[1..].iter().zip(&figure.differences) {
                (difference_cell(&from(all, side), figure, difference.as_ref()))
            }
        }
    }
}

/// A difference; what is beyond noise has a word in a badge, so that it is seen without its colour.
fn difference_cell(of: &str, figure: &ComparedFigure, difference: Option<&Difference>) -> Markup {
    let Some(found) = difference else {
        return html! { td .quantity data-of=(of) { span .faint { "–" } } };
    };
    let words = found.finding.words();
    html! {
        td .quantity.difference.(class_of(found.finding)) data-of=(of) {
            @match found.finding {
                Finding::Better | Finding::Worse | Finding::Differs => span .badge.(class_of(found.finding)) { (words) },
                Finding::WithinNoise | Finding::Same | Finding::NoiseUnknown => span .faint { (words) },
            }
            " " (super::super::unbroken(&change(found, figure.unit)))
            @if let Some(band) = band(found, figure.unit) { br; span .range { (super::super::unbroken(&band)) } }
        }
    }
}

fn class_of(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "good",
        Finding::Worse => "bad",
        Finding::Differs => "apart",
        Finding::WithinNoise | Finding::Same | Finding::NoiseUnknown => "plain",
    }
}
