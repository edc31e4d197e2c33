//! `[target]`, and the files that describe a broker once for all scenarios.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{DurationText, LoginTextFile, ProtocolWord, TlsFile, TransportWord, shorthand};

/// What is under test.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Target")]
pub(crate) struct TargetFile {
    /// A broker that is described once: a name that `squall list` shows, such as `rabbitmq`, or a file of that
    /// form beside the scenario. What it says of the keys below holds where they are not written here. By default
    /// squall's own broker is started.
    #[serde(rename = "use")]
    #[schemars(rename = "use")]
    pub(crate) _described_by: Option<String>,
    /// A broker that runs already: `mqtt://host:port`, `mqtts://` for TLS, `ws://host:port/path` for WebSocket, `wss://`
    /// for WebSocket over TLS. A list of them is a cluster, or a broker that listens for several: devices are spread
    /// over those that speak what their group's `transport` says, and go on to the next when one cannot be
    /// connected to. By default squall's own broker is started.
    #[serde(default, deserialize_with = "shorthand::texts")]
    #[schemars(with = "Option<shorthand::TextsFile>")]
    pub(crate) url: Vec<String>,
    /// A command that starts a broker, which squall watches and stops: `mosquitto -p {port}`. `{port}` stands for
    /// a free port, `{port.NAME}` for a further one, `{folder}` for a folder that only this run has, and that only
    /// the user who runs squall can write to: a broker that changes to another user, as Mosquitto does when root starts it,
    /// can keep nothing there unless its own config says to stay (`user root`). By default squall's own broker is started.
    pub(crate) spawn: Option<String>,
    /// The version of MQTT that all groups are brought down to: with `"3.1.1"`, what only 5.0 has is left out of
    /// the scenario or brought down, and the report lists each change. By default each group says its own.
    pub(crate) protocol: Option<ProtocolWord>,
    /// What the broker does not have. A scenario is brought down to what it has (QoS 1 in place of 2, one reader in place of a
    /// shared subscription), and skipped where it is about what is lacking (`needs`), or cannot do without. By default nothing.
    #[serde(default)]
    pub(crate) lacks: Vec<FeatureWord>,
    /// What the broker, set up as it is here, keeps when its process ends: with `"nothing"` a run with a fault that ends the
    /// process says that what the broker forgets is a matter of how it is set up. By default not known; squall's own broker
    /// keeps nothing.
    pub(crate) keeps: Option<KeepsWord>,
    /// User name of squall's own clients, and of every group that has no `username`, `password` or
    /// `credentials` of its own. By default none.
    pub(crate) username: Option<LoginTextFile>,
    /// Password that goes with it. No report and no run file shows it. By default none.
    pub(crate) password: Option<LoginTextFile>,
    /// What a spawned broker speaks at `{port}`; a url says it by its scheme. Default tcp.
    pub(crate) transport: Option<TransportWord>,
    /// How clients speak TLS, with `mqtts://`, `wss://`, or the transports tls and wss.
    pub(crate) tls: Option<TlsFile>,
    /// Addresses of this machine that connections begin at, in turn: one, a range, or a list of either. Each has ports of its
    /// own, so that more devices than one address has ports for can be connected. By default the system chooses one.
    #[serde(default, deserialize_with = "shorthand::texts")]
    #[schemars(with = "Option<shorthand::TextsFile>")]
    pub(crate) source: Vec<String>,
    /// How long a spawned broker may take until it answers a CONNECT. Default 60s, because RabbitMQ,
    /// ActiveMQ and EMQX start slowly.
    pub(crate) ready: Option<DurationText>,
    /// How a spawned broker is told to end, at the end of a run and by `restart_broker`, where SIGTERM to all its processes does
    /// not do: another signal, such as `SIGINT`, or a command, such as `rabbitmqctl stop`, with the same placeholders and
    /// environment as `spawn`. A command that cannot be started or fails is told, and SIGTERM sent in its place; what has
    /// not ended within a minute is killed. Default SIGTERM.
    pub(crate) kill: Option<String>,
    /// A command that prints which broker of which version a spawned one is: of what it prints, the last line with a digit
    /// stands in the report. By default what the broker says itself in a retained message at `$SYS/broker/version`, as Mosquitto
    /// does, or at `$SYS/brokers/NODE/version`, as EMQX does.
    pub(crate) software: Option<String>,
    /// Environment variables of a spawned broker, with the same placeholders as `spawn`.
    #[serde(default)]
    pub(crate) env: IndexMap<String, String>,
    /// Files of a spawned broker by name, written to `{folder}` before it starts, with the same placeholders as
    /// `spawn`. That folder belongs to the user who runs squall: see `spawn`.
    #[serde(default)]
    pub(crate) config: IndexMap<String, String>,
}

/// What a broker keeps when its process ends.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Keeps")]
pub(crate) enum KeepsWord {
    /// All is in memory: Sessions, messages and what is retained are gone.
    Nothing,
    /// It writes Sessions and messages to a disk, at once or now and then, and reads them when it starts again.
    Disk,
}

/// Something that a broker may not have.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Feature")]
pub(crate) enum FeatureWord {
    /// Quality of Service 2.
    Qos2,
    /// Messages that are retained.
    Retained,
    /// Retained messages for a Topic Filter with wildcards.
    RetainedWildcards,
    /// Last Wills.
    Wills,
    /// Sessions that outlive their connections.
    PersistentSessions,
    /// Subscriptions that begin with `$share/`.
    SharedSubscriptions,
    /// Wills that wait: MQTT 5.0.
    WillDelay,
}

/// A file that describes a broker: what it is, how it is started, and what a user needs to know.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "squall target")]
pub(crate) struct DescriptionFile {
    /// Version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[serde(rename = "version")]
    pub(crate) _version: u32,
    /// What scenarios call it: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// What it is, in one line.
    pub(crate) about: String,
    /// The version that this file was tried with; absent if it was not tried.
    pub(crate) tested: Option<String>,
    /// A command that installs it.
    pub(crate) install: Option<String>,
    /// What a user needs to know.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    /// As in a scenario. Absent: squall's own broker, as a child process.
    pub(crate) target: Option<TargetFile>,
}
