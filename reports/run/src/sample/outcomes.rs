//! Books, outcomes and judgements of the made-up runs.

use std::collections::BTreeMap;

use crate::{
    Accounting, Aggregate, AllowedRange, Anomaly, AnomalyKind, CheckOutcome, ClaimOutcome,
    Comparison, Connections, Deliveries, FaultOccurrence, GroupConnections, LegCount,
    MalformedOutcome, MetricName, Percentile, Publications, Qos2, Qos2Side, Responses, Tags,
    Takeovers, ThresholdOutcome, ThresholdResult, Value, WillOutcome,
};

pub(super) fn accounting() -> Accounting {
    let book = |qos: u8, messages: u64, in_doubt: u64| Publications {
        group: "sensors".to_owned(),
        qos,
        scheduled: messages,
        sent: messages - 9,
        to_no_subscriber: 0,
        ok: messages - 9 - in_doubt,
        failed: 9,
        unsent: counts(&[("not connected (fault power-cut)", 9)]),
        unsent_unexplained: 0,
        refused: 0,
        unknown: 0,
        in_doubt,
        in_doubt_came: in_doubt - 1,
        forgotten: 0,
    };
    let owed = |qos: u8, messages: u64, optional: u64| Deliveries {
        group: "backend".to_owned(),
        qos,
        expected: messages,
        delivered: messages - 4,
        lost: 0,
        excused: 4,
        excuses: counts(&[("session ended", 4)]),
        unknown: 0,
        optional,
        duplicated: if qos == 1 { 23 } else { 0 },
        forbidden: 0,
        reordered: 0,
        corrupted: 0,
        mislabelled: 0,
        misrouted: 0,
        foreign: 0,
        unstamped: 0,
        uncounted: 0,
        late: 31,
        received: messages - 4 + optional + if qos == 1 { 23 } else { 0 },
    };
    Accounting {
        publications: vec![book(1, 549_873, 12), book(2, 55_010, 3)],
        deliveries: vec![owed(1, 549_852, 11), owed(2, 54_998, 2)],
    }
}

fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs
        .iter()
        .map(|(key, count)| ((*key).to_owned(), *count))
        .collect()
}

pub(super) fn connections() -> Connections {
    Connections {
        peak_online: 5_004,
        refusals: Vec::new(),
        groups: vec![
            GroupConnections {
                group: "sensors".to_owned(),
                attempts: 7_163,
                connected: 7_100,
                session_present: 2_100,
                reconnects: 2_100,
                open_failed: counts(&[("timed_out", 22)]),
                refused: counts(&[("0x88 server unavailable", 41)]),
                kept_out_by_fault: 0,
                ended: counts(&[
                    ("fault power-cut", 1_000),
                    ("fault socket-reset", 400),
                    ("fault socket-close", 400),
                    ("fault polite", 300),
                    ("run ended", 5_000),
                ]),
                unexpected: counts(&[]),
                online_s: 561_000.0,
                away_s: 6_300.0,
                away_unasked_s: 0.0,
            },
            GroupConnections {
                group: "backend".to_owned(),
                attempts: 4,
                connected: 4,
                ended: counts(&[("run ended", 4)]),
                ..GroupConnections::default()
            },
        ],
    }
}

pub(super) fn qos2() -> Qos2 {
    let leg = |side, leg: &str, count| LegCount {
        side,
        leg: leg.to_owned(),
        count,
    };
    Qos2 {
        sender_started: 55_001,
        sender_completed: 54_998,
        receiver_started: 55_000,
        receiver_completed: 55_000,
        incomplete: counts(&[("sender awaits PUBREC", 3)]),
        dup_sent: 1_180,
        dup_answered: 1_180,
        repeated: BTreeMap::new(),
        publish_after_pubrel: 0,
        cuts: counts(&[("publish", 1_104), ("pubrec", 1_090), ("pubrel", 1_121)]),
        withheld: counts(&[("pubrec", 551), ("pubcomp", 549)]),
        legs: vec![
            leg(Qos2Side::Sender, "PUBLISH sent", 55_001),
            leg(Qos2Side::Sender, "PUBLISH sent again", 1_180),
            leg(Qos2Side::Sender, "PUBREC received", 55_120),
            leg(Qos2Side::Sender, "PUBREL sent", 56_240),
            leg(Qos2Side::Sender, "PUBCOMP received", 54_998),
            leg(Qos2Side::Receiver, "PUBLISH received", 55_000),
            leg(Qos2Side::Receiver, "PUBLISH received again", 551),
            leg(Qos2Side::Receiver, "PUBCOMP sent", 55_000),
        ],
    }
}

