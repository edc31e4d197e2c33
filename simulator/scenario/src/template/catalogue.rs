//! Every placeholder, for the reference of the format.

/// A placeholder, as a reader looks it up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placeholder {
    /// Its name, as [`Use::allowed`](super::Use::allowed) has it.
    pub(crate) name: &'static str,
    /// A text with it, as the file may write it.
    pub(crate) example: &'static str,
    /// What it stands for.
    pub(crate) meaning: &'static str,
    /// How its arguments are written; empty if it has none.
    pub(crate) arguments: &'static str,
}

/// How a counter's arguments are written.
const COUNTER: &str = "`{NAME % N:0W}`: the rest of its division by N, padded with zeros to W digits; each part may be left out";

/// All of them.
pub(crate) const PLACEHOLDERS: &[Placeholder] = &[
    Placeholder {
        name: "index",
        example: "{index % 100:05}",
        meaning: "The device's place in its group, counted from 0.",
        arguments: COUNTER,
    },
    Placeholder {
        name: "client_id",
        example: "{client_id}",
        meaning: "The device's Client Identifier.",
        arguments: "",
    },
    Placeholder {
        name: "group",
        example: "{group}",
        meaning: "The name of the device's group.",
        arguments: "",
    },
    Placeholder {
        name: "vars",
        example: "{vars.site}",
        meaning: "A value of `[vars]`.",
        arguments: "`{vars.NAME}`, where `[vars]` has NAME",
    },
    Placeholder {
        name: "pick",
        example: "{pick:alice|bob|carol}",
        meaning: "One of the texts, by the device's index: the first device has the first, and after the last it begins anew.",
        arguments: "`{pick:A|B|C}`, with `|` between the texts, of which there are at least two",
    },
    Placeholder {
        name: "csv",
        example: "{csv.plate}",
        meaning: "A field of the file in the group's `feed`: the first device has the first row, and after the last row it begins anew.",
        arguments: "`{csv.COLUMN}`, where the first row of the file names COLUMN",
    },
    Placeholder {
        name: "seq",
        example: "{seq % 100}",
        meaning: "Counts the messages of this device from this `[[group.publish]]`, from 0. In a topic it must be \
                  limited, as in the example.",
        arguments: COUNTER,
    },
    Placeholder {
        name: "now_ms",
        example: "{now_ms}",
        meaning: "The time at which the message is due, as Unix time in milliseconds.",
        arguments: "",
    },
    Placeholder {
        name: "now_iso",
        example: "{now_iso}",
        meaning: "The same time in UTC, as `2026-01-01T00:00:00.000Z`.",
        arguments: "",
    },
    Placeholder {
        name: "uuid",
        example: "{uuid}",
        meaning: "A random UUID of version 4, drawn from the seed. In a client id the device keeps it.",
        arguments: "",
    },
    Placeholder {
        name: "rand.int",
        example: "{rand.int:1..9}",
        meaning: "A whole number, each of the range equally likely, both ends included.",
        arguments: "`{rand.int:MIN..MAX}`",
    },
    Placeholder {
        name: "rand.float",
        example: "{rand.float:18..26:2}",
        meaning: "A number of the range, all parts of it equally likely.",
        arguments: "`{rand.float:MIN..MAX:DIGITS}`, with up to 9 digits behind the point",
    },
    Placeholder {
        name: "rand.normal",
        example: "{rand.normal:20:2}",
        meaning: "A number of a normal distribution.",
        arguments: "`{rand.normal:MEAN:STD_DEV:DIGITS}`, with 2 digits behind the point if `:DIGITS` is left out, up to 9",
    },
    Placeholder {
        name: "rand.bool",
        example: "{rand.bool}",
        meaning: "`true` or `false`, equally likely. Alone in a text of a JSON payload it is a truth value there.",
        arguments: "",
    },
    Placeholder {
        name: "rand.hex",
        example: "{rand.hex:16}",
        meaning: "Random hexadecimal digits. In a client id the device keeps them.",
        arguments: "`{rand.hex:DIGITS}`, from 1 to 1024 of them",
    },
    Placeholder {
        name: "rand.choice",
        example: "{rand.choice:on|off}",
        meaning: "One of the texts, each equally likely.",
        arguments: "`{rand.choice:A|B|C}`, with `|` between the texts, of which there are at least two",
    },
];

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::MessageTemplate;
    use crate::template::{Fixed, Use};

    /// What a place takes is in the list, and what is in the list a place takes.
    #[test]
    fn every_placeholder_is_in_the_list() {
        let listed: Vec<&str> = PLACEHOLDERS.iter().map(|one| one.name).collect();
        let taken: Vec<&str> = Use::ALL
            .iter()
            .flat_map(|place| place.allowed())
            .copied()
            .collect();

        for name in &taken {
            assert!(
                listed.contains(name),
                "`{{{name}}}` lacks an entry with an example in PLACEHOLDERS (template/catalogue.rs)"
            );
        }
        for name in listed {
            assert!(taken.contains(&name), "no place takes `{{{name}}}`");
        }
    }

    /// Each example is understood where the placeholder may stand.
    #[test]
    fn every_example_is_a_template() {
        let vars = IndexMap::from([("site".to_owned(), "berlin".to_owned())]);
        let feed = [("plate".to_owned(), vec!["B-1".to_owned()])];
        let fixed = Fixed {
            group: "sensors",
            vars: &vars,
            feed: Some(&feed),
            seed: 1,
        };

        for one in PLACEHOLDERS {
            let places = Use::ALL
                .into_iter()
                .filter(|place| place.allowed().contains(&one.name));
            for place in places {
                let parsed = MessageTemplate::parse(one.example, place, &fixed);

                assert!(
                    parsed.is_ok(),
                    "{} in {}: {parsed:?}",
                    one.example,
                    place.name()
                );
            }
        }
    }
}
