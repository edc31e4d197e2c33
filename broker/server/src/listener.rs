//! Binds the TCP listener of a shard.
//!
//! It is exclusive: with `SO_REUSEPORT` a second broker on the same port would silently get half of the
//! clients instead of an error. More shards will share the one listener that is made here.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::config::Listen;
use crate::error::ServeError;

/// Binds and listens, without blocking calls; port 0 becomes a free port.
pub(crate) fn bind(listen: &Listen) -> Result<(TcpListener, SocketAddr), ServeError> {
    let address = SocketAddr::new(listen.address, listen.port);
    let failed = |source: io::Error| {
        if source.kind() == io::ErrorKind::AddrInUse {
            return ServeError::PortInUse { address };
        }
        ServeError::Listen { address, source }
    };
    let listener = open(address, listen).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn open(address: SocketAddr, listen: &Listen) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for connections of the last run in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Accepted sockets inherit it: one write a turn leaves nothing that Nagle could join.
    socket.set_tcp_nodelay(true)?;
    // So is this: a peer that has gone without a word is found.
    if let Some(idle) = listen.tcp_keepalive.idle {
        let probes = TcpKeepalive::new()
            .with_time(idle)
            .with_interval(listen.tcp_keepalive.interval)
            .with_retries(listen.tcp_keepalive.probes);
        socket.set_tcp_keepalive(&probes)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(listen.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use socket2::SockRef;

    use super::*;
    use crate::config;

    fn listen(port: u16) -> Listen {
        Listen {
            port,
            ..Listen::default()
        }
    }

    /// Port 0 becomes a real port, and a second broker on it is told that it is in use.
    #[test]
    fn second_listener_on_a_port_is_refused() {
        let (_first, bound) = bind(&listen(0)).unwrap();

        let second = bind(&listen(bound.port()));

        assert_ne!(bound.port(), 0);
        let Err(ServeError::PortInUse { address }) = second else {
            panic!("{second:?}");
        };
        assert_eq!(address, bound);
    }

    /// The accepted side sends small writes at once without a system call per connection.
    #[test]
    fn accepted_sockets_inherit_no_delay() {
        let (listener, bound) = bind(&listen(0)).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = TcpStream::connect(bound).unwrap();

        let (accepted, _) = listener.accept().unwrap();

        assert!(accepted.nodelay().unwrap());
    }

    /// What the system does about a silent peer of an accepted connection.
    fn probes_of_accepted(listen: &Listen) -> (bool, config::TcpKeepalive) {
        let (listener, bound) = bind(listen).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = TcpStream::connect(bound).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let accepted = SockRef::from(&accepted);
        let probes = config::TcpKeepalive {
            idle: Some(accepted.tcp_keepalive_time().unwrap()),
            interval: accepted.tcp_keepalive_interval().unwrap(),
            probes: accepted.tcp_keepalive_retries().unwrap(),
        };
        (accepted.keepalive().unwrap(), probes)
    }

    /// Accepted sockets ask silent peers whether they are still there, as often as the config says.
    #[test]
    fn accepted_sockets_probe_silent_peers() {
        let probes = config::TcpKeepalive {
            idle: Some(Duration::from_secs(7)),
            interval: Duration::from_secs(3),
            probes: 2,
        };
        let listen = Listen {
            tcp_keepalive: probes,
            ..listen(0)
        };

        assert_eq!(probes_of_accepted(&listen), (true, probes));
    }

    /// They do so by default, and not if the config says so.
    #[test]
    fn probes_are_on_by_default_and_can_be_off() {
        let by_default = listen(0);
        let mut off = listen(0);
        off.tcp_keepalive.idle = None;

        let expected = config::TcpKeepalive::default();
        assert_eq!(probes_of_accepted(&by_default), (true, expected));
        assert!(!probes_of_accepted(&off).0);
    }

    /// An address that is not this machine's is an error with its cause.
    #[test]
    fn foreign_address_is_refused_with_its_cause() {
        let foreign = Listen {
            // TEST-NET-1 (RFC 5737) belongs to no machine.
            address: "192.0.2.1".parse().unwrap(),
            ..listen(0)
        };

        let error = bind(&foreign).unwrap_err();

        assert!(matches!(error, ServeError::Listen { .. }), "{error:?}");
    }
}
