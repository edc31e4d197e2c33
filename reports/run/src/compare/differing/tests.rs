//! What follows from what, and names that tell settings apart.

use super::*;

fn settings(lines: &[(&str, &str)]) -> Settings {
    let lines = lines.iter();
    lines
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Two groups as squall writes them out for a version of MQTT.
fn of_version(version: &str, count: &str) -> Settings {
    let mut own = settings(&[("group.a.count", count), ("group.a.publish.0.rate", "1")]);
    for group in ["a", "b.c"] {
        own.insert(format!("group.{group}.protocol"), format!("\"{version}\""));
        if version == "5.0" {
            own.insert(format!("group.{group}.session_expiry"), "\"0s\"".to_owned());
            own.insert(
                format!("group.{group}.subscribe.0.no_local"),
                "false".to_owned(),
            );
        }
    }
    own
}

fn shown(rows: &[DifferingSetting]) -> Vec<(String, usize)> {
    let causes = DifferingSetting::causes(rows);
    causes
        .map(|(row, count)| (row.name.clone(), count))
        .collect()
}

/// What only 5.0 has follows from the version; what else differs stands for itself.
#[test]
fn what_only_5_0_has_follows_from_the_version() {
    let rows = rows_of_scenarios(&[of_version("5.0", "4"), of_version("3.1.1", "5")]);

    assert_eq!(
        shown(&rows),
        [("protocol".to_owned(), 6), ("group.a.count".to_owned(), 0)]
    );
    assert_eq!(
        rows[0].in_words(&rows),
        "protocol 3.1.1 instead of 5.0, and 6 settings that follow from it"
    );
    assert_eq!(rows[1].in_words(&rows), "group.a.count");
}

/// A key of 5.0 that differs between two sides of 5.0 follows from nothing.
#[test]
fn what_differs_between_sides_of_one_version_stands_for_itself() {
    let mut longer = of_version("5.0", "4");
    longer.insert("group.a.session_expiry".to_owned(), "\"9s\"".to_owned());

    let rows = rows_of_scenarios(&[of_version("5.0", "4"), of_version("3.1.1", "4"), longer]);

    assert_eq!(
        shown(&rows),
        [
            ("protocol".to_owned(), 5),
            ("group.a.session_expiry".to_owned(), 0)
        ]
    );
}

/// Groups that do not differ alike have a row each.
#[test]
fn each_group_that_differs_in_its_own_way_has_a_row() {
    let mut mixed = of_version("5.0", "4");
    mixed.insert("group.a.protocol".to_owned(), "\"3.1.1\"".to_owned());
    mixed.remove("group.a.session_expiry");
    mixed.remove("group.a.subscribe.0.no_local");
    let of_new = of_version("5.0", "4");
    let of_old = of_version("3.1.1", "4");

    let two = rows_of_scenarios(&[of_new.clone(), mixed.clone()]);
    let three = rows_of_scenarios(&[of_new, mixed, of_old]);

    // The other group speaks the same on both sides.
    assert_eq!(shown(&two), [("group.a.protocol".to_owned(), 2)]);
    assert_eq!(
        shown(&three),
        [
            ("group.a.protocol".to_owned(), 2),
            ("group.b.c.protocol".to_owned(), 2)
        ]
    );
}

/// Claims that are not made follow from what was changed for the target, and not without such a change.
#[test]
fn claims_follow_from_what_was_changed_for_the_target() {
    let base = settings(&[("expect.0.duplicated", "0"), ("expect.0.lost", "0")]);
    let mut changed = settings(&[("expect.0.lost", "0"), (CHANGED, "it lacks QoS 2")]);

    let told = rows_of_scenarios(&[base.clone(), changed.clone()]);
    changed.remove(CHANGED);
    let plain = rows_of_scenarios(&[base, changed]);

    assert_eq!(shown(&told), [(CHANGED.to_owned(), 1)]);
    // One that the user changed does not.
    let mut other = settings(&[("expect.0.lost", "5"), (CHANGED, "it lacks QoS 2")]);
    other.insert("expect.0.duplicated".to_owned(), "0".to_owned());
    let same = settings(&[("expect.0.duplicated", "0"), ("expect.0.lost", "0")]);
    let edited = rows_of_scenarios(&[same, other]);
    let names: Vec<String> = shown(&edited).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [CHANGED, "expect.0.lost"]);
    assert_eq!(shown(&plain), [("expect.0.duplicated".to_owned(), 0)]);
}

/// Names are as short as tells settings apart, and never the same.
#[test]
fn names_are_short_and_never_the_same() {
    let with = |target: &str, own: Settings| {
        let mut own = own;
        own.insert("target.use".to_owned(), target.to_owned());
        (target.to_owned(), own)
    };
    let new = || with("squall", of_version("5.0", "4"));
    let mut described = new();
    described
        .1
        .insert("description".to_owned(), "other words".to_owned());

    assert_eq!(
        told_apart(&[new(), with("nats", of_version("3.1.1", "4"))]),
        ["squall protocol=5.0", "nats protocol=3.1.1"]
    );
    assert_eq!(
        told_apart(&[new(), with("squall", of_version("5.0", "5"))]),
        ["group.a.count=4", "group.a.count=5"]
    );
    assert_eq!(told_apart(&[new(), described]), ["squall", "squall (2)"]);
}
