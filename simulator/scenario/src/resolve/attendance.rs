//! When the devices of a group are there.

use squall_toml::at::At;
use squall_toml::quantity::format_duration;

use super::Resolver;
use super::group::time;
use crate::file::{DistributionFile, FarewellWord, GroupFile};
use crate::{Attendance, Availability, Distribution, Farewell};

impl Resolver<'_> {
    /// Resolves `start`, `leave` and `availability` of a group.
    pub(super) fn resolve_attendance(&mut self, file: &GroupFile, at: &At<'_>) -> Attendance {
        let (start, leave) = (time(file.start), time(file.leave));
        if let (Some(start), Some(leave)) = (start, leave)
            && leave <= start
        {
            let what = format!(
                "the group connects at {} and leaves at {}",
                format_duration(start),
                format_duration(leave)
            );
            self.contradiction(&at.key("leave"), what, "a `leave` after `start`".to_owned());
        }
        let at_online = at.key("online");
        let online = file.online.as_ref();
        let online = online.map(|share| self.resolve_share(share, &at_online));
        if online.is_some() {
            self.check_alone(file, &at_online);
        }
        let at = at.key("availability");
        let availability = file.availability.as_ref().map(|file| Availability {
            up: self.resolve_stay(Some(&file.up), &at.key("up")),
            down: self.resolve_distribution(Some(&file.down), &at.key("down")),
            how: match file.how {
                None | Some(FarewellWord::Disconnect) => Farewell::Polite,
                Some(FarewellWord::Fin) => Farewell::Fin,
                Some(FarewellWord::Rst) => Farewell::Rst,
            },
        });
        Attendance {
            start,
            leave,
            availability,
            online,
        }
    }

    /// Who is connected when has one reason.
    fn check_alone(&mut self, file: &GroupFile, at: &At<'_>) {
        if file.availability.is_some() {
            let what = "`availability` lets each device come and go by itself, and `online` says how many are there";
            self.contradiction(at, what.to_owned(), "one of both".to_owned());
        }
        if file.start.is_some() {
            let what = "`start` says when the group connects, and so does `online`".to_owned();
            let remedy = "no `start`, and a share of 0 until then: \
                          `online = [{ at = \"10s\", share = 0 }, { at = \"10s\", share = 1 }]`";
            self.contradiction(at, what, remedy.to_owned());
        }
    }

    /// A time that something is in a state: one of no time at all would come and go without end.
    pub(super) fn resolve_stay(
        &mut self,
        file: Option<&DistributionFile>,
        at: &At<'_>,
    ) -> Distribution {
        let stay = self.resolve_distribution(file, at);
        if let Distribution::Constant { value } = stay {
            self.check_above_zero(value, at);
        }
        stay
    }
}
