//! Which broken claims the generator may have broken itself.
//!
//! A claim is explained if each single anomaly that breaks it is: by a hold-up that lies where it can have
//! brought that one about (`books::hold_ups`). One that no lag brings about, or that came at another time, is
//! the broker's, whatever else happened.

use std::time::Duration;

use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{Group, GroupId, Scenario};

use crate::books::{Anomalies, ByLag, Scope};

/// How long devices may be silent.
#[derive(Debug)]
pub(crate) struct Generator {
    /// By group, how long a device may do nothing: then the broker ends its connection, or it gives up itself.
    patience: Vec<Duration>,
}

impl Generator {
    /// As `scenario` says it.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let connect_timeout = scenario.run.connect_timeout;
        // A device pings at its Keep Alive, a broker ends the connection at one and a half times that
        // [MQTT-3.1.2-22].
        let patience = |group: &Group| {
            let limit = group.keep_alive_limit();
            limit.map_or(connect_timeout, |limit| (limit / 3).min(connect_timeout))
        };
        Self {
            patience: scenario.groups.iter().map(patience).collect(),
        }
    }

    /// What may have brought about all anomalies of these kinds whose scope `is_chosen`, in words; `None` if there
    /// are none, or if one of them is not explained.
    pub(super) fn explains(
        &self,
        kinds: &[AnomalyKind],
        anomalies: &Anomalies,
        is_chosen: impl Fn(Scope) -> bool,
    ) -> Option<String> {
        let mut longest = None;
        let mut patience = None;
        for &kind in kinds {
            let chosen = anomalies.causes_of(kind);
            for (scope, cause) in chosen.filter(|&(scope, _)| is_chosen(scope)) {
                let held_up = cause?;
                if ByLag::of(kind) == ByLag::Silent {
                    let needed = self.patience_of(scope.group);
                    if held_up < needed {
                        return None;
                    }
                    patience = patience.max(Some(needed));
                }
                longest = longest.max(Some(held_up));
            }
        }
        let text = held_up_text(longest?);
        Some(match patience {
            Some(patience) => format!(
                "{text}, and a device that is late by {} may lose its connection",
                duration_text(patience.as_secs_f64())
            ),
            None => text,
        })
    }

    /// Of a group, or the shortest of all where it is not known whose connection it was.
    fn patience_of(&self, group: Option<GroupId>) -> Duration {
        let shortest = self.patience.iter().min();
        let of_group = group.and_then(|group| self.patience.get(usize::from(group.0)));
        of_group.or(shortest).copied().unwrap_or_default()
    }
}

/// A hold-up, in words.
pub(crate) fn held_up_text(held_up: Duration) -> String {
    let held_up = duration_text(held_up.as_secs_f64());
    format!("it was held up for up to {held_up}")
}
