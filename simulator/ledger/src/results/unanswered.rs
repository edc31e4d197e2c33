//! What the broker left without an answer, as reasons against the run.

use std::time::Duration;

use squall_run::{Reason, count_text, duration_text};
use squall_scenario::Scenario;

use crate::books::{Ledger, Request, Waiting};

/// A request that was made this long before the end of the run, or less, may just be under way.
const UNDER_WAY_MAX: Duration = Duration::from_secs(1);

/// A kind of request that was not answered breaks an invariant if it is certain that no answer comes, or
/// if it waited for longer than a device waits for any: `run.connect_timeout`. Otherwise the drain was too
/// short to tell, of the answers alone: the ages of those requests are in the latencies, which were at least that long, so a
/// limit that they break is broken. Where the generator was held up for so much of that time that the rest is less than a
/// device waits, nothing follows.
pub(super) fn reasons(scenario: &Scenario, ledger: &Ledger) -> Vec<Reason> {
    let limit = scenario.run.connect_timeout;
    ledger
        .unanswered
        .waiting()
        .filter_map(|(request, waiting)| reason(scenario, request, waiting, limit))
        .chain(of_checkers(ledger))
        .collect()
}

/// SUBSCRIBEs of squall's own clients, which ask what is retained (§3.8.4).
fn of_checkers(ledger: &Ledger) -> Option<Reason> {
    let count = ledger.retained.unanswered_checkers();
    (count > 0).then(|| {
        Reason::Unanswered(format!(
            "{} SUBSCRIBEs of clients that ask what is retained had no SUBACK within run.connect_timeout, over \
             connections that stayed up [MQTT-3.8.4-1]",
            count_text(count as u64)
        ))
    })
}

fn reason(
    scenario: &Scenario,
    request: Request,
    waiting: &Waiting,
    limit: Duration,
) -> Option<Reason> {
    let what = format!(
        "{} {} had no {} over connections that stayed up, the first of {}",
        count_text(waiting.count),
        request.plural(),
        request.answer(),
        waiting.first.map_or_else(String::new, |device| {
            let (group, index) = scenario.group_of(device);
            scenario.group(group).client_id_of(index)
        }),
    );
    let oldest = duration_text(waiting.oldest.as_secs_f64());
    if waiting.hopeless > 0 {
        let why = match request {
            Request::PublishQos1 | Request::ExchangeQos2 => {
                "later ones of the same device were answered [MQTT-4.6.0-2]"
            }
            Request::Subscribe | Request::Unsubscribe | Request::Pingreq => {
                "the device gave up after run.connect_timeout"
            }
        };
        let hopeless = count_text(waiting.hopeless);
        return Some(Reason::Unanswered(format!("{what}: {why} ({hopeless})")));
    }
    if waiting.oldest_unexcused >= limit {
        return Some(Reason::Unanswered(format!(
            "{what}, the oldest for {oldest}"
        )));
    }
    if waiting.excused > 0 {
        let held_up = duration_text(waiting.held_up.as_secs_f64());
        return Some(Reason::of_the_generator(
            &format!("{what}, the oldest for {oldest}"),
            &format!("it was held up for {held_up} of that"),
        ));
    }
    (waiting.oldest >= UNDER_WAY_MAX).then(|| {
        Reason::Unjudged(format!(
            "{what} when the run ended, the oldest for {oldest}: a longer run.drain shows whether it comes"
        ))
    })
}
