//! `[[group.respond]]`, and what goes with it in a `[[group.publish]]`.

use std::time::Duration;

use squall_toml::quote::{quote, quote_key};

use super::distribution::distribution;
use super::text::{Text, duration, pair, table};
use super::{payload, qos};
use crate::{MessageProperties, MessageTemplate, Respond};

pub(super) fn write(text: &mut Text, respond: &Respond) {
    text.header("[[group.respond]]");
    text.pair("filter", quote(respond.filter.source()));
    match &respond.topic {
        Some(topic) => text.pair("topic", quote(topic.source())),
        None => text.comment("to the Response Topic of each request"),
    }
    text.pair("qos", qos(respond.qos));
    text.pair("delay", distribution(&respond.delay));
    text.pair("payload", payload::of_message(&respond.payload));
}

pub(super) fn write_properties(text: &mut Text, properties: &MessageProperties) {
    let source = |template: &MessageTemplate| quote(template.source());
    text.option(
        "response_topic",
        properties.response_topic.as_ref().map(source),
    );
    text.option("content_type", properties.content_type.as_ref().map(source));
    let expiry = properties.message_expiry;
    let expiry = expiry.map(|seconds| duration(Duration::from_secs(seconds.into())));
    text.option("message_expiry", expiry);
    let user = properties.user_properties.iter();
    let user = user.map(|(name, value)| pair(&quote_key(name.source()), source(value)));
    text.option("user_properties", table(user));
}
