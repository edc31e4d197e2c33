//! A broker in a few lines: `cargo run -p squall-broker --example serve -- [PORT]`.
//!
//! It listens on loopback, on a free port if none is given, until SIGTERM or Ctrl-C.

use squall_broker::{Config, ServeError, serve, stop_signal};

fn main() -> Result<(), ServeError> {
    let mut config = Config::default();
    config.listen.port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    serve(
        &config,
        |address| println!("listening on {address}"),
        stop_signal(),
    )
}
