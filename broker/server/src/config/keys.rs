//! Every key of the config file: the setting it changes and the values it takes.
//!
//! This is the file's grammar: a key that is not asked for here is unknown. What a key means, and its
//! default, stands in `squall-broker.toml`, which a test compares with this.

use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::time::Duration;

use squall_core::QueuePolicy;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::node::Node;
use squall_toml::quantity::format_duration;
use squall_toml::value::{boolean, duration, integer, size, text, word};

use super::Config;
use super::error::Diagnostics;

/// Longest time any key takes.
const DAY: Duration = Duration::from_secs(86_400);
const PACKET_BYTES_MAX: u64 = squall_core::Config::PACKET_BYTES_MAX.get() as u64;
const SUBSCRIPTIONS_MAX: u64 = squall_core::Config::SUBSCRIPTIONS_MAX as u64;
const U16_MAX: u64 = u16::MAX as u64;
const U32_MAX: u64 = u32::MAX as u64;

/// Times between probes of the transport that Linux takes (tcp(7)).
const PROBE_TIMES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(32_767);
/// Most probes of the transport that Linux takes (tcp(7)).
const PROBES_MAX: u64 = 127;

/// What a key takes: a value of the file as the value of a setting.
type Take<T> = fn(&Node) -> Result<T, Mistake>;

/// Sets in `config` what the document at `root` says, and notes what is wrong with it.
pub(super) fn read(root: &At<'_>, config: &mut Config, diagnostics: &mut Diagnostics) {
    let mut keys = Keys::new(root, diagnostics);
    keys.listen(config);
    keys.server(config);
    keys.protocol(config);
    keys.session_and_queue(config);
    keys.limits(config);
    keys.refuse_unknown(root);
}

