//! `[target]`: what is under test.

use std::net::IpAddr;
use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::nearest::nearest;

use super::Resolver;
use crate::file::TargetFile;
use crate::model::sources::{SOURCES_MAX, parse_sources};
use crate::model::target::split_command;
use crate::{SpawnTarget, StopBy, Target, Transport, UrlTarget};

/// `target.ready` unless the file says otherwise.
const READY_DEFAULT: Duration = Duration::from_secs(60);

impl Resolver<'_> {
    /// Resolves the target; the embedded broker if the file names none.
    pub(super) fn resolve_target(&mut self, file: &TargetFile, at: &At<'_>) -> Target {
        if !file.url.is_empty() && file.spawn.is_some() {
            self.exactly_one("`target`", &["url", "spawn"], at);
        }
        if file.spawn.is_none() {
            self.misplaced(at, "ready", "`spawn`");
            self.misplaced(at, "env", "`spawn`");
            self.misplaced(at, "transport", "`spawn`");
            self.misplaced(at, "config", "`spawn`");
            self.misplaced(at, "kill", "`spawn`");
            self.misplaced(at, "software", "`spawn`");
        }
        if file.spawn.is_none() && file.url.is_empty() {
            self.misplaced(at, "keeps", "`url` or `spawn`");
        }
        match (file.url.as_slice(), &file.spawn) {
            ([], Some(command)) => self.resolve_spawn(command, file, at),
            ([], None) => Target::Embedded,
            (urls, _) => self.resolve_urls(urls, &at.key("url")),
        }
    }

    /// Addresses to connect from: each once, all of one family, and no more than are of use.
    pub(super) fn resolve_sources(&mut self, file: &TargetFile, at: &At<'_>) -> Vec<IpAddr> {
        let at = at.key("source");
        let mut sources: Vec<IpAddr> = Vec::new();
        for text in &file.source {
            let addresses = match parse_sources(text) {
                Ok(addresses) => addresses,
                Err(error) => {
                    self.diagnostics.value(&at, error);
                    continue;
                }
            };
            for address in addresses {
                if sources.contains(&address) {
                    let what = format!("{address} is there twice");
                    self.contradiction(&at, what, "each address once".to_owned());
                    return sources;
                }
                sources.push(address);
            }
        }
        if sources.len() > SOURCES_MAX {
            let problem = Mistake::OutOfRange {
                value: format!("more than {SOURCES_MAX} addresses"),
                range: format!("at most {SOURCES_MAX}"),
            };
            self.diagnostics.value(&at, problem);
        }
        if sources
            .iter()
            .any(|address| address.is_ipv4() != sources[0].is_ipv4())
        {
            let what = "addresses of IPv4 and of IPv6 reach different targets".to_owned();
            self.contradiction(&at, what, "addresses of one kind".to_owned());
        }
        sources
    }

    /// The addresses of a broker, each once.
    fn resolve_urls(&mut self, urls: &[String], at: &At<'_>) -> Target {
        let mut targets: Vec<UrlTarget> = Vec::new();
        for url in urls {
            match UrlTarget::parse(url) {
                Ok(target) if targets.contains(&target) => {
                    let what = format!("{target} is there twice");
                    self.contradiction(at, what, "each address once".to_owned());
                }
                Ok(target) => targets.push(target),
                Err(error) => {
                    self.diagnostics.value(at, error);
                }
            }
        }
        match targets.is_empty() {
            true => Target::Embedded,
            false => Target::Url(targets),
        }
    }

    fn resolve_spawn(&mut self, command: &str, file: &TargetFile, at: &At<'_>) -> Target {
        let at_spawn = at.key("spawn");
        let words = self.resolve_command(command, &at_spawn);
        let texts = file.env.values().chain(file.config.values());
        if !words
            .iter()
            .chain(texts)
            .any(|text| text.contains("{port}"))
        {
            let what = format!("{command:?} does not say where the port goes");
            let remedy = match words.iter().find_map(|word| misspelt_port(word)) {
                Some(written) => format!("`{{port}}` in place of `{{{written}}}`"),
                None => "`{port}` in one of its arguments, in `env` or in `config`".to_owned(),
            };
            self.contradiction(&at_spawn, what, remedy);
        }
        self.check_config_names(file, &at.key("config"));
        let ready = file.ready.map_or(READY_DEFAULT, |text| text.0);
        self.check_above_zero(ready, &at.key("ready"));
        Target::Spawn(Box::new(SpawnTarget {
            command: words,
            transport: file.transport.map_or(Transport::Tcp, Into::into),
            ready,
            kill: self.resolve_kill(file.kill.as_deref(), &at.key("kill")),
            software: match &file.software {
                Some(command) => self.resolve_command(command, &at.key("software")),
                None => Vec::new(),
            },
            env: file.env.clone(),
            config: file.config.clone(),
        }))
    }

    fn resolve_command(&mut self, command: &str, at: &At<'_>) -> Vec<String> {
        split_command(command).unwrap_or_else(|| {
            let what = format!("a quote is not closed in {command:?}");
            self.contradiction(at, what, "pairs of quotes".to_owned());
            Vec::new()
        })
    }

    /// The name of a signal, or else a command.
    fn resolve_kill(&mut self, kill: Option<&str>, at: &At<'_>) -> StopBy {
        let Some(text) = kill else {
            return StopBy::Sigterm;
        };
        let is_signal = |text: &str| {
            let name = text.strip_prefix("SIG").unwrap_or_default();
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric())
        };
        if is_signal(text) {
            let known = StopBy::SIGNALS.into_iter().find(|known| *known == text);
            let Some(name) = known else {
                let problem = Mistake::UnknownValue {
                    key: "kill".to_owned(),
                    value: text.to_owned(),
                    known: StopBy::SIGNALS.map(str::to_owned).into(),
                };
                self.diagnostics.value(at, problem);
                return StopBy::Sigterm;
            };
            return match name {
                "SIGTERM" => StopBy::Sigterm,
                name => StopBy::Signal(name),
            };
        }
        match split_command(text).filter(|words| !words.is_empty()) {
            Some(words) => StopBy::Command(words),
            None => {
                let what = format!("{text:?} is neither a signal nor a command");
                let remedy = "such as \"SIGINT\" or \"rabbitmqctl stop\"".to_owned();
                self.contradiction(at, what, remedy);
                StopBy::Sigterm
            }
        }
    }

    /// Files lie in the folder of the run, and nowhere else.
    fn check_config_names(&mut self, file: &TargetFile, at: &At<'_>) {
        for name in file.config.keys() {
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
                let what = format!("{name:?} is not the name of a file");
                let remedy = "a name without a folder, such as `broker.conf`".to_owned();
                self.contradiction(&at.key(name), what, remedy);
            }
        }
    }
}

/// A placeholder in `word` that is nearly `{port}`.
fn misspelt_port(word: &str) -> Option<&str> {
    let (_, rest) = word.split_once('{')?;
    let (written, _) = rest.split_once('}')?;
    nearest(written, &["port"]).map(|_| written)
}
