//! Reads a config file by the table of keys; refuses what is not in it.
//!
//! A file says only what differs from [`Config::default`]. What one setting may be is checked
//! here; what joins two settings is checked by [`Config::check`].

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys::KEYS;
use super::{Config, ConfigError, Place};

/// How alike two names must be for a suggestion, from 0 to 1 (Jaro–Winkler).
const SUGGESTION_MIN: f64 = 0.85;

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// Any [`ConfigError`]; those of the file name the place in it.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::from_toml(text, path),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text = String::from_utf8_lossy(valid);
                let source = Source { text: &text, path };
                Err(ConfigError::Syntax {
                    place: source.place(&(text.len()..text.len())),
                    message: String::from("not UTF-8 text"),
                })
            }
        }
    }

    /// Reads and checks `text`; errors call it `path`.
    ///
    /// # Errors
    /// Any [`ConfigError`] but [`ConfigError::Unreadable`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let source = Source { text, path };
        let root = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: source.place(&error.span().unwrap_or(0..0)),
            message: String::from(error.message()),
        })?;
        let mut config = Self::default();
        for (section, value) in root.get_ref() {
            let known = KEYS.iter().any(|key| key.section == section.get_ref());
            if !known {
                return Err(source.unknown(&section.span(), section.get_ref()));
            }
            let DeValue::Table(table) = value.get_ref() else {
                return Err(ConfigError::BadValue {
                    place: source.place(&value.span()),
                    key: section.get_ref().to_string(),
                    found: source.spelled(&value.span()),
                    expected: format!("a section [{}]", section.get_ref()),
                });
            };
            source.apply(&mut config, section.get_ref(), table)?;
        }
        config.check()?;
        Ok(config)
    }
}

/// The text that is read, for the places in its errors.
struct Source<'t> {
    text: &'t str,
    path: &'t Path,
}

