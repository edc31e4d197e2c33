//! The rows of the suite: each a bench that a user could measure alone.

use clap::Parser as _;
use squall_toml::nearest::nearest;
use squall_toml::quantity::format_duration;

use crate::bench_args::{BenchArgs, BenchCommand, BenchSuiteArgs};
use crate::cli::{Cli, Command};
use crate::exit::Failure;

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// As `--only` has it.
    pub id: &'static str,
    /// For a reader.
    pub title: &'static str,
    /// The options of `squall bench` that make it, without those that all rows have.
    options: &'static str,
}

/// Every broker here speaks 3.1.1, and its windows are not bounded by a Receive Maximum (§3.1.2.11.3 of 5.0).
const OF_ALL: &str = "--protocol 3.1.1";

/// All rows, in the order in which they are measured.
pub const WORKLOADS: [Workload; 12] = [
    Workload {
        id: "pairs-qos0",
        title: "pairs 100 to 100, QoS 0, 16 B, window 256",
        options: "pairs -c 100 -q 0 -s 16 --window 256",
    },
    Workload {
        id: "pairs-qos1",
        title: "pairs 100 to 100, QoS 1, 16 B, window 100",
        options: "pairs -c 100 -q 1 -s 16 --window 100",
    },
    Workload {
        id: "pairs-qos2",
        title: "pairs 100 to 100, QoS 2, 16 B, window 100",
        options: "pairs -c 100 -q 2 -s 16 --window 100",
    },
    Workload {
        id: "fanout-qos0",
        title: "fan-out 1 to 1,000, QoS 0, 256 B, window 16",
        options: "fanout -c 1000 -q 0 -s 256 --window 16",
    },
    Workload {
        id: "fanout-qos1",
        title: "fan-out 1 to 1,000, QoS 1, 256 B, window 16",
        options: "fanout -c 1000 -q 1 -s 256 --window 16",
    },
    Workload {
        id: "fanin-qos1",
        title: "fan-in 1,000 to 1 (wildcard), QoS 1, 16 B, window 4",
        options: "fanin -c 1000 -q 1 -s 16 --window 4",
    },
    Workload {
        id: "pairs-window1",
        title: "pairs 100 to 100, QoS 0, 16 B, window 1 (nothing to batch)",
        options: "pairs -c 100 -q 0 -s 16 --window 1",
    },
    Workload {
        id: "open-qos0",
        title: "open loop, 10,000/s, pairs 100 to 100, QoS 0, 16 B",
        options: "pairs -c 100 -q 0 -s 16 -R 10000",
    },
    Workload {
        id: "open-qos1",
        title: "open loop, 10,000/s, pairs 100 to 100, QoS 1, 16 B",
        options: "pairs -c 100 -q 1 -s 16 -R 10000",
    },
    Workload {
        id: "pairs-1kib",
        title: "pairs 100 to 100, QoS 1, 1 KiB, window 100",
        options: "pairs -c 100 -q 1 -s 1KiB --window 100",
    },
    Workload {
        id: "pairs-64kib",
        title: "pairs 20 to 20, QoS 0, 64 KiB, window 4",
        options: "pairs -c 20 -q 0 -s 64KiB --window 4",
    },
    Workload {
        id: "connections",
        title: "10,000 clients that connect and stay",
        options: "conn -c 10000",
    },
];

impl Workload {
    /// Those that `only` names, in their own order; all if it names none.
    ///
    /// # Errors
    /// If there is no such row.
    pub fn chosen(only: &[String]) -> Result<Vec<Self>, Failure> {
        let ids: Vec<&str> = WORKLOADS.iter().map(|row| row.id).collect();
        if let Some(other) = only.iter().find(|name| !ids.contains(&name.as_str())) {
            let hint = match nearest(other, &ids) {
                Some(id) => format!("did you mean `{id}`?"),
                None => format!("the rows are {}", ids.join(", ")),
            };
            return Err(Failure::Usage(format!(
                "--only: there is no row `{other}`; {hint}"
            )));
        }
        let is_chosen = |row: &Self| only.is_empty() || only.iter().any(|name| name == row.id);
        Ok(WORKLOADS.into_iter().filter(is_chosen).collect())
    }

