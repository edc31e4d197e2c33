//! What comes of each lie under each scenario: a lie that is not in the list of a scenario touches too little there.

use crate::lies::Lie;

/// What comes of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// It fails, and this claim is broken, as `check.key`.
    Found(&'static str),
    /// It neither passes nor fails: it says what could not be judged.
    #[expect(dead_code, reason = "so far each lie is found or passes")]
    NotJudged,
    /// It passes, as it must, because an honest broker may do the same.
    Passes(&'static str),
    /// It passes though it should not. What is written here is to be put right with the ledger.
    KnownGap(&'static str),
}

use Outcome::{Found, KnownGap, Passes};

const LOST: Outcome = Found("delivery.lost");
const DUPLICATED: Outcome = Found("delivery.duplicated");
const REORDERED: Outcome = Found("delivery.reordered");
const CORRUPTED: Outcome = Found("delivery.corrupted");
const MISROUTED: Outcome = Found("delivery.misrouted");
const MISLABELLED: Outcome = Found("delivery.mislabelled");
const WILLS: Outcome = Found("will.exactly");
const INCOMPLETE: Outcome = Found("qos2_handshake.incomplete");

/// Of a Session that ends with its connection, the last few milliseconds.
const ON_ITS_WAY: Outcome = Passes(
    "the Session ends with its connection, and what was on its way just then goes with it (§4.1)",
);

/// Of a message at QoS 1 that came last on the connection before.
const UNANSWERED: Outcome = Passes(
    "PUBACK may not have reached the broker before the connection ended, and then it must send again [MQTT-4.4.0-1]",
);

/// Of a copy with DUP in MQTT 3.1.1.
const AT_ANY_TIME: Outcome = Passes(
    "in MQTT 3.1.1 a server may send a message of QoS 1 again, with DUP, while it has no PUBACK (3.1.1 §4.4)",
);

const OLDER: Outcome = KnownGap(
    "a Session that was resumed in between, and had later messages of the same stream then, would have had it again then \
     [MQTT-4.6.0-1]: the ledger does not know on which connections a message was outstanding",
);

/// Found wherever a Session has what it asked for.
const PLAIN: [(Lie, Outcome); 11] = [
    (Lie::DropQos0, LOST),
    (Lie::DropQos1, LOST),
    (Lie::DropQos2, LOST),
    (Lie::DoubleQos0, DUPLICATED),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::DoubleQos2, DUPLICATED),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::ToAnother, DUPLICATED),
    (Lie::LowerQos, MISLABELLED),
];

/// Of PUBREL to devices that have the Session for a moment each.
const SENT_TO_THE_NEXT: Outcome = Passes(
    "the Session goes to another device before PUBREL is late, and that one is sent it [MQTT-4.4.0-1]",
);

/// Found wherever there are exchanges at QoS 2 in both directions.
const EXCHANGES: [(Lie, Outcome); 6] = [
    (Lie::NoPubrec, INCOMPLETE),
    (Lie::NoPubrel, INCOMPLETE),
    (Lie::NoPubcomp, INCOMPLETE),
    (Lie::WrongPubrec, INCOMPLETE),
    (Lie::WrongPubrel, INCOMPLETE),
    (Lie::WrongPubcomp, INCOMPLETE),
];

const CUTS: [(Lie, Outcome); 1] = [(
    Lie::ForgetExchange,
    Found("qos2_handshake.dup_answered_with_pubrec"),
)];

const PLAIN_3_1_1: [(Lie, Outcome); 1] = [(Lie::DoubleDup, AT_ANY_TIME)];

const FLAPPING: [(Lie, Outcome); 19] = [
    (Lie::DropQos1, LOST),
    (Lie::DropQos2, LOST),
    (Lie::DropEarly, Found("session.backlog")),
    (Lie::DropLast, LOST),
    (Lie::DropWaited, Found("session.backlog")),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::DoubleWaited, DUPLICATED),
    (Lie::DoubleQos2, DUPLICATED),
    (Lie::AgainPlain, DUPLICATED),
    (Lie::AgainDup, UNANSWERED),
    (Lie::AgainLate, OLDER),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::DropWill, WILLS),
    (Lie::DelayWill, Found("will.within.fin")),
    (Lie::DoubleWill, WILLS),
    (Lie::ToAnother, MISROUTED),
    (Lie::LowerQos, MISLABELLED),
];

const FLAPPING_3_1_1: [(Lie, Outcome); 4] = [
    (Lie::DoubleDup, AT_ANY_TIME),
    (Lie::DoubleWaited, AT_ANY_TIME),
    (Lie::AgainDup, UNANSWERED),
    (Lie::AgainLate, OLDER),
];

