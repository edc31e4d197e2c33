//! What each command of the command line does: one file a command.

pub mod bench;
pub mod broker;
pub mod compare;
pub mod completions;
pub mod doctor;
pub mod explain;
pub mod index;
pub mod list;
mod list_targets;
pub mod new;
pub mod plan;
pub mod publish;
pub mod report;
pub mod run;
mod run_files;
pub mod schema;
pub mod subscribe;
pub mod suite;
pub mod supervise;
pub mod validate;
mod worse;

use std::error::Error;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use squall_reports::{Colours, Screen};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::exit::Failure;
use crate::output::columns;

/// Whether the terminal that reads standard output shows colours.
fn colours() -> Colours {
    let wanted = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if wanted { Colours::Ansi } else { Colours::None }
}

/// What reads standard output.
fn screen() -> Screen {
    Screen {
        colours: colours(),
        columns: columns(io::stdout()),
    }
}

/// Whether a report can be written there, found out before there is one.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    squall_reports::check_folder(folder).map_err(|error| Failure::Usage(with_causes(&error)))
}

/// Whether a folder has the results of a run.
fn holds_a_run(folder: &Path) -> bool {
    folder.join("run.json").exists()
}

/// Results are not replaced unless the user says so: a run of hours may be among them.
fn refuse_to_replace(folder: &Path) -> Result<(), Failure> {
    if holds_a_run(folder) {
        return Err(Failure::Usage(format!(
            "{} holds the results of an earlier run: choose another folder, or replace them with --force",
            folder.display()
        )));
    }
    Ok(())
}

/// The message of an error, followed by those of its causes.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// One thread carries everything that a command does.
fn event_loop() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start the event loop")?)
}

/// Resolves when standard input ends. A thread of its own waits for it: there is nothing else to
/// do with standard input, and it ends with the process.
fn stdin_ends() -> oneshot::Receiver<()> {
    let (ended, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        while io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        // The receiver is gone if the process is stopping already.
        let _ = ended.send(());
    });
    receiver
}
