//! Reads templates: `{index % 100:03}`, `{rand.float:18..26:2}` and the like.

use indexmap::IndexMap;

use super::error::{Slip, TemplateError};
use super::place::{Use, check_allowed};
use super::random::{Draw, parse_texts};
use super::segment::{Segment, Shape, parse_shape};
use super::{Escaping, Template};

/// Placeholders that stand for the same in a whole group; they are put in when a template is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed<'a> {
    /// `{group}`
    pub(crate) group: &'a str,
    /// `{vars.x}`
    pub(crate) vars: &'a IndexMap<String, String>,
    /// The columns of the group's CSV file, each with its rows; at least one row.
    pub(crate) feed: Option<&'a [(String, Vec<String>)]>,
    /// The seed of the run.
    pub(crate) seed: u64,
}

impl Template {
    /// A text without placeholders.
    pub(super) fn literal(text: &str) -> Self {
        Self {
            source: text.to_owned(),
            segments: vec![Segment::Literal(text.to_owned())],
            escaping: Escaping::Plain,
        }
    }

    /// Parses `text` as it stands in `place`.
    pub(super) fn parse(text: &str, place: Use, fixed: &Fixed<'_>) -> Result<Self, Vec<Slip>> {
        let mut segments = Segments::new(Escaping::Plain);
        segments.parse(text, place, fixed);
        if !segments.slips.is_empty() {
            return Err(segments.slips);
        }
        Ok(Self {
            source: text.to_owned(),
            segments: segments.list,
            escaping: Escaping::Plain,
        })
    }
}

/// Segments under construction; neighbouring literals are one.
pub(super) struct Segments {
    pub(super) list: Vec<Segment>,
    /// What is wrong with what was parsed.
    pub(super) slips: Vec<Slip>,
    escaping: Escaping,
}

impl Segments {
    pub(super) fn new(escaping: Escaping) -> Self {
        Self {
            list: Vec::new(),
            slips: Vec::new(),
            escaping,
        }
    }

    /// Appends text that needs no escaping.
    pub(super) fn push_raw(&mut self, text: &str) {
        match self.list.last_mut() {
            Some(Segment::Literal(last)) => last.push_str(text),
            _ => self.list.push(Segment::Literal(text.to_owned())),
        }
    }

    /// Appends text, escaped.
    fn push_text(&mut self, text: &str) {
        let mut escaped = String::new();
        self.escaping.write(text, &mut escaped);
        self.push_raw(&escaped);
    }