/// The keys of the file, one after another.
struct Keys<'a, 'd> {
    root: &'a At<'d>,
    /// The section that the next keys are in.
    section: At<'d>,
    /// Every section with its keys, so far.
    known: Vec<(&'static str, Vec<&'static str>)>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a, 'd> Keys<'a, 'd> {
    fn new(root: &'a At<'d>, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            root,
            section: root.clone(),
            known: Vec::new(),
            diagnostics,
        }
    }

    /// The keys that follow are those of `[name]`.
    fn section(&mut self, name: &'static str) {
        self.known.push((name, Vec::new()));
        self.section = self.root.key(name);
    }

    /// Sets `setting` to the value of `key`, if the file has one.
    fn set<T>(&mut self, key: &'static str, setting: &mut T, take: Take<T>) {
        if let Some((_, keys)) = self.known.last_mut() {
            keys.push(key);
        }
        let at = self.section.key(key);
        let Some(node) = at.node() else { return };
        match take(node) {
            Ok(value) => *setting = value,
            Err(mistake) => self.diagnostics.value(&at, mistake),
        }
    }

    fn listen(&mut self, config: &mut Config) {
        let listen = &mut config.listen;
        self.section("listen");
        self.set("address", &mut listen.address, address);
        self.set("port", &mut listen.port, |v| integer(v, 0..=U16_MAX));
        self.set("backlog", &mut listen.backlog, |v| integer(v, 1..=65_535));
        self.set("connections_max", &mut listen.connections_max, |v| {
            integer(v, 1..=U32_MAX)
        });
        self.set("allow_anonymous", &mut listen.allow_anonymous, boolean);
        let probes = &mut listen.tcp_keepalive;
        self.set("tcp_keepalive", &mut probes.idle, |v| {
            unless(v, "off", |v| whole_seconds(v, PROBE_TIMES))
        });
        self.set("tcp_keepalive_interval", &mut probes.interval, |v| {
            whole_seconds(v, PROBE_TIMES)
        });
        self.set("tcp_keepalive_probes", &mut probes.probes, |v| {
            integer(v, 1..=PROBES_MAX)
        });
    }

    fn server(&mut self, config: &mut Config) {
        let server = &mut config.server;
        self.section("server");
        self.set("shards", &mut server.shards, non_zero_u16);
        self.set(
            "shutdown_timeout",
            &mut server.shutdown_timeout,
            up_to_a_day,
        );
        self.set("close_timeout", &mut server.close_timeout, up_to_a_day);
        self.set("sys_interval", &mut config.broker.sys_interval, |v| {
            unless(v, "off", |v| duration(v, Duration::from_secs(1)..=DAY))
        });
    }

    fn protocol(&mut self, config: &mut Config) {
        let broker = &mut config.broker;
        self.section("protocol");
        self.set("connect_timeout", &mut broker.connect_timeout, |v| {
            duration(v, Duration::from_millis(100)..=DAY)
        });
        self.set(
            "connect_size_max",
            &mut broker.connect_size_max,
            packet_size,
        );
        let packet = &mut broker.maximum_packet_size;
        self.set("maximum_packet_size", packet, packet_size);
        self.set("receive_maximum", &mut broker.receive_maximum, non_zero_u16);
        self.set(
            "topic_alias_maximum",
            &mut broker.topic_alias_maximum,
            |v| integer(v, 0..=U16_MAX),
        );
        self.set("topic_levels_max", &mut broker.topic_levels_max, |v| {
            non_zero_usize(v, 65_536)
        });
    }

    fn session_and_queue(&mut self, config: &mut Config) {
        let broker = &mut config.broker;
        self.section("session");
        let expiry = &mut broker.session_expiry_interval_max;
        self.set("expiry_interval_max", expiry, seconds_or_never);
        self.set("sessions_max", &mut broker.sessions_max, |v| {
            integer(v, 1..=U32_MAX)
        });
        let subscriptions = &mut broker.subscriptions_per_session_max;
        self.set("subscriptions_max", subscriptions, |v| {
            integer(v, 1..=SUBSCRIPTIONS_MAX)
        });
        self.set("in_flight_max", &mut broker.in_flight_max, non_zero_u16);

        self.section("queue");
        let queue = &mut broker.queue;
        self.set("messages_max", &mut queue.messages_max, |v| {
            integer(v, 0..=U32_MAX)
        });
        self.set("bytes_max", &mut queue.bytes_max, |v| size(v, 0..=1 << 40));
        self.set("policy", &mut queue.policy, policy);
    }

    fn limits(&mut self, config: &mut Config) {
        let broker = &mut config.broker;
        self.section("outbox");
        self.set("soft", &mut broker.outbox.soft_bytes, outbox_size);
        self.set("hard", &mut broker.outbox.hard_bytes, outbox_size);

        self.section("retained");
        let retained = &mut broker.retained;
        self.set("messages_max", &mut retained.messages_max, |v| {
            integer(v, 0..=U32_MAX)
        });
        self.set("bytes_max", &mut retained.bytes_max, |v| {
            size(v, 0..=1 << 40)
        });
        self.set("replay_slice", &mut retained.replay_slice, |v| {
            non_zero_usize(v, U32_MAX)
        });

        self.section("routing");
        let topics = &mut broker.match_cache_topics_max;
        self.set("match_cache_topics_max", topics, |v| {
            non_zero_usize(v, U32_MAX)
        });
    }

    /// Notes each section and each key that was not asked for: nothing is ignored silently.
    fn refuse_unknown(&mut self, root: &At<'_>) {
        let entries = root.node().map_or(&[][..], Node::entries);
        for entry in entries {
            let at = root.entry(entry);
            let keys = self.known.iter().find(|(name, _)| *name == entry.key);
            match (keys, entry.node.is_table()) {
                (None, _) => self.unknown(&at, "the file", self.names_of_sections()),
                (Some(_), false) => {
                    let expected = format!("a section [{}]", entry.key);
                    self.diagnostics
                        .value(&at, entry.node.wrong_type(&expected));
                }
                (Some((_, keys)), true) => {
                    let keys = keys.clone();
                    for inner in entry.node.entries() {
                        if !keys.contains(&inner.key.as_str()) {
                            let known = self.keys_for(&inner.key, &keys);
                            let place = format!("[{}]", entry.key);
                            self.unknown(&at.entry(inner), &place, known);
                        }
                    }
                }
            }
        }
    }

    fn names_of_sections(&self) -> Vec<String> {
        self.known
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }

    /// The keys that `written` may have meant: those of its section, or a key of that very name in
    /// another one.
    fn keys_for(&self, written: &str, own: &[&str]) -> Vec<String> {
        let elsewhere = self.known.iter().filter_map(|(section, keys)| {
            let is_there = keys.contains(&written);
            is_there.then(|| format!("{section}.{written}"))
        });
        let elsewhere: Vec<String> = elsewhere.collect();
        match elsewhere.is_empty() {
            true => own.iter().map(|&key| key.to_owned()).collect(),
            false => elsewhere,
        }
    }

    fn unknown(&mut self, at: &At<'_>, place: &str, known: Vec<String>) {
        let mistake = Mistake::UnknownKey {
            key: at.path().last_key().to_owned(),
            place: place.to_owned(),
            known,
        };
        self.diagnostics.key(at, mistake);
    }
}

