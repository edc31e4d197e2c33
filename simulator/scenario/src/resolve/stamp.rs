//! Where messages have their stamps: subscribers must see them.

use squall_protocol::Version;
use squall_toml::at::At;

use super::Resolver;
use crate::file::{PublishFile, StampWord};
use crate::{Group, RunSettings, StampPlace, listeners};

/// The name of the User Property that a stamp is in.
pub(super) const STAMP_PROPERTY: &str = "squall";

impl Resolver<'_> {
    /// Where the messages of a stream have their stamps.
    pub(super) fn resolve_stamp(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> StampPlace {
        match file.stamp {
            None | Some(StampWord::Payload) => StampPlace::Payload,
            Some(StampWord::Property) => {
                if group.version == Version::V3_1_1 {
                    self.misplaced(at, "stamp", "`protocol = \"5.0\"`");
                }
                StampPlace::Property
            }
        }
    }

    /// Notes each stream with its stamps in a property that a subscriber of MQTT 3.1.1 hears: what a broker sends to
    /// one has no properties, and could not be told from the messages of other clients.
    pub(super) fn check_stamps(&mut self, run: &RunSettings, at: &At<'_>) {
        let mut unseen = Vec::new();
        let deaf = |group: &&Group| group.version == Version::V3_1_1;
        for (place, group) in self.groups.iter().enumerate() {
            let streams = group.publishes.iter().enumerate();
            for (index, publish) in streams.filter(|(_, of)| of.stamp == StampPlace::Property) {
                let mut deaf = self.groups.iter().filter(deaf);
                if let Some(other) =
                    deaf.find(|to| listeners::hears(to, publish, group, run, self.seed))
                {
                    unseen.push((place, index, other.name.clone()));
                }
            }
        }
        for (place, index, other) in unseen {
            let what = format!(
                "group {other:?} speaks MQTT 3.1.1, which has no User Properties: it would not see the stamp"
            );
            let remedy = "`protocol = \"5.0\"` there, or `stamp = \"payload\"`".to_owned();
            let at = at.item(place).key("publish").item(index).key("stamp");
            self.contradiction(&at, what, remedy);
        }
    }
}
