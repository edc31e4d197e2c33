//! The squall run file: schema, histograms, summary figures.
//!
//! A [`Run`] is one execution of one scenario, whole: what ran, on what, against what, what was
//! measured and what follows from it. `ledger` fills [`Measured`], `runner` the rest, and every
//! renderer reads nothing but a `Run`. No I/O here and no clock: text in, text out.
//!
//! Units, in the names of all fields: `_s` seconds since the start of the run or seconds long,
//! `_us` microseconds, `_bytes` bytes, `_cores` processor cores (1.0 is one core fully busy).

mod accounting;
mod anomaly;
mod answer;
pub mod bench;
mod check;
mod claim_line;
mod closed_loop;
mod compare;
mod connections;
mod drain;
mod fault;
mod histogram;
mod identity;
mod judged_claim;
mod lag;
mod machine;
mod malformed;
mod measured;
mod metric;
mod network;
mod notes;
mod observations;
mod packet_trace;
mod payload_command;
mod percentile;
mod proposal;
mod qos2;
mod rate;
mod read;
mod resources;
mod response;
mod retained;
mod run;
mod run_set;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
mod scenario_delay;
mod series;
mod sessions;
mod settings;
mod silence;
mod spent;
mod summary;
mod summary_file;
mod takeover;
mod target;
mod threshold;
mod times;
mod told;
mod trends;
mod unfinished;
mod unit;
mod value;
mod verdict;
mod version_1;
mod will;

pub use accounting::{Accounting, Deliveries, Publications};
pub use anomaly::{Anomaly, AnomalyKind, ErrorCount};
pub use check::{
    AllowedRange, CheckOutcome, ClaimOutcome, ClaimResult, DeviceViolations, Explanation,
};
pub use claim_line::ClaimLine;
pub use closed_loop::ClosedLoop;
pub use compare::{
    Answer, Better, Certainty, Choosable, Chosen, ComparedFigure, Difference, DifferingSetting,
    FAMILY_ERROR, FigurePart, Finding, MustAgree, NotChosen, NotComparable, RUNS_NEEDED, RunOfSide,
    SIDE, Scale, Side, SideBySide, SideSummary, Worsening, chosen_of, is_margin_within_noise,
    that_follow, worsenings,
};
pub use connections::{Connections, GroupConnections, Refusal};
pub use drain::Drain;
pub use fault::{FaultEffect, FaultOccurrence, FirstAnomaly};
pub use histogram::{Bucket, Histogram, HistogramError, PercentileStep, TableEnd};
pub use identity::{Identity, ScenarioText, Software};
pub use judged_claim::{ClaimKind, JudgedClaim};
pub use lag::{LAG_NOTED_US, LAG_SHARE_NOTED, LagShare, lag_notes};
pub use machine::{Limits, Machine};
pub use malformed::MalformedOutcome;
pub use measured::Measured;
pub use metric::{
    Aggregate, CountedFrom, MetricCell, MetricKind, MetricName, Metrics, NotAnAggregate,
    Population, Tag, Tags, UnknownMetric, WithoutLag,
};
pub use network::{Direction, NetworkFigure, NetworkOutcome, Quantile};
pub use packet_trace::{
    PACKETS_KEPT, PacketDirection, PacketStamp, PacketTrace, TracedPacket, TracedState,
};
pub use payload_command::{CommandEnd, LineWaits, PayloadCommand};
pub use percentile::{NotAPercentile, Percentile};
pub use proposal::proposed_claims;
pub use qos2::{LegCount, Qos2, Qos2Side};
pub use rate::{Event, RateEntry, RateFigures, Rates};
pub use read::{ReadError, json_schema};
pub use resources::{
    ProcessLog, ProcessRecord, ProcessSample, ProcessUse, Reading, Resources, Spread, Workers,
};
pub use response::Responses;
pub use retained::RetainedOutcome;
pub use run::{Run, VERSION};
pub use run_set::{
    ComparedRun, Figure, FigureSpread, FigureUnit, Figures, Judgement, Row, RunSet, RunState,
    SCENARIO,
};
pub use scenario_delay::ScenarioDelay;
pub use series::{Interval, IntervalLatency, Series};
pub use sessions::{Sessions, SessionsEnded};
pub use settings::{GroupSettings, Override, Settings};
pub use silence::Silences;
pub use spent::{LatencyPart, LatencySpent, SpentBy, SpentRow};
pub use summary::{Latencies, Latency, LatencyOf, Summary};
pub use summary_file::SummaryFile;
pub use takeover::Takeovers;
pub use target::{Keeps, Target, TargetKind};
pub use threshold::{Comparison, ThresholdOutcome, ThresholdResult};
pub use times::{ClockKind, Phase, PhaseKind, Stop, StopCause, Times};
pub use told::{Line, Part, Weight};
pub use trends::{BEFORE_MIN, History, Newest, PastRun, Place, Trends, Unread};
pub use unfinished::Unfinished;
pub use unit::{
    bit_rate_text, bytes_text, count_text, digits, duration_text, rate_text, share_text,
};
pub use value::Value;
pub use verdict::{ExitCode, Extent, Outcome, Reason, Verdict, worst_exit_code};
pub use will::WillOutcome;
