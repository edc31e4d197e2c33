//! What clients log in with: from templates, environment variables and CSV files, and shown nowhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use squall_scenario::{FileUnreadable, Override, Scenario, ScenarioErrors, Surroundings};

/// One variable and one file.
struct Around;

impl Surroundings for Around {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "PASS").then(|| "of{the}variable".to_owned())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        match path {
            "users.csv" => Ok(b"note,username,password\nx,ann,of-ann\ny,bob,of-bob\n".to_vec()),
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

fn parse(text: &str) -> Result<Scenario, ScenarioErrors> {
    parse_with(text, &[])
}

fn parse_with(text: &str, overrides: &[&str]) -> Result<Scenario, ScenarioErrors> {
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    let text = format!("version = 1\nname = \"test\"\n{text}");
    Scenario::parse_bytes("test.toml", text.as_bytes(), &overrides, &Around)
}

/// What the devices of group `group` log in with, as `user:password`, `-` for none.
fn logins(scenario: &Scenario, group: usize) -> Vec<String> {
    let group = &scenario.groups[group];
    let text = |bytes: Option<Vec<u8>>| match bytes {
        Some(bytes) => String::from_utf8(bytes).unwrap(),
        None => "-".to_owned(),
    };
    (0..group.count)
        .map(|index| {
            let login = group.login.of(index, &group.client_id_of(index));
            let user_name = text(login.user_name.map(String::into_bytes));
            format!("{user_name}:{}", text(login.password))
        })
        .collect()
}

fn group(keys: &str) -> String {
    format!("[[group]]\nname = \"g\"\ncount = 2\n{keys}\n")
}

/// The report of what is wrong with `text`.
fn refused(text: &str) -> String {
    parse(text).expect_err("it is wrong").to_string()
}

/// A group logs in as it says, each device with a text of its own; else as `[target]` says; else not at all.
#[test]
fn a_group_logs_in_as_it_says_or_as_the_target_says() {
    let own = group("username = \"u-{index}\"\npassword = \"{{{client_id}}}\"");
    let by_variable = group("password = { env = \"PASS\" }");
    let listed = group("credentials = { csv = \"users.csv\" }");
    let target = "[target]\nusername = \"all\"\npassword = \"s3cret\"\n";

    let none = parse(&group("")).unwrap();
    let scenario = |text: &str| parse(&format!("{target}{text}")).unwrap();

    assert_eq!(logins(&none, 0), ["-:-", "-:-"]);
    assert_eq!(logins(&scenario(&group("")), 0), ["all:s3cret"; 2]);
    assert_eq!(logins(&scenario(&own), 0), ["u-0:{g-0}", "u-1:{g-1}"]);
    assert_eq!(logins(&scenario(&by_variable), 0), ["-:of{the}variable"; 2]);
    assert_eq!(logins(&scenario(&listed), 0), ["ann:of-ann", "bob:of-bob"]);
}

/// squall's own clients have the login of `[target]`, else that of the first group that has one.
#[test]
fn own_clients_log_in_as_the_target_says_or_as_a_group_does() {
    let group = group("username = \"of-group\"");

    let of_group = parse(&group).unwrap();
    let of_target = parse(&format!("[target]\nusername = \"of-target\"\n{group}")).unwrap();

    let user_name = |scenario: &Scenario| scenario.own_login().of(0, "id").user_name;
    assert_eq!(user_name(&of_group).as_deref(), Some("of-group"));
    assert_eq!(user_name(&of_target).as_deref(), Some("of-target"));
}

/// What a resolved scenario shows of a login: where it comes from, and never a password.
#[test]
fn a_resolved_scenario_shows_no_password() {
    let text = format!(
        "[target]\nurl = \"mqtt://h\"\nusername = \"all\"\npassword = \"s3cret\"\n{}{}{}",
        group("username = \"u\"\npassword = \"s3cret-{index}\""),
        group("password = { env = \"PASS\" }").replace("\"g\"", "\"h\""),
        group("credentials = { csv = \"users.csv\" }").replace("\"g\"", "\"i\""),
    );

    let resolved = parse(&text).unwrap().to_resolved_toml();

    for shown in [
        "username = \"all\"",
        "password = \"***\"",
        "password = { env = \"PASS\" }",
        "credentials = { csv = \"users.csv\" }",
    ] {
        assert!(resolved.contains(shown), "{resolved}");
    }
    for hidden in ["s3cret", "of{the}variable", "of-ann"] {
        assert!(!resolved.contains(hidden), "{resolved}");
    }
    let version = resolved.trim_start_matches("version = 1\n");
    assert!(parse(&version.replace("name = \"test\"\n", "")).is_ok());
}

/// Whatever is wrong with a login, the report says what and where, and shows no password.
#[test]
fn what_is_wrong_with_a_login_is_said_without_it() {
    let cases = [
        (
            group("password = \"s3cret{x}\""),
            "a brace in a password does not begin a placeholder",
        ),
        (
            group("password = \"s3cret{\""),
            "a brace in a password does not begin a placeholder",
        ),
        (group("pasword = \"s3cret\""), "did you mean `password`?"),
        (group("password = [\"s3cret\"]"), "expected"),
        (group("password = \"s3cret\" x"), "error"),
        (
            group("protocol = \"3.1.1\"\npassword = \"s3cret\""),
            "`username` is needed for `password` in MQTT 3.1.1",
        ),
        (
            group("username = \"u\"\npassword = \"s3cret\"\ncredentials = { csv = \"users.csv\" }"),
            "`password` goes with a group without `credentials` only",
        ),
        (
            format!("[target]\npassword = \"s3cret\"\n{}", group("")),
            "`username` is needed for `password` in `[target]`",
        ),
        (
            format!("[target]\nurl = \"mqtt://u:s3cret@h\"\n{}", group("")),
            "a url takes no user name and no password",
        ),
        (
            group("password = { env = \"NONE\" }"),
            "the environment variable \"NONE\" is not set",
        ),
        (
            group("credentials = { csv = \"none.csv\" }"),
            "/home/none.csv: no such file",
        ),
        (
            group("credentials = { csv = \"users.csv\" }").replace("= 2", "= 3"),
            "it has 2 rows, and the group 3 devices",
        ),
    ];
    for (text, expected) in cases {
        let report = refused(&text);

        assert!(report.contains(expected), "{report}");
        assert!(!report.contains("s3cret"), "{report}");
    }
}

/// A password on the command line is as secret as one in the file.
#[test]
fn a_password_that_is_set_is_not_shown() {
    let errors = parse_with(&group(""), &["group.g.password=s3cret {x} y"]);

    let report = errors.expect_err("it is wrong").to_string();
    assert!(report.contains("--set:1:"), "{report}");
    assert!(
        !report.contains("s3cret") && !report.contains(" y"),
        "{report}"
    );
}
