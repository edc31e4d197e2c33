//! Ends Sessions by their Client Identifiers, so that a run begins with Sessions of its own making
//! and leaves none behind.
//!
//! A Session that an earlier run left in the broker would receive what was published meanwhile, and
//! would hold subscriptions that this run knows nothing of: a correct broker would be called
//! broken. A CONNECT with Clean Start discards it [MQTT-3.1.2-4]; with Session Expiry Interval 0,
//! or Clean Session in 3.1.1, the new one ends with its connection (§3.1.2.11.2).
//!
//! No fact is told of these connections, which are not the scenario's: only [`Cleared`] counts them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use indexmap::IndexMap;
use squall_protocol::client::{Client, Event, Settings};
use squall_protocol::packet::{Connect, ConnectProperties, Disconnect};
use squall_protocol::{Instant, Version};
use squall_scenario::{Carrier, ClientLogin, Group, Scenario};

use crate::device::MessageHandle;
use crate::drive::{Actions, Input, SocketId, Teardown};
use crate::outcome::Cleared;

/// Keep Alive of these connections, in seconds. They last for one exchange.
const KEEP_ALIVE: u16 = 30;

/// Connections without an answer that are open at once: a broker that answers slowly must not take one for
/// each Client Identifier, of which there may be more than descriptors.
const CONNECTIONS_MAX: usize = 256;

/// A Session to end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Job {
    /// When, after the beginning of the phase.
    pub(crate) after: Duration,
    /// Client Identifier of the Session.
    pub(crate) client_id: String,
    /// What its connection logs in with: a broker may know the Session's owner by it.
    pub(crate) login: ClientLogin,
    /// In which version to connect: a broker may have Sessions of one version only.
    pub(crate) version: Version,
    /// What its connection runs over.
    pub(crate) carrier: Carrier,
}

/// The connections that end Sessions. At most [`CONNECTIONS_MAX`] are open together and at most one for each
/// device; no device is connected meanwhile, so the descriptors that a plan counts for the devices are enough
/// for them.
#[derive(Debug)]
pub(crate) struct Clearing {
    answer_timeout: Duration,
    began: Instant,
    waiting: VecDeque<Job>,
    /// In the order in which they began, so the first one times out first.
    running: BTreeMap<SocketId, Running>,
    /// Connections that got no answer in time since one last did.
    unanswered: usize,
    attempts: u64,
    cleared: Cleared,
}

#[derive(Debug)]
struct Running {
    job: Job,
    give_up: Instant,
    client: Client<MessageHandle>,
}

impl Clearing {
    /// Has nothing to do yet. A transport and a CONNACK may take `answer_timeout` together.
    pub(crate) fn new(answer_timeout: Duration) -> Self {
        Self {
            answer_timeout,
            began: Instant::ZERO,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            unanswered: 0,
            attempts: 0,
            cleared: Cleared::default(),
        }
    }

    /// Begins with `jobs`, which are sorted by their time.
    pub(crate) fn begin(&mut self, now: Instant, jobs: Vec<Job>) {
        self.began = now;
        self.cleared = Cleared {
            asked: jobs.len() as u64,
            ..Cleared::default()
        };
        self.waiting = jobs.into();
        self.unanswered = 0;
    }

    /// Whether every Session was ended or given up.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// What became of the Sessions so far.
    pub(crate) fn report(&self) -> Cleared {
        self.cleared
    }

