//! The scenario file as it is written: the types that parse it and that its JSON Schema comes from.
//!
//! Nothing is decided here. A value has its kind and its unit and no more; what an absent key
//! means, and whether values fit together, `resolve` decides. Doc comments are shown by
//! editors that know the schema, so they speak to the author of a scenario.

mod availability;
pub(crate) mod examples;
mod expect;
mod fault;
mod group;
mod login;
mod malformed;
mod network;
mod payload;
mod publish;
mod qos2;
mod quantity;
mod rate;
mod reconnect;
mod respond;
pub(crate) mod schema;
mod share;
mod shorthand;
mod sizes;
mod subscribe;
mod target;
mod tls;
mod variant_examples;
mod will;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use squall_run::MetricName;

pub(crate) use availability::{AvailabilityFile, FarewellWord};
pub(crate) use expect::{DisplacedReasonWord, ExpectFile, LimitsFile, WithinFile};
pub(crate) use fault::{ActionWord, FaultFile, HowWord, ReasonWord, SelectFile};
pub(crate) use group::{GroupFile, ProtocolWord, SessionWord};
pub(crate) use login::{CredentialsFile, FeedFile, LoginTextFile};
pub(crate) use malformed::{MalformedForms, MalformedWord};
pub(crate) use network::{LossFile, LossModelFile, NetworkFile, PresetWord};
pub(crate) use payload::{PayloadFile, PayloadForms};
pub(crate) use publish::{ArrivalFile, ArrivalWord, PublishFile, StampWord, WindowFile};
pub(crate) use qos2::{Qos2File, RetransmitWord};
pub(crate) use quantity::quantity_of;
pub(crate) use quantity::{BitRateText, DistributionFile, DurationText, ShapeFile, SizeText};
pub(crate) use rate::{RateFile, RatePointFile};
pub(crate) use reconnect::{BackoffFile, GrowingFile, JitterWord, ReconnectFile, WhenWord};
pub(crate) use respond::RespondFile;
pub(crate) use share::{ShareFile, SharePointFile};
pub(crate) use sizes::{SizeShapeFile, SizesFile};
pub(crate) use subscribe::SubscribeFile;
pub(crate) use target::{DescriptionFile, FeatureWord, KeepsWord, TargetFile};
pub(crate) use tls::{ClientTlsFile, TlsFile, TransportWord};
pub(crate) use will::{BirthFile, WillFile};

/// A squall scenario: the devices that connect, their network, what goes wrong and when, and what
/// must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "squall scenario")]
pub(crate) struct ScenarioFile {
    /// Version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[serde(rename = "version")]
    pub(crate) _version: u32,
    /// Path of a scenario that this one extends, from this file's folder: what this file does not say, that one does. Blocks
    /// of one name are put together key by key, `[[expect]]` and blocks without a name are added, and any other list replaces
    /// that of the base. Files that a base names count from the folder of the scenario that is run. By default none.
    #[serde(rename = "extends")]
    pub(crate) _extends: Option<String>,
    /// The name of the run in reports and folders: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// A sentence on what the scenario is about, for the report. By default none.
    pub(crate) description: Option<String>,
    /// Seed of every random draw of a run. Default 0.
    #[schemars(range(min = 0))]
    pub(crate) seed: Option<i64>,
    /// What the scenario's question is about: on a target that lacks one of them it is skipped, and squall says so. What
    /// a target lacks otherwise is brought down or left out where that can be done. By default nothing.
    #[serde(default)]
    pub(crate) needs: Vec<FeatureWord>,
    /// Values that templates share, as `{vars.name}`. Alone in a text it also stands for a number, a time, a size, a word or
    /// a truth value: `count = "{vars.devices}"`. By default none.
    #[serde(default)]
    pub(crate) vars: IndexMap<String, VarFile>,
    /// What is under test. By default squall's own broker, started as a child process.
    #[serde(default)]
    pub(crate) target: TargetFile,
    /// How long the run lasts.
    #[serde(default)]
    pub(crate) run: RunFile,
    /// Link profiles that groups refer to.
    #[serde(default)]
    pub(crate) network: Vec<NetworkFile>,
    /// Fleets of devices that behave alike.
    #[serde(default)]
    pub(crate) group: Vec<GroupFile>,
    /// What goes wrong, and when.
    #[serde(default)]
    pub(crate) fault: Vec<FaultFile>,
    /// What must hold. A broken one ends the run with exit code 98.
    #[serde(default)]
    pub(crate) expect: Vec<ExpectFile>,
    /// Limits of metrics: `"e2e_latency{group=backend}" = ["p99 < 250ms"]`. A failed one ends the
    /// run with exit code 99.
    #[serde(default)]
    #[schemars(transform = name_metrics)]
    pub(crate) thresholds: IndexMap<String, Vec<String>>,
    /// Values to sweep, by their keys as `--set` has them: `"group.sensors.count" = [100, 1000]`. One run for each
    /// combination, at most 1,000 runs, and one page that puts them side by side. With `run.repeat` all combinations are run in turn, and then again. `--set` of an axis
    /// narrows it to that value. By default none.
    #[serde(default, rename = "matrix")]
    #[schemars(with = "IndexMap<String, AxisFile>")]
    pub(crate) _matrix: IndexMap<String, Json>,
}

