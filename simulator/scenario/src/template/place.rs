//! Where a template stands, and which placeholders make sense there.

use super::error::TemplateError;

/// Where a template stands: it says which placeholders make sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    /// The Client Identifier of a device.
    ClientId,
    /// Any other text that a device has once: a Topic Filter, a will, the Topic Name of a birth.
    DeviceText,
    /// A user name of a group.
    UserName,
    /// A password of a group: no message may show a part of it.
    Password,
    /// The user name that `[target]` has for all.
    TargetUserName,
    /// The password that `[target]` has for all: no message may show a part of it.
    TargetPassword,
    /// The Topic Name of a message. Only a limited number of them per device.
    Topic,
    /// The payload of a message.
    Payload,
    /// A property of a message, or the name of one.
    Property,
}

impl Use {
    /// Every place.
    pub(crate) const ALL: [Self; 9] = [
        Self::ClientId,
        Self::DeviceText,
        Self::UserName,
        Self::Password,
        Self::TargetUserName,
        Self::TargetPassword,
        Self::Topic,
        Self::Payload,
        Self::Property,
    ];

    /// Placeholders that make sense there, as a reader would write them.
    pub(crate) const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::ClientId => &["index", "group", "vars", "pick", "csv", "uuid", "rand.hex"],
            Self::DeviceText | Self::UserName => {
                &["index", "client_id", "group", "vars", "pick", "csv"]
            }
            // Variables are shown, in the run file and in reports.
            Self::Password => &["index", "client_id", "group"],
            Self::TargetUserName => &["index", "client_id", "vars"],
            Self::TargetPassword => &["index", "client_id"],
            Self::Topic => &[
                "index",
                "client_id",
                "group",
                "vars",
                "pick",
                "csv",
                "seq",
                "rand.int",
                "rand.bool",
                "rand.choice",
            ],
            Self::Payload | Self::Property => &[
                "index",
                "client_id",
                "group",
                "vars",
                "pick",
                "csv",
                "seq",
                "now_ms",
                "now_iso",
                "uuid",
                "rand.int",
                "rand.float",
                "rand.normal",
                "rand.bool",
                "rand.choice",
                "rand.hex",
            ],
        }
    }

    /// How a message calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClientId => "a client id",
            Self::DeviceText => "a filter, a will or the topic of a birth",
            Self::UserName => "a user name",
            Self::Password => "a password",
            Self::TargetUserName => "the user name of `[target]`",
            Self::TargetPassword => "the password of `[target]`",
            Self::Topic => "a topic",
            Self::Payload => "a payload",
            Self::Property => "a property of a message",
        }
    }

    /// Whether none of its placeholders changes from message to message.
    pub(super) const fn is_per_device(self) -> bool {
        match self {
            Self::ClientId
            | Self::DeviceText
            | Self::UserName
            | Self::Password
            | Self::TargetUserName
            | Self::TargetPassword => true,
            Self::Topic | Self::Payload | Self::Property => false,
        }
    }

    /// Whether no message may show a part of the text.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::TargetPassword)
    }
}

/// Whether the placeholder `name` exists and makes sense in `place`.
pub(super) fn check_allowed(written: &str, name: &str, place: Use) -> Result<(), TemplateError> {
    let head = match name.split_once('.') {
        Some((head @ ("vars" | "csv"), _)) => head,
        Some(_) | None => name,
    };
    let lacks_name = head == name && ["vars", "csv"].contains(&head);
    if place.allowed().contains(&head) && !lacks_name {
        return Ok(());
    }
    let known = place
        .allowed()
        .iter()
        .map(|&name| match name {
            "vars" => "vars.NAME".to_owned(),
            "csv" => "csv.COLUMN".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    if Use::Payload.allowed().contains(&head) && !lacks_name && head != "vars" {
        return Err(TemplateError::NotHere {
            name: name.to_owned(),
            place: place.name(),
            known,
        });
    }
    Err(TemplateError::Unknown {
        written: written.to_owned(),
        known,
    })
}
