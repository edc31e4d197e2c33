//! What faults do to the broker: the fleet asks for it, and hears when it was done.
//!
//! Invariant: the broker is away by one firing at most. A fault that comes meanwhile finds nothing to do.

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::BrokerAction;

use super::Fleet;
use crate::broker_order::{BrokerEvent, BrokerOrder};
use crate::drive::Actions;
use crate::firing::Firing;
use crate::observation::{BrokerFact, Fact};
use crate::sink::Sink;

/// One time that a fault has the broker away.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokerStrike {
    pub(super) firing: Firing,
    pub(super) action: BrokerAction,
}

impl<S: Sink> Fleet<S> {
    /// Does to the broker what a firing wants, unless it is away already.
    pub(super) fn strike_broker(
        &mut self,
        now: Instant,
        strike: BrokerStrike,
        lasts: Option<Duration>,
        actions: &mut Actions,
    ) {
        let BrokerStrike { firing, action } = strike;
        let faults = &mut self.shared.faults;
        if self.broker.is_some() {
            faults.note_fired_at_broker(firing, now, None);
            faults.note_inapplicable(firing.fault);
            return;
        }
        faults.note_fired_at_broker(firing, now, lasts);
        faults.note_applied(firing);
        self.broker = Some(strike);
        actions.order(match action {
            BrokerAction::Kill => BrokerOrder::Kill,
            BrokerAction::Pause => BrokerOrder::Pause,
            BrokerAction::Restart => BrokerOrder::Stop,
        });
        let Firing { fault, number, .. } = firing;
        let fact = BrokerFact::Struck {
            fault,
            number,
            action,
        };
        self.tell(now, Fact::Broker(fact));
    }

    /// A firing that lasted is over: if it has the broker away, that is to come back.
    pub(super) fn end_at_broker(&mut self, ended: Firing, actions: &mut Actions) {
        let strike = self.broker.filter(|strike| strike.firing == ended);
        let Some(BrokerStrike { firing, action }) = strike else {
            return;
        };
        // It is over when the broker is back.
        self.shared.faults.note_ended(firing, None);
        actions.order(match action.ends_process() {
            true => BrokerOrder::Start,
            false => BrokerOrder::Resume,
        });
    }

    /// Something was done to the broker that the fleet had asked for.
    pub(super) fn handle_broker(&mut self, now: Instant, event: BrokerEvent) {
        let Some(BrokerStrike { firing, .. }) = self.broker else {
            return;
        };
        let fact = match event {
            BrokerEvent::Halted => {
                self.shared.faults.note_halted(firing, now);
                BrokerFact::Halted
            }
            BrokerEvent::Back => {
                self.shared.faults.note_ended(firing, Some(now));
                self.broker = None;
                BrokerFact::Back
            }
            BrokerEvent::Lost => {
                self.broker = None;
                BrokerFact::Lost
            }
        };
        self.tell(now, Fact::Broker(fact));
    }
}
