//! `squall completions`: a completion script for a shell.

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Failure;
use crate::output::print;

/// Writes the script to standard output.
pub fn completions(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "squall", &mut script);
    print(&String::from_utf8(script).context("the script is not UTF-8 text")?)?;
    Ok(0)
}
