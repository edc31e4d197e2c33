//! What the exit codes mean: the same words on the command line, in a terminal, in a report and in
//! docs/results.md.

/// An exit code and its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode {
    /// The code.
    pub code: u8,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// When exactly, to be set right after the meaning; empty if that says it all.
    pub when: &'static str,
}

impl ExitCode {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self {
            code: 0,
            meaning: "passed, or the scenario claims nothing (NO CLAIMS)",
            when: "",
        },
        Self {
            code: 1,
            meaning: "internal error",
            when: "",
        },
        Self {
            code: 2,
            meaning: "bad scenario or usage, or the scenario does not fit on this machine",
            when: "",
        },
        Self {
            code: 3,
            meaning: "target unreachable",
            when: ": no broker answers, or for 5 s it let no device of any group in; the report says what it answered",
        },
        Self {
            code: 4,
            meaning: "invalid run, nothing follows about the broker",
            when: ": the generator could not keep its schedule or was held up for long enough to have broken a \
                   claim itself, another client used the run's Client Identifiers and may have broken \
                   what is broken, more than 1 % of what the scenario asked for did not happen and no fault \
                   explains it, the run was stopped, a claim could not be judged, or the scenario was skipped because the \
                   target lacks what it is about",
        },
        Self {
            code: 98,
            meaning: "an invariant is broken ([[expect]]), the broker ended by itself or left requests without \
                      an answer, or some devices were never let in",
            when: "; it stands in a run that is invalid for another reason too: what a late generator or another \
                   client may have broken counts as 4 from the start",
        },
        Self {
            code: 99,
            meaning: "a threshold is broken ([thresholds])",
            when: "; or a figure is worse than that of the --baseline, beyond noise; or no rate holds the bound of bench --find-max",
        },
    ];

    /// That of `code`; `None` for a number that squall does not end with.
    pub fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code == code)
    }

    /// Meaning and when.
    pub fn in_full(&self) -> String {
        format!("{}{}", self.meaning, self.when)
    }
}
