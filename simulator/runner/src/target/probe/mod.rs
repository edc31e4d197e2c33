//! Whether a target answers MQTT.

mod announced;
mod talk;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use squall_protocol::ReasonCode;
use squall_transport::TransportError;

pub(super) use announced::announced_version;
use talk::attempt;

use super::Child;
use crate::drive::open_error;
use crate::layers::Layers;
use crate::transport_advice::{Place, told};
use squall_fleet::OpenError;
use squall_scenario::Login;

/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(25);
/// How long one attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(2);

/// Why a target does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// No CONNACK came in time.
    #[error("no answer to an MQTT CONNECT at {address} within {limit:?}: {last}")]
    NoAnswer {
        address: SocketAddr,
        limit: Duration,
        last: String,
    },
    /// The target took a connection, or did not refuse one, and said nothing for this long.
    #[error("{address} did not answer an MQTT CONNECT within {waited:?}")]
    Silent {
        address: SocketAddr,
        waited: Duration,
    },
    /// This machine had no port or descriptor for the attempt: that says nothing about the target.
    #[error("this machine had no local port or descriptor left to ask {address}: {cause}")]
    LocalLimit { address: SocketAddr, cause: String },
    /// It answers, and does not let in what `[target]` says that clients log in with.
    #[error(
        "the broker at {address} refused the {login} with {} (0x{:02X}): check target.username and \
         target.password, and whom the broker lets in",
        reason.name(),
        *reason as u8
    )]
    LoginRefused {
        address: SocketAddr,
        reason: ReasonCode,
        login: String,
    },
    /// TLS or WebSocket cannot be agreed on, and will not be on the next attempt.
    #[error("{address}: {told}")]
    Refused { address: SocketAddr, told: String },
    /// The child ended instead.
    #[error("it ended with {0} before it answered")]
    Ended(std::process::ExitStatus),
}

/// Where a target is asked, and what the probe logs in with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door<'a> {
    pub(super) address: SocketAddr,
    pub(super) layers: &'a Layers,
    pub(super) login: &'a Login,
}

impl Door<'_> {
    /// Whether a CONNACK with `reason` tells that no client will get in: `[target]` says for all what they log in
    /// with. A group's own login concerns its devices, and the run tells which of them were refused.
    fn is_locked(self, reason: ReasonCode) -> bool {
        let is_about_login = matches!(
            reason,
            ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized
        );
        is_about_login && self.login.is_of_target() && !self.login.is_empty()
    }
}

/// Connects until the target answers a CONNECT with a CONNACK, or until `limit` is over.
pub(super) async fn wait_until_answering(
    door: Door<'_>,
    limit: Duration,
    mut child: Option<&mut Child>,
) -> Result<(), ProbeError> {
    let address = door.address;
    let mut last = String::from("no attempt was made");
    let mut is_local_limit = false;
    let attempts = async {
        loop {
            match timeout(ATTEMPT_MAX, attempt(door)).await {
                Ok(Ok(reason)) if door.is_locked(reason) => {
                    return Err(ProbeError::LoginRefused {
                        address,
                        reason,
                        login: door.login.description(),
                    });
                }
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => {
                    if lasts(&error) {
                        let told = words_of(&error);
                        return Err(ProbeError::Refused { address, told });
                    }
                    is_local_limit = is_local(&error);
                    last = words_of(&error);
                }
                Err(_) => {
                    is_local_limit = false;
                    last = "the connection is open and silent".to_owned();
                }
            }
            if let Some(child) = &mut child
                && let Some(status) = child.ended()
            {
                return Err(ProbeError::Ended(status));
            }
            sleep(PAUSE).await;
        }
    };
    let result = timeout(limit, attempts).await;
    result.unwrap_or(Err(if is_local_limit {
        ProbeError::LocalLimit {
            address,
            cause: last,
        }
    } else {
        ProbeError::NoAnswer {
            address,
            limit,
            last,
        }
    }))
}

/// How long a target that has answered before may take to do so again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// If it refuses connections, or closes them at once.
    pub(super) refused: Duration,
    /// A connection that was open for this long before it was closed was not refused: the broker has much to do, and gives
    /// up on those that wait for it.
    pub(super) held: Duration,
    /// If it says nothing: it may have much to do.
    pub(super) silent: Duration,
}

/// Asks a target that answered before whether it still does. A target with a backlog is slow and not
/// dead: each attempt has all the time that is left for silence.
pub(super) async fn still_answers(
    door: Door<'_>,
    patience: Patience,
    mut child: Option<&mut Child>,
) -> Result<(), ProbeError> {
    let address = door.address;
    let begin = Instant::now();
    let mut refused_since = begin;
    loop {
        let attempted_at = Instant::now();
        let left = patience.silent.saturating_sub(begin.elapsed());
        let Ok(answered) = timeout(left, attempt(door)).await else {
            let waited = patience.silent;
            return Err(ProbeError::Silent { address, waited });
        };
        let Err(error) = answered else {
            return Ok(());
        };
        if let Some(child) = &mut child
            && let Some(status) = child.ended()
        {
            return Err(ProbeError::Ended(status));
        }
        if attempted_at.elapsed() >= patience.held {
            refused_since = Instant::now();
        } else if refused_since.elapsed() >= patience.refused {
            return Err(failed(address, patience.refused, &error));
        }
        sleep(PAUSE).await;
    }
}

