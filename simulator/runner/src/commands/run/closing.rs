//! The table that a command with several runs ends with.

use squall_run::{ComparedRun, Figure, RunSet, RunState};

use crate::exit::Failure;
use crate::scenario_file::ScenarioFile;

/// What stands where a run has no figure.
const NONE: &str = "-";

/// A run that did not begin, because a signal had ended the command.
pub fn not_run(file: &ScenarioFile, values: Vec<String>) -> ComparedRun {
    ComparedRun::not_run(values, file.number, file.scenario.seed)
}

/// A run that ended without a verdict, or that was skipped.
pub fn failed(file: &ScenarioFile, values: Vec<String>, failure: &Failure) -> ComparedRun {
    ComparedRun {
        state: match failure {
            Failure::Skipped { .. } => RunState::Skipped,
            Failure::Usage(_)
            | Failure::Scenario(_)
            | Failure::Config(_)
            | Failure::Unreachable(_)
            | Failure::NothingFollows(_)
            | Failure::Stopped(_)
            | Failure::Internal(_) => RunState::Failed,
        },
        exit_code: Some(failure.code()),
        reasons: vec![failure.to_string()],
        ..not_run(file, values)
    }
}

/// All runs of a command.
#[derive(Debug)]
pub struct Table<'a> {
    set: &'a RunSet,
    /// The head, a row for each run, and the spread of those that were repeated.
    rows: Vec<Row<'a>>,
}

#[derive(Debug)]
struct Row<'a> {
    /// The run, if it is that of one.
    run: Option<&'a ComparedRun>,
    cells: Vec<String>,
}

impl<'a> Table<'a> {
    /// The table of these runs: those with the same values stand together, and their spread under them.
    pub fn of(set: &'a RunSet) -> Self {
        let heading = match set.axes.first().map(String::as_str) {
            Some(squall_run::SCENARIO) => "scenario",
            Some(_) | None => "run",
        };
        let figures = Figure::FEW.map(Figure::heading);
        let head = [heading, "verdict"].into_iter().chain(figures);
        let mut rows = vec![Row {
            run: None,
            cells: head.map(str::to_owned).collect(),
        }];
        for of_values in set.rows() {
            for run in &of_values.runs {
                let figure = |figure: Figure| {
                    let number = run.figures.get(figure);
                    number.map_or_else(|| NONE.to_owned(), |number| figure.text(number))
                };
                let cells = [set.label(run), run.verdict()];
                rows.push(Row {
                    run: Some(run),
                    cells: cells.into_iter().chain(Figure::FEW.map(figure)).collect(),
                });
            }
            if of_values.runs.len() > 1 {
                rows.extend(spread(&of_values));
            }
        }
        Self { set, rows }
    }

    /// In columns, for a terminal. Each line ends with a line feed.
    pub fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self
                .rows
                .iter()
                .map(|row| row.cells[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.rows[0].cells.len()).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.cells.iter().zip(&widths).enumerate();
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

    /// In Markdown, with a link to each report, and under the table why runs did not pass.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut cells = row.cells.clone();
            if let Some(page) = row.run.and_then(|run| run.report.as_ref()) {
                cells[0] = format!("[{}]({page})", cells[0]);
            }
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            if number == 0 {
                let rules = (0..cells.len()).map(|column| if column < 2 { "---" } else { "---:" });
                let rules: Vec<&str> = rules.collect();
                text.push_str(&format!("| {} |\n", rules.join(" | ")));
            }
        }
        for run in self.rows.iter().filter_map(|row| row.run) {
            if run.reasons.is_empty() {
                continue;
            }
            text.push_str(&format!("\n**{}**\n\n", self.set.label(run)));
            for reason in &run.reasons {
                text.push_str(&format!("- {reason}\n"));
            }
        }
        text
    }

    /// `1 of 4 runs passed; not passed: a (exit code 98); skipped: b; not run: c`
    pub fn closing_line(&self, what: &str) -> String {
        let runs = &self.set.runs;
        let passed = runs.iter().filter(|run| run.exit_code == Some(0)).count();
        let mut line = format!("{passed} of {} {what} passed", runs.len());
        let labels = |state: &dyn Fn(&ComparedRun) -> bool, with_code: Option<()>| {
            let those = runs.iter().filter(|run| state(run));
            let labels = those.map(|run| match with_code {
                Some(()) => format!("{} (exit code {})", self.set.label(run), run.code()),
                None => self.set.label(run),
            });
            labels.collect::<Vec<String>>()
        };
        for (heading, labels) in [
            (
                "not passed",
                labels(
                    &|run| match run.state {
                        RunState::Judged | RunState::Failed => run.code() != 0,
                        RunState::Skipped | RunState::NotRun => false,
                    },
                    Some(()),
                ),
            ),
            (
                "skipped",
                labels(&|run| run.state == RunState::Skipped, None),
            ),
            (
                "not run",
                labels(&|run| run.state == RunState::NotRun, None),
            ),
        ] {
            if !labels.is_empty() {
                line.push_str(&format!("; {heading}: {}", labels.join(", ")));
            }
        }
        line
    }
}