pub(super) fn wills() -> Vec<WillOutcome> {
    let will = |fault: &str, how: &str, due: u64, limit_s: Option<f64>| WillOutcome {
        fault: Some(fault.to_owned()),
        how: how.to_owned(),
        ended: if due == 0 { 300 } else { due },
        expected: due,
        seen: due,
        missing: 0,
        undecided: 0,
        optional: 0,
        doubled: 0,
        unexpected: 0,
        cancelled: 0,
        left_open: 0,
        late: 0,
        limit_s,
    };
    vec![
        will("power-cut", "silent", 1_000, Some(16.0)),
        will("socket-reset", "rst", 400, Some(1.0)),
        will("socket-close", "fin", 400, None),
        will("polite", "disconnect", 0, None),
    ]
}

pub(super) fn responses() -> Responses {
    Responses {
        requests: 1_200,
        answered: 1_190,
        unanswered: 4,
        under_way: 1,
        lost_at_qos0: 2,
        not_owed: 3,
        misdirected: 1,
    }
}

pub(super) fn takeovers() -> Takeovers {
    Takeovers {
        contended_ids: 100,
        takeovers: 3_000,
        displaced_closed: 3_000,
        displaced_open: 0,
        displaced_otherwise: 0,
        reasons: counts(&[("0x8E session taken over", 3_000)]),
        most_alive: 1,
        session_present_right: 3_400,
        session_present_wrong: 0,
    }
}

pub(super) fn malformed() -> Vec<MalformedOutcome> {
    let outcome = |kind: &str, source: &str, closed, left_open| MalformedOutcome {
        kind: kind.to_owned(),
        version: "5.0".to_owned(),
        source: source.to_owned(),
        sent: closed + left_open,
        closed,
        left_open,
        reasons: BTreeMap::from([("0x81 Malformed Packet".to_owned(), closed)]),
        slowest_s: Some(0.012),
        ..MalformedOutcome::default()
    };
    vec![
        outcome("invalid_utf8", "MQTT-1.5.4-1", 20, 0),
        outcome("qos_3", "MQTT-3.3.1-4", 18, 2),
    ]
}

pub(super) fn faults() -> Vec<FaultOccurrence> {
    let fault = |name: &str, how: Option<&str>, at_s, applied| FaultOccurrence {
        name: name.to_owned(),
        action: if how.is_some() { "drop" } else { "disconnect" }.to_owned(),
        how: how.map(str::to_owned),
        group: Some("sensors".to_owned()),
        planned_s: at_s - 20.0,
        at_s,
        lasts_s: None,
        selected: applied + 2,
        applied,
        effects: Vec::new(),
        first_anomaly: None,
    };
    let mut reset = fault("socket-reset", Some("rst"), 40.0, 400);
    reset.lasts_s = Some(6.0);
    vec![
        fault("power-cut", Some("silent"), 40.0, 1_000),
        reset,
        fault("socket-close", Some("fin"), 80.0, 400),
        fault("polite", None, 80.0, 300),
    ]
}

fn claim(key: &str, limit: Value, actual: Value) -> ClaimOutcome {
    ClaimOutcome {
        key: key.to_owned(),
        limit,
        actual: Some(actual),
        of: None,
        passed: true,
        range: None,
        unjudged: None,
        explained: None,
    }
}

