//! Encodes AUTH (§3.15).

use super::put_section;
use crate::PropertyId;
use crate::codec::sink::Sink;
use crate::packet::{Auth, AuthProperties};

/// Success without properties has no body (§3.15.2.1).
pub(super) fn put<S: Sink>(auth: &Auth, sink: &mut S) {
    if *auth == Auth::default() {
        return;
    }
    sink.u8(auth.reason as u8);
    put_section(sink, &auth.properties, put_each, put_each);
}

fn put_each<S: Sink>(properties: &AuthProperties, sink: &mut S) {
    sink.string_property(
        PropertyId::AuthenticationMethod,
        properties.authentication_method.as_deref(),
    );
    sink.binary_property(
        PropertyId::AuthenticationData,
        properties.authentication_data.as_deref(),
    );
    sink.string_property(
        PropertyId::ReasonString,
        properties.reason_string.as_deref(),
    );
    sink.user_properties(&properties.user_properties);
}
