//! A moment as a text.

use super::push;

/// Appends a Unix time in milliseconds as `2026-01-01T00:00:00.000Z` (RFC 3339, in UTC).
///
/// Source of the calendar: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, 2013.
pub(super) fn write_iso(unix_ms: u64, out: &mut String) {
    const DAY_MS: u64 = 86_400_000;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let (days, ms) = (unix_ms / DAY_MS, unix_ms % DAY_MS);
    // Days from 0000-03-01: years that begin in March end with their leap day.
    let days = days + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = 400 * era + year + next_year;
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1_000 % 60, ms % 1_000);
    push(
        out,
        format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments as `date -u` writes them.
    #[test]
    fn moments_are_those_of_the_calendar() {
        for (unix_ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_600_123, "2026-01-01T00:00:00.123Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            let mut out = String::new();

            write_iso(unix_ms, &mut out);

            assert_eq!(out, expected);
        }
    }
}
