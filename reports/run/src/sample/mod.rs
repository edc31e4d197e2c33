//! Made-up runs for tests and benches of whatever reads run files.
//!
//! They are plausible, complete and always the same; they are not measurements.

mod distributions;
mod outcomes;
mod packets;

use std::collections::BTreeMap;

use distributions::{metrics, networks, rates, resources, scenario_delays, series, spent};
use outcomes::{
    accounting, anomalies, checks, connections, faults, malformed, qos2, responses, takeovers,
    thresholds, wills,
};

use crate::{
    AnomalyKind, ClockKind, ErrorCount, Extent, FirstAnomaly, GroupSettings, Identity, Limits,
    Machine, Measured, Override, Phase, PhaseKind, Resources, RetainedOutcome, Run, ScenarioText,
    Sessions, Settings, Software, Stop, StopCause, Target, TargetKind, ThresholdResult, Times,
    VERSION, Value, Verdict,
};

/// A run with something in every section of a report, in which everything held.
pub fn passing() -> Run {
    let measured = Measured {
        accounting: accounting(),
        metrics: metrics(),
        rates: rates(&series()),
        unfinished: Vec::new(),
        scenario_delays: scenario_delays(),
        spent: spent(),
        drain: crate::Drain::default(),
        series: series(),
        connections: connections(),
        sessions: Sessions::default(),
        qos2: Some(qos2()),
        wills: wills(),
        takeovers: Some(takeovers()),
        closed_loops: Vec::new(),
        commands: Vec::new(),
        silences: None,
        malformed: malformed(),
        responses: Some(responses()),
        networks: networks(),
        retained: vec![RetainedOutcome {
            filter: "status/+".to_owned(),
            equals: "last_will".to_owned(),
            expected: 1_400,
            right: 1_400,
            wrong: 0,
            missing: 0,
            unexpected: 0,
        }],
        faults: faults(),
        checks: checks(),
        thresholds: thresholds(),
        errors: Vec::new(),
        anomaly_counts: BTreeMap::new(),
        anomalies: Vec::new(),
        traces: Vec::new(),
    };
    let verdict = Verdict::judge(&measured.checks, &measured.thresholds, Extent::Whole, []);
    Run {
        version: VERSION,
        identity: identity(),
        machine: machine(),
        target: target(),
        times: times(),
        settings: settings(),
        measured,
        resources: resources(),
        verdict,
    }
}

/// The same run against a broker that lost messages, doubled wills and was slow.
pub fn failing() -> Run {
    let mut run = passing();
    let measured = &mut run.measured;
    measured.accounting.deliveries[0].delivered -= 7;
    measured.accounting.deliveries[0].received -= 7;
    measured.accounting.deliveries[0].lost += 7;
    measured.wills[0].missing = 12;
    measured.wills[0].seen -= 12;
    measured.wills[1].doubled = 3;
    measured.anomalies = anomalies();
    measured.traces = packets::traces();
    for anomaly in &measured.anomalies {
        // More than are listed.
        *measured.anomaly_counts.entry(anomaly.kind).or_default() += 7;
    }
    measured.checks[0].claims[0].actual = Some(Value::Count(7));
    measured.checks[0].claims[0].passed = false;
    measured.checks[0].violations_total = 7;
    measured.checks[0].violations = vec![measured.anomalies[0].clone()];
    measured.checks[1].claims[0].actual = Some(Value::Text("0 for 12, 2 for 3".to_owned()));
    measured.checks[1].claims[0].passed = false;
    measured.checks[1].violations_total = 15;
    measured.checks[1].violations = measured.anomalies[1..].to_vec();
    measured.thresholds[0].actual = Some(Value::Seconds(1.34));
    measured.thresholds[0].result = ThresholdResult::Broken;
    measured.faults[1].first_anomaly = Some(FirstAnomaly {
        kind: AnomalyKind::Lost,
        at_s: 47.31,
        explanation: measured.anomalies[0].explanation.clone(),
    });
    measured.errors = vec![
        ErrorCount {
            area: "connect".to_owned(),
            reason: "0x88 server unavailable".to_owned(),
            count: 41,
            first_at_s: 40.8,
        },
        ErrorCount {
            area: "transport".to_owned(),
            reason: "reset by the peer".to_owned(),
            count: 9,
            first_at_s: 44.1,
        },
    ];
    run.verdict = Verdict::judge(&measured.checks, &measured.thresholds, Extent::Whole, []);
    run
}

