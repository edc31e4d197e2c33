//! Turns a file into a [`Scenario`]: looks names up, fills defaults in, and refuses what cannot be
//! or contradicts itself.
//!
//! The shape of the document has been checked before. Every function here returns a value even
//! where something is wrong, and notes what, so that one look at a file tells all of it; a
//! scenario with a single note is never handed out.

mod attendance;
mod backoff;
mod bandwidth;
mod broker_fault;
mod claim;
mod csv_table;
mod description;
mod distribution;
mod fault;
mod flap;
mod group;
mod keep_alive;
mod kept;
mod link_fault;
mod login;
mod malformed;
mod mute;
mod network;
mod pacing;
mod payload;
mod properties;
mod publish;
mod respond;
mod same_filter;
mod share;
mod sizes;
mod stamp;
mod subscribe;
mod target;
mod template;
mod tls;
mod will_time;
mod within;

use std::time::Duration;

use indexmap::IndexMap;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use crate::error::{Diagnostics, Problem};
use crate::file::{BeginWord, DurationText, FaultFile, RunFile, ScenarioFile, VarFile};
use crate::model::threshold::{Condition, MetricSelector};
use crate::{
    Fault, Group, LoadBegin, Login, Network, RunSettings, Scenario, Surroundings, Threshold, Tls,
    Transport, UrlTarget,
};
use description::feature;
pub(crate) use description::resolve_description;
pub(crate) use respond::may_match;

/// Longest name, in characters: with a time behind it, it has to fit into the name of a folder.
const NAME_CHARS_MAX: usize = 100;

/// Most blocks, thresholds or variables. Ids of blocks have 16 bits.
const BLOCKS_MAX: usize = 1_000;

/// Most devices of a run.
const DEVICES_MAX: u64 = 1_000_000;

/// `run.duration` unless a fault needs longer.
const DURATION_DEFAULT: Duration = Duration::from_secs(30);

/// `run.drain` unless the file says otherwise.
const DRAIN_DEFAULT: Duration = Duration::from_secs(5);

/// `run.connect_timeout` unless the file says otherwise.
const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// What a default `run.duration` leaves after the last fault's last consequence.
const MARGIN: Duration = Duration::from_secs(5);

/// Resolves `file`, whose document begins at `root`, with what lies around it.
pub(crate) fn resolve(
    mut file: ScenarioFile,
    root: &At<'_>,
    surroundings: &dyn Surroundings,
    diagnostics: &mut Diagnostics,
) -> Scenario {
    let mut resolver = Resolver::new(surroundings, diagnostics);
    // The schema keeps it from being negative.
    resolver.seed = file.seed.unwrap_or_default().unsigned_abs();
    resolver.check_sizes(&mut file, root);
    resolver.check_name(&file.name, &root.key("name"));
    resolver.vars = file.vars.iter().map(var_text).collect();
    resolver.target_login = resolver.resolve_target_login(&file.target, &root.key("target"));
    let sources = resolver.resolve_sources(&file.target, &root.key("target"));
    let target = resolver.resolve_target(&file.target, &root.key("target"));
    resolver.transports = target.transports();
    resolver.target_url = target.url().cloned();
    let at_tls = root.key("target").key("tls");
    resolver.target_tls = resolver.resolve_tls(file.target.tls.as_ref(), &at_tls);
    resolver.resolve_networks(&file.network, &root.key("network"));
    resolver.resolve_groups(&file.group, &root.key("group"));
    resolver.check_responses(&root.key("group"));
    let run = resolver.resolve_run(&file, &root.key("run"));
    resolver.check_stamps(&run, &root.key("group"));
    resolver.check_commands(&root.key("group"));
    resolver.check_bandwidths(&run, &root.key("group"));
    resolver.check_subscribe_times(&file.group, &run, &root.key("group"));
    resolver.resolve_faults(&file.fault, &run, &root.key("fault"));
    resolver.run_ends = run.duration.saturating_add(run.drain);
    let expectations = resolver.resolve_expectations(&file.expect, &root.key("expect"));
    let thresholds = resolver.resolve_thresholds(&file.thresholds, &root.key("thresholds"));
    let traits = resolver.resolve_traits(&file.target, &target);
    Scenario {
        name: file.name,
        description: file.description.unwrap_or_default(),
        seed: resolver.seed,
        extends: Vec::new(),
        needs: file.needs.into_iter().map(feature).collect(),
        vars: resolver.vars,
        target,
        traits,
        sources,
        tls: resolver.target_tls,
        tls_of_groups: resolver.tls_of_groups,
        login: resolver.target_login,
        run,
        networks: resolver.networks,
        groups: resolver.groups,
        faults: resolver.faults,
        expectations,
        thresholds,
    }
}

