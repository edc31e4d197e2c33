//! The `squall` command line: runs scenarios in real time, and everything around that.
//!
//! It does the I/O and decides nothing: scenarios are read by `squall-scenario`, devices are simulated
//! by `squall-fleet`, runs are judged by `squall-ledger`, the broker is `squall-broker`, and
//! `squall-reports` writes the reports.

#![expect(
    unreachable_pub,
    reason = "in a program, `pub` means: for its other modules"
)]

mod bench_args;
mod bound;
mod cli;
mod clock;
mod commands;
mod compare_args;
mod connect_args;
mod drive;
mod exit;
mod layers;
mod live;
mod live_args;
mod machine;
mod open_page;
mod out_folder;
mod output;
mod output_args;
mod progress;
mod remark;
mod run;
mod scenario_file;
mod scenario_runs;
mod shipped;
mod since;
mod suites;
mod target;
mod targets;
mod terminal_client;
mod transport_advice;
mod worker_args;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};
use exit::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    match dispatch(&cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.code())
        }
    }
}

fn dispatch(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => commands::run::run(args),
        Command::Suite(args) => commands::suite::suite(args),
        Command::Bench(args) => commands::bench::bench(args),
        Command::Validate(args) => commands::validate::validate(args),
        Command::List(args) => commands::list::list(args),
        Command::New(args) => commands::new::new(args),
        Command::Explain(args) => commands::explain::explain(args),
        Command::Plan(args) => commands::plan::plan(args),
        Command::Report(args) => commands::report::report(args),
        Command::Compare(args) => commands::compare::compare(args),
        Command::Index(args) => commands::index::index(args),
        Command::Supervise(args) => commands::supervise::supervise(args),
        Command::Broker(args) => commands::broker::broker(args),
        Command::Pub(args) => commands::publish::publish(args),
        Command::Sub(args) => commands::subscribe::subscribe(args),
        Command::Schema(args) => commands::schema::schema(args),
        Command::Doctor(args) => commands::doctor::doctor(args),
        Command::Completions(args) => commands::completions::completions(args),
    }
}

/// Warnings and worse, or what `RUST_LOG` asks for.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        // A log that cannot be written must not end the run.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
