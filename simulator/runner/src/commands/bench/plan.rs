//! What a bench does, from its options: as a scenario file, and as a load for the engine that has no devices.

use std::time::Duration;

use squall_protocol::QoS;
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_saturate::{Load, Pace, PublisherSpec, STAMP_BYTES, Sessions, Share, SubscriberSpec};
use squall_scenario::{Group, Scenario};

use super::access;
use crate::bench_args::{BenchArgs, Pattern};
use crate::bound::Bound;
use crate::connect_args::ProtocolVersion;
use crate::exit::Failure;

/// Messages under way of each publisher, if the user says nothing.
const WINDOW: u32 = 256;
/// Messages a second of all publishers where latency is asked for or a search begins, if the user says nothing.
const LATENCY_RATE: f64 = 1000.0;
/// What is measured, and what runs before it, if the user says nothing.
const TIMES: Times = Times {
    warmup: Duration::from_secs(2),
    duration: Duration::from_secs(10),
};
/// The same of each step of a search.
const STEP_TIMES: Times = Times {
    warmup: Duration::from_secs(1),
    duration: Duration::from_secs(3),
};
/// Members of a shared subscription, if the user says nothing.
const SHARED_SUBSCRIBERS: u32 = 5;
/// Deliveries of all publishers at all subscribers that may have books of their own.
const STREAMS_MAX: u64 = 20_000_000;
/// What stands for a publisher's number in a topic.
const INDEX: &str = "{index}";

/// How long a load runs.
#[derive(Clone, Copy)]
struct Times {
    warmup: Duration,
    duration: Duration,
}

/// A bench that is checked.
#[derive(Clone, Debug)]
pub struct BenchPlan {
    /// Who publishes to whom.
    pub pattern: Pattern,
    /// 0 where others publish.
    pub publishers: u32,
    /// 0 where none subscribes.
    pub subscribers: u32,
    /// Window or rate; of a search the first rate.
    pub pace: Pace,
    /// Below which the latency of the highest rate that is searched is.
    pub bound: Option<Bound>,
    /// As asked for: a target may have less.
    pub qos: u8,
    /// At least those of a stamp.
    pub payload_bytes: u64,
    /// With [`INDEX`] where publishers have topics of their own.
    pub topic: String,
    /// What is measured.
    pub duration: Duration,
    /// What runs before that.
    pub warmup: Duration,
    /// Trials of each target.
    pub repeat: u32,
    /// As asked for: a target may have 3.1.1 alone.
    pub protocol: ProtocolVersion,
    /// Lines of `[target]` that say who the clients are and how they speak TLS.
    pub access: Vec<String>,
}

impl BenchPlan {
    /// Checks what the options say together.
    pub fn of(args: &BenchArgs) -> Result<Self, Failure> {
        let (publishers, subscribers) = sides(args)?;
        if args.size < STAMP_BYTES as u64 {
            return Err(Failure::Usage(format!(
                "--size {} is too small: a bench counts its messages by {STAMP_BYTES} bytes of each payload",
                args.size
            )));
        }
        if args.size > 16 << 20 {
            return Err(Failure::Usage("--size is at most 16MiB".to_owned()));
        }
        let times = match args.find_max {
            Some(_) => STEP_TIMES,
            None => TIMES,
        };
        let duration = args.duration.unwrap_or(times.duration);
        if duration.is_zero() {
            return Err(Failure::Usage("--duration is longer than 0".to_owned()));
        }
        let plan = Self {
            pattern: args.pattern,
            publishers,
            subscribers,
            pace: pace(args),
            bound: args.find_max.clone(),
            qos: qos_asked(args)?,
            payload_bytes: args.size,
            topic: topic(args, publishers)?,
            duration,
            warmup: args.warmup.unwrap_or(times.warmup),
            repeat: args.repeat,
            protocol: args.protocol,
            access: access::lines(args),
        };
        let streams = u64::from(publishers) * u64::from(subscribers);
        match plan.share() {
            Some(Share::All | Share::One) if streams > STREAMS_MAX => Err(Failure::Usage(format!(
                "{publishers} publishers and {subscribers} subscribers are {streams} streams to keep books of: at most \
                     {STREAMS_MAX}"
            ))),
            Some(Share::Of(_) | Share::All | Share::One | Share::Others) | None => Ok(plan),
        }
    }

    /// A step of a search: the same at so many messages a second, for so long.
    pub fn step(&self, rate: f64, duration: Duration) -> Self {
        Self {
            pace: Pace::Rate(rate),
            duration,
            ..self.clone()
        }
    }

    /// Whether the Sessions of subscribers outlive their connections.
    pub fn has_kept_sessions(&self) -> bool {
        self.pattern == Pattern::Durable
    }

    /// Deliveries that each message is to have.
    pub fn copies(&self) -> u32 {
        match self.share() {
            Some(Share::Of(_) | Share::One) => 1,
            Some(Share::All) => self.subscribers,
            Some(Share::Others) | None => 0,
        }
    }

