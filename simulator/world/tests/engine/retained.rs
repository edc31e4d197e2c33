//! The last look at what is retained (§3.3.1.3).

use squall_fleet::{About, Phase};

use crate::recording::{What, run};

/// A fresh subscriber sees what is retained when the drain is over, and only that.
#[test]
fn a_checker_finds_what_is_retained() {
    let outcome = run(r#"
        [run]
        duration = "5s"
        [[group]]
        name = "devices"
        count = 20
        client_id = "dev-{index}"
        [group.will]
        topic = "status/{client_id}"
        payload = { text = "offline" }
        retain = true
        [[fault]]
        at = "1s"
        group = "devices"
        select = { count = 7 }
        action = "drop"
        how = "fin"
        [[expect]]
        check = "retained"
        filter = "status/+"
        equals = "last_will"
        "#);
    let recording = outcome.sink;

    let found: Vec<_> = recording.seen.iter().filter(|seen| {
        matches!(&seen.what, What::RetainedFound { payload, .. } if payload == b"offline")
    }).collect();
    assert_eq!(found.len(), 7);
    let checking = recording.phase(Phase::Checking);
    assert!(
        found
            .iter()
            .all(|seen| seen.at >= checking && seen.about == About::Run)
    );
    assert_eq!(recording.count(|what| *what == What::RetainedComplete), 1);
}
