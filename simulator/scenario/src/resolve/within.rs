//! `within` of the check `will`: one limit for every kind of drop, or one for each.

use std::collections::BTreeMap;
use std::time::Duration;

use super::group::time;
use crate::DropKind;
use crate::file::{ExpectFile, FaultFile, LimitsFile, WithinFile};

/// The limits that `file` gives for wills after drops of these `kinds`. One for a kind that is not among
/// them is kept, so that it can be refused.
pub(super) fn resolve_within(
    file: &WithinFile,
    kinds: impl Iterator<Item = DropKind>,
) -> BTreeMap<DropKind, Duration> {
    match file {
        WithinFile::All(limit) => kinds.map(|kind| (kind, limit.0)).collect(),
        WithinFile::Each(limits) => each(limits),
    }
}

fn each(limits: &LimitsFile) -> BTreeMap<DropKind, Duration> {
    let limits = [
        (DropKind::Silent, limits.silent),
        (DropKind::Fin, limits.fin),
        (DropKind::Rst, limits.rst),
        (DropKind::HalfClose, limits.half_close),
        (DropKind::MidPacket, limits.mid_packet),
        (DropKind::Malformed, limits.malformed),
        (DropKind::TlsAbort, limits.tls_abort),
    ];
    limits
        .into_iter()
        .filter_map(|(kind, limit)| Some((kind, time(limit)?)))
        .collect()
}

/// The longest time that a claim gives to what follows from `fault`.
pub(super) fn promised_time(fault: &FaultFile, claims: &[ExpectFile]) -> Option<Duration> {
    let kind = super::fault::drop_kind(fault)?;
    let promised = claims.iter().filter_map(|claim| {
        let ExpectFile::Will { after, within, .. } = claim else {
            return None;
        };
        let is_meant = after.iter().any(|name| Some(name) == fault.name.as_ref());
        let limit = resolve_within(within, std::iter::once(kind)).remove(&kind);
        limit.filter(|_| is_meant)
    });
    promised.max()
}
