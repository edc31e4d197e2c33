//! What faults do to a broker that squall has started.
//!
//! Its supervisor does it to all of its processes, and starts the same command again: the same port, the same folder with
//! the same files.

use std::time::Duration;

use anyhow::Context as _;
use squall_fleet::{BrokerEvent, BrokerOrder};
use squall_run::{TargetKind, duration_text};
use squall_scenario::{Scenario, SpawnTarget, StopBy, Transport};
use tokio::time::timeout;

use super::child::{Child, Haste};
use super::probe;
use super::{EMBEDDED_READY_MAX, Target};
use crate::commands::supervise::{STOP_MAX, SupervisorOrder};
use crate::exit::Failure;

/// How long a supervisor may take for an order: for SIGTERM as long as any broker may take to stop, and all else takes less.
const ANSWER_MAX: Duration = STOP_MAX.saturating_add(Duration::from_secs(10));

/// What became of an order, and why if it could not be carried out.
pub type Done = Result<BrokerEvent, String>;

impl Target {
    /// Starts our own broker under a supervisor, which can start it again.
    pub(super) async fn start_restartable(
        scenario: &Scenario,
        log: &std::path::Path,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let program = program.display().to_string();
        let words = [program.as_str(), "broker", "--port", "{port}"];
        let broker = SpawnTarget {
            command: words.map(str::to_owned).into(),
            transport: Transport::Tcp,
            ready: EMBEDDED_READY_MAX,
            kill: StopBy::Sigterm,
            software: vec![program.clone(), "--version".to_owned()],
            env: Default::default(),
            config: Default::default(),
        };
        let target = Self::start_spawned(scenario, &broker, log).await?;
        Ok(Self {
            kind: TargetKind::Embedded,
            child: target.child.map(Child::of_ours),
            ..target
        })
    }

    /// Does to the broker what a fault wants. Returns when it is done: all its processes have ended or are stopped, it goes
    /// on, or it answers a CONNECT again. `ready` is how long it may take for that.
    pub async fn carry_out(&mut self, order: BrokerOrder, ready: Duration) -> Done {
        match order {
            BrokerOrder::Kill => self.tell(SupervisorOrder::Kill).await?,
            BrokerOrder::Pause => self.tell(SupervisorOrder::Pause).await?,
            BrokerOrder::Stop => self.stop_for_a_while().await?,
            BrokerOrder::Resume => {
                self.tell(SupervisorOrder::Resume).await?;
                return Ok(BrokerEvent::Back);
            }
            BrokerOrder::Start => {
                self.tell(SupervisorOrder::Start).await?;
                self.wait_until_it_is_back(ready).await?;
                return Ok(BrokerEvent::Back);
            }
        }
        Ok(BrokerEvent::Halted)
    }

    /// A broker that does not stop is killed in the end, as when the run is over.
    async fn stop_for_a_while(&mut self) -> Result<(), String> {
        let limit = self.stop_max(Haste::Patient).unwrap_or_default();
        match timeout(limit, self.tell(SupervisorOrder::Stop)).await {
            Ok(told) => told,
            Err(_) => self.tell(SupervisorOrder::Kill).await,
        }
    }

    async fn tell(&self, order: SupervisorOrder) -> Result<(), String> {
        let is_done = match &self.child {
            Some(child) => timeout(ANSWER_MAX, child.carry_out(order)).await,
            None => Ok(false),
        };
        match is_done {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!(
                "its processes had ended before: {}",
                self.last_words()
            )),
            Err(_) => Err(format!(
                "its supervisor did not say within {} that it was done",
                duration_text(ANSWER_MAX.as_secs_f64())
            )),
        }
    }

    async fn wait_until_it_is_back(&mut self, ready: Duration) -> Result<(), String> {
        let mut answered = Ok(());
        for address in &self.addresses {
            let door = address.door(&self.login);
            answered = probe::wait_until_answering(door, ready, self.child.as_mut()).await;
            if answered.is_err() {
                break;
            }
        }
        answered.map_err(|error| format!("{error}; {}", self.last_words()))
    }

    fn last_words(&self) -> String {
        match self.last_lines().as_slice() {
            [] => "it printed nothing".to_owned(),
            lines => format!("the last it printed: {}", lines.join(", ")),
        }
    }
}
