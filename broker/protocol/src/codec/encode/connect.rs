//! Encodes CONNECT (§3.1). Its own `version` decides, not the connection's.

use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::{Connect, ConnectProperties, Will, WillProperties};
use crate::{PropertyId, Version};

pub(super) fn put<S: Sink>(connect: &Connect, sink: &mut S) {
    sink.string("MQTT");
    sink.u8(connect.version as u8);
    sink.u8(connect_flags(connect));
    sink.u16(connect.keep_alive);
    if connect.version == Version::V5 {
        put_section(sink, &connect.properties, put_properties, put_properties);
    }
    sink.string(&connect.client_id);
    if let Some(will) = &connect.will {
        put_will(will, connect.version, sink);
    }
    if let Some(user_name) = &connect.user_name {
        sink.string(user_name);
    }
    if let Some(password) = &connect.password {
        sink.binary(password);
    }
}

/// Connect Flags (§3.1.2.3).
fn connect_flags(connect: &Connect) -> u8 {
    let will = match &connect.will {
        None => 0,
        Some(will) => 1 << 2 | (will.qos as u8) << 3 | u8::from(will.retain) << 5,
    };
    u8::from(connect.clean_start) << 1
        | will
        | u8::from(connect.password.is_some()) << 6
        | u8::from(connect.user_name.is_some()) << 7
}

fn put_properties<S: Sink>(properties: &ConnectProperties, sink: &mut S) {
    let p = properties;
    sink.u32_property(PropertyId::SessionExpiryInterval, p.session_expiry_interval);
    sink.u16_property(PropertyId::ReceiveMaximum, p.receive_maximum);
    sink.u32_property(PropertyId::MaximumPacketSize, p.maximum_packet_size);
    sink.u16_property(PropertyId::TopicAliasMaximum, p.topic_alias_maximum);
    sink.flag_property(
        PropertyId::RequestResponseInformation,
        p.request_response_information,
    );
    sink.flag_property(
        PropertyId::RequestProblemInformation,
        p.request_problem_information,
    );
    sink.string_property(
        PropertyId::AuthenticationMethod,
        p.authentication_method.as_deref(),
    );
    sink.binary_property(
        PropertyId::AuthenticationData,
        p.authentication_data.as_deref(),
    );
    sink.user_properties(&p.user_properties);
}

fn put_will<S: Sink>(will: &Will, version: Version, sink: &mut S) {
    if version == Version::V5 {
        put_section(
            sink,
            &will.properties,
            put_will_properties,
            put_will_properties,
        );
    }
    sink.string(will.topic.as_str());
    sink.binary(&will.payload);
}

fn put_will_properties<S: Sink>(properties: &WillProperties, sink: &mut S) {
    let p = properties;
    sink.u32_property(PropertyId::WillDelayInterval, p.will_delay_interval);
    sink.flag_property(
        PropertyId::PayloadFormatIndicator,
        p.payload_format_indicator,
    );
    sink.u32_property(PropertyId::MessageExpiryInterval, p.message_expiry_interval);
    sink.string_property(PropertyId::ContentType, p.content_type.as_deref());
    sink.string_property(PropertyId::ResponseTopic, p.response_topic.as_deref());
    sink.binary_property(PropertyId::CorrelationData, p.correlation_data.as_deref());
    sink.user_properties(&p.user_properties);
}