    /// The words of the command that measures it alone on `targets`, `squall bench` among them.
    pub fn words(&self, args: &BenchSuiteArgs, targets: &[String]) -> Vec<String> {
        let words = ["squall", "bench"].into_iter();
        let words = words
            .chain(self.options.split(' '))
            .chain(OF_ALL.split(' '));
        let mut words: Vec<String> = words.map(str::to_owned).collect();
        words.extend(["--warmup".to_owned(), format_duration(args.warmup)]);
        words.extend(["--duration".to_owned(), format_duration(args.duration)]);
        words.extend(["--repeat".to_owned(), args.repeat.to_string()]);
        if args.pin {
            words.push("--pin".to_owned());
        }
        for target in targets {
            words.extend(["--target".to_owned(), target.clone()]);
        }
        words
    }

    /// What that command says, read as any other one.
    pub fn args(&self, args: &BenchSuiteArgs, targets: &[String]) -> Result<BenchArgs, Failure> {
        let words = self.words(args, targets);
        let read = Cli::try_parse_from(&words).map_err(anyhow::Error::from)?;
        let Command::Bench(BenchCommand::One(one)) = read.command else {
            return Err(anyhow::anyhow!("{words:?} is not a bench").into());
        };
        Ok(*one)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench_args::AgainstArgs;
    use crate::commands::bench::plan::BenchPlan;

    fn args() -> BenchSuiteArgs {
        BenchSuiteArgs {
            target: Vec::new(),
            repeat: 3,
            duration: Duration::from_millis(1500),
            warmup: Duration::from_secs(1),
            pin: true,
            only: Vec::new(),
            list: false,
            out: "out".into(),
            json: false,
            against: AgainstArgs::default(),
        }
    }

    /// Each row is a bench as a user may write it, and is what its title says.
    #[test]
    fn each_row_is_a_bench() {
        for row in WORKLOADS {
            let read = row.args(&args(), &["squall".to_owned()]);
            let read = read.unwrap_or_else(|error| panic!("{}: {error}", row.id));
            let plan = BenchPlan::of(&read).unwrap_or_else(|error| panic!("{}: {error}", row.id));

            assert_eq!((plan.repeat, read.pin), (3, true));
            assert_eq!(plan.duration, Duration::from_millis(1500));
            assert_eq!(read.target, ["squall"]);
            if plan.subscribers > 0 {
                let qos = format!("QoS {}, ", plan.qos);
                assert!(row.title.contains(&qos), "{}", row.title);
                let size = squall_run::bytes_text(plan.payload_bytes)
                    .replace(".00", "")
                    .replace(".0", "");
                assert!(row.title.contains(&size), "{} {size}", row.title);
            }
        }
    }

    /// The page in `benches` has the command of each row.
    #[test]
    fn the_page_has_each_row() {
        let page = include_str!("../../../../../../benches/README.md");
        for row in WORKLOADS {
            let line = format!(
                "| `{}` | `squall bench {} {OF_ALL} --pin` |",
                row.id, row.options
            );
            assert!(page.contains(&line), "no {line}");
        }
    }

    /// A row that is not there is told with the one that was meant.
    #[test]
    fn a_row_that_is_not_there_is_refused() {
        let chosen = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|id| (*id).to_owned()).collect();
            Workload::chosen(&only)
        };

        assert_eq!(chosen(&[]).expect("all").len(), WORKLOADS.len());
        let two = chosen(&["pairs-qos1", "pairs-qos0"]).expect("both are there");
        assert_eq!((two[0].id, two[1].id), ("pairs-qos0", "pairs-qos1"));
        let error = chosen(&["pairs-qso1"]).expect_err("it is not there");
        assert!(
            error.to_string().contains("did you mean `pairs-qos1`?"),
            "{error}"
        );
    }
}
