//! What a command says of figures beside those of a baseline, and the exit code that follows: of runs, and of benches.

use squall_run::{Chosen, ComparedFigure, Worsening, chosen_of};

use crate::exit::Failure;
use crate::remark::remark;

/// The exit code where a figure got worse.
const WORSE: u8 = 99;

/// The figures that `--worse` names, of a baseline that has those of `keys`; all of them if none is named.
pub fn chosen(written: &[String], keys: &[String]) -> Result<Vec<Chosen>, Failure> {
    chosen_of(written, keys).map_err(|error| Failure::Usage(format!("--worse: {error}")))
}

/// Says which figures got worse; the exit code.
pub fn tell_worse(worsenings: &[(&ComparedFigure, Worsening)]) -> u8 {
    let mut code = 0;
    for (figure, worsening) in worsenings {
        let noise = match worsening {
            Worsening::WorseThanMargin => "more than its margin; noise is unknown",
            Worsening::Worse => "beyond noise",
            Worsening::NotWorse | Worsening::Unknown => continue,
        };
        let told = squall_reports::figure_line(figure);
        remark(&format!("worse than the baseline, {noise}: {told}"));
        code = WORSE;
    }
    code
}

/// Says what follows where nothing got worse, after the `notes` on the comparison.
pub fn tell_rest(worsenings: &[(&ComparedFigure, Worsening)], notes: &[String]) {
    let of = |wanted: Worsening| worsenings.iter().filter(move |(_, one)| *one == wanted);
    let unknown = of(Worsening::Unknown).count();
    for note in notes {
        remark(&format!("note: {note}"));
    }
    if unknown > 0 {
        remark(&format!(
            "baseline: noise is unknown with one run on a side, so nothing follows for {unknown} figures: give --repeat 5, runs of a \
             baseline made with it, or a margin (--worse \"KEY > 10%\")"
        ));
    } else if of(Worsening::NotWorse).count() == worsenings.len() {
        remark(&format!(
            "baseline: none of {} figures got worse beyond noise",
            worsenings.len()
        ));
    }
}
