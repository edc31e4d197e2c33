//! `[target.tls]`, written out.

use squall_toml::quote::quote;

use super::text::{Text, pair, table};
use crate::{Scenario, Tls, TlsId, TlsIdentity};

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

/// Writes the client certificate of a group, if it has one of its own.
pub(super) fn write_of_group(text: &mut Text, scenario: &Scenario, id: TlsId) {
    if id == TlsId::TARGET {
        return;
    }
    if let Some(TlsIdentity { certificate, key }) = &scenario.tls_of(id).identity {
        let pairs = [
            pair("cert", quote(&certificate.path)),
            pair("key", quote(&key.path)),
        ];
        text.option("tls", table(pairs.into_iter()));
    }
}
