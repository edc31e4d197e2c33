//! Reads templates: `{index % 100:03}`, `{rand.float:18..26:2}` and the like.

use indexmap::IndexMap;

use super::error::TemplateError;
use super::place::{Use, check_allowed};
use super::segment::{Segment, Shape, parse_rand_float, parse_rand_int, parse_shape};
use super::{Escaping, Template};

/// Placeholders that stand for the same in a whole group; they are put in when a template is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed<'a> {
    /// `{group}`
    pub(crate) group: &'a str,
    /// `{vars.x}`
    pub(crate) vars: &'a IndexMap<String, String>,
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
    pub(super) fn parse(text: &str, place: Use, fixed: &Fixed<'_>) -> Result<Self, TemplateError> {
        let mut segments = Segments::new(Escaping::Plain);
        segments.parse(text, place, fixed)?;
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
    escaping: Escaping,
}

impl Segments {
    pub(super) fn new(escaping: Escaping) -> Self {
        Self {
            list: Vec::new(),
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

    /// Appends what `text` consists of.
    pub(super) fn parse(
        &mut self,
        text: &str,
        place: Use,
        fixed: &Fixed<'_>,
    ) -> Result<(), TemplateError> {
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(position);
            self.push_text(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                self.push_text(&brace[..1]);
                rest = &brace[2..];
            } else if brace.starts_with('}') {
                return Err(TemplateError::Stray);
            } else {
                let (inside, after) = brace[1..].split_once('}').ok_or(TemplateError::Unclosed)?;
                self.parse_placeholder(inside, place, fixed)?;
                rest = after;
            }
        }
        self.push_text(rest);
        self.list
            .retain(|segment| !matches!(segment, Segment::Literal(text) if text.is_empty()));
        Ok(())
    }

    fn parse_placeholder(
        &mut self,
        written: &str,
        place: Use,
        fixed: &Fixed<'_>,
    ) -> Result<(), TemplateError> {
        let end = written.find([':', '%']).unwrap_or(written.len());
        let (name, argument) = written.split_at(end);
        let name = name.trim();
        check_allowed(written, name, place)?;
        let malformed = |example| TemplateError::Malformed {
            written: written.to_owned(),
            example,
        };
        let segment = match name {
            "index" => Segment::Index(parse_shape(argument).ok_or(malformed("index % 100:05"))?),
            "seq" => Segment::Seq(parse_shape(argument).ok_or(malformed("seq % 100:05"))?),
            "rand.int" => parse_rand_int(argument).ok_or(malformed("rand.int:1..9"))?,
            "rand.float" => parse_rand_float(argument).ok_or(malformed("rand.float:18..26:2"))?,
            "rand.choice" => self
                .parse_rand_choice(argument)
                .ok_or(malformed("rand.choice:a|b"))?,
            _ if !argument.is_empty() => return Err(malformed("client_id")),
            "client_id" => Segment::ClientId,
            "now_ms" => Segment::NowMs,
            "group" => {
                self.push_text(fixed.group);
                return Ok(());
            }
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

    /// Parses `:a|b`, each choice being equally likely.
    fn parse_rand_choice(&self, argument: &str) -> Option<Segment> {
        let choices: Vec<String> = argument
            .strip_prefix(':')?
            .split('|')
            .map(|choice| {
                let mut escaped = String::new();
                self.escaping.write(choice, &mut escaped);
                escaped
            })
            .collect();
        // One choice alone is a slip: `{rand.choice:on,off}` would put `on,off` into every message.
        let is_usable = choices.len() > 1 && choices.iter().all(|choice| !choice.is_empty());
        is_usable.then_some(Segment::RandChoice(choices))
    }
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

    fn parse(text: &str, place: Use) -> Result<MessageTemplate, TemplateError> {
        let fixed = Fixed {
            group: "sensors",
            vars: &vars(),
        };
        MessageTemplate::parse(text, place, &fixed)
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
        assert!(matches!(
            parse("{csv.user}", Use::Payload),
            Err(TemplateError::NotSupportedYet { .. })
        ));
    }

    #[test]
    fn a_device_template_gives_each_device_its_text() {
        let vars = vars();
        let fixed = Fixed {
            group: "twins",
            vars: &vars,
        };

        let template =
            DeviceTemplate::parse("{group}/{client_id}/{index % 100}", Use::DeviceText, &fixed);

        assert_eq!(template.unwrap().render(250, "x"), "twins/x/50");
    }
}
