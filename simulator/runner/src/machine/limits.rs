//! What this machine allows: open descriptors and local ports.

use std::fs;
use std::ops::RangeInclusive;

use squall_broker::descriptors;

/// Descriptors that the runner needs besides one a device: files, pipes, epoll, listeners.
pub const DESCRIPTORS_RESERVED: u64 = 64;

/// Local ports that the runner needs besides one a device: its probes of the target at the start and
/// at the end, whose ports wait for the end of their connections.
pub const PORTS_RESERVED: u64 = 4;

/// The limits that a run must fit in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Descriptors that one process may have open; `None` for no limit.
    pub descriptors: Option<u64>,
    /// Local ports that connections to one address can use at a time.
    pub local_ports: u64,
}

/// What would not fit, and what helps.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DoesNotFit {
    /// Too few descriptors.
    #[error(
        "{devices} devices need {needed} open descriptors, this process may have {limit}: lower the \
         groups' counts (--set group.NAME.count=N), or raise the limit (ulimit -n {needed})"
    )]
    Descriptors {
        /// Devices connected at once.
        devices: u64,
        /// Descriptors they need, with the runner's own.
        needed: u64,
        /// `RLIMIT_NOFILE`, after raising the soft limit to the hard one.
        limit: u64,
    },
    /// Too few local ports.
    #[error(
        "{devices} devices need {needed} local ports, the range has {limit}: lower the groups' counts \
         (--set group.NAME.count=N), or widen it (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\")"
    )]
    LocalPorts {
        /// Devices connected at once.
        devices: u64,
        /// Ports they need, with the runner's own.
        needed: u64,
        /// Size of the range.
        limit: u64,
    },
}

impl Limits {
    /// This process's limits, after raising the soft limit of descriptors to the hard one.
    pub fn raise_and_read() -> Self {
        Self {
            descriptors: descriptors::raise_limit(),
            local_ports: local_ports(),
        }
    }

    /// The most devices that can be connected to one address at once.
    pub fn devices_max(&self) -> u64 {
        let by_ports = self.local_ports.saturating_sub(PORTS_RESERVED);
        let by_descriptors = self
            .descriptors
            .map(|limit| limit.saturating_sub(DESCRIPTORS_RESERVED));
        by_descriptors.map_or(by_ports, |devices| devices.min(by_ports))
    }

    /// Whether `devices` connections to one address fit beside the runner's own descriptors.
    pub fn check(&self, devices: u64) -> Result<(), DoesNotFit> {
        let needed = devices + DESCRIPTORS_RESERVED;
        let ports_needed = devices + PORTS_RESERVED;
        match self.descriptors {
            Some(limit) if needed > limit => Err(DoesNotFit::Descriptors {
                devices,
                needed,
                limit,
            }),
            _ if ports_needed > self.local_ports => Err(DoesNotFit::LocalPorts {
                devices,
                needed: ports_needed,
                limit: self.local_ports,
            }),
            _ => Ok(()),
        }
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
    };

    /// 10,000 devices are what one process of this size can hold.
    #[test]
    fn what_fits_is_accepted() {
        assert_eq!(LIMITS.check(10_000), Ok(()));
    }

    /// The runner's own descriptors count too.
    #[test]
    fn one_device_too_many_is_refused_with_the_remedy() {
        let limit = 20_000 - DESCRIPTORS_RESERVED;
        assert_eq!(LIMITS.check(limit), Ok(()));

        let error = LIMITS.check(limit + 1).unwrap_err();

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

    /// Ports run out before descriptors on a machine without a limit of those, and the runner needs
    /// some for itself.
    #[test]
    fn too_few_ports_are_named() {
        let limits = Limits {
            descriptors: None,
            ..LIMITS
        };

        let error = limits.check(28_230).unwrap_err();

        assert_eq!(
            error,
            DoesNotFit::LocalPorts {
                devices: 28_230,
                needed: 28_234,
                limit: 28_232
            }
        );
        assert_eq!(limits.check(limits.devices_max()), Ok(()));
    }

    /// The kernel's file has the first and the last port.
    #[test]
    fn the_port_range_counts_both_ends() {
        assert_eq!(parse_port_range("32768\t60999\n"), Some(32_768..=60_999));
        assert_eq!(parse_port_range(""), None);
    }
}
