//! How a transport to the target is asked for.
//!
//! The kernel picks a local port by trying those of one parity before the other, so that from half
//! of the range on each `connect` walks over thousands of ports that are taken. Here the next port
//! is known: the walk goes round the range, and comes back to a port as late as it can. The kernel
//! still picks where the range is unknown, or where some ports of it are reserved.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::ops::RangeInclusive;

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::receive;

/// Ports that are tried for one transport before the kernel is asked to find one.
const PORTS_TRIED_MAX: usize = 64;

/// Asks the system for transports to one target.
#[derive(Debug)]
pub(super) struct Dialer {
    target: SocketAddr,
    /// `None`: the kernel picks.
    ports: Option<PortWalk>,
}

/// The local ports of one address, in turn.
#[derive(Debug)]
struct PortWalk {
    address: IpAddr,
    range: RangeInclusive<u16>,
    next: u16,
}

impl Dialer {
    /// Transports to `target` from the local ports `range`, `None` to let the kernel pick.
    pub(super) fn new(target: SocketAddr, range: Option<RangeInclusive<u16>>) -> Self {
        let ports = range.and_then(|range| {
            Some(PortWalk {
                address: local_address(target)?,
                next: starting_port(&range),
                range,
            })
        });
        Self { target, ports }
    }

    /// Asks for a transport. It may be connected when it can be written, or fail then.
    pub(super) fn dial(&mut self) -> io::Result<TcpStream> {
        if let Some(ports) = &mut self.ports {
            for _ in 0..PORTS_TRIED_MAX {
                match ask(self.target, Some(ports.take())) {
                    Err(error) if is_port_taken(&error) => {}
                    asked => return asked,
                }
            }
        }
        ask(self.target, None)
    }
}

impl PortWalk {
    fn take(&mut self) -> SocketAddr {
        let port = self.next;
        self.next = match port {
            port if port >= *self.range.end() => *self.range.start(),
            port => port + 1,
        };
        SocketAddr::new(self.address, port)
    }
}

fn ask(target: SocketAddr, from: Option<SocketAddr>) -> io::Result<TcpStream> {
    let domain = Domain::for_address(target);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    receive::stamp_arrivals(&socket)?;
    if let Some(from) = from {
        // A port whose last connection waits for its end may be used again if the kernel finds
        // that safe, as it does for ports of its own choice.
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(from))?;
    }
    match socket.connect(&SockAddr::from(target)) {
        Err(error) if errno(&error) != Some(Errno::INPROGRESS) => Err(error),
        Ok(()) | Err(_) => Ok(socket.into()),
    }
}

fn is_port_taken(error: &io::Error) -> bool {
    matches!(
        errno(error),
        Some(Errno::ADDRINUSE | Errno::ADDRNOTAVAIL | Errno::ACCESS)
    )
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

/// The address that the kernel would send from.
fn local_address(target: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match target {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = UdpSocket::bind((any, 0)).ok()?;
    // Sends nothing: it only looks the route up.
    probe.connect(target).ok()?;
    Some(probe.local_addr().ok()?.ip())
}

/// Differs from run to run, so that one begins with ports that the last one did not leave waiting.
fn starting_port(range: &RangeInclusive<u16>) -> u16 {
    let ports = u32::from(*range.end()).saturating_sub(u32::from(*range.start())) + 1;
    let scattered = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    let offset = u16::try_from(scattered % ports).expect("a range of ports has at most 2^16");
    range.start().saturating_add(offset)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Each port of the range is used once before any is used again.
    #[test]
    fn the_walk_goes_round_the_range() {
        let mut walk = PortWalk {
            address: IpAddr::from([127, 0, 0, 1]),
            range: 40_000..=40_003,
            next: 40_002,
        };

        let ports: Vec<u16> = (0..6).map(|_| walk.take().port()).collect();

        assert_eq!(ports, [40_002, 40_003, 40_000, 40_001, 40_002, 40_003]);
    }

    /// A port that something else holds is passed over.
    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let target = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("it is bound");
        let mut dialer = Dialer {
            target: target.local_addr().expect("it is bound"),
            ports: Some(PortWalk {
                address: address.ip(),
                range: address.port()..=address.port(),
                next: address.port(),
            }),
        };

        let stream = dialer.dial().expect("the kernel finds a port");

        let used = stream.local_addr().expect("it is bound").port();
        assert_ne!(used, address.port());
    }
}
