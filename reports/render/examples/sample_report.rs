//! Writes the reports of the made-up runs, to look at while working on how reports look.
//!
//! `cargo run -p squall-reports --example sample_report -- FOLDER`

use std::path::PathBuf;
use std::process::ExitCode;

use squall_reports::{Colours, Screen, terminal_summary, write_report};
use squall_run::sample;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: sample_report FOLDER");
        return ExitCode::from(2);
    };
    let runs = [
        ("passing", sample::passing()),
        ("failing", sample::failing()),
        ("empty", sample::empty()),
    ];
    for (name, run) in runs {
        match write_report(&run, &folder.join(name)) {
            Ok(written) => {
                print!(
                    "{}",
                    terminal_summary(
                        &run,
                        Screen {
                            colours: Colours::None,
                            columns: None
                        }
                    )
                );
                println!("  report: {}\n", written.page.display());
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
