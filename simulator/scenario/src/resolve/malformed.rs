//! Malformed packets: the kinds of a fault, and the check of what becomes of them.

use squall_protocol::{Malformation, Version};
use squall_toml::at::At;

use super::Resolver;
use crate::file::{ExpectFile, FaultFile, HowWord, MalformedForms, MalformedWord};
use crate::{DeviceFault, DropKind, Fault, MalformedClaim};

impl Resolver<'_> {
    /// The rules that the packets of a fault break; none if it sends no malformed ones.
    pub(super) fn resolve_malformations(
        &mut self,
        file: &FaultFile,
        at: &At<'_>,
    ) -> Vec<Malformation> {
        if file.how != Some(HowWord::Malformed) {
            self.misplaced(at, "kind", "`how = \"malformed\"`");
            return Vec::new();
        }
        match &file.kind {
            None => vec![Malformation::ReservedFlags],
            Some(MalformedForms::One(word)) => vec![malformation(*word)],
            Some(MalformedForms::Several(words)) => {
                words.iter().map(|&word| malformation(word)).collect()
            }
        }
    }

    /// The devices of a fault must have what it breaks.
    pub(super) fn check_malformations(&mut self, fault: &DeviceFault, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        let version = group.version;
        let mut kinds = fault.malformations.iter();
        if let Some(kind) = kinds.find(|kind| !kind.exists_in(version)) {
            let what = format!(
                "`{}` breaks a rule of MQTT 5.0, and group `{}` speaks 3.1.1",
                kind.name(),
                group.name
            );
            let remedy = "`protocol = \"5.0\"`, or another kind".to_owned();
            self.contradiction(&at.key("kind"), what, remedy);
        }
    }

    /// A claim about malformed packets needs a fault that sends some, and one about reasons a group of 5.0.
    pub(super) fn check_malformed_claim(&mut self, claim: &MalformedClaim, at: &At<'_>) {
        let sends = |fault: &&Fault| fault.drop_kind() == Some(DropKind::Malformed);
        let senders: Vec<Version> = self
            .faults
            .iter()
            .filter(sends)
            .filter_map(Fault::devices)
            .map(|devices| self.groups[usize::from(devices.group.0)].version)
            .collect();
        let remedy = "a `[[fault]]` with `action = \"drop\"` and `how = \"malformed\"`".to_owned();
        if senders.is_empty() {
            let what = "no fault sends a malformed packet".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        } else if claim.reason_correct && !senders.contains(&Version::V5) {
            let what = "MQTT 3.1.1 tells no reason when it closes".to_owned();
            self.contradiction(
                &at.key("reason"),
                what,
                format!("{remedy} in a group of 5.0"),
            );
        }
    }
}

/// The claim of a `malformed`, `None` for any other check.
pub(super) fn malformed_claim(file: &ExpectFile) -> Option<MalformedClaim> {
    let ExpectFile::Malformed {
        closed_within,
        reason,
    } = file
    else {
        return None;
    };
    Some(MalformedClaim {
        closed_within: closed_within.map(|text| text.0),
        reason_correct: reason.is_some(),
    })
}

fn malformation(word: MalformedWord) -> Malformation {
    match word {
        MalformedWord::ReservedFlags => Malformation::ReservedFlags,
        MalformedWord::ReservedType => Malformation::ReservedType,
        MalformedWord::Qos3 => Malformation::Qos3,
        MalformedWord::PacketIdZero => Malformation::PacketIdZero,
        MalformedWord::WildcardTopic => Malformation::WildcardTopic,
        MalformedWord::InvalidUtf8 => Malformation::InvalidUtf8,
        MalformedWord::NullCharacter => Malformation::NullCharacter,
        MalformedWord::SecondConnect => Malformation::SecondConnect,
        MalformedWord::OverlongLength => Malformation::OverlongLength,
        MalformedWord::EmptySubscribe => Malformation::EmptySubscribe,
        MalformedWord::Truncated => Malformation::Truncated,
        MalformedWord::UnknownProperty => Malformation::UnknownProperty,
    }
}
