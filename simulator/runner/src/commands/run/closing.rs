//! The table that a command with several runs ends with.

use std::path::{Path, PathBuf};

use squall_run::{Outcome, Percentile, Run, Summary, count_text, duration_text, rate_text};

use crate::exit::Failure;
use crate::scenario_file::ScenarioFile;

/// What became of one run.
#[derive(Debug)]
pub struct Finished {
    /// The scenario's name.
    pub name: String,
    /// The exit code that it asks for; `None` if a signal kept it from running.
    pub code: Option<u8>,
    /// What it found; `None` without a verdict.
    pub judged: Option<Judged>,
    /// Why it did not pass, in a sentence each; empty if it did.
    reasons: Vec<String>,
    /// Whether it was not run because the target lacks what it is about.
    is_skipped: bool,
}

/// What a run found.
#[derive(Debug)]
pub struct Judged {
    outcome: Outcome,
    figures: [String; FIGURES.len()],
    /// Its report.
    pub page: PathBuf,
}

/// The columns of figures, in the words of the report's tiles. All rates are means of the measured part; the
/// latencies are to connect, and end to end of the group and QoS where it is the highest; the last is processor time
/// of the broker.
const FIGURES: [&str; 7] = [
    "online",
    "connect p99",
    "sent",
    "delivered",
    "lost",
    "e2e p99",
    "CPU s/million",
];

/// What stands where a run has no figure.
const NONE: &str = "-";

impl Finished {
    /// A run with a verdict, whose report is `page`.
    pub fn judged(file: &ScenarioFile, run: &Run, page: PathBuf) -> Self {
        let told = run.told();
        let lines = told.iter().flat_map(|part| &part.lines);
        Self {
            name: file.scenario.name.clone(),
            code: Some(run.verdict.exit_code),
            reasons: lines
                .map(|line| format!("{}: {}", line.label, line.text))
                .collect(),
            judged: Some(Judged {
                outcome: run.verdict.outcome,
                figures: figures(&Summary::of(run)),
                page,
            }),
            is_skipped: false,
        }
    }

    /// A run that ended without a verdict, or that was skipped.
    pub fn failed(file: &ScenarioFile, failure: &Failure) -> Self {
        Self {
            name: file.scenario.name.clone(),
            code: Some(failure.code()),
            reasons: vec![failure.to_string()],
            judged: None,
            is_skipped: matches!(failure, Failure::Skipped { .. }),
        }
    }

    /// A run that did not begin, because a signal had ended the command.
    pub fn not_run(file: &ScenarioFile) -> Self {
        Self {
            name: file.scenario.name.clone(),
            code: None,
            reasons: Vec::new(),
            judged: None,
            is_skipped: false,
        }
    }

    /// `PASS`, `FAIL (98)`, `skipped (4)`, `no verdict (3)`, `not run`.
    fn verdict(&self) -> String {
        let name = self.judged.as_ref().map(|judged| judged.outcome.as_str());
        match (name, self.code) {
            (Some(name), Some(0)) => name.to_owned(),
            (Some(name), Some(code)) => format!("{name} ({code})"),
            (None, Some(code)) if self.is_skipped => format!("skipped ({code})"),
            (None, Some(code)) => format!("no verdict ({code})"),
            (_, None) => "not run".to_owned(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let figures = match &self.judged {
            Some(judged) => judged.figures.clone(),
            None => FIGURES.map(|_| NONE.to_owned()),
        };
        [self.name.clone(), self.verdict()]
            .into_iter()
            .chain(figures)
            .collect()
    }
}

fn figures(summary: &Summary) -> [String; FIGURES.len()] {
    let text = |figure: Option<String>| figure.unwrap_or_else(|| NONE.to_owned());
    let p99_us = summary
        .e2e_latency_of
        .iter()
        .filter(|of_one| !of_one.late)
        .filter_map(|of_one| of_one.latency.percentile_us(Percentile::P99))
        .max();
    let seconds = |us: u64| duration_text(us as f64 / 1e6);
    let connect = summary.connect_latency.as_ref();
    let connect = connect.and_then(|latency| latency.percentile_us(Percentile::P99));
    [
        count_text(summary.peak_online),
        text(connect.map(seconds)),
        text(summary.achieved_per_s.map(rate_text)),
        text(summary.delivered_per_s.map(rate_text)),
        count_text(summary.lost),
        text(p99_us.map(seconds)),
        text(
            summary
                .broker_cpu_s_per_million
                .map(|seconds| format!("{seconds:.2}")),
        ),
    ]
}

/// All runs of a command.
#[derive(Debug)]
pub struct Table<'a> {
    ran: &'a [Finished],
    /// The head, and a row for each run.
    rows: Vec<Vec<String>>,
}

impl<'a> Table<'a> {
    /// The table of these runs, in their order.
    pub fn of(ran: &'a [Finished]) -> Self {
        let head = ["scenario", "verdict"].into_iter().chain(FIGURES);
        let head = head.map(str::to_owned).collect();
        let rows = ran.iter().map(Finished::cells);
        Self {
            ran,
            rows: std::iter::once(head).chain(rows).collect(),
        }
    }