/// A run that ended before anything was measured.
pub fn empty() -> Run {
    let mut run = passing();
    run.measured = Measured::default();
    run.resources = Resources::default();
    run.times.phases.clear();
    run.times.duration_s = 0.0;
    run.times.stopped = Some(Stop {
        by: StopCause::Sigint,
        at_s: 0.0,
        phase: PhaseKind::Connect,
        after_s: 0.0,
        planned_s: None,
    });
    run.settings = Settings::default();
    run.verdict = Verdict::judge(&[], &[], Extent::of(&run.times), []);
    run
}

fn identity() -> Identity {
    let original = "# Question: does a fleet on a jittery mobile network lose or reorder anything?\n\
                    version = 1\nname = \"network-jitter\"\nseed = 42\n";
    Identity {
        name: "network-jitter".to_owned(),
        question: Some(
            "Does a fleet on a jittery mobile network lose or reorder anything, and what does it cost in latency?"
                .to_owned(),
        ),
        seed: 42,
        scenario: ScenarioText {
            path: "scenarios/network-jitter.toml".to_owned(),
            hash: "sha256:3f1d7c0a5e4b99d2".to_owned(),
            original: original.to_owned(),
            resolved: format!("{original}\n[run]\nwarmup = \"10s\"\nduration = \"100s\"\ndrain = \"15s\"\n"),
            has_secrets: false,
        },
        squall: Software {
            version: "0.1.0".to_owned(),
            commit: Some("0123abc".to_owned()),
            profile: "release".to_owned(),
        },
        command_line: ["squall", "run", "scenarios/network-jitter.toml"].map(str::to_owned).to_vec(),
        replay: "squall run scenarios/network-jitter.toml --seed 42 --set group.sensors.count=5000"
            .to_owned(),
    }
}

fn machine() -> Machine {
    Machine {
        cpu: "Imaginary Processor 3000".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "Linux 6.12.0".to_owned(),
        hostname: "bench-1".to_owned(),
        limits: Limits {
            descriptors: 524_288,
            ports: 28_232,
        },
    }
}

fn target() -> Target {
    Target {
        kind: TargetKind::Embedded,
        url: "mqtt://127.0.0.1:41883".to_owned(),
        command: Some("squall broker --port 0".to_owned()),
        software: Some("squall 0.1.0".to_owned()),
        name: None,
        keeps: None,
        changes: Vec::new(),
        pid: Some(4_711),
        settings: BTreeMap::from([("shards".to_owned(), "1".to_owned())]),
    }
}

fn times() -> Times {
    let bounds = [
        (PhaseKind::Connect, 0.0, 10.0),
        (PhaseKind::Warmup, 10.0, 20.0),
        (PhaseKind::Measure, 20.0, 120.0),
        (PhaseKind::Drain, 120.0, 135.0),
    ];
    Times {
        started_at: "2026-01-01T12:00:00Z".to_owned(),
        duration_s: 135.0,
        clock: ClockKind::Real,
        phases: bounds
            .map(|(kind, start_s, end_s)| Phase {
                kind,
                start_s,
                end_s,
            })
            .to_vec(),
        stopped: None,
    }
}

fn settings() -> Settings {
    let sensors = GroupSettings {
        name: "sensors".to_owned(),
        count: 5_000,
        protocol: "5.0".to_owned(),
        transport: "tcp".to_owned(),
        network: Some("lte-poor".to_owned()),
        keep_alive_s: 30,
        publishes: vec!["fleet/{client_id}/telemetry, QoS 1, 5,000/s, poisson".to_owned()],
        subscribes: Vec::new(),
        specials: vec!["will to status/{client_id}, QoS 1".to_owned()],
    };
    let backend = GroupSettings {
        name: "backend".to_owned(),
        count: 4,
        network: None,
        publishes: Vec::new(),
        subscribes: vec!["$share/app/fleet/+/telemetry, QoS 1".to_owned()],
        specials: Vec::new(),
        ..sensors.clone()
    };
    Settings {
        overrides: vec![Override {
            key: "group.sensors.count".to_owned(),
            value: "5000".to_owned(),
        }],
        groups: vec![sensors, backend],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples' books balance, as those of a real run must.
    #[test]
    fn books_balance() {
        for run in [passing(), failing(), empty()] {
            assert_eq!(run.measured.accounting.balance(), 0);
        }
    }
}