    /// When [`Self::handle_deadline`] is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let next = self.waiting.front().filter(|_| self.has_room());
        let next = next.map(|job| self.began + job.after);
        let oldest = self.running.values().next().map(|running| running.give_up);
        [next, oldest].into_iter().flatten().min()
    }

    /// Whether another connection may be opened now.
    fn has_room(&self) -> bool {
        self.running.len() < CONNECTIONS_MAX
    }

    /// Begins what is due and gives up what took too long. A broker that has left as many connections in a
    /// row without an answer as may be open together is asked for no more of them: that would take as
    /// long again for each such lot.
    pub(crate) fn handle_deadline(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(oldest) = self.running.first_entry() {
            if oldest.get().give_up > now {
                break;
            }
            actions.close(*oldest.key(), Teardown::Reset);
            oldest.remove();
            self.cleared.failed += 1;
            self.unanswered += 1;
        }
        if self.unanswered >= CONNECTIONS_MAX {
            self.stop();
        }
        let began = self.began;
        let is_due = |job: &Job| began + job.after <= now;
        while self.has_room() && self.waiting.front().is_some_and(is_due) {
            let Some(job) = self.waiting.pop_front() else {
                return;
            };
            self.attempts += 1;
            let socket = SocketId::new(None, self.attempts);
            let carrier = job.carrier;
            let running = Running {
                job,
                give_up: now + self.answer_timeout,
                client: Client::new(Settings::default()),
            };
            self.running.insert(socket, running);
            actions.open(socket, carrier);
        }
    }

    /// Gives up the Sessions whose turn has not come.
    pub(crate) fn stop(&mut self) {
        self.cleared.failed += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Handles what the drive says about one of these sockets.
    pub(crate) fn handle_input(&mut self, now: Instant, input: Input<'_>, actions: &mut Actions) {
        match input {
            Input::Opened { socket, .. } => self.connect(now, socket, actions),
            Input::Received { socket, bytes, .. } => self.receive(now, socket, bytes, actions),
            Input::OpenFailed { socket, .. } | Input::Closed { socket, .. } => {
                self.unanswered = 0;
                if self.running.remove(&socket).is_some() {
                    self.cleared.failed += 1;
                }
            }
            // A CONNECT and a DISCONNECT do not fill a socket.
            Input::Full { .. }
            | Input::Drained { .. }
            | Input::DeadlinePassed
            | Input::StoodStill { .. }
            | Input::Broker(_)
            | Input::Lines { .. }
            | Input::Stop => {}
        }
    }

    fn connect(&mut self, now: Instant, socket: SocketId, actions: &mut Actions) {
        let Some(Running { job, client, .. }) = self.running.get_mut(&socket) else {
            return;
        };
        client.connect(now, &connect(job));
        actions.send(socket, |out| {
            client.poll_transmit(out);
        });
    }

    fn receive(&mut self, now: Instant, socket: SocketId, mut bytes: &[u8], actions: &mut Actions) {
        let Some(Running { client, .. }) = self.running.get_mut(&socket) else {
            return;
        };
        self.unanswered = 0;
        let is_cleared = match client.poll_event(now, &mut bytes) {
            None => return,
            Some(Event::Connected(_)) => {
                // DISCONNECT ends the new Session too, since its expiry interval is 0.
                client.disconnect(now, &Disconnect::default()).is_ok()
            }
            // A CONNACK with an error, or something that is not a CONNACK.
            Some(_) => false,
        };
        actions.send(socket, |out| {
            client.poll_transmit(out);
        });
        actions.close(socket, Teardown::Fin);
        self.running.remove(&socket);
        if is_cleared {
            self.cleared.cleared += 1;
        } else {
            self.cleared.failed += 1;
        }
    }
}

/// A CONNECT that discards a Session and makes one that ends with its connection.
fn connect(job: &Job) -> Connect {
    Connect {
        version: job.version,
        clean_start: true,
        keep_alive: KEEP_ALIVE,
        client_id: job.client_id.clone(),
        will: None,
        user_name: job.login.user_name.clone(),
        password: job.login.password.clone(),
        properties: ConnectProperties::default(),
    }
}

/// The Sessions that an earlier run may have left: those of Client Identifiers whose first CONNECT
/// would not discard them itself.
pub(crate) fn sessions_to_clear(scenario: &Scenario) -> Vec<Job> {
    let jobs = scenario
        .groups_to_clear()
        .flat_map(|group| jobs(group, 0..group.count));
    in_order(jobs)
}

/// One job for each Client Identifier of the devices with these `{index}`es, at the group's `connect_rate`. It
/// logs in as the first of them that has the identifier.
pub(crate) fn jobs(group: &Group, indexes: impl Iterator<Item = u32>) -> Vec<Job> {
    let mut ids: IndexMap<String, u32> = IndexMap::new();
    for index in indexes {
        ids.entry(group.client_id_of(index)).or_insert(index);
    }
    (0_u32..)
        .zip(ids)
        .map(|(turn, (client_id, index))| Job {
            after: group.connects_after(turn),
            login: group.login.of(index, &client_id),
            client_id,
            version: group.version,
            carrier: group.carriers.of(index, 0),
        })
        .collect()
}

