//! The options of `squall bench`, as clap sees them. Short ones are those that benches of MQTT brokers have had for years.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Args, FromArgMatches, ValueEnum, ValueHint, value_parser};
use squall_toml::quantity::{Quantity, parse_duration, parse_size};

use crate::bound::Bound;
use crate::connect_args::{LoginArgs, ProtocolVersion, TlsArgs};

/// Who publishes to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Pattern {
    /// Each publisher has a subscriber and a topic of its own.
    Pairs,
    /// One publisher, all others subscribe to its topic.
    Fanout,
    /// All publish, one subscribes to all topics.
    Fanin,
    /// All publish; five share one subscription, so that each message goes to one of them.
    Shared,
    /// All publish, none subscribes: how fast the broker takes messages.
    Pub,
    /// All subscribe, and what others publish meanwhile is counted.
    Sub,
    /// All connect, as fast as the broker lets them, and do nothing else.
    Conn,
    /// As pairs, at QoS 1 unless `-q` says 2, and subscribers have Sessions that outlive their connections: a broker that keeps
    /// Sessions on a disk has to see to each message there, at once or with its next snapshot.
    Durable,
    /// As pairs, at 1,000 messages a second unless `-R` says otherwise: the latency of a broker with room, in which the generator's own
    /// waking up for each message is a part.
    Latency,
}

impl Pattern {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Fanout => "fanout",
            Self::Fanin => "fanin",
            Self::Shared => "shared",
            Self::Pub => "pub",
            Self::Sub => "sub",
            Self::Conn => "conn",
            Self::Durable => "durable",
            Self::Latency => "latency",
        }
    }
}

/// `squall bench`: one bench, or the suite.
#[derive(Debug)]
pub enum BenchCommand {
    /// A bench.
    One(Box<BenchArgs>),
    /// A table of them.
    Suite(Box<BenchSuiteArgs>),
}

/// The word that stands in place of a pattern.
const SUITE: &str = "suite";

