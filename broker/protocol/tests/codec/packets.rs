//! Strategies for every packet that a version can say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use squall_protocol::packet::{
    AckProperties, Auth, AuthProperties, Disconnect, DisconnectProperties, Packet, Puback, Pubcomp,
    Publish, PublishProperties, Pubrec, Pubrel, RetainHandling, Suback, Subscribe,
    SubscribeProperties, Subscription, SubscriptionIdentifier, SubscriptionOptions,
    UndecodedFilters, Unsuback, Unsubscribe, UserProperties,
};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{PacketId, QoS, ReasonCode, Version};

use crate::connection_packets::{connack, connect};

/// A version and a packet that it can say.
pub(crate) fn versioned_packet() -> impl Strategy<Value = (Version, Packet<'static>)> {
    version().prop_flat_map(|version| (Just(version), packet(version)))
}

/// One of the two versions.
pub(crate) fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3_1_1), Just(Version::V5)]
}

/// Any packet that `version` can say.
pub(crate) fn packet(version: Version) -> BoxedStrategy<Packet<'static>> {
    let both = prop_oneof![
        connect(version),
        connack(version),
        message(version).prop_map(Packet::Publish),
        acknowledgement(version),
        subscribe(version),
        suback(version),
        unsubscribe(version),
        unsuback(version),
        Just(Packet::Pingreq),
        Just(Packet::Pingresp),
    ];
    match version {
        Version::V3_1_1 => {
            prop_oneof![10 => both, 1 => Just(Packet::Disconnect(Disconnect::default()))].boxed()
        }
        Version::V5 => prop_oneof![10 => both, 1 => disconnect(), 1 => auth()].boxed(),
    }
}

/// Text that a string of the protocol may have, the byte order mark included.
pub(crate) fn text() -> BoxedStrategy<String> {
    "[ -~\u{a1}-\u{24f}\u{feff}\u{1f300}-\u{1f5ff}]{0,12}".boxed()
}

pub(crate) fn binary() -> BoxedStrategy<Vec<u8>> {
    vec(any::<u8>(), 0..12).boxed()
}

/// A valid Topic Name.
pub(crate) fn topic_name() -> BoxedStrategy<TopicName<Box<str>>> {
    "[a-z$/\u{e9}\u{1f300}]{1,12}"
        .prop_map(|text| TopicName::new(text.into_boxed_str()).expect("no wildcards"))
        .boxed()
}

/// A valid Topic Filter, sometimes with wildcards, sometimes shared.
pub(crate) fn topic_filter() -> BoxedStrategy<TopicFilter<Box<str>>> {
    let level = prop_oneof!["[a-z\u{e9}]{0,3}", Just("+".to_owned())];
    let end = option::of(Just("#".to_owned()));
    let share = option::weighted(0.2, "[a-z]{1,4}");
    (share, "[a-z+$]", vec(level, 0..4), end)
        .prop_map(|(share, first, levels, end)| {
            let mut parts = Vec::new();
            if let Some(group) = share {
                parts.push("$share".to_owned());
                parts.push(group);
            }
            parts.push(first);
            parts.extend(levels);
            parts.extend(end);
            TopicFilter::new(parts.join("/").into_boxed_str()).expect("well formed")
        })
        .boxed()
}

fn id() -> BoxedStrategy<PacketId> {
    (1..=u16::MAX)
        .prop_map(|value| PacketId::new(value).expect("not 0"))
        .boxed()
}

pub(crate) fn qos() -> BoxedStrategy<QoS> {
    prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ]
    .boxed()
}

pub(crate) fn user_properties() -> BoxedStrategy<UserProperties> {
    vec((text(), text()), 0..3).boxed()
}

fn subscription_identifier() -> BoxedStrategy<SubscriptionIdentifier> {
    (1..=268_435_455_u32)
        .prop_map(|value| SubscriptionIdentifier::new(value).expect("in range"))
        .boxed()
}

/// `strategy` in 5.0, the default in 3.1.1.
pub(crate) fn in_5<T: Clone + Default + std::fmt::Debug + 'static>(
    version: Version,
    strategy: BoxedStrategy<T>,
) -> BoxedStrategy<T> {
    match version {
        Version::V3_1_1 => Just(T::default()).boxed(),
        Version::V5 => strategy,
    }
}

