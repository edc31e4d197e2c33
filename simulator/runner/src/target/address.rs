//! From a name to an address, and free ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context as _;
use squall_scenario::UrlTarget;

use crate::exit::Failure;

/// The first address behind a URL.
pub async fn resolve(url: &UrlTarget) -> Result<SocketAddr, Failure> {
    let UrlTarget { host, port, .. } = url;
    let mut addresses = tokio::net::lookup_host((host.as_str(), *port))
        .await
        .map_err(|error| Failure::Unreachable(format!("cannot resolve '{host}': {error}")))?;
    addresses
        .next()
        .ok_or_else(|| Failure::Unreachable(format!("'{host}' has no address")))
}

/// A TCP port on which no process listens at this moment.
pub(super) fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free TCP port")?;
    Ok(listener.local_addr().context("no free TCP port")?.port())
}
