//! Asks the system for transports to the target, from local ports in turn.
//!
//! The kernel picks a local port by trying those of one parity before the other, so that from half
//! of the range on each `connect` walks over thousands of ports that are taken. Here the next port
//! is known ([`LocalPorts`]). The kernel still picks where the range is unknown, where some ports of it
//! are reserved, and for a transport that met too many ports that others hold: those that the kernel
//! picked for another program cannot be bound for a minute after, and the kernel itself may use them.
//!
//! A transport that begins where it goes to connects to itself (RFC 9293, 3.5) while nothing listens there, as when a fault has
//! the broker away: its device would read its own CONNECT, and the broker could not have its port back. None does.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use squall_protocol::Instant;

use super::ports::LocalPorts;
use super::{Route, receive};

/// Ports that are tried for one transport before the kernel is asked to find one.
const PORTS_TRIED_MAX: usize = 64;

/// Asks the system for transports to one target.
#[derive(Debug)]
pub(super) struct Dialer {
    target: SocketAddr,
    /// Those that transports begin at, in turn.
    addresses: Vec<AddressPorts>,
    /// Place of the one that comes next.
    next: usize,
    /// Whether transports may begin at these addresses only.
    choice: Choice,
}

/// Where a transport may begin whose port the kernel picks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Choice {
    /// At any address.
    OfTheKernel,
    /// At those that the scenario names.
    OfTheScenario,
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
pub(super) struct DialedPort {
    /// Place of its address among those of the dialer.
    place: usize,
    port: u16,
}

impl Dialer {
    /// Transports to `target`, from where `route` begins.
    pub(super) fn new(target: SocketAddr, route: &Route) -> Self {
        let ports = |place: usize| match &route.local_ports {
            Some(range) => LocalPorts::new(range, scattered() + place),
            None => LocalPorts::default(),
        };
        let (choice, addresses) = match (route.sources.as_slice(), &route.local_ports) {
            ([], None) => (Choice::OfTheKernel, Vec::new()),
            ([], Some(_)) => {
                let address = local_address(target);
                (Choice::OfTheKernel, address.into_iter().collect())
            }
            (sources, _) => (Choice::OfTheScenario, sources.to_vec()),
        };
        let addresses = addresses.into_iter().enumerate();
        Self {
            target,
            addresses: addresses
                .map(|(place, address)| AddressPorts {
                    address,
                    ports: ports(place),
                })
                .collect(),
            next: 0,
            choice,
        }
    }

    /// Asks for a transport, from the next address or, where that has no port left, from one behind it.
    pub(super) fn dial(&mut self, now: Instant) -> io::Result<Dialed> {
        let count = self.addresses.len();
        let first = self.next;
        self.next = (first + 1) % count.max(1);
        for place in (first..count).chain(0..first) {
            if let Some(dialed) = self.dial_from(place, now)? {
                return Ok(dialed);
            }
        }
        match self.choice {
            Choice::OfTheKernel => {
                let socket = new_socket(self.target)?;
                connect(&socket, self.target)?;
                Ok(dialed(socket, None))
            }
            Choice::OfTheScenario => self.dial_from_any_port(first),
        }
    }

