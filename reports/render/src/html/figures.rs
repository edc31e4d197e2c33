//! The figures that matter: four that stand first and large, the others in a table, and what stands out beside them.

use maud::{Markup, html};
use squall_run::{ClaimResult, Run};

use crate::tile::{Limit, Ranked, Tile};

/// The figures of a page.
pub(super) fn figures(ranked: &Ranked) -> Markup {
    html! {
        @if !ranked.first.is_empty() { (tiles(&ranked.first)) }
        @if !ranked.others.is_empty() { (others(&ranked.others)) }
    }
}

/// Figures that matter less, a row each.
fn others(tiles: &[Tile]) -> Markup {
    html! {
        section .figures aria-label="Further figures" {
            table {
                tbody {
                    @for tile in tiles {
                        tr .(held_class(tile.held)) {
                            th scope="row" { (tile.label) }
                            td .value { (super::unbroken(&tile.value)) }
                            td .detail {
                                @if let Some(limit) = &tile.limit { (super::unbroken(&limit.text)) "; " }
                                (super::unbroken(&tile.detail))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What squall found that no claim asks for.
pub(super) fn observations(run: &Run) -> Markup {
    let observations = run.observations();
    html! {
        @if !observations.is_empty() {
            section .look aria-label="Observations" {
                p { b { "Look at" } }
                ul { @for observation in &observations { li { (super::unbroken(observation)) } } }
            }
        }
    }
}

fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        section .tiles aria-label="Figures that matter" {
            @for tile in tiles {
                div .tile.(held_class(tile.held)) {
                    p .label { (tile.label) }
                    p .value { (tile.value) }
                    @if let Some(limit) = &tile.limit {
                        svg .gauge aria-hidden="true" viewBox="0 0 100 4" preserveAspectRatio="none" {
                            rect width=(limit_percent(limit)) height="4" {}
                        }
                        p .detail { (super::unbroken(&limit.text)) }
                    }
                    p .detail { (super::unbroken(&tile.detail)) }
                }
            }
        }
    }
}

/// How much of a limit's bar is filled, in whole percent.
fn limit_percent(limit: &Limit) -> u64 {
    (limit.used.clamp(0.0, 1.0) * 100.0).round() as u64
}

fn held_class(held: Option<ClaimResult>) -> &'static str {
    match held {
        Some(ClaimResult::Held) => "good",
        Some(ClaimResult::Broken) => "bad",
        Some(ClaimResult::NotJudged) => "doubt",
        None => "plain",
    }
}