    /// In columns, for a terminal. Each line ends with a line feed.
    pub fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, &width))| match column {
                    0 | 1 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// In Markdown, with a link to each report from `folder`, and under the table why runs did not pass.
    pub fn markdown(&self, folder: &Path) -> String {
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut row = row.clone();
            if let Some(judged) = number
                .checked_sub(1)
                .and_then(|run| self.ran[run].judged.as_ref())
            {
                let page = judged.page.strip_prefix(folder).unwrap_or(&judged.page);
                row[0] = format!("[{}]({})", row[0], page.display());
            }
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if number == 0 {
                let rules = (0..row.len()).map(|column| if column < 2 { "---" } else { "---:" });
                let rules: Vec<&str> = rules.collect();
                text.push_str(&format!("| {} |\n", rules.join(" | ")));
            }
        }
        for of_one in self.ran.iter().filter(|of_one| !of_one.reasons.is_empty()) {
            text.push_str(&format!("\n**{}**\n\n", of_one.name));
            for reason in &of_one.reasons {
                text.push_str(&format!("- {reason}\n"));
            }
        }
        text
    }

    /// `1 of 4 runs passed; not passed: a (exit code 98); skipped: b; not run: c`
    pub fn closing_line(&self, what: &str) -> String {
        let passed = self
            .ran
            .iter()
            .filter(|of_one| of_one.code == Some(0))
            .count();
        let mut line = format!("{passed} of {} {what} passed", self.ran.len());
        let others: Vec<String> = self
            .ran
            .iter()
            .filter(|of_one| !of_one.is_skipped)
            .filter_map(|of_one| Some((of_one, of_one.code.filter(|&code| code != 0)?)))
            .map(|(of_one, code)| format!("{} (exit code {code})", of_one.name))
            .collect();
        if !others.is_empty() {
            line.push_str(&format!("; not passed: {}", others.join(", ")));
        }
        let names = |which: fn(&Finished) -> bool| {
            let which = self.ran.iter().filter(|of_one| which(of_one));
            which.map(|of_one| of_one.name.as_str()).collect::<Vec<_>>()
        };
        for (label, names) in [
            ("skipped", names(|of_one| of_one.is_skipped)),
            ("not run", names(|of_one| of_one.code.is_none())),
        ] {
            if !names.is_empty() {
                line.push_str(&format!("; {label}: {}", names.join(", ")));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(name: &str, code: Option<u8>) -> Finished {
        Finished {
            name: name.to_owned(),
            code,
            judged: code.filter(|&code| code == 0).map(|_| Judged {
                outcome: Outcome::Pass,
                figures: FIGURES.map(|_| "1".to_owned()),
                page: PathBuf::from("out/a/report.html"),
            }),
            reasons: match code {
                Some(0) | None => Vec::new(),
                Some(_) => vec!["it cannot be reached".to_owned()],
            },
            is_skipped: false,
        }
    }

    /// A skipped run is neither passed nor a failure of the broker's.
    #[test]
    fn what_was_skipped_is_told_apart() {
        let skipped = Finished {
            is_skipped: true,
            ..finished("b", Some(4))
        };
        let ran = [finished("a", Some(0)), skipped];

        let table = Table::of(&ran);

        assert!(
            table.text().contains("b         skipped (4)"),
            "{}",
            table.text()
        );
        assert_eq!(table.closing_line("runs"), "1 of 2 runs passed; skipped: b");
    }

    /// What passed, what did not, and what a signal kept from running are told apart.
    #[test]
    fn the_closing_line_names_what_did_not_pass_and_what_did_not_run() {
        let ran = [
            finished("a", Some(0)),
            finished("b", Some(3)),
            finished("c", None),
        ];

        let line = Table::of(&ran).closing_line("runs");

        assert_eq!(
            line,
            "1 of 3 runs passed; not passed: b (exit code 3); not run: c"
        );
    }

    /// Every run has a row, with figures or without, and the columns stand under each other.
    #[test]
    fn every_run_has_a_row() {
        let ran = [
            finished("a", Some(0)),
            finished("longer", Some(3)),
            finished("c", None),
        ];

        let text = Table::of(&ran).text();

        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("scenario  verdict         online"),
            "{text}"
        );
        assert!(lines[1].starts_with("a         PASS"), "{text}");
        assert!(lines[2].starts_with("longer    no verdict (3)"), "{text}");
        assert!(lines[3].starts_with("c         not run"), "{text}");
        assert_eq!(lines.len(), 4);
    }

    /// Links lead from the table's folder to the reports; reasons stand under it.
    #[test]
    fn markdown_links_reports_and_gives_reasons() {
        let ran = [finished("a", Some(0)), finished("b", Some(3))];

        let text = Table::of(&ran).markdown(Path::new("out"));

        assert!(text.contains("| [a](a/report.html) | PASS | 1 |"), "{text}");
        assert!(text.contains("| b | no verdict (3) | - |"), "{text}");
        assert!(
            text.ends_with("\n**b**\n\n- it cannot be reached\n"),
            "{text}"
        );
    }
}
