//! What this machine allows: open descriptors and local ports.

use std::fmt;
use std::fs;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::time::Duration;

use squall_broker::descriptors;
use squall_run::duration_text;
use squall_scenario::{DESCRIPTORS_RESERVED, PortNeed};

use crate::drive::can_have_own_table;

/// Local ports that the runner needs besides one a device: its probes of the target at the start and
/// at the end, whose ports wait for the end of their connections.
pub const PORTS_RESERVED: u64 = 4;

/// How long Linux keeps the port of a connection that this side ended (`TCP_TIMEWAIT_LEN`).
const TIME_WAIT: Duration = Duration::from_secs(60);

/// The limits that a run must fit in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Descriptors that one process may have open; `None` for no limit.
    pub descriptors: Option<u64>,
    /// Local ports that connections to one address can use at a time.
    pub local_ports: u64,
    /// Tables of descriptors that connections are spread over, each with that limit.
    pub tables: u64,
}

/// What a run takes of what is limited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Need {
    /// Connections that are open at once.
    pub connections: u64,
    /// Local ports at the moment that takes the most, without the runner's own.
    pub ports: PortNeed,
    /// How long a port waits after a connection that ended.
    pub port_wait: Duration,
    /// Addresses that it connects from: each has all local ports.
    pub sources: u64,
    /// Who has the other ends of the connections.
    pub broker: BrokerEnd,
}

/// Whose descriptors the broker's ends of connections are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokerEnd {
    /// One process that squall starts with its own limit of descriptors: the embedded broker.
    Embedded,
    /// A broker that has its own way with them.
    Other,
}

/// Where a target is, as the kernel tells ports that may be used again from others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// At a loopback address.
    Loopback,
    /// At an address of another machine, or of this one under another address than loopback.
    Remote,
}

/// What would not fit, and what helps.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DoesNotFit {
    /// Too few descriptors.
    #[error(
        "{devices} devices need {needed} open descriptors{}, {} may have {limit}: lower the \
         groups' counts (--set group.NAME.count=N), raise the limit (ulimit -n {needed}){}",
        match tables { 1 => "", _ => " each" },
        match tables { 1 => "this process".to_owned(), many => format!("each of {many} workers") },
        match remedy_workers { None => String::new(), Some(count) => format!(", or spread them over workers (--workers {count})") }
    )]
    Descriptors {
        /// Devices connected at once.
        devices: u64,
        /// Descriptors they need, with the runner's own.
        needed: u64,
        /// `RLIMIT_NOFILE`, after raising the soft limit to the hard one.
        limit: u64,
        /// Tables of descriptors that they are spread over.
        tables: u64,
        /// How many workers would do, each with a table of its own.
        remedy_workers: Option<u64>,
    },
    /// Too few descriptors for the embedded broker.
    #[error(
        "{devices} devices need {needed} open descriptors of the embedded broker, whose process may have {limit}: lower the \
         groups' counts (--set group.NAME.count=N), raise the limit (ulimit -n {needed}), or start brokers of your own and \
         name them (--set target.url=mqtt://HOST:PORT)"
    )]
    Broker {
        /// Devices connected at once.
        devices: u64,
        /// Descriptors they need, with the broker's own.
        needed: u64,
        /// As in [`Self::Descriptors`].
        limit: u64,
    },
    /// Too few local ports.
    #[error(
        "{} devices need {} local ports{}, the range has {limit}{}: lower the groups' counts \
         (--set group.NAME.count=N), widen it (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"), or connect from more \
         addresses (--set target.source=127.0.0.1-127.0.0.4, where such reach the target){}",
        need.connections,
        ports_needed(need),
        Waiting(*need),
        FromAddresses(need.sources),
        remedy(need)
    )]
    LocalPorts {
        /// What the run takes.
        need: Need,
        /// Size of the range.
        limit: u64,
    },
}

/// Ports that a run takes, with the runner's own.
pub fn ports_needed(need: &Need) -> u64 {
    need.ports.total() + PORTS_RESERVED
}

