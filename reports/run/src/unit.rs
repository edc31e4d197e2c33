//! Quantities as a person reads them: three significant digits and the unit that fits.

/// A duration in seconds with the unit that fits: `850 µs`, `12.3 ms`, `4.56 s`, `3 min 20 s`.
pub fn duration_text(seconds: f64) -> String {
    let size = seconds.abs();
    if size == 0.0 {
        "0 s".to_owned()
    } else if size < 0.000_999_5 {
        format!("{} µs", digits(seconds * 1e6))
    } else if size < 0.999_5 {
        format!("{} ms", digits(seconds * 1e3))
    } else if size < 119.5 {
        format!("{} s", digits(seconds))
    } else if size < 7_170.0 {
        two_units(seconds, 60, "min", "s")
    } else {
        two_units(seconds / 60.0, 60, "h", "min")
    }
}

fn two_units(amount: f64, in_one: u64, large: &str, small: &str) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    let whole = amount.abs().round() as u64;
    match (whole / in_one, whole % in_one) {
        (larger, 0) => format!("{sign}{larger} {large}"),
        (larger, rest) => format!("{sign}{larger} {large} {rest} {small}"),
    }
}

/// Bytes with the binary unit that fits: `512 B`, `1.50 KiB`, `24.0 MiB`.
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.5 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{} {}", digits(amount), UNITS[unit])
}

/// A count with thousands apart: `1,234,567`.
pub fn count_text(count: u64) -> String {
    let plain = count.to_string();
    let mut text = String::with_capacity(plain.len() + plain.len() / 3);
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Events a second: `4,998/s`, `12.5/s`.
pub fn rate_text(per_second: f64) -> String {
    if per_second >= 99.95 {
        format!("{}/s", count_text(per_second.round() as u64))
    } else {
        format!("{}/s", digits(per_second))
    }
}

/// Bits a second with the decimal unit that fits: `256 kbit/s`, `1.00 Mbit/s`.
pub fn bit_rate_text(bits_per_s: f64) -> String {
    const UNITS: [&str; 4] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
    let mut amount = bits_per_s;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    format!("{} {}", digits(amount), UNITS[unit])
}

/// A share as per cent: `0.1 %`, `12.5 %`.
pub fn share_text(share: f64) -> String {
    format!("{} %", digits(share * 100.0))
}

/// Three significant digits from 1 on, three places below; never an exponent: `0.012`, `1.23`, `123`.
pub fn digits(amount: f64) -> String {
    let size = amount.abs();
    let places = if size >= 99.95 || size == 0.0 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.999_5 {
        2
    } else {
        3
    };
    format!("{amount:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The unit fits the size, also where rounding reaches the next one.
    #[test]
    fn durations_have_a_fitting_unit() {
        let texts = [
            0.0,
            0.000_85,
            0.000_999_9,
            0.012_34,
            0.9999,
            4.56,
            59.96,
            200.0,
            3_600.0,
            7_500.0,
        ]
        .map(duration_text);

        assert_eq!(
            texts,
            [
                "0 s",
                "850 µs",
                "1.00 ms",
                "12.3 ms",
                "1.00 s",
                "4.56 s",
                "60.0 s",
                "3 min 20 s",
                "60 min",
                "2 h 5 min"
            ]
        );
    }

    /// Bytes carry over to the next unit where rounding would show 1024 of the smaller.
    #[test]
    fn bytes_have_a_fitting_unit() {
        let texts = [0, 1023, 1024, 1536, 1023 << 10, (1 << 20) - 1, 3 << 30].map(bytes_text);

        assert_eq!(
            texts,
            [
                "0 B", "1023 B", "1.00 KiB", "1.50 KiB", "1023 KiB", "1.00 MiB", "3.00 GiB"
            ]
        );
    }

    /// Thousands are apart.
    #[test]
    fn counts_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(count_text);

        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(rate_text(4_998.3), "4,998/s");
        assert_eq!(rate_text(12.5), "12.5/s");
        assert_eq!(share_text(0.125), "12.5 %");
        assert_eq!(bit_rate_text(256_000.0), "256 kbit/s");
        assert_eq!(bit_rate_text(999_900.0), "1.00 Mbit/s");
    }
}
