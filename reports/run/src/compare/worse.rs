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
        if text.contains('<') || text.trim().contains(' ') && !text.contains('>') {
            return Err(error());
        }
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

/// A figure of a baseline, as far as one can choose it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choosable {
    /// Its key.
    pub key: String,
    /// What its numbers count.
    pub unit: FigureUnit,
    /// Which way it is better.
    pub better: Better,
}

/// Keys that have the words of a text which chooses none of them: of the same figure, or with its last part.
fn near<'a>(written: &str, keys: &'a [String]) -> Vec<&'a str> {
    let parts = |key: &str| -> Vec<String> {
        let words = key.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let wanted = parts(written);
    let shared = |key: &str| {
        let has = parts(key);
        wanted.iter().filter(|word| has.contains(word)).count()
    };
    let most = keys.iter().map(|key| shared(key)).max().unwrap_or_default();
    let nearest = keys.iter().filter(|key| most > 0 && shared(key) == most);
    nearest.map(String::as_str).collect()
}

/// A figure without a margin whose middle got worse by more is not passed because noise could do it.
const UNDECIDED_FROM: Margin = Margin::Share(0.25);

/// Of so many keys at most all are listed.
const LISTED_MAX: usize = 12;

/// The figures that were `written`, of a baseline that has those of `all`.
///
/// # Errors
/// A sentence, if a text chooses none of them, one that is neither better nor worse, or gives a plain number as the margin of what is
/// no count.
pub fn chosen_of(written: &[String], all: &[Choosable]) -> Result<Vec<Chosen>, String> {
    written.iter().map(|text| chosen(text, all)).collect()
}

fn chosen(text: &str, all: &[Choosable]) -> Result<Chosen, String> {
    let chosen: Chosen = text.parse().map_err(|error: NotChosen| error.to_string())?;
    let has_way = |one: &&Choosable| one.better != Better::Neither;
    let taken: Vec<&Choosable> = all.iter().filter(|one| chosen.takes(&one.key)).collect();
    if taken.is_empty() {
        let keys: Vec<String> = all
            .iter()
            .filter(has_way)
            .map(|one| one.key.clone())
            .collect();
        return Err(none_text(&chosen.key, &keys));
    }
    if !taken.iter().any(has_way) {
        let wanted = all
            .iter()
            .filter(has_way)
            .filter(|one| one.key.starts_with("broker_"));
        let wanted: Vec<&str> = wanted.map(|one| one.key.as_str()).collect();
        let others = match wanted.is_empty() {
            true => String::new(),
            false => format!("; {} can be", wanted.join(", ")),
        };
        return Err(format!(
            "`{chosen}` is neither better nor worse when it is more, since the load may be more too{others}"
        ));
    }
    let is_count = taken.iter().all(|one| one.unit == FigureUnit::Count);
    match chosen.margin {
        Some(Margin::Count(_)) if !is_count => Err(format!(
            "`{text}`: `{chosen}` is not a count, so its margin is a share, as in `{chosen} > 10%`"
        )),
        Some(Margin::Count(_) | Margin::Share(_)) | None => Ok(chosen),
    }
}

