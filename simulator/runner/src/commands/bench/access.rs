//! How a bench is let in: the options about users and TLS, as keys of `[target]`.

use crate::bench_args::BenchArgs;
use crate::terminal_client::PASSWORD_VARIABLE;

/// Lines of `[target]` in the scenario of a bench, one for each option that was given.
pub fn lines(args: &BenchArgs) -> Vec<String> {
    let quoted = |text: &str| format!("{text:?}");
    let path = |path: &std::path::PathBuf| quoted(&path.to_string_lossy());
    let is_known = std::env::var_os(PASSWORD_VARIABLE).is_some();
    let password = match (&args.login.password, &args.login.user_name) {
        (Some(password), _) => Some(quoted(password)),
        (None, Some(_)) => is_known.then(|| format!("{{ env = {PASSWORD_VARIABLE:?} }}")),
        (None, None) => None,
    };
    let keys = [
        ("username", args.login.user_name.as_deref().map(quoted)),
        ("password", password),
        ("tls.ca", args.tls.ca.as_ref().map(path)),
        ("tls.cert", args.tls.cert.as_ref().map(path)),
        ("tls.key", args.tls.key.as_ref().map(path)),
        ("tls.insecure", args.tls.insecure.then(|| "true".to_owned())),
        ("tls.sni", args.tls.sni.as_deref().map(quoted)),
    ];
    let given = keys.into_iter();
    given
        .filter_map(|(key, value)| Some(format!("{key} = {}", value?)))
        .collect()
}
