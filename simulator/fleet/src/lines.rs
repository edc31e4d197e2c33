//! Lines of commands that are payloads: what is ready for the next messages, and when more is asked for.
//!
//! The fleet asks for lines before messages need them, and for no more than it has use for: what it does not ask for stays
//! unread, so that the command has to wait. It asks again when the answer to the last request has come.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{Content, DeviceId, LineStream, LinesId, Publish, Scenario};

use crate::drive::Actions;
use crate::lines_event::LinesEvent;
use crate::observation::NoLine;
use crate::outcome::LinesReport;
use crate::payload::{append_json, append_text};
use crate::stamp::Stamp;

/// Lines of a command that are kept ready at least, as far as the command gives them.
const READY_MIN: u64 = 1_000;

/// Lines of a command that are kept ready at most before more is asked for.
const READY_MAX: u64 = 100_000;

/// Bytes of ready lines from which on no more is asked for, whatever their number.
const READY_BYTES_MAX: usize = 32 << 20;

/// Whether more lines may come of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    /// It may be asked.
    Idle,
    /// It was asked, and has not answered.
    Asked,
    /// It has ended.
    Ended,
}

/// A device with a closed loop that waits for a line.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    device: DeviceId,
    /// `None` where the load is over: it does not count.
    since: Option<Instant>,
}

/// The lines of one command.
#[derive(Debug)]
struct Supply {
    id: LinesId,
    ready: VecDeque<Rc<[u8]>>,
    ready_bytes: usize,
    /// Below this many ready lines more is asked for.
    enough: usize,
    source: Source,
    /// Devices with a closed loop that has room for a message and no line for it, in the order to give them lines in.
    waiting: VecDeque<Waiting>,
    waits: u64,
    waited: Duration,
    taken: u64,
    ended: Option<Instant>,
    is_short: bool,
}

impl Supply {
    fn new(stream: &LineStream<'_>, scenario: &Scenario) -> Self {
        let pacing = &stream.publish.pacing;
        let devices = u64::from(stream.group.count);
        // As many as may be due at one moment, and in the second after it.
        let (_, rate) = pacing.range(&scenario.run);
        let at_once = devices * u64::from(pacing.burst.max(pacing.window.unwrap_or_default()));
        let enough = at_once.saturating_add((rate * devices as f64).ceil() as u64);
        Self {
            id: stream.id,
            ready: VecDeque::new(),
            ready_bytes: 0,
            enough: enough.clamp(READY_MIN, READY_MAX) as usize,
            source: Source::Idle,
            waiting: VecDeque::new(),
            waits: 0,
            waited: Duration::ZERO,
            taken: 0,
            ended: None,
            is_short: false,
        }
    }

    /// Asks for more lines if there is use for them.
    fn refill(&mut self, actions: &mut Actions) {
        let has_use = self.ready.len() < self.enough && self.ready_bytes < READY_BYTES_MAX;
        if has_use && self.source == Source::Idle {
            self.source = Source::Asked;
            actions.ask_for_lines(self.id);
        }
    }

    fn take(&mut self, actions: &mut Actions) -> Result<Rc<[u8]>, NoLine> {
        let Some(line) = self.ready.pop_front() else {
            return Err(match self.source {
                Source::Idle | Source::Asked => NoLine::Late,
                Source::Ended => NoLine::Ended,
            });
        };
        self.ready_bytes -= line.len();
        self.taken += 1;
        self.refill(actions);
        Ok(line)
    }

    fn handle(&mut self, now: Instant, event: LinesEvent<'_>, actions: &mut Actions) {
        match event {
            LinesEvent::Came(lines) => {
                self.ready_bytes += lines.iter().map(|line| line.len()).sum::<usize>();
                self.ready.extend(lines.iter().cloned());
                self.source = Source::Idle;
                self.refill(actions);
            }
            LinesEvent::Ended => {
                self.source = Source::Ended;
                self.ended = Some(now);
            }
        }
    }
}

/// The lines of all commands of a run, by [`LinesId`].
#[derive(Debug)]
pub(crate) struct Supplies(Vec<Supply>);

