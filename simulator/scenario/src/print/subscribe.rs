//! `[[group.subscribe]]`, written out.

use squall_protocol::Version;
use squall_toml::quote::quote;

use super::distribution::distribution;
use super::qos;
use super::text::{Text, duration, pair, table};
use crate::{Subscribe, SubscribeTimes};

/// Writes a subscription of devices of `version`; 3.1.1 has no options but the QoS.
pub(super) fn write_subscribe(text: &mut Text, subscribe: &Subscribe, version: Version) {
    let options = subscribe.options;
    text.header("[[group.subscribe]]");
    text.pair("filter", quote(subscribe.filter.source()));
    text.pair("qos", qos(options.qos));
    write_times(text, &subscribe.times);
    if version == Version::V3_1_1 {
        return;
    }
    let is_shared = subscribe.filter.source().starts_with("$share/");
    text.pair("no_local", options.no_local);
    text.pair("retain_as_published", options.retain_as_published);
    if !is_shared {
        text.pair("retain_handling", options.retain_handling as u8);
    }
    match subscribe.identifier {
        Some(identifier) => text.pair("subscription_identifier", identifier.get()),
        None => text.comment("no subscription_identifier"),
    }
}

fn write_times(text: &mut Text, times: &SubscribeTimes) {
    match times.start {
        Some(start) => text.pair("start", duration(start)),
        None => text.comment("subscribes on the first connection"),
    }
    match times.until {
        Some(until) => text.pair("until", duration(until)),
        None => text.comment("stays subscribed"),
    }
    if let Some(churn) = &times.churn {
        let pairs = [
            pair("on", distribution(&churn.on)),
            pair("off", distribution(&churn.off)),
        ];
        text.option("churn", table(pairs.into_iter()));
    }
}