/// Says in the schema of `[thresholds]` which metrics there are, with or without tags.
fn name_metrics(schema: &mut Schema) {
    let names = MetricName::ALL.map(MetricName::as_str).join("|");
    let pattern = format!(r"^({names})(\{{.*\}})?$");
    schema.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
}

/// The values of one key.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "it describes the values, which are taken out before the types are read"
)]
#[serde(untagged)]
#[schemars(rename = "Axis")]
pub(crate) enum AxisFile {
    /// The values that the key takes in turn, each of the form that the key has.
    Values(#[schemars(length(min = 1))] Vec<Json>),
    /// Keys below this one, and their values.
    Below(IndexMap<String, Json>),
}

/// A value that templates share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Var")]
pub(crate) enum VarFile {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
}

/// When the load begins.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Begin")]
pub(crate) enum BeginWord {
    /// When every device is connected and has its SUBACK, but for groups with a `start`.
    Connected,
    /// With the first connection: each device publishes from its own on.
    AtOnce,
}

/// How long the run lasts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Run")]
pub(crate) struct RunFile {
    /// Load that no metric counts. Default 0s.
    pub(crate) warmup: Option<DurationText>,
    /// The measured part; times of faults count from its beginning. Default 30s, or longer if the
    /// last fault and what follows from it need longer.
    pub(crate) duration: Option<DurationText>,
    /// When the load begins. Default `"connected"`.
    pub(crate) begin: Option<BeginWord>,
    /// Time to wait for late deliveries, without a load. Simulated links that still hold something then make it
    /// longer, by up to two minutes. Default 5s.
    pub(crate) drain: Option<DurationText>,
    /// Time that a device waits for its connection, its CONNACK and its SUBACK, each. Default 10s.
    pub(crate) connect_timeout: Option<DurationText>,
    /// Whether the load ends early, so that a long run that fails need not go on: when a claim that something happens at most so
    /// often (`duplicated`, `misrouted`, `unexpected_disconnects` and the like) is broken, or, from 10 s into the measured part on,
    /// a limit from above of `[thresholds]` on a time or a count, by what was measured so far. The drain follows, and all is
    /// judged by what there was until then. What is missing is known at the end only. Default false.
    pub(crate) abort_on_fail: Option<bool>,
    /// How often the scenario is run, each time with a fresh broker where squall starts it: the first run has the
    /// scenario's seed, each further one the next number. The runs are put side by side with their spread. Default 1.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) repeat: Option<u32>,
}
