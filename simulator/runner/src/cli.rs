//! The command line as clap sees it. What a command does is in `commands`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use clap_complete::Shell;
use squall_reports::{Margins, wrapped};
use squall_run::ExitCode;

use crate::bench_args::BenchCommand;
use crate::compare_args::CompareArgs;
use crate::connect_args::ConnectArgs;
use crate::live_args::LiveArgs;
use crate::out_folder::DEFAULT_FOLDER;
use crate::output_args::OutputArgs;
use crate::since::Since;
use crate::worker_args::WorkerArgs;

const TRY: &str = "\
Try:
  squall run smoke
  squall new my-fleet
  squall run network-jitter --set target.spawn=\"mosquitto -p {port}\"";

/// The widest that help is set, in columns.
const HELP_COLUMNS: usize = 100;

/// What the exit codes mean, and what to try first.
fn after_help() -> String {
    let columns = crate::output::columns(std::io::stdout())
        .map_or(HELP_COLUMNS, |columns| columns.min(HELP_COLUMNS));
    let mut text = "Exit codes:\n".to_owned();
    for code in ExitCode::ALL {
        let line = format!("{:<4}{}", code.code, code.in_full());
        text.push_str(&wrapped(
            &line,
            Margins {
                first: 2,
                next: 6,
                columns: Some(columns),
            },
        ));
    }
    format!("{text}\n{TRY}")
}

/// Simulate and load-test MQTT fleets, and prove what happened.
#[derive(Debug, Parser)]
#[command(name = "squall", version, after_help = after_help(), max_term_width = HELP_COLUMNS)]
pub struct Cli {
    /// The command to carry out.
    #[command(subcommand)]
    pub command: Command,
}

/// What squall can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenario files and write a report for each.
    Run(RunArgs),
    /// Run scenarios that belong together, such as those of the Open MQTT Benchmark Suite.
    Suite(SuiteArgs),
    /// Measure how many messages a broker carries, and what each costs it.
    Bench(BenchCommand),
    /// Check scenario files without running them.
    Validate(ValidateArgs),
    /// List the scenarios that squall brings, or those of a folder, with the question each asks.
    List(ListArgs),
    /// Write a scenario file to begin with, and beside it the schema that editors check it by.
    New(NewArgs),
    /// Say what a key, a check, a metric or a placeholder of scenario files means, with an example.
    Explain(ExplainArgs),
    /// Show what a scenario would do: load, faults, devices, and whether it fits on this machine.
    Plan(PlanArgs),
    /// Write the report of a run again, from its run file.
    Report(ReportArgs),
    /// Set runs side by side, with the noise of their repeats: of run files, or of a scenario on several targets in turn.
    Compare(CompareArgs),
    /// Write a page over a folder of runs: verdicts, figures, and how they went over time.
    Index(IndexArgs),
    /// Serve MQTT on one address until SIGTERM or Ctrl-C.
    Broker(BrokerArgs),
    /// Run a target's command and leave nothing of it behind: what `run` starts for `target.spawn`.
    #[command(hide = true)]
    Supervise(SuperviseArgs),
    /// Publish one message, or one a line of standard input.
    Pub(PubArgs),
    /// Subscribe and print the messages that come.
    Sub(SubArgs),
    /// Print the JSON Schema of scenario files, of run files, or of the other files for programs (`summary.json`, `runs.json`, …).
    Schema(SchemaArgs),
    /// Say what this machine allows, and what a bigger run would need.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// Changes to a scenario from the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct OverrideArgs {
    /// The broker to test: a name that `squall list --targets` shows, a file that describes one, or a URL.
    #[arg(long, value_name = "NAME|FILE|URL")]
    pub target: Option<String>,
    /// Override a value, dotted: `run.duration=30s`, `group.sensors.count=200`,
    /// `target.url=mqtt://127.0.0.1:1883`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Override the scenario's seed.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
}

