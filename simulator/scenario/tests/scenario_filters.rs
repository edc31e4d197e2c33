//! Topic Filters of one device: each of them once.

use squall_scenario::Scenario;

/// What is wrong with `keys` of a group of six devices; empty if nothing is.
fn errors(keys: &str) -> String {
    let text = format!(
        "version = 1\nname = \"test\"\n[[group]]\nname = \"g\"\ncount = 6\n[[group.publish]]\ntopic = \"t/a\"\n\
         every = \"1s\"\n{keys}\n"
    );
    match Scenario::parse("test.toml", &text, &[]) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

/// A block that subscribes to `filter`.
fn subscribe(filter: &str) -> String {
    format!("[[group.subscribe]]\nfilter = {filter}\nqos = 1\n")
}

/// A block that answers what comes on `filter`.
fn respond(filter: &str, qos: u8) -> String {
    format!("[[group.respond]]\nfilter = {filter}\nqos = {qos}\ntopic = \"r\"\n")
}

/// The broker would replace the first subscription by the second: it is refused where the second stands, also where two
/// texts are one filter with some device only.
#[test]
fn a_filter_that_a_device_has_twice_is_refused() {
    for (keys, place, said) in [
        (
            subscribe("\"t/+\"") + &subscribe("\"t/+\""),
            "13:10",
            "device \"g-0\" subscribes to \"t/+\" twice",
        ),
        (
            subscribe("[\"a\", \"b\", \"a\"]"),
            "10:21",
            "subscribes to \"a\" twice",
        ),
        (
            subscribe("\"t/{index}\"") + &subscribe("\"t/4\""),
            "13:10",
            "device \"g-4\" subscribes to \"t/4\" twice",
        ),
        (
            subscribe("\"t/{client_id}\"") + &subscribe("\"t/{group}-{index}\""),
            "13:10",
            "device \"g-0\" subscribes to \"t/g-0\" twice",
        ),
        (
            subscribe("\"$share/s/t\"") + &subscribe("\"$share/s/t\""),
            "13:10",
            "twice",
        ),
        (
            subscribe("\"t/+\"") + &respond("\"t/+\"", 1),
            "13:10",
            "the `[[group.respond]]` alone, which subscribes",
        ),
        (
            respond("\"t/+\"", 1) + &respond("\"t/+\"", 2),
            "14:10",
            "the same `qos` in both",
        ),
    ] {
        let errors = errors(&keys);

        assert!(errors.contains(said), "{keys}: {errors}");
        assert!(errors.contains("[MQTT-3.8.4-3]"), "{keys}: {errors}");
        assert!(
            errors.contains(&format!("test.toml:{place}")),
            "{keys}: {errors}"
        );
        assert_eq!(errors.matches("twice").count(), 1, "{keys}: {errors}");
    }
}

/// Filters that match the same messages are different subscriptions, a shared one is not the one without, and two blocks may
/// answer what one subscription brings.
#[test]
fn filters_that_differ_stand_side_by_side() {
    for keys in [
        subscribe("[\"t/+\", \"t/a\", \"t/#\"]"),
        subscribe("\"t/a\"") + &subscribe("\"$share/s/t/a\"") + &subscribe("\"$share/z/t/a\""),
        subscribe("\"t/{index}\"") + &subscribe("\"t/6\""),
        respond("\"t/+\"", 1) + &respond("\"t/+\"", 1),
    ] {
        assert_eq!(errors(&keys), "", "{keys}");
    }
}

/// A filter that is wrong is told as that, and not as another one's double.
#[test]
fn filters_that_are_wrong_are_not_called_the_same() {
    let errors = errors(&(subscribe("\"{a}\"") + &subscribe("\"{b}\"")));

    assert!(!errors.contains("twice"), "{errors}");
    assert_eq!(errors.matches("error:").count(), 2, "{errors}");
}