/// What has been resolved so far.
struct Resolver<'a> {
    diagnostics: &'a mut Diagnostics,
    surroundings: &'a dyn Surroundings,
    /// What `[target]` says that clients log in with.
    target_login: Login,
    /// Where the target is, if squall does not start it.
    target_url: Option<UrlTarget>,
    /// What clients speak at each address of the target.
    transports: Vec<Transport>,
    /// What `[target]` says of TLS.
    target_tls: Tls,
    /// What groups say of it, by [`crate::TlsId`] from 1 on.
    tls_of_groups: Vec<Tls>,
    vars: IndexMap<String, String>,
    /// The columns of the file of the group that is being resolved, each with its rows.
    feed: Option<Vec<(String, Vec<String>)>>,
    /// The seed of the run.
    seed: u64,
    networks: Vec<Network>,
    groups: Vec<Group>,
    faults: Vec<Fault>,
    /// Names of faults that are there, and that a mistake kept from being resolved.
    broken_faults: Vec<String>,
    /// The end of the drain, from the beginning of the measured part.
    run_ends: Duration,
}

impl<'a> Resolver<'a> {
    fn new(surroundings: &'a dyn Surroundings, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            diagnostics,
            surroundings,
            target_login: Login::default(),
            target_url: None,
            transports: vec![Transport::Tcp],
            target_tls: Tls::default(),
            tls_of_groups: Vec::new(),
            vars: IndexMap::new(),
            feed: None,
            seed: 0,
            networks: Vec::new(),
            groups: Vec::new(),
            faults: Vec::new(),
            broken_faults: Vec::new(),
            run_ends: Duration::ZERO,
        }
    }
}

