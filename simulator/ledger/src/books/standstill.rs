//! When the generator or a device read nothing, and how long what came meanwhile lay unread.

use squall_protocol::Instant;

/// The last time that something read nothing for a while. A short one while it catches up with what
/// came during a long one is part of that.
#[derive(Debug, Default)]
pub(crate) struct Standstill {
    last: Option<Unread>,
}

/// What came while nothing was read.
#[derive(Clone, Copy, Debug)]
struct Unread {
    since: Instant,
    /// When all of it was read: what lies in the sockets is read one after the other, and that takes no
    /// longer than it lay there.
    read_by: Instant,
}

impl Standstill {
    /// Nothing was read from `since` until `until`.
    pub(crate) fn note(&mut self, since: Instant, until: Instant) {
        let length = until.saturating_since(since);
        let of_this = Unread {
            since,
            read_by: until + length,
        };
        let joined = self.last.filter(|last| since <= last.read_by);
        self.last = Some(joined.map_or(of_this, |last| Unread {
            since: last.since,
            read_by: (last.read_by + length).max(of_this.read_by),
        }));
    }

    /// Since when what is read at `now` may have lain there; `None` if it came just now.
    pub(crate) fn lay_since(&self, now: Instant) -> Option<Instant> {
        let last = self.last.filter(|last| now <= last.read_by)?;
        Some(last.since)
    }

    /// Since when the last one was, and when all that came meanwhile was read.
    pub(crate) fn last_time(&self) -> Option<[Instant; 2]> {
        self.last.map(|last| [last.since, last.read_by])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// A short one while the generator catches up does not hide the long one before it.
    #[test]
    fn a_short_one_right_after_a_long_one_is_part_of_it() {
        let mut standstill = Standstill::default();
        standstill.note(at(10_000), at(22_000));
        standstill.note(at(22_030), at(22_050));

        assert_eq!(standstill.lay_since(at(22_060)), Some(at(10_000)));
        assert_eq!(standstill.lay_since(at(34_021)), None);
    }

    /// One that comes when everything was read is another.
    #[test]
    fn one_that_comes_later_stands_by_itself() {
        let mut standstill = Standstill::default();
        standstill.note(at(10_000), at(11_000));
        standstill.note(at(13_000), at(13_005));

        assert_eq!(standstill.lay_since(at(13_006)), Some(at(13_000)));
    }
}
