//! What a command says of figures beside those of a baseline, and the exit code that follows: of runs, and of benches.

use squall_run::{
    Choosable, Chosen, ComparedFigure, Worsening, chosen_of, is_margin_within_noise, worsenings,
    worst_exit_code,
};

use crate::exit::Failure;
use crate::remark::remark;

/// The exit code where a figure got worse.
const WORSE: u8 = 99;
/// The exit code where nothing follows: what was to be held against the baseline was not measured, or cannot be told from noise.
const NOTHING_FOLLOWS: u8 = 4;

/// Figures beside those of a baseline.
pub struct Judged<'a> {
    worsenings: Vec<(&'a ComparedFigure, Worsening)>,
    /// Whether a user named them.
    extent: Extent,
    /// Those that are not worse, and whose margin noise alone exceeds.
    within_noise: Vec<&'a ComparedFigure>,
}

/// Which figures are held against a baseline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    All,
    Named,
}

/// The figures that `--worse` names, of a baseline that has `all`; all of them if none is named.
pub fn chosen(written: &[String], all: &[Choosable]) -> Result<Vec<Chosen>, Failure> {
    chosen_of(written, all).map_err(|error| Failure::Usage(format!("--worse: {error}")))
}

impl<'a> Judged<'a> {
    /// What became of `figures`: of the `chosen` ones, or of all if none is.
    pub fn of(figures: &'a [ComparedFigure], chosen: &[Chosen]) -> Self {
        let worsenings = worsenings(figures, chosen);
        let not_worse = worsenings
            .iter()
            .filter(|(_, one)| *one == Worsening::NotWorse);
        Self {
            within_noise: not_worse
                .map(|(figure, _)| *figure)
                .filter(|figure| is_margin_within_noise(figure, chosen))
                .collect(),
            worsenings,
            extent: match chosen.is_empty() {
                true => Extent::All,
                false => Extent::Named,
            },
        }
    }