fn of_link() -> ClaimOutcome {
    let asked = Value::Seconds(0.45);
    ClaimOutcome {
        range: Some(AllowedRange {
            asked: asked.clone(),
            tolerance: Value::Ratio(0.1),
            at_least: Value::Seconds(0.405),
            at_most: Value::Seconds(0.495),
            chance: Value::Ratio(0.001_7),
            quantile: Some(0.99),
        }),
        ..claim("latency p99 up", asked, Value::Seconds(0.447))
    }
}

fn check(name: &str, selection: &[(&str, &str)], claims: Vec<ClaimOutcome>) -> CheckOutcome {
    CheckOutcome {
        check: name.to_owned(),
        selection: selection
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        claims,
        violations_total: 0,
        by_device: Vec::new(),
        violations: Vec::new(),
    }
}

pub(super) fn checks() -> Vec<CheckOutcome> {
    let none = |key| claim(key, Value::Count(0), Value::Count(0));
    vec![
        check(
            "delivery",
            &[("qos", "1")],
            vec![none("lost"), none("reordered")],
        ),
        check(
            "will",
            &[("after", "power-cut, socket-reset")],
            vec![
                claim("exactly", Value::Count(1), Value::Count(1)),
                claim("within.silent", Value::Seconds(16.0), Value::Seconds(15.26)),
                claim("within.rst", Value::Seconds(1.0), Value::Seconds(0.014)),
            ],
        ),
        check(
            "takeover",
            &[],
            vec![
                claim("alive_per_client_id", Value::Count(1), Value::Count(1)),
                claim(
                    "displaced_closed_within",
                    Value::Seconds(1.0),
                    Value::Seconds(0.031),
                ),
            ],
        ),
        check("network", &[("profile", "lte-poor")], vec![of_link()]),
    ]
}

pub(super) fn thresholds() -> Vec<ThresholdOutcome> {
    let threshold =
        |metric, expression: &str, aggregate, limit_s, actual_s, samples| ThresholdOutcome {
            metric,
            tags: Tags::new(),
            expression: expression.to_owned(),
            aggregate,
            comparison: Comparison::Less,
            limit: Value::Seconds(limit_s),
            actual: Some(Value::Seconds(actual_s)),
            less_lag: None,
            samples,
            result: ThresholdResult::Held,
        };
    let p99 = Aggregate::Percentile(Percentile::P99);
    let mut latency = threshold(MetricName::E2eLatency, "p99 < 1s", p99, 1.0, 0.412, 48_000);
    latency.tags = Tags::from([("group".to_owned(), "backend".to_owned())]);
    vec![
        latency,
        threshold(
            MetricName::E2eLatency,
            "max < 10s",
            Aggregate::Max,
            10.0,
            1.9,
            48_000,
        ),
        threshold(
            MetricName::ScheduleLag,
            "p99 < 5ms",
            p99,
            0.005,
            0.000_46,
            60_000,
        ),
    ]
}

pub(super) fn anomalies() -> Vec<Anomaly> {
    let anomaly = |kind, at_s, client_id: &str, topic: &str, explanation: &str| Anomaly {
        kind,
        at_s: Some(at_s),
        times: 1,
        client_id: Some(client_id.to_owned()),
        recipient: Some("backend-2".to_owned()),
        topic: Some(topic.to_owned()),
        sequence: Some(118),
        explanation: explanation.to_owned(),
        trace: (kind == AnomalyKind::Lost).then_some(0),
    };
    vec![
        anomaly(
            AnomalyKind::Lost,
            47.31,
            "sensor-00417",
            "fleet/sensor-00417/telemetry",
            "acknowledged with PUBACK at 44.870 s, owed to backend-2, never delivered; 119 and later came (§4.3.2)",
        ),
        anomaly(
            AnomalyKind::WillMissing,
            56.0,
            "dev-81",
            "status/dev-81",
            "connection lost at 40.000 s without DISCONNECT, will due by 56.000 s and not seen (§3.1.2.5)",
        ),
        anomaly(
            AnomalyKind::WillDoubled,
            40.22,
            "dev-1204",
            "status/dev-1204",
            "the will came at 40.003 s and again at 40.219 s (§3.1.2.5)",
        ),
    ]
}
