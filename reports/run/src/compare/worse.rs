//! Figures that a user chose, and whether they got worse than a baseline.

use std::fmt;
use std::str::FromStr;

use super::ComparedFigure;
use super::noise::{Better, Difference, Finding, Scale};
use crate::FigureUnit;

/// A figure that must not get worse, and by how much it may: `e2e_latency.p99`, `e2e_latency{group=a,qos=1}.p99 > 10%`,
/// `lost > 5`.
///
/// Without tags it stands for the figures of all groups and QoS.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    key: String,
    margin: Option<Margin>,
}

/// By how much a figure may get worse.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Margin {
    /// By a share of the baseline.
    Share(f64),
    /// By a number of things.
    Count(f64),
}

/// A text does not choose a figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` does not choose a figure: write KEY, or KEY > 10% for how much worse it may get, or KEY > 5 for a count"
)]
pub struct NotChosen {
    text: String,
}

impl FromStr for Chosen {
    type Err = NotChosen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotChosen {
            text: text.to_owned(),
        };
        let (key, margin) = match text.split_once('>') {
            None => (text, None),
            Some((key, margin)) => (key, Some(margin.trim())),
        };
        let number = |digits: &str| {
            let number: f64 = digits.trim().parse().map_err(|_| error())?;
            let is_right = number.is_finite() && number >= 0.0;
            is_right.then_some(number).ok_or_else(error)
        };
        let margin = match margin.map(|margin| (margin, margin.strip_suffix('%'))) {
            None => None,
            Some((_, Some(share))) => Some(Margin::Share(number(share)? / 100.0)),
            Some((count, None)) => Some(Margin::Count(number(count)?)),
        };
        let key = key.trim().to_owned();
        match key.is_empty() {
            true => Err(error()),
            false => Ok(Self { key, margin }),
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

impl Chosen {
    /// Whether it stands for the figure of this key.
    pub fn takes(&self, key: &str) -> bool {
        let without_tags = match (key.find('{'), key.rfind('}')) {
            (Some(from), Some(to)) => format!("{}{}", &key[..from], &key[to + 1..]),
            _ => key.to_owned(),
        };
        self.key == key || self.key == without_tags
    }
}

/// The figures that were `written`, of a baseline that has those of `keys`.
///
/// # Errors
/// A sentence, if a text chooses none of them.
pub fn chosen_of(written: &[String], keys: &[String]) -> Result<Vec<Chosen>, String> {
    let one = |text: &String| {
        let chosen: Chosen = text.parse().map_err(|error: NotChosen| error.to_string())?;
        match keys.iter().any(|key| chosen.takes(key)) {
            true => Ok(chosen),
            false => Err(format!(
                "the baseline has no figure `{chosen}`; it has {}",
                keys.join(", ")
            )),
        }
    };
    written.iter().map(one).collect()
}

/// Whether a figure got worse than a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worsening {
    /// It did, beyond noise and beyond its margin.
    Worse,
    /// It did beyond its margin; noise is unknown.
    WorseThanMargin,
    /// It did not, or by less.
    NotWorse,
    /// Noise is unknown and there is no margin.
    Unknown,
    /// The baseline has it, and the other side lacks it.
    NotMeasured,
}

/// Whether each figure that has a better way got worse from the base to the other side, of two; of the `chosen` ones, or of all if
/// none is. What the base lacks is not held against it.
///
/// With noise unknown the margin decides alone.
pub fn worsenings<'a>(
    figures: &'a [ComparedFigure],
    chosen: &[Chosen],
) -> Vec<(&'a ComparedFigure, Worsening)> {
    let judged = figures.iter().filter_map(|figure| {
        figure.spread(0)?;
        let margin = chosen.iter().find(|chosen| chosen.takes(&figure.key));
        let margin = margin.and_then(|chosen| chosen.margin);
        let worsening = match &figure.differences[0] {
            Some(difference) => worsening(figure, difference, margin),
            None => Worsening::NotMeasured,
        };
        let is_chosen = chosen.is_empty() || chosen.iter().any(|chosen| chosen.takes(&figure.key));
        let has_way = figure.better != Better::Neither;
        (is_chosen && has_way).then_some((figure, worsening))
    });
    judged.collect()
}

