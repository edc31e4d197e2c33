//! The same scenarios over a broker that breaks its promises: whatever else they do, most of them show it.
//!
//! An excuse that is too wide is not seen by an honest broker. What is not found here has a reason: the message was the last
//! before the end of a connection, was for a shared subscription whose member was lost, or had a link between.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use squall_core::Config;
use squall_protocol::packet::Packet;
use squall_run::Resources;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::trial::{broken, parse, with_claims};
use crate::{generate, harness};

/// Seeds of the scenarios.
const SEEDS: Range<u64> = 0..32;

/// A scenario shows something if that many messages were touched.
const TOUCHED_MIN: u64 = 20;

/// What a broker does to every tenth message that it sends.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Drop,
    Double,
}

#[derive(Debug)]
struct EveryTenth {
    wrong: Wrong,
    seen: u64,
    touched: Rc<Cell<u64>>,
}

impl Tamper for EveryTenth {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_message = passing.direction == Direction::ToDevice
            && matches!(passing.packet, Packet::Publish(_));
        self.seen += u64::from(is_message);
        if !is_message || !self.seen.is_multiple_of(10) {
            tampered.pass(passing);
            return;
        }
        self.touched.set(self.touched.get() + 1);
        match self.wrong {
            Wrong::Drop => {}
            Wrong::Double => {
                tampered.pass(passing);
                tampered.pass(passing);
            }
        }
    }
}

/// Scenarios in which enough messages were touched, and those of them that show `claim` broken.
fn found(wrong: Wrong, claim: &str) -> (u32, u32) {
    let (mut touched_in, mut found_in) = (0, 0);
    for seed in SEEDS {
        let text = with_claims(&generate::scenario(seed));
        let Some(scenario) = text.ok().and_then(|text| parse(&text).ok()) else {
            continue;
        };
        let touched = Rc::new(Cell::new(0));
        let tamper = EveryTenth {
            wrong,
            seen: 0,
            touched: Rc::clone(&touched),
        };
        let world = squall_world::recorded(&scenario, harness::broker(Config::default()))
            .with_tamper(Box::new(tamper));
        let judgement = squall_ledger::judge(&scenario, world.run(), &Resources::default());
        if touched.get() >= TOUCHED_MIN {
            touched_in += 1;
            found_in += u32::from(broken(&judgement).iter().any(|broken| broken == claim));
        }
    }
    (touched_in, found_in)
}

/// A broker that drops every tenth message is found in most scenarios.
#[test]
fn a_broker_that_drops_messages_is_found() {
    let (touched_in, found_in) = found(Wrong::Drop, "delivery.lost");

    assert!(touched_in >= 8, "{touched_in}");
    assert!(found_in * 3 >= touched_in * 2, "{found_in} of {touched_in}");
}

/// One that sends every tenth message twice is found in nearly all.
#[test]
fn a_broker_that_doubles_messages_is_found() {
    let (touched_in, found_in) = found(Wrong::Double, "delivery.duplicated");

    assert!(touched_in >= 8, "{touched_in}");
    assert!(
        found_in * 10 >= touched_in * 9,
        "{found_in} of {touched_in}"
    );
}