    /// What the filter of a subscription is, with [`INDEX`] for the subscriber's own number.
    pub fn filter(&self) -> String {
        let of_all = self.topic.replace(INDEX, "+");
        match self.pattern {
            Pattern::Pairs | Pattern::Durable | Pattern::Latency => self.topic.clone(),
            Pattern::Fanout | Pattern::Fanin | Pattern::Pub | Pattern::Sub | Pattern::Conn => {
                of_all
            }
            Pattern::Shared => format!("$share/bench/{of_all}"),
        }
    }

    fn share(&self) -> Option<Share> {
        match self.pattern {
            Pattern::Pairs | Pattern::Durable | Pattern::Latency => Some(Share::Of(0)),
            Pattern::Fanout | Pattern::Fanin => Some(Share::All),
            Pattern::Shared => Some(Share::One),
            Pattern::Pub | Pattern::Conn => None,
            Pattern::Sub => Some(Share::Others),
        }
    }

    /// The load, with what `scenario` was brought down to for its target.
    pub fn load(&self, scenario: &Scenario) -> Load {
        let group = &scenario.groups[0];
        let login = group.login.of(0, "bench");
        // A message under way has no acknowledgement, so a window bounds these too.
        let unacknowledged_max = match self.pace {
            Pace::Window(window) => u16::try_from(window).unwrap_or(u16::MAX),
            Pace::Rate(_) => u16::MAX,
        };
        Load {
            version: group.version,
            qos: qos(group),
            payload_bytes: self.payload_bytes as usize,
            pace: self.pace,
            unacknowledged_max,
            publishers: (0..self.publishers)
                .map(|place| PublisherSpec {
                    client_id: client_id('p', place),
                    topic: TopicName::new(at(&self.topic, place)).expect("it was checked"),
                })
                .collect(),
            subscribers: self.subscribers(),
            sessions: match self.has_kept_sessions() {
                true => Sessions::Kept,
                false => Sessions::Clean,
            },
            user_name: login.user_name,
            password: login.password,
        }
    }

    fn subscribers(&self) -> Vec<SubscriberSpec> {
        let Some(share) = self.share() else {
            return Vec::new();
        };
        let filter = self.filter();
        let spec = |place: u32| SubscriberSpec {
            client_id: client_id('s', place),
            filter: TopicFilter::new(at(&filter, place)).expect("it was checked"),
            share: match share {
                Share::Of(_) => Share::Of(place),
                Share::All | Share::One | Share::Others => share,
            },
        };
        (0..self.subscribers).map(spec).collect()
    }
}

fn qos_asked(args: &BenchArgs) -> Result<u8, Failure> {
    match (args.pattern, args.qos) {
        (Pattern::Durable, Some(0)) => Err(Failure::Usage(
            "durable: a broker keeps nothing of QoS 0: take -q 1 or -q 2".to_owned(),
        )),
        (Pattern::Durable, None) => Ok(1),
        (_, qos) => Ok(qos.unwrap_or(0)),
    }
}

fn pace(args: &BenchArgs) -> Pace {
    match args.rate {
        Some(rate) => Pace::Rate(rate),
        None if args.pattern == Pattern::Latency || args.find_max.is_some() => {
            Pace::Rate(LATENCY_RATE)
        }
        None => Pace::Window(args.window.unwrap_or(WINDOW)),
    }
}

/// Publishers and subscribers.
fn sides(args: &BenchArgs) -> Result<(u32, u32), Failure> {
    let (publishers, subscribers) = match args.pattern {
        Pattern::Pairs | Pattern::Durable | Pattern::Latency => (args.clients, args.clients),
        Pattern::Fanout => (1, args.clients),
        Pattern::Fanin => (args.clients, 1),
        Pattern::Shared => (args.clients, SHARED_SUBSCRIBERS),
        Pattern::Pub | Pattern::Conn => (args.clients, 0),
        Pattern::Sub => (0, args.clients),
    };
    let name = args.pattern.name();
    let given = match args.pattern {
        Pattern::Conn
            if args.publishers.is_some()
                || args.subscribers.is_some()
                || args.rate.is_some()
                || args.window.is_some() =>
        {
            "its clients connect and do nothing else: -c says how many"
        }
        Pattern::Conn if args.find_max.is_some() => {
            "--find-max is about the latency of messages, and its clients send none"
        }
        Pattern::Pub if args.find_max.is_some() => {
            "--find-max is about the latency of deliveries, and it has no subscribers: take pairs, fanout, fanin or shared"
        }
        Pattern::Sub if args.find_max.is_some() => {
            "--find-max tries rates, and it publishes nothing: take pairs, fanout, fanin or shared"
        }
        Pattern::Latency if args.window.is_some() => {
            "it has a rate and no window: the broker is to have room"
        }
        Pattern::Pairs | Pattern::Durable | Pattern::Latency
            if args.publishers.is_some() || args.subscribers.is_some() =>
        {
            "each publisher has one subscriber: -c says how many pairs"
        }
        Pattern::Pub if args.subscribers.is_some() => "it has no subscribers",
        Pattern::Sub if args.publishers.is_some() || args.rate.is_some() => {
            "it publishes nothing, and counts what others do"
        }
        Pattern::Pairs
        | Pattern::Fanout
        | Pattern::Fanin
        | Pattern::Shared
        | Pattern::Pub
        | Pattern::Sub
        | Pattern::Conn
        | Pattern::Durable
        | Pattern::Latency => {
            return Ok((
                args.publishers.unwrap_or(publishers),
                args.subscribers.unwrap_or(subscribers),
            ));
        }
    };
    Err(Failure::Usage(format!("{name}: {given}")))
}

