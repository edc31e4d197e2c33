//! What clients log in with. Passwords are written as they are: the whole text is rid of them at its end.

use squall_toml::quote::quote;

use super::text::{Text, pair, table};
use crate::Group;
use crate::model::login::{Login, LoginOwner, LoginText};

/// The keys of `[target]`.
pub(super) fn write(text: &mut Text, login: &Login) {
    if let Some(LoginText::Listed { csv, .. }) = &login.username {
        let csv = pair("csv", quote(csv));
        return text.option("credentials", table([csv].into_iter()));
    }
    for (key, value) in [("username", &login.username), ("password", &login.password)] {
        match value {
            Some(LoginText::Template(template)) => text.pair(key, quote(template.source())),
            Some(LoginText::Variable { name, .. }) => {
                text.option(key, table([pair("env", quote(name))].into_iter()));
            }
            Some(LoginText::Listed { .. }) | None => {}
        }
    }
}

/// What a group says itself; the rest it has from `[target]`.
pub(super) fn write_of_group(text: &mut Text, group: &Group) {
    match group.login.owner {
        LoginOwner::Group => write(text, &group.login),
        LoginOwner::Target if group.login.is_empty() => text.comment("no user name"),
        LoginOwner::Target => text.comment("user name and password are those of [target]"),
    }
}
