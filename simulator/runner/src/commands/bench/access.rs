//! How a bench is let in: the options about users and TLS, as keys of `[target]`.

use squall_toml::quote::quote;

use crate::bench_args::BenchArgs;
use crate::terminal_client::PASSWORD_VARIABLE;

/// Lines of `[target]` in the scenario of a bench, one for each option that was given.
pub fn lines(args: &BenchArgs) -> Vec<String> {
    let path = |path: &std::path::PathBuf| quote(&path.to_string_lossy());
    let is_known = std::env::var_os(PASSWORD_VARIABLE).is_some();
    let password = match (&args.login.password, &args.login.user_name) {
        (Some(password), _) => Some(quote(password)),
        (None, Some(_)) => is_known.then(|| format!("{{ env = {} }}", quote(PASSWORD_VARIABLE))),
        (None, None) => None,
    };
    let keys = [
        ("username", args.login.user_name.as_deref().map(quote)),
        ("password", password),
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
            let text = lines(&args).join("\n");

            let table: toml::Table = toml::from_str(&text).expect(&text);
            assert_eq!(table["password"].as_str(), Some(password), "{text}");
            assert_eq!(
                squall_toml::secret::without_secrets(&text),
                "username = \"ann\"\npassword = \"***\""
            );
        }
    }
}
