//! `[[expect]]`, written out.

use squall_toml::quote::quote;

use super::qos;
use super::text::{Text, array, duration, float, pair, table};
use crate::{Expectation, Scenario, TakeoverClaim};

impl Scenario {
    /// What `expectation` claims, in one line: `qos = 1, lost = 0`.
    pub fn claims_text(&self, expectation: &Expectation) -> String {
        let mut text = Text::default();
        self.write_claims(&mut text, expectation);
        let lines: Vec<&str> = text.out.lines().collect();
        lines.join(", ")
    }

    /// Writes what `expectation` claims.
    pub(super) fn write_claims(&self, text: &mut Text, expectation: &Expectation) {
        let group_name = |id| quote(&self.group(id).name);
        match expectation {
            Expectation::Delivery(claim) => {
                text.option("qos", claim.qos.map(qos));
                text.option("group", claim.group.map(group_name));
                text.option("lost", claim.lost);
                text.option("duplicated", claim.duplicated);
                text.option("reordered", claim.reordered);
                text.option("misrouted", claim.misrouted);
                text.option("corrupted", claim.corrupted);
                text.option("mislabelled", claim.mislabelled);
                text.option("late", claim.late);
            }
            Expectation::Will(claim) => {
                let names = claim.after.iter().map(|id| quote(&self.fault(*id).name));
                text.pair("after", array(names));
                text.option("exactly", claim.exactly);
                let limits = claim.within.iter();
                let limits = limits.map(|(how, limit)| pair(how.name(), duration(*limit)));
                text.option("within", table(limits));
            }
            Expectation::Retained(claim) => {
                text.pair("filter", quote(claim.filter.as_str()));
                text.pair("equals", quote(claim.equals.source()));
            }
            Expectation::Takeover(claim) => write_takeover(text, claim),
            Expectation::Qos2Handshake(claim) => {
                let if_true = |is_claimed: bool| is_claimed.then_some(true);
                text.option("incomplete", claim.incomplete);
                let dup = if_true(claim.dup_answered_with_pubrec);
                text.option("dup_answered_with_pubrec", dup);
                let publish = if_true(claim.no_publish_after_pubrel);
                text.option("no_publish_after_pubrel", publish);
            }
            Expectation::Network(claim) => {
                text.pair("profile", quote(&self.network(claim.profile).name));
                text.pair("tolerance", float(claim.tolerance));
            }
            Expectation::KeepAlive(claim) => {
                text.pair("closed_within", duration(claim.closed_within));
                text.pair("closed_early", claim.closed_early);
            }
            Expectation::Response(_)
            | Expectation::Session(_)
            | Expectation::Expiry(_)
            | Expectation::Shared(_)
            | Expectation::Quota(_) => self.write_kept(text, expectation),
            Expectation::Malformed(claim) => {
                text.option("closed_within", claim.closed_within.map(duration));
                text.option("reason", claim.reason_correct.then(|| quote("correct")));
            }
            Expectation::Connections(claim) => {
                text.option("group", claim.group.map(group_name));
                text.option("refused", claim.refused);
                text.option("unexpected_disconnects", claim.unexpected_disconnects);
            }
        }
    }

    /// Writes what is claimed of responses and of what the broker keeps; nothing of another check.
    fn write_kept(&self, text: &mut Text, expectation: &Expectation) {
        match expectation {
            Expectation::Response(claim) => {
                text.option("answered", claim.answered.then_some(true));
                text.option("within", claim.within.map(duration));
                text.option("misdirected", claim.misdirected);
            }
            Expectation::Session(claim) => {
                let present = claim.present_correct.then(|| quote("correct"));
                text.option("present", present);
                let backlog = claim.backlog_complete.then(|| quote("complete"));
                text.option("backlog", backlog);
            }
            Expectation::Expiry(claim) => {
                text.option("never_after", claim.never_after.then_some(true));
                let remaining = claim.remaining_correct.then(|| quote("correct"));
                text.option("remaining", remaining);
                text.pair("tolerance", duration(claim.tolerance));
            }
            Expectation::Shared(claim) => {
                text.option("exactly_one", claim.exactly_one.then_some(true));
                text.option("redistributed", claim.redistributed.then_some(true));
            }
            Expectation::Quota(claim) => {
                text.option("group", claim.group.map(|id| quote(&self.group(id).name)));
                let kept = claim.receive_maximum_kept.then(|| quote("kept"));
                text.option("receive_maximum", kept);
            }
            Expectation::Delivery(_)
            | Expectation::Will(_)
            | Expectation::Retained(_)
            | Expectation::Takeover(_)
            | Expectation::Qos2Handshake(_)
            | Expectation::Network(_)
            | Expectation::Connections(_)
            | Expectation::KeepAlive(_)
            | Expectation::Malformed(_) => {}
        }
    }
}

fn write_takeover(text: &mut Text, claim: &TakeoverClaim) {
    text.option("alive_per_client_id", claim.alive_per_client_id);
    let limit = claim.displaced_closed_within.map(duration);
    text.option("displaced_closed_within", limit);
    // The only reason that the format has.
    let reason = claim.reason.map(|_| quote("session_taken_over"));
    text.option("reason", reason);
    let correct = claim.session_present_correct.then(|| quote("correct"));
    text.option("session_present", correct);
}
