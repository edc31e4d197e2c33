//! Benches held against earlier ones: made-up figures, as their files have them.

use super::*;
use crate::bench::sample::{bench, suite, target};
use crate::bench::{Repeat, TargetResult};
use crate::{Chosen, Worsening, worsenings};

fn json(result: &impl serde::Serialize) -> String {
    serde_json::to_string(result).unwrap()
}

/// What became of the processor time from `base` to `new`.
fn of_cpu(base: &[f64], new: &[f64], written: &str) -> Worsening {
    let chosen: Chosen = written.parse().unwrap();
    let base = bench(vec![target("squall", base)]);
    let loads = [Load::of(base.about.clone())];
    let baseline = Baseline::of(&json(&base), &loads, &["squall".to_owned()]).unwrap();

    let new = bench(vec![target("squall", new)]);
    let chosen = [chosen];
    let (figures, _) = baseline.against(&json(&new), &chosen).unwrap();

    worsenings(&figures, &chosen)[0].1
}

/// Noise and margin both have to be left, and with one trial the margin decides alone.
#[test]
fn a_figure_is_worse_beyond_noise_and_margin() {
    let (key, base, worse) = (
        "broker_cpu_us_per_message",
        [0.20, 0.21, 0.20],
        [0.40, 0.41, 0.40],
    );

    assert_eq!(of_cpu(&base, &worse, key), Worsening::Worse);
    assert_eq!(of_cpu(&worse, &base, key), Worsening::NotWorse);
    assert_eq!(of_cpu(&base, &[0.21, 0.20, 0.21], key), Worsening::NotWorse);
    assert_eq!(of_cpu(&base[..1], &worse, key), Worsening::Unknown);
    assert_eq!(
        of_cpu(&base[..1], &worse[..1], &format!("{key} > 10%")),
        Worsening::WorseThanMargin
    );
    assert_eq!(
        of_cpu(&base, &worse, &format!("{key} > 300%")),
        Worsening::NotWorse
    );
}

/// A suite has each of its benches, and a bench finds its own row in it.
#[test]
fn a_bench_is_found_in_a_suite() {
    let one = bench(vec![target("squall", &[0.2, 0.2])]);
    let all = suite(vec![target("squall", &[0.2, 0.2]), target("nats", &[0.8])]);

    let baseline = Baseline::of(
        &json(&all),
        &[Load::of(one.about.clone())],
        &["squall".to_owned(), "mosquitto".to_owned()],
    );
    let baseline = baseline.unwrap();

    assert!(
        baseline
            .choosable()
            .iter()
            .any(|one| one.key == "broker_cpu_us_per_message{target=squall}"),
        "{:?}",
        baseline.choosable()
    );
    let (figures, notes) = baseline.against(&json(&one), &[]).unwrap();
    assert!(!figures.is_empty());
    assert_eq!(
        notes,
        [
            "the baseline has no mosquitto with `pairs 100 to 100, QoS 0, 16 B, window 256, MQTT 3.1.1`"
        ]
    );
}

/// Another load is not compared, nor another target, nor another kind of file.
#[test]
fn what_is_not_the_same_is_refused() {
    let one = bench(vec![target("squall", &[0.2])]);
    let mut other = one.clone();
    other.about.qos = 1;
    let names = ["squall".to_owned()];
    let of = |text: &str, about: &About, names: &[String]| {
        let refused = Baseline::of(text, &[Load::of(about.clone())], names).err();
        refused.expect("it is refused").to_string()
    };

    let error = of(&json(&one), &other.about, &names);
    assert!(
        error.starts_with("it has no `pairs 100 to 100, QoS 1"),
        "{error}"
    );
    let error = of(&json(&one), &one.about, &["nats".to_owned()]);
    assert_eq!(error, "it has no target nats; it has squall");
    let error = of("{\"version\": 2}", &one.about, &names);
    assert!(error.contains("suite.json"), "{error}");
}

/// A target without a trial, or that is not there, has the figures of the baseline as not measured.
#[test]
fn a_target_that_was_not_measured_is_told() {
    let base = bench(vec![target("squall", &[0.2]), target("nats", &[0.8])]);
    let loads = [Load::of(base.about.clone())];
    let names = ["squall".to_owned(), "nats".to_owned()];
    let baseline = Baseline::of(&json(&base), &loads, &names).unwrap();
    let chosen: [Chosen; 1] = ["broker_cpu_us_per_message{target=nats}".parse().unwrap()];

    for new in [vec![target("nats", &[])], vec![target("squall", &[0.2])]] {
        let (figures, _) = baseline.against(&json(&bench(new)), &chosen).unwrap();
        assert_eq!(worsenings(&figures, &chosen)[0].1, Worsening::NotMeasured);
    }
}

/// A note is told once, however many targets and rows it is about.
#[test]
fn a_note_is_told_once() {
    let both = vec![target("squall", &[0.2]), target("nats", &[0.8])];
    let base = bench(both.clone());
    let mut new = base.clone();
    (new.about.cores, new.about.pinned) = (64, false);
    let loads = [Load::of(base.about.clone())];
    let names = ["squall".to_owned(), "nats".to_owned()];
    let baseline = Baseline::of(&json(&base), &loads, &names).unwrap();

    let (_, notes) = baseline.against(&json(&new), &[]).unwrap();

    assert_eq!(notes.len(), 2, "{notes:?}");
}

