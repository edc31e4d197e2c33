//! AUTH (§3.15).

use super::UserProperties;
use crate::ReasonCode;

/// A step of extended authentication, 5.0 only (§3.15).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate (§3.15.2.1).
    pub reason: ReasonCode,
    /// Properties.
    pub properties: AuthProperties,
}

/// AUTH properties (§3.15.2.2). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthProperties {
    /// Name of the authentication method.
    pub authentication_method: Option<String>,
    /// Data of the authentication method.
    pub authentication_data: Option<Vec<u8>>,
    /// Human-readable reason.
    pub reason_string: Option<String>,
    /// User properties, in order.
    pub user_properties: UserProperties,
}