/// Any PUBLISH that `version` can say.
pub(crate) fn message(version: Version) -> BoxedStrategy<Publish<'static>> {
    let flags = (any::<bool>(), qos(), any::<bool>(), id());
    let payload = vec(any::<u8>(), 0..300);
    let properties = in_5(version, publish_properties());
    (flags, topic_name(), properties, payload, any::<bool>())
        .prop_map(
            |((dup, qos, retain, id), topic, properties, payload, is_aliased)| {
                let text: &'static str = topic.into_inner().into_string().leak();
                let topic = match properties.topic_alias {
                    Some(_) if is_aliased => TopicName::ALIASED,
                    Some(_) | None => TopicName::new(text).expect("was one"),
                };
                let has_id = qos != QoS::AtMostOnce;
                Publish {
                    dup: dup && has_id,
                    qos,
                    retain,
                    topic,
                    packet_id: has_id.then_some(id),
                    properties,
                    payload: payload.leak(),
                }
            },
        )
        .boxed()
}

fn publish_properties() -> BoxedStrategy<PublishProperties<'static>> {
    let scalars = (
        option::of(any::<bool>()),
        option::of(any::<u32>()),
        option::of(1..=u16::MAX),
    );
    let texts = (
        option::of(topic_name()),
        option::of(binary()),
        option::of(text()),
    );
    let identifiers = vec(subscription_identifier(), 0..3);
    (scalars, texts, user_properties(), identifiers)
        .prop_map(
            |(scalars, texts, user_properties, subscription_identifiers)| {
                let leak = |text: String| -> &'static str { text.leak() };
                PublishProperties {
                    payload_format_indicator: scalars.0,
                    message_expiry_interval: scalars.1,
                    topic_alias: scalars.2,
                    response_topic: texts.0.map(|topic| leak(topic.as_str().to_owned())),
                    correlation_data: texts.1.map(|data| -> &'static [u8] { data.leak() }),
                    user_properties: user_properties
                        .into_iter()
                        .map(|(name, value)| (leak(name), leak(value)))
                        .collect(),
                    subscription_identifiers,
                    content_type: texts.2.map(leak),
                }
            },
        )
        .boxed()
}

fn ack_properties() -> BoxedStrategy<AckProperties> {
    (option::of(text()), user_properties())
        .prop_map(|(reason_string, user_properties)| AckProperties {
            reason_string,
            user_properties,
        })
        .boxed()
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
fn acknowledgement(version: Version) -> BoxedStrategy<Packet<'static>> {
    let refusal = in_5(
        version,
        prop_oneof![
            Just(ReasonCode::Success),
            Just(ReasonCode::NoMatchingSubscribers),
            Just(ReasonCode::PayloadFormatInvalid)
        ]
        .boxed(),
    );
    let missing = in_5(
        version,
        prop_oneof![
            Just(ReasonCode::Success),
            Just(ReasonCode::PacketIdentifierNotFound)
        ]
        .boxed(),
    );
    let properties = in_5(version, ack_properties());
    (0..4, id(), refusal, missing, properties)
        .prop_map(|(kind, id, refusal, missing, properties)| match kind {
            0 => Packet::Puback(Puback {
                id,
                reason: refusal,
                properties,
            }),
            1 => Packet::Pubrec(Pubrec {
                id,
                reason: refusal,
                properties,
            }),
            2 => Packet::Pubrel(Pubrel {
                id,
                reason: missing,
                properties,
            }),
            _ => Packet::Pubcomp(Pubcomp {
                id,
                reason: missing,
                properties,
            }),
        })
        .boxed()
}

fn subscribe(version: Version) -> BoxedStrategy<Packet<'static>> {
    let properties = (option::of(subscription_identifier()), user_properties())
        .prop_map(
            |(subscription_identifier, user_properties)| SubscribeProperties {
                subscription_identifier,
                user_properties,
            },
        )
        .boxed();
    (
        id(),
        in_5(version, properties),
        vec(subscription(version), 1..4),
    )
        .prop_map(|(id, properties, subscriptions)| {
            Packet::Subscribe(Subscribe {
                id,
                properties,
                subscriptions,
                rest: UndecodedFilters::default(),
            })
        })
        .boxed()
}

