//! Files that describe a broker, and what a scenario needs that its broker lacks.

use squall_run::Keeps;
use squall_toml::at::At;

use super::Resolver;
use crate::error::Diagnostics;
use crate::file::{DescriptionFile, FeatureWord, KeepsWord, ProtocolWord, TargetFile};
use crate::{Feature, NoSurroundings, Target, TargetDescription, TargetTraits};

/// Resolves `file`, whose document begins at `root`.
pub(crate) fn resolve_description(
    file: DescriptionFile,
    root: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> TargetDescription {
    let mut resolver = Resolver::new(&NoSurroundings, diagnostics);
    resolver.check_name(&file.name, &root.key("name"));
    let at = root.key("target");
    let described = file.target.unwrap_or_default();
    let is_own = !at.is_written();
    let has_place = !described.url.is_empty() || described.spawn.is_some();
    let target = resolver.resolve_target(&described, &at);
    TargetDescription {
        name: file.name,
        about: file.about,
        tested: file.tested,
        install: file.install,
        notes: file.notes,
        target: (is_own || has_place).then_some(target),
        is_3_1_1_only: matches!(described.protocol, Some(ProtocolWord::V3_1_1)),
        lacks: described.lacks.into_iter().map(feature).collect(),
    }
}

impl Resolver<'_> {
    /// What is known of the target. A group that needs what it lacks, and that nothing was brought down for, is a reason
    /// to skip the scenario.
    pub(super) fn resolve_traits(&self, file: &TargetFile, target: &Target) -> TargetTraits {
        let lacks: Vec<Feature> = file.lacks.iter().copied().map(feature).collect();
        let reasons = lacks.iter().filter_map(|lacking| {
            let needing = self
                .groups
                .iter()
                .find(|group| lacking.is_needed_by(group))?;
            Some(format!(
                "group {} needs {}, which this target does not have",
                needing.name,
                lacking.in_sentence()
            ))
        });
        TargetTraits {
            skipped_because: reasons.collect(),
            lacks,
            keeps: match target {
                Target::Embedded => Some(Keeps::Nothing),
                Target::Url(_) | Target::Spawn(_) => file.keeps.map(keeps),
            },
            ..TargetTraits::default()
        }
    }
}

fn keeps(word: KeepsWord) -> Keeps {
    match word {
        KeepsWord::Nothing => Keeps::Nothing,
        KeepsWord::Disk => Keeps::Disk,
    }
}

pub(super) fn feature(word: FeatureWord) -> Feature {
    match word {
        FeatureWord::Qos2 => Feature::Qos2,
        FeatureWord::Retained => Feature::Retained,
        FeatureWord::RetainedWildcards => Feature::RetainedWildcards,
        FeatureWord::Wills => Feature::Wills,
        FeatureWord::PersistentSessions => Feature::PersistentSessions,
        FeatureWord::SharedSubscriptions => Feature::SharedSubscriptions,
        FeatureWord::WillDelay => Feature::WillDelay,
    }
}
