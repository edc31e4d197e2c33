//! Commands whose lines were the payloads of messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{count_text, duration_text, share_text};

/// From this share of its time on, a closed loop that waits for its command has the pace of that.
const DOMINANT: f64 = 0.5;

/// A command that gave the payloads of one stream of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadCommand {
    /// The group whose devices published them.
    pub group: String,
    /// Template of their Topic Names.
    pub topic: String,
    /// The command as one line.
    pub command: String,
    /// Lines that messages took, sent or not.
    pub lines: u64,
    /// How the closed loop that it was for waited for them; `None` for a stream with a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<LineWaits>,
    /// How it ended before the run stopped it; `None` if it did not.
    pub end: Option<CommandEnd>,
}

/// How a closed loop waited for the lines of its command.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineWaits {
    /// How many times a device had room for a message, and no line for it yet.
    pub count: u64,
    /// The share of the time of all its devices, while the stream went on, from 0 to 1.
    pub share: f64,
}

impl LineWaits {
    /// Whether the pace of the loop was that of the command.
    pub fn is_dominant(&self) -> bool {
        self.share >= DOMINANT
    }

    fn sentence(&self) -> String {
        let pace = match self.is_dominant() {
            true => ": the pace was that of the command, and the rates say nothing of the broker",
            false => "",
        };
        format!(
            " Its closed loop waited {} times for a line, {} of its time{pace}.",
            count_text(self.count),
            share_text(self.share)
        )
    }
}

/// The end of a command that was not asked to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandEnd {
    /// When no line was left to read, in seconds since the start of the run.
    pub at_s: f64,
    /// Its exit status, or why it was not read on; `None` where there is no process.
    pub how: Option<String>,
    /// What it wrote last to its standard error.
    pub last_lines: Vec<String>,
}

impl PayloadCommand {
    /// What a reader must know of it, as one or two sentences with full stops.
    pub fn note(&self) -> String {
        let Self {
            group,
            topic,
            command,
            lines,
            waits,
            end,
        } = self;
        let waits = waits.iter().filter(|waits| waits.count > 0);
        let waits: String = waits.map(LineWaits::sentence).collect();
        let end = end.as_ref().map_or_else(String::new, CommandEnd::sentence);
        format!(
            "Payloads of group {group} to {topic} were lines of the command `{command}`, of which messages took {}: what it writes \
             does not follow from the seed, which alone does not repeat them.{waits}{end}",
            count_text(*lines)
        )
    }
}

impl CommandEnd {
    fn sentence(&self) -> String {
        let how = self.how.iter();
        let how: String = how.map(|how| format!(" ({how})")).collect();
        let last = match self.last_lines.is_empty() {
            true => String::new(),
            false => format!(", and had written last: {}", self.last_lines.join(" | ")),
        };
        format!(
            " It gave no more lines from {} into the run on{how}{last}.",
            duration_text(self.at_s)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader learns that the seed does not repeat the run, and of a command that failed when, how, and what it said.
    #[test]
    fn a_command_that_failed_is_noted_with_what_it_said() {
        let mut command = PayloadCommand {
            group: "vans".to_owned(),
            topic: "v/{index}".to_owned(),
            command: "./gen.py".to_owned(),
            lines: 1_200,
            waits: None,
            end: None,
        };
        let whole = "Payloads of group vans to v/{index} were lines of the command `./gen.py`, of which messages took 1,200: what \
             it writes does not follow from the seed, which alone does not repeat them.";
        assert_eq!(command.note(), whole);

        command.end = Some(CommandEnd {
            at_s: 2.5,
            how: Some("exit status: 3".to_owned()),
            last_lines: vec!["no more data".to_owned(), "bye".to_owned()],
        });

        let end = " It gave no more lines from 2.50 s into the run on (exit status: 3), and had written last: no more data | bye.";
        assert_eq!(command.note(), format!("{whole}{end}"));
    }

    /// Whose pace a rate shows is told: that of the command where its loop waited for most of the time.
    #[test]
    fn a_closed_loop_that_waits_for_its_command_is_noted() {
        let noted = |share: f64| {
            let command = PayloadCommand {
                group: "vans".to_owned(),
                topic: "v".to_owned(),
                command: "./gen.py".to_owned(),
                lines: 10,
                waits: Some(LineWaits { count: 9, share }),
                end: None,
            };
            command.note()
        };

        let slow = noted(0.9);
        assert!(slow.contains("waited 9 times for a line"), "{slow}");
        assert!(slow.contains("the pace was that of the command"), "{slow}");
        let quick = noted(0.1);
        assert!(quick.contains("waited 9 times for a line"), "{quick}");
        assert!(!quick.contains("the pace was"), "{quick}");
    }
}
