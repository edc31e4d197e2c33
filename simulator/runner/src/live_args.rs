//! The options that say where runs can be watched, as clap sees them.

use clap::Args;

use crate::live::{ListenAddress, Wanted};

/// Where a run can be watched.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct LiveArgs {
    /// Serve a page that draws the run as it goes, and becomes its report; where is said on standard error. ADDRESS is an IP
    /// address with a port, or a port alone, and port 0 any free one [without ADDRESS: 127.0.0.1:0, for this machine alone].
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ListenAddress::DEFAULT
    )]
    pub live: Option<ListenAddress>,
    /// Serve the figures of the run as it goes for Prometheus, at ADDRESS/metrics; with the address of --live beside the page.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<ListenAddress>,
}

impl LiveArgs {
    /// What is to be served.
    pub fn wanted(self) -> Wanted {
        Wanted {
            page: self.live,
            metrics: self.metrics,
        }
    }
}
