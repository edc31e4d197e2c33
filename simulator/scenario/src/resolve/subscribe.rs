//! `[[group.subscribe]]`: what devices receive.

use squall_protocol::Version;
use squall_protocol::packet::{RetainHandling, SubscriptionIdentifier, SubscriptionOptions};
use squall_protocol::topic::TopicFilter;
use squall_toml::at::At;
use squall_toml::node::Value;
use squall_toml::quantity::format_duration;

use super::Resolver;
use super::group::{resolve_qos, time};
use crate::file::{GroupFile, SubscribeFile};
use crate::template::Use;
use crate::{Churn, DeviceTemplate, Group, RunSettings, SessionStart, Subscribe, SubscribeTimes};

/// Keys that MQTT 3.1.1 has not.
const OPTIONS_OF_5: [&str; 4] = [
    "no_local",
    "retain_as_published",
    "retain_handling",
    "subscription_identifier",
];

impl Resolver<'_> {
    /// Resolves the subscriptions of each device of `group` in one block: one for each filter.
    pub(super) fn resolve_subscribe(
        &mut self,
        file: &SubscribeFile,
        group: &Group,
        at: &At<'_>,
    ) -> Vec<Subscribe> {
        if group.version == Version::V3_1_1 {
            for key in OPTIONS_OF_5 {
                self.misplaced(at, key, "`protocol = \"5.0\"`");
            }
        }
        let options = SubscriptionOptions {
            qos: resolve_qos(file.qos),
            no_local: file.no_local.unwrap_or(false),
            retain_as_published: file.retain_as_published.unwrap_or(false),
            retain_handling: match file.retain_handling {
                Some(2) => RetainHandling::DoNotSend,
                Some(1) => RetainHandling::SendIfNew,
                // The schema has checked the range.
                Some(_) | None => RetainHandling::SendAtSubscribe,
            },
        };
        let times = self.resolve_times(file, at);
        if group.session == SessionStart::Resume && times.start.is_some() {
            let what = "a Session of an earlier run may have the subscription before";
            let remedy = "no `start`, or `session = \"fresh\"` in the group";
            self.contradiction(&at.key("start"), what.to_owned(), remedy.to_owned());
        }
        let at_filter = at.key("filter");
        let is_list = matches!(
            at_filter.node().map(|node| &node.value),
            Some(Value::Array(_))
        );
        let filters = file.filter.iter().enumerate();
        filters
            .map(|(index, text)| {
                let at_text = match is_list {
                    true => at_filter.item(index),
                    false => at_filter.clone(),
                };
                let filter = self.resolve_device_filter(text, group, &at_text);
                self.check_options(text, options, at);
                Subscribe {
                    filter,
                    options,
                    identifier: file
                        .subscription_identifier
                        .and_then(SubscriptionIdentifier::new),
                    times: times.clone(),
                }
            })
            .collect()
    }

    /// When the subscriptions of one block are held.
    fn resolve_times(&mut self, file: &SubscribeFile, at: &At<'_>) -> SubscribeTimes {
        let (start, until) = (time(file.start), time(file.until));
        if let Some(until) = until
            && until <= start.unwrap_or_default()
        {
            let what = format!(
                "the devices subscribe at {} and unsubscribe at {}",
                format_duration(start.unwrap_or_default()),
                format_duration(until)
            );
            self.contradiction(
                &at.key("until"),
                what,
                "an `until` after `start`".to_owned(),
            );
        }
        let at_churn = at.key("churn");
        let churn = file.churn.as_ref().map(|churn| Churn {
            on: self.resolve_stay(Some(&churn.on), &at_churn.key("on")),
            off: self.resolve_stay(Some(&churn.off), &at_churn.key("off")),
        });
        SubscribeTimes {
            start,
            until,
            churn,
        }
    }

    /// Notes subscriptions that are due when the measured part is over.
    pub(super) fn check_subscribe_times(
        &mut self,
        files: &[GroupFile],
        run: &RunSettings,
        at: &At<'_>,
    ) {
        for (place, group) in files.iter().enumerate() {
            for (index, subscribe) in group.subscribe.iter().enumerate() {
                let Some(start) = time(subscribe.start).filter(|&start| start >= run.duration)
                else {
                    continue;
                };
                let what = format!(
                    "{} is not before the end of the measured part, at {}",
                    format_duration(start),
                    format_duration(run.duration)
                );
                let remedy = format!("a `run.duration` of more than {}", format_duration(start));
                let at = at.item(place).key("subscribe").item(index);
                self.contradiction(&at.key("start"), what, remedy);
            }
        }
    }

    /// A Topic Filter for every device of `group`.
    fn resolve_device_filter(&mut self, text: &str, group: &Group, at: &At<'_>) -> DeviceTemplate {
        let fixed = self.fixed(&group.name);
        let filter = DeviceTemplate::parse(text, Use::DeviceText, &fixed);
        let filter = self
            .or_note(filter, at)
            .unwrap_or_else(|| DeviceTemplate::literal("#"));
        self.check_device_texts(&filter, group, at, |text| {
            TopicFilter::for_version(text, group.version).map(drop)
        });
        filter
    }

    /// A shared subscription has no No Local, and is sent nothing that is retained.
    fn check_options(&mut self, filter: &str, options: SubscriptionOptions, at: &At<'_>) {
        if !filter.starts_with("$share/") {
            return;
        }
        if options.no_local {
            let what = "a shared subscription with No Local is a protocol error [MQTT-3.8.3-4]";
            let remedy = "`no_local = false`, or a filter without `$share`";
            self.contradiction(&at.key("no_local"), what.to_owned(), remedy.to_owned());
        }
        let at_handling = at.key("retain_handling");
        if at_handling.is_written() {
            let what = "a shared subscription is sent no retained message (§4.8.2)";
            let remedy = "no `retain_handling`, or a filter without `$share`";
            self.contradiction(&at_handling, what.to_owned(), remedy.to_owned());
        }
    }
}
