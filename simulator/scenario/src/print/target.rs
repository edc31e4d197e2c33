//! `[target]` of a resolved scenario.

use squall_toml::quote::{quote, quote_key};

use super::text::{Text, array, duration, pair, table};
use crate::model::target::join_command;
use crate::{Scenario, Target};

impl Scenario {
    pub(super) fn write_target(&self, text: &mut Text) {
        text.header("[target]");
        if let Some(name) = &self.traits.name {
            text.comment(&format!("use = {}", quote(name)));
        }
        match &self.target {
            Target::Embedded => text.comment("squall's own broker, as a child process"),
            Target::Url(urls) => match urls.as_slice() {
                [url] => text.pair("url", quote(&url.to_string())),
                urls => text.pair("url", array(urls.iter().map(|url| quote(&url.to_string())))),
            },
            Target::Spawn(spawn) => {
                text.pair("spawn", quote(&spawn.command_line()));
                text.pair("transport", quote(spawn.transport.name()));
                text.pair("ready", duration(spawn.ready));
                text.pair("kill", quote(&spawn.kill.text()));
                if !spawn.software.is_empty() {
                    text.pair("software", quote(&join_command(&spawn.software)));
                }
                for (key, texts) in [("env", &spawn.env), ("config", &spawn.config)] {
                    let texts = texts.iter();
                    let texts = texts.map(|(name, value)| pair(&quote_key(name), quote(value)));
                    text.option(key, table(texts));
                }
            }
        }
        match (&self.target, self.traits.keeps) {
            (Target::Url(_) | Target::Spawn(_), Some(keeps)) => {
                text.pair("keeps", quote(keeps.name()));
            }
            (Target::Embedded, _) | (_, None) => {}
        }
        if !self.traits.lacks.is_empty() {
            let lacks = self.traits.lacks.iter();
            text.pair("lacks", array(lacks.map(|lacking| quote(lacking.name()))));
        }
        for change in &self.traits.changes {
            text.comment(change);
        }
        for reason in &self.traits.skipped_because {
            text.comment(&format!("skipped: {reason}"));
        }
    }
}
