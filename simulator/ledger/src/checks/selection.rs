//! What a check is narrowed to, as reports show it.

use std::collections::BTreeMap;

use squall_protocol::QoS;
use squall_run::Value;
use squall_scenario::{Expectation, GroupId, Scenario};

/// The keys that narrow `expectation`, with their values. Nothing if it is about everything.
pub(super) fn of(expectation: &Expectation, scenario: &Scenario) -> BTreeMap<String, String> {
    let of_group =
        |group: Option<GroupId>| group.map(|group| ("group", scenario.group(group).name.clone()));
    let of_qos = |qos: Option<QoS>| qos.map(|qos| ("qos", (qos as u8).to_string()));
    let pairs: Vec<(&str, String)> = match expectation {
        Expectation::Delivery(claim) => {
            let pairs = of_qos(claim.qos).into_iter().chain(of_group(claim.group));
            pairs.collect()
        }
        Expectation::Connections(claim) => of_group(claim.group).into_iter().collect(),
        Expectation::Quota(claim) => of_group(claim.group).into_iter().collect(),
        Expectation::Will(claim) => {
            let names = claim
                .after
                .iter()
                .map(|&fault| &*scenario.fault(fault).name);
            vec![("after", names.collect::<Vec<&str>>().join(", "))]
        }
        Expectation::Retained(claim) => vec![("filter", claim.filter.as_str().to_owned())],
        Expectation::Network(claim) => vec![
            ("profile", scenario.network(claim.profile).name.clone()),
            ("tolerance", Value::Ratio(claim.tolerance).to_string()),
        ],
        Expectation::Takeover(_)
        | Expectation::Qos2Handshake(_)
        | Expectation::KeepAlive(_)
        | Expectation::Response(_)
        | Expectation::Session(_)
        | Expectation::Expiry(_)
        | Expectation::Shared(_)
        | Expectation::Malformed(_) => Vec::new(),
    };
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| (key.to_owned(), value)).collect()
}
