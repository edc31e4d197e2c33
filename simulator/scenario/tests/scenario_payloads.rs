//! What messages carry: sizes from a distribution, bytes, and stamps beside them.

use squall_scenario::{
    Content, FileUnreadable, Payload, Plan, Scenario, ScenarioErrors, Surroundings,
};

/// A device that publishes once a second over a link of 64 kbit/s.
fn parse(payload: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!(
        "version = 1\nname = \"test\"\n[[network]]\nname = \"thin\"\nbandwidth = {{ up = \"64kbit/s\" }}\n\
         [[group]]\nname = \"g\"\ncount = 2\nnetwork = \"thin\"\n\
         [[group.publish]]\ntopic = \"t/{{index}}\"\nevery = \"1s\"\npayload = {payload}\n"
    );
    Scenario::parse("test.toml", &text, &[])
}

const LOGNORMAL: &str = "{ size = { dist = \"lognormal\", median = \"200B\", p99 = \"4KiB\" } }";

/// Without bounds of its own a distribution has room for the stamp, and no tail that fills a broker.
#[test]
fn a_distribution_of_sizes_has_bounds_by_default() {
    let scenario = parse(LOGNORMAL).unwrap();

    let Content::Composed(Payload::Size(sizes)) = &scenario.groups[0].publishes[0].payload else {
        panic!("sizes");
    };
    assert_eq!((sizes.min.0, sizes.max.0), (16, 1024 * 1024));
}

/// What is printed with every default reads back as the same scenario.
#[test]
fn sizes_are_written_out_and_read_back() {
    for payload in [
        LOGNORMAL,
        "{ size = { dist = \"constant\", value = \"64B\" } }",
        "{ size = { dist = \"uniform\", min = \"20B\", max = \"2KiB\" } }",
        "{ size = { dist = \"normal\", mean = \"200B\", std_dev = \"50B\", max = \"300B\" } }",
        "{ size = { dist = \"exponential\", mean = \"200B\", min = \"100B\" } }",
        "{ size = { dist = \"pareto\", min = \"100B\", alpha = 1.5 } }",
        "{ size = { dist = \"empirical\", values = [\"40B\", \"2KiB\"], weights = [0.9, 0.1] } }",
    ] {
        let scenario = parse(payload).unwrap_or_else(|errors| panic!("{errors}"));

        let text = scenario.to_resolved_toml();

        let again = Scenario::parse("again.toml", &text, &[]);
        assert_eq!(again, Ok(scenario), "{payload}\n{text}");
    }
}

/// Without a stamp a payload may be as small, on any protocol.
#[test]
fn no_stamp_leaves_the_size_free() {
    let scenario = parse_beside("payload = { size = \"0B\" }\nstamp = \"none\"", "3.1.1");

    let text = scenario.as_ref().unwrap().to_resolved_toml();
    assert!(text.contains("stamp = \"none\""), "{text}");
    assert_eq!(Scenario::parse("again.toml", &text, &[]), scenario);
}

/// Each is refused where it stands, with what would do.
#[test]
fn sizes_that_cannot_be_are_refused() {
    for (sizes, said) in [
        (
            "{ dist = \"uniform\", min = \"8B\", max = \"64B\" }",
            "8B is out of range, it must be 16B",
        ),
        (
            "{ dist = \"uniform\", min = \"64B\", max = \"64B\" }",
            "above 64B",
        ),
        (
            "{ dist = \"lognormal\", median = \"4KiB\", p99 = \"200B\" }",
            "above 4KiB",
        ),
        (
            "{ dist = \"lognormal\", median = \"2MiB\", p99 = \"4MiB\" }",
            "half of the sizes are below 2MiB, and the bounds are 16B and 1MiB",
        ),
        (
            "{ dist = \"exponential\", mean = \"1KiB\", min = \"2KiB\", max = \"1KiB\" }",
            "the smallest size, 2KiB, is above the largest, 1KiB",
        ),
        (
            "{ dist = \"normal\", mean = \"20B\", std_dev = \"10B\" }",
            "often negative",
        ),
        (
            "{ dist = \"lognormal\", median = \"20ms\", p99 = \"4KiB\" }",
            "B, KB, KiB",
        ),
    ] {
        let errors = parse(&format!("{{ size = {sizes} }}")).unwrap_err();

        assert!(errors.to_string().contains(said), "{sizes}: {errors}");
    }
}

