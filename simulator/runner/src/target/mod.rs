//! The broker under test: ours as a child process, any other as a child process, or one that runs.
//!
//! A spawned target is started, watched, measured and stopped here; one given by URL is only
//! connected to. A target is ready when it answers an MQTT CONNECT, not when its port is open: a
//! broker whose router is dead still accepts connections.

pub mod address;
mod child;
mod faults;
mod place;
mod probe;
mod reports;
mod software;
mod watch;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use squall_run::TargetKind;
use squall_scenario::{Login, Scenario, SpawnTarget, TargetTraits, UrlTarget};

use crate::commands::supervise::NOT_STARTED_CODE;
use crate::exit::Failure;
use crate::layers::Layers;
use crate::machine::processes::Processes;
pub use child::{Child, Ending, Haste};
use place::Place;
use probe::{Door, Patience, ProbeError};
pub use watch::{Death, DeathStatus, Watch};

/// Our own broker answers at once or not at all.
pub const EMBEDDED_READY_MAX: Duration = Duration::from_secs(10);
/// A broker that leaves a connection open for so long before it closes it has taken it.
const HELD_MIN: Duration = Duration::from_secs(1);
/// A broker that is there takes connections at this time at the latest.
const STILL_THERE_MAX: Duration = Duration::from_secs(5);
/// A broker that runs already answers soon.
const URL_READY_MAX: Duration = Duration::from_secs(5);

/// A target that did not come up.
#[derive(Debug)]
struct NotReady {
    name: String,
    cause: ProbeError,
    /// Its output, if squall started it.
    words: Option<String>,
}

impl NotReady {
    /// Whether it says that its port was taken.
    fn is_port_in_use(&self) -> bool {
        let words = self.words.as_deref().unwrap_or_default();
        let words = words.to_ascii_lowercase();
        words.contains("address already in use") || words.contains("eaddrinuse")
    }

    /// What a user can do about a command that squall started, if the cause does not say it.
    fn remedy(&self) -> Option<&'static str> {
        const NOT_STARTED: Option<i32> = Some(NOT_STARTED_CODE as i32);
        match &self.cause {
            ProbeError::Ended(status) if status.code() == NOT_STARTED => Some(
                "is the program installed, and in a folder of PATH? `target.spawn` takes its path, too",
            ),
            ProbeError::Ended(_) => Some(
                "start it by hand to see why it ends: a broker has to stay in the foreground, and listen on 127.0.0.1 at `{port}`",
            ),
            ProbeError::NoAnswer { .. } | ProbeError::Silent { .. } => Some(
                "does it listen on 127.0.0.1 at `{port}`, with what `target.transport` says? `target.ready` gives it more time",
            ),
            ProbeError::LocalLimit { .. }
            | ProbeError::LoginRefused { .. }
            | ProbeError::Refused { .. } => None,
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "target {}: {}", self.name, self.cause)?;
        match &self.words {
            Some(words) => write!(f, "; its output:\n{words}"),
            None => match self.cause {
                ProbeError::NoAnswer { .. } => write!(f, "; is a broker running there?"),
                ProbeError::Silent { .. }
                | ProbeError::LocalLimit { .. }
                | ProbeError::LoginRefused { .. }
                | ProbeError::Refused { .. }
                | ProbeError::Ended(_) => Ok(()),
            },
        }
    }
}

/// What a target says to a CONNECT when the run is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It answered, or it is a child that has ended and says itself how.
    Given,
    /// One of its addresses answered, and others did not, for these reasons.
    OfSome(Vec<String>),
    /// It is dead, for this reason.
    Dead(String),
    /// It is not known whether it would answer, for this reason.
    Unknown(String),
    /// It was not asked, since the run is cut short.
    NotWanted,
}

impl From<Result<(), ProbeError>> for Answer {
    fn from(answered: Result<(), ProbeError>) -> Self {
        match answered {
            // How a child ended by itself, it says itself; a CONNACK of any kind is an answer.
            Ok(()) | Err(ProbeError::Ended(_) | ProbeError::LoginRefused { .. }) => Self::Given,
            Err(error @ (ProbeError::NoAnswer { .. } | ProbeError::Refused { .. })) => {
                Self::Dead(error.to_string())
            }
            Err(error @ (ProbeError::LocalLimit { .. } | ProbeError::Silent { .. })) => {
                Self::Unknown(error.to_string())
            }
        }
    }
}

impl Answer {
    /// Of all addresses, at least one. One that answers is enough: what became of the devices of the others is told by them.
    fn of_all(answers: Vec<Self>) -> Self {
        let is_given = answers.contains(&Self::Given);
        let mut missing = answers.into_iter().filter(|answer| *answer != Self::Given);
        match is_given {
            false => missing.next().unwrap_or(Self::NotWanted),
            true => {
                let reasons: Vec<_> = missing.flat_map(Self::into_reasons).collect();
                match reasons.is_empty() {
                    true => Self::Given,
                    false => Self::OfSome(reasons),
                }
            }
        }
    }