impl Source<'_> {
    fn apply(
        &self,
        config: &mut Config,
        section: &str,
        table: &DeTable<'_>,
    ) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = KEYS
                .iter()
                .find(|key| key.section == section && key.name == name.get_ref())
                .ok_or_else(|| {
                    self.unknown(&name.span(), &format!("{section}.{}", name.get_ref()))
                })?;
            (key.apply)(config, value.get_ref()).map_err(|expected| ConfigError::BadValue {
                place: self.place(&value.span()),
                key: key.dotted(),
                found: self.spelled(&value.span()),
                expected,
            })?;
        }
        Ok(())
    }

    fn unknown(&self, span: &Range<usize>, key: &str) -> ConfigError {
        ConfigError::UnknownKey {
            place: self.place(span),
            key: String::from(key),
            suggestion: suggestion(key),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn spelled(&self, span: &Range<usize>) -> String {
        self.text
            .get(span.clone())
            .unwrap_or_default()
            .lines()
            .next()
            .map_or_else(String::new, String::from)
    }
}

/// The known section or dotted key that looks most like `key`.
///
/// A known key's last name counts too, so that a key in the wrong section is found.
fn suggestion(key: &str) -> Option<String> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let sections = KEYS.iter().map(|known| {
        let likeness = strsim::jaro_winkler(known.section, key);
        (likeness, String::from(known.section))
    });
    let dotted = KEYS.iter().map(|known| {
        let likeness =
            strsim::jaro_winkler(&known.dotted(), key).max(strsim::jaro_winkler(known.name, name));
        (likeness, known.dotted())
    });
    let candidates: Vec<_> = if key.contains('.') {
        dotted.collect()
    } else {
        sections.chain(dotted).collect()
    };
    candidates
        .into_iter()
        .filter(|(likeness, _)| *likeness >= SUGGESTION_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::super::keys::Key;
    use super::*;

    const DOCUMENTED: &str = include_str!("../../squall-broker.toml");

    fn read(text: &str) -> Result<Config, ConfigError> {
        Config::from_toml(text, Path::new("broker.toml"))
    }

    fn message(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    /// The documented file spells the defaults, so it changes nothing.
    #[test]
    fn documented_file_reads_as_the_default() {
        assert_eq!(read(DOCUMENTED), Ok(Config::default()));
    }

    /// Every key stands in the documented file, below a comment that explains it.
    #[test]
    fn documented_file_lists_and_explains_every_key() {
        let root = DeTable::parse(DOCUMENTED).unwrap();
        let lines: Vec<&str> = DOCUMENTED.lines().collect();

        for key in KEYS {
            let value = root
                .get_ref()
                .get(key.section)
                .and_then(|section| section.get_ref().get(key.name));
            let value = value.unwrap_or_else(|| panic!("{} is not documented", key.dotted()));
            let line = DOCUMENTED[..value.span().start].matches('\n').count();
            let above = lines[line.checked_sub(1).unwrap()];
            assert!(above.starts_with("# "), "{} has no comment", key.dotted());
        }
    }

    /// Every key changes something: a value that is not the default makes another config.
    #[test]
    fn every_key_changes_a_setting() {
        let cases = [
            "listen.address = '127.0.0.2'",
            "listen.port = 1884",
            "listen.backlog = 16",
            "listen.connections_max = 5",
            "listen.allow_anonymous = true",
            "listen.tcp_keepalive = 'off'",
            "listen.tcp_keepalive_interval = '1s'",
            "listen.tcp_keepalive_probes = 1",
            "server.shutdown_timeout = '1s'",
            "server.close_timeout = '2s'",
            "server.sys_interval = 'off'",
            "protocol.connect_timeout = '5s'",
            "protocol.connect_size_max = '4KiB'",
            "protocol.maximum_packet_size = '1MiB'",
            "protocol.receive_maximum = 20",
            "protocol.topic_alias_maximum = 0",
            "protocol.topic_levels_max = 8",
            "session.expiry_interval_max = '1h'",
            "session.sessions_max = 5",
            "session.subscriptions_max = 5",
            "session.in_flight_max = 20",
            "queue.messages_max = 100",
            "queue.bytes_max = '1MiB'",
            "queue.policy = 'reject'",
            "outbox.soft = '64KiB'",
            "outbox.hard = '2MiB'",
            "retained.messages_max = 10",
            "retained.bytes_max = '1MiB'",
            "retained.replay_slice = 10",
            "routing.match_cache_topics_max = 10",
        ];

        for case in cases {
            let config = read(case).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_ne!(config, Config::default(), "{case}");
        }
        let untried: Vec<_> = KEYS
            .iter()
            .map(Key::dotted)
            .filter(|key| !cases.iter().any(|case| case.starts_with(key.as_str())))
            .collect();
        assert_eq!(untried, ["server.shards"], "only 1 shard is allowed so far");
    }

    /// An unknown key names its place and the key that was probably meant.
    #[test]
    fn unknown_key_is_refused_with_its_place_and_a_suggestion() {
        assert_eq!(
            message("[listen]\nport = 1883\n  prot = 1\n"),
            "broker.toml:3:3: unknown key `listen.prot`, did you mean `listen.port`?"
        );
        assert_eq!(
            message("[lisen]\nport = 1\n"),
            "broker.toml:1:2: unknown key `lisen`, did you mean `listen`?"
        );
        assert_eq!(
            message("[listen]\nshutdown_timeout = '1s'\n"),
            "broker.toml:2:1: unknown key `listen.shutdown_timeout`, did you mean \
             `server.shutdown_timeout`?"
        );
        assert_eq!(
            message("colour = 'blue'\n"),
            "broker.toml:1:1: unknown key `colour`"
        );
    }

    /// A value that cannot be taken is shown as it was spelled, with what was expected.
    #[test]
    fn bad_value_is_refused_with_its_place_and_what_was_expected() {
        assert_eq!(
            message("[listen]\nport = 70000\n"),
            "broker.toml:2:8: `listen.port` is 70000, expected an integer from 0 to 65535"
        );
        assert_eq!(
            message("[queue]\nmessages_max = 10\npolicy = 'drop'\n"),
            "broker.toml:3:10: `queue.policy` is 'drop', expected \"drop_oldest\", \
             \"drop_newest\" or \"reject\""
        );
        assert_eq!(
            message("[session]\nexpiry_interval_max = '1500ms'\n"),
            "broker.toml:2:23: `session.expiry_interval_max` is '1500ms', expected \"never\" or a \
             whole number of seconds"
        );
        assert_eq!(
            message("listen = 1883\n"),
            "broker.toml:1:10: `listen` is 1883, expected a section [listen]"
        );
    }

    /// A file that is not TOML is refused with the place of the first syntax error.
    #[test]
    fn syntax_error_is_refused_with_its_place() {
        let error = read("[listen]\nport = = 1\n").unwrap_err();

        let ConfigError::Syntax { place, message } = error else {
            panic!("{error}");
        };
        assert_eq!((place.line, place.column), (2, 8));
        assert!(!message.is_empty());
    }

    /// Rules that join settings hold for files too.
    #[test]
    fn file_is_checked_as_a_whole() {
        let error = read("[listen]\naddress = '0.0.0.0'\n").unwrap_err();

        assert!(matches!(error, ConfigError::AnonymousBeyondLoopback { .. }));
    }

    /// A file of something else is refused where it stops being text.
    #[test]
    fn binary_file_is_refused_with_its_place() {
        let path = std::env::temp_dir().join(format!("squall-{}.toml", std::process::id()));
        std::fs::write(&path, b"[listen]\nport = \xFF").unwrap();

        let error = Config::from_file(&path).unwrap_err();

        std::fs::remove_file(&path).unwrap();
        let expected = format!("{}:2:8: not UTF-8 text", path.display());
        assert_eq!(error.to_string(), expected);
    }

    /// A missing file says which one.
    #[test]
    fn missing_file_is_named() {
        let error = Config::from_file(Path::new("no/such/broker.toml")).unwrap_err();

        let text = error.to_string();
        assert!(text.contains("no/such/broker.toml"), "{text}");
        assert!(text.contains("No such file"), "{text}");
    }
}
