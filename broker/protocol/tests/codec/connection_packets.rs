//! Strategies for CONNECT and CONNACK.

use proptest::option;
use proptest::prelude::*;
use squall_protocol::packet::{
    Connack, ConnackProperties, Connect, ConnectProperties, Packet, Will, WillProperties,
};
use squall_protocol::{QoS, ReasonCode, Version};

use crate::packets::*;

pub(crate) fn connect(version: Version) -> BoxedStrategy<Packet<'static>> {
    let head = (any::<bool>(), any::<u16>(), text());
    let user = option::of((text(), option::of(binary())));
    let properties = in_5(version, connect_properties());
    (head, option::of(will(version)), user, properties)
        .prop_map(
            move |((clean_start, keep_alive, client_id), will, user, properties)| {
                let (user_name, password) = match user {
                    None => (None, None),
                    Some((user_name, password)) => (Some(user_name), password),
                };
                Packet::Connect(Box::new(Connect {
                    version,
                    clean_start,
                    keep_alive,
                    client_id,
                    will,
                    user_name,
                    password,
                    properties,
                }))
            },
        )
        .boxed()
}

fn connect_properties() -> BoxedStrategy<ConnectProperties> {
    let numbers = (
        option::of(any::<u32>()),
        option::of(1..=u16::MAX),
        option::of(1..=u32::MAX),
        option::of(any::<u16>()),
    );
    let flags = (option::of(any::<bool>()), option::of(any::<bool>()));
    let authentication = option::of((text(), option::of(binary())));
    (numbers, flags, authentication, user_properties())
        .prop_map(|(numbers, flags, authentication, user_properties)| {
            let (authentication_method, authentication_data) = match authentication {
                None => (None, None),
                Some((method, data)) => (Some(method), data),
            };
            ConnectProperties {
                session_expiry_interval: numbers.0,
                receive_maximum: numbers.1,
                maximum_packet_size: numbers.2,
                topic_alias_maximum: numbers.3,
                request_response_information: flags.0,
                request_problem_information: flags.1,
                authentication_method,
                authentication_data,
                user_properties,
            }
        })
        .boxed()
}

fn will(version: Version) -> BoxedStrategy<Will> {
    let properties = (
        option::of(any::<u32>()),
        option::of(any::<bool>()),
        option::of(any::<u32>()),
        option::of(text()),
        option::of(topic_name()),
        option::of(binary()),
        user_properties(),
    )
        .prop_map(|properties| WillProperties {
            will_delay_interval: properties.0,
            payload_format_indicator: properties.1,
            message_expiry_interval: properties.2,
            content_type: properties.3,
            response_topic: properties.4.map(|topic| topic.as_str().to_owned()),
            correlation_data: properties.5,
            user_properties: properties.6,
        })
        .boxed();
    (
        topic_name(),
        binary(),
        qos(),
        any::<bool>(),
        in_5(version, properties),
    )
        .prop_map(|(topic, payload, qos, retain, properties)| Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        })
        .boxed()
}

pub(crate) fn connack(version: Version) -> BoxedStrategy<Packet<'static>> {
    let refusal = match version {
        Version::V3_1_1 => vec![
            ReasonCode::UnsupportedProtocolVersion,
            ReasonCode::ClientIdentifierNotValid,
            ReasonCode::ServerUnavailable,
            ReasonCode::BadUserNameOrPassword,
            ReasonCode::NotAuthorized,
        ],
        Version::V5 => vec![
            ReasonCode::UnspecifiedError,
            ReasonCode::Banned,
            ReasonCode::PacketTooLarge,
            ReasonCode::ConnectionRateExceeded,
        ],
    };
    let result = prop_oneof![
        any::<bool>().prop_map(|session_present| (session_present, ReasonCode::Success)),
        prop::sample::select(refusal).prop_map(|reason| (false, reason)),
    ];
    (result, in_5(version, connack_properties()))
        .prop_map(|((session_present, reason), properties)| {
            Packet::Connack(Box::new(Connack {
                session_present,
                reason,
                properties,
            }))
        })
        .boxed()
}

fn connack_properties() -> BoxedStrategy<ConnackProperties> {
    let maximum_qos = prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce)];
    let numbers = (
        option::of(any::<u32>()),
        option::of(1..=u16::MAX),
        option::of(maximum_qos),
        option::of(1..=u32::MAX),
        option::of(any::<u16>()),
        option::of(any::<u16>()),
    );
    let flags = (
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
    );
    let texts = (
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(binary()),
    );
    (numbers, flags, texts, user_properties())
        .prop_map(
            |(numbers, flags, texts, user_properties)| ConnackProperties {
                session_expiry_interval: numbers.0,
                receive_maximum: numbers.1,
                maximum_qos: numbers.2,
                retain_available: flags.0,
                maximum_packet_size: numbers.3,
                assigned_client_identifier: texts.0,
                topic_alias_maximum: numbers.4,
                reason_string: texts.1,
                user_properties,
                wildcard_subscription_available: flags.1,
                subscription_identifiers_available: flags.2,
                shared_subscription_available: flags.3,
                server_keep_alive: numbers.5,
                response_information: texts.2,
                server_reference: texts.3,
                authentication_method: texts.4,
                authentication_data: texts.5,
            },
        )
        .boxed()
}