fn worsening(
    figure: &ComparedFigure,
    difference: &Difference,
    margin: Option<Margin>,
) -> Worsening {
    let is_beyond = margin.is_none_or(|margin| is_beyond(figure, difference, margin));
    match (difference.finding, margin) {
        (Finding::Worse, _) if is_beyond => Worsening::Worse,
        (Finding::NoiseUnknown, Some(_)) if is_beyond => Worsening::WorseThanMargin,
        (Finding::NoiseUnknown, None) => Worsening::Unknown,
        (
            Finding::Worse
            | Finding::NoiseUnknown
            | Finding::Better
            | Finding::Differs
            | Finding::WithinNoise
            | Finding::Same,
            _,
        ) => Worsening::NotWorse,
    }
}

/// Whether the median got worse by more than `margin`.
fn is_beyond(figure: &ComparedFigure, difference: &Difference, margin: Margin) -> bool {
    let base = figure.spread(0).map_or(0.0, |spread| spread.median);
    let more = match difference.scale {
        Scale::Ratio => base * (difference.median - 1.0),
        Scale::Difference => difference.median,
    };
    let worse_by = match figure.better {
        Better::Lower => more,
        Better::Higher => -more,
        Better::Neither => return false,
    };
    match margin {
        Margin::Share(share) => worse_by > share * base.abs(),
        // Of what is no count, a plain number has no unit: it bounds nothing.
        Margin::Count(count) => figure.unit != FigureUnit::Count || worse_by > count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, RunOfSide, Side, SideBySide, sample};

    fn side(label: &str, lost: &[u64]) -> Side {
        let run = |lost: u64| -> Run {
            let mut run = sample::passing();
            run.measured.accounting.deliveries[0].lost = lost;
            run
        };
        let of_side = |lost: &u64| RunOfSide {
            run: run(*lost),
            path: String::new(),
            report: None,
        };
        Side {
            label: label.to_owned(),
            runs: lost.iter().map(of_side).collect(),
        }
    }

    fn of_lost(base: &[u64], new: &[u64], chosen: &str) -> Worsening {
        let chosen: Chosen = chosen.parse().unwrap();
        let all = SideBySide::of(&[side("base", base), side("new", new)]).unwrap();
        worsenings(&all.figures, &[chosen])[0].1
    }

    /// Noise and margin both have to be left, and with one run the margin decides alone.
    #[test]
    fn a_figure_is_worse_beyond_noise_and_margin() {
        let (few, many) = ([100, 101, 102], [900, 905, 910]);

        assert_eq!(of_lost(&few, &many, "lost"), Worsening::Worse);
        assert_eq!(of_lost(&few, &many, "lost > 500"), Worsening::Worse);
        assert_eq!(of_lost(&few, &many, "lost > 900%"), Worsening::NotWorse);
        assert_eq!(of_lost(&many, &few, "lost"), Worsening::NotWorse);
        assert_eq!(
            of_lost(&few, &[103, 104, 105], "lost > 0"),
            Worsening::NotWorse
        );
        assert_eq!(of_lost(&[100], &many, "lost"), Worsening::Unknown);
        assert_eq!(
            of_lost(&[100], &[111], "lost > 10%"),
            Worsening::WorseThanMargin
        );
        assert_eq!(of_lost(&[100], &[109], "lost > 10%"), Worsening::NotWorse);
    }

    /// What the other side lacks is not the same as what did not get worse; what the base lacks is not judged.
    #[test]
    fn a_figure_that_one_side_lacks_is_not_measured() {
        let mut all = SideBySide::of(&[side("base", &[1, 2]), side("new", &[1, 2])]).unwrap();
        all.figures.retain(|figure| figure.key == "lost");
        all.figures[0].differences[0] = None;
        all.figures[0].sides[1].clear();
        assert_eq!(worsenings(&all.figures, &[])[0].1, Worsening::NotMeasured);

        all.figures[0].sides.swap(0, 1);
        assert!(worsenings(&all.figures, &[]).is_empty());
    }

    /// A key without tags stands for all groups, and what is not a choice is refused.
    #[test]
    fn keys_choose_figures() {
        let chosen = |text: &str| text.parse::<Chosen>();
        let of_all = chosen("e2e_latency.p99 > 10 %").unwrap();

        assert!(of_all.takes("e2e_latency{group=a,qos=1}.p99") && of_all.takes("e2e_latency.p99"));
        assert!(!of_all.takes("e2e_latency.p50"));
        assert!(
            !chosen("e2e_latency{group=b}.p99")
                .unwrap()
                .takes("e2e_latency{group=a}.p99")
        );
        for wrong in ["", "> 5", "lost > x", "lost > -1", "lost > 10s"] {
            assert!(chosen(wrong).is_err(), "{wrong}");
        }
    }
}
