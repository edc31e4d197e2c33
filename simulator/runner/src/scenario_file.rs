//! A scenario file as a command reads it: text, overrides, and what it resolves to.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use squall_scenario::{
    FileUnreadable, Override, Plan, Scenario, Setting, Surroundings, Target, UrlTarget,
};

use squall_toml::secret::without_secrets;

use crate::exit::Failure;
use crate::machine::limits::{BrokerEnd, Limits, Need, Reach, port_wait, ports_needed};
use crate::machine::programs;
use crate::machine::taken_ports::{PortsShort, TakenPorts};
use crate::shipped;
use crate::targets;

/// Bytes that a scenario file may have: a thousand groups take about one hundredth of it.
const BYTES_MAX: u64 = 16 << 20;

/// Bytes that a file may have which a scenario names: a row for each of a million devices takes half of it.
const BESIDE_BYTES_MAX: u64 = 256 << 20;

/// What stands for standard input among file names.
const STANDARD_INPUT: &str = "-";

/// A scenario that has been read, overridden and checked.
#[derive(Clone)]
pub struct ScenarioFile {
    /// The path, or the name of a shipped scenario, as given on the command line.
    pub path: PathBuf,
    /// What to say where a file or a folder has the name of a shipped scenario.
    pub same_name: Option<String>,
    /// The file's text.
    pub text: Rc<str>,
    /// What the command line changed, in order, and behind that what makes it this run of several.
    pub overrides: Vec<Override>,
    /// What the axes of the file's matrix are set to.
    pub settings: Vec<Setting>,
    /// Which of the runs of this combination it is, counted from 1.
    pub number: u32,
    /// What it resolves to.
    pub scenario: Scenario,
}

impl ScenarioFile {
    /// Run `number` of this combination, as a file of its own: what is recorded of it repeats it alone.
    pub fn numbered(&self, number: u32) -> Result<Self, Failure> {
        let overrides = changes_of(self, number);
        let scenario = match overrides == self.overrides {
            true => self.scenario.clone(),
            false => Scenario::parse_bytes(
                &name_of(&self.path),
                self.text.as_bytes(),
                &overrides,
                &Around { file: &self.path },
            )
            .map_err(Failure::Scenario)?,
        };
        Ok(Self {
            same_name: self.same_name.clone().filter(|_| number == 1),
            overrides,
            number,
            scenario,
            ..self.clone()
        })
    }

    /// The question it asks: the `Question:` of its first comment, else its description.
    pub fn question(&self) -> Option<String> {
        let description = &self.scenario.description;
        question_of(&self.text).or_else(|| (!description.is_empty()).then(|| description.clone()))
    }

    /// That its target lacks what it is about, if that is so: then it is not run.
    pub fn skipped(&self) -> Option<Failure> {
        let because = &self.scenario.traits.skipped_because;
        (!because.is_empty()).then(|| Failure::Skipped {
            scenario: self.scenario.name.clone(),
            because: because.clone(),
        })
    }

    /// What it takes of what this machine limits.
    pub fn need(&self) -> Need {
        let plan = Plan::of(&self.scenario);
        let port_wait = port_wait(reach(&self.scenario.target));
        Need {
            connections: plan.connections_max,
            ports: plan.ports(&self.scenario, port_wait),
            port_wait,
            sources: self.sources(),
            broker: match &self.scenario.target {
                Target::Embedded => BrokerEnd::Embedded,
                Target::Spawn(_) | Target::Url(_) => BrokerEnd::Other,
            },
        }
    }

    /// Ways that connections take: from each address of this machine to each of the target's, with all
    /// local ports for each.
    fn sources(&self) -> u64 {
        let sources = self.scenario.sources.len().max(1);
        (sources * self.scenario.target.transports().len()) as u64
    }