impl Supplies {
    /// Those of a run that has not begun.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let streams = scenario.line_streams();
        Self(streams.map(|of| Supply::new(&of, scenario)).collect())
    }

    /// Asks each command for its first lines.
    pub(crate) fn begin(&mut self, actions: &mut Actions) {
        for supply in &mut self.0 {
            supply.refill(actions);
        }
    }

    /// The next line, which nothing else gets.
    pub(crate) fn take(&mut self, id: LinesId, actions: &mut Actions) -> Result<Rc<[u8]>, NoLine> {
        self.of(id).take(actions)
    }

    /// Something came of a command.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        id: LinesId,
        event: LinesEvent<'_>,
        actions: &mut Actions,
    ) {
        self.of(id).handle(now, event, actions);
    }

    /// What a closed loop has to know before it takes a line.
    pub(crate) fn prospect(&mut self, id: LinesId) -> Prospect {
        let supply = self.of(id);
        match (supply.ready.is_empty(), supply.source) {
            (false, _) => Prospect::Ready,
            (true, Source::Idle | Source::Asked) => Prospect::Later,
            (true, Source::Ended) => {
                supply.is_short = true;
                Prospect::Never
            }
        }
    }

    /// A closed loop of `device` waits for a line from `now` on.
    pub(crate) fn wait(&mut self, id: LinesId, device: DeviceId, now: Instant) {
        let supply = self.of(id);
        supply.waits += 1;
        let since = Some(now);
        supply.waiting.push_back(Waiting { device, since });
    }

    /// The load is over: from now on no time counts as one in which a loop waits.
    pub(crate) fn end_load(&mut self, now: Instant) {
        for supply in &mut self.0 {
            for waiting in &mut supply.waiting {
                let since = waiting.since.take();
                supply.waited += since.map_or(Duration::ZERO, |since| now.saturating_since(since));
            }
        }
    }

    /// The devices that are to look for a line now: as many as there are lines, and all of them once no more comes.
    pub(crate) fn poll_waiting(&mut self, id: LinesId, now: Instant) -> Vec<DeviceId> {
        let supply = self.of(id);
        let count = match supply.source {
            Source::Idle | Source::Asked => supply.ready.len().min(supply.waiting.len()),
            Source::Ended => supply.waiting.len(),
        };
        let over = supply.waiting.drain(..count);
        let over = over.inspect(|waiting| {
            let since = waiting.since;
            supply.waited += since.map_or(Duration::ZERO, |since| now.saturating_since(since));
        });
        over.map(|waiting| waiting.device).collect()
    }

    /// What became of each command.
    pub(crate) fn into_reports(self) -> Vec<LinesReport> {
        let reports = self.0.into_iter().map(|supply| LinesReport {
            id: supply.id,
            taken: supply.taken,
            ended: supply.ended,
            is_short: supply.is_short,
            waits: supply.waits,
            waited: supply.waited,
        });
        reports.collect()
    }

    fn of(&mut self, id: LinesId) -> &mut Supply {
        &mut self.0[usize::from(id.0)]
    }
}

/// Whether a closed loop finds a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Prospect {
    /// One is ready.
    Ready,
    /// One may come.
    Later,
    /// None comes.
    Never,
}

/// The commands of the streams of one group, by place; `None` for a stream without one.
pub(crate) fn of_group(
    scenario: &Scenario,
    group: &str,
    publishes: &[Publish],
) -> Vec<Option<LinesId>> {
    let streams = scenario.line_streams();
    let mut ids = streams.filter(|of| of.group.name == group).map(|of| of.id);
    let of_each = publishes.iter().map(|publish| match &publish.payload {
        Content::Composed(_) => None,
        Content::Lines(_) => ids.next(),
    });
    of_each.collect()
}

/// Appends a line with its stamp: as a last member if it looks like a JSON object, behind it otherwise.
pub(crate) fn append_line(out: &mut Vec<u8>, stamp: Stamp, line: &[u8]) {
    let is_object = line.starts_with(b"{") && line.ends_with(b"}");
    match std::str::from_utf8(line) {
        Ok(object) if is_object => append_json(out, stamp, object),
        Ok(_) | Err(_) => append_text(out, stamp, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: LinesId = LinesId(0);

    /// One device that needs a line each second.
    fn supplies() -> Supplies {
        let text = "version = 1\nname = \"t\"\n[[group]]\nname = \"g\"\ncount = 1\n[[group.publish]]\ntopic = \"t\"\n\
                    every = \"1s\"\npayload = { command = \"./gen\" }\n";
        Supplies::new(&Scenario::parse("t.toml", text, &[]).unwrap())
    }

    fn come(supplies: &mut Supplies, lines: &[Rc<[u8]>], actions: &mut Actions) {
        actions.clear();
        supplies.handle(Instant::ZERO, FIRST, LinesEvent::Came(lines), actions);
    }

    /// What is not asked for stays unread: nothing more is asked for while there are enough lines, and one request is open at
    /// a time.
    #[test]
    fn no_more_is_asked_for_than_there_is_use_for() {
        let (mut supplies, mut actions) = (supplies(), Actions::new());
        let line: Rc<[u8]> = b"1".as_slice().into();
        supplies.begin(&mut actions);
        supplies.begin(&mut actions);
        assert_eq!(actions.lines_asked(), [FIRST]);

        come(&mut supplies, &vec![Rc::clone(&line); 999], &mut actions);
        assert_eq!(actions.lines_asked(), [FIRST]);
        come(&mut supplies, &[Rc::clone(&line)], &mut actions);
        assert_eq!(actions.lines_asked(), []);
        assert_eq!(supplies.take(FIRST, &mut actions), Ok(line));
        assert_eq!(actions.lines_asked(), [FIRST]);
    }

    /// Long lines are enough by their bytes.
    #[test]
    fn no_more_is_asked_for_than_there_is_room_for() {
        let (mut supplies, mut actions) = (supplies(), Actions::new());
        let long: Rc<[u8]> = vec![b'x'; READY_BYTES_MAX].into();
        supplies.begin(&mut actions);

        come(&mut supplies, &[long], &mut actions);

        assert_eq!(actions.lines_asked(), []);
    }

    /// A command that has ended is not asked again, and what it wrote before is still there.
    #[test]
    fn a_command_that_has_ended_is_not_asked_again() {
        let (mut supplies, mut actions) = (supplies(), Actions::new());
        let line: Rc<[u8]> = b"1".as_slice().into();
        supplies.begin(&mut actions);
        come(&mut supplies, &[Rc::clone(&line)], &mut actions);
        actions.clear();

        supplies.handle(Instant::ZERO, FIRST, LinesEvent::Ended, &mut actions);

        assert_eq!(supplies.take(FIRST, &mut actions), Ok(line));
        assert_eq!(supplies.take(FIRST, &mut actions), Err(NoLine::Ended));
        assert_eq!(actions.lines_asked(), []);
    }
}
