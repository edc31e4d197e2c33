//! When the devices of a group are there, written out.

use squall_toml::quote::quote;

use super::distribution::distribution;
use super::pacing::share;
use super::text::{Text, duration, pair, table};
use crate::Attendance;

/// Writes `start`, `leave` and `availability` of a group.
pub(super) fn write(text: &mut Text, attendance: &Attendance) {
    match attendance.start {
        Some(start) => text.pair("start", duration(start)),
        None => text.comment("connects before the load"),
    }
    match attendance.leave {
        Some(leave) => text.pair("leave", duration(leave)),
        None => text.comment("leaves after the load"),
    }
    match &attendance.availability {
        Some(availability) => {
            let pairs = [
                pair("up", distribution(&availability.up)),
                pair("down", distribution(&availability.down)),
                pair("how", quote(availability.how.name())),
            ];
            text.option("availability", table(pairs.into_iter()));
        }
        None if attendance.online.is_none() => text.comment("stays connected between"),
        None => {}
    }
    text.option("online", attendance.online.as_ref().map(share));
}
