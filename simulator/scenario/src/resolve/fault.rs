//! `[[fault]]`: what goes wrong.

use std::time::Duration;

use squall_protocol::Version;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use super::group::time;
use crate::file::{ActionWord, DistributionFile, FaultFile, HowWord, ReasonWord, SelectFile};
use crate::id::GroupId;
use crate::{
    BrokerAction, DeviceFault, DisconnectReason, Distribution, DropKind, Fault, FaultAction,
    FaultTarget, FaultTiming, FlapEnd, Group, ReconnectWhen, RunSettings, Select, fits_pattern,
};

/// What a fault does, to what it strikes.
#[derive(Clone, Copy, Debug)]
enum Done {
    ToDevices(FaultAction),
    ToBroker(BrokerAction),
}

/// Most times that one fault may happen.
const TIMES_MAX: u64 = 100_000;

impl Resolver<'_> {
    /// Resolves every fault, in order.
    pub(super) fn resolve_faults(&mut self, files: &[FaultFile], run: &RunSettings, at: &At<'_>) {
        for (index, file) in files.iter().enumerate() {
            let at = at.item(index);
            let done = self.resolve_action(file, &at);
            let name = match &file.name {
                Some(name) => name.clone(),
                None => format!("{}-{index}", file.action.name()),
            };
            let names: Vec<String> = self.faults.iter().map(|f| f.name.clone()).collect();
            self.check_unique("fault", &name, names.iter(), &at.key("name"));
            let timing = self.resolve_timing(file, run, &at);
            let lasts = self.resolve_lasts(file, timing, run, &at);
            let target = match done {
                Done::ToBroker(action) => {
                    self.check_broker_fault(file, timing, lasts.as_ref(), &at);
                    Some(FaultTarget::Broker(action))
                }
                Done::ToDevices(action) => self
                    .resolve_device_fault(file, action, timing, &at)
                    .map(FaultTarget::Devices),
            };
            let Some(target) = target else {
                self.broken_faults.push(name);
                continue;
            };
            self.faults.push(Fault {
                name,
                timing,
                lasts,
                target,
            });
        }
    }

    /// Without its group, what a fault selects cannot be checked.
    fn resolve_device_fault(
        &mut self,
        file: &FaultFile,
        action: FaultAction,
        timing: FaultTiming,
        at: &At<'_>,
    ) -> Option<DeviceFault> {
        let devices = DeviceFault {
            group: self.resolve_group_of(file, at)?,
            select: resolve_select(file.select.as_ref()),
            action,
            malformations: self.resolve_malformations(file, at),
        };
        self.check_selection(&devices, at);
        self.check_version(&devices, at);
        self.check_link(&devices, at);
        self.check_mute(&devices, at);
        self.check_malformations(&devices, at);
        self.check_room(&devices, timing, at);
        Some(devices)
    }

    fn resolve_group_of(&mut self, file: &FaultFile, at: &At<'_>) -> Option<GroupId> {
        let Some(group) = &file.group else {
            self.needed_by(file.action, "group", at);
            return None;
        };
        let known = self.group_names();
        let group = self.look_up("group", group, &known, &at.key("group"));
        group.map(GroupId)
    }

    /// How long a fault lasts. One that lasts equally long each time must end within the measured part.
    fn resolve_lasts(
        &mut self,
        file: &FaultFile,
        timing: FaultTiming,
        run: &RunSettings,
        at: &At<'_>,
    ) -> Option<Distribution> {
        let Some(lasts) = &file.lasts else {
            if file.action.is_lasting() {
                self.needed_by(file.action, "lasts", at);
            }
            return None;
        };
        if !file.action.is_lasting() {
            self.misplaced(
                at,
                "lasts",
                "an action that lasts, such as `stall` or `partition`",
            );
            return None;
        }
        let at = at.key("lasts");
        let lasts = self.resolve_distribution(Some(lasts), &at);
        if lasts.is_zero() {
            self.check_above_zero(Duration::ZERO, &at);
        } else if let Distribution::Constant { value } = lasts {
            let ends = timing.last() + value;
            if timing.last() <= run.duration && ends > run.duration {
                let what = format!(
                    "it ends at {}, after the end of the measured part, at {}",
                    format_duration(ends),
                    format_duration(run.duration)
                );
                let remedy = format!("a `run.duration` of at least {}", format_duration(ends));
                self.contradiction(&at, what, remedy);
            }
        }
        Some(lasts)
    }

    /// A key is missing that the action needs.
    pub(super) fn needed_by(&mut self, action: ActionWord, key: &str, at: &At<'_>) {
        let reason = format!("`action = \"{}\"`", action.name());
        self.needed(at, "action", key, &reason);
    }

    fn resolve_timing(&mut self, file: &FaultFile, run: &RunSettings, at: &At<'_>) -> FaultTiming {
        self.exactly_one("`fault`", &["at", "every"], at);
        if file.every.is_none() {
            self.misplaced(at, "for", "`every`");
        }
        let (key, timing, last) = match (time(file.at), time(file.every)) {
            (Some(moment), _) => ("at", FaultTiming::At(moment), moment),
            (None, Some(period)) => {
                self.check_above_zero(period, &at.key("every"));
                let until = time(file.repeats_for).unwrap_or(run.duration);
                if until < period {
                    let what = format!(
                        "a fault every {} does not happen within {}",
                        format_duration(period),
                        format_duration(until)
                    );
                    let remedy = "a shorter `every`, or a longer `for` or `run.duration`";
                    self.contradiction(&at.key("every"), what, remedy.to_owned());
                }
                let key = if file.repeats_for.is_some() {
                    "for"
                } else {
                    "every"
                };
                (key, FaultTiming::Every { period, until }, until)
            }
            (None, None) => return FaultTiming::At(Duration::ZERO),
        };
        if timing.count() > TIMES_MAX {
            let problem = Mistake::OutOfRange {
                value: format!("{} times", timing.count()),
                range: format!("at most {TIMES_MAX}"),
            };
            self.diagnostics.value(&at.key("every"), problem);
        }
        if last > run.duration {
            let what = format!(
                "{} is after the end of the measured part, at {}",
                format_duration(last),
                format_duration(run.duration)
            );
            let remedy = format!("a `run.duration` of at least {}", format_duration(last));
            self.contradiction(&at.key(key), what, remedy);
        }
        timing
    }

    fn resolve_action(&mut self, file: &FaultFile, at: &At<'_>) -> Done {
        self.check_words(file, at);
        if file.action != ActionWord::Network {
            self.misplaced(at, "profile", "`action = \"network\"`");
        }
        Done::ToDevices(match file.action {
            ActionWord::KillBroker => return Done::ToBroker(BrokerAction::Kill),
            ActionWord::PauseBroker => return Done::ToBroker(BrokerAction::Pause),
            ActionWord::RestartBroker => return Done::ToBroker(BrokerAction::Restart),
            ActionWord::Drop => match file.how {
                Some(how) => {
                    self.check_tls_abort(how, &at.key("how"));
                    FaultAction::Drop(resolve_how(how))
                }
                None => {
                    self.needed_by(file.action, "how", at);
                    FaultAction::Drop(DropKind::Fin)
                }
            },
            ActionWord::Disconnect => FaultAction::Disconnect(match file.reason {
                Some(ReasonWord::WithWill) => DisconnectReason::WithWill,
                Some(ReasonWord::Normal) | None => DisconnectReason::Normal,
            }),
            ActionWord::Takeover => FaultAction::Takeover(self.resolve_contenders(file, at)),
            ActionWord::Stall => FaultAction::Stall,
            ActionWord::Mute => FaultAction::Mute,
            ActionWord::Flap => self.resolve_flap(file, at),
            ActionWord::Network => self.resolve_change(file, at),
            ActionWord::Partition => FaultAction::Partition,
        })
    }

    /// Only a connection under TLS can be closed without its close_notify.
    fn check_tls_abort(&mut self, how: HowWord, at: &At<'_>) {
        let has_tls = self.transports.iter().any(|transport| transport.has_tls());
        if how == HowWord::TlsAbort && !has_tls {
            let what = "`tls_abort` is about TLS, and clients speak to this target without it";
            let remedy = "`how = \"fin\"`, or a `target.url` of `mqtts://…` or `wss://…`";
            self.contradiction(at, what.to_owned(), remedy.to_owned());
        }
    }

    /// A fault that takes no device, or more than there are, is a slip.
    fn check_selection(&mut self, fault: &DeviceFault, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        let (what, remedy) = match &fault.select {
            Select::Match(pattern) => {
                let fits = |index| fits_pattern(pattern, &group.client_id_of(index));
                if (0..group.count).any(fits) {
                    return;
                }
                let example = group.client_id_of(0);
                (
                    format!("no client id of group `{}` fits {pattern:?}", group.name),
                    format!("a pattern for client ids such as {example:?}"),
                )
            }
            Select::Fraction(_) if fault.select.wanted(group.count) == Some(0) => (
                format!(
                    "this share of {} devices is less than one device",
                    group.count
                ),
                "a larger `fraction`, or `count = 1`".to_owned(),
            ),
            Select::Count(wanted) if *wanted > group.count => (
                format!("group `{}` has {} devices", group.name, group.count),
                format!("a `count` of at most {}", group.count),
            ),
            Select::All | Select::Fraction(_) | Select::Count(_) => return,
        };
        self.contradiction(&at.key("select"), what, remedy);
    }

    fn check_version(&mut self, fault: &DeviceFault, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        let says_with_will = match fault.action {
            FaultAction::Disconnect(reason) => reason == DisconnectReason::WithWill,
            FaultAction::Flap(flap) => flap.end == FlapEnd::Disconnect(DisconnectReason::WithWill),
            FaultAction::Drop(_)
            | FaultAction::Takeover(_)
            | FaultAction::Stall
            | FaultAction::Mute
            | FaultAction::Network(_)
            | FaultAction::Partition => false,
        };
        if says_with_will && group.version == Version::V3_1_1 {
            self.misplaced(at, "reason", "`protocol = \"5.0\"`");
        }
    }

    /// Faults of one moment that end connections must leave each other enough devices.
    fn check_room(&mut self, fault: &DeviceFault, timing: FaultTiming, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        let FaultTiming::At(moment) = timing else {
            return;
        };
        let Some(wanted) = self.gone_after(fault, group) else {
            return;
        };
        let before: u32 = self
            .faults
            .iter()
            .filter(|other| matches!(other.timing, FaultTiming::At(at) if at <= moment))
            .filter_map(Fault::devices)
            .filter(|other| other.group == fault.group)
            .filter_map(|other| self.gone_after(other, group))
            .fold(0, u32::saturating_add);
        let left = group.count.saturating_sub(before);
        // A selection of more devices than the group has is another mistake, noted before.
        if wanted > left && wanted <= group.count {
            let what = format!(
                "it takes {wanted} of {} devices of group `{}`, and earlier faults leave {left}",
                group.count, group.name
            );
            let remedy = "smaller selections, or `reconnect = { when = \"always\" }`".to_owned();
            self.contradiction(&at.key("select"), what, remedy);
        }
    }

    /// Devices of `group` that are gone for good after `fault`, if that can be told.
    fn gone_after(&self, fault: &DeviceFault, group: &Group) -> Option<u32> {
        match (fault.action, group.reconnect.when) {
            (
                FaultAction::Takeover(_)
                | FaultAction::Stall
                | FaultAction::Mute
                | FaultAction::Flap(_)
                | FaultAction::Network(_)
                | FaultAction::Partition,
                _,
            )
            | (_, ReconnectWhen::Always) => None,
            (FaultAction::Drop(_) | FaultAction::Disconnect(_), _) => {
                fault.select.wanted(group.count)
            }
        }
    }
}