    /// Why it, or some of it, did not answer.
    pub fn into_reasons(self) -> Vec<String> {
        match self {
            Self::Given | Self::NotWanted => Vec::new(),
            Self::OfSome(reasons) => reasons,
            Self::Dead(reason) | Self::Unknown(reason) => vec![reason],
        }
    }
}

/// Where a target listens.
#[derive(Clone, Debug)]
pub struct Address {
    /// The address.
    pub socket: SocketAddr,
    /// What is between TCP and MQTT there, and its URL.
    pub layers: Layers,
}

/// A target that answers.
pub struct Target {
    /// Where devices connect, by `AddressId`: at least one.
    pub addresses: Vec<Address>,
    /// How it came to be.
    pub kind: TargetKind,
    /// What the probe logs in with.
    login: Login,
    /// Product and version, as far as it says so.
    software: Option<String>,
    /// The process, if it is ours to measure and to stop.
    child: Option<Child>,
    /// Its folder, which is removed after it.
    _place: Option<Place>,
}

impl Address {
    /// The only one of a broker that squall starts, at `socket`.
    fn local(scenario: &Scenario, socket: SocketAddr) -> Result<Vec<Self>, Failure> {
        let url = scenario.target.local_url(socket);
        let layers = Layers::of_scenario(scenario, &[url])?;
        let layers = layers.into_iter();
        Ok(layers.map(|layers| Self { socket, layers }).collect())
    }

    fn url(&self) -> String {
        let url = UrlTarget {
            host: self.socket.ip().to_string(),
            port: self.socket.port(),
            ..self.layers.url().clone()
        };
        url.to_string()
    }

    fn door<'a>(&'a self, login: &'a Login) -> Door<'a> {
        Door {
            address: self.socket,
            layers: &self.layers,
            login,
        }
    }
}

impl Target {
    /// Starts or finds what the scenario wants and waits until it answers. A child's output goes to
    /// `log`.
    pub async fn start(scenario: &Scenario, log: &Path) -> Result<Self, Failure> {
        match &scenario.target {
            squall_scenario::Target::Embedded if scenario.strikes_broker() => {
                Self::start_restartable(scenario, log).await
            }
            squall_scenario::Target::Embedded => Self::start_embedded(scenario, log).await,
            squall_scenario::Target::Url(urls) => Self::find(scenario, urls).await,
            squall_scenario::Target::Spawn(spawn) => {
                Self::start_spawned(scenario, spawn, log).await
            }
        }
    }

    async fn start_embedded(scenario: &Scenario, log: &Path) -> Result<Self, Failure> {
        let mut child = Child::embedded(log)?;
        let address = child.embedded_address().await?;
        let target = Self {
            addresses: Address::local(scenario, address)?,
            kind: TargetKind::Embedded,
            software: Some(format!("squall {}", env!("CARGO_PKG_VERSION"))),
            login: scenario.own_login().clone(),
            child: Some(child),
            _place: None,
        };
        target.wait_until_it_answers(EMBEDDED_READY_MAX).await
    }

    async fn find(scenario: &Scenario, urls: &[UrlTarget]) -> Result<Self, Failure> {
        let mut addresses = Vec::new();
        for (url, layers) in urls.iter().zip(Layers::of_scenario(scenario, urls)?) {
            let socket = address::resolve(url).await?;
            addresses.push(Address { socket, layers });
        }
        let target = Self {
            addresses,
            kind: TargetKind::Url,
            software: None,
            login: scenario.own_login().clone(),
            child: None,
            _place: None,
        };
        let target = target.wait_until_it_answers(URL_READY_MAX).await?;
        Ok(target.ask_version(None).await)
    }

    /// Another process may take the port between our choice and the broker's bind: then once more.
    async fn start_spawned(
        scenario: &Scenario,
        spawn: &SpawnTarget,
        log: &Path,
    ) -> Result<Self, Failure> {
        let first = Self::try_spawned(scenario, spawn, log).await?;
        let tried = match first {
            Err(error) if error.is_port_in_use() => Self::try_spawned(scenario, spawn, log).await?,
            Ok(_) | Err(_) => first,
        };
        tried.map_err(|error| {
            let install = scenario.traits.install.iter();
            let install =
                install.map(|command| format!("\nwhat it needs is installed by: {command}"));
            let install: String = install.collect();
            let remedy = error.remedy().filter(|_| install.is_empty());
            let remedy = remedy.map_or_else(String::new, |remedy| format!("\n{remedy}"));
            Failure::Unreachable(format!("{error}{remedy}{install}"))
        })
    }

