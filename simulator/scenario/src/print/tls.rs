//! `[target.tls]`, written out.

use squall_toml::quote::quote;

use super::text::{Text, pair, table};
use crate::{OwnTls, Tls};

/// Writes how clients speak TLS, if the scenario says something about that.
pub(super) fn write(text: &mut Text, tls: &Tls) {
    let identity = tls.identity.as_ref();
    let texts = [
        ("ca", tls.ca.as_ref().map(|file| &file.path)),
        ("cert", identity.map(|identity| &identity.certificate.path)),
        ("key", identity.map(|identity| &identity.key.path)),
        ("sni", tls.sni.as_ref()),
    ];
    let texts = texts.into_iter();
    let pairs = texts.filter_map(|(key, text)| Some(pair(key, quote(text?))));
    let insecure = tls.is_insecure.then(|| pair("insecure", true));
    text.option("tls", table(pairs.chain(insecure)));
}

/// Writes the client certificates of a group, if it has some of its own.
pub(super) fn write_of_group(text: &mut Text, own: Option<&OwnTls>) {
    if let Some(OwnTls { cert, key, .. }) = own {
        let pairs = [pair("cert", quote(cert)), pair("key", quote(key))];
        text.option("tls", table(pairs.into_iter()));
    }
}