fn failed(address: SocketAddr, limit: Duration, error: &anyhow::Error) -> ProbeError {
    if is_local(error) {
        let cause = error.to_string();
        return ProbeError::LocalLimit { address, cause };
    }
    let last = words_of(error);
    ProbeError::NoAnswer {
        address,
        limit,
        last,
    }
}

/// Whether it is an error of TLS or WebSocket that will be the same on the next attempt: a broker that comes up
/// closes connections too.
fn lasts(error: &anyhow::Error) -> bool {
    let Some(error) = error.downcast_ref::<TransportError>() else {
        return false;
    };
    match error {
        TransportError::ClosedInTlsHandshake
        | TransportError::ClosedInWebSocketHandshake
        | TransportError::ClosedWithoutAWord
        | TransportError::HttpStatus { .. }
        | TransportError::Closed => false,
        TransportError::UnknownCa
        | TransportError::WrongSignature
        | TransportError::CertificateExpired
        | TransportError::CertificateNotYetValid
        | TransportError::WrongHostName
        | TransportError::CertificateOfCa
        | TransportError::CertificateRefused { .. }
        | TransportError::Alert { .. }
        | TransportError::NotTls
        | TransportError::TlsUnasked
        | TransportError::Tls { .. }
        | TransportError::NotHttp
        | TransportError::NoMqttSubprotocol
        | TransportError::NoCertificate
        | TransportError::WebSocketRequest { .. }
        | TransportError::TextFrame
        | TransportError::UnmaskedFrame
        | TransportError::FrameTooLong { .. }
        | TransportError::WebSocket { .. } => true,
    }
}

/// Why an attempt failed, with what helps.
fn words_of(error: &anyhow::Error) -> String {
    match error.downcast_ref::<TransportError>() {
        Some(error) => told(error, Place::Scenario),
        None => error.to_string(),
    }
}

/// Whether an attempt failed for want of something on this side.
fn is_local(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| open_error(error) == OpenError::LocalLimit)
}

#[cfg(test)]
mod tests {
    use squall_scenario::Scenario;

    use super::*;

    /// A target that takes the connection and says nothing is slow, one that refuses it is dead.
    #[test]
    fn a_silent_target_is_told_from_a_dead_one() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let address = listener.local_addr().expect("it is bound");
            let scenario = "version = 1\nname = \"a\"\n[[group]]\nname = \"b\"\ncount = 1";
            let scenario = Scenario::parse("a.toml", scenario, &[]).expect("it is one");
            let url = scenario.target.local_url(address);
            let door = Door {
                address,
                layers: &Layers::of_scenario(&scenario, &[url]).expect("it is plain")[0],
                login: &Login::default(),
            };
            let patience = Patience {
                refused: Duration::ZERO,
                held: Duration::from_secs(60),
                silent: Duration::from_millis(100),
            };

            let silent = still_answers(door, patience, None).await;
            drop(listener);
            let patience = Patience {
                refused: Duration::ZERO,
                held: Duration::from_secs(60),
                silent: Duration::from_secs(60),
            };
            let dead = still_answers(door, patience, None).await;

            assert!(
                matches!(silent, Err(ProbeError::Silent { .. })),
                "{silent:?}"
            );
            assert!(matches!(dead, Err(ProbeError::NoAnswer { .. })), "{dead:?}");
        });
    }

    /// A broker that holds each connection for a while before it closes it has more to do than it can; it is not dead.
    #[test]
    fn a_target_that_gives_up_on_connections_is_not_dead() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port is free");
            let address = listener.local_addr().expect("it is bound");
            let closing = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
            let scenario = "version = 1\nname = \"a\"\n[[group]]\nname = \"b\"\ncount = 1";
            let scenario = Scenario::parse("a.toml", scenario, &[]).expect("it is one");
            let url = scenario.target.local_url(address);
            let door = Door {
                address,
                layers: &Layers::of_scenario(&scenario, &[url]).expect("it is plain")[0],
                login: &Login::default(),
            };
            // However short, each was held long enough.
            let patience = Patience {
                refused: Duration::ZERO,
                held: Duration::ZERO,
                silent: Duration::from_millis(100),
            };

            let asked = still_answers(door, patience, None).await;

            closing.abort();
            assert!(matches!(asked, Err(ProbeError::Silent { .. })), "{asked:?}");
        });
    }

    /// Without a local port nothing is known of the target; a refusal is the target's.
    #[test]
    fn a_local_limit_is_told_from_a_dead_target() {
        let no_port = io::Error::from(rustix::io::Errno::ADDRNOTAVAIL);
        let refused = io::Error::from(rustix::io::Errno::CONNREFUSED);

        assert!(is_local(&no_port.into()));
        assert!(!is_local(&refused.into()));
    }
}
