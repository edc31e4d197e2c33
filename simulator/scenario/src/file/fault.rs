//! `[[fault]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand;
use super::{DistributionFile, DurationText, MalformedForms};

/// Something that goes wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fault")]
pub(crate) struct FaultFile {
    /// The name that expectations refer to. By default the action and its place in the file: `drop-0`.
    pub(crate) name: Option<String>,
    /// When it happens, from the beginning of the measured part.
    /// By default what `every` says: one of the two must be there.
    pub(crate) at: Option<DurationText>,
    /// How often it happens, for the first time after one period. By default it happens once, at `at`.
    pub(crate) every: Option<DurationText>,
    /// Until when it happens again, with `every`. By default until the end of the measured part.
    #[serde(rename = "for")]
    pub(crate) repeats_for: Option<DurationText>,
    /// Name of the `[[group]]` it takes devices from. By default none: an action on devices or links needs it, one on the broker
    /// has none.
    #[schemars(extend("x-squall-with" = { "action": ["drop", "disconnect", "takeover", "stall", "mute", "flap", "network", "partition"] }))]
    pub(crate) group: Option<String>,
    /// Which devices, or how many. By default all.
    #[serde(default, deserialize_with = "shorthand::option::<_, SelectForms, _>")]
    #[schemars(with = "Option<SelectForms>", extend("x-squall-with" = { "action": ["drop", "disconnect", "takeover", "stall", "mute", "flap", "network", "partition"] }))]
    pub(crate) select: Option<SelectFile>,
    /// What happens to each device.
    pub(crate) action: ActionWord,
    /// How a device is gone, with `drop` and `flap`. By default none: with `drop` it must be there, with `flap` that is
    /// `fin`, unless `reason` is there.
    #[schemars(extend("x-squall-with" = { "action": ["drop", "flap"] }))]
    pub(crate) how: Option<HowWord>,
    /// The reason that DISCONNECT gives, with `disconnect`, and with `flap` for devices that end each connection so. By
    /// default normal with `disconnect`, and none with `flap`.
    #[schemars(extend("x-squall-with" = { "action": ["disconnect", "flap"] }))]
    pub(crate) reason: Option<ReasonWord>,
    /// The rules that malformed packets break, with `how = "malformed"`: one, or several, one device after the other. By
    /// default `reserved_flags`.
    #[schemars(extend("x-squall-with" = { "action": ["drop", "disconnect", "takeover", "stall", "mute", "flap", "network", "partition"] }))]
    pub(crate) kind: Option<MalformedForms>,
    /// The `[[network]]`, or the shipped profile, that links have meanwhile, with `network`.
    /// By default none: with `network` it must be there.
    #[schemars(extend("x-squall-with" = { "action": ["network"] }))]
    pub(crate) profile: Option<String>,
    /// How long it lasts, drawn each time, with `stall`, `mute`, `flap`, `network`, `partition` and the actions on the broker. It ends with the
    /// measured part at the latest. By default none: with these it must be there.
    #[schemars(extend("x-squall-with" = { "action": ["stall", "mute", "flap", "network", "partition", "kill_broker", "pause_broker", "restart_broker"] }))]
    pub(crate) lasts: Option<DistributionFile>,
    /// From the end of one connection to the end of the next, with `flap`: the device connects after half of it. By default
    /// none: with `flap` it must be there.
    #[schemars(extend("x-squall-with" = { "action": ["flap"] }))]
    pub(crate) period: Option<DurationText>,
    /// How many connections of its Client Identifier a device makes, one after the other, with `takeover`: each once the one
    /// before has its CONNACK, and each displaces that. Default 1.
    #[schemars(range(min = 1, max = 1000), extend("x-squall-with" = { "action": ["takeover"] }))]
    pub(crate) contenders: Option<u16>,
}