impl Resolver<'_> {
    /// Blocks beyond the limit are refused together and left out of what follows.
    fn check_sizes(&mut self, file: &mut ScenarioFile, root: &At<'_>) {
        if file.group.is_empty() {
            let problem = Problem::MissingKey {
                place: "the file".to_owned(),
                keys: vec!["group".to_owned()],
            };
            self.diagnostics.key(root, problem);
        }
        let blocks = [
            ("network", file.network.len()),
            ("group", file.group.len()),
            ("fault", file.fault.len()),
            ("expect", file.expect.len()),
            ("thresholds", file.thresholds.len()),
            ("vars", file.vars.len()),
        ];
        for (key, count) in blocks {
            if count > BLOCKS_MAX {
                let problem = Mistake::OutOfRange {
                    value: format!("{count} of `{key}`"),
                    range: format!("at most {BLOCKS_MAX}"),
                };
                self.diagnostics.key(&root.key(key), problem);
            }
        }
        let devices: u64 = file.group.iter().map(|group| u64::from(group.count)).sum();
        if devices > DEVICES_MAX {
            let problem = Mistake::OutOfRange {
                value: format!("{devices} devices"),
                range: format!("at most {DEVICES_MAX}"),
            };
            self.diagnostics.key(&root.key("group"), problem);
        }
        file.network.truncate(BLOCKS_MAX);
        file.group.truncate(BLOCKS_MAX);
        file.fault.truncate(BLOCKS_MAX);
        file.expect.truncate(BLOCKS_MAX);
        file.thresholds.truncate(BLOCKS_MAX);
        file.vars.truncate(BLOCKS_MAX);
    }

    /// Names are used in dotted keys, tags and file names.
    fn check_name(&mut self, name: &str, at: &At<'_>) {
        let is_name = (1..=NAME_CHARS_MAX).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !is_name {
            let name = name.to_owned();
            self.diagnostics.value(at, Problem::BadName { name });
        }
    }

    /// Checks a name that must differ from those of `others`.
    fn check_unique<'n>(
        &mut self,
        kind: &'static str,
        name: &str,
        mut others: impl Iterator<Item = &'n String>,
        at: &At<'_>,
    ) {
        self.check_name(name, at);
        if others.any(|other| other == name) {
            let name = name.to_owned();
            self.diagnostics
                .value(at, Problem::DuplicateName { kind, name });
        }
    }

    /// The place of `name` among `known`.
    fn look_up(
        &mut self,
        kind: &'static str,
        name: &str,
        known: &[String],
        at: &At<'_>,
    ) -> Option<u16> {
        let position = known.iter().position(|known| known == name);
        let id = position.and_then(|position| u16::try_from(position).ok());
        if id.is_none() {
            let problem = Problem::UnknownName {
                kind,
                name: name.to_owned(),
                known: known.to_vec(),
            };
            self.diagnostics.value(at, problem);
        }
        id
    }

    fn group_names(&self) -> Vec<String> {
        self.groups.iter().map(|group| group.name.clone()).collect()
    }

    fn resolve_run(&mut self, file: &ScenarioFile, at: &At<'_>) -> RunSettings {
        let &RunFile {
            warmup,
            duration,
            begin,
            drain,
            connect_timeout,
            abort_on_fail,
            repeat,
        } = &file.run;
        let time = |text: Option<DurationText>, default| text.map_or(default, |text| text.0);
        let connect_timeout_at = at.key("connect_timeout");
        let connect_timeout = time(connect_timeout, CONNECT_TIMEOUT_DEFAULT);
        self.check_above_zero(connect_timeout, &connect_timeout_at);
        let duration = time(duration, self.default_duration(file));
        self.check_above_zero(duration, &at.key("duration"));
        RunSettings {
            warmup: time(warmup, Duration::ZERO),
            begin: match begin {
                None | Some(BeginWord::Connected) => LoadBegin::Connected,
                Some(BeginWord::AtOnce) => LoadBegin::AtOnce,
            },
            duration,
            drain: time(drain, DRAIN_DEFAULT),
            connect_timeout,
            abort_on_fail: abort_on_fail.unwrap_or(false),
            repeat: repeat.unwrap_or(1),
        }
    }

    fn check_above_zero(&mut self, duration: Duration, at: &At<'_>) {
        if duration.is_zero() {
            let problem = Mistake::OutOfRange {
                value: "0s".to_owned(),
                range: "above 0s".to_owned(),
            };
            self.diagnostics.value(at, problem);
        }
    }

    /// Long enough for the last fault and what follows from it.
    fn default_duration(&self, file: &ScenarioFile) -> Duration {
        let last = file.fault.iter().map(|fault| {
            let times = [fault.at, fault.repeats_for, fault.every];
            let time = times.into_iter().flatten().next();
            let time = time.map_or(Duration::ZERO, |text| text.0);
            let time = time.saturating_add(fault::usual_length(fault));
            time.saturating_add(self.longest_consequence(fault, file))
        });
        last.max()
            .map_or(DURATION_DEFAULT, |last| last.saturating_add(MARGIN))
            .max(DURATION_DEFAULT)
    }

    /// The longest time from `fault` to something that it must bring about.
    fn longest_consequence(&self, fault: &FaultFile, file: &ScenarioFile) -> Duration {
        let mut groups = self.groups.iter();
        let group = groups.find(|group| fault.group.as_ref() == Some(&group.name));
        let notice = match (fault::drop_kind(fault), group) {
            (Some(crate::DropKind::Silent), Some(group)) => group.keep_alive_limit(),
            _ => None,
        };
        let promised = within::promised_time(fault, &file.expect);
        let delay = group.map_or(Duration::ZERO, crate::Group::will_delay_of_the_gone);
        let waited = promised.max(notice).unwrap_or_default();
        let closed = keep_alive::promised_close(fault, &file.expect);
        let closed = closed
            .zip(notice)
            .map(|(limit, notice)| notice.saturating_add(limit));
        waited.saturating_add(delay).max(closed.unwrap_or_default())
    }

    fn resolve_thresholds(
        &mut self,
        file: &IndexMap<String, Vec<String>>,
        at: &At<'_>,
    ) -> Vec<Threshold> {
        let groups = self.group_names();
        let mut thresholds = Vec::new();
        for (text, conditions) in file {
            let at = at.key(text);
            let selector = match MetricSelector::parse(text, &groups) {
                Ok(selector) => selector,
                Err(error) => {
                    self.diagnostics.key(&at, error);
                    continue;
                }
            };
            if conditions.is_empty() {
                let problem = Mistake::OutOfRange {
                    value: "an array of 0".to_owned(),
                    range: "at least 1 long".to_owned(),
                };
                self.diagnostics.value(&at, problem);
            }
            let mut parsed = Vec::new();
            for (index, text) in conditions.iter().enumerate() {
                match Condition::parse(text, selector.metric) {
                    Ok(condition) => parsed.push(condition),
                    Err(error) => self.diagnostics.value(&at.item(index), error),
                }
            }
            thresholds.push(Threshold {
                selector,
                conditions: parsed,
            });
        }
        thresholds
    }

    /// Keys of which exactly one must be there; notes it if not.
    fn exactly_one(&mut self, place: &str, keys: &[&str], at: &At<'_>) {
        let owned = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
        let present: Vec<&str> = keys
            .iter()
            .copied()
            .filter(|key| at.key(key).is_written())
            .collect();
        match present.as_slice() {
            [_] => {}
            [] => {
                let problem = Problem::MissingKey {
                    place: place.to_owned(),
                    keys: owned(keys),
                };
                self.diagnostics.key(at, problem);
            }
            [.., last] => {
                let problem = Problem::Exclusive {
                    keys: owned(&present),
                };
                self.diagnostics.key(&at.key(last), problem);
            }
        }
    }

    /// Notes that the key at `at` makes sense under `condition` only.
    fn misplaced(&mut self, at: &At<'_>, key: &str, condition: &str) {
        let at = at.key(key);
        if at.is_written() {
            let problem = Problem::Misplaced {
                key: key.to_owned(),
                condition: condition.to_owned(),
            };
            self.diagnostics.key(&at, problem);
        }
    }

    /// Notes that values which are possible one by one contradict each other.
    fn contradiction(&mut self, at: &At<'_>, what: String, remedy: String) {
        self.diagnostics
            .value(at, Problem::Contradiction { what, remedy });
    }
}

fn var_text((name, value): (&String, &VarFile)) -> (String, String) {
    let text = match value {
        VarFile::Bool(value) => value.to_string(),
        VarFile::Integer(value) => value.to_string(),
        VarFile::Float(value) => value.to_string(),
        VarFile::Text(value) => value.clone(),
    };
    (name.clone(), text)
}