    fn all_that(&self, wanted: Worsening) -> impl Iterator<Item = &'a ComparedFigure> {
        let found = self.worsenings.iter();
        found.filter_map(move |(figure, one)| (*one == wanted).then_some(*figure))
    }

    /// Whether no figure has numbers on both sides.
    fn has_nothing(&self) -> bool {
        self.all_that(Worsening::NotMeasured).count() == self.worsenings.len()
    }

    /// Whether any figure was judged: of the others nothing follows.
    fn has_judged(&self) -> bool {
        self.worsenings
            .iter()
            .any(|(_, worsening)| match worsening {
                Worsening::Worse | Worsening::WorseThanMargin | Worsening::NotWorse => true,
                Worsening::NotMeasured | Worsening::Undecided | Worsening::Unknown => false,
            })
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        let named = self.extent == Extent::Named;
        let codes = self
            .worsenings
            .iter()
            .map(|(_, worsening)| match worsening {
                Worsening::Worse | Worsening::WorseThanMargin => WORSE,
                Worsening::NotMeasured | Worsening::Undecided | Worsening::Unknown if named => {
                    NOTHING_FOLLOWS
                }
                Worsening::NotMeasured
                | Worsening::Undecided
                | Worsening::Unknown
                | Worsening::NotWorse => 0,
            });
        let of_all = match self.has_judged() {
            true => 0,
            false => NOTHING_FOLLOWS,
        };
        worst_exit_code(codes.chain([of_all]))
    }

    /// Says what the exit code is for.
    pub fn tell_why(&self) {
        for (figure, worsening) in &self.worsenings {
            let noise = match worsening {
                Worsening::WorseThanMargin => "more than its margin; noise is unknown",
                Worsening::Worse => "beyond noise",
                Worsening::NotWorse
                | Worsening::Undecided
                | Worsening::Unknown
                | Worsening::NotMeasured => continue,
            };
            let told = squall_reports::figure_line(figure);
            remark(&format!("worse than the baseline, {noise}: {told}"));
        }
        for figure in self.all_that(Worsening::Undecided) {
            remark(&format!(
                "undecided, too few repeats to tell: worse in the middle, and noise alone could do it: {}",
                squall_reports::figure_line(figure)
            ));
        }
        if self.extent == Extent::Named {
            for figure in self.all_that(Worsening::Unknown) {
                let told = squall_reports::figure_line(figure);
                remark(&format!("nothing follows, since noise is unknown: {told}"));
            }
            for figure in self.all_that(Worsening::NotMeasured) {
                remark(&format!(
                    "--worse {}: the baseline has it, and it was not measured now, so nothing follows",
                    figure.key
                ));
            }
        }
        if self.worsenings.is_empty() || (self.has_nothing() && self.extent == Extent::All) {
            remark(
                "baseline: nothing follows: no figure that can be better or worse has numbers on both sides",
            );
        }
    }

    /// Says what else is to be known, after the `notes` on the comparison.
    pub fn tell_rest(&self, notes: &[String]) {
        for note in notes {
            remark(&format!("note: {note}"));
        }
        let missing: Vec<&str> = self
            .all_that(Worsening::NotMeasured)
            .map(|figure| figure.key.as_str())
            .collect();
        if !missing.is_empty() && self.extent == Extent::All {
            remark(&format!(
                "note: the baseline has what was not measured now: {}",
                missing.join(", ")
            ));
        }
        if self.extent == Extent::Named {
            for figure in self.all_that(Worsening::NotWorse) {
                let told = squall_reports::figure_line(figure);
                remark(&format!("not worse than the baseline: {told}"));
            }
        }
        for figure in &self.within_noise {
            remark(&format!(
                "warning: {}: noise alone is more than its margin, so the margin does not decide; more repeats narrow the noise",
                figure.key
            ));
        }
        let unknown = self.all_that(Worsening::Unknown).count();
        let compared = self.worsenings.len() - missing.len();
        if unknown > 0 {
            remark(&format!(
                "baseline: noise is unknown with one run on a side, so nothing follows for {unknown} figures: give --repeat 5, runs of a \
                 baseline made with it, or a margin (--worse \"KEY > 10%\")"
            ));
        } else if compared > 0 && self.all_that(Worsening::NotWorse).count() == compared {
            remark(&format!(
                "baseline: none of {compared} figures got worse beyond noise"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::bench::{Baseline, Load, sample};

    use super::*;

    /// The exit code of a bench that has the processor time alone, or no trial at all, beside one that has all.
    fn code(cpu_us: &[f64], written: &[&str]) -> u8 {
        let base = sample::bench(vec![sample::target("squall", &[0.2, 0.2])]);
        let mut new = sample::bench(vec![sample::target("squall", cpu_us)]);
        for repeat in &mut new.targets[0].repeats {
            if let squall_run::bench::Repeat::Measured(figures) = repeat {
                figures.broker_syscalls_per_message = None;
            }
        }
        let chosen: Vec<Chosen> = written.iter().map(|text| text.parse().unwrap()).collect();
        let json = |bench: &squall_run::bench::BenchResult| serde_json::to_string(bench).unwrap();
        let loads = [Load::of(base.about.clone())];
        let baseline = Baseline::of(&json(&base), &loads, &["squall".to_owned()]).unwrap();
        let (figures, _) = baseline.against(&json(&new), &chosen).unwrap();
        Judged::of(&figures, &chosen).exit_code()
    }

    /// A figure that is named has to be measured; of all figures one is enough.
    #[test]
    fn what_was_not_measured_does_not_pass() {
        let (cpu, calls) = ("broker_cpu_us_per_message", "broker_syscalls_per_message");

        assert_eq!(code(&[0.2, 0.2], &[cpu]), 0);
        assert_eq!(code(&[0.2, 0.2], &[calls]), 4);
        assert_eq!(code(&[0.2, 0.2], &[cpu, calls]), 4);
        assert_eq!(code(&[0.9, 0.9], &[cpu, calls]), 99);
        assert_eq!(code(&[0.2, 0.2], &[]), 0);
        assert_eq!(code(&[], &[]), 4);
    }

    /// What cannot be told does not pass: with one trial, and where noise could make a much worse middle.
    #[test]
    fn what_cannot_be_told_does_not_pass() {
        let cpu = "broker_cpu_us_per_message";

        assert_eq!(code(&[0.2], &[cpu]), 4);
        assert_eq!(code(&[0.2], &[]), 4);
        assert_eq!(code(&[0.2, 2.0], &[&format!("{cpu} > 5%")]), 4);
        assert_eq!(code(&[0.2, 2.0], &[cpu]), 4);
        assert_eq!(code(&[0.2, 2.0], &[]), 0, "other figures are told");
    }
}