/// Which devices a fault takes, drawn among those that are not gone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Select")]
pub(crate) enum SelectFile {
    /// This share of the group's devices.
    Fraction(#[schemars(extend("exclusiveMinimum" = 0), range(max = 1))] f64),
    /// This number of devices.
    Count(#[schemars(range(min = 1))] u32),
    /// The devices whose Client Identifier matches: `*` is any text, `?` any character.
    Match(String),
}

/// Which devices: a number of them, or a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Selection")]
pub(crate) enum SelectForms {
    /// This number of devices, as `{ count = 3 }`.
    Count(#[schemars(range(min = 1))] u32),
    /// By a share, a number or a pattern.
    Select(SelectFile),
}

impl From<SelectForms> for SelectFile {
    fn from(forms: SelectForms) -> Self {
        match forms {
            SelectForms::Count(count) => Self::Count(count),
            SelectForms::Select(select) => select,
        }
    }
}

/// What happens to a device.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Action")]
pub(crate) enum ActionWord {
    /// It is gone without DISCONNECT.
    Drop,
    /// It ends its connection with DISCONNECT.
    Disconnect,
    /// It connects with a Client Identifier that is in use.
    Takeover,
    /// It reads nothing for as long as the fault `lasts`, and goes on sending: a slow consumer.
    Stall,
    /// It sends nothing for as long as the fault `lasts`, no PINGREQ and no answer either, and leaves its connection open:
    /// Keep Alive is broken on purpose. It reads on. What it has to send waits as if there were no room. One that a
    /// `stall` keeps from reading is not taken. Its group needs a `keep_alive`.
    Mute,
    /// It disconnects and connects again and again, once each `period`, for as long as the fault `lasts`, whatever its group's
    /// `reconnect` says: with `how = "fin"`, the default, or `"rst"`, or with DISCONNECT where there is a `reason`. A
    /// connection that has no CONNACK yet when its time comes is ended all the same, unless that is by DISCONNECT.
    Flap,
    /// Its link has another `profile` for as long as the fault `lasts`. Its group needs a `network`.
    Network,
    /// Nothing passes its link for as long as the fault `lasts`, and nothing is closed. Its group needs a `network`.
    Partition,
    /// The broker and all its processes get SIGKILL; it starts again, on the same port and in the same folder, when the fault
    /// has lasted for as long as it `lasts`. Squall must have started it.
    KillBroker,
    /// The broker and all its processes get SIGSTOP, and SIGCONT when the fault has lasted: connections stay open, and nothing
    /// is answered. Squall must have started it.
    PauseBroker,
    /// The broker gets SIGTERM, so that it can say goodbye and save what it has; it starts again when the fault has lasted, or
    /// when it has stopped if that takes longer. Squall must have started it.
    RestartBroker,
}

impl ActionWord {
    /// Whether it goes on for a while: then `lasts` says for how long.
    pub(crate) const fn is_lasting(self) -> bool {
        match self {
            Self::Drop | Self::Disconnect | Self::Takeover => false,
            Self::Stall
            | Self::Mute
            | Self::Flap
            | Self::Network
            | Self::Partition
            | Self::KillBroker
            | Self::PauseBroker
            | Self::RestartBroker => true,
        }
    }

    /// As the file writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Disconnect => "disconnect",
            Self::Takeover => "takeover",
            Self::Stall => "stall",
            Self::Mute => "mute",
            Self::Flap => "flap",
            Self::Network => "network",
            Self::Partition => "partition",
            Self::KillBroker => "kill_broker",
            Self::PauseBroker => "pause_broker",
            Self::RestartBroker => "restart_broker",
        }
    }
}

/// How a device is gone without DISCONNECT.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "How")]
pub(crate) enum HowWord {
    /// The socket stays open and sends nothing.
    Silent,
    /// The connection is closed with FIN.
    Fin,
    /// The connection is reset with RST.
    Rst,
    /// The sending side is closed, the receiving side goes on.
    HalfClose,
    /// The connection is closed after half a packet.
    MidPacket,
    /// A malformed packet is sent, which the broker must answer by closing.
    Malformed,
    /// Under TLS: the connection is closed with FIN and without the close_notify that TLS wants before it.
    TlsAbort,
}

/// The reason that DISCONNECT gives.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Goodbye")]
pub(crate) enum ReasonWord {
    /// Normal disconnection: no will is due.
    Normal,
    /// Disconnect with Will Message: the will is due all the same. MQTT 5.0 only.
    WithWill,
}