    /// Whether the addresses that it connects from are of the kind of `target`'s.
    pub fn check_sources(&self, target: SocketAddr) -> Result<(), Failure> {
        match self.scenario.sources.first() {
            Some(source) if source.is_ipv4() != target.is_ipv4() => Err(Failure::Usage(format!(
                "{}: `target.source` has {source}, from which the target's address {} cannot be reached: name addresses of \
                 the target's kind",
                name_of(&self.path),
                target.ip()
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// That it needs more local ports than are free for connections to `target`, if that is so.
    pub fn ports_short(&self, target: SocketAddr) -> Option<PortsShort> {
        TakenPorts::to(target, self.sources())?.short_of(ports_needed(&self.need()))
    }

    /// Where devices connect, if the file says it as a number.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.scenario.target {
            Target::Embedded | Target::Spawn(_) => None,
            Target::Url(urls) => {
                let url = urls.first()?;
                Some(SocketAddr::new(numeric_address(&url.host)?, url.port))
            }
        }
    }

    /// The folder that it lies in: what it names lies beside it.
    pub fn folder(&self) -> &Path {
        let folder = self.path.parent();
        let is_named = |folder: &&Path| !folder.as_os_str().is_empty();
        folder.filter(is_named).unwrap_or(Path::new("."))
    }

    /// Whether this machine has the programs that give payloads.
    pub fn check_line_commands(&self) -> Result<(), Failure> {
        let path = std::env::var_os("PATH");
        for stream in self.scenario.line_streams() {
            let program = stream.command.words.first().map_or("", String::as_str);
            // A path counts from where the command starts; a name is looked for.
            let place = match program.contains('/') {
                true => self.folder().join(program).to_string_lossy().into_owned(),
                false => program.to_owned(),
            };
            if !programs::is_found(&place, path.as_deref()) {
                return Err(Failure::Usage(format!(
                    "{}: the payloads of group {} come from `{program}`, which this machine does not have, or which is not a \
                     program that may be started: looked for {place}",
                    name_of(&self.path),
                    stream.group.name
                )));
            }
        }
        Ok(())
    }

    /// A sentence about each command that gives payloads: what will run.
    pub fn line_commands_told(&self) -> Vec<String> {
        let streams = self.scenario.line_streams();
        let told = streams.map(|stream| {
            format!(
                "the payloads of group {} to {} are lines of `{}`, which each run starts once for the group, in the \
                 scenario's folder: the seed alone does not repeat such a run",
                stream.group.name,
                stream.publish.topic.source(),
                stream.command.text()
            )
        });
        told.collect()
    }

    /// Whether this machine has the programs that give payloads, and that which starts the target, if one does.
    pub fn check_command(&self) -> Result<(), Failure> {
        self.check_line_commands()?;
        let Target::Spawn(spawn) = &self.scenario.target else {
            return Ok(());
        };
        let of_target = spawn.env.get("PATH").map(OsString::from);
        let path = of_target.or_else(|| std::env::var_os("PATH"));
        let program = spawn.command.first().map_or("", String::as_str);
        match programs::is_found(program, path.as_deref()) {
            true => Ok(()),
            false => {
                let install = self.scenario.traits.install.iter();
                let install: String = install.map(|command| format!(": {command}")).collect();
                Err(Failure::Usage(format!(
                    "{}: `target.spawn` starts `{program}`, which this machine does not have{install}",
                    name_of(&self.path)
                )))
            }
        }
    }

    /// Whether it fits within this machine's limits, and this machine has the addresses that it connects from.
    pub fn check_limits(&self, limits: Limits) -> Result<(), Failure> {
        for source in &self.scenario.sources {
            UdpSocket::bind((*source, 0)).map_err(|error| {
                Failure::Usage(format!(
                    "{}: `target.source` has {source}, which is not an address of this machine ({error}): add it to an interface (ip \
                     addr add {source} dev DEVICE), or leave it out",
                    name_of(&self.path)
                ))
            })?;
        }
        limits
            .check(self.need())
            .map_err(|error| Failure::Usage(format!("{}: {error}", name_of(&self.path))))
    }
}

/// The changes that make one run of a scenario that is repeated: run `number` of it alone.
fn changes_of(file: &ScenarioFile, number: u32) -> Vec<Override> {
    let mut changes = file.overrides.clone();
    let mut set = |key: &str, value: String| {
        changes.push(Override {
            key: key.to_owned(),
            value,
        });
    };
    if file.scenario.run.repeat > 1 {
        set("run.repeat", "1".to_owned());
    }
    if number > 1 {
        let seed = file.scenario.seed.wrapping_add(u64::from(number - 1));
        // The seed of a file is a whole number of TOML, which has 63 bits and a sign.
        set("seed", (seed & i64::MAX.unsigned_abs()).to_string());
    }
    changes
}

/// What a scenario takes from outside of its file.
pub struct Around<'a> {
    /// The file itself: what it names lies beside it.
    pub file: &'a Path,
}

impl Surroundings for Around<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let path = folder.join(path);
        let unreadable = |cause: String| FileUnreadable {
            cause: format!("{}: {cause}", path.display()),
        };
        let mut bytes = Vec::new();
        let read = File::open(&path)
            .and_then(|file| file.take(BESIDE_BYTES_MAX + 1).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(error.to_string()))?;
        match bytes.len() as u64 > BESIDE_BYTES_MAX {
            true => Err(unreadable(format!(
                "it has more than {BESIDE_BYTES_MAX} bytes"
            ))),
            false => Ok(bytes),
        }
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        match targets::find(name) {
            Some(found) => Ok(found.text.into()),
            None => self.file(name).map_err(|error| FileUnreadable {
                cause: format!("{error}; {}", targets::hint(name)),
            }),
        }
    }
}