    /// Asks for a transport from a known port of one address; `None` if none of those that were tried could be had.
    fn dial_from(&mut self, place: usize, now: Instant) -> io::Result<Option<Dialed>> {
        let AddressPorts { address, ports } = &mut self.addresses[place];
        let mut socket = new_socket(self.target)?;
        for _ in 0..PORTS_TRIED_MAX {
            let Some(port) = ports.take(now) else { break };
            if SocketAddr::new(*address, port) == self.target {
                ports.hold_back(port, now);
                continue;
            }
            // A socket that could not be bound is as good as new.
            if let Err(error) = socket.bind(&SockAddr::from(SocketAddr::new(*address, port))) {
                ports.hold_back(port, now);
                match is_port_taken(&error) {
                    true => continue,
                    false => return Err(error),
                }
            }
            match connect(&socket, self.target) {
                Ok(()) => return Ok(Some(dialed(socket, Some(DialedPort { place, port })))),
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
        Ok(None)
    }

    /// Asks for a transport from a port that the kernel picks at one of the scenario's addresses, that at `first`
    /// if it has one.
    fn dial_from_any_port(&self, first: usize) -> io::Result<Dialed> {
        let (before, from) = self.addresses.split_at(first);
        let mut last = Err(Errno::ADDRNOTAVAIL.into());
        for AddressPorts { address, .. } in from.iter().chain(before) {
            let socket = new_socket(self.target)?;
            // The kernel picks the port when it knows the target: one that is free for that.
            setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
            socket.bind(&SockAddr::from(SocketAddr::new(*address, 0)))?;
            last = connect(&socket, self.target).map(|()| dialed(socket, None));
            match &last {
                Err(error) if is_port_taken(error) => {}
                Ok(_) | Err(_) => break,
            }
        }
        last
    }

    /// Takes back the port of a transport that has ended.
    pub(super) fn hand_back(&mut self, DialedPort { place, port }: DialedPort) {
        self.addresses[place].ports.hand_back(port);
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
        Err(error) if errno(&error) != Some(Errno::INPROGRESS) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    if socket.local_addr()?.as_socket() == Some(target) {
        // The kernel picked the port that nothing listens on. Without lingering, that is free at once.
        socket.set_linger(Some(Duration::ZERO))?;
        return Err(Errno::CONNREFUSED.into());
    }
    Ok(())
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
            addresses: vec![AddressPorts {
                address: IpAddr::from([127, 0, 0, 1]),
                ports,
            }],
            next: 0,
            choice: Choice::OfTheKernel,
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
        let ports = &mut dialer.addresses[0].ports;
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

        assert_eq!(
            dialed.port,
            Some(DialedPort {
                place: 0,
                port: free
            })
        );
    }

    /// While nothing listens at the target's port, a transport that began there would be connected, to itself.
    #[test]
    fn no_transport_begins_where_it_goes_to() {
        let gone = listener();
        let target = port_of(&gone);
        let mut dialer = dialer(&gone, LocalPorts::default());
        drop(gone);
        let free = port_of(&listener());
        for port in [target, free] {
            dialer.addresses[0].ports.hand_back(port);
        }

        let dialed = dialer.dial(Instant::ZERO).expect("one port is free");

        assert_eq!(
            dialed.port,
            Some(DialedPort {
                place: 0,
                port: free
            })
        );
    }

    /// Nor where the kernel picks that port: then nothing listens there.
    #[test]
    fn a_transport_to_itself_is_refused() {
        let target = listener().local_addr().expect("it is bound");
        let socket = new_socket(target).expect("a socket");
        let bound = socket.bind(&SockAddr::from(target));
        bound.expect("nothing has the port");

        let refused = connect(&socket, target).map_err(|error| error.kind());

        assert_eq!(refused, Err(io::ErrorKind::ConnectionRefused));
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
        let ports = &mut dialer.addresses[0].ports;
        assert_eq!(ports.take(Instant::ZERO), Some(free));
    }

    /// Transports begin at the addresses of the scenario in turn, and where one has no port left, at the next.
    #[test]
    fn addresses_take_turns_and_stand_in_for_each_other() {
        let target = TcpListener::bind("0.0.0.0:0").expect("a free port");
        let port = port_of(&target);
        let addresses = [1, 2, 3].map(|last| AddressPorts {
            address: IpAddr::from([127, 0, 0, last]),
            ports: LocalPorts::default(),
        });
        let mut dialer = Dialer {
            target: SocketAddr::from(([127, 0, 0, 1], port)),
            addresses: addresses.into(),
            next: 0,
            choice: Choice::OfTheScenario,
        };
        let free = port_of(&listener());
        dialer.addresses[2].ports.hand_back(free);

        let first = dialer.dial(Instant::ZERO).expect("the third has a port");
        let others: Vec<Dialed> = (0..2)
            .map(|_| dialer.dial(Instant::ZERO).expect("the kernel finds a port"))
            .collect();

        assert_eq!(
            first.port,
            Some(DialedPort {
                place: 2,
                port: free
            })
        );
        let begins = |dialed: &Dialed| dialed.stream.local_addr().expect("it is bound").ip();
        let others: Vec<IpAddr> = others.iter().map(begins).collect();
        assert_eq!(others, [2, 3].map(|last| IpAddr::from([127, 0, 0, last])));
    }
}
