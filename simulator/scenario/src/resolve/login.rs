//! `username`, `password` and `credentials`: what clients log in with.

use std::sync::Arc;

use squall_protocol::Version;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use super::Resolver;
use super::csv_table::CsvTable;
use crate::error::Problem;
use crate::file::{CredentialsFile, GroupFile, LoginTextFile, TargetFile};
use crate::model::login::{Login, LoginOwner, LoginText};
use crate::template::Use;
use crate::{DeviceTemplate, Group};

/// Most bytes of a User Name and of a Password (§1.5.4, §1.5.6).
const BYTES_MAX: usize = 65_535;

impl Resolver<'_> {
    /// What `[target]` says, for every group that says nothing and for squall's own clients.
    pub(super) fn resolve_target_login(&mut self, file: &TargetFile, at: &At<'_>) -> Login {
        if file.username.is_none() {
            // Groups may be of 3.1.1, and one of squall's own clients is.
            self.needed(at, "password", "username", "`password` in `[target]`");
        }
        Login {
            owner: LoginOwner::Target,
            username: file.username.as_ref().and_then(|text| {
                self.resolve_login_text(text, Use::TargetUserName, "", &at.key("username"))
            }),
            password: file.password.as_ref().and_then(|text| {
                self.resolve_login_text(text, Use::TargetPassword, "", &at.key("password"))
            }),
        }
    }

    /// What the devices of a group log in with.
    pub(super) fn resolve_login(&mut self, file: &GroupFile, at: &At<'_>) -> Login {
        if let Some(credentials) = &file.credentials {
            self.misplaced(at, "username", "a group without `credentials`");
            self.misplaced(at, "password", "a group without `credentials`");
            return self.resolve_credentials(credentials, file.count, &at.key("credentials"));
        }
        if file.username.is_none() && file.password.is_none() {
            return self.target_login.clone();
        }
        Login {
            owner: LoginOwner::Group,
            username: file.username.as_ref().and_then(|text| {
                self.resolve_login_text(text, Use::UserName, &file.name, &at.key("username"))
            }),
            password: file.password.as_ref().and_then(|text| {
                self.resolve_login_text(text, Use::Password, &file.name, &at.key("password"))
            }),
        }
    }

    /// The columns of a CSV file that has a row for each of `count` devices.
    fn resolve_credentials(&mut self, file: &CredentialsFile, count: u32, at: &At<'_>) -> Login {
        let csv = &file.csv;
        let read = self
            .surroundings
            .file(csv)
            .map_err(|error| error.to_string())
            .and_then(|bytes| CsvTable::read(&bytes, count as usize))
            .and_then(|table| match table.has_column("username") {
                true => Ok(table),
                false => Err("no column is named `username`".to_owned()),
            });
        let mut login = Login {
            owner: LoginOwner::Group,
            ..Login::default()
        };
        match read {
            Ok(mut table) => {
                let mut column = |name| {
                    let texts: Arc<[String]> = table.take_column(name)?.into();
                    let csv = csv.clone();
                    Some(LoginText::Listed { csv, texts })
                };
                login.username = column("username");
                login.password = column("password");
            }
            Err(cause) => {
                let what = format!("no credentials from {csv:?}: {cause}");
                let remedy = "a first row `username,password`, and behind it a row for each device";
                self.contradiction(&at.key("csv"), what, remedy.to_owned());
            }
        }
        login
    }

    fn resolve_login_text(
        &mut self,
        file: &LoginTextFile,
        place: Use,
        group: &str,
        at: &At<'_>,
    ) -> Option<LoginText> {
        match file {
            LoginTextFile::Template(text) => {
                let template = DeviceTemplate::parse(text, place, &self.fixed(group));
                let template = match place.is_secret() {
                    // A message about the template would show a part of it.
                    true => template
                        .map_err(|_| self.note_secret_template(place, at))
                        .ok(),
                    false => self.or_note(template, at),
                };
                template.map(LoginText::Template)
            }
            LoginTextFile::Variable(variable) => {
                let name = &variable.env;
                let Some(value) = self.surroundings.variable(name) else {
                    let what = format!("the environment variable {name:?} is not set");
                    self.contradiction(&at.key("env"), what, format!("`export {name}=…` before"));
                    return None;
                };
                let name = name.clone();
                Some(LoginText::Variable { name, value })
            }
        }
    }

    fn note_secret_template(&mut self, place: Use, at: &At<'_>) {
        let what = format!("a brace in {} does not begin a placeholder", place.name());
        let placeholders: Vec<String> = place
            .allowed()
            .iter()
            .map(|name| format!("`{{{name}}}`"))
            .collect();
        let remedy = format!(
            "{}, `{{{{` or `}}}}` for the character itself, or `{{ env = \"NAME\" }}`, which is taken as it is",
            placeholders.join(", ")
        );
        self.contradiction(at, what, remedy);
    }

    /// Whether a CONNECT can carry what each device logs in with. No message shows a value.
    pub(super) fn check_login(&mut self, group: &Group, at: &At<'_>) {
        if group.version == Version::V3_1_1 && group.login.username.is_none() {
            let reason = "`password` in MQTT 3.1.1 [3.1.1: MQTT-3.1.2-22]";
            self.needed(at, "password", "username", reason);
        }
        let unfit = (0..group.count).find_map(|index| {
            let login = group.login.of(index, &group.client_id_of(index));
            let user_name = login.user_name.unwrap_or_default();
            let password = login.password.unwrap_or_default();
            if user_name.len() > BYTES_MAX || user_name.contains('\0') {
                Some(("username", "user name", index))
            } else if password.len() > BYTES_MAX {
                Some(("password", "password", index))
            } else {
                None
            }
        });
        if let Some((key, what, index)) = unfit {
            let problem = Mistake::OutOfRange {
                value: format!("the {what} of device {index}"),
                range: format!("at most {BYTES_MAX} bytes, a user name without the null character"),
            };
            self.diagnostics.value(&at.key(key), problem);
        }
    }

    /// Notes that `key` is missing beside `present`, if that is written.
    pub(super) fn needed(&mut self, at: &At<'_>, present: &str, key: &str, reason: &str) {
        let at = at.key(present);
        if at.is_written() {
            let problem = Problem::Needed {
                key: key.to_owned(),
                reason: reason.to_owned(),
            };
            self.diagnostics.key(&at, problem);
        }
    }
}
