//! What a comparison comes to, in words: by how much the sides differ in what decides between two brokers, and how sure that is.
//!
//! What is told as a fact has an interval that leaves zero. Of anything else it is told by how much the sides differ, where that
//! is much, and with what reserve.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use super::noise::Finding;
use super::{ComparedFigure, SideSummary};
use crate::{FigureSpread, digits, duration_text};

/// From this ratio on a difference that may be noise is told with its size.
const TOLD_FROM: f64 = 1.25;
/// Rates of delivery closer than this are those of one load, for which processor use alone can be told.
const SAME_LOAD_TO: f64 = 1.05;
/// Rates of delivery follow the schedule: less than this is not worth a sentence, though noise does not explain it.
const RATE_TOLD_FROM: f64 = 1.01;
/// With fewer runs on a side only great differences stand out from noise: that others do not says little.
const ENOUGH_RUNS: usize = 5;
/// From this ratio on it is told how many times, and below by how many per cent.
const TIMES_FROM: f64 = 2.0;

/// A part of the answer of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer {
    /// One sentence or two.
    pub text: String,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How sure a part of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Noise does not explain it.
    BeyondNoise,
    /// It may be noise.
    WithinNoise,
    /// A side has one run: noise is not known.
    NoiseUnknown,
}

impl Certainty {
    const ALL: [Self; 3] = [Self::BeyondNoise, Self::WithinNoise, Self::NoiseUnknown];

    fn of(finding: Finding) -> Self {
        match finding {
            Finding::Better | Finding::Worse | Finding::Differs => Self::BeyondNoise,
            Finding::WithinNoise | Finding::Same => Self::WithinNoise,
            Finding::NoiseUnknown => Self::NoiseUnknown,
        }
    }
}

/// What decides between two brokers, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Lost,
    ProcessorPerMessage,
    Processor,
    Latency,
    Memory,
    Delivered,
}

/// A figure of the base and of another side.
struct Pair<'a> {
    topic: Topic,
    figure: &'a ComparedFigure,
    certainty: Certainty,
    /// How many runs of each the figure is of.
    runs: [usize; 2],
    /// The side with the greater median: 0 is the base.
    more: usize,
    /// The medians, or of losses the most of a run, the lesser one first.
    medians: [f64; 2],
}

/// What the comparison comes to for each side after the base, the surest first; empty where no side shares a figure that
/// decides.
pub(super) fn answers(sides: &[SideSummary], figures: &[ComparedFigure]) -> Vec<Answer> {
    let of_side = |side: usize| {
        let labels = [sides[0].label.as_str(), sides[side].label.as_str()];
        let pairs = pairs(figures, side);
        let (told, alike): (Vec<Pair<'_>>, Vec<Pair<'_>>) =
            pairs.into_iter().partition(Pair::is_told);
        let told = Certainty::ALL
            .into_iter()
            .filter_map(move |certainty| told_answer(&told, certainty, labels));
        let alike = Certainty::ALL
            .into_iter()
            .filter_map(move |certainty| alike_answer(&alike, certainty, labels));
        told.chain(alike)
    };
    (1..sides.len()).flat_map(of_side).collect()
}

fn pairs(figures: &[ComparedFigure], side: usize) -> Vec<Pair<'_>> {
    let of_key = |topic, key: &str| {
        let figure = figures.iter().find(|figure| figure.key == key)?;
        Pair::of(topic, figure, side)
    };
    let delivered = of_key(Topic::Delivered, "delivery_rate");
    let is_same_load = delivered
        .as_ref()
        .and_then(Pair::ratio)
        .is_some_and(|ratio| ratio < SAME_LOAD_TO);
    let processor = of_key(Topic::ProcessorPerMessage, "broker_cpu_s_per_million")
        .or_else(|| of_key(Topic::Processor, "broker_cpu.avg").filter(|_| is_same_load));
    let all = [
        of_key(Topic::Lost, "lost"),
        processor,
        slowest(figures, side),
        of_key(Topic::Memory, "broker_rss.max"),
        delivered,
    ];
    all.into_iter().flatten().collect()
}

/// The p99 of the group and QoS where it is the highest on either side: of the time in the broker, or where that is not known of the
/// end-to-end latency, of which the generator's own delay is a part.
fn slowest(figures: &[ComparedFigure], side: usize) -> Option<Pair<'_>> {
    slowest_of("broker_time", figures, side).or_else(|| slowest_of("e2e_latency", figures, side))
}

