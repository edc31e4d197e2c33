//! Asks the system for transports to the target, from local ports in turn.
//!
//! The kernel picks a local port by trying those of one parity before the other, so that from half
//! of the range on each `connect` walks over thousands of ports that are taken. Here the next port
//! is known ([`LocalPorts`]). The kernel still picks where the range is unknown, where some ports of it
//! are reserved, and for a transport that met too many ports that others hold: those that the kernel
//! picked for another program cannot be bound for a minute after, and the kernel itself may use them.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::ops::RangeInclusive;

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use squall_protocol::Instant;

use super::ports::LocalPorts;
use super::receive;

/// Ports that are tried for one transport before the kernel is asked to find one.
const PORTS_TRIED_MAX: usize = 64;

/// Asks the system for transports to one target.
#[derive(Debug)]
pub(super) struct Dialer {
    target: SocketAddr,
    /// `None`: the kernel picks.
    ports: Option<AddressPorts>,
}

/// The local ports of one address.
#[derive(Debug)]
struct AddressPorts {
    address: IpAddr,
    ports: LocalPorts,
}

/// A transport that the system was asked for. It may be connected when it can be written, or fail then.
#[derive(Debug)]
pub(super) struct Dialed {
    /// The socket.
    pub(super) stream: TcpStream,
    /// Where it begins, to be handed back when it has ended; `None` if the kernel picked.
    pub(super) port: Option<DialedPort>,
}

/// A local port that one transport has.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct DialedPort(u16);

impl Dialer {
    /// Transports to `target` from the local ports `range`, `None` to let the kernel pick.
    pub(super) fn new(target: SocketAddr, range: Option<RangeInclusive<u16>>) -> Self {
        let ports = range.and_then(|range| {
            Some(AddressPorts {
                address: local_address(target)?,
                ports: LocalPorts::new(&range, scattered()),
            })
        });
        Self { target, ports }
    }

    /// Asks for a transport.
    pub(super) fn dial(&mut self, now: Instant) -> io::Result<Dialed> {
        let mut socket = new_socket(self.target)?;
        if let Some(AddressPorts { address, ports }) = &mut self.ports {
            for _ in 0..PORTS_TRIED_MAX {
                let Some(port) = ports.take(now) else { break };
                // A socket that could not be bound is as good as new.
                if let Err(error) = socket.bind(&SockAddr::from(SocketAddr::new(*address, port))) {
                    ports.hold_back(port, now);
                    match is_port_taken(&error) {
                        true => continue,
                        false => return Err(error),
                    }
                }
                match connect(&socket, self.target) {
                    Ok(()) => return Ok(dialed(socket, Some(DialedPort(port)))),
                    // The port is shared with a connection to the same target. The socket keeps it.
                    Err(error) if is_port_taken(&error) => {
                        ports.hold_back(port, now);
                        socket = new_socket(self.target)?;
                    }
                    Err(error) => {
                        ports.hand_back(port);
                        return Err(error);
                    }
                }
            }
        }
        connect(&socket, self.target)?;
        Ok(dialed(socket, None))
    }

    /// Takes back the port of a transport that has ended.
    pub(super) fn hand_back(&mut self, port: DialedPort) {
        if let Some(AddressPorts { ports, .. }) = &mut self.ports {
            ports.hand_back(port.0);
        }
    }
}

fn dialed(socket: Socket, port: Option<DialedPort>) -> Dialed {
    let stream = socket.into();
    Dialed { stream, port }
}

fn new_socket(target: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(target);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    receive::stamp_arrivals(&socket)?;
    // A port whose last connection waits for its end may be used again if the kernel finds that safe, as
    // it does for ports of its own choice. Without this on both, not even then: also for those that the
    // kernel picks for us, which we bind later.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

fn connect(socket: &Socket, target: SocketAddr) -> io::Result<()> {
    match socket.connect(&SockAddr::from(target)) {
        Err(error) if errno(&error) != Some(Errno::INPROGRESS) => Err(error),
        Ok(()) | Err(_) => Ok(()),
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

/// Differs from run to run, so that one begins with ports that the last one did not leave waiting, and two
/// at a time do not meet.
fn scattered() -> usize {
    (std::process::id().wrapping_mul(2_654_435_761) >> 8) as usize
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn dialer(target: &TcpListener, ports: LocalPorts) -> Dialer {
        Dialer {
            target: target.local_addr().expect("it is bound"),
            ports: Some(AddressPorts {
                address: IpAddr::from([127, 0, 0, 1]),
                ports,
            }),
        }
    }

    fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").expect("a free port")
    }

    fn port_of(listener: &TcpListener) -> u16 {
        listener.local_addr().expect("it is bound").port()
    }

    /// Ports that others hold are passed over with one socket, and not met by the next transport.
    #[test]
    fn ports_that_are_taken_are_met_once() {
        let target = listener();
        let taken: Vec<TcpListener> = (0..10).map(|_| listener()).collect();
        let mut ports = LocalPorts::default();
        for taken in &taken {
            ports.hand_back(port_of(taken));
        }
        let mut dialer = dialer(&target, ports);

        let dialed = dialer.dial(Instant::ZERO).expect("the kernel finds a port");

        assert_eq!(dialed.port, None);
        let ports = &mut dialer.ports.as_mut().expect("it was given some").ports;
        assert_eq!(ports.take(Instant::ZERO), None);
    }

    /// A port that a connection to the same target has is passed over too, and the transport begins at the
    /// next one.
    #[test]
    fn a_port_with_a_connection_to_the_target_is_passed_over() {
        let target = listener();
        let mut first = dialer(&target, LocalPorts::default());
        let in_use = first.dial(Instant::ZERO).expect("the kernel finds a port");
        let in_use = in_use.stream;
        let shared = in_use.local_addr().expect("it is bound").port();
        let free = port_of(&listener());
        let mut ports = LocalPorts::default();
        ports.hand_back(shared);
        ports.hand_back(free);
        let mut second = dialer(&target, ports);

        let dialed = second.dial(Instant::ZERO).expect("one port is free");

        assert_eq!(dialed.port, Some(DialedPort(free)));
    }

    /// A transport's port is handed out again when it has ended, not before.
    #[test]
    fn a_port_comes_back_with_the_end_of_its_transport() {
        let target = listener();
        let free = port_of(&listener());
        let mut ports = LocalPorts::default();
        ports.hand_back(free);
        let mut dialer = dialer(&target, ports);

        let first = dialer.dial(Instant::ZERO).expect("the port is free");
        let beside_it = dialer.dial(Instant::ZERO).expect("the kernel finds a port");
        let port = first.port.expect("the one of the range");
        drop(first.stream);
        dialer.hand_back(port);

        assert_eq!(beside_it.port, None);
        let ports = &mut dialer.ports.as_mut().expect("it was given some").ports;
        assert_eq!(ports.take(Instant::ZERO), Some(free));
    }
}