fn topic(args: &BenchArgs, publishers: u32) -> Result<String, Failure> {
    let mut topic = args.topic.replace("%i", INDEX);
    let wrong = |why: &str| Err(Failure::Usage(format!("--topic {}: {why}", args.topic)));
    let has_pairs = matches!(
        args.pattern,
        Pattern::Pairs | Pattern::Durable | Pattern::Latency
    );
    if has_pairs && publishers > 1 && !topic.contains(INDEX) {
        topic = format!("{topic}/{INDEX}");
    }
    let levels = topic.split('/');
    let mut shared = levels.filter(|level| level.contains(INDEX) && *level != INDEX);
    if shared.next().is_some() {
        return wrong("{index} takes a whole level, so that a wildcard can stand for it");
    }
    if topic.replace(INDEX, "").contains(['{', '}']) {
        return wrong("it has no other placeholder than {index}");
    }
    let checked = match args.pattern {
        Pattern::Sub => TopicFilter::new(at(&topic, 0)).map(drop),
        Pattern::Pairs
        | Pattern::Fanout
        | Pattern::Fanin
        | Pattern::Shared
        | Pattern::Pub
        | Pattern::Conn
        | Pattern::Durable
        | Pattern::Latency => TopicName::new(at(&topic, 0)).map(drop),
    };
    match checked {
        Ok(()) => Ok(topic),
        Err(error) => wrong(&error.to_string()),
    }
}

/// The QoS that the target has, at most that which was asked for.
fn qos(group: &Group) -> QoS {
    let published = group.publishes.iter().map(|publish| publish.qos);
    let subscribed = group.subscribes.iter();
    let subscribed = subscribed.map(|subscribe| subscribe.options.qos);
    published.chain(subscribed).next().unwrap_or_default()
}

fn at(template: &str, place: u32) -> String {
    template.replace(INDEX, &place.to_string())
}

/// At most 23 letters and digits, which every server takes [MQTT-3.1.3-5].
fn client_id(side: char, place: u32) -> String {
    format!("b{}{side}{place}", std::process::id())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::bench_args::BenchCommand;
    use crate::cli::{Cli, Command};

    fn plan(options: &[&str]) -> Result<BenchPlan, Failure> {
        let words = ["squall", "bench"].iter().chain(options);
        let command = Cli::parse_from(words).command;
        let Command::Bench(BenchCommand::One(args)) = &command else {
            panic!("{command:?}");
        };
        BenchPlan::of(args)
    }

    /// What a subscriber has asked for and what the books say that it is owed are the same, for each pattern and topic.
    #[test]
    fn filters_ask_for_what_is_owed() {
        for pattern in [
            "pairs", "fanout", "fanin", "shared", "pub", "durable", "latency",
        ] {
            for topic in ["bench/{index}", "a/%i/b", "{index}"] {
                let plan = plan(&[pattern, "-c", "3", "-t", topic]).expect("it can be");
                let scenario = crate::commands::bench::read(
                    &crate::commands::bench::printed::scenario(&plan, &[]),
                    &[],
                );
                let load = plan.load(&scenario.expect("it is one").scenario);

                for subscriber in &load.subscribers {
                    for (place, publisher) in (0..).zip(&load.publishers) {
                        let matches = subscriber.filter.unshared().matches(&publisher.topic);
                        let is_owed = match subscriber.share {
                            Share::Of(only) => only == place,
                            Share::All | Share::One | Share::Others => true,
                        };
                        assert_eq!(matches, is_owed, "{pattern} {topic}");
                    }
                }
            }
        }
    }

    /// Pairs never share a topic, whatever the user writes.
    #[test]
    fn pairs_have_topics_of_their_own() {
        let plan = plan(&["pairs", "-t", "plant"]).expect("it can be");

        assert_eq!(plan.topic, "plant/{index}");
        assert_eq!((plan.publishers, plan.subscribers), (100, 100));
    }

    /// Every client takes an identifier that every broker takes.
    #[test]
    fn client_identifiers_are_short() {
        let longest = client_id('p', 99_999);

        assert!(longest.len() <= 23, "{longest}");
        assert!(longest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
