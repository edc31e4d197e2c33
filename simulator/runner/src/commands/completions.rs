//! `squall completions`: a completion script for a shell.

use std::io;

use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs};

/// Writes the script to standard output.
pub fn completions(args: &CompletionsArgs) {
    clap_complete::generate(args.shell, &mut Cli::command(), "squall", &mut io::stdout());
}