fn slowest_of<'a>(metric: &str, figures: &'a [ComparedFigure], side: usize) -> Option<Pair<'a>> {
    let of_latency = figures
        .iter()
        .filter(|figure| figure.key.starts_with(metric) && figure.key.ends_with(".p99"));
    of_latency
        .filter_map(|figure| Pair::of(Topic::Latency, figure, side))
        .max_by(|one, other| one.medians[1].total_cmp(&other.medians[1]))
}

impl<'a> Pair<'a> {
    fn of(topic: Topic, figure: &'a ComparedFigure, side: usize) -> Option<Self> {
        let finding = figure.differences[side - 1].as_ref()?.finding;
        let [base, other]: [FigureSpread; 2] = [figure.spread(0)?, figure.spread(side)?];
        // Of losses the run with the most counts: one that lost many is not made good by others.
        let number = |spread: &FigureSpread| match topic {
            Topic::Lost => spread.max,
            Topic::ProcessorPerMessage
            | Topic::Processor
            | Topic::Latency
            | Topic::Memory
            | Topic::Delivered => spread.median,
        };
        let (of_base, of_other) = (number(&base), number(&other));
        let more = usize::from(of_other > of_base);
        Some(Self {
            topic,
            figure,
            certainty: Certainty::of(finding),
            runs: [base.count, other.count],
            more,
            medians: [of_base.min(of_other), of_base.max(of_other)],
        })
    }

    /// How many times the lesser median the greater one is; `None` where one of them is zero.
    fn ratio(&self) -> Option<f64> {
        let [less, more] = self.medians;
        (less > 0.0).then(|| more / less)
    }

    /// Whether it is told with its size.
    fn is_told(&self) -> bool {
        let ratio = self.ratio();
        match (self.topic, self.certainty) {
            (Topic::Lost, _) => self.medians[0] != self.medians[1],
            (Topic::Delivered, _) if self.medians[0] == 0.0 => self.medians[1] > 0.0,
            (Topic::Delivered, Certainty::BeyondNoise) => {
                ratio.is_some_and(|ratio| ratio >= RATE_TOLD_FROM)
            }
            (
                Topic::ProcessorPerMessage | Topic::Processor | Topic::Latency | Topic::Memory,
                Certainty::BeyondNoise,
            ) => ratio.is_some(),
            (
                Topic::ProcessorPerMessage
                | Topic::Processor
                | Topic::Latency
                | Topic::Memory
                | Topic::Delivered,
                Certainty::WithinNoise | Certainty::NoiseUnknown,
            ) => ratio.is_some_and(|ratio| ratio >= TOLD_FROM),
        }
    }

    /// By how much they differ: `mosquitto used 5.20 times squall's processor time for each message (23.4 µs against 4.50 µs)`.
    fn clause(&self, labels: [&str; 2]) -> String {
        let (more, less) = (labels[self.more], labels[1 - self.more]);
        let [low, high] = self.medians.map(|median| self.text(median));
        let numbers = format!("({high} against {low})");
        let ratio = self.ratio().unwrap_or(1.0);
        let is_times = ratio >= TIMES_FROM;
        let times = digits(ratio);
        let share = digits((ratio - 1.0) * 100.0);
        match (self.topic, is_times) {
            (Topic::Lost, _) => {
                let of_less = match self.medians[0] {
                    0.0 => "none".to_owned(),
                    _ => low,
                };
                let are = if high == "1" {
                    "delivery"
                } else {
                    "deliveries"
                };
                let up_to = match self.runs {
                    [1, 1] => "",
                    _ => "up to ",
                };
                format!("{more} lost {up_to}{high} {are} and {less} {of_less}")
            }
            (Topic::ProcessorPerMessage | Topic::Processor | Topic::Memory, true) => format!(
                "{more} used {times} times {less}'s {} {numbers}",
                self.name()
            ),
            (Topic::ProcessorPerMessage | Topic::Processor | Topic::Memory, false) => format!(
                "{more} used {share} % more {} than {less} {numbers}",
                self.name()
            ),
            (Topic::Latency, true) => {
                format!(
                    "{more}'s {} was {times} times {less}'s {numbers}",
                    self.name()
                )
            }
            (Topic::Latency, false) => {
                format!(
                    "{more}'s {} was {share} % above {less}'s {numbers}",
                    self.name()
                )
            }
            (Topic::Delivered, _) if self.medians[0] == 0.0 => {
                format!("{less} delivered nothing, and {more} {high}")
            }
            (Topic::Delivered, true) => {
                format!("{more} delivered {times} times as many messages as {less} {numbers}")
            }
            (Topic::Delivered, false) => {
                format!("{more} delivered {share} % more messages than {less} {numbers}")
            }
        }
    }

