//! The only place of the runner that reads a clock.

use std::time;

use squall_protocol::Instant;

/// Real time as nanoseconds since the clock was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: time::Instant,
}

impl Clock {
    /// A clock whose start is now.
    pub fn start() -> Self {
        Self {
            start: time::Instant::now(),
        }
    }

    /// Now. Monotonic: it does not follow changes of the wall clock.
    pub fn now(&self) -> Instant {
        let nanos = self.start.elapsed().as_nanos();
        Instant::from_nanos(u64::try_from(nanos).expect("a run lasts less than 584 years"))
    }
}

/// The wall clock: time since 1970-01-01 00:00 UTC.
pub fn since_epoch() -> time::Duration {
    // A clock before 1970 is a machine that lost its time; 1970 is then as good as any.
    time::SystemTime::now()
        .duration_since(time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// `since_epoch` as UTC in ISO 8601, whole seconds: `2026-11-24T06:40:00Z`.
///
/// Source of the calendar arithmetic: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
pub fn iso_8601(since_epoch: time::Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments whose dates are known: the epoch, a leap day, and the day after it.
    #[test]
    fn moments_have_their_dates() {
        let text = |seconds| iso_8601(time::Duration::from_secs(seconds));

        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(text(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(text(1_709_251_200), "2024-03-01T00:00:00Z");
    }
}