    /// Appends what `text` consists of, and notes everything that is wrong with it.
    pub(super) fn parse(&mut self, text: &str, place: Use, fixed: &Fixed<'_>) {
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(position);
            self.push_text(before);
            let begin = text.len() - brace.len();
            if brace.starts_with("{{") || brace.starts_with("}}") {
                self.push_text(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let inside = brace[1..].split_once('}');
            let (parsed, length) = match inside {
                _ if brace.starts_with('}') => (Err(TemplateError::Stray), 1),
                None => (Err(TemplateError::Unclosed), brace.len()),
                Some((inside, _)) => (
                    self.parse_placeholder(inside, place, fixed),
                    inside.len() + 2,
                ),
            };
            if let Err(error) = parsed {
                self.slips.push(Slip {
                    path: Vec::new(),
                    text_bytes: text.len(),
                    within: begin..begin + length,
                    error,
                });
            }
            rest = &brace[length..];
        }
        self.push_text(rest);
        self.list
            .retain(|segment| !matches!(segment, Segment::Literal(text) if text.is_empty()));
    }

    fn parse_placeholder(
        &mut self,
        written: &str,
        place: Use,
        fixed: &Fixed<'_>,
    ) -> Result<(), TemplateError> {
        // Numbers are not calculated with: who writes `{index + 1}` is told what can be written.
        let is_number = written.starts_with("index") || written.starts_with("seq");
        let ends: &[char] = match is_number {
            true => &[':', '%', '+', '-', '*', '/'],
            false => &[':', '%'],
        };
        let end = written.find(ends).unwrap_or(written.len());
        let (name, argument) = written.split_at(end);
        let name = name.trim();
        check_allowed(written, name, place)?;
        let malformed = |example| TemplateError::Malformed {
            written: written.to_owned(),
            example,
        };
        if let Some(drawn) = Draw::parse(name, argument, self.escaping) {
            let draw = drawn.map_err(malformed)?;
            self.list.push(match place.is_per_device() {
                true => Segment::Own {
                    key: own_key(fixed, self.list.len()),
                    draw,
                },
                false => Segment::Drawn(draw),
            });
            return Ok(());
        }
        let segment = match name {
            "index" => Segment::Index(parse_shape(argument).ok_or(malformed("index % 100:05"))?),
            "seq" => Segment::Seq(parse_shape(argument).ok_or(malformed("seq % 100:05"))?),
            "pick" => {
                Segment::Pick(parse_texts(argument, self.escaping).ok_or(malformed("pick:a|b|c"))?)
            }
            _ if !argument.is_empty() => return Err(malformed("client_id")),
            "client_id" => Segment::ClientId,
            "now_ms" => Segment::NowMs,
            "now_iso" => Segment::NowIso,
            "group" => {
                self.push_text(fixed.group);
                return Ok(());
            }
            _ if name.starts_with("csv.") => self.column(&name["csv.".len()..], fixed)?,
            _ => {
                let name = name.strip_prefix("vars.").unwrap_or_default();
                let value = fixed
                    .vars
                    .get(name)
                    .ok_or_else(|| TemplateError::UnknownVar {
                        name: name.to_owned(),
                        known: fixed.vars.keys().cloned().collect(),
                    })?;
                self.push_text(value);
                return Ok(());
            }
        };
        if let (Use::Topic, Segment::Seq(Shape { modulus: None, .. })) = (place, &segment) {
            return Err(TemplateError::Unlimited { name: "seq" });
        }
        self.list.push(segment);
        Ok(())
    }

    /// The rows of a column of the group's CSV file.
    fn column(&self, name: &str, fixed: &Fixed<'_>) -> Result<Segment, TemplateError> {
        let name = name.to_owned();
        let Some(feed) = fixed.feed else {
            return Err(TemplateError::NoFeed { name });
        };
        let found = feed.iter().find(|(column, _)| *column == name);
        let Some((_, rows)) = found else {
            let known = feed.iter().map(|(column, _)| column.clone()).collect();
            return Err(TemplateError::UnknownColumn { name, known });
        };
        let rows = rows.iter().map(|row| {
            let mut escaped = String::new();
            self.escaping.write(row, &mut escaped);
            escaped
        });
        Ok(Segment::Pick(rows.collect()))
    }
}

/// What a draw that a device keeps is seeded with: by the run's seed, the group, and its place in the text.
fn own_key(fixed: &Fixed<'_>, place: usize) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = fixed.group.bytes().map(u64::from);
    let words = [fixed.seed, place as u64].into_iter().chain(bytes);
    words.fold(GOLDEN, |key, word| {
        (key ^ word).wrapping_mul(GOLDEN).rotate_left(29)
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::template::{DeviceTemplate, MessageTemplate, TemplateValues};

    fn vars() -> IndexMap<String, String> {
        IndexMap::from([("site".to_owned(), "berlin".to_owned())])
    }

    fn columns() -> Vec<(String, Vec<String>)> {
        let rows = ["B-1", "B-2", "B-3"].map(str::to_owned);
        vec![("plate".to_owned(), rows.to_vec())]
    }

    fn parse(text: &str, place: Use) -> Result<MessageTemplate, TemplateError> {
        let fixed = Fixed {
            group: "sensors",
            vars: &vars(),
            feed: Some(&columns()),
            seed: 1,
        };
        let parsed = MessageTemplate::parse(text, place, &fixed);
        parsed.map_err(|slips| slips[0].error.clone())
    }

    fn render(text: &str) -> String {
        let values = TemplateValues {
            index: 1234,
            client_id: "dev-1234",
            seq: 250,
            now_ms: 98_765,
        };
        let mut out = String::new();
        parse(text, Use::Payload).unwrap().render(
            &values,
            &mut Pcg64Mcg::seed_from_u64(1),
            &mut out,
        );
        out
    }

    #[test]
    fn placeholders_stand_for_their_values() {
        for (text, expected) in [
            ("{index}", "1234"),
            ("{index:05}", "01234"),
            ("{index % 100}", "34"),
            ("{index%100:04}", "0034"),
            ("fleet/{client_id}/t", "fleet/dev-1234/t"),
            ("{group}-{seq}", "sensors-250"),
            ("cmd/twin-{seq % 100}", "cmd/twin-50"),
            ("{now_ms}", "98765"),
            ("{vars.site}", "berlin"),
            ("{pick:a|b|c}", "b"),
            ("{csv.plate}", "B-2"),
            ("{now_iso}", "1970-01-01T00:01:38.765Z"),
            ("{{{index}}}", "{1234}"),
            ("no braces", "no braces"),
            ("", ""),
        ] {
            assert_eq!(render(text), expected, "{text}");
        }
    }

    #[test]
    fn random_placeholders_stay_within_their_ranges() {
        let template = parse(
            "{rand.int:1..9} {rand.float:18..26:2} {rand.choice:a|b}",
            Use::Payload,
        )
        .unwrap();
        let values = TemplateValues {
            index: 0,
            client_id: "",
            seq: 0,
            now_ms: 0,
        };
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut choices = std::collections::BTreeSet::new();

        for _ in 0..1_000 {
            let mut out = String::new();
            template.render(&values, &mut rng, &mut out);
            let parts: Vec<&str> = out.split(' ').collect();
            let integer: i64 = parts[0].parse().unwrap();
            let float: f64 = parts[1].parse().unwrap();
            assert!((1..=9).contains(&integer));
            assert!((18.0..=26.0).contains(&float));
            assert_eq!(parts[1].split_once('.').unwrap().1.len(), 2);
            choices.insert(parts[2].to_owned());
        }

        assert_eq!(choices.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_malformed_template_says_what_is_wrong() {
        let unclosed = parse("a/{index", Use::Topic);
        let stray = parse("a/index}", Use::Topic);
        let unknown = parse("{indx}", Use::Topic).unwrap_err();
        let vars = parse("{vars.sites}", Use::Topic).unwrap_err();

        assert_eq!(unclosed, Err(TemplateError::Unclosed));
        assert_eq!(stray, Err(TemplateError::Stray));
        assert!(matches!(unknown, TemplateError::Unknown { written, .. } if written == "indx"));
        assert_eq!(
            vars,
            TemplateError::UnknownVar {
                name: "sites".to_owned(),
                known: vec!["site".to_owned()],
            }
        );
        for text in [
            "{index:5}",
            "{index % 0}",
            "{index % x}",
            "{seq:099}",
            "{rand.int:9..1}",
            "{rand.float:1..2}",
            "{rand.choice:a|}",
            "{rand.choice:on,off}",
            "{client_id:3}",
            "{index + 47}",
            "{seq*2}",
            "{rand.normal:20}",
            "{rand.normal:20:0}",
            "{rand.bool:1}",
            "{rand.hex}",
            "{rand.hex:0}",
            "{pick:a}",
            "{uuid:4}",
        ] {
            assert!(
                matches!(
                    parse(text, Use::Payload),
                    Err(TemplateError::Malformed { .. })
                ),
                "{text}"
            );
        }
    }

    /// A placeholder stands only where it has a value, and a device's topics are limited.
    #[test]
    fn a_placeholder_is_refused_where_it_makes_no_sense() {
        let not_here =
            |text, place| matches!(parse(text, place), Err(TemplateError::NotHere { .. }));

        assert!(not_here("{client_id}", Use::ClientId));
        assert!(not_here("{seq}", Use::DeviceText));
        assert!(not_here("{now_ms}", Use::Topic));
        assert!(not_here("{rand.float:1..2:3}", Use::Topic));
        assert_eq!(
            parse("t/{seq}", Use::Topic),
            Err(TemplateError::Unlimited { name: "seq" })
        );
        assert!(not_here("{rand.int:1..9}", Use::DeviceText));
        assert!(not_here("{uuid}", Use::Topic));
        assert!(not_here("{csv.plate}", Use::Password));
    }

    #[test]
    fn a_device_template_gives_each_device_its_text() {
        let vars = vars();
        let fixed = Fixed {
            group: "twins",
            vars: &vars,
            feed: Some(&columns()),
            seed: 1,
        };

        let template =
            DeviceTemplate::parse("{group}/{client_id}/{index % 100}", Use::DeviceText, &fixed);

        assert_eq!(template.unwrap().render(250, "x"), "twins/x/50");
    }

    /// Everything that is wrong is told at once, with the bytes that are.
    #[test]
    fn every_slip_is_told_with_its_place() {
        let vars = vars();
        let fixed = Fixed {
            group: "g",
            vars: &vars,
            feed: None,
            seed: 1,
        };
        let text = "a {indx} {{b}} {csv.plate} {seq:5} } {now";

        let slips = MessageTemplate::parse(text, Use::Payload, &fixed).unwrap_err();

        let wrong: Vec<&str> = slips
            .iter()
            .map(|slip| &text[slip.within.clone()])
            .collect();
        assert_eq!(wrong, ["{indx}", "{csv.plate}", "{seq:5}", "}", "{now"]);
        assert!(matches!(slips[1].error, TemplateError::NoFeed { .. }));
    }
}