/// `squall run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Scenario files, or names that `squall list` shows, run one after the other; `-` is standard input.
    #[arg(required = true, value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Overrides of the scenario.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// Run each scenario N times, each combination of a matrix in turn, and put the runs side by side
    /// [default: the scenario's run.repeat].
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: Option<u32>,
    /// Earlier runs of the scenario, a run file or a folder: end with exit code 99 if a figure got worse than theirs, beyond
    /// the noise of the repeats.
    #[arg(long, value_name = "RUN", value_hint = ValueHint::AnyPath)]
    pub baseline: Option<PathBuf>,
    /// A figure that must not get worse than the baseline's, and by how much it may: `e2e_latency.p99 > 10%`, `lost`. May be
    /// repeated [default: all figures].
    #[arg(long, value_name = "KEY[ > MARGIN]", requires = "baseline")]
    pub worse: Vec<String>,
    /// Threads of the generator.
    #[command(flatten)]
    pub workers: WorkerArgs,
    /// What is served while the runs go on.
    #[command(flatten)]
    pub live: LiveArgs,
    /// Where results go and what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `squall suite`.
#[derive(Args, Debug)]
pub struct SuiteArgs {
    /// The suite to run; without it, or with `list`, they are listed.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Run each scenario for seconds instead of minutes, under the same load.
    #[arg(long)]
    pub short: bool,
    /// Overrides of every scenario of the suite.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// Threads of the generator.
    #[command(flatten)]
    pub workers: WorkerArgs,
    /// Where results go and what is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `squall supervise`.
#[derive(Args, Debug)]
pub struct SuperviseArgs {
    /// How the program is told to end: the name of a signal, or a command [default: SIGTERM].
    #[arg(long, value_name = "SIGNAL|COMMAND", allow_hyphen_values = true)]
    pub stop_by: Option<String>,
    /// Milliseconds that it may take to end, once nothing holds standard input, before it is killed [default: 60000].
    #[arg(long, value_name = "MS")]
    pub stop_within: Option<u64>,
    /// The program to run and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// `squall validate`.
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// Scenario files, or names that `squall list` shows; `-` is standard input.
    #[arg(required = true, value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Overrides of the scenario.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// Print the scenario with every default filled in.
    #[arg(long)]
    pub resolved: bool,
    /// End with exit code 2 where a claim or a threshold can never be judged; without it that is a note.
    #[arg(long, conflicts_with = "resolved")]
    pub strict: bool,
}

/// `squall list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The folder whose scenario files are listed [default: the scenarios that squall brings].
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: Option<PathBuf>,
    /// Print a JSON array.
    #[arg(long)]
    pub json: bool,
    /// List the brokers that `--target` and `target.use` know, and whether they are installed here.
    #[arg(long, conflicts_with_all = ["folder", "json"])]
    pub targets: bool,
}

/// `squall new`.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// Name of the scenario; its file is NAME.toml. A folder may stand before it.
    #[arg(value_name = "NAME", value_hint = ValueHint::FilePath)]
    pub name: PathBuf,
    /// The scenario to begin with, as `squall list` names it.
    #[arg(long, default_value = "tank-farm", value_name = "NAME")]
    pub from: String,
    /// Replace files of these names.
    #[arg(long)]
    pub force: bool,
}

/// `squall explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// What to explain: `group.publish.rate`, `rate`, `e2e_latency`, `{rand.int}`, `check will`; without it,
    /// what there is.
    #[arg(value_name = "KEY")]
    pub topic: Vec<String>,
    /// Print the whole reference as one page of Markdown.
    #[arg(long, conflicts_with = "topic")]
    pub markdown: bool,
}

/// `squall plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Scenario file, or a name that `squall list` shows; `-` is standard input.
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Overrides of the scenario.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// Threads of the generator.
    #[command(flatten)]
    pub workers: WorkerArgs,
}

/// `squall report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Run file (`run.json`), or the folder that holds it.
    #[arg(value_name = "RUN", value_hint = ValueHint::AnyPath)]
    pub run: PathBuf,
    /// Folder for the report [default: the folder of the run file].
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Replace the results of another run in that folder.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as a JSON object on standard output.
    #[arg(long)]
    pub json: bool,
    /// Open the report.
    #[arg(long)]
    pub open: bool,
}

