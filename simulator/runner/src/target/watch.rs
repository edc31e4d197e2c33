//! Watches the broker's own process while a run goes on, and tells when and how it ended.
//!
//! The broker is the process that listens on the target's port. It may be a child of a wrapper, whose
//! own end says little: the wrapper may go on without its broker, or end with a status of its own.

use std::fmt;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use squall_protocol::Instant;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::reports::Reports;
use crate::clock::Clock;
use crate::machine::listener::listener;
use crate::machine::process;
use crate::machine::processes::Processes;

/// How long a supervisor may take to tell the status of a process that has ended.
const REPORT_MAX: Duration = Duration::from_secs(1);

/// The end of a broker that was not told to end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Death {
    /// When, by the run's clock.
    pub at: Instant,
    /// Which process, as `mosquitto (process 1234)`.
    pub process: String,
    /// Its exit status or signal, as far as it is known.
    pub status: DeathStatus,
}

/// What is known of how a process ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeathStatus {
    /// Its own exit status or signal.
    Own(ExitStatus),
    /// Unknown: the kernel tells it to the parent alone, and this parent, named as in
    /// [`Death::process`], is not squall.
    ToldTo(String),
}

/// Waits for the end of a target's broker.
pub struct Watch {
    /// Where the broker may be found.
    processes: Processes,
    port: u16,
    /// Statuses from the supervisor, if there is one.
    reports: Option<Rc<Reports>>,
}

/// A process that listens.
struct Found {
    pid: u32,
    name: String,
    parent: String,
    end: OwnedFd,
}

/// One process that is being watched.
struct Watched {
    pid: u32,
    name: String,
    parent: String,
    /// Can be read when the process has ended.
    end: AsyncFd<OwnedFd>,
}

impl fmt::Display for DeathStatus {
    /// What follows the name of the process.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(status) => match status.signal() {
                Some(_) => write!(f, "was ended by {status}"),
                None => write!(f, "ended by itself with {status}"),
            },
            Self::ToldTo(parent) => {
                write!(f, "ended, its status known to its parent {parent} alone")
            }
        }
    }
}

impl Watch {
    /// Of the one of `processes` that listens on `port`.
    pub(super) fn new(processes: Processes, port: u16, reports: Option<Rc<Reports>>) -> Self {
        Self {
            processes,
            port,
            reports,
        }
    }

    /// Waits until the broker has ended and no other process of the target listens in its place. `None` at once if none is
    /// seen to listen: then there is nothing to wait for.
    pub async fn death(self, clock: Clock) -> Option<Death> {
        let mut broker = self.look().await?;
        loop {
            // Refused by the event loop only: the end of the run then tells what became of the broker.
            drop(broker.end.readable().await.ok()?);
            // The moment and the status first: the parent may take the latter at any time.
            let at = clock.now();
            let status = process::status_of_ended(broker.pid);
            match self.look().await {
                // One of several that share the socket, or one that took over from another.
                Some(other) => broker = other,
                None => return Some(self.died(broker, at, status).await),
            }
        }
    }

    /// The process that listens. The tables of a machine with many connections take long to read, and the run goes on.
    async fn look(&self) -> Option<Watched> {
        let (processes, port) = (self.processes, self.port);
        let found = spawn_blocking(move || Found::listening(processes, port)).await;
        found.ok()??.watched()
    }

    async fn died(self, broker: Watched, at: Instant, status: Option<i32>) -> Death {
        let Watched {
            pid, name, parent, ..
        } = broker;
        let status = match (status, self.reports) {
            (Some(status), _) => Some(status),
            (None, Some(reports)) => timeout(REPORT_MAX, reports.status_of(pid))
                .await
                .ok()
                .flatten(),
            (None, None) => None,
        };
        Death {
            at,
            process: name,
            status: match status {
                Some(raw) => DeathStatus::Own(ExitStatus::from_raw(raw)),
                None => DeathStatus::ToldTo(parent),
            },
        }
    }
}

impl Found {
    fn listening(processes: Processes, port: u16) -> Option<Self> {
        let pid = listener(port, &processes.all())?;
        let end = pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok()?;
        Some(Self {
            pid,
            name: name(pid),
            parent: process::parent(pid).map_or("not known".to_owned(), name),
            end,
        })
    }

    /// Watches it. Must run in the event loop.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe; an owned descriptor is sound"
    )]
    fn watched(self) -> Option<Watched> {
        let Self {
            pid,
            name,
            parent,
            end,
        } = self;
        let end = AsyncFd::with_interest(end, Interest::READABLE).ok()?;
        Some(Watched {
            pid,
            name,
            parent,
            end,
        })
    }
}

/// `mosquitto (process 1234)`
fn name(pid: u32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("{} (process {pid})", name.trim_end()),
        Err(_) => format!("process {pid}"),
    }
}