    fn name(&self) -> String {
        match self.topic {
            Topic::Lost => "lost deliveries".to_owned(),
            Topic::ProcessorPerMessage => "processor time for each message".to_owned(),
            Topic::Processor => "processor time".to_owned(),
            Topic::Latency => self.figure.name.replacen(", ", " of ", 1),
            Topic::Memory => "memory at the peak".to_owned(),
            Topic::Delivered => "messages delivered".to_owned(),
        }
    }

    /// A median with its unit: seconds for a million messages are microseconds for each.
    fn text(&self, median: f64) -> String {
        match self.topic {
            Topic::ProcessorPerMessage => duration_text(median / 1e6),
            Topic::Lost | Topic::Processor | Topic::Latency | Topic::Memory | Topic::Delivered => {
                self.figure.unit.text(median)
            }
        }
    }
}

/// What is told with its size, of one certainty.
fn told_answer(pairs: &[Pair<'_>], certainty: Certainty, labels: [&str; 2]) -> Option<Answer> {
    let of_one = pairs.iter().filter(|pair| pair.certainty == certainty);
    let clauses: Vec<String> = of_one.clone().map(|pair| pair.clause(labels)).collect();
    let fewest = |side: usize| of_one.clone().map(|pair| pair.runs[side]).min();
    let runs = runs_in_words([fewest(0)?, fewest(1)?], labels);
    let clauses = clauses.join("; ");
    let text = match certainty {
        Certainty::BeyondNoise => format!("{clauses}: more than noise explains."),
        Certainty::WithinNoise => format!("{clauses}. With {runs}, chance is not ruled out."),
        Certainty::NoiseUnknown => {
            format!("{clauses}. With {runs}, noise is unknown: this may be chance.")
        }
    };
    Some(Answer { text, certainty })
}

/// In what they are about the same, of one certainty.
fn alike_answer(pairs: &[Pair<'_>], certainty: Certainty, labels: [&str; 2]) -> Option<Answer> {
    let names = pairs
        .iter()
        .filter(|pair| pair.certainty == certainty && pair.topic != Topic::Delivered);
    // That nothing was lost on either side is told by the claims; what is zero was too little to measure.
    let names = names.filter(|pair| pair.topic != Topic::Lost && pair.medians[0] > 0.0);
    let runs = names.clone().map(|pair| pair.runs);
    let runs = runs.reduce(|one, two| [one[0].min(two[0]), one[1].min(two[1])])?;
    let names: Vec<String> = names.map(Pair::name).collect();
    let [base, other] = labels;
    let listed = match names.as_slice() {
        [] => return None,
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    let text = match certainty {
        // What noise does not explain is told with its size.
        Certainty::BeyondNoise => return None,
        Certainty::WithinNoise if runs.iter().any(|count| *count < ENOUGH_RUNS) => format!(
            "{} are too few to tell {other} from {base} in {listed}.",
            capital(&runs_in_words(runs, labels))
        ),
        Certainty::WithinNoise => {
            format!("Nothing sets {other} apart from {base} beyond noise in {listed}.")
        }
        Certainty::NoiseUnknown => format!(
            "Less than {} % lies between {base} and {other} in {listed}.",
            (TOLD_FROM - 1.0) * 100.0
        ),
    };
    Some(Answer { text, certainty })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// `two runs each`, `one run of squall and 3 of mosquitto`
fn runs_in_words(runs: [usize; 2], labels: [&str; 2]) -> String {
    let of = |count: usize| match count {
        1 => "one run".to_owned(),
        2 => "two runs".to_owned(),
        3 => "three runs".to_owned(),
        4 => "four runs".to_owned(),
        more => format!("{more} runs"),
    };
    match runs {
        [base, other] if base == other => format!("{} each", of(base)),
        [base, other] => format!(
            "{} of {} and {} of {}",
            of(base),
            labels[0],
            of(other),
            labels[1]
        ),
    }
}