/// The least, the middle and the greatest of each figure of runs with the same values, those that are INVALID apart.
fn spread<'a>(of_values: &squall_run::Row<'_>) -> [Row<'a>; 3] {
    let row = |name: &str, pick: fn(squall_run::FigureSpread) -> f64| {
        let figure = |figure: Figure| {
            let spread = of_values.spread(figure);
            spread.map_or_else(|| NONE.to_owned(), |spread| figure.text(pick(spread)))
        };
        let left_out = match of_values.invalid() {
            0 => String::new(),
            count => format!("{count} INVALID left out"),
        };
        let cells = [format!("  {name}"), left_out];
        Row {
            run: None,
            cells: cells.into_iter().chain(Figure::FEW.map(figure)).collect(),
        }
    };
    [
        row("min", |spread| spread.min),
        row("median", |spread| spread.median),
        row("max", |spread| spread.max),
    ]
}

#[cfg(test)]
mod tests {
    use squall_run::{Outcome, SCENARIO};

    use super::*;

    fn run(name: &str, code: Option<u8>) -> ComparedRun {
        ComparedRun {
            state: match code {
                Some(0) => RunState::Judged,
                Some(_) => RunState::Failed,
                None => RunState::NotRun,
            },
            exit_code: code,
            outcome: code.filter(|&code| code == 0).map(|_| Outcome::Pass),
            report: code
                .filter(|&code| code == 0)
                .map(|_| format!("{name}/report.html")),
            reasons: match code {
                Some(0) | None => Vec::new(),
                Some(_) => vec!["it cannot be reached".to_owned()],
            },
            ..ComparedRun::not_run(vec![name.to_owned()], 1, 0)
        }
    }

    fn set(runs: Vec<ComparedRun>) -> RunSet {
        RunSet {
            runs,
            ..RunSet::new("s".to_owned(), None, vec![SCENARIO.to_owned()])
        }
    }

    /// A skipped run is neither passed nor a failure of the broker's.
    #[test]
    fn what_was_skipped_is_told_apart() {
        let skipped = ComparedRun {
            state: RunState::Skipped,
            ..run("b", Some(4))
        };
        let set = set(vec![run("a", Some(0)), skipped]);

        let table = Table::of(&set);

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
        let set = set(vec![run("a", Some(0)), run("b", Some(3)), run("c", None)]);

        let line = Table::of(&set).closing_line("runs");

        assert_eq!(
            line,
            "1 of 3 runs passed; not passed: b (exit code 3); not run: c"
        );
    }

    /// Every run has a row, with figures or without, and the columns stand under each other.
    #[test]
    fn every_run_has_a_row() {
        let set = set(vec![
            run("a", Some(0)),
            run("longer", Some(3)),
            run("c", None),
        ]);

        let text = Table::of(&set).text();

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

    /// Runs with the same values stand together, whatever the order in which they ran, and their spread under them.
    #[test]
    fn repeated_runs_stand_together_with_their_spread() {
        let again = |name: &str| ComparedRun {
            number: 2,
            ..run(name, Some(0))
        };
        let runs = vec![run("a", Some(0)), run("b", Some(0)), again("a"), again("b")];
        let set = set(runs);

        let text = Table::of(&set).text();

        let labels: Vec<&str> = text
            .lines()
            .map(|line| line.split("  ").find(|word| !word.is_empty()).unwrap_or(""))
            .collect();
        assert_eq!(
            labels,
            [
                "scenario", "a run 1", "a run 2", "min", "median", "max", "b run 1", "b run 2",
                "min", "median", "max"
            ]
        );
    }

    /// A figure of a run that is INVALID is shown with the run, and is in no spread.
    #[test]
    fn the_spread_says_how_many_runs_it_leaves_out() {
        let invalid = ComparedRun {
            number: 2,
            exit_code: Some(4),
            outcome: Some(Outcome::Invalid),
            ..run("a", Some(0))
        };
        let set = set(vec![run("a", Some(0)), invalid]);

        let text = Table::of(&set).text();

        let spreads: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(spreads.len(), 3, "{text}");
        for line in spreads {
            assert!(line.contains("1 INVALID left out"), "{text}");
        }
    }

    /// Links lead from the table's folder to the reports; reasons stand under it.
    #[test]
    fn markdown_links_reports_and_gives_reasons() {
        let set = set(vec![run("a", Some(0)), run("b", Some(3))]);

        let text = Table::of(&set).markdown();

        assert!(text.contains("| [a](a/report.html) | PASS | - |"), "{text}");
        assert!(text.contains("| b | no verdict (3) | - |"), "{text}");
        assert!(
            text.ends_with("\n**b**\n\n- it cannot be reached\n"),
            "{text}"
        );
    }
}