fn subscription(version: Version) -> BoxedStrategy<Subscription> {
    let handling = prop_oneof![
        Just(RetainHandling::SendAtSubscribe),
        Just(RetainHandling::SendIfNew),
        Just(RetainHandling::DoNotSend)
    ];
    let beyond_qos = in_5(version, (any::<bool>(), any::<bool>(), handling).boxed());
    (topic_filter(), qos(), beyond_qos)
        .prop_map(
            |(filter, qos, (no_local, retain_as_published, retain_handling))| {
                let no_local = no_local && filter.share().is_none();
                Subscription {
                    filter: Ok(filter),
                    options: SubscriptionOptions {
                        qos,
                        no_local,
                        retain_as_published,
                        retain_handling,
                    },
                }
            },
        )
        .boxed()
}

fn suback(version: Version) -> BoxedStrategy<Packet<'static>> {
    let mut reasons = vec![
        ReasonCode::Success,
        ReasonCode::GrantedQoS1,
        ReasonCode::GrantedQoS2,
        ReasonCode::UnspecifiedError,
    ];
    if version == Version::V5 {
        reasons.push(ReasonCode::WildcardSubscriptionsNotSupported);
    }
    let reasons = vec(prop::sample::select(reasons), 1..5);
    (id(), in_5(version, ack_properties()), reasons)
        .prop_map(|(id, properties, reasons)| {
            Packet::Suback(Suback {
                id,
                properties,
                reasons,
            })
        })
        .boxed()
}

fn unsubscribe(version: Version) -> BoxedStrategy<Packet<'static>> {
    (
        id(),
        in_5(version, user_properties()),
        vec(topic_filter(), 1..4),
    )
        .prop_map(|(id, user_properties, filters)| {
            Packet::Unsubscribe(Unsubscribe {
                id,
                user_properties,
                filters: filters.into_iter().map(Ok).collect(),
                rest: UndecodedFilters::default(),
            })
        })
        .boxed()
}

fn unsuback(version: Version) -> BoxedStrategy<Packet<'static>> {
    let reason = prop_oneof![
        Just(ReasonCode::Success),
        Just(ReasonCode::NoSubscriptionExisted)
    ];
    let reasons = in_5(version, vec(reason, 1..5).boxed());
    (id(), in_5(version, ack_properties()), reasons)
        .prop_map(|(id, properties, reasons)| {
            Packet::Unsuback(Unsuback {
                id,
                properties,
                reasons,
            })
        })
        .boxed()
}

fn disconnect() -> BoxedStrategy<Packet<'static>> {
    let reason = prop_oneof![
        Just(ReasonCode::Success),
        Just(ReasonCode::DisconnectWithWillMessage),
        Just(ReasonCode::SessionTakenOver)
    ];
    let properties = (
        option::of(any::<u32>()),
        option::of(text()),
        user_properties(),
        option::of(text()),
    );
    (reason, properties)
        .prop_map(|(reason, properties)| {
            Packet::Disconnect(Disconnect {
                reason,
                properties: DisconnectProperties {
                    session_expiry_interval: properties.0,
                    reason_string: properties.1,
                    user_properties: properties.2,
                    server_reference: properties.3,
                },
            })
        })
        .boxed()
}

fn auth() -> BoxedStrategy<Packet<'static>> {
    let reason = prop_oneof![
        Just(ReasonCode::Success),
        Just(ReasonCode::ContinueAuthentication),
        Just(ReasonCode::ReAuthenticate)
    ];
    let properties = (
        text(),
        option::of(binary()),
        option::of(text()),
        user_properties(),
    );
    (reason, properties)
        .prop_map(|(reason, properties)| {
            Packet::Auth(Auth {
                reason,
                properties: AuthProperties {
                    authentication_method: Some(properties.0),
                    authentication_data: properties.1,
                    reason_string: properties.2,
                    user_properties: properties.3,
                },
            })
        })
        .boxed()
}
