//! What comes of the commands that give payloads.

use squall_protocol::Instant;
use squall_scenario::LinesId;

use super::Fleet;
use crate::drive::Actions;
use crate::lines_event::LinesEvent;
use crate::sink::Sink;

impl<S: Sink> Fleet<S> {
    /// Takes lines in, or notes that none come. Closed loops that wait for one have a turn of their own.
    pub(super) fn handle_lines(
        &mut self,
        now: Instant,
        id: LinesId,
        event: LinesEvent<'_>,
        actions: &mut Actions,
    ) {
        let supplies = &mut self.shared.supplies;
        supplies.handle(now, id, event, actions);
        for device in supplies.poll_waiting(id, now) {
            let place = device.0 as usize;
            self.devices[place].handle_lines(now, id);
            self.watch_device(place);
        }
    }
}