impl Args for BenchCommand {
    fn augment_args(command: clap::Command) -> clap::Command {
        let suite = BenchSuiteArgs::augment_args(clap::Command::new(SUITE)).about(
            "Measure a table of workloads on each broker that is installed here, and write it as a page",
        );
        BenchArgs::augment_args(command)
            .subcommand(suite)
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            .disable_help_subcommand(true)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for BenchCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(match matches.subcommand_matches(SUITE) {
            Some(of_suite) => Self::Suite(Box::new(BenchSuiteArgs::from_arg_matches(of_suite)?)),
            None => Self::One(Box::new(BenchArgs::from_arg_matches(matches)?)),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `squall bench suite`.
#[derive(Args, Debug)]
pub struct BenchSuiteArgs {
    /// A broker to measure: a name that `squall list --targets` shows, a file that describes one, or the URL of one that runs
    /// already, whose use of the machine is not known. May be repeated [default: squall's own and all that are installed here].
    #[arg(long, value_name = "NAME|FILE|URL")]
    pub target: Vec<String>,
    /// Measure each target N times in each row, in turn with the others (A B A B).
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// How long each is measured.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    pub duration: Duration,
    /// How long the load runs before that.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub warmup: Duration,
    /// Keep the broker on one core and the generator on another.
    #[arg(long)]
    pub pin: bool,
    /// Measure these rows alone, by their names in `--list`.
    #[arg(long, value_name = "ROW", num_args = 1..)]
    pub only: Vec<String>,
    /// List the rows, with the command that measures each alone, and the targets; measure nothing.
    #[arg(long, conflicts_with_all = ["json", "baseline"])]
    pub list: bool,
    /// Folder for the page, its Markdown and its JSON.
    #[arg(long, default_value = "squall-bench", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Print the JSON too.
    #[arg(long)]
    pub json: bool,
    /// What must not be worse than before.
    #[command(flatten)]
    pub against: AgainstArgs,
}

/// What a bench is held against.
#[derive(Args, Clone, Debug, Default)]
pub struct AgainstArgs {
    /// What an earlier bench printed with `--json`, or the `suite.json` or `find-max.json` in a folder of results: end with exit code
    /// 99 if a figure got worse than its, beyond the noise of the repeats.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// A figure that must not get worse than the baseline's, and by how much it may: `broker_cpu_us_per_message > 10%`. May be
    /// repeated [default: all figures].
    #[arg(long, value_name = "KEY[ > MARGIN]", requires = "baseline")]
    pub worse: Vec<String>,
}

/// One bench.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Who publishes to whom.
    #[arg(value_enum)]
    pub pattern: Pattern,
    /// The broker to measure: a name that `squall list --targets` shows, a file that describes one, or a URL. Several are
    /// measured in turn, each time on a fresh broker where squall starts it [default: squall's own].
    #[arg(long, value_name = "NAME|FILE|URL")]
    pub target: Vec<String>,
    /// Clients: pairs of them, or those on the side that has many.
    #[arg(long, short, default_value_t = 100, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub clients: u32,
    /// Publishers, where the pattern has another number of them.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub publishers: Option<u32>,
    /// Subscribers, where the pattern has another number of them.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub subscribers: Option<u32>,
    /// Messages a second of all publishers together, as 10000, 10k or 1.5M, on a fixed schedule: latency counts from when a message was due
    /// [default: as many as the window allows]. With `--find-max` the first rate that is tried [default: 1000].
    #[arg(long, short = 'R', value_name = "N", conflicts_with = "window", value_parser = rate)]
    pub rate: Option<f64>,
    /// Search the highest rate at which this bound on the latency holds and nothing is lost, written like a threshold of a
    /// scenario: `p50|p90|p95|p99|p99.9|max < TIME`, as `p99 < 10ms`. Rates are tried from `-R` on, each on connections of
    /// their own, until the highest that held and the lowest that did not are 5 % apart; a rate fails by two steps. For
    /// patterns with publishers and subscribers.
    #[arg(long, value_name = "BOUND", conflicts_with = "window", value_parser = Bound::parse)]
    pub find_max: Option<Bound>,
    /// Folder for what `--find-max` finds: a chart of rate against latency (SVG, PNG), all steps (CSV), and the JSON.
    #[arg(
        long,
        value_name = "DIR",
        requires = "find_max",
        conflicts_with = "print"
    )]
    pub out: Option<PathBuf>,
    /// Messages of a publisher that may be under way to their subscribers [default: 256].
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=65_535))]
    pub window: Option<u32>,
    /// Quality of Service of messages and subscriptions: 0, 1 or 2 [default: 0, and 1 for durable].
    #[arg(long, short, value_parser = value_parser!(u8).range(0..=2))]
    pub qos: Option<u8>,
    /// Bytes of each payload, at least 16.
    #[arg(long, short, default_value = "16", value_name = "BYTES", value_parser = size)]
    pub size: u64,
    /// Topic; `{index}` or `%i` stands for the publisher's number. A filter for `sub`.
    #[arg(long, short, default_value = "bench/{index}", value_name = "TOPIC")]
    pub topic: String,
    /// How long is measured [default: 10s]. With `--find-max` that of each step [default: 3s]; a step at a low rate lasts longer,
    /// up to 30s, until 100 messages are beyond the percentile.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// How long the load runs before that [default: 2s, and 1s before each step of `--find-max`].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub warmup: Option<Duration>,
    /// Measure each target N times, in turn with the others (A B A B).
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// MQTT version to speak.
    #[arg(long, value_enum, default_value_t)]
    pub protocol: ProtocolVersion,
    /// Who all clients are.
    #[command(flatten)]
    pub login: LoginArgs,
    /// How TLS is spoken, with `mqtts://` and `wss://`.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Keep the broker on one core and the generator on another.
    #[arg(long)]
    pub pin: bool,
    /// Process of a broker that squall did not start, to measure what it uses.
    #[arg(long, value_name = "PID", value_parser = value_parser!(u32).range(1..))]
    pub target_pid: Option<u32>,
    /// What must not be worse than before.
    #[command(flatten)]
    pub against: AgainstArgs,
    /// Print one JSON object with the figures of every repeat.
    #[arg(long, conflicts_with = "print")]
    pub json: bool,
    /// Print the scenario that does the same with `squall run`, and measure nothing.
    #[arg(long, conflicts_with = "baseline")]
    pub print: bool,
}

/// A size with a unit, or bytes without one.
fn size(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(bytes) => Ok(bytes),
        Err(_) => parse_size(text)
            .map_err(|error| format!("{error}: write {}", Quantity::Size.expected())),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    /// Sequences of a publisher have 32 bits.
    const MAX: Duration = Duration::from_secs(600);
    match parse_duration(text) {
        Ok(duration) if duration > MAX => Err("at most 10m".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}: write {}", Quantity::Duration.expected())),
    }
}

/// Messages a second: a number, with `k` for thousands and `M` for millions.
fn rate(text: &str) -> Result<f64, String> {
    const MAX: f64 = 100e6;
    let text = text.strip_suffix("/s").unwrap_or(text);
    let (digits, factor) = match (text.strip_suffix(['k', 'K']), text.strip_suffix('M')) {
        (Some(digits), _) => (digits, 1e3),
        (None, Some(digits)) => (digits, 1e6),
        (None, None) => (text, 1.0),
    };
    match digits.trim().replace('_', "").parse::<f64>() {
        Ok(number) if number > 0.0 && number * factor <= MAX => Ok(number * factor),
        Ok(_) => Err("messages a second are above 0 and at most 100,000,000".to_owned()),
        Err(_) => Err("write messages a second, such as 10000, 10k or 1.5M".to_owned()),
    }
}
