//! Payloads of messages and wills.

use indexmap::IndexMap;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::node::Value;
use squall_toml::quantity::format_size;
use squall_toml::quantity::parse_size;

use super::Resolver;
use crate::file::{PayloadFile, SizesFile};
use crate::model::target::split_command;
use crate::template::{JsonValue, Use};
use crate::{
    BytesSource, Content, DeviceTemplate, FixedBytes, LineCommand, MessageTemplate, Payload, Sizes,
    StampPlace, WillPayload,
};

/// Most bytes of a message: the largest MQTT packet with room for its topic and properties.
pub(super) const MESSAGE_MAX: u64 = 256 * 1024 * 1024 - 128 * 1024;

/// Most commands that give payloads in one run: each is a process, under one of squall's, and takes three of its descriptors.
const COMMANDS_MAX: usize = 10;

/// Most bytes of a will: its length has 16 bits (§3.1.3.4).
const WILL_MAX: u64 = 65_535;

impl Resolver<'_> {
    /// What the messages of a stream carry that have their stamps at `stamp`; the stamp alone if the file says nothing.
    pub(super) fn resolve_content(
        &mut self,
        file: Option<&PayloadFile>,
        stamp: StampPlace,
        group: &str,
        at: &At<'_>,
    ) -> Content {
        match file {
            Some(PayloadFile::Command(command)) => {
                Content::Lines(self.resolve_line_command(command, &at.key("command")))
            }
            Some(
                PayloadFile::Size(_)
                | PayloadFile::Text(_)
                | PayloadFile::Json(_)
                | PayloadFile::Hex(_)
                | PayloadFile::File(_),
            )
            | None => Content::Composed(self.resolve_payload(file, stamp, group, at)),
        }
    }

    fn resolve_line_command(&mut self, command: &str, at: &At<'_>) -> LineCommand {
        let words = split_command(command).filter(|words| !words.is_empty());
        let words = words.unwrap_or_else(|| {
            let what = format!("{command:?} is not a command");
            let remedy =
                "a program and its arguments, with quotes in pairs, as `./generator.py 'a b'`";
            self.contradiction(at, what, remedy.to_owned());
            Vec::new()
        });
        LineCommand { words }
    }

    /// Notes the first commands beyond those that one run may have.
    pub(super) fn check_commands(&mut self, at: &At<'_>) {
        let mut commands = 0;
        let mut beyond = None;
        for (place, group) in self.groups.iter().enumerate() {
            for (index, publish) in group.publishes.iter().enumerate() {
                commands += usize::from(matches!(publish.payload, Content::Lines(_)));
                if commands > COMMANDS_MAX {
                    beyond = beyond.or(Some((place, index)));
                }
            }
        }
        if let Some((place, index)) = beyond {
            let what = format!("{commands} commands give payloads: each is a process");
            let remedy = format!("at most {COMMANDS_MAX} in one scenario");
            let at = at.item(place).key("publish").item(index).key("payload");
            self.contradiction(&at, what, remedy);
        }
    }

    /// Notes a command where there can be none.
    fn refuse_command(&mut self, at: &At<'_>) {
        let what = "a command gives the payloads of a `[[group.publish]]` alone".to_owned();
        let remedy = "another form, such as `{ text = \"on\" }`, here".to_owned();
        self.contradiction(&at.key("command"), what, remedy);
    }

    /// The payload of a message that has its stamp at `stamp`; the stamp alone if the file says nothing.
    pub(super) fn resolve_payload(
        &mut self,
        file: Option<&PayloadFile>,
        stamp: StampPlace,
        group: &str,
        at: &At<'_>,
    ) -> Payload {
        match file {
            None => Payload::Size(Sizes::constant(16)),
            Some(PayloadFile::Size(sizes)) => {
                Payload::Size(self.resolve_sizes(sizes, stamp, &at.key("size")))
            }
            Some(PayloadFile::Text(text)) => {
                self.check_is_no_size(text, at);
                let fixed = self.fixed(group);
                let template = MessageTemplate::parse(text, Use::Payload, &fixed);
                let template = self.or_note(template, &at.key("text"));
                Payload::Text(template.unwrap_or_else(|| MessageTemplate::literal("")))
            }
            Some(PayloadFile::Json(members)) => {
                let value = self.check_members(members, &at.key("json"));
                let fixed = self.fixed(group);
                let template = MessageTemplate::parse_json(&value, &fixed);
                let template = self.or_note(template, &at.key("json"));
                Payload::Json(template.unwrap_or_else(|| MessageTemplate::literal("{}")))
            }
            Some(PayloadFile::Hex(digits)) => {
                Payload::Bytes(self.resolve_hex(digits, MESSAGE_MAX, &at.key("hex")))
            }
            Some(PayloadFile::File(path)) => {
                Payload::Bytes(self.resolve_file(path, MESSAGE_MAX, &at.key("file")))
            }
            Some(PayloadFile::Command(_)) => {
                self.refuse_command(at);
                Payload::Size(Sizes::constant(16))
            }
        }
    }

    /// Bytes in hexadecimal digits.
    fn resolve_hex(&mut self, digits: &str, max: u64, at: &At<'_>) -> FixedBytes {
        let bytes = parse_hex(digits);
        if bytes.is_none() {
            let what = format!("{digits:?} is not a row of bytes in hexadecimal digits");
            let remedy = "two digits from 0 to f for each byte, as `hex = \"01 ff\"`".to_owned();
            self.contradiction(at, what, remedy);
        }
        let bytes = bytes.unwrap_or_default();
        self.check_size(bytes.len() as u64, 0, max, at);
        FixedBytes {
            bytes: bytes.into(),
            source: BytesSource::Hex,
        }
    }

    /// The bytes of the file at `path`.
    fn resolve_file(&mut self, path: &str, max: u64, at: &At<'_>) -> FixedBytes {
        let bytes = self.surroundings.file(path).unwrap_or_else(|error| {
            let what = format!("no payload from {path:?}: {error}");
            let remedy = "a file that squall can read; its path counts from the scenario's folder";
            self.contradiction(at, what, remedy.to_owned());
            Vec::new()
        });
        self.check_size(bytes.len() as u64, 0, max, at);
        FixedBytes {
            bytes: bytes.into(),
            source: BytesSource::File(path.to_owned()),
        }
    }

    /// A text alone that reads as a size could mean either.
    fn check_is_no_size(&mut self, text: &str, at: &At<'_>) {
        let is_alone = matches!(at.node().map(|node| &node.value), Some(Value::String(_)));
        if is_alone && parse_size(text).is_ok() {
            let what = format!("payload {text:?} may be a size and a text");
            let remedy = format!("`{{ size = {text:?} }}` or `{{ text = {text:?} }}`");
            self.contradiction(at, what, remedy);
        }
    }

    /// The payload of a will; `offline` if the file says nothing.
    pub(super) fn resolve_will_payload(
        &mut self,
        file: Option<&PayloadFile>,
        group: &str,
        at: &At<'_>,
    ) -> WillPayload {
        match file {
            None => WillPayload::Text(DeviceTemplate::literal("offline")),
            Some(PayloadFile::Size(SizesFile::Constant(size))) => {
                WillPayload::Size(self.check_size(size.0, 0, WILL_MAX, &at.key("size")))
            }
            Some(PayloadFile::Size(SizesFile::Shape(_))) => {
                let what = "a device has one will, not one for each message".to_owned();
                let remedy = "one size, as `{ size = \"64B\" }`".to_owned();
                self.contradiction(&at.key("size"), what, remedy);
                WillPayload::Size(0)
            }
            Some(PayloadFile::Text(text)) => {
                self.check_is_no_size(text, at);
                let fixed = self.fixed(group);
                let template = DeviceTemplate::parse(text, Use::DeviceText, &fixed);
                let template = self.or_note(template, &at.key("text"));
                WillPayload::Text(template.unwrap_or_else(|| DeviceTemplate::literal("")))
            }
            Some(PayloadFile::Json(members)) => {
                let value = self.check_members(members, &at.key("json"));
                let fixed = self.fixed(group);
                let template = DeviceTemplate::parse_json(&value, &fixed);
                let template = self.or_note(template, &at.key("json"));
                WillPayload::Json(template.unwrap_or_else(|| DeviceTemplate::literal("{}")))
            }
            Some(PayloadFile::Hex(digits)) => {
                WillPayload::Bytes(self.resolve_hex(digits, WILL_MAX, &at.key("hex")))
            }
            Some(PayloadFile::File(path)) => {
                WillPayload::Bytes(self.resolve_file(path, WILL_MAX, &at.key("file")))
            }
            Some(PayloadFile::Command(_)) => {
                self.refuse_command(at);
                WillPayload::Size(0)
            }
        }
    }

    pub(super) fn check_size(&mut self, size: u64, min: u64, max: u64, at: &At<'_>) -> u32 {
        if !(min..=max).contains(&size) {
            let problem = Mistake::OutOfRange {
                value: format_size(size),
                range: format!("{} to {}", format_size(min), format_size(max)),
            };
            self.diagnostics.value(at, problem);
        }
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    fn check_members(&mut self, members: &IndexMap<String, JsonValue>, at: &At<'_>) -> JsonValue {
        if members.is_empty() {
            let problem = Mistake::OutOfRange {
                value: "an object without members".to_owned(),
                range: "one with at least one".to_owned(),
            };
            self.diagnostics.value(at, problem);
        }
        JsonValue::Object(members.clone())
    }
}

/// The bytes that a row of hexadecimal digits stands for; `None` if it is not one.
fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace() {
        if word.len() % 2 != 0 || !word.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let pairs = (0..word.len()).step_by(2);
        bytes.extend(pairs.map(|at| u8::from_str_radix(&word[at..at + 2], 16).unwrap_or_default()));
    }
    Some(bytes)
}