/// The jobs of all groups in the order of their times.
pub(crate) fn in_order(jobs: impl Iterator<Item = Job>) -> Vec<Job> {
    let mut jobs: Vec<Job> = jobs.collect();
    jobs.sort_by_key(|job| job.after);
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Action;

    const TIMEOUT: Duration = Duration::from_secs(2);

    fn job(after: u64, client_id: &str) -> Job {
        Job {
            after: Duration::from_secs(after),
            client_id: client_id.to_owned(),
            login: ClientLogin::default(),
            version: Version::V5,
            carrier: Carrier::default(),
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// Two Sessions to end, one at once and one after 5 s; the first connection has been asked for.
    fn begun() -> (Clearing, SocketId) {
        let mut clearing = Clearing::new(TIMEOUT);
        clearing.begin(at(0), vec![job(0, "a"), job(5, "b")]);
        let mut actions = Actions::new();
        clearing.handle_deadline(at(0), &mut actions);
        let opened = actions.iter().find_map(|action| match action {
            Action::Open { socket, .. } => Some(socket),
            Action::Send { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::Close { .. } => None,
        });
        (clearing, opened.expect("the first is due"))
    }

    /// A Session for which no answer came in time was not ended: the run must not call it cleared.
    #[test]
    fn a_session_without_an_answer_in_time_has_failed() {
        let (mut clearing, socket) = begun();
        let mut actions = Actions::new();

        clearing.handle_deadline(at(2), &mut actions);

        let closed = Action::Close {
            socket,
            how: Teardown::Reset,
        };
        assert_eq!(actions.iter().collect::<Vec<_>>(), [closed]);
        let report = clearing.report();
        assert_eq!((report.asked, report.cleared, report.failed), (2, 0, 1));
    }

    /// What happens at a moment: the sockets that are opened then.
    fn opened(clearing: &mut Clearing, now: Instant) -> Vec<SocketId> {
        let mut actions = Actions::new();
        clearing.handle_deadline(now, &mut actions);
        let actions = actions.iter();
        let opened = actions.filter_map(|action| match action {
            Action::Open { socket, .. } => Some(socket),
            Action::Send { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::Close { .. } => None,
        });
        opened.collect()
    }

    /// Three lots of Sessions to end, one every `period` seconds.
    fn many(period: u64) -> Clearing {
        let mut clearing = Clearing::new(TIMEOUT);
        let ids = 0..3 * CONNECTIONS_MAX as u64;
        let jobs = ids.map(|id| job(id * period, &id.to_string()));
        clearing.begin(at(0), jobs.collect());
        clearing
    }

    /// A broker that does not answer has a limited number of connections; each that ends makes room for one.
    #[test]
    fn no_more_connections_are_open_than_the_limit() {
        let mut clearing = many(0);

        let first = opened(&mut clearing, at(0));
        let none = opened(&mut clearing, at(1));
        let due = clearing.next_due();
        let closed = Input::Closed {
            socket: first[7],
            how: crate::drive::PeerClose::Fin,
        };
        clearing.handle_input(at(1), closed, &mut Actions::new());
        let next = opened(&mut clearing, at(1));

        assert_eq!(first.len(), CONNECTIONS_MAX);
        assert_eq!(none, []);
        assert_eq!(due, Some(at(2)));
        assert_eq!(next.len(), 1);
    }

    /// A broker that hangs, whose system takes connections still, is found out once: the rest is given up.
    #[test]
    fn a_broker_that_never_answers_is_not_asked_for_every_session() {
        let mut clearing = many(1);
        let mut asked = 0;

        for second in 0.. {
            let sockets = opened(&mut clearing, at(second));
            asked += sockets.len();
            for socket in sockets {
                let input = Input::Opened {
                    socket,
                    waited: Duration::ZERO,
                };
                clearing.handle_input(at(second), input, &mut Actions::new());
            }
            if clearing.is_over() {
                break;
            }
        }

        // Those that were asked for while the last of the first lot took its time.
        assert_eq!(asked, CONNECTIONS_MAX + 1);
        assert_eq!(clearing.report().failed, 3 * CONNECTIONS_MAX as u64);
    }

    /// A run that is stopped asks for no further connection; what is under way ends by itself.
    #[test]
    fn a_stopped_clearing_begins_no_more() {
        let (mut clearing, socket) = begun();

        clearing.stop();

        assert!(!clearing.is_over());
        let closed = Input::Closed {
            socket,
            how: crate::drive::PeerClose::Fin,
        };
        clearing.handle_input(at(1), closed, &mut Actions::new());
        assert!(clearing.is_over());
        assert_eq!(clearing.next_due(), None);
        assert_eq!(clearing.report().failed, 2);
    }
}
