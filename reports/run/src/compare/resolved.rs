//! A resolved scenario as settings: a value for each key, so that two can be set side by side.
//!
//! The text is what squall itself printed (`identity.scenario.resolved`): a setting a line, tables under their heads. A
//! table that may be repeated is told from the others by its `name`, else by its place.

use std::collections::BTreeMap;

/// The settings of a resolved scenario, by keys as `--set` has them: `group.sensors.publish.0.qos`.
///
/// Without the seed, which repeats differ in, and how often it is repeated.
pub(crate) fn settings_of(resolved: &str) -> BTreeMap<String, String> {
    let mut reader = Reader::default();
    for line in resolved.lines() {
        reader.line(line);
    }
    reader.settings
}

#[derive(Default)]
struct Reader {
    settings: BTreeMap<String, String>,
    /// The tables around the lines that come, outermost first.
    path: Vec<Table>,
    /// How many of each repeated table there were, by the key up to it.
    counts: BTreeMap<String, usize>,
    /// The key of a text of several lines that has not ended.
    open: Option<String>,
}

/// What a text of several lines begins and ends with.
const LONG_TEXT: &str = "\"\"\"";

struct Table {
    /// As its head names it.
    name: String,
    /// Which one of several it is; `None` for one that is not repeated.
    of_several: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(key) = self.open.take() {
            let text = self.settings.entry(key.clone()).or_default();
            text.push('\n');
            text.push_str(line);
            self.open = Some(key).filter(|_| !line.contains(LONG_TEXT));
            return;
        }
        let line = line.trim();
        if let Some(head) = line
            .strip_prefix("[[")
            .and_then(|rest| rest.strip_suffix("]]"))
        {
            self.begin(head);
            let key = self.key();
            let count = self.counts.entry(key).or_default();
            let place = count.to_string();
            *count += 1;
            if let Some(table) = self.path.last_mut() {
                table.of_several = Some(place);
            }
        } else if let Some(head) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            self.begin(head);
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#'))
        {
            self.set(key, value);
        }
    }

    /// A head names all tables down to its own: those around it are the last ones of their names.
    fn begin(&mut self, head: &str) {
        let names: Vec<&str> = head.split('.').collect();
        let kept = self.path.iter().zip(&names).take(names.len() - 1);
        let kept = kept
            .take_while(|(table, name)| table.name == **name)
            .count();
        self.path.truncate(kept);
        for name in &names[kept..] {
            self.path.push(Table {
                name: (*name).to_owned(),
                of_several: None,
            });
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let is_left_out = match self.path.first() {
            None => matches!(key, "seed" | "version"),
            Some(table) => table.name == "run" && key == "repeat",
        };
        if is_left_out {
            return;
        }
        if key == "name"
            && let Some(of_several) = self
                .path
                .last_mut()
                .and_then(|table| table.of_several.as_mut())
        {
            *of_several = value.trim_matches('"').to_owned();
        }
        let key = match self.key() {
            path if path.is_empty() => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        let is_open = value.matches(LONG_TEXT).count() % 2 == 1;
        self.open = is_open.then(|| key.clone());
        self.settings.insert(key, value.to_owned());
    }

    fn key(&self) -> String {
        let words = self.path.iter().flat_map(|table| {
            let name = Some(table.name.as_str());
            [name, table.of_several.as_deref()].into_iter().flatten()
        });
        words.collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of several lines is one value, whatever its lines look like.
    #[test]
    fn a_text_of_several_lines_is_one_value() {
        let resolved = "[target]\nconfig = { \"a.conf\" = \"\"\"\n[[group]]\nx = 1\n\"\"\" }\n[run]\nwarmup = \"1s\"\n";

        let settings = settings_of(resolved);

        let keys: Vec<&str> = settings.keys().map(String::as_str).collect();
        assert_eq!(keys, ["run.warmup", "target.config"]);
        assert!(settings["target.config"].ends_with("\n[[group]]\nx = 1\n\"\"\" }"));
    }

    /// Keys are those of `--set`; the seed and comments are left out.
    #[test]
    fn settings_have_the_keys_of_their_tables() {
        let resolved = "version = 1\nname = \"s\"\nseed = 4\n[target]\nurl = \"mqtt://a\"\n[target.tls]\nca = \"x\"\n[run]\n\
             warmup = \"2s\"\nrepeat = 3\n[[group]]\nname = \"a\"\ncount = 5\n# no network: none\n[group.reconnect]\nwhen = \"never\"\n\
             [[group.publish]]\ntopic = \"t = u\"\n[[group.publish]]\ntopic = \"v\"\n[[group]]\nname = \"b\"\n\
             [[group.publish]]\ntopic = \"w\"\n[[expect]]\ncheck = \"delivery\"\nlost = 0\n";

        let settings = settings_of(resolved);

        let expected = [
            ("expect.0.check", "\"delivery\""),
            ("expect.0.lost", "0"),
            ("group.a.count", "5"),
            ("group.a.name", "\"a\""),
            ("group.a.publish.0.topic", "\"t = u\""),
            ("group.a.publish.1.topic", "\"v\""),
            ("group.a.reconnect.when", "\"never\""),
            ("group.b.name", "\"b\""),
            ("group.b.publish.0.topic", "\"w\""),
            ("name", "\"s\""),
            ("run.warmup", "\"2s\""),
            ("target.tls.ca", "\"x\""),
            ("target.url", "\"mqtt://a\""),
        ];
        let found: Vec<(&str, &str)> = settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }
}
