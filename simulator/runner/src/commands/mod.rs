//! What each command of the command line does: one file a command.

pub mod broker;
pub mod completions;
pub mod doctor;
pub mod list;
pub mod plan;
pub mod publish;
pub mod report;
pub mod run;
pub mod schema;
pub mod subscribe;
pub mod validate;

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::Context as _;
use squall_reports::Colours;
use tokio::runtime::{Builder, Runtime};

use crate::exit::Failure;

/// Whether the terminal that reads standard output shows colours.
fn colours() -> Colours {
    let wanted = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if wanted { Colours::Ansi } else { Colours::None }
}

/// Whether a report can be written there, found out before there is one.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    squall_reports::check_folder(folder).map_err(|error| Failure::Usage(with_causes(&error)))
}

/// An error's own words and those of what caused it.
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
