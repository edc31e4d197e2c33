//! Which words and what reserve a difference gets.

use super::super::noise::{Better, Grain, GrainOf, Rule};
use super::super::{FigurePart, Uncompared};
use super::*;
use crate::FigureUnit;

const CPU: &str = "broker_cpu_s_per_million";
const RSS: &str = "broker_rss.max";
const P99: &str = "e2e_latency{group=g,qos=1}.p99";

fn summary(label: &str) -> SideSummary {
    SideSummary {
        label: label.to_owned(),
        target: String::new(),
        run_files: Vec::new(),
        compared: 1,
        left_out: Vec::new(),
    }
}

fn figure(key: &str, unit: FigureUnit, base: &[f64], other: &[f64]) -> ComparedFigure {
    let of = match unit {
        FigureUnit::Count => GrainOf::Count,
        FigureUnit::Micros
        | FigureUnit::PerSecond
        | FigureUnit::Cores
        | FigureUnit::Bytes
        | FigureUnit::Seconds
        | FigureUnit::PerMessage => GrainOf::Measure,
    };
    let grain = Grain {
        share: 0.02,
        step: 0.0,
        of,
    };
    let uncompared = Uncompared {
        key: key.to_owned(),
        name: "end-to-end latency p99, g QoS 1".to_owned(),
        part: FigurePart::Broker,
        unit,
        rule: Rule {
            better: Better::Lower,
            grain,
        },
        sides: vec![base.to_vec(), other.to_vec()],
    };
    super::super::compared(vec![uncompared]).0.remove(0)
}

fn said(figures: &[ComparedFigure]) -> Vec<(Certainty, String)> {
    let answers = answers(&[summary("squall"), summary("mosquitto")], figures);
    let parts = answers.into_iter();
    parts.map(|part| (part.certainty, part.text)).collect()
}

/// With one run each it is told by how much they differ, and that it may be chance.
#[test]
fn with_one_run_the_size_is_told_and_that_it_may_be_chance() {
    let figures = [
        figure(CPU, FigureUnit::Seconds, &[4.5], &[23.4]),
        figure(RSS, FigureUnit::Bytes, &[8_388_608.0], &[5_242_880.0]),
        figure(P99, FigureUnit::Micros, &[1_000.0], &[1_100.0]),
    ];

    let expected = [
        (
            Certainty::NoiseUnknown,
            "mosquitto used 5.20 times squall's processor time for each message (23.4 µs against 4.50 µs); squall used 60.0 % \
             more memory at the peak than mosquitto (8.00 MiB against 5.00 MiB). With one run each, noise is unknown: this \
             may be chance."
                .to_owned(),
        ),
        (
            Certainty::NoiseUnknown,
            "Less than 25 % lies between squall and mosquitto in end-to-end latency p99 of g QoS 1."
                .to_owned(),
        ),
    ];
    assert_eq!(said(&figures), expected);
}

/// Two runs that lie far apart from two others by their own noise are not told as a fact.
#[test]
fn what_may_be_noise_is_not_told_as_a_fact() {
    let figures = [figure(CPU, FigureUnit::Seconds, &[4.0, 5.0], &[20.0, 26.8])];

    let [(certainty, text)] = said(&figures).try_into().unwrap();

    assert_eq!(certainty, Certainty::WithinNoise);
    assert!(
        text.ends_with("(23.4 µs against 4.50 µs). With two runs each, chance is not ruled out."),
        "{text}"
    );
}

/// What noise does not explain stands first and is told as a fact; what it may explain is not told with a number.
#[test]
fn a_fact_stands_first() {
    let runs = [4.50, 4.51, 4.49, 4.50, 4.52];
    let figures = [
        figure(RSS, FigureUnit::Bytes, &runs, &runs.map(|run| run * 1.01)),
        figure(CPU, FigureUnit::Seconds, &runs, &runs.map(|run| run * 1.5)),
    ];

    let parts = said(&figures);

    assert_eq!(
        parts[0],
        (
            Certainty::BeyondNoise,
            "mosquitto used 50.0 % more processor time for each message than squall (6.75 µs against 4.50 µs): more than \
             noise explains."
                .to_owned()
        )
    );
    assert_eq!(
        parts[1].1,
        "Nothing sets mosquitto apart from squall beyond noise in memory at the peak."
    );
    assert_eq!(parts.len(), 2);
}

/// Losses are counts, told first; none on both sides is not told.
#[test]
fn losses_are_told_as_counts() {
    let some = figure("lost", FigureUnit::Count, &[0.0], &[918.0]);
    let none = figure("lost", FigureUnit::Count, &[0.0], &[0.0]);

    assert!(said(&[none]).is_empty());
    assert!(
        said(&[some])[0]
            .1
            .starts_with("mosquitto lost 918 deliveries and squall none. With one run each")
    );
}

/// Processor use alone is told only of sides that carried the same load.
#[test]
fn processor_use_is_told_of_one_load_alone() {
    let cores = || figure("broker_cpu.avg", FigureUnit::Cores, &[0.1], &[0.5]);
    let rate = |other: f64| figure("delivery_rate", FigureUnit::PerSecond, &[1_000.0], &[other]);

    assert!(said(&[cores(), rate(1_001.0)])[0].1.starts_with(
        "mosquitto used 5.00 times squall's processor time (0.50 cores against 0.10 cores)."
    ));
    assert!(said(&[cores(), rate(1_900.0)])[0].1.starts_with(
        "mosquitto delivered 90.0 % more messages than squall (1,900/s against 1,000/s)."
    ));
    assert!(said(&[cores()]).is_empty());
    let idle = figure("broker_cpu.avg", FigureUnit::Cores, &[0.0], &[0.0]);
    assert!(said(&[idle, rate(1_001.0)]).is_empty());
}

/// Of several groups the slowest is told; sides with runs of other numbers are told with theirs.
#[test]
fn the_slowest_group_is_told_and_how_many_runs() {
    let figures = [
        figure(
            "e2e_latency{group=f,qos=0}.p99",
            FigureUnit::Micros,
            &[10.0],
            &[90.0, 91.0],
        ),
        figure(P99, FigureUnit::Micros, &[9_000.0], &[3_000.0, 3_000.0]),
    ];

    assert_eq!(
        said(&figures)[0].1,
        "squall's end-to-end latency p99 of g QoS 1 was 3.00 times mosquitto's (9.00 ms against 3.00 ms). With one run of \
         squall and two runs of mosquitto, noise is unknown: this may be chance."
    );
}

/// Of any numbers: as a fact is told only what the interval of the figure calls different.
#[test]
fn a_fact_is_what_the_interval_calls_different() {
    for other in [1.0, 1.02, 1.1, 1.5, 3.0, 40.0] {
        for noise in [0.001, 0.02, 0.2, 0.6] {
            let runs = [1.0, 1.0 + noise, 1.0 - noise, 1.0 + noise / 3.0];
            let figure = figure(
                CPU,
                FigureUnit::Seconds,
                &runs,
                &runs.map(|run| run * other),
            );
            let finding = figure.differences[0].as_ref().unwrap().finding;

            let has_fact = said(&[figure])
                .iter()
                .any(|(certainty, _)| *certainty == Certainty::BeyondNoise);

            assert_eq!(has_fact, finding.is_beyond_noise(), "{other} {noise}");
        }
    }
}
