//! `--since`: the moment from which on runs are taken, as a time before now or as a date.

use std::str::FromStr;
use std::time::Duration;

use squall_toml::quantity::parse_duration;

use crate::clock::iso_8601;

/// From when on runs are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long before now.
    Ago(Duration),
    /// A moment, as [`iso_8601`] writes it.
    Moment(String),
}

/// A text does not say from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a time before now of a year at most, such as 7d or 12h, or a date or a moment in UTC, such as 2026-11-01 or \
     2026-11-01T06:40:00Z"
)]
pub struct NotSince;

impl FromStr for Since {
    type Err = NotSince;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ago) = parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
        let is_moment = is_date(date) && is_time(time);
        is_moment
            .then(|| Self::Moment(format!("{date}T{time}")))
            .ok_or(NotSince)
    }
}

impl Since {
    /// The moment as run files have theirs, whose order is that of their text; `now` is the time since 1970.
    pub fn moment(&self, now: Duration) -> String {
        match self {
            Self::Ago(ago) => iso_8601(now.saturating_sub(*ago)),
            Self::Moment(moment) => moment.clone(),
        }
    }
}

/// Whether it is `2026-11-01`, of a day that there is.
fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = numbers(text, '-', [4, 2, 2]) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// Whether it is `06:40:00Z`.
fn is_time(text: &str) -> bool {
    let time = text.strip_suffix('Z');
    let time = time.and_then(|time| numbers(time, ':', [2, 2, 2]));
    time.is_some_and(|[hour, minute, second]| hour < 24 && minute < 60 && second < 60)
}

/// Three numbers of so many digits each.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u32; 3]> {
    let parts: Vec<&str> = text.split(between).collect();
    let parts: [&str; 3] = parts.try_into().ok()?;
    let is_right = |(part, digits): (&&str, usize)| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_number = parts.iter().zip(digits).all(is_right);
    is_number.then(|| parts.map(|part| part.parse().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time counts back from now, and a date is its first moment.
    #[test]
    fn a_time_before_now_and_a_date_are_moments() {
        let now = Duration::from_secs(1_709_251_200);
        let moment = |text: &str| text.parse().map(|since: Since| since.moment(now));

        assert_eq!(moment("1d"), Ok("2024-02-29T00:00:00Z".to_owned()));
        assert_eq!(moment("1h30m"), Ok("2024-02-29T22:30:00Z".to_owned()));
        assert_eq!(moment("2024-02-29"), Ok("2024-02-29T00:00:00Z".to_owned()));
        assert_eq!(
            moment("2026-11-01T06:40:00Z"),
            Ok("2026-11-01T06:40:00Z".to_owned())
        );
    }

    /// What is neither, and a day that there is not, is refused with the forms.
    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "",
            "7",
            "yesterday",
            "-1d",
            "2026-13-01",
            "2026-11-31",
            "2025-02-29",
            "2026-11-1",
            "2026-11-01T24:00:00Z",
            "2026-11-01T06:40",
            "01.11.2026",
            "400d",
        ] {
            assert_eq!(wrong.parse::<Since>(), Err(NotSince), "{wrong}");
        }
        let text = NotSince.to_string();
        assert!(text.contains("7d") && text.contains("2026-11-01"), "{text}");
    }
}