fn none_text(written: &str, keys: &[String]) -> String {
    let near = near(written, keys);
    let (word, listed) = match near.is_empty() {
        true => ("it has", keys.iter().map(String::as_str).collect()),
        false => ("near it are", near),
    };
    let more = match listed.len().saturating_sub(LISTED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed: Vec<&str> = listed.into_iter().take(LISTED_MAX).collect();
    format!(
        "the baseline has no figure `{written}`; {word} {}{more}",
        listed.join(", ")
    )
}

/// Whether a figure got worse than a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worsening {
    /// It did, beyond noise and beyond its margin.
    Worse,
    /// It did beyond its margin; noise is unknown.
    WorseThanMargin,
    /// The middle did, by more than its margin or by much, and noise alone could do that: there are too few repeats to tell.
    Undecided,
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
    let told = margin.unwrap_or(UNDECIDED_FROM);
    match (difference.finding, margin) {
        (Finding::WithinNoise, _) if self::is_beyond(figure, difference, told) => {
            Worsening::Undecided
        }
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

/// Whether noise alone can make a figure worse by more than its margin, so that this is not what decides.
pub fn is_margin_within_noise(figure: &ComparedFigure, chosen: &[Chosen]) -> bool {
    let margin = chosen.iter().find(|chosen| chosen.takes(&figure.key));
    let margin = margin.and_then(|chosen| chosen.margin);
    let difference = figure.differences.first().and_then(Option::as_ref);
    let (Some(margin), Some(difference)) = (margin, difference) else {
        return false;
    };
    // A plain number bounds counts alone.
    if matches!(margin, Margin::Count(_)) && figure.unit != FigureUnit::Count {
        return false;
    }
    let worst = match figure.better {
        Better::Lower => difference.high,
        Better::Higher => difference.low,
        Better::Neither => None,
    };
    worst.is_some_and(|worst| is_so_much_beyond(figure, difference.scale, worst, margin))
}

/// Whether the median got worse by more than `margin`.
fn is_beyond(figure: &ComparedFigure, difference: &Difference, margin: Margin) -> bool {
    is_so_much_beyond(figure, difference.scale, difference.median, margin)
}

/// Whether a change of the figure, on `scale`, is one for the worse by more than `margin`.
fn is_so_much_beyond(figure: &ComparedFigure, scale: Scale, change: f64, margin: Margin) -> bool {
    let base = figure.spread(0).map_or(0.0, |spread| spread.median);
    let more = match scale {
        Scale::Ratio => base * (change - 1.0),
        Scale::Difference => change,
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
            of_lost(&few, &[103, 104, 105], "lost > 10"),
            Worsening::NotWorse
        );
        // Worse in the middle, and noise could do it.
        assert_eq!(
            of_lost(&[100, 400], &[100, 900], "lost > 10%"),
            Worsening::Undecided
        );
        assert_eq!(
            of_lost(&[100, 400], &[100, 900], "lost"),
            Worsening::Undecided
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

    /// A margin that noise alone exceeds is told; one beyond noise is not.
    #[test]
    fn a_margin_within_noise_is_known() {
        let within = |base: &[u64], new: &[u64], chosen: &str| {
            let chosen: Chosen = chosen.parse().unwrap();
            let all = SideBySide::of(&[side("base", base), side("new", new)]).unwrap();
            let figure = all.figures.iter().find(|figure| figure.key == "lost");
            is_margin_within_noise(figure.unwrap(), &[chosen])
        };

        let noisy = [100, 180, 140];
        assert!(within(&noisy, &noisy, "lost > 10%"));
        assert!(!within(&noisy, &noisy, "lost > 500%"));
        assert!(!within(&noisy, &noisy, "lost"));
        assert!(!within(&[100], &[900], "lost > 10%"), "noise is unknown");
    }

    /// An error about a key lists those that have its words, and not all that there are.
    #[test]
    fn a_key_that_is_not_there_leads_to_those_near_it() {
        let choosable = |key: &str, unit, better| Choosable {
            key: key.to_owned(),
            unit,
            better,
        };
        let keys = [
            choosable("lost", FigureUnit::Count, Better::Lower),
            choosable(
                "e2e_latency{group=a}.p50",
                FigureUnit::Micros,
                Better::Lower,
            ),
            choosable(
                "e2e_latency{group=a}.p99",
                FigureUnit::Micros,
                Better::Lower,
            ),
            choosable("broker_cpu.avg", FigureUnit::Cores, Better::Neither),
            choosable("broker_rss.max", FigureUnit::Bytes, Better::Lower),
        ];

        let error = chosen_of(&["e2e_latency{group=b}.p99".to_owned()], &keys).unwrap_err();

        assert!(
            error.ends_with("near it are e2e_latency{group=a}.p99"),
            "{error}"
        );
        let error = chosen_of(&["cpu".to_owned()], &keys).unwrap_err();
        assert!(error.contains("it has lost, e2e_latency"), "{error}");
        // What cannot be judged is refused, and not passed.
        let refused = |text: &str| chosen_of(&[text.to_owned()], &keys).unwrap_err();
        let error = refused("broker_cpu.avg > 10%");
        assert!(error.ends_with("; broker_rss.max can be"), "{error}");
        let error = refused("broker_rss.max > 5");
        assert!(error.contains("`broker_rss.max > 10%`"), "{error}");
        for wrong in ["lost < 10%", "lost by 10%"] {
            assert!(refused(wrong).contains("write KEY"), "{wrong}");
        }
        assert!(chosen_of(&["lost > 5".to_owned()], &keys).is_ok());
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
