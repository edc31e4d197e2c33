//! The same scenarios over TLS, WebSocket and both, with connections that end under TLS without a word.

use std::ops::Range;

use crate::generate;
use crate::group::NAMES;
use crate::trial::{Trial, judge, with_claims};

/// Seeds of the scenarios: fewer than over TCP, since what is judged is the same.
const SEEDS: Range<u64> = 0..45;

/// What carries MQTT, and a fault of its own.
const TRANSPORTS: [(&str, &str); 3] = [
    ("tls", "action = \"drop\"\nhow = \"tls_abort\""),
    ("ws", "action = \"drop\"\nhow = \"fin\""),
    ("wss", "action = \"drop\"\nhow = \"tls_abort\""),
];

/// Whatever the seed and the transport, a broker that does nothing wrong breaks nothing.
#[test]
fn random_scenarios_hold_nothing_against_an_honest_broker_over_any_transport() {
    let mut sound = 0;
    for seed in SEEDS {
        let (transport, fault) = TRANSPORTS[seed as usize % TRANSPORTS.len()];
        let mut generated = generate::scenario(seed);
        generated.text += &format!(
            "[[fault]]\nname = \"carried\"\nat = \"4s\"\ngroup = \"{}\"\nselect = {{ count = 1 }}\n{fault}\n\
             [target]\nspawn = \"broker {{port}}\"\ntransport = \"{transport}\"\n",
            NAMES[0]
        );
        let Ok(text) = with_claims(&generated) else {
            continue;
        };
        match judge(&text) {
            Trial::Refused | Trial::TooLong => {}
            Trial::Sound(_) => sound += 1,
            Trial::Wrong(complaints) => panic!("seed {seed}: {complaints:?} by\n{text}"),
        }
    }
    assert!(sound > 30, "{sound} scenarios were run");
}
