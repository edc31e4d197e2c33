//! Cells and the notes that they point to, and the page made of them.

use squall_run::bench::sample::{suite, target};

use super::*;

fn failed(target: &mut TargetResult, error: &str, code: u8) {
    target.repeats.push(Repeat::Failed {
        error: error.to_owned(),
        exit_code: code,
    });
}

/// The row of pairs in the table of processor time.
fn of_cpu(suite: &Suite) -> (Vec<Cell>, Vec<String>) {
    let tables = Tables::of(suite);
    let table = tables.tables.iter().find(|table| table.id == "cpu");
    (table.unwrap().rows[0].1.clone(), tables.notes)
}

/// A cell has the median and both ends.
#[test]
fn a_cell_has_the_median_and_both_ends() {
    let (cells, notes) = of_cpu(&suite(vec![target("squall", &[0.3, 0.2, 0.25])]));

    assert_eq!(cells[0].text, "0.250");
    assert_eq!(cells[0].range.as_deref(), Some("0.200 … 0.300"));
    assert!(notes.is_empty(), "{notes:?}");
}

/// What a target lacks, what it died of, and what was lost are told at the cell, and a failure does not hide the other trials.
#[test]
fn cells_point_to_what_must_be_known() {
    let mut lacking = target("nats", &[]);
    lacking.repeats.push(Repeat::Skipped {
        skipped: vec!["nats has no QoS 2".to_owned()],
    });
    let mut dead = target("mortal", &[]);
    failed(&mut dead, "it ended by itself", 3);
    failed(&mut dead, "it ended by itself", 3);
    let mut half = target("half", &[0.4, 0.5]);
    failed(&mut half, "it was silent", 3);
    if let Repeat::Measured(figures) = &mut half.repeats[0] {
        figures.account.lost = 7;
        (figures.generator_cores, figures.broker_cores) = (0.99, Some(0.3));
    }

    let (cells, notes) = of_cpu(&suite(vec![lacking, dead, half]));

    let of = |cell: &Cell| -> Vec<&str> {
        cell.notes
            .iter()
            .map(|place| notes[place - 1].as_str())
            .collect()
    };
    assert_eq!(
        (cells[0].text.as_str(), cells[0].kind),
        ("–", CellKind::None)
    );
    assert_eq!(of(&cells[0]), ["nats: nats has no QoS 2."]);
    assert_eq!(
        (cells[1].text.as_str(), cells[1].kind),
        ("failed", CellKind::Failed)
    );
    assert_eq!(
        of(&cells[1]),
        ["mortal, pairs-qos0, repeat 1 (1 more of its repeats failed): it ended by itself"]
    );
    assert_eq!(cells[2].text, "0.450");
    let told = of(&cells[2]);
    assert!(told[0].contains("repeat 3: it was silent"), "{told:?}");
    assert!(
        told[1].starts_with("The generator was the limit"),
        "{told:?}"
    );
    assert!(
        told[2].contains("7 of 1,000,007 deliveries were lost"),
        "{told:?}"
    );
}

/// Where system calls could not be counted the cell says so, and the note what would help.
#[test]
fn a_missing_figure_says_why() {
    let mut one = target("squall", &[0.2]);
    if let Repeat::Measured(figures) = &mut one.repeats[0] {
        figures.broker_syscalls_per_message = None;
        figures.broker_syscalls_missing = Some("mount it".to_owned());
    }

    let tables = Tables::of(&suite(vec![one]));

    let calls = tables
        .tables
        .iter()
        .find(|table| table.id == "system-calls");
    let cell = &calls.unwrap().rows[0].1[0];
    assert_eq!((cell.text.as_str(), cell.kind), ("–", CellKind::None));
    assert_eq!(tables.notes[cell.notes[0] - 1], "mount it");
}

/// What is said of how it was measured is so of each target: one with a URL ran already, elsewhere maybe.
#[test]
fn the_method_is_that_of_each_target() {
    let of = |names: &[&str]| {
        method(&suite(
            names.iter().map(|name| target(name, &[0.2])).collect(),
        ))
    };
    let (started, running) = ("squall", "wss://broker.example:8443/mqtt");

    let told = of(&[started]);
    assert!(told.contains("Each trial is on a fresh broker"), "{told}");
    let told = of(&[running]);
    assert!(!told.contains("fresh") && !told.contains("TCP"), "{told}");
    assert!(!told.contains("on one machine"), "{told}");
    let mut file = suite(vec![target("theirs.toml", &[0.2])]);
    for repeat in &mut file.rows[0].result.targets[0].repeats {
        if let Repeat::Measured(figures) = repeat {
            figures.broker_cores = None;
        }
    }
    let told = method(&file);
    assert!(told.contains("theirs.toml ran before the suite"), "{told}");
    let told = of(&[started, running]);
    assert!(
        told.contains("Each trial of squall is on a fresh"),
        "{told}"
    );
    assert!(told.contains(&format!("{running} ran before")), "{told}");
}

/// A stall is told as what it is: one publisher's.
#[test]
fn stalls_are_those_of_publishers() {
    let mut one = target("squall", &[0.2, 0.3]);
    for repeat in &mut one.repeats {
        if let Repeat::Measured(figures) = repeat {
            figures.stalls = 2;
        }
    }

    let (_, notes) = of_cpu(&suite(vec![one]));

    assert_eq!(
        notes[0],
        "squall, pairs-qos0: publishers had no delivery for 2 s, 4 times; they went on with new messages."
    );
}

/// Clients that only connect have a table of their own.
#[test]
fn connections_have_their_own_table() {
    let tables = Tables::of(&suite(vec![target("squall", &[25.0])]));

    let ids: Vec<&str> = tables.tables.iter().map(|table| table.id).collect();
    assert_eq!(
        ids,
        [
            "cpu",
            "connections",
            "delivered",
            "p99",
            "switches",
            "system-calls"
        ]
    );
    let rows = &tables.tables[1].rows;
    assert_eq!(rows[0].0, "RSS per idle connection, bytes");
    assert_eq!(rows[0].1[0].text, "512");
    assert_eq!(rows[1].1[0].text, "25.0");
}

/// The page and its Markdown have every figure, version, command and note; nothing is fetched, no id is there twice, and what a
/// broker printed cannot become markup or break a table.
#[test]
fn the_page_has_all_and_fetches_nothing() {
    let mut dead = target("mor|tal", &[]);
    failed(&mut dead, "it printed last:\n<img src=x>", 3);
    let suite = suite(vec![target("squall", &[0.3, 0.2, 0.25]), dead]);

    let page = crate::html::bench_suite_page(&suite);
    let markdown = markdown_text(&suite);

    for needed in ["0.250", "squall 1.2.3", "--pin", "2026-11-29"] {
        assert!(page.contains(needed), "{needed}");
        assert!(markdown.contains(needed), "{needed}\n{markdown}");
    }
    assert!(page.contains("<span>bench</span> <span>conn</span>"));
    assert!(markdown.contains("`squall bench conn`"), "{markdown}");
    for forbidden in ["http://", "https://", "src=\"", "<script", "<link", "<img"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(
        markdown.contains("| pairs 100 to 100, QoS 0 | 0.250 (0.200 … 0.300) | failed [1] |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| workload | squall | mor\\|tal |"),
        "{markdown}"
    );
    assert!(markdown.contains("it printed last: / <img"), "{markdown}");
}