/// The kind of drop that a fault is, if it is one.
pub(super) fn drop_kind(file: &FaultFile) -> Option<DropKind> {
    match file.action {
        ActionWord::Drop => file.how.map(resolve_how),
        ActionWord::Flap => match file.reason {
            Some(_) => None,
            None => Some(file.how.map_or(DropKind::Fin, resolve_how)),
        },
        ActionWord::Disconnect
        | ActionWord::Takeover
        | ActionWord::Stall
        | ActionWord::Mute
        | ActionWord::Network
        | ActionWord::Partition
        | ActionWord::KillBroker
        | ActionWord::PauseBroker
        | ActionWord::RestartBroker => None,
    }
}

/// How long a fault lasts if that is always the same; zero where it is drawn, or is done in a moment.
pub(super) fn usual_length(file: &FaultFile) -> Duration {
    match &file.lasts {
        Some(DistributionFile::Constant(length)) => length.0,
        Some(DistributionFile::Shape(_)) | None => Duration::ZERO,
    }
}

pub(super) fn resolve_how(how: HowWord) -> DropKind {
    match how {
        HowWord::Silent => DropKind::Silent,
        HowWord::Fin => DropKind::Fin,
        HowWord::Rst => DropKind::Rst,
        HowWord::HalfClose => DropKind::HalfClose,
        HowWord::MidPacket => DropKind::MidPacket,
        HowWord::Malformed => DropKind::Malformed,
        HowWord::TlsAbort => DropKind::TlsAbort,
    }
}

fn resolve_select(file: Option<&SelectFile>) -> Select {
    match file {
        None => Select::All,
        Some(SelectFile::Fraction(share)) => Select::Fraction(*share),
        Some(SelectFile::Count(count)) => Select::Count(*count),
        Some(SelectFile::Match(pattern)) => Select::Match(pattern.clone()),
    }
}
