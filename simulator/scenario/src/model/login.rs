//! What clients log in with: a User Name and a Password (§3.1.3.5, §3.1.3.6).

use std::fmt;
use std::sync::Arc;

use crate::DeviceTemplate;

/// What the devices of a group, or squall's own clients, log in with. By default nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Login {
    /// Whose keys it comes from.
    pub(crate) owner: LoginOwner,
    /// The User Name of each device.
    pub(crate) username: Option<LoginText>,
    /// The Password of each device.
    pub(crate) password: Option<LoginText>,
}

/// Whose keys say what a client logs in with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum LoginOwner {
    /// `[target]`, for all.
    #[default]
    Target,
    /// The group itself.
    Group,
}

/// A User Name or a Password of each device. `Debug` does not show it.
#[derive(Clone, PartialEq)]
pub(crate) enum LoginText {
    /// A template of the file.
    Template(DeviceTemplate),
    /// What an environment variable said when the scenario was read.
    Variable { name: String, value: String },
    /// One text for each `{index}`, from a CSV file.
    Listed { csv: String, texts: Arc<[String]> },
}

/// The User Name and Password of one CONNECT. `Debug` does not show them.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct ClientLogin {
    /// User Name; `None` sends none.
    pub user_name: Option<String>,
    /// Password; `None` sends none.
    pub password: Option<Vec<u8>>,
}

impl Login {
    /// What the device with this `{index}` and `{client_id}` logs in with.
    pub fn of(&self, index: u32, client_id: &str) -> ClientLogin {
        let text = |text: &LoginText| text.of(index, client_id);
        ClientLogin {
            user_name: self.username.as_ref().map(text),
            password: self.password.as_ref().map(text).map(String::into_bytes),
        }
    }

    /// Whether neither a User Name nor a Password is sent.
    pub fn is_empty(&self) -> bool {
        self.username.is_none() && self.password.is_none()
    }

    /// Whether `[target]` says it for all.
    pub fn is_of_target(&self) -> bool {
        self.owner == LoginOwner::Target
    }

    /// What is sent, for a message, without a password: `` user name "dev-{index}" of the group ``.
    pub fn description(&self) -> String {
        let owner = match self.owner {
            LoginOwner::Target => "[target]",
            LoginOwner::Group => "the group",
        };
        match &self.username {
            Some(LoginText::Template(template)) => {
                format!("user name {:?} of {owner}", template.source())
            }
            Some(LoginText::Variable { name, .. }) => format!("user name in ${name} of {owner}"),
            Some(LoginText::Listed { csv, .. }) => format!("user names of {csv:?}"),
            None if self.password.is_some() => format!("password of {owner} and no user name"),
            None => "no user name".to_owned(),
        }
    }
}

impl LoginText {
    fn of(&self, index: u32, client_id: &str) -> String {
        match self {
            Self::Template(template) => template.render(index, client_id),
            Self::Variable { value, .. } => value.clone(),
            Self::Listed { texts, .. } => texts[index as usize].clone(),
        }
    }
}

impl fmt::Debug for LoginText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for ClientLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