fn remedy(need: &Need) -> &'static str {
    match need.ports.waiting {
        0 => "",
        _ => ", or let ports that wait be used again (sysctl -w net.ipv4.tcp_tw_reuse=1)",
    }
}

/// What stands behind the size of the range where several addresses have one.
struct FromAddresses(u64);

impl fmt::Display for FromAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => Ok(()),
            many => write!(f, " at {many} addresses"),
        }
    }
}

/// What stands behind a number of ports if some of them wait.
struct Waiting(Need);

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Need {
            ports, port_wait, ..
        }) = self;
        match ports.waiting {
            0 => Ok(()),
            waiting => write!(
                f,
                " ({waiting} of them of connections that ended less than {} before: Sessions that \
                 are cleared, goodbyes, takeovers)",
                duration_text(port_wait.as_secs_f64())
            ),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptors = self.connections + DESCRIPTORS_RESERVED;
        let ports = ports_needed(self);
        let waiting = Waiting(*self);
        write!(
            f,
            "{descriptors} descriptors and {ports} local ports{waiting}"
        )
    }
}

impl Limits {
    /// This process's limits, after raising the soft limit of descriptors to the hard one. Its connections
    /// are those of `workers`, or of its first thread.
    pub fn raise_and_read(workers: Option<NonZeroU16>) -> Self {
        let tables = match workers {
            Some(count) if can_have_own_table() => count.get().into(),
            Some(_) | None => 1,
        };
        Self {
            descriptors: descriptors::raise_limit(),
            local_ports: local_ports(),
            tables,
        }
    }

    /// The most devices that can be connected to one address at once.
    pub fn devices_max(&self) -> u64 {
        let by_ports = self.local_ports.saturating_sub(PORTS_RESERVED);
        let by_descriptors = self
            .descriptors
            .map(|limit| limit.saturating_sub(DESCRIPTORS_RESERVED) * self.tables);
        by_descriptors.map_or(by_ports, |devices| devices.min(by_ports))
    }

    /// Whether a run fits beside the runner's own descriptors and ports.
    pub fn check(&self, need: Need) -> Result<(), DoesNotFit> {
        let devices = need.connections;
        let needed = devices.div_ceil(self.tables) + DESCRIPTORS_RESERVED;
        match self.descriptors {
            Some(limit) if needed > limit => Err(DoesNotFit::Descriptors {
                devices,
                needed,
                limit,
                tables: self.tables,
                remedy_workers: workers_for(devices, limit),
            }),
            Some(limit)
                if need.broker == BrokerEnd::Embedded && devices + DESCRIPTORS_RESERVED > limit =>
            {
                Err(DoesNotFit::Broker {
                    devices,
                    needed: devices + DESCRIPTORS_RESERVED,
                    limit,
                })
            }
            _ if ports_needed(&need) > self.local_ports * need.sources => {
                Err(DoesNotFit::LocalPorts {
                    need,
                    limit: self.local_ports * need.sources,
                })
            }
            _ => Ok(()),
        }
    }
}

/// How many workers it takes for so many connections, if they may have tables of their own.
fn workers_for(connections: u64, limit: u64) -> Option<u64> {
    let of_one = limit
        .checked_sub(DESCRIPTORS_RESERVED)
        .filter(|&room| room > 0)?;
    can_have_own_table().then(|| connections.div_ceil(of_one))
}

/// How long the port of a connection that this side ended cannot be used for the next one to the same
/// address. The kernel may let it be used again sooner, by default on loopback only.
pub fn port_wait(reach: Reach) -> Duration {
    let number = |name| {
        let text = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
        text.trim().parse().ok()
    };
    // The delay can be set from Linux 6.14 on.
    let delay = Duration::from_millis(number("tcp_tw_reuse_delay").unwrap_or(1_000));
    match (number("tcp_tw_reuse"), reach) {
        (Some(1), _) | (Some(2), Reach::Loopback) => delay,
        _ => TIME_WAIT,
    }
}

/// Size of the range that the kernel picks local ports from.
fn local_ports() -> u64 {
    kernel_range().map_or(u64::from(u16::MAX), |range| range.len() as u64)
}

