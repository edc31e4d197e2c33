//! `[[group]]` as the file writes it; each of its sub-blocks has a file of its own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AvailabilityFile, BirthFile, ClientTlsFile, CredentialsFile, DurationText, FeedFile,
    LoginTextFile, PublishFile, Qos2File, ReconnectFile, RespondFile, ShareFile, SubscribeFile,
    TransportWord, WillFile,
};

/// A fleet of devices that behave alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(crate) struct GroupFile {
    /// The name that faults, expectations and thresholds refer to.
    pub(crate) name: String,
    /// Devices in it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) count: u32,
    /// Template of the Client Identifier. Default `{group}-{index}`.
    pub(crate) client_id: Option<String>,
    /// Rows of a file, one for each device, for `{csv.COLUMN}` in its templates. By default none.
    pub(crate) feed: Option<FeedFile>,
    /// Version of MQTT. Default 5.0.
    pub(crate) protocol: Option<ProtocolWord>,
    /// User name of each device. Default: that of `[target]`, unless the group has a `password` or
    /// `credentials`.
    pub(crate) username: Option<LoginTextFile>,
    /// Password of each device; in MQTT 3.1.1 beside a `username` only. No report and no run file shows it.
    /// By default that of `[target]`, unless the group has a `username` or `credentials`.
    pub(crate) password: Option<LoginTextFile>,
    /// User names and passwords from a file, in place of `username` and `password`.
    pub(crate) credentials: Option<CredentialsFile>,
    /// What its devices speak, where `target.url` lists addresses for several. Default: what the first of them does.
    pub(crate) transport: Option<TransportWord>,
    /// The client certificate of its devices, where they speak TLS. Default: that of `[target]`.
    pub(crate) tls: Option<ClientTlsFile>,
    /// Clean Start, or Clean Session in 3.1.1. With `false`, and in 5.0 a `session_expiry`, messages of QoS 1 and 2 that fall
    /// due while a fault keeps a device away wait in it; otherwise they are never sent. Default true.
    pub(crate) clean_start: Option<bool>,
    /// How long a Session outlives its connection, in whole seconds. MQTT 5.0 only.
    /// Default 0s.
    pub(crate) session_expiry: Option<DurationText>,
    /// Whose Sessions the run begins with. Default `"fresh"`.
    pub(crate) session: Option<SessionWord>,
    /// Keep Alive, in whole seconds; 0s is none. Default 60s.
    pub(crate) keep_alive: Option<DurationText>,
    /// QoS 1 and 2 messages that a device takes at once. MQTT 3.1.1 has no such limit for the broker: there it is the most that the
    /// device itself has under way at once of what it publishes. Default 65535.
    #[schemars(range(min = 1))]
    pub(crate) receive_maximum: Option<u16>,
    /// Topic Aliases that a device uses at most when it publishes, as far as the broker takes them, and the Topic Alias
    /// Maximum that it offers for what comes. MQTT 5.0 only. Default 0.
    pub(crate) topic_alias: Option<u16>,
    /// Connects per second of the whole group, at the start. Default 1000.
    #[schemars(range(min = 0.001, max = 1_000_000))]
    pub(crate) connect_rate: Option<f64>,
    /// When its devices begin to connect, from the beginning of the measured part. Their messages are due from then on,
    /// and those that are due before the CONNACK are sent after it where the Session lasts (`clean_start`), and else never.
    /// By default they connect before the load.
    pub(crate) start: Option<DurationText>,
    /// When its devices say goodbye for good, from the beginning of the measured part. By default they stay.
    pub(crate) leave: Option<DurationText>,
    /// Each device comes and goes by itself, and has nothing to publish while it is away. By default it stays connected.
    pub(crate) availability: Option<AvailabilityFile>,
    /// The share of the group that is kept connected, from 0 to 1: a number, or a profile over time. Which devices those are
    /// is drawn from the seed; the one that says goodbye first when the share falls comes back last. By default all
    /// of them.
    pub(crate) online: Option<ShareFile>,
    /// Name of a `[[network]]`, or of a profile that squall ships: `gprs`, `edge`, `3g`, `lte`, `wifi`, `dsl`,
    /// `starlink`, `satellite`. By default nothing is added to the real link.
    pub(crate) network: Option<String>,
    /// The Last Will of each device.
    pub(crate) will: Option<WillFile>,
    /// A message that each device publishes once on each of its connections.
    pub(crate) birth: Option<BirthFile>,
    /// Streams of messages of each device.
    #[serde(default)]
    pub(crate) publish: Vec<PublishFile>,
    /// Subscriptions of each device.
    #[serde(default)]
    pub(crate) subscribe: Vec<SubscribeFile>,
    /// Answers of each device to requests.
    #[serde(default)]
    pub(crate) respond: Vec<RespondFile>,
    /// Whether and when a device comes back.
    #[serde(default)]
    pub(crate) reconnect: ReconnectFile,
    /// Faults in QoS 2 exchanges.
    #[serde(default)]
    pub(crate) qos2: Qos2File,
}

/// Whose Sessions a run begins with.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Session")]
pub(crate) enum SessionWord {
    /// Those of its own making: what an earlier run left in the broker is cleared first, and the
    /// run leaves none behind.
    Fresh,
    /// Those that are in the broker: `clean_start = false` resumes them, and they are left there.
    Resume,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Protocol")]
pub(crate) enum ProtocolWord {
    /// MQTT 3.1.1 (protocol level 4).
    #[serde(rename = "3.1.1")]
    V3_1_1,
    /// MQTT 5.0 (protocol level 5).
    #[serde(rename = "5.0")]
    V5,
}
