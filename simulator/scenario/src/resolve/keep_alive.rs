//! `check = "keep_alive"`.

use std::time::Duration;

use squall_toml::at::At;

use super::Resolver;
use crate::file::{ExpectFile, FaultFile};
use crate::{DropKind, Fault, KeepAliveClaim};

impl Resolver<'_> {
    /// A claim about Keep Alive needs a device with one that falls silent.
    pub(super) fn check_keep_alive(&mut self, at: &At<'_>) {
        let is_judged = |fault: &Fault| {
            let group = fault.devices().map(|devices| devices.group);
            let group = group.map(|group| &self.groups[usize::from(group.0)]);
            let is_silent = fault.drop_kind() == Some(DropKind::Silent);
            (is_silent || fault.is_mute()) && group.is_some_and(|group| group.keep_alive > 0)
        };
        if !self.faults.iter().any(is_judged) {
            let what = "no fault silences a device that has a Keep Alive".to_owned();
            let remedy = "a `[[fault]]` with `action = \"mute\"`, or `action = \"drop\"` and `how = \"silent\"`, of a group whose `keep_alive` is above 0s";
            return self.contradiction(&at.key("check"), what, remedy.to_owned());
        }
        let mut judged = self.faults.iter().filter(|fault| is_judged(fault));
        let outlasted: Option<Vec<_>> =
            judged.by_ref().map(|fault| self.outlasted(fault)).collect();
        if let Some((what, remedy)) = outlasted.and_then(|all| all.into_iter().next()) {
            self.contradiction(&at.key("check"), what, remedy);
        }
    }
}

/// The claim of a `keep_alive`, `None` for any other check.
pub(super) fn keep_alive_claim(file: &ExpectFile) -> Option<KeepAliveClaim> {
    let ExpectFile::KeepAlive {
        closed_within,
        closed_early,
    } = file
    else {
        return None;
    };
    Some(KeepAliveClaim {
        closed_within: closed_within.0,
        closed_early: closed_early.unwrap_or(0),
    })
}

/// The longest time beyond Keep Alive that a claim gives to the end of a connection that `fault` silences.
pub(super) fn promised_close(fault: &FaultFile, claims: &[ExpectFile]) -> Option<Duration> {
    let is_silent = super::fault::drop_kind(fault) == Some(DropKind::Silent);
    let limits = claims.iter().filter_map(keep_alive_claim);
    let limits = limits.map(|claim| claim.closed_within);
    limits.max().filter(|_| is_silent)
}
