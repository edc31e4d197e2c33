//! Placeholders that are drawn.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::{Escaping, push};

/// Most digits behind the point of a number.
const DECIMALS_MAX: u8 = 9;

/// Most hexadecimal digits.
const HEX_MAX: u16 = 1_024;

/// Digits behind the point of `{rand.normal}`, where it does not say.
const NORMAL_DECIMALS: u8 = 2;

/// What is drawn. Texts in it are escaped already.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Draw {
    /// `{rand.int:1..9}`, both ends included.
    Int { min: i64, max: i64 },
    /// `{rand.float:18..26:2}`, with this number of digits behind the point.
    Float { min: f64, max: f64, decimals: u8 },
    /// `{rand.normal:20:2}`, with this number of digits behind the point.
    Normal {
        mean: f64,
        std_dev: f64,
        decimals: u8,
    },
    /// `{rand.bool}`
    Bool,
    /// `{rand.choice:a|b}`
    Choice(Vec<String>),
    /// `{rand.hex:16}`: as many digits.
    Hex(u16),
    /// `{uuid}`: version 4 (RFC 9562).
    Uuid,
}

impl Draw {
    /// Reads the placeholder `name` with its `argument`; `None` if no draw has that name.
    ///
    /// # Errors
    /// How it is written, where the argument makes no sense.
    pub(super) fn parse(
        name: &str,
        argument: &str,
        escaping: Escaping,
    ) -> Option<Result<Self, &'static str>> {
        let (parsed, example) = match name {
            "rand.int" => (parse_int(argument), "rand.int:1..9"),
            "rand.float" => (parse_float(argument), "rand.float:18..26:2"),
            "rand.normal" => (parse_normal(argument), "rand.normal:20:2"),
            "rand.bool" => (argument.is_empty().then_some(Self::Bool), "rand.bool"),
            "rand.choice" => {
                let choices = parse_texts(argument, escaping);
                (choices.map(Self::Choice), "rand.choice:a|b")
            }
            "rand.hex" => (parse_hex(argument), "rand.hex:16"),
            "uuid" => (argument.is_empty().then_some(Self::Uuid), "uuid"),
            _ => return None,
        };
        Some(parsed.ok_or(example))
    }

    /// Appends what is drawn from `rng`.
    pub(super) fn write(&self, rng: &mut impl Rng, out: &mut String) {
        match self {
            Self::Int { min, max } => {
                push(out, format_args!("{}", rng.random_range(*min..=*max)));
            }
            Self::Float { min, max, decimals } => {
                let number = min + (max - min) * rng.random::<f64>();
                push(out, format_args!("{number:.*}", usize::from(*decimals)));
            }
            Self::Normal {
                mean,
                std_dev,
                decimals,
            } => {
                let z: f64 = rng.sample(StandardNormal);
                let number = mean + std_dev * z;
                push(out, format_args!("{number:.*}", usize::from(*decimals)));
            }
            Self::Bool => push(out, format_args!("{}", rng.random::<bool>())),
            Self::Choice(choices) => out.push_str(&choices[rng.random_range(0..choices.len())]),
            Self::Hex(digits) => {
                for _ in 0..*digits {
                    push(out, format_args!("{:x}", rng.random_range(0..16_u8)));
                }
            }
            Self::Uuid => write_uuid(rng.random(), out),
        }
    }

    /// The texts that it may stand for; none for what squall makes up.
    pub(super) fn pieces(&self) -> &[String] {
        match self {
            Self::Choice(choices) => choices,
            Self::Int { .. }
            | Self::Float { .. }
            | Self::Normal { .. }
            | Self::Bool
            | Self::Hex(_)
            | Self::Uuid => &[],
        }
    }

    /// Bytes of the longest text that it may stand for.
    pub(super) fn length_max(&self) -> usize {
        // The sign, the digits before the point, the point, and the digits behind it.
        let number = |largest: f64, decimals: u8| {
            let digits = largest.abs().max(1.0).log10() as usize + 1;
            2 + digits + usize::from(decimals)
        };
        match self {
            // `i64::MIN` has 20 characters.
            Self::Int { .. } => 20,
            Self::Float { decimals, min, max } => number(min.abs().max(max.abs()), *decimals),
            // No draw is as far away as 40 standard deviations.
            Self::Normal {
                mean,
                std_dev,
                decimals,
            } => number(mean.abs() + 40.0 * std_dev, *decimals),
            Self::Bool => 5,
            Self::Choice(choices) => choices.iter().map(String::len).max().unwrap_or(0),
            Self::Hex(digits) => usize::from(*digits),
            Self::Uuid => 36,
        }
    }

    /// What it may stand for at the beginning of `text`, which has no digits.
    pub(super) fn beginnings<'t>(&'t self, text: &'t str) -> Vec<&'t str> {
        match self {
            Self::Choice(choices) => choices.iter().map(String::as_str).collect(),
            Self::Bool => vec!["true", "false"],
            Self::Hex(digits) => {
                let first = text.get(..usize::from(*digits));
                let is_hex = |first: &&str| first.bytes().all(|byte| matches!(byte, b'a'..=b'f'));
                first.filter(is_hex).into_iter().collect()
            }
            Self::Int { .. } | Self::Float { .. } | Self::Normal { .. } | Self::Uuid => Vec::new(),
        }
    }

    /// Bytes of the shortest text that it may stand for.
    pub(super) fn length_min(&self) -> usize {
        let number = |decimals: u8| match decimals {
            0 => 1,
            decimals => 2 + usize::from(decimals),
        };
        match self {
            Self::Int { .. } => 1,
            Self::Float { decimals, .. } | Self::Normal { decimals, .. } => number(*decimals),
            Self::Bool => 4,
            Self::Choice(choices) => choices.iter().map(String::len).min().unwrap_or(0),
            Self::Hex(digits) => usize::from(*digits),
            Self::Uuid => 36,
        }
    }

    /// Whether JSON has it without quotes.
    pub(super) fn is_bare(&self) -> bool {
        match self {
            Self::Int { .. } | Self::Float { .. } | Self::Normal { .. } | Self::Bool => true,
            Self::Choice(_) | Self::Hex(_) | Self::Uuid => false,
        }
    }
}

