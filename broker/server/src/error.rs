//! Why a broker could not start, or had to stop.

use std::io;
use std::net::SocketAddr;

use crate::config::ConfigConflict;

/// Why a broker could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Settings of the config contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigConflict),
    /// Another process listens there.
    #[error("{address} is in use by another process; choose another port, or 0 for any free one")]
    PortInUse {
        /// Where this broker should have listened.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where this broker should have listened.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The thread's event loop could not be made, or the system ended it.
    #[error("the event loop failed")]
    Runtime {
        /// What the system says.
        #[from]
        source: io::Error,
    },
    /// The broker broke one of its own invariants and stopped, so that it does no harm.
    #[error("the broker stopped after an internal error; please report the message above")]
    Panicked,
}