/// The bytes of a scenario file; one that never ends is refused.
pub fn read_bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = name_of(path);
    let mut bytes = Vec::new();
    let read = match path == Path::new(STANDARD_INPUT) {
        true => read_at_most(io::stdin(), &mut bytes),
        false => File::open(path).and_then(|file| read_at_most(file, &mut bytes)),
    };
    read.map_err(|error| {
        let text = format!("cannot read scenario {name}: {error}");
        Failure::Usage(if error.kind() == ErrorKind::NotFound {
            format!("{text}; {}", shipped::hint(path))
        } else {
            text
        })
    })?;
    if bytes.len() as u64 > BYTES_MAX {
        let text = format!("{name} is not a scenario: it has more than {BYTES_MAX} bytes");
        return Err(Failure::Usage(text));
    }
    Ok(bytes)
}

fn read_at_most(from: impl Read, into: &mut Vec<u8>) -> io::Result<usize> {
    from.take(BYTES_MAX + 1).read_to_end(into)
}

/// What a message calls the file.
pub fn name_of(path: &Path) -> String {
    match path == Path::new(STANDARD_INPUT) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

fn reach(target: &Target) -> Reach {
    match target {
        Target::Embedded | Target::Spawn(_) => Reach::Loopback,
        Target::Url(urls) => {
            let is_loopback = |url: &UrlTarget| {
                numeric_address(&url.host).is_some_and(|address| address.is_loopback())
            };
            if urls.iter().all(is_loopback) {
                Reach::Loopback
            } else {
                Reach::Remote
            }
        }
    }
}

/// A host that needs no look-up.
fn numeric_address(host: &str) -> Option<IpAddr> {
    match host {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        host => host.trim_matches(['[', ']']).parse().ok(),
    }
}

/// A change of the command line.
pub fn parse_override(text: &str) -> Result<Override, Failure> {
    text.parse::<Override>()
        .map_err(|error| Failure::Usage(format!("--set {}: {error}", without_secrets(text))))
}

/// The paragraph after `Question:` in the comment that a file begins with, as a heading begins.
fn question_of(text: &str) -> Option<String> {
    let comment = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .map(str::trim);
    let mut paragraph = comment
        .skip_while(|line| !line.starts_with("Question:"))
        .take_while(|line| !line.is_empty())
        .peekable();
    paragraph.peek()?;
    let joined = paragraph.collect::<Vec<_>>().join(" ");
    let question = joined.trim_start_matches("Question:").trim();
    let mut letters = question.chars();
    let first = letters.next()?;
    Some(first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question may go over several lines; what follows an empty one is not part of it.
    #[test]
    fn the_question_is_the_first_paragraph_that_says_so() {
        let text =
            "#:schema ./s.json\n#\n# Question: does it\n# hold?\n#\n# It should.\nversion = 1\n";

        assert_eq!(question_of(text).as_deref(), Some("Does it hold?"));
    }

    /// A file without the word has none.
    #[test]
    fn a_file_without_a_question_has_none() {
        assert_eq!(question_of("# A scenario.\nversion = 1\n"), None);
    }
}
