//! How a bench is let in: the options about users and TLS, as keys of `[target]`.

use squall_protocol::ReasonCode;
use squall_saturate::Client;
use squall_scenario::ScenarioErrors;
use squall_toml::quote::quote;
use squall_toml::report::Problem as _;

use crate::bench_args::BenchArgs;
use crate::connect_args::LoginArgs;
use crate::exit::Failure;
use crate::terminal_client::{self, PASSWORD_VARIABLE};
use crate::transport_advice;

/// The key of `[target]`.
const PASSWORD: &str = "password";

/// Lines of `[target]` in the scenario of a bench, one for each option that was given.
pub fn lines(args: &BenchArgs) -> Vec<String> {
    let path = |path: &std::path::PathBuf| quote(&path.to_string_lossy());
    let is_known = std::env::var_os(PASSWORD_VARIABLE).is_some();
    let password = match (&args.login.password, &args.login.user_name) {
        (Some(password), _) => Some(quote(password)),
        (None, Some(_)) => is_known.then(from_environment),
        (None, None) => None,
    };
    let keys = [
        ("username", args.login.user_name.as_deref().map(quote)),
        (PASSWORD, password),
        ("tls.ca", args.tls.ca.as_ref().map(path)),
        ("tls.cert", args.tls.cert.as_ref().map(path)),
        ("tls.key", args.tls.key.as_ref().map(path)),
        ("tls.insecure", args.tls.insecure.then(|| "true".to_owned())),
        ("tls.sni", args.tls.sni.as_deref().map(quote)),
    ];
    let given = keys.into_iter();
    given
        .filter_map(|(key, value)| Some(format!("{key} = {}", value?)))
        .collect()
}

/// Takes a password that stands in `lines` out of them, so that they may be printed: it is read from the environment then. Whether
/// there was one.
pub fn hide_password(lines: &mut [String]) -> bool {
    let hidden = format!("{PASSWORD} = {}", from_environment());
    let mut own = lines.iter_mut();
    let own = own.find(|line| line.starts_with(PASSWORD) && **line != hidden);
    own.map(|line| *line = hidden).is_some()
}

/// The value of a password that the user does not write.
fn from_environment() -> String {
    format!("{{ env = {} }}", quote(PASSWORD_VARIABLE))
}

/// That the broker does not let a client in, and what may help.
pub fn refused_text(client: Client, reason: ReasonCode, login: &LoginArgs) -> String {
    let advice = terminal_client::refusal_advice(reason, login);
    format!(
        "the broker refuses to connect {client}: {}{advice}",
        terminal_client::text(reason)
    )
}

/// What is wrong with the scenario of a bench, by the options that its lines come from: a user has not seen the lines.
pub fn failure(errors: &ScenarioErrors) -> Failure {
    let told = errors.iter().map(|error| {
        let key = error.key();
        let option = match key.as_str() {
            "target.use" | "target.url" => "--target",
            "target.username" => "--user-name",
            "target.password" => "--password",
            "target.tls.ca" => "--ca",
            "target.tls.cert" => "--cert",
            "target.tls.key" => "--key",
            "target.tls.sni" => "--sni",
            "target.tls.insecure" => "--insecure",
            other => other,
        };
        let text = transport_advice::with_options(&error.problem.to_string());
        match error.problem.remedy() {
            Some(remedy) => {
                let remedy = transport_advice::with_options(&remedy);
                format!("{option}: {text}; {remedy}")
            }
            None => format!("{option}: {text}"),
        }
    });
    let told: Vec<String> = told.collect();
    Failure::Usage(told.join("\nerror: "))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// The arguments of a bench alone.
    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        bench: BenchArgs,
    }

    /// Whatever a password has in it, it comes through, and an error that shows its line hides it.
    #[test]
    fn any_password_comes_through_and_is_hidden() {
        for password in [
            "a\u{1}b\u{7F}",
            "\"q'\\",
            "two\nlines",
            "x\n\"\"\"y'''z\u{301}",
        ] {
            let args = ["bench", "pairs", "-u", "ann", "-P", password];
            let args = Alone::try_parse_from(args).expect("they are right").bench;
            let mut lines = lines(&args);
            let text = lines.join("\n");

            let table: toml::Table = toml::from_str(&text).expect(&text);
            assert_eq!(table["password"].as_str(), Some(password), "{text}");
            assert_eq!(
                squall_toml::secret::without_secrets(&text),
                "username = \"ann\"\npassword = \"***\""
            );
            assert!(hide_password(&mut lines));
            assert_eq!(lines[1], "password = { env = \"SQUALL_PASSWORD\" }");
            assert!(!hide_password(&mut lines));
        }
    }
}
