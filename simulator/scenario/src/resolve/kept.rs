//! `[[expect]]` of what the broker keeps of devices and of messages: `session`, `expiry`, `shared`, `quota`.

use std::time::Duration;

use squall_protocol::{QoS, Version};
use squall_toml::at::At;

use super::Resolver;
use super::group::time;
use crate::file::ExpectFile;
use crate::id::GroupId;
use crate::{Expectation, ExpiryClaim, Group, QuotaClaim, SessionClaim, SharedClaim};

/// `tolerance` of `expiry` unless the file says otherwise.
const TOLERANCE_DEFAULT: Duration = Duration::from_secs(1);

impl Resolver<'_> {
    /// The claim of one of these checks, `None` for any other.
    pub(super) fn resolve_kept(&mut self, file: &ExpectFile, at: &At<'_>) -> Option<Expectation> {
        Some(match file {
            ExpectFile::Session { present, backlog } => Expectation::Session(SessionClaim {
                present_correct: present.is_some(),
                backlog_complete: backlog.is_some(),
            }),
            ExpectFile::Expiry {
                never_after,
                remaining,
                tolerance,
            } => {
                self.check_flag("never_after", *never_after, at);
                Expectation::Expiry(ExpiryClaim {
                    never_after: *never_after == Some(true),
                    remaining_correct: remaining.is_some(),
                    tolerance: time(*tolerance).unwrap_or(TOLERANCE_DEFAULT),
                })
            }
            ExpectFile::Shared {
                exactly_one,
                redistributed,
            } => {
                self.check_flag("exactly_one", *exactly_one, at);
                self.check_flag("redistributed", *redistributed, at);
                Expectation::Shared(SharedClaim {
                    exactly_one: *exactly_one == Some(true),
                    redistributed: *redistributed == Some(true),
                })
            }
            ExpectFile::Quota {
                group,
                receive_maximum,
            } => Expectation::Quota(QuotaClaim {
                group: self.resolve_group_name(group.as_deref(), &at.key("group")),
                receive_maximum_kept: receive_maximum.is_some(),
            }),
            ExpectFile::Delivery { .. }
            | ExpectFile::Will { .. }
            | ExpectFile::Retained { .. }
            | ExpectFile::Takeover { .. }
            | ExpectFile::Qos2Handshake { .. }
            | ExpectFile::Network { .. }
            | ExpectFile::Connections { .. }
            | ExpectFile::KeepAlive { .. }
            | ExpectFile::Malformed { .. }
            | ExpectFile::Response { .. } => return None,
        })
    }

    /// A claim that may be `true` only.
    fn check_flag(&mut self, key: &str, claimed: Option<bool>, at: &At<'_>) {
        if claimed == Some(false) {
            let what = format!("`{key} = false` claims nothing");
            self.contradiction(&at.key(key), what, "`true`, or no such key".to_owned());
        }
    }

    pub(super) fn check_session(&mut self, claim: &SessionClaim, at: &At<'_>) {
        self.check_claims_something(&["present", "backlog"], at);
        let keeps = |group: &Group| {
            let is_subscribed = group
                .subscribes
                .iter()
                .any(|s| s.options.qos > QoS::AtMostOnce);
            group.keeps_what_is_under_way() && is_subscribed
        };
        if claim.backlog_complete && !self.groups.iter().any(keeps) {
            let what = "no group has a Session that is resumed, and a subscription at QoS 1 or 2";
            let remedy =
                "`clean_start = false`, a `session_expiry` and a `subscribe` with `qos = 1`";
            self.contradiction(&at.key("backlog"), what.to_owned(), remedy.to_owned());
        }
    }

    pub(super) fn check_expiry(&mut self, at: &At<'_>) {
        self.check_claims_something(&["never_after", "remaining"], at);
        let mut publishes = self.groups.iter().flat_map(|group| &group.publishes);
        if !publishes.any(|publish| publish.properties.message_expiry.is_some()) {
            let what = "no message expires".to_owned();
            let remedy = "`message_expiry` in a `publish`".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        }
    }

    pub(super) fn check_shared(&mut self, at: &At<'_>) {
        self.check_claims_something(&["exactly_one", "redistributed"], at);
        let mut subscribes = self.groups.iter().flat_map(|group| &group.subscribes);
        if !subscribes.any(|subscribe| subscribe.filter.source().starts_with("$share/")) {
            let what = "no group has a shared subscription".to_owned();
            let remedy = "`filter = \"$share/name/filter\"` in a `subscribe`".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        }
    }

    pub(super) fn check_quota(&mut self, claim: &QuotaClaim, at: &At<'_>) {
        self.check_claims_something(&["receive_maximum"], at);
        let mut groups = self.groups.iter().zip(0..);
        let is_limited = groups.any(|(group, id)| {
            let is_chosen = claim.group.is_none_or(|only| only == GroupId(id));
            let is_subscribed = group
                .subscribes
                .iter()
                .any(|s| s.options.qos > QoS::AtMostOnce);
            is_chosen
                && group.version == Version::V5
                && group.receive_maximum.get() < u16::MAX
                && is_subscribed
        });
        if !is_limited {
            let what = "no such group has a Receive Maximum and a subscription at QoS 1 or 2";
            let remedy = "`receive_maximum = 20` in a group that subscribes with `qos = 1`";
            self.contradiction(
                &at.key("receive_maximum"),
                what.to_owned(),
                remedy.to_owned(),
            );
        }
    }
}