/// `squall index`.
#[derive(Args, Debug)]
pub struct IndexArgs {
    /// Folder that has folders of runs; the page and its file for programs are written into it.
    #[arg(value_name = "FOLDER", default_value = DEFAULT_FOLDER, value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Only runs that began since then: so long before now (`7d`, `12h`), or a date or moment in UTC (`2026-11-01`).
    #[arg(long, value_name = "DURATION|DATE")]
    pub since: Option<Since>,
    /// Print what the page is made from as a JSON object.
    #[arg(long)]
    pub json: bool,
    /// Open the page.
    #[arg(long)]
    pub open: bool,
}

/// `squall broker`.
#[derive(Args, Debug)]
pub struct BrokerArgs {
    /// TCP port; 0 picks a free one. Overrides the config file [default: 1883].
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Address to listen on. Overrides the config file [default: 127.0.0.1].
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Config file (TOML).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Read the config file, say whether it is right, and exit.
    #[arg(long)]
    pub check: bool,
    /// Stop when standard input ends: a parent that dies takes its broker with it.
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// `squall pub`.
#[derive(Args, Debug)]
pub struct PubArgs {
    /// How the client connects to the broker.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Topic Name to publish to.
    #[arg(long, short)]
    pub topic: String,
    /// Payload [default: one message a line of standard input].
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
    /// Quality of Service of the messages: 0, 1 or 2.
    #[arg(long, short, default_value_t = 0, value_parser = value_parser!(u8).range(0..=2))]
    pub qos: u8,
    /// Ask the broker to retain the message.
    #[arg(long, short)]
    pub retain: bool,
}

/// `squall sub`.
#[derive(Args, Debug)]
pub struct SubArgs {
    /// How the client connects to the broker.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Topic Filter. May be repeated.
    #[arg(long = "topic", short = 't', required = true, value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Highest Quality of Service to receive: 0, 1 or 2.
    #[arg(long, short, default_value_t = 0, value_parser = value_parser!(u8).range(0..=2))]
    pub qos: u8,
    /// Exit after N messages.
    #[arg(long, short = 'C', value_name = "N")]
    pub count: Option<u64>,
    /// Print each message's topic, QoS and flags before its payload.
    #[arg(long, short)]
    pub verbose: bool,
}

/// What `squall schema` describes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum SchemaOf {
    /// Scenario files.
    #[default]
    Scenario,
    /// Run files: `run.json`.
    Run,
    /// `summary.json`, which a report and a run have beside `run.json`.
    Summary,
    /// `runs.json`, which several runs have beside their page.
    Runs,
    /// `compare.json`, which a comparison has beside its page.
    Compare,
    /// `index.json`, which a folder of runs has beside its page.
    Index,
    /// `suite.json`, which `squall bench suite` writes beside its page.
    BenchSuite,
}

/// `squall schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// The kind of file that the schema describes.
    #[arg(value_enum, default_value_t)]
    pub of: SchemaOf,
}

/// `squall doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Also say whether these scenarios fit on this machine; exit code 2 if one does not.
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Threads of the generator.
    #[command(flatten)]
    pub workers: WorkerArgs,
}

/// `squall completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell that the script is for.
    #[arg(value_enum)]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// `--help` and the documentation say the same of an exit code, word for word.
    #[test]
    fn exit_codes_have_the_same_words_everywhere() {
        let page = include_str!("../../../docs/results.md");
        let help = Cli::command().render_help().to_string();
        let help: Vec<&str> = help.split_whitespace().collect();
        let help = help.join(" ");

        for code in ExitCode::ALL {
            let meaning = code.in_full();
            let row = format!("| {} | {meaning} |\n", code.code);
            assert!(page.contains(&row), "no {row}");
            let line = format!(" {} {meaning}", code.code);
            assert!(help.contains(&line), "no {line} in {help}");
        }
    }
}
