//! What must be the same for figures to be comparable.

use super::resolved::settings_of;
use super::side::{RunOfSide, Side};

/// Why runs are not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// There is nothing to compare with.
    #[error(
        "there is only one side, {label}: name another run, or a folder that holds runs of another target"
    )]
    OneSide {
        /// The side.
        label: String,
    },
    /// They are of different scenarios.
    #[error(
        "{base} is of scenario `{base_name}` and {other} of `{other_name}`: what two questions have for an answer is not \
         comparable; compare runs of one scenario"
    )]
    Scenario {
        /// The base.
        base: String,
        /// The scenario of the base.
        base_name: String,
        /// The other side.
        other: String,
        /// Its scenario.
        other_name: String,
    },
    /// One is in real time, one in virtual.
    #[error(
        "{real} is in real time and {simulated} in virtual: of the latter, latencies are those of simulated links alone; \
         compare runs by one clock"
    )]
    Clock {
        /// The side in real time.
        real: String,
        /// The side in virtual time.
        simulated: String,
    },
    /// They were asked different things: what was measured, broken on purpose or claimed.
    #[error(
        "{} differ: `{key}` is {} in {base} and {} in {other}; {}", what.subject(), shown(base_value), shown(other_value),
        what.why()
    )]
    Setting {
        /// What kind of thing differs.
        what: MustAgree,
        /// The key.
        key: String,
        /// The base.
        base: String,
        /// The value there, if there is one.
        base_value: Option<String>,
        /// The other side.
        other: String,
        /// The value there.
        other_value: Option<String>,
    },
}

/// What must be the same on all sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MustAgree {
    /// How long is measured.
    Phases,
    /// Which groups of devices there are.
    Groups,
    /// What is broken on purpose.
    Faults,
    /// What is claimed.
    Claims,
}

impl MustAgree {
    /// What a key is part of; `None` for one that may differ.
    fn of(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.split('.').collect();
        match parts.as_slice() {
            ["run", "warmup" | "duration" | "drain"] => Some(Self::Phases),
            ["group", _, "name"] => Some(Self::Groups),
            ["fault", ..] => Some(Self::Faults),
            ["expect", ..] => Some(Self::Claims),
            _ => None,
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Phases => "the phases",
            Self::Groups => "the groups",
            Self::Faults => "the faults",
            Self::Claims => "the claims",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Phases => {
                "counts and greatest values grow with the time: run both for the same time"
            }
            Self::Groups => {
                "figures of devices that only one side has cannot be set side by side: run the same groups"
            }
            Self::Faults => {
                "what was broken on purpose must be the same: run both with the same faults"
            }
            Self::Claims => {
                "verdicts about different claims cannot be set side by side: run both with the same claims"
            }
        }
    }
}

fn shown(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("not there")
}

/// Whether the figures of all sides are comparable.
///
/// The scenario, its clock, its phases, its groups, its faults and its claims must be the same. What else differs, such as
/// how many devices a group has, how fast it publishes, over which link and with which protocol, may be what a user
/// wants to know the effect of: it is listed, see [`DifferingSetting`](super::DifferingSetting).
pub(super) fn check(sides: &[Side]) -> Result<(), NotComparable> {
    let [base, others @ ..] = sides else {
        return Ok(());
    };
    if others.is_empty() {
        return Err(NotComparable::OneSide {
            label: base.label.clone(),
        });
    }
    others.iter().try_for_each(|other| check_two(base, other))
}

impl Side {
    /// Why a run of the scenario `name`, resolved to this text, would not be comparable with this side, if so.
    pub fn refuses(&self, name: &str, resolved: &str) -> Option<NotComparable> {
        let mut run = self.first().clone();
        run.identity.name = name.to_owned();
        run.identity.scenario.resolved = resolved.to_owned();
        let other = RunOfSide {
            run,
            path: String::new(),
            report: None,
        };
        let other = Self {
            label: "this scenario".to_owned(),
            runs: vec![other],
        };
        check(&[self.clone(), other]).err()
    }
}

fn check_two(base: &Side, other: &Side) -> Result<(), NotComparable> {
    let (first, second) = (base.first(), other.first());
    if first.identity.name != second.identity.name {
        return Err(NotComparable::Scenario {
            base: base.label.clone(),
            base_name: first.identity.name.clone(),
            other: other.label.clone(),
            other_name: second.identity.name.clone(),
        });
    }
    if first.times.clock != second.times.clock {
        let (real, simulated) = match first.times.clock {
            crate::ClockKind::Real => (base, other),
            crate::ClockKind::Virtual => (other, base),
        };
        return Err(NotComparable::Clock {
            real: real.label.clone(),
            simulated: simulated.label.clone(),
        });
    }
    let [one, two] = [first, second].map(|run| settings_of(&run.identity.scenario.resolved));
    // What was left out for a target that lacks it is told with the settings.
    let is_brought_down = [first, second]
        .iter()
        .any(|run| !run.target.changes.is_empty());
    for key in one.keys().chain(two.keys()) {
        let Some(what) = MustAgree::of(key).filter(|_| one.get(key) != two.get(key)) else {
            continue;
        };
        if what == MustAgree::Claims && is_brought_down {
            continue;
        }
        return Err(NotComparable::Setting {
            what,
            key: key.clone(),
            base: base.label.clone(),
            base_value: one.get(key).cloned(),
            other: other.label.clone(),
            other_value: two.get(key).cloned(),
        });
    }
    Ok(())
}