/// A numeric IPv4 or IPv6 address.
fn address(node: &Node) -> Result<IpAddr, Mistake> {
    let expected = "a numeric address such as \"127.0.0.1\" or \"::1\"";
    let text = text(node, expected)?;
    text.parse().map_err(|_| Mistake::Malformed {
        value: text.to_owned(),
        expected,
    })
}

/// What a full queue does.
fn policy(node: &Node) -> Result<QueuePolicy, Mistake> {
    let words = [
        ("drop_newest", QueuePolicy::DropNewest),
        ("drop_oldest", QueuePolicy::DropOldest),
        ("reject", QueuePolicy::Reject),
    ];
    word(node, "policy", &words)
}

/// `None` for `word`, and for everything else what `take` makes of it.
fn unless<T>(node: &Node, word: &str, take: Take<T>) -> Result<Option<T>, Mistake> {
    match node.as_str() {
        Some(text) if text == word => Ok(None),
        Some(_) | None => take(node).map(Some),
    }
}

fn up_to_a_day(node: &Node) -> Result<Duration, Mistake> {
    duration(node, Duration::ZERO..=DAY)
}

/// A time that the system or the protocol counts in seconds.
fn whole_seconds(node: &Node, range: RangeInclusive<Duration>) -> Result<Duration, Mistake> {
    let time = duration(node, range)?;
    match time.subsec_nanos() {
        0 => Ok(time),
        _ => Err(Mistake::OutOfRange {
            value: format_duration(time),
            range: "a whole number of seconds".to_owned(),
        }),
    }
}

/// Whole seconds as the protocol has them, where the highest number means without end (§3.1.2.11.2).
fn seconds_or_never(node: &Node) -> Result<u32, Mistake> {
    let longest = unless(node, "never", |node| {
        whole_seconds(
            node,
            Duration::from_secs(1)..=Duration::from_secs(U32_MAX - 1),
        )
    })?;
    let seconds = longest.map_or(U32_MAX, |longest| longest.as_secs());
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn non_zero_u16(node: &Node) -> Result<NonZeroU16, Mistake> {
    let number: u16 = integer(node, 1..=U16_MAX)?;
    Ok(NonZeroU16::new(number).expect("the range starts above 0"))
}

fn non_zero_usize(node: &Node, max: u64) -> Result<NonZeroUsize, Mistake> {
    let number: usize = integer(node, 1..=max)?;
    Ok(NonZeroUsize::new(number).expect("the range starts above 0"))
}

fn packet_size(node: &Node) -> Result<NonZeroU32, Mistake> {
    let bytes: u32 = size(node, 64..=PACKET_BYTES_MAX)?;
    Ok(NonZeroU32::new(bytes).expect("the range starts above 0"))
}

fn outbox_size(node: &Node) -> Result<usize, Mistake> {
    size(node, 4_096..=1 << 30)
}
