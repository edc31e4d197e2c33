//! The figures that stand first and large on a page, and those that are left.

use squall_run::{
    ClaimResult, Outcome, PhaseKind, Run, Summary, ThresholdOutcome, count_text, duration_text,
    rate_text,
};

use super::{Tile, latency, tiles};
use crate::table::percent;

/// Figures of a page, by how much they matter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ranked {
    /// At most four: claims, latency, throughput, the broker's processor.
    pub(crate) first: Vec<Tile>,
    /// The others, in the order of [`tiles`].
    pub(crate) others: Vec<Tile>,
}

/// The figures of `run`. One that stands first is not among the others, but for the rates that one of the first sums up.
pub(crate) fn ranked(run: &Run) -> Ranked {
    let mut others = tiles(run);
    let flow = flow(run, &others);
    // A limit on several groups or QoS together belongs to their figure, which is not among the others.
    let time = latency::of_several(run);
    let time = time.or_else(|| place_of_time(&others).map(|place| others.remove(place)));
    let flow = flow.or_else(|| take_named(&mut others, "Last Wills seen"));
    let broker = take_named(&mut others, "Broker CPU");
    let first = [claims(run), time, flow, broker];
    Ranked {
        first: first.into_iter().flatten().collect(),
        others,
    }
}

fn take_named(tiles: &mut Vec<Tile>, label: &str) -> Option<Tile> {
    let place = tiles.iter().position(|tile| tile.label == label);
    place.map(|place| tiles.remove(place))
}

/// What a run is about: of a kind of times the one that uses up most of its limit, without limits p99, or what
/// comes first.
fn place_of_time(tiles: &[Tile]) -> Option<usize> {
    ["Latency ", "Time to will ", "Round trip "]
        .iter()
        .find_map(|kind| place_of_kind(tiles, kind))
}

fn place_of_kind(tiles: &[Tile], kind: &str) -> Option<usize> {
    let of_kind = || {
        let numbered = tiles.iter().enumerate();
        numbered.filter(|(_, tile)| tile.label.starts_with(kind))
    };
    let limited = of_kind().filter_map(|(place, tile)| Some((place, tile.limit.as_ref()?.used)));
    let tightest = limited.max_by(|one, other| one.1.total_cmp(&other.1));
    let p99 = || of_kind().find(|(_, tile)| tile.label[kind.len()..].starts_with("p99"));
    let place = tightest.map(|(place, _)| place);
    place
        .or_else(|| p99().map(|(place, _)| place))
        .or_else(|| of_kind().next().map(|(place, _)| place))
}

/// What became of all claims together.
fn claims(run: &Run) -> Option<Tile> {
    let checks = run.measured.checks.iter();
    let claims = checks
        .flat_map(|check| &check.claims)
        .map(|claim| claim.result());
    let thresholds = run.measured.thresholds.iter();
    let results: Vec<ClaimResult> = claims
        .chain(thresholds.map(ThresholdOutcome::claim_result))
        .collect();
    let with = |result| results.iter().filter(|one| **one == result).count();
    let (held, broken) = (with(ClaimResult::Held), with(ClaimResult::Broken));
    let all = results.len();
    if all == 0 {
        return None;
    }
    let value = match (broken, all - held - broken) {
        (0, 0) => format!("{all} held"),
        (0, unjudged) => format!("{unjudged} of {all} not judged"),
        (broken, _) => format!("{broken} of {all} broken"),
    };
    let summary = Summary::of(run);
    let mut detail = String::new();
    if summary.expected > 0 {
        let owed = count_text(summary.expected - summary.excused);
        detail.push_str(&format!(
            "{} lost, {} doubled, {} out of order, of {owed} owed",
            count_text(summary.lost),
            count_text(summary.duplicated),
            count_text(summary.reordered)
        ));
    }
    let is_proof = match run.verdict.outcome {
        Outcome::Pass | Outcome::Fail => true,
        Outcome::Invalid | Outcome::NoClaims => false,
    };
    let results = results
        .into_iter()
        .filter(|result| is_proof || *result != ClaimResult::Held);
    Some(Tile::new("Claims", value, detail).claimed(results))
}

