//! Local ports that have a connection to one target already, read from `/proc/net`.
//!
//! A port serves many targets, but each of them once: these are the ports that a run cannot have, or may
//! have to wait for.

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use squall_run::count_text;

use super::limits::local_port_range;

/// What a connection that waits for its end is called in `/proc/net/tcp` (TIME_WAIT).
const TIME_WAIT: &str = "06";

/// Ports of the range with a connection to one target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TakenPorts {
    /// Ports of the range, taken or not.
    range: u64,
    /// Connections that are open, or on their way to be or to end.
    open: u64,
    /// Connections that ended less than a minute ago.
    waiting: u64,
}

/// More ports are needed than are free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PortsShort {
    taken: TakenPorts,
    needed: u64,
}

impl TakenPorts {
    /// Looks which ports have a connection to `target`, from `sources` addresses that each have the whole range; `None` where
    /// the system does not say.
    pub fn to(target: SocketAddr, sources: u64) -> Option<Self> {
        let range = local_port_range()?;
        let table = match target {
            SocketAddr::V4(_) => "/proc/net/tcp",
            SocketAddr::V6(_) => "/proc/net/tcp6",
        };
        let taken = Self::in_table(&fs::read_to_string(table).ok()?, target, &range);
        Some(Self {
            range: taken.range * sources,
            ..taken
        })
    }

    fn in_table(table: &str, target: SocketAddr, range: &RangeInclusive<u16>) -> Self {
        let target = in_hex(target);
        let mut taken = Self {
            range: range.len() as u64,
            open: 0,
            waiting: 0,
        };
        for line in table.lines() {
            let mut fields = line.split_whitespace().skip(1);
            let (Some(local), Some(remote), Some(state)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if remote == target && port_of(local).is_some_and(|port| range.contains(&port)) {
                match state {
                    TIME_WAIT => taken.waiting += 1,
                    _ => taken.open += 1,
                }
            }
        }
        taken
    }

    /// What to say if `needed` ports are more than are free.
    pub fn short_of(self, needed: u64) -> Option<PortsShort> {
        let free = self.range.saturating_sub(self.open + self.waiting);
        (needed > free).then_some(PortsShort {
            taken: self,
            needed,
        })
    }
}

impl fmt::Display for PortsShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, needed } = self;
        write!(
            f,
            "of {} local ports, {} have a connection to this target and {} had one less than a minute ago; \
             this run takes {}. ",
            count_text(taken.range),
            count_text(taken.open),
            count_text(taken.waiting),
            count_text(*needed)
        )?;
        match needed + taken.open > taken.range {
            true => write!(
                f,
                "End the other program, or widen the range (sysctl \
                 net.ipv4.ip_local_port_range)"
            ),
            false => write!(
                f,
                "Those that wait can be used again if the system finds it safe; if connects \
                 fail for want of a port, wait a minute or set sysctl net.ipv4.tcp_tw_reuse=1"
            ),
        }
    }
}

/// An address as `/proc/net/tcp` has it: words of 32 bits as the machine orders them, and the port.
fn in_hex(address: SocketAddr) -> String {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().expect("a word has 4 bytes");
        format!("{:08X}", u32::from_ne_bytes(bytes))
    };
    let ip: String = match address.ip() {
        IpAddr::V4(ip) => word(&ip.octets()),
        IpAddr::V6(ip) => ip.octets().chunks(4).map(word).collect(),
    };
    format!("{ip}:{:04X}", address.port())
}

fn port_of(address: &str) -> Option<u16> {
    let (_, port) = address.rsplit_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n\
        0: 0100007F:075B 00000000:0000 0A 00000000:00000000\n\
        1: 0100007F:8000 0100007F:075B 01 00000000:00000000\n\
        2: 0100007F:8001 0100007F:075B 06 00000000:00000000\n\
        3: 0100007F:8002 0100007F:075B 06 00000000:00000000\n\
        4: 0100007F:8003 0100007F:075C 06 00000000:00000000\n\
        5: 0100007F:0400 0100007F:075B 06 00000000:00000000\n";

    fn taken(range: RangeInclusive<u16>) -> TakenPorts {
        let target = SocketAddr::from(([127, 0, 0, 1], 1883));
        TakenPorts::in_table(TABLE, target, &range)
    }

    /// Ports of the range with a connection to the target count, those of other targets do not.
    #[test]
    fn connections_to_the_target_are_counted() {
        let taken = taken(0x8000..=0x8009);

        assert_eq!((taken.range, taken.open, taken.waiting), (10, 1, 2));
    }

    /// It is said once the run needs a port that is taken, with what helps in each case.
    #[test]
    fn a_shortage_is_said_with_its_remedy() {
        let taken = taken(0x8000..=0x8009);
        assert_eq!(taken.short_of(7), None);

        let waits = taken.short_of(8).expect("7 are free").to_string();
        let lacks = taken.short_of(10).expect("7 are free").to_string();

        let head = "of 10 local ports, 1 have a connection to this target and 2 had one less than a minute ago; \
            this run takes 8. ";
        assert!(
            waits.starts_with(head) && waits.contains("wait a minute"),
            "{waits}"
        );
        assert!(lacks.contains("End the other program"), "{lacks}");
    }

    /// The system's own table is read: this test's connection is in it.
    #[test]
    fn an_open_connection_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let target = listener.local_addr().expect("it is bound");
        let _stream = TcpStream::connect(target).expect("it listens");
        let Some(range) = local_port_range() else {
            return;
        };

        let taken = TakenPorts::to(target, 1).expect("there is a /proc");

        assert_eq!((taken.range, taken.open), (range.len() as u64, 1));
    }
}
