//! `squall broker`: serves MQTT on one address until SIGTERM or Ctrl-C.

use std::net::SocketAddr;

use squall_broker::{Config, ConfigError, ServeError};

use super::stdin_ends;
use crate::cli::BrokerArgs;
use crate::exit::Failure;
use crate::output::print_line;

/// What stands before the address on the first line of standard output: the line that a parent
/// process waits for, so nothing else is printed there before it.
pub const LISTENING: &str = "squall broker listening on ";

/// Serves until a signal comes, or, for an embedded broker, until the parent is gone.
pub fn broker(args: &BrokerArgs) -> Result<u8, Failure> {
    let config = config(args)?;
    if args.check {
        print_line("the configuration is right")?;
        return Ok(0);
    }
    let parent_gone = args.until_stdin_ends.then(stdin_ends);
    let shutdown = async move {
        match parent_gone {
            Some(parent_gone) => tokio::select! {
                () = squall_broker::stop_signal() => {}
                _ = parent_gone => {}
            },
            None => squall_broker::stop_signal().await,
        }
    };
    squall_broker::serve(&config, announce, shutdown).map_err(failure)?;
    Ok(0)
}

fn config(args: &BrokerArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::from_file(path).map_err(|error| match error {
            ConfigError::Wrong(errors) => Failure::Config(errors),
            ConfigError::Unreadable { .. } | ConfigError::TooLong { .. } => {
                Failure::Usage(error.to_string())
            }
        })?,
        None => Config::default(),
    };
    if let Some(port) = args.port {
        config.listen.port = port;
    }
    if let Some(address) = args.bind {
        config.listen.address = address;
    }
    Ok(config)
}

fn announce(address: SocketAddr) {
    // A parent that closed the pipe does not want to know.
    let _ = print_line(&format!("{LISTENING}{address}"));
}

fn failure(error: ServeError) -> Failure {
    if matches!(error, ServeError::Config(_) | ServeError::PortInUse { .. }) {
        return Failure::Usage(super::with_causes(&error));
    }
    Failure::Internal(error.into())
}
