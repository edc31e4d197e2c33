//! The settings of one broker process: where it listens, how it stops, what its limits are.
//!
//! `file` reads a TOML file into a [`Config`] by the grammar of `keys`; `error` says what is wrong and
//! where. [`Config::check`] holds the rules that join two settings; `serve` applies it too, because a
//! command line may change what a file said.
//!
//! `squall-broker.toml` beside the manifest lists every key with its meaning and default.

mod documented;
mod error;
mod file;
mod keys;

pub use error::{ConfigConflict, ConfigError, ConfigErrors, ConfigProblem};

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::time::Duration;

/// Everything a broker process can be told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Config {
    /// Where clients connect.
    pub listen: Listen,
    /// Threads and the times around a close.
    pub server: Server,
    /// The limits of the protocol, the Sessions and the queues.
    pub broker: squall_core::Config,
}

/// The TCP listener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listen {
    /// Address to bind. 127.0.0.1; `::` takes IPv4 too.
    pub address: IpAddr,
    /// Port to bind; 0 lets the system pick one. 1883.
    pub port: u16,
    /// Connections the system may hold that we have not accepted yet. 1,024.
    pub backlog: u32,
    /// Connections at once; one more is closed right after it is accepted. 100,000.
    pub connections_max: usize,
    /// Whether clients may connect from other machines, although none is authenticated. If not, only
    /// a loopback address may be bound.
    pub allow_anonymous: bool,
    /// How a peer that has gone without closing is found, also one with Keep Alive 0.
    pub tcp_keepalive: TcpKeepalive,
}

/// Probes of the transport on a silent connection (`SO_KEEPALIVE`). A peer that has gone answers none
/// of them, and its connection ends after `idle + probes * interval`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpKeepalive {
    /// Silence before the first probe, in whole seconds; with `None` there are no probes, and only
    /// MQTT's Keep Alive finds a dead peer. 60 s.
    pub idle: Option<Duration>,
    /// Time from a probe to the next, in whole seconds. 10 s.
    pub interval: Duration,
    /// Probes without an answer that end the connection. 6.
    pub probes: u32,
}

impl Default for TcpKeepalive {
    fn default() -> Self {
        Self {
            idle: Some(Duration::from_secs(60)),
            interval: Duration::from_secs(10),
            probes: 6,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 1883,
            backlog: 1024,
            connections_max: 100_000,
            allow_anonymous: false,
            tcp_keepalive: TcpKeepalive::default(),
        }
    }
}

/// Threads and the times around a close.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Threads, each with its own Sessions and sockets. 1, the only number that this version takes.
    pub shards: NonZeroU16,
    /// Time from the signal to stop until the process ends, whatever has been written by then.
    /// 1.5 s.
    pub shutdown_timeout: Duration,
    /// Time a connection that we close has to take its last bytes and to close its side. 1 s.
    pub close_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            shards: NonZeroU16::MIN,
            shutdown_timeout: Duration::from_millis(1500),
            close_timeout: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Rules that join two settings or wait for a later part of the broker.
    ///
    /// # Errors
    /// The first rule that the settings break.
    pub fn check(&self) -> Result<(), ConfigConflict> {
        let Listen {
            address,
            allow_anonymous,
            ..
        } = self.listen;
        if !address.is_loopback() && !allow_anonymous {
            return Err(ConfigConflict::AnonymousBeyondLoopback { address });
        }
        if self.server.shards.get() != 1 {
            return Err(ConfigConflict::ShardsUnsupported {
                shards: self.server.shards.get(),
            });
        }
        let squall_core::OutboxLimits {
            soft_bytes,
            hard_bytes,
        } = self.broker.outbox;
        if soft_bytes >= hard_bytes {
            return Err(ConfigConflict::OutboxLimits {
                soft_bytes,
                hard_bytes,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default listens on loopback only, so it asks for no permission.
    #[test]
    fn default_config_is_valid_and_on_loopback() {
        let config = Config::default();

        assert_eq!(config.check(), Ok(()));
        assert!(config.listen.address.is_loopback());
    }

    /// No client is authenticated: other machines get in only if the config says so.
    #[test]
    fn address_beyond_loopback_needs_allow_anonymous() {
        let mut config = Config::default();
        config.listen.address = "0.0.0.0".parse().unwrap();

        let refused = config.check();
        config.listen.allow_anonymous = true;
        let allowed = config.check();

        assert_eq!(
            refused,
            Err(ConfigConflict::AnonymousBeyondLoopback {
                address: "0.0.0.0".parse().unwrap()
            })
        );
        let remedy = refused.unwrap_err().to_string();
        assert!(remedy.contains("listen.allow_anonymous = true"), "{remedy}");
        assert_eq!(allowed, Ok(()));
    }

    /// More than one shard is refused, not quietly taken as one.
    #[test]
    fn two_shards_are_refused() {
        let mut config = Config::default();
        config.server.shards = NonZeroU16::new(2).unwrap();

        assert_eq!(
            config.check(),
            Err(ConfigConflict::ShardsUnsupported { shards: 2 })
        );
    }

    /// Between the two limits a connection is slowed, so there must be something between them.
    #[test]
    fn soft_outbox_limit_must_be_below_the_hard_one() {
        let mut config = Config::default();
        config.broker.outbox.soft_bytes = config.broker.outbox.hard_bytes;

        assert!(matches!(
            config.check(),
            Err(ConfigConflict::OutboxLimits { .. })
        ));
    }
}
