//! Commands that give payloads, in virtual time: what each writes when is known from the beginning.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use squall_fleet::{Input, LinesEvent, Sink};
use squall_protocol::Instant;
use squall_scenario::LinesId;

use super::World;

/// What a command writes, and when it ends.
#[derive(Clone, Debug, Default)]
pub struct Script {
    lines: VecDeque<(Instant, Rc<[u8]>)>,
    ends: Option<Instant>,
}

impl Script {
    /// A command that goes on and writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same command, which writes `line` at `at`, after what it wrote before.
    #[must_use]
    pub fn writes(mut self, at: Instant, line: &[u8]) -> Self {
        self.lines.push_back((at, line.into()));
        self
    }

    /// The same command, which ends at `at`.
    #[must_use]
    pub fn ends(mut self, at: Instant) -> Self {
        self.ends = Some(at);
        self
    }

    /// When there is something to tell to a reader.
    fn next_due(&self) -> Option<Instant> {
        self.lines.front().map(|(at, _)| *at).or(self.ends)
    }

    /// The lines that are written by `now`.
    fn read(&mut self, now: Instant) -> Vec<Rc<[u8]>> {
        let count = self.lines.iter().take_while(|(at, _)| *at <= now).count();
        self.lines.drain(..count).map(|(_, line)| line).collect()
    }
}

/// The commands of a world. One without a script writes nothing and does not end.
#[derive(Debug, Default)]
pub(super) struct Commands {
    scripts: BTreeMap<LinesId, Script>,
    /// Those of which lines are asked for.
    asked: Vec<LinesId>,
}

impl Commands {
    /// Lines are asked for.
    pub(super) fn ask(&mut self, of: &[LinesId]) {
        self.asked.extend(of);
    }

    fn next_due(&self) -> Option<Instant> {
        let asked = self.asked.iter().filter_map(|id| self.scripts.get(id));
        asked.filter_map(Script::next_due).min()
    }

    /// A command that is asked and has something to tell by `now`: its lines, or none if it has ended.
    fn poll(&mut self, now: Instant) -> Option<(LinesId, Vec<Rc<[u8]>>)> {
        let scripts = &mut self.scripts;
        let is_due = |id: &LinesId| {
            let due = scripts.get(id).and_then(Script::next_due);
            due.is_some_and(|due| due <= now)
        };
        let place = self.asked.iter().position(is_due)?;
        let id = self.asked.remove(place);
        let lines = scripts.get_mut(&id)?.read(now);
        Some((id, lines))
    }
}

impl<S: Sink> World<S> {
    /// The same world, in which the command `id` does what `script` says.
    #[must_use]
    pub fn with_command(mut self, id: LinesId, script: Script) -> Self {
        self.commands.scripts.insert(id, script);
        self
    }

    /// When lines have to be handed over next.
    pub(super) fn next_lines(&self) -> Option<Instant> {
        let due = self.commands.next_due()?;
        Some(match self.standstill.contains(&due.max(self.now)) {
            true => self.standstill.end,
            false => due,
        })
    }

    /// Hands over what commands have written.
    pub(super) fn hand_lines(&mut self) {
        while !self.standstill.contains(&self.now)
            && let Some((of, lines)) = self.commands.poll(self.now)
        {
            let event = match lines.is_empty() {
                true => LinesEvent::Ended,
                false => LinesEvent::Came(&lines),
            };
            let input = Input::Lines { of, event };
            self.fleet.handle(self.now, input, &mut self.actions);
            self.carry_out_actions();
        }
    }
}
