//! Where the live page and the live metrics are served: an address of this machine, and a port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on, as `--live` and `--metrics` take it: `127.0.0.1:9000`, `[::1]:9000`, `localhost:9000`, or a port
/// alone, which is one of 127.0.0.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListenAddress(pub SocketAddr);

/// A text is not an address to listen on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{text}` is not an address to listen on: give an IP address with a port, as in 127.0.0.1:9000, or a port alone; port 0 is any \
     free one"
)]
pub struct NotAnAddress {
    /// The text.
    pub text: String,
}

impl ListenAddress {
    /// Any free port, for this machine alone.
    pub const DEFAULT: &str = "127.0.0.1:0";

    /// Whether others than this machine may reach it.
    pub fn is_open(self) -> bool {
        !self.0.ip().is_loopback()
    }
}

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let on_loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        let address = match port.parse::<u16>() {
            Ok(port) => Ok(on_loopback(port)),
            Err(_) => text.parse::<SocketAddr>(),
        };
        address.map(Self).map_err(|_| NotAnAddress {
            text: text.to_owned(),
        })
    }
}

/// Whether a page that was asked for by this `Host` was asked for at this machine, or by an address in figures.
///
/// A page of another site may have its name point here (DNS rebinding) and would then read what is served. It cannot change the
/// name that it is asked for by, so other names are refused.
pub fn is_own_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) | None => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port alone is one of this machine's own.
    #[test]
    fn a_port_alone_is_on_loopback() {
        for (text, address) in [
            ("9000", "127.0.0.1:9000"),
            ("localhost:9000", "127.0.0.1:9000"),
            ("0.0.0.0:9000", "0.0.0.0:9000"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let read: ListenAddress = text.parse().unwrap();
            assert_eq!(read.0, address.parse().unwrap(), "{text}");
        }
    }

    /// What is no address is refused with what to write instead.
    #[test]
    fn others_are_refused() {
        for text in ["", "here", "127.0.0.1", "127.0.0.1:99999", "example.org:80"] {
            let refused = text.parse::<ListenAddress>().unwrap_err();
            assert!(refused.to_string().contains("127.0.0.1:9000"), "{refused}");
        }
    }

    /// Only the loopback addresses are for this machine alone.
    #[test]
    fn only_loopback_is_closed() {
        let is_open = |text: &str| text.parse::<ListenAddress>().unwrap().is_open();

        assert!(!is_open("127.0.0.2:1"));
        assert!(!is_open("[::1]:1"));
        assert!(is_open("0.0.0.0:1"));
        assert!(is_open("192.0.2.7:1"));
    }

    /// A name that another site may own is refused.
    #[test]
    fn only_localhost_and_figures_are_own_hosts() {
        for host in [
            "127.0.0.1:9000",
            "localhost",
            "LOCALHOST:1",
            "[::1]:80",
            "192.0.2.7",
        ] {
            assert!(is_own_host(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "",
        ] {
            assert!(!is_own_host(host), "{host}");
        }
    }
}