/// Another machine is told.
#[test]
fn another_machine_is_told() {
    let base = bench(vec![target("squall", &[0.2])]);
    let mut new = base.clone();
    (new.about.cores, new.about.pinned) = (64, false);
    let loads = [Load::of(new.about.clone())];
    let baseline = Baseline::of(&json(&base), &loads, &["squall".to_owned()]).unwrap();

    let (_, notes) = baseline.against(&json(&new), &[]).unwrap();

    assert!(notes[0].contains("another machine"), "{notes:?}");
    assert!(notes[1].contains("--pin"), "{notes:?}");
}

/// A search is compared by the rate that held, wherever it began.
#[test]
fn searches_are_compared_by_what_held() {
    let search = |held: f64, first: f64| {
        let mut about = bench(Vec::new()).about;
        (about.window, about.rate) = (None, Some(first));
        let mut json = serde_json::to_value(&about).unwrap();
        json["find_max"] = "p99 < 10ms".into();
        json["targets"] = serde_json::json!([
            { "name": "squall", "repeats": [{ "held_per_s": held }, { "error": "it died" }] }
        ]);
        (
            Load::of(about).with_bound("p99 < 10ms".to_owned()),
            json.to_string(),
        )
    };
    let (_, base) = search(50_000.0, 1000.0);
    let (load, new) = search(20_000.0, 2000.0);
    let chosen: [Chosen; 1] = ["held_per_s > 20%".parse().unwrap()];

    let baseline = Baseline::of(&base, &[load], &["squall".to_owned()]).unwrap();
    let (figures, _) = baseline.against(&new, &chosen).unwrap();

    assert_eq!(
        worsenings(&figures, &chosen)[0].1,
        Worsening::WorseThanMargin
    );
}

/// Trials in which others had the generator's processor are not held against a broker, on neither side.
#[test]
fn trials_that_were_held_up_are_left_out() {
    let held_up = |mut target: TargetResult, places: &[usize]| {
        for place in places {
            if let Repeat::Measured(figures) = &mut target.repeats[*place] {
                figures.generator_waited = Some(0.4);
            }
        }
        target
    };
    let base = bench(vec![held_up(target("squall", &[9.0, 0.2, 0.2]), &[0])]);
    let new = |places: &[usize]| {
        let target = held_up(target("squall", &[0.2, 0.9, 0.2]), places);
        let loads = [Load::of(base.about.clone())];
        let baseline = Baseline::of(&json(&base), &loads, &["squall".to_owned()]).unwrap();
        let chosen: [Chosen; 1] = ["broker_cpu_us_per_message".parse().unwrap()];
        let (figures, notes) = baseline
            .against(&json(&bench(vec![target])), &chosen)
            .unwrap();
        (
            worsenings(&figures, &chosen)[0].1,
            figures[0].sides.clone(),
            notes,
        )
    };

    let (worsening, _, notes) = new(&[1]);
    assert_eq!(worsening, Worsening::NotWorse);
    assert_eq!(
        notes,
        [
            "left out of the baseline: 1 of 3 trials, since other processes held their generator up",
            "left out of what was measured now: 1 of 3 trials, since other processes held their generator up"
        ]
    );
    assert_eq!(new(&[0, 1, 2]).0, Worsening::NotMeasured);

    let none = bench(vec![held_up(target("squall", &[0.2, 0.2]), &[0, 1])]);
    let loads = [Load::of(base.about.clone())];
    let error = Baseline::of(&json(&none), &loads, &["squall".to_owned()]).err();
    assert_eq!(error, Some(BaselineError::HeldUp));
}

/// A rate at which the generator was the limit says nothing of a broker that held a higher one.
#[test]
fn a_search_that_the_broker_did_not_end_is_not_worse() {
    let search = |held: f64, is_at_least: bool| {
        let about = bench(Vec::new()).about;
        let mut value = serde_json::to_value(about).unwrap();
        value["find_max"] = "p99 < 5ms".into();
        value["targets"] = serde_json::json!([{
            "name": "squall",
            "repeats": [{ "held_per_s": held, "is_at_least": is_at_least }, { "held_per_s": held, "is_at_least": is_at_least }],
        }]);
        value.to_string()
    };
    let against = |base: (f64, bool), new: (f64, bool)| {
        let load = Load::of(bench(Vec::new()).about).with_bound("p99 < 5ms".to_owned());
        let text = search(base.0, base.1);
        let baseline = Baseline::of(&text, &[load], &["squall".to_owned()]).unwrap();
        let (figures, notes) = baseline.against(&search(new.0, new.1), &[]).unwrap();
        (worsenings(&figures, &[])[0].1, notes.len())
    };

    assert_eq!(against((1000.0, false), (500.0, false)).0, Worsening::Worse);
    assert_eq!(against((1000.0, true), (500.0, false)).0, Worsening::Worse);
    assert_eq!(
        against((1000.0, false), (500.0, true)),
        (Worsening::NotMeasured, 1)
    );
    assert_eq!(
        against((1000.0, false), (2000.0, true)),
        (Worsening::NotWorse, 0)
    );
}

/// A file that ends in the middle is told from one of another kind.
#[test]
fn a_file_that_is_cut_off_is_told() {
    let whole = json(&bench(vec![target("squall", &[0.2])]));
    let loads = [Load::of(bench(Vec::new()).about)];
    let of = |text: &str| Baseline::of(text, &loads, &["squall".to_owned()]).err();

    let cut = of(&whole[..whole.len() / 2]).unwrap().to_string();
    assert!(cut.starts_with("it is cut off at line 1, column"), "{cut}");
    let other = of("{\"a\": 1}").unwrap().to_string();
    assert!(other.starts_with("it is not what"), "{other}");
}
