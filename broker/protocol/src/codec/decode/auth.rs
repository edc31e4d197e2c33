//! Decodes AUTH (§3.15).

use crate::codec::fields::Fields;
use crate::packet::{Auth, AuthProperties};
use crate::{PropertyId, ProtocolError, ReasonCode};

/// A Remaining Length of 0 stands for Success without properties (§3.15.2.1). Any other AUTH
/// names its method (§3.15.2.2.2).
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Auth, ProtocolError> {
    if fields.len() == 0 {
        return Ok(Auth::default());
    }
    let reason = fields.reason_code(is_allowed)?;
    let mut section = fields.properties()?;
    let mut properties = AuthProperties::default();
    while let Some(property) = section.next()? {
        match property {
            PropertyId::AuthenticationMethod => {
                properties.authentication_method = Some(section.owned_string()?);
            }
            PropertyId::AuthenticationData => {
                properties.authentication_data = Some(section.owned_binary()?);
            }
            PropertyId::ReasonString => properties.reason_string = Some(section.owned_string()?),
            PropertyId::UserProperty => section.user_property(&mut properties.user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    if properties.authentication_method.is_none() {
        return Err(ProtocolError::NoAuthenticationMethod {
            packet: fields.packet(),
        });
    }
    Ok(Auth { reason, properties })
}

/// Authenticate Reason Codes (§3.15.2.1).
fn is_allowed(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success | ReasonCode::ContinueAuthentication | ReasonCode::ReAuthenticate
    )
}