    async fn try_spawned(
        scenario: &Scenario,
        spawn: &SpawnTarget,
        log: &Path,
    ) -> Result<Result<Self, NotReady>, Failure> {
        let port = address::free_port()?;
        let mut place = Place::new(port)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let printed = software::printed_version(spawn, &mut place).await?;
        let target = Self {
            addresses: Address::local(scenario, address)?,
            kind: TargetKind::Spawn,
            software: None,
            login: scenario.own_login().clone(),
            child: Some(Child::spawned(spawn, &mut place, log)?),
            _place: Some(place),
        };
        let ready = target.until_ready(spawn.ready).await;
        Ok(match ready {
            Ok(target) => Ok(target.ask_version(printed).await),
            Err(error) => Err(error),
        })
    }

    /// Notes which software it is: what its command `printed`, or else what it announces.
    async fn ask_version(mut self, printed: Option<String>) -> Self {
        self.software = match printed {
            Some(version) => Some(version),
            None => {
                let said = probe::announced_version(self.first().door(&self.login)).await;
                said.and_then(|said| software::version_in(&said))
            }
        };
        self
    }

    async fn wait_until_it_answers(self, limit: Duration) -> Result<Self, Failure> {
        let ready = self.until_ready(limit).await;
        ready.map_err(|error| Failure::Unreachable(error.to_string()))
    }

    /// A child that does not answer is stopped.
    async fn until_ready(mut self, limit: Duration) -> Result<Self, NotReady> {
        let mut answered = Ok(());
        for address in &self.addresses {
            let door = address.door(&self.login);
            answered = probe::wait_until_answering(door, limit, self.child.as_mut()).await;
            if answered.is_err() {
                break;
            }
        }
        match answered {
            Ok(()) => Ok(self),
            Err(cause) => {
                let name = self.name();
                let words = self.child.as_ref().map(Child::words);
                self.stop(Haste::Patient).await;
                Err(NotReady { name, cause, words })
            }
        }
    }

    /// A name for messages: the command that started it, or its URL.
    pub fn name(&self) -> String {
        self.command().map_or_else(|| self.url(), str::to_owned)
    }

    /// `mqtt://ADDRESS:PORT`, or with the scheme and the path of what it speaks; of several addresses all.
    pub fn url(&self) -> String {
        let urls: Vec<String> = self.addresses.iter().map(Address::url).collect();
        urls.join(", ")
    }

    /// The address that squall's own clients connect to.
    pub fn first(&self) -> &Address {
        &self.addresses[0]
    }

    /// The command that started it, ports filled in.
    pub fn command(&self) -> Option<&str> {
        self.child.as_ref().map(Child::command_line)
    }

    /// As a run file describes it, with what was changed for it.
    pub fn describe(&self, traits: &TargetTraits) -> squall_run::Target {
        let version = self.software.clone();
        let software = version.map(|text| software::with_product(text, traits.name.as_deref()));
        squall_run::Target {
            kind: self.kind,
            url: self.url(),
            command: self.command().map(str::to_owned),
            software,
            pid: self.processes().and_then(Processes::first),
            name: traits.name.clone(),
            keeps: traits.keeps,
            changes: traits.changes.clone(),
            settings: self.first().layers.described().into_iter().collect(),
        }
    }

    /// What to measure, if the target is ours.
    pub fn processes(&self) -> Option<Processes> {
        self.child.as_ref().and_then(Child::processes)
    }

    /// What tells when the broker's own process ends; `None` if the broker is not ours, or runs where
    /// its process cannot be seen.
    pub fn watch(&self) -> Option<Watch> {
        self.child.as_ref()?.watch(self.first().socket.port())
    }

    /// Asks it whether it still answers. `silent_max` is how long it may take for that.
    pub async fn ask(&mut self, silent_max: Duration) -> Answer {
        let patience = Patience {
            refused: STILL_THERE_MAX,
            held: HELD_MIN,
            silent: silent_max,
        };
        // All at once: each of a cluster's nodes may be silent for as long as that. What squall started has one address.
        let mut child = self.child.as_mut();
        let asked = self
            .addresses
            .iter()
            .map(|address| probe::still_answers(address.door(&self.login), patience, child.take()));
        let answered = join_all(asked).await;
        Answer::of_all(answered.into_iter().map(Answer::from).collect())
    }

    /// How long it may take to stop before it is killed; `None` if squall did not start it.
    pub fn stop_max(&self, haste: Haste) -> Option<Duration> {
        self.child.as_ref().map(|child| child.stop_max(haste))
    }

    /// Stops what squall started, politely at first; `None` if that is nothing. May be called again if a call
    /// did not come to its end.
    pub async fn stop(&mut self, haste: Haste) -> Option<Ending> {
        match &mut self.child {
            Some(child) => Some(child.stop(haste).await),
            None => None,
        }
    }

    /// Why `target.kill` did not end what squall started, each time that it did not. Asked once it is stopped.
    pub async fn complaints(&self) -> Vec<String> {
        match &self.child {
            Some(child) => child.complaints().await,
            None => Vec::new(),
        }
    }

    /// The last lines that a child printed.
    pub fn last_lines(&self) -> Vec<String> {
        self.child
            .as_ref()
            .map(Child::last_lines)
            .unwrap_or_default()
    }
}