/// Parses `:a|b`, at least two texts, none of them empty, and escapes them.
pub(super) fn parse_texts(argument: &str, escaping: Escaping) -> Option<Vec<String>> {
    let texts: Vec<String> = argument
        .strip_prefix(':')?
        .split('|')
        .map(|text| {
            let mut escaped = String::new();
            escaping.write(text, &mut escaped);
            escaped
        })
        .collect();
    // One text alone is a slip: `{rand.choice:on,off}` would put `on,off` into every message.
    let is_usable = texts.len() > 1 && texts.iter().all(|text| !text.is_empty());
    is_usable.then_some(texts)
}

/// Parses `:1..9`, both ends included.
fn parse_int(argument: &str) -> Option<Draw> {
    let (min, max) = argument.strip_prefix(':')?.split_once("..")?;
    let (min, max) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
    (min <= max).then_some(Draw::Int { min, max })
}

/// Parses `:18..26:2`, two digits behind the point.
fn parse_float(argument: &str) -> Option<Draw> {
    let (range, decimals) = argument.strip_prefix(':')?.split_once(':')?;
    let (min, max) = range.split_once("..")?;
    let (min, max): (f64, f64) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
    let decimals = decimals.trim().parse().ok()?;
    let is_range = min.is_finite() && max.is_finite() && min <= max && (max - min).is_finite();
    (is_range && decimals <= DECIMALS_MAX).then_some(Draw::Float { min, max, decimals })
}

/// Parses `:20:2` or, with four digits behind the point, `:20:2:4`.
fn parse_normal(argument: &str) -> Option<Draw> {
    let (mean, rest) = argument.strip_prefix(':')?.split_once(':')?;
    let (std_dev, decimals) = match rest.split_once(':') {
        Some((std_dev, decimals)) => (std_dev, decimals.trim().parse().ok()?),
        None => (rest, NORMAL_DECIMALS),
    };
    let (mean, std_dev): (f64, f64) = (mean.trim().parse().ok()?, std_dev.trim().parse().ok()?);
    let is_normal = mean.is_finite() && std_dev > 0.0 && (40.0 * std_dev + mean.abs()).is_finite();
    (is_normal && decimals <= DECIMALS_MAX).then_some(Draw::Normal {
        mean,
        std_dev,
        decimals,
    })
}

/// Parses `:16`.
fn parse_hex(argument: &str) -> Option<Draw> {
    let digits = argument.strip_prefix(':')?.trim().parse().ok()?;
    (1..=HEX_MAX).contains(&digits).then_some(Draw::Hex(digits))
}

/// A UUID of version 4 with these random bits (RFC 9562 §5.4).
fn write_uuid(bits: u128, out: &mut String) {
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0b11 << 62) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    let (a, b, c, d, e) = (
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    );
    push(out, format_args!("{a}-{b}-{c}-{d}-{e}"));
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use crate::template::{DeviceTemplate, Fixed, MessageTemplate, TemplateValues, Use};

    /// What a client id draws is the device's for good: by the seed, the group and the index.
    #[test]
    fn a_device_keeps_what_its_client_id_draws() {
        let vars = IndexMap::new();
        let id = |seed, group, index| {
            let fixed = Fixed {
                group,
                vars: &vars,
                feed: None,
                seed,
            };
            let parsed = DeviceTemplate::parse("{rand.hex:8}-{uuid}", Use::ClientId, &fixed);
            parsed.unwrap().render(index, "")
        };
        let first = id(1, "g", 0);

        assert_eq!(first, id(1, "g", 0));
        let others = [id(2, "g", 0), id(1, "h", 0), id(1, "g", 1)];
        let ids: std::collections::BTreeSet<&String> = others.iter().chain([&first]).collect();
        assert_eq!(ids.len(), 4);
        let uuid = &first[9..];
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }

    /// Digits, truth values and numbers around a mean, as many as were asked for.
    #[test]
    fn drawn_placeholders_have_their_form() {
        let vars = IndexMap::new();
        let fixed = Fixed {
            group: "g",
            vars: &vars,
            feed: None,
            seed: 1,
        };
        let text = "{rand.hex:16} {rand.bool} {rand.normal:20:2}";
        let template = MessageTemplate::parse(text, Use::Payload, &fixed).unwrap();
        let values = TemplateValues {
            index: 0,
            client_id: "",
            seq: 0,
            now_ms: 0,
        };
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut sum = 0.0;

        for _ in 0..1_000 {
            let mut out = String::new();
            template.render(&values, &mut rng, &mut out);
            let parts: Vec<&str> = out.split(' ').collect();
            assert!(u64::from_str_radix(parts[0], 16).is_ok() && parts[0].len() == 16);
            assert!(["true", "false"].contains(&parts[1]));
            assert_eq!(parts[2].split_once('.').unwrap().1.len(), 2);
            sum += parts[2].parse::<f64>().unwrap();
        }

        assert!((19.7..20.3).contains(&(sum / 1_000.0)), "{sum}");
    }
}
