//! The cursors in which one recipient may have open pledges, by the QoS they are owed at.
//!
//! The end of a connection excuses what is owed at QoS 0, and of a shared subscription that members leave one
//! after the other it does so for each: what is owed at QoS 1 and 2 must not be walked for that. A cursor is listed once
//! for each QoS, when a pledge is made in it, and not again until it was taken: so what is walked is bounded by what
//! was pledged since.

use squall_protocol::QoS;

use super::CursorKey;

/// A list for each QoS.
#[derive(Debug, Default)]
pub(crate) struct OpenCursors {
    by_qos: [Vec<CursorKey>; 3],
}

impl OpenCursors {
    /// A pledge at `owed` was made in a cursor that is not listed for that.
    pub(crate) fn list(&mut self, owed: QoS, cursor: CursorKey) {
        self.by_qos[owed as usize].push(cursor);
    }

    /// Takes the cursors out that may have pledges owed at `owed`.
    pub(crate) fn take_at(&mut self, owed: QoS) -> Vec<CursorKey> {
        std::mem::take(&mut self.by_qos[owed as usize])
    }

    /// The cursors that may have pledges owed at `owed`.
    pub(crate) fn at(&self, owed: QoS) -> impl Iterator<Item = CursorKey> + '_ {
        self.by_qos[owed as usize].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(stream: usize) -> CursorKey {
        CursorKey { stream, place: 0 }
    }

    /// A shared subscription that is owed messages of 1,000 streams at QoS 1 loses 100 members: what is owed at
    /// QoS 0 is walked, once for each pledge, and nothing of the 1,000.
    #[test]
    fn what_is_owed_at_another_qos_is_not_walked() {
        let mut open = OpenCursors::default();
        for stream in 0..1_000 {
            open.list(QoS::AtLeastOnce, cursor(stream));
        }
        let mut walked = 0;
        for stream in 0..100 {
            open.list(QoS::AtMostOnce, cursor(stream));
            walked += open.take_at(QoS::AtMostOnce).len();
            walked += open.take_at(QoS::AtMostOnce).len();
        }
        assert_eq!(walked, 100);

        let rest = open.take_at(QoS::AtLeastOnce);

        assert_eq!((rest.len(), open.at(QoS::AtLeastOnce).count()), (1_000, 0));
    }
}