const DROPS: [(Lie, Outcome); 17] = [
    (Lie::DropQos1, LOST),
    (Lie::DropQos2, LOST),
    (Lie::DropEarly, LOST),
    (Lie::DropLast, ON_ITS_WAY),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::DoubleQos2, DUPLICATED),
    (Lie::AgainPlain, DUPLICATED),
    (Lie::AgainDup, DUPLICATED),
    (Lie::AgainLate, DUPLICATED),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::DropWill, WILLS),
    (Lie::DelayWill, Found("will.within.rst")),
    (Lie::DoubleWill, WILLS),
    (Lie::ToAnother, MISROUTED),
    (Lie::LowerQos, MISLABELLED),
];

/// Beside those of [`PLAIN`].
const CHURN: [(Lie, Outcome); 1] = [(Lie::DropEarly, LOST)];

const SHARED: [(Lie, Outcome); 4] = [
    (Lie::DropQos2, LOST),
    (Lie::DropLast, LOST),
    (Lie::DoubleQos0, Found("shared.exactly_one")),
    (Lie::ToAnother, Found("shared.exactly_one")),
];

const RETAINED: [(Lie, Outcome); 13] = [
    (Lie::DropQos1, LOST),
    (Lie::DropEarly, LOST),
    (Lie::DropLast, ON_ITS_WAY),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::AgainPlain, DUPLICATED),
    (Lie::AgainDup, DUPLICATED),
    (Lie::AgainLate, DUPLICATED),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::DropRetained, Found("retained.equals")),
    (Lie::ToAnother, DUPLICATED),
    (Lie::LowerQos, MISLABELLED),
];

const EXPIRY: [(Lie, Outcome); 11] = [
    (Lie::DropQos1, LOST),
    (Lie::DropEarly, Found("session.backlog")),
    (Lie::DropWaited, Found("session.backlog")),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::DoubleWaited, DUPLICATED),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::Expired, Found("expiry.never_after")),
    (Lie::ToAnother, MISROUTED),
    (Lie::LowerQos, MISLABELLED),
];

const TAKEOVER: [(Lie, Outcome); 17] = [
    (Lie::DropQos1, LOST),
    (Lie::DropQos2, LOST),
    (Lie::DropEarly, LOST),
    (Lie::DropLast, LOST),
    (Lie::DoublePlain, DUPLICATED),
    (Lie::DoubleDup, DUPLICATED),
    (Lie::DoubleQos2, DUPLICATED),
    (Lie::AgainPlain, DUPLICATED),
    (Lie::AgainDup, UNANSWERED),
    (Lie::AgainLate, OLDER),
    (Lie::Reorder, REORDERED),
    (Lie::Corrupt, CORRUPTED),
    (Lie::ToAnother, MISROUTED),
    (Lie::LowerQos, MISLABELLED),
    (Lie::NoPubrel, SENT_TO_THE_NEXT),
    (Lie::WrongPubrel, SENT_TO_THE_NEXT),
    (Lie::ForgetExchange, LOST),
];

/// What comes of a lie; `None` where it touches too little.
pub(crate) fn expected(scenario: &str, lie: Lie) -> Option<Outcome> {
    let lists: &[&[(Lie, Outcome)]] = match scenario {
        "plain" | "stalls" | "links" => &[&PLAIN, &EXCHANGES],
        "churn" => &[&CHURN, &PLAIN, &EXCHANGES],
        "plain-3.1.1" => &[&PLAIN_3_1_1, &PLAIN, &EXCHANGES],
        "flapping" => &[&FLAPPING, &EXCHANGES],
        "flapping-3.1.1" => &[&FLAPPING_3_1_1, &FLAPPING, &EXCHANGES],
        "drops" => &[&DROPS, &EXCHANGES],
        "shared" => &[&SHARED, &PLAIN, &EXCHANGES],
        "shared-3.1.1" => &[&PLAIN_3_1_1, &SHARED, &PLAIN, &EXCHANGES],
        "retained" => &[&RETAINED],
        "expiry" => &[&EXPIRY],
        "takeover" => &[&TAKEOVER, &EXCHANGES],
        "cuts" => &[&CUTS, &EXCHANGES],
        "leaving" => &[&EXCHANGES],
        other => panic!("no list for {other}"),
    };
    let mut rows = lists.iter().copied().flatten();
    rows.find(|(of, _)| *of == lie).map(|&(_, outcome)| outcome)
}