/// A link is measured by the mean of the sizes: the median alone would fit.
#[test]
fn a_link_must_carry_the_mean_of_the_sizes() {
    let fits = parse("{ size = { dist = \"lognormal\", median = \"6KiB\", p99 = \"8KiB\" } }");
    let beyond = parse("{ size = { dist = \"lognormal\", median = \"6KiB\", p99 = \"128KiB\" } }");

    let plan = Plan::of(&fits.unwrap());
    let bits = plan.groups[0].streams[0].bits_per_second;
    assert!((49_000.0..51_000.0).contains(&bits), "{bits}");
    let errors = beyond.unwrap_err().to_string();
    assert!(
        errors.contains("bit/s and network \"thin\" carries 64000 bit/s up"),
        "{errors}"
    );
}

/// One file beside the scenario.
struct Around;

impl Surroundings for Around {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        match path {
            "reading.bin" => Ok(vec![1, 255, 0]),
            _ => Err(FileUnreadable {
                cause: format!("/home/{path}: no such file"),
            }),
        }
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        let cause = format!("{name}: there are no targets here");
        Err(FileUnreadable { cause })
    }
}

/// A publisher with these `keys`, and a listener of `protocol`.
fn parse_beside(keys: &str, protocol: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!(
        "version = 1\nname = \"test\"\n[[group]]\nname = \"g\"\ncount = 2\n[[group.publish]]\ntopic = \"t\"\n\
         every = \"1s\"\n{keys}\n[[group]]\nname = \"old\"\ncount = 1\nprotocol = \"{protocol}\"\n\
         subscribe = [{{ filter = \"t\" }}]\n"
    );
    Scenario::parse_bytes("test.toml", text.as_bytes(), &[], &Around)
}

/// Bytes are those of the digits or of the file, and what is printed reads back as the same scenario.
#[test]
fn bytes_come_from_digits_and_from_files() {
    for payload in ["{ hex = \"01 FF00\" }", "{ file = \"reading.bin\" }"] {
        let scenario = parse_beside(&format!("payload = {payload}"), "5.0").unwrap();

        let Content::Composed(Payload::Bytes(fixed)) = &scenario.groups[0].publishes[0].payload
        else {
            panic!("bytes");
        };
        assert_eq!(*fixed.bytes, [1, 255, 0]);
        let text = scenario.to_resolved_toml();
        let again = Scenario::parse_bytes("again.toml", text.as_bytes(), &[], &Around);
        assert_eq!(again, Ok(scenario), "{text}");
    }
}

/// With its stamp in a property a payload may be smaller than a stamp.
#[test]
fn a_stamp_in_a_property_leaves_the_size_free() {
    let twelve = "payload = { size = \"12B\" }";

    assert!(parse_beside(twelve, "5.0").is_err());
    let scenario = parse_beside(&format!("{twelve}\nstamp = \"property\""), "5.0");

    let text = scenario.as_ref().unwrap().to_resolved_toml();
    assert!(text.contains("stamp = \"property\""), "{text}");
    assert_eq!(Scenario::parse("again.toml", &text, &[]), scenario);
}