/// From the schedule to the subscribers, while measuring.
fn flow(run: &Run, tiles: &[Tile]) -> Option<Tile> {
    let summary = Summary::of(run);
    let (offered, sent) = (summary.offered_per_s?, summary.achieved_per_s?);
    if summary.scheduled == 0 {
        return None;
    }
    let mut detail = match percent(sent, offered) {
        Some(share) => format!("{share} of {} offered", rate_text(offered)),
        None => format!("of {} offered", rate_text(offered)),
    };
    if let Some(delivered) = summary.delivered_per_s {
        detail.push_str(&format!(" → {} delivered", rate_text(delivered)));
    }
    let intervals = run.measured.series.intervals.iter();
    let measured = intervals
        .filter(|interval| run.times.phase_at(interval.start_s) == Some(PhaseKind::Measure));
    let under_way = measured.clone().filter_map(|interval| interval.under_way);
    let lengths = measured.map(|interval| interval.end_s - interval.start_s);
    if let (Some(most), Some(length_s)) = (under_way.max(), lengths.reduce(f64::max)) {
        detail.push_str(&format!(
            "; at most {} under way, counted every {}",
            count_text(most),
            duration_text(length_s)
        ));
    }
    let told = tiles.iter().find(|tile| tile.label == "Sent");
    let tile = Tile::new("Offered → sent → delivered", rate_text(sent), detail);
    Some(tile.claimed(told.and_then(|tile| tile.held)))
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    fn labels(tiles: &[Tile]) -> Vec<&str> {
        tiles.iter().map(|tile| tile.label.as_str()).collect()
    }

    /// Four figures stand first, and nothing that was a figure is left out.
    #[test]
    fn four_figures_stand_first() {
        let run = sample::passing();

        let ranked = ranked(&run);

        assert_eq!(ranked.first.len(), 4, "{:?}", labels(&ranked.first));
        assert_eq!(ranked.first[0].label, "Claims");
        assert!(ranked.first[1].label.starts_with("Latency "));
        for tile in tiles(&run) {
            let all = ranked.first.iter().chain(&ranked.others);
            assert!(all.clone().any(|shown| *shown == tile), "{}", tile.label);
        }
    }

    /// A limit on the figure of several populations stands beside that figure, and beside none of one of them.
    #[test]
    fn a_limit_stands_beside_its_own_figure() {
        let run = sample::failing();
        let thresholds = run.measured.thresholds.iter();
        let broken: Vec<&ThresholdOutcome> = thresholds
            .filter(|threshold| threshold.claim_result() == ClaimResult::Broken)
            .collect();
        let [broken] = broken.as_slice() else {
            panic!("{broken:#?}");
        };

        let time = ranked(&run).first.swap_remove(1);

        assert_eq!(time.label, "Latency p99, backend");
        let found = broken.actual.as_ref().map(ToString::to_string);
        assert_eq!(Some(time.value), found);
        assert_eq!(time.held, Some(ClaimResult::Broken));
        assert!(time.limit.is_some_and(|limit| limit.used > 1.0));
        for tile in tiles(&run) {
            let is_of_one = tile.label.starts_with("Latency ");
            assert!(!is_of_one || tile.limit.is_none(), "{tile:?}");
        }
    }

    /// What is broken is red among the first figures.
    #[test]
    fn a_broken_claim_makes_the_first_tile_red() {
        let ranked = ranked(&sample::failing());

        assert_eq!(ranked.first[0].held, Some(ClaimResult::Broken));
        assert!(ranked.first[0].value.ends_with(" broken"));
    }

    /// A run without anything has no figure first.
    #[test]
    fn an_empty_run_has_none() {
        assert_eq!(ranked(&sample::empty()).first, []);
    }
}