/// The local ports that a process may take in turn; `None` if they are not known, or if the
/// administrator keeps some of them for others.
pub fn local_port_range() -> Option<RangeInclusive<u16>> {
    let reserved = fs::read_to_string("/proc/sys/net/ipv4/ip_local_reserved_ports").ok()?;
    kernel_range().filter(|_| reserved.trim().is_empty())
}

fn kernel_range() -> Option<RangeInclusive<u16>> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    parse_port_range(&range)
}

fn parse_port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut bounds = text.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        descriptors: Some(20_000),
        local_ports: 28_232,
        tables: 1,
    };

    /// Connections of which none leaves a port waiting.
    fn devices(connections: u64) -> Need {
        let ports = PortNeed {
            open: connections,
            waiting: 0,
        };
        Need {
            connections,
            ports,
            port_wait: TIME_WAIT,
            sources: 1,
            broker: BrokerEnd::Other,
        }
    }

    /// 10,000 devices are what one process of this size can hold.
    #[test]
    fn what_fits_is_accepted() {
        assert_eq!(LIMITS.check(devices(10_000)), Ok(()));
    }

    /// The runner's own descriptors count too.
    #[test]
    fn one_device_too_many_is_refused_with_the_remedy() {
        let limit = 20_000 - DESCRIPTORS_RESERVED;
        assert_eq!(LIMITS.check(devices(limit)), Ok(()));

        let error = LIMITS.check(devices(limit + 1)).unwrap_err();

        assert!(matches!(
            error,
            DoesNotFit::Descriptors {
                needed: 20_001,
                limit: 20_000,
                ..
            }
        ));
        assert!(error.to_string().contains("ulimit -n 20001"));
    }

    /// Each worker has a limit of its own, the embedded broker one for all.
    #[test]
    fn workers_have_a_limit_each_and_the_embedded_broker_one() {
        let limits = Limits {
            tables: 3,
            local_ports: 100_000,
            ..LIMITS
        };
        let of_one = 20_000 - DESCRIPTORS_RESERVED;
        let mut need = devices(3 * of_one);
        assert_eq!(limits.check(need), Ok(()));
        assert_eq!(limits.devices_max(), 3 * of_one);

        need.connections += 1;
        let error = limits.check(need).unwrap_err().to_string();
        need.connections = of_one + 1;
        need.broker = BrokerEnd::Embedded;
        let of_broker = limits.check(need).unwrap_err().to_string();

        assert!(
            error.contains("each of 3 workers may have 20000"),
            "{error}"
        );
        assert!(
            of_broker.contains("need 20001 open descriptors of the embedded broker"),
            "{of_broker}"
        );
    }

    /// Ports run out before descriptors on a machine without a limit of those, and the runner needs
    /// some for itself.
    #[test]
    fn too_few_ports_are_named() {
        let limits = Limits {
            descriptors: None,
            ..LIMITS
        };

        let error = limits.check(devices(28_230)).unwrap_err().to_string();

        assert!(
            error.starts_with("28230 devices need 28234 local ports, the range has 28232: "),
            "{error}"
        );
        assert_eq!(limits.check(devices(limits.devices_max())), Ok(()));
    }

    /// Ports that wait count, and are named with their remedy.
    #[test]
    fn ports_that_wait_count() {
        let mut need = devices(15_000);
        need.ports.waiting = 13_228;
        assert_eq!(LIMITS.check(need), Ok(()));

        need.ports.waiting += 1;
        let error = LIMITS.check(need).unwrap_err().to_string();

        for part in [
            "15000 devices need 28233 local ports (13229 of them",
            "less than 60.0 s before",
            "tcp_tw_reuse=1",
        ] {
            assert!(error.contains(part), "no {part} in {error}");
        }
    }

    /// The kernel's file has the first and the last port.
    #[test]
    fn the_port_range_counts_both_ends() {
        assert_eq!(parse_port_range("32768\t60999\n"), Some(32_768..=60_999));
        assert_eq!(parse_port_range(""), None);
    }
}
