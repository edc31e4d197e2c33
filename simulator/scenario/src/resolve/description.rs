//! Files that describe a broker, and what a scenario needs that its broker lacks.

use squall_toml::at::At;

use super::Resolver;
use crate::error::Diagnostics;
use crate::file::{DescriptionFile, FeatureWord, ProtocolWord, TargetFile};
use crate::{Feature, NoSurroundings, TargetDescription};

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
    let has_place = described.url.is_some() || described.spawn.is_some();
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
    /// What the target lacks; a group that needs one of them is noted.
    pub(super) fn resolve_lacks(&mut self, file: &TargetFile, at: &At<'_>) -> Vec<Feature> {
        let lacks: Vec<Feature> = file.lacks.iter().copied().map(feature).collect();
        for lacking in &lacks {
            let needing = self.groups.iter().find(|group| lacking.is_needed_by(group));
            let Some(group) = needing else { continue };
            let what = format!(
                "group {:?} needs {}, which this target does not have",
                group.name,
                lacking.in_sentence()
            );
            let remedy = "another target, or a scenario that does without".to_owned();
            self.contradiction(&at.key("lacks"), what, remedy);
        }
        lacks
    }
}

fn feature(word: FeatureWord) -> Feature {
    match word {
        FeatureWord::Qos2 => Feature::Qos2,
        FeatureWord::Retained => Feature::Retained,
        FeatureWord::Wills => Feature::Wills,
        FeatureWord::PersistentSessions => Feature::PersistentSessions,
        FeatureWord::SharedSubscriptions => Feature::SharedSubscriptions,
        FeatureWord::WillDelay => Feature::WillDelay,
    }
}
