//! User names and passwords as the file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

/// A text that may stay out of the file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "LoginText")]
pub(crate) enum LoginTextFile {
    /// A template: `{index}`, `{client_id}`, in a group `{group}`, in a user name `{vars.NAME}`.
    Template(String),
    /// The value of an environment variable of squall, as it is.
    Variable(VariableFile),
}

/// An environment variable of squall.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Variable")]
pub(crate) struct VariableFile {
    /// Its name.
    pub(crate) env: String,
}

/// A file whose fields `{csv.COLUMN}` stands for in the templates of the group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Feed")]
pub(crate) struct FeedFile {
    /// A CSV file whose path counts from the scenario's folder. Its first row names the columns. The row after it is that
    /// of the device with `{index}` 0, and so on; after the last row the first comes again.
    pub(crate) csv: String,
}

/// A file with what each device logs in with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credentials")]
pub(crate) struct CredentialsFile {
    /// A CSV file whose path counts from the scenario's folder. Its first row names the columns: `username`,
    /// and `password` where there is one. The row after it is that of the device with `{index}` 0, and so on.
    pub(crate) csv: String,
}
