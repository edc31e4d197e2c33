//! A Session has one subscription for a Topic Filter: a second one would replace it [MQTT-3.8.4-3].

use std::collections::HashMap;

use squall_toml::at::At;
use squall_toml::node::Value;

use super::Resolver;
use crate::file::{GroupFile, RespondFile};
use crate::{DeviceTemplate, Group};

/// A Topic Filter of a group, where the file has it.
struct Written<'a> {
    filter: &'a DeviceTemplate,
    at: At<'a>,
    block: Block<'a>,
}

/// What subscribes to it.
#[derive(Clone, Copy)]
enum Block<'a> {
    Subscribe,
    Respond(&'a RespondFile),
}

impl Resolver<'_> {
    /// Notes each Topic Filter that a device of `group` subscribes to a second time, be it that two are the same only
    /// once their placeholders are filled in. What `$share/NAME/` stands before is another subscription.
    pub(super) fn check_filters_differ(&mut self, group: &Group, file: &GroupFile, at: &At<'_>) {
        let written = written(group, file, at);
        if written.len() < 2 {
            return;
        }
        let is_literal = |of: &Written<'_>| of.filter.is_literal();
        let devices = match written.iter().all(is_literal) {
            true => 1,
            false => group.count,
        };
        let mut noted = vec![false; written.len()];
        for index in 0..devices {
            let client_id = group.client_id_of(index);
            let mut first: HashMap<String, usize> = HashMap::new();
            for place in 0..written.len() {
                let text = written[place].filter.render(index, &client_id);
                let before = *first.entry(text).or_insert(place);
                if before == place
                    || noted[place]
                    || written[before].may_stand_beside(&written[place])
                {
                    continue;
                }
                noted[place] = true;
                let text = written[place].filter.render(index, &client_id);
                let what = format!(
                    "device {client_id:?} subscribes to {text:?} twice, and the second subscription replaces the first \
                     [MQTT-3.8.4-3]"
                );
                let remedy = written[before].remedy(&written[place]);
                self.contradiction(&written[place].at, what, remedy);
            }
        }
    }
}

impl Written<'_> {
    /// Whether it does not matter which of the two subscriptions is there: that of two blocks that answer, at one QoS.
    fn may_stand_beside(&self, other: &Self) -> bool {
        match (self.block, other.block) {
            (Block::Respond(one), Block::Respond(other)) => {
                one.qos.unwrap_or_default() == other.qos.unwrap_or_default()
            }
            (Block::Subscribe, _) | (_, Block::Subscribe) => false,
        }
    }

    fn remedy(&self, other: &Self) -> String {
        let remedy = match (self.block, other.block) {
            (Block::Subscribe, Block::Subscribe) => "each filter once",
            (Block::Respond(_), Block::Respond(_)) => "the same `qos` in both",
            (Block::Subscribe, Block::Respond(_)) | (Block::Respond(_), Block::Subscribe) => {
                "the `[[group.respond]]` alone, which subscribes"
            }
        };
        remedy.to_owned()
    }
}

/// The filters of `group`, in the order of its `subscribes`; without those that are wrong, which are noted.
fn written<'a>(group: &'a Group, file: &'a GroupFile, at: &At<'a>) -> Vec<Written<'a>> {
    let mut texts = Vec::new();
    for (index, subscribe) in file.subscribe.iter().enumerate() {
        let at = at.key("subscribe").item(index).key("filter");
        let is_list = matches!(at.node().map(|node| &node.value), Some(Value::Array(_)));
        for (item, text) in subscribe.filter.iter().enumerate() {
            let at = match is_list {
                true => at.item(item),
                false => at.clone(),
            };
            texts.push((text, at, Block::Subscribe));
        }
    }
    for (index, respond) in file.respond.iter().enumerate() {
        let at = at.key("respond").item(index).key("filter");
        texts.push((&respond.filter, at, Block::Respond(respond)));
    }
    let both = group.subscribes.iter().zip(texts);
    let written = both.filter(|(subscribe, (text, ..))| subscribe.filter.source() == *text);
    written
        .map(|(subscribe, (_, at, block))| Written {
            filter: &subscribe.filter,
            at,
            block,
        })
        .collect()
}