/// Each is refused where it stands, with what would do.
#[test]
fn bytes_and_stamps_that_cannot_be_are_refused() {
    for (keys, protocol, said) in [
        (
            "payload = { hex = \"01f\" }",
            "5.0",
            "two digits from 0 to f",
        ),
        (
            "payload = { hex = \"0x01\" }",
            "5.0",
            "two digits from 0 to f",
        ),
        (
            "payload = { file = \"none.bin\" }",
            "5.0",
            "no payload from \"none.bin\": /home/none.bin: no such file",
        ),
        (
            "stamp = \"property\"",
            "3.1.1",
            "group \"old\" speaks MQTT 3.1.1, which has no User Properties",
        ),
        (
            "user_properties = { squall = \"x\" }",
            "5.0",
            "would be taken for a stamp",
        ),
        ("stamp = \"propery\"", "5.0", "did you mean"),
        (
            "stamp = \"none\"\nretain = true",
            "5.0",
            "a retained message without a stamp",
        ),
        (
            "stamp = \"none\"\nresponse_topic = \"r\"",
            "5.0",
            "a request without a stamp",
        ),
        (
            "stamp = \"none\"\npayload = \"offline\"\n[group.will]\ntopic = \"t\"",
            "5.0",
            "could not be told from the will of group \"g\"",
        ),
        (
            "stamp = \"none\"\n[[group.respond]]\nfilter = \"t\"\ntopic = \"answers\"",
            "5.0",
            "a `respond` of group \"g\" answers its messages",
        ),
    ] {
        let errors = parse_beside(keys, protocol).unwrap_err().to_string();

        assert!(errors.contains(said), "{keys}: {errors}");
    }
}

/// A device has one will, whose size is not drawn.
#[test]
fn a_will_has_one_size() {
    let text = "version = 1\nname = \"test\"\n[[group]]\nname = \"g\"\ncount = 1\n[group.will]\ntopic = \"w\"\n\
                payload = { size = { dist = \"uniform\", min = \"20B\", max = \"40B\" } }\n";

    let errors = Scenario::parse("test.toml", text, &[]).unwrap_err();

    assert!(errors.to_string().contains("one will"), "{errors}");
}

/// A command is split as a shell would, is written out and read back, and `plan` says what it is.
#[test]
fn a_command_is_written_out_and_read_back() {
    let scenario = parse("{ command = \"./gen.py --unit 'deg C'\" }").unwrap();

    let commands: Vec<_> = scenario.line_streams().collect();
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].command.words, ["./gen.py", "--unit", "deg C"]);
    assert_eq!(commands[0].group.name, "g");
    let text = scenario.to_resolved_toml();
    let again = Scenario::parse("again.toml", &text, &[]);
    assert_eq!(again, Ok(scenario.clone()), "{text}");
    let stream = &Plan::of(&scenario).groups[0].streams[0];
    assert_eq!(stream.command.as_deref(), Some("./gen.py --unit 'deg C'"));
}

/// What is not a command, and a command where there is no stream of messages, is refused where it stands.
#[test]
fn commands_that_cannot_be_are_refused() {
    let elsewhere = "\"x\"\n[group.birth]\ntopic = \"b\"\npayload = { command = \"./gen.py\" }";
    let will = "\"x\"\n[group.will]\ntopic = \"w\"\npayload = { command = \"./gen.py\" }";
    let respond = "\"x\"\n[[group.respond]]\nfilter = \"r\"\npayload = { command = \"./gen.py\" }";
    for (payload, said) in [
        ("{ command = \"\" }", "\"\" is not a command"),
        ("{ command = \"a 'b\" }", "is not a command"),
        (elsewhere, "of a `[[group.publish]]` alone"),
        (will, "of a `[[group.publish]]` alone"),
        (respond, "of a `[[group.publish]]` alone"),
    ] {
        let errors = parse(payload).unwrap_err().to_string();

        assert!(errors.contains(said), "{payload}: {errors}");
    }
}

/// Each command is a process: there are not more of them than a machine can be asked for.
#[test]
fn more_commands_than_a_run_may_have_are_refused_at_the_first_beyond() {
    let stream =
        "{ command = \"./gen.py\" }\n[[group.publish]]\ntopic = \"u\"\nevery = \"1s\"\npayload = ";
    let most = format!("{}{{ command = \"./gen.py\" }}", stream.repeat(9));
    let beyond = format!("{}{{ command = \"./gen.py\" }}", stream.repeat(10));

    let fits = parse(&most).unwrap();
    let errors = parse(&beyond).unwrap_err().to_string();

    assert_eq!(fits.line_streams().count(), 10);
    assert!(errors.contains("11 commands give payloads"), "{errors}");
}
